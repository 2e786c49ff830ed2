#include "jupyter/sockets.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <sys/stat.h>

static const int socket_types[JP_CHANNELS] = {ZMQ_ROUTER, ZMQ_ROUTER, ZMQ_ROUTER, ZMQ_XPUB, ZMQ_ROUTER};

void jp_uuid(char out[37])
{
	unsigned char b[16];
	randombytes_buf(b, sizeof b);
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	char hex[33];
	sodium_bin2hex(hex, sizeof hex, b, sizeof b);
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static bool zmq_failed(struct err *e, const char *what)
{
	err_set(e, "%s: %s", what, zmq_strerror(zmq_errno()));
	if (e)
		e->code = zmq_errno();
	return false;
}

static bool set_int(void *socket, int option, int value, struct err *e)
{
	return zmq_setsockopt(socket, option, &value, sizeof value) == 0 || zmq_failed(e, "zmq_setsockopt");
}

static bool bind_one(void *socket, struct jp_connection *c, enum jp_channel channel, struct err *e)
{
	char endpoint[JP_ENDPOINT_MAX], what[JP_ENDPOINT_MAX + 64];
	int *port = &c->port[channel];
	if (c->ipc && *port == 0)
		*port = (int)channel + 1;
	jp_endpoint(c, *port, endpoint);
	snprintf(what, sizeof what, "cannot listen for %s on %s", jp_channel_names[channel], endpoint);
	mode_t before = umask(077); /* ipc: only the owner may connect; the directory is the launcher's */
	bool bound = zmq_bind(socket, endpoint) == 0;
	umask(before);
	if (!bound)
		return zmq_failed(e, what);
	if (c->ipc)
		return true;
	size_t n = sizeof endpoint;
	if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &n) != 0)
		return zmq_failed(e, what);
	const char *colon = strrchr(endpoint, ':');
	*port = colon ? (int)strtol(colon + 1, NULL, 10) : 0;
	return true;
}

static bool open_one(struct jp_sockets *s, struct jp_connection *c, enum jp_channel i, struct err *e)
{
	void *socket = s->socket[i] = zmq_socket(s->context, socket_types[i]);
	if (!socket)
		return zmq_failed(e, "zmq_socket");
	if (!set_int(socket, ZMQ_LINGER, JP_LINGER_MS, e) || !set_int(socket, ZMQ_SNDHWM, 0, e) ||
	    !set_int(socket, ZMQ_TCP_KEEPALIVE, 1, e))
		return false;
	if (c->curve && (!set_int(socket, ZMQ_CURVE_SERVER, 1, e) ||
			 zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, c->curve_secret, 41) != 0))
		return zmq_failed(e, "the key `curve_secretkey` of the connection file is not one of CurveZMQ");
	/* The length of a frame is announced before anything is authenticated, and ZeroMQ makes room for it. */
	int64_t most = (int64_t)JP_MAX_MESSAGE;
	if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most) != 0)
		return zmq_failed(e, "zmq_setsockopt");
	/* Every subscription is seen, not only the first of a topic: each gets its iopub_welcome. */
	if (i == JP_IOPUB && !set_int(socket, ZMQ_XPUB_VERBOSE, 1, e))
		return false;
	/* A question to a client whose stdin is not connected (yet) must not vanish: it is asked again (kernel/stdin.c). */
	if (i == JP_STDIN && !set_int(socket, ZMQ_ROUTER_MANDATORY, 1, e))
		return false;
	/* A client that reconnects under its old identity takes over from the connection that it lost. */
	if (socket_types[i] == ZMQ_ROUTER && !set_int(socket, ZMQ_ROUTER_HANDOVER, 1, e))
		return false;
	return bind_one(socket, c, i, e);
}

bool jp_sockets_open(struct jp_sockets *s, struct jp_connection *c, struct err *e)
{
	*s = (struct jp_sockets){.key = &c->key, .username = "carrack"};
	jp_uuid(s->session);
	s->context = zmq_ctx_new();
	s->replay = jp_replay_new();
	if (!s->context)
		return zmq_failed(e, "zmq_ctx_new");
	if (!s->replay)
		return err_set(e, "no memory for the sockets");
	for (int i = 0; i < JP_CHANNELS; i++)
		if (!open_one(s, c, (enum jp_channel)i, e))
			return false;
	return true;
}

void jp_sockets_close(struct jp_sockets *s)
{
	for (int i = 0; i < JP_CHANNELS; i++)
		if (s->socket[i])
			zmq_close(s->socket[i]);
	if (s->context)
		zmq_ctx_term(s->context);
	jp_replay_free(s->replay);
	*s = (struct jp_sockets){0};
}

static int receive_msg(zmq_msg_t *msg, void *socket)
{
	int n;
	while ((n = zmq_msg_recv(msg, socket, ZMQ_DONTWAIT)) < 0 && zmq_errno() == EINTR)
		continue;
	return n;
}

/* Adds all parts of the waiting ZeroMQ message to m; takes them all off the socket even if there are too many. */
static bool receive_parts(void *socket, struct jp_message *m, struct err *e)
{
	bool ok = true;
	for (int more = 1; more;) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		if (receive_msg(&part, socket) < 0) {
			zmq_msg_close(&part);
			return err_errno(e, "zmq_msg_recv");
		}
		ok = ok && jp_message_add(m, zmq_msg_data(&part), zmq_msg_size(&part), e);
		more = zmq_msg_more(&part);
		zmq_msg_close(&part);
	}
	return ok;
}

enum jp_got jp_receive(struct jp_sockets *s, enum jp_channel channel, struct jp_message *m, struct err *e)
{
	struct err why = {0};
	jp_message_init(m);
	bool ok = receive_parts(s->socket[channel], m, &why);
	if (!ok && why.code == EAGAIN)
		return JP_NOTHING;
	ok = ok && jp_message_parse(m, s->key, &why);
	if (ok && s->key->on && !jp_replay_first(s->replay, m->signature))
		ok = err_set(&why, "a message that came before (a replay)");
	if (ok)
		return JP_MESSAGE;
	jp_message_release(m);
	if (e)
		*e = why;
	return JP_BAD;
}

static bool send_bytes(void *socket, struct slice s, int flags)
{
	int tries = 0;
	while (zmq_send(socket, s.data ? s.data : "", s.len, flags) < 0)
		if (zmq_errno() != EINTR && (zmq_errno() != ENOMEM || !mem_again(&tries)))
			return false;
	return true;
}

/* A signal does not cut a message in two. */
static bool send_msg(zmq_msg_t *msg, void *socket, int flags)
{
	while (zmq_msg_send(msg, socket, flags) < 0)
		if (zmq_errno() != EINTR)
			return false;
	return true;
}

static void write_header(struct jp_sockets *s, const struct jp_outgoing *o, struct buf *header)
{
	char id[JP_MAX_ID + 1], date[CLOCK_ISO_LEN];
	snprintf(id, sizeof id, "%s_%llu", s->session, (unsigned long long)++s->counter);
	clock_iso8601(date);
	buf_putc(header, '{');
	jx_key_string(header, "msg_id", id);
	jx_key_string(header, "msg_type", o->type);
	jx_key_string(header, "session", s->session);
	jx_key_string(header, "username", s->username);
	jx_key_string(header, "date", date);
	jx_key_string(header, "version", JP_PROTOCOL);
	buf_putc(header, '}');
	if (o->id_out)
		memcpy(o->id_out, id, sizeof id);
}

#define COPIED 4096 /* so few bytes are copied rather than shared */

/* A part that is somebody else's. One for which there is no memory is sent empty: the frame is owed. */
static bool send_slice(void *socket, struct flow_block *block, struct slice s, int flags)
{
	zmq_msg_t part;
	if (s.len > COPIED && flow_block_has(block, s)) {
		if (!flow_part(&part, block, s, 0, NULL))
			zmq_msg_init(&part);
	} else if (s.len <= COPIED) {
		return send_bytes(socket, s, flags);
	} else {
		struct buf copy = BUF_INIT(BUF_MAX_MESSAGE);
		buf_put(&copy, s.data, s.len);
		if (!flow_message(&part, &copy, 0, NULL))
			zmq_msg_init(&part);
	}
	if (send_msg(&part, socket, flags))
		return true;
	zmq_msg_close(&part);
	return false;
}

static bool send_parts(void *socket, const struct jp_outgoing *o, struct slice signature, const struct slice four[4],
		       zmq_msg_t *content)
{
	for (size_t i = 0; i < o->n_ids; i++)
		if (!send_bytes(socket, o->ids[i], ZMQ_SNDMORE))
			return false;
	if (!send_bytes(socket, SLICE_STR(JP_DELIMITER), ZMQ_SNDMORE) || !send_bytes(socket, signature, ZMQ_SNDMORE))
		return false;
	for (int i = 0; i < 3; i++)
		if (!send_slice(socket, o->block, four[i], ZMQ_SNDMORE))
			return false;
	if (!send_msg(content, socket, o->n_buffers ? ZMQ_SNDMORE : 0))
		return false;
	for (size_t i = 0; i < o->n_buffers; i++)
		if (!send_slice(socket, o->block, o->buffers[i], i + 1 < o->n_buffers ? ZMQ_SNDMORE : 0))
			return false;
	return true;
}

/* The content's frame: the buffer itself, a part of the block, or a copy. */
static bool content_message(zmq_msg_t *msg, struct jp_outgoing *o, size_t around, struct err *e)
{
	struct buf copy = BUF_INIT(BUF_MAX_MESSAGE);
	if (!o->content && o->text.len > COPIED && flow_block_has(o->block, o->text))
		return flow_part(msg, o->block, o->text, around, e);
	if (!o->content)
		buf_put(&copy, o->text.data, o->text.len);
	return flow_message(msg, o->content ? o->content : &copy, around, e);
}

bool jp_send(struct jp_sockets *s, enum jp_channel channel, struct jp_outgoing *o)
{
	static const struct slice empty = {"{}", 2};
	struct err e = {0};
	char signature[JP_SIGNATURE_LEN + 1];
	struct buf header = BUF_INIT(BUF_MAX_SMALL);
	zmq_msg_t content;
	write_header(s, o, &header);
	struct slice four[4] = {SLICE_BUF(&header), o->parent.len ? o->parent : empty,
				o->metadata.len ? o->metadata : empty, jp_content(o)};
	bool ok = !header.failed && !(o->content && o->content->failed);
	if (!ok)
		err_set(&e, "it is larger than %zu bytes, or memory is short", (size_t)BUF_MAX_MESSAGE);
	if (ok)
		jp_sign(s->key, four, 4, signature);
	size_t around = FLOW_MESSAGE + header.len + four[1].len + four[2].len;
	ok = ok && content_message(&content, o, around, &e);
	if (ok) {
		ok = send_parts(s->socket[channel], o, SLICE_STR(signature), four, &content);
		if (!ok) {
			zmq_failed(&e, "ZeroMQ");
			zmq_msg_close(&content);
		}
	}
	if (!ok && o->unreachable && e.code == EHOSTUNREACH)
		*o->unreachable = true;
	else if (!ok)
		log_error("a %s could not be sent: %s", o->type, e.msg);
	if (o->content)
		buf_release(o->content);
	buf_release(&header);
	return ok;
}

void jp_heartbeat(struct jp_sockets *s)
{
	void *socket = s->socket[JP_HB];
	zmq_msg_t part;
	zmq_msg_init(&part);
	while (receive_msg(&part, socket) >= 0) {
		int more = zmq_msg_more(&part);
		if (!send_msg(&part, socket, more ? ZMQ_SNDMORE : 0))
			log_debug("heartbeat: %s", zmq_strerror(zmq_errno()));
	}
	zmq_msg_close(&part);
}
