#include "jupyter/connection.h"

#include "base/json.h"

#include <errno.h>
#include <zmq.h>

#define MAX_FILE 65536

const char *const jp_channel_names[JP_CHANNELS] = {"shell", "control", "stdin", "iopub", "hb"};

static bool copy_string(const json_t *o, const char *key, const char *otherwise, char *to, size_t max, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	const char *s = v ? json_string_value(v) : otherwise;
	if (!s)
		return err_set(e, "`%s` must be a string%s", key, v ? "" : ", it is missing");
	if (strlen(s) >= max)
		return err_set(e, "`%s` is longer than %zu bytes", key, max - 1);
	memcpy(to, s, strlen(s) + 1);
	return true;
}

static bool read_port(const json_t *o, const char *name, int *port, struct err *e)
{
	char key[32];
	snprintf(key, sizeof key, "%s_port", name);
	json_int_t v = json_integer_value(json_object_get(o, key));
	if (!json_is_integer(json_object_get(o, key)) || v < 0 || v > 65535)
		return err_set(e, "`%s` must be a port number from 0 to 65535", key);
	*port = (int)v;
	return true;
}

/* JEP 145: both keys or none. Half a pair is a mistake that must not end in plain text. */
static bool read_curve(struct jp_connection *c, const json_t *o, struct err *e)
{
	if (!json_object_get(o, "curve_publickey") && !json_object_get(o, "curve_secretkey"))
		return true;
	if (!copy_string(o, "curve_publickey", NULL, c->curve_public, sizeof c->curve_public, e) ||
	    !copy_string(o, "curve_secretkey", NULL, c->curve_secret, sizeof c->curve_secret, e))
		return false;
	if (strlen(c->curve_public) != 40 || strlen(c->curve_secret) != 40)
		return err_set(e, "`curve_publickey` and `curve_secretkey` must be Z85 keys of 40 characters");
	if (!zmq_has("curve"))
		return err_set(e, "the connection file asks for encryption, but this libzmq was built without CURVE");
	c->curve = true;
	return true;
}

static bool from_json(struct jp_connection *c, const json_t *o, struct err *e)
{
	char transport[16], scheme[64];
	if (!copy_string(o, "transport", "tcp", transport, sizeof transport, e) ||
	    !copy_string(o, "ip", "127.0.0.1", c->ip, sizeof c->ip, e) ||
	    !copy_string(o, "kernel_id", "", c->kernel_id, sizeof c->kernel_id, e) ||
	    !copy_string(o, "signature_scheme", "hmac-sha256", scheme, sizeof scheme, e))
		return false;
	c->ipc = strcmp(transport, "ipc") == 0;
	if (!c->ipc && strcmp(transport, "tcp") != 0)
		return err_set(e, "`transport` must be tcp or ipc, not `%s`", transport);
	if (json_object_get(o, "key") && !json_is_string(json_object_get(o, "key")))
		return err_set(e, "`key` must be a string; an empty one turns signing off");
	const char *key = json_string_or(o, "key", "");
	if (*key && strcmp(scheme, "hmac-sha256") != 0)
		return err_set(e,
			       "`signature_scheme` must be hmac-sha256, the only one this kernel signs with, not `%s`",
			       scheme);
	if (!jp_key_set(&c->key, key, json_string_length(json_object_get(o, "key")), e))
		return false;
	if (!read_curve(c, o, e))
		return false;
	if (json_object_get(o, "registration_port") && !json_object_get(o, "shell_port"))
		return read_port(o, "registration", &c->registration_port, e);
	for (int i = 0; i < JP_CHANNELS; i++)
		if (!read_port(o, jp_channel_names[i], &c->port[i], e))
			return false;
	return true;
}

bool jp_connection_parse(struct jp_connection *c, const char *text, size_t n, const char *name, struct err *e)
{
	*c = (struct jp_connection){0};
	json_t *o = json_object_from(text, n, name, e);
	if (!o)
		return false;
	bool ok = from_json(c, o, e);
	json_decref(o);
	if (!ok)
		err_context(e, "%s", name);
	return ok;
}

bool jp_connection_read(struct jp_connection *c, const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return err_errno(e, "cannot read the connection file %s", path);
	char text[MAX_FILE];
	size_t n = fread(text, 1, sizeof text, f);
	bool bad = ferror(f) || !feof(f);
	fclose(f);
	if (bad)
		return err_set(e, "the connection file %s cannot be read, or is larger than %d bytes", path, MAX_FILE);
	return jp_connection_parse(c, text, n, path, e);
}

void jp_endpoint(const struct jp_connection *c, int port, char out[JP_ENDPOINT_MAX])
{
	if (c->ipc)
		snprintf(out, JP_ENDPOINT_MAX, "ipc://%s-%d", c->ip, port);
	else if (port == 0)
		snprintf(out, JP_ENDPOINT_MAX, "tcp://%s:*", c->ip);
	else
		snprintf(out, JP_ENDPOINT_MAX, "tcp://%s:%d", c->ip, port);
}
