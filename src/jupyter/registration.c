/* registration.c: the kernel chose its ports and says so (JEP 66; messaging spec, "Kernel startup handshake").
 *
 * The message is one signed JSON part behind the delimiter, sent from a DEALER socket. Parts before the delimiter
 * in the answer are skipped.
 */
#include "base/json.h"
#include "base/log.h"
#include "jupyter/sockets.h"

static void write_ports(const struct jp_connection *c, struct buf *out)
{
	buf_putc(out, '{');
	if (*c->kernel_id)
		jx_key_string(out, "kernel_id", c->kernel_id);
	for (int i = 0; i < JP_CHANNELS; i++) {
		char key[32], port[16];
		snprintf(key, sizeof key, "%s_port", jp_channel_names[i]);
		snprintf(port, sizeof port, "%d", c->port[i]);
		jx_key_string(out, key, port);
	}
	buf_putc(out, '}');
}

static bool say(void *socket, const struct jp_connection *c, struct err *e)
{
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	char signature[JP_SIGNATURE_LEN + 1];
	write_ports(c, &content);
	struct slice part = SLICE_BUF(&content);
	jp_sign(&c->key, &part, 1, signature);
	bool ok = zmq_send(socket, JP_DELIMITER, strlen(JP_DELIMITER), ZMQ_SNDMORE) >= 0 &&
		  zmq_send(socket, signature, strlen(signature), ZMQ_SNDMORE) >= 0 &&
		  zmq_send(socket, content.data, content.len, 0) >= 0;
	buf_release(&content);
	return ok || err_set(e, "cannot send the registration: %s", zmq_strerror(zmq_errno()));
}

static bool hear(void *socket, const struct jp_connection *c, int timeout_ms, struct err *e)
{
	zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
	if (zmq_poll(&item, 1, timeout_ms) <= 0)
		return err_set(e, "the launcher did not acknowledge the registration within %d ms", timeout_ms);
	char part[3][4096];
	int n = 0, size[3] = {0};
	bool after = false;
	for (int more = 1; more;) {
		char bytes[4096];
		int len = zmq_recv(socket, bytes, sizeof bytes, 0);
		size_t option = sizeof more;
		if (len < 0 || len > (int)sizeof bytes || zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &option) != 0)
			return err_set(e, "the acknowledgement of the registration cannot be read");
		if (after && n < 2) {
			memcpy(part[n], bytes, (size_t)len);
			size[n++] = len;
		}
		after = after || (len == (int)strlen(JP_DELIMITER) && memcmp(bytes, JP_DELIMITER, (size_t)len) == 0);
	}
	struct slice content = {part[1], (size_t)size[1]};
	if (n < 2 || !jp_verify(&c->key, (struct slice){part[0], (size_t)size[0]}, &content, 1))
		return err_set(
		    e, "the acknowledgement of the registration is not signed with the key of the registration file");
	return true;
}

bool jp_register(struct jp_sockets *s, const struct jp_connection *c, int timeout_ms, struct err *e)
{
	char endpoint[JP_ENDPOINT_MAX];
	int linger = 0;
	void *socket = zmq_socket(s->context, ZMQ_DEALER);
	if (!socket)
		return err_set(e, "zmq_socket: %s", zmq_strerror(zmq_errno()));
	jp_endpoint(c, c->registration_port, endpoint);
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
	bool ok = zmq_connect(socket, endpoint) == 0 ||
		  err_set(e, "cannot connect to %s: %s", endpoint, zmq_strerror(zmq_errno()));
	ok = ok && say(socket, c, e) && hear(socket, c, timeout_ms, e);
	zmq_close(socket);
	return ok;
}
