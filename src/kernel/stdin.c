/* stdin.c: the session asks, the client whose request runs answers (messaging spec, "Messages on the stdin channel").
 *
 * It asks the user for a line, or the front end itself for something that stands in the contract of a comm: Positron's kernels send that
 * on stdin too, as `rpc_request` with `method` and `params`, and get `rpc_reply` with `result` or `error` (posit-dev/ark,
 * crates/amalthea/src/socket/stdin.rs). The second kind is over as well when the client closes the comm. */
#include "base/clock.h"
#include "base/log.h"
#include "kernel/kernel.h"

#define AGAIN_MS 100

static bool is_rpc(const json_t *head)
{
	return json_is_string(json_object_get(head, "method"));
}

static void write_question(struct buf *content, const json_t *head)
{
	const json_t *prompt = json_object_get(head, "prompt"), *params = json_object_get(head, "params");
	buf_putc(content, '{');
	if (is_rpc(head)) {
		jx_key_string(content, "method", json_string_or(head, "method", ""));
		jx_key(content, "params");
		if (params)
			jx_value(content, params);
		else
			buf_puts(content, "{}");
	} else {
		jx_key(content, "prompt");
		jx_string(content, json_is_string(prompt) ? json_string_value(prompt) : "", json_string_length(prompt));
		jx_key_bool(content, "password", json_bool_or(head, "password", false));
	}
	buf_putc(content, '}');
}

/* Asks, or sees to it that it is done later. */
static void ask(struct kernel *k, struct wire *w, const json_t *head)
{
	struct request *r = w->running;
	struct buf content = BUF_INIT(BUF_MAX_MESSAGE);
	bool unreachable = false;
	write_question(&content, head);
	jp_send(&k->sockets, JP_STDIN,
		&(struct jp_outgoing){.ids = r->msg->part,
				      .n_ids = r->msg->n_ids,
				      .type = is_rpc(head) ? "rpc_request" : "input_request",
				      .parent = r->msg->header_text,
				      .content = &content,
				      .unreachable = &unreachable,
				      .id_out = w->input.id});
	w->input.again_at = unreachable ? clock_ms() + AGAIN_MS : 0;
}

bool stdin_ask(struct kernel *k, struct wire *w, uint32_t frame, const json_t *head)
{
	const char *comm = json_string_or(head, "comm", "");
	if (!w->running || !w->running->allow_stdin || (*comm && !comm_stays(k, comm)))
		return false;
	pub_flush(w->pub, false); /* what was written before the question is seen before it */
	stdin_cancel(w);
	w->input.frame = frame;
	w->input.question = json_deep_copy(head);
	ask(k, w, head);
	return true;
}

void stdin_again(struct kernel *k, struct wire *w)
{
	w->input.again_at = 0;
	if (w->input.frame && w->running)
		ask(k, w, w->input.question);
}

static bool same_client(const struct jp_message *a, const struct jp_message *b)
{
	return a->n_ids > 0 && b->n_ids > 0 && a->part[0].len == b->part[0].len &&
	       memcmp(a->part[0].data, b->part[0].data, a->part[0].len) == 0;
}

/* Why an answer is not the one that is waited for, or NULL if it is. Many clients send no parent with it. */
static const char *not_awaited(const struct wire *w, const struct jp_message *m)
{
	bool rpc = is_rpc(w->input.question);
	if (!w->input.frame || !w->running)
		return "nothing asks for input";
	if (strcmp(m->type, rpc ? "rpc_reply" : "input_reply") != 0)
		return rpc ? "it is no rpc_reply" : "it is no input_reply";
	if (!same_client(m, w->running->msg))
		return "another client was asked";
	const char *parent = json_string_or(m->parent, "msg_id", "");
	if (*parent && strcmp(parent, w->input.id) != 0 && strcmp(parent, w->running->msg->id) != 0)
		return "it answers an earlier question";
	if (!rpc && !json_is_string(json_object_get(m->content, "value")))
		return "`value` must be a string";
	return NULL;
}

/* Takes head over. */
static void send_answer(struct wire *w, struct buf *head)
{
	static const char gone[] = "{\"closed\":true}";
	struct slice part =
	    head->failed ? (struct slice){gone, sizeof gone - 1} : (struct slice){head->data, head->len};
	uint32_t frame = w->input.frame;
	stdin_cancel(w);
	link_send(w, LINK_INPUT, frame, &part, 1);
	buf_release(head);
}

static void answer(struct wire *w, const struct jp_message *m)
{
	struct buf head = BUF_INIT(BUF_MAX_MESSAGE);
	const json_t *value = json_object_get(m->content, "value");
	buf_putc(&head, '{');
	if (is_rpc(w->input.question)) {
		jx_key(&head, "reply");
		jx_value(&head, m->content);
	} else {
		jx_key(&head, "value");
		jx_string(&head, json_string_value(value), json_string_length(value));
	}
	buf_putc(&head, '}');
	send_answer(w, &head);
}

static void leave(struct wire *w, const char *comm)
{
	struct buf head = BUF_INIT(BUF_MAX_SMALL);
	if (!w->input.frame || strcmp(json_string_or(w->input.question, "comm", ""), comm) != 0)
		return;
	buf_puts(&head, "{\"closed\":true}");
	send_answer(w, &head);
}

void stdin_comm_leaves(struct kernel *k, const char *comm)
{
	if (!*comm)
		return;
	leave(&k->main, comm);
	for (struct copy *c = k->copies.first; c; c = c->next)
		leave(&c->wire, comm);
}

void stdin_receive(struct kernel *k)
{
	struct jp_message m;
	struct err e = {0};
	enum jp_got got;
	while ((got = jp_receive(&k->sockets, JP_STDIN, &m, &e)) != JP_NOTHING) {
		if (got == JP_BAD) {
			log_warn("dropped on stdin: %s", e.msg);
			continue;
		}
		struct wire *w = &k->main;
		const char *why = not_awaited(w, &m);
		for (struct copy *c = k->copies.first; c && why; c = c->next)
			if (!not_awaited(&c->wire, &m)) {
				w = &c->wire;
				why = NULL;
			}
		if (why)
			log_info("dropped on stdin: %s", why);
		else
			answer(w, &m);
		jp_message_release(&m);
	}
}

void stdin_cancel(struct wire *w)
{
	json_decref(w->input.question);
	w->input = (struct input){0};
}
