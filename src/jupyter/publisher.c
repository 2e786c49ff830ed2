#include "jupyter/publisher.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"

static const char *const stream_names[] = {"stdout", "stderr"};

void pub_init(struct publisher *p, struct jp_sockets *sockets)
{
	*p = (struct publisher){.sockets = sockets};
	buf_init(&p->text, PUB_TEXT_MAX + ((size_t)4 << 20));
	buf_init(&p->carry[0], 16);
	buf_init(&p->carry[1], 16);
}

void pub_release(struct publisher *p)
{
	buf_release(&p->text);
	buf_release(&p->carry[0]);
	buf_release(&p->carry[1]);
	free(p->last);
	p->last = NULL;
}

static void publish(struct publisher *p, const char *topic, struct slice parent, struct jp_outgoing *o)
{
	struct slice prefix = SLICE_STR(topic);
	o->ids = &prefix;
	o->n_ids = 1;
	o->parent = parent;
	jp_send(p->sockets, JP_IOPUB, o);
}

static void publish_status(struct publisher *p, struct slice parent, const char *state)
{
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	buf_printf(&content, "{\"execution_state\":\"%s\"}", state);
	p->started = true;
	publish(p, "status", parent, &(struct jp_outgoing){.type = "status", .content = &content});
}

static struct slice parent_of(const struct publisher *p, const struct pub_window *w)
{
	if (!w)
		w = p->session;
	return w ? (struct slice){w->parent, w->len} : (struct slice){p->last, p->last_len};
}

bool pub_open(struct publisher *p, struct pub_window *w, const struct jp_message *request, bool session)
{
	w->len = request->header_text.len;
	w->parent = mem_alloc(w->len + 1);
	if (!w->parent) {
		log_error("no memory to answer a %s", request->type);
		return false;
	}
	memcpy(w->parent, request->header_text.data, w->len);
	if (session) {
		pub_flush(p, true); /* late text belongs to the cell before */
		p->session = w;
	}
	publish_status(p, parent_of(p, w), "busy");
	return true;
}

void pub_close(struct publisher *p, struct pub_window *w)
{
	if (p->session == w)
		pub_flush(p, true);
	publish_status(p, parent_of(p, w), "idle");
	if (p->session == w)
		p->session = NULL;
	free(w->parent);
	*w = (struct pub_window){0};
}

void pub_cell_started(struct publisher *p)
{
	char *copy = p->session ? mem_alloc(p->session->len + 1) : NULL;
	if (!copy)
		return;
	memcpy(copy, p->session->parent, p->session->len);
	free(p->last);
	p->last = copy;
	p->last_len = p->session->len;
}

void pub_outgoing(struct publisher *p, const struct pub_window *w, struct jp_outgoing *o)
{
	if (!w || w == p->session)
		pub_flush(p, false);
	p->bytes += jp_content(o).len;
	for (size_t i = 0; i < o->n_buffers; i++)
		p->bytes += o->buffers[i].len;
	publish(p, o->type, parent_of(p, w), o);
}

void pub_message(struct publisher *p, const struct pub_window *w, const char *type, struct buf *content)
{
	pub_outgoing(p, w, &(struct jp_outgoing){.type = type, .content = content});
}

static void publish_text(struct publisher *p, const char *s, size_t n)
{
	struct buf content = BUF_INIT(BUF_MAX_MESSAGE);
	char topic[32];
	snprintf(topic, sizeof topic, "stream.%s", stream_names[p->stream]);
	buf_putc(&content, '{');
	jx_key_string(&content, "name", stream_names[p->stream]);
	jx_key(&content, "text");
	jx_string(&content, s, n);
	buf_putc(&content, '}');
	p->text_bytes += n;
	p->bytes += n;
	publish(p, topic, parent_of(p, NULL), &(struct jp_outgoing){.type = "stream", .content = &content});
}

void pub_flush(struct publisher *p, bool all)
{
	size_t n = utf8_cut(p->text.data ? p->text.data : "", p->text.len);
	struct buf *carry = &p->carry[p->stream];
	if (n < p->text.len && !all)
		buf_put(carry, p->text.data + n, p->text.len - n);
	if (all)
		n = p->text.len;
	if (n)
		publish_text(p, p->text.data, n);
	buf_trim(&p->text, PUB_TEXT_MAX * 2);
	for (int i = 0; all && i < 2; i++) {
		if (!p->carry[i].len)
			continue;
		p->stream = (enum pub_stream)i;
		publish_text(p, p->carry[i].data, p->carry[i].len);
		buf_clear(&p->carry[i]);
	}
}

void pub_text(struct publisher *p, enum pub_stream stream, const char *bytes, size_t n)
{
	if (stream != p->stream)
		pub_flush(p, false);
	p->stream = stream;
	struct buf *carry = &p->carry[stream];
	if (carry->len) {
		buf_put(&p->text, carry->data, carry->len);
		buf_clear(carry);
	}
	while (n) {
		size_t k = n < PUB_TEXT_MAX ? n : PUB_TEXT_MAX;
		buf_put(&p->text, bytes, k);
		bytes += k;
		n -= k;
		if (p->text.len >= PUB_TEXT_MAX) {
			pub_flush(p, false);
			if (n && carry->len) {
				buf_put(&p->text, carry->data, carry->len);
				buf_clear(carry);
			}
		}
	}
}

bool pub_has_text(const struct publisher *p)
{
	return p->text.len > 0;
}

static void welcome(struct publisher *p, const char *topic, size_t n)
{
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	struct slice prefix = {topic, n};
	buf_putc(&content, '{');
	jx_key(&content, "subscription");
	jx_string(&content, topic, n);
	buf_putc(&content, '}');
	jp_send(p->sockets, JP_IOPUB,
		&(struct jp_outgoing){.ids = &prefix, .n_ids = 1, .type = "iopub_welcome", .content = &content});
	if (!p->started)
		publish_status(p, (struct slice){0}, "starting");
}

void pub_subscriptions(struct publisher *p)
{
	char event[1024];
	int n;
	while ((n = zmq_recv(p->sockets->socket[JP_IOPUB], event, sizeof event, ZMQ_DONTWAIT)) >= 0) {
		/* JEP 65: only subscriptions are answered, and only to topics that are UTF-8. */
		if (n < 1 || n > (int)sizeof event || event[0] != 1 || !utf8_valid(event + 1, (size_t)n - 1))
			continue;
		welcome(p, event + 1, (size_t)n - 1);
	}
}
