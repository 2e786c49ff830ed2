/* requests.c: what clients ask on shell and control, and how the session is asked.
 *
 * What the kernel process knows itself is answered at once, also while R computes or is dead. What needs the
 * session waits its turn (queue.c); the session, and each copy that serves, has one request at a time.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "kernel/kernel.h"

#define ON_SHELL 1
#define ON_CONTROL 2
#define LOOKS 4 /* may only look: then a copy can answer while the session is busy. The session decides */

struct request_type {
	const char *name;
	int channels;      /* and LOOKS */
	const char *reply; /* NULL: no reply belongs to it */
	/* Answers at once by appending the reply's content. NULL: the session is asked. False: `later` has it. */
	bool (*answer)(struct kernel *k, struct request *r, struct buf *content);
	/* Before it is queued for the session; false: it was dealt with. NULL: nothing to do. */
	bool (*prepare)(struct kernel *k, struct request *r);
	/* When its turn has come; false: it has become void, and was dealt with. NULL: nothing to do. */
	bool (*still)(struct kernel *k, struct request *r);
	void (*start)(struct kernel *k, struct request *r, struct buf *head);
};

static bool interrupt_reply(struct kernel *k, struct request *r, struct buf *content)
{
	const json_t *named = json_object_get(r->msg->header, "subshell_id");
	if (json_is_string(named))
		return subshell_interrupt(k, json_string_value(named), content);
	stop_interrupt(k);
	buf_puts(content, "{\"status\":\"ok\"}");
	return true;
}

static bool shutdown_reply(struct kernel *k, struct request *r, struct buf *content)
{
	stop_begin(k, r, json_bool_or(r->msg->content, "restart", false));
	return false;
}

static bool history_reply(struct kernel *k, struct request *r, struct buf *content)
{
	struct err e = {0};
	struct buf list = BUF_INIT(BUF_MAX_MESSAGE);
	if (k->history && !history_answer(k->history, r->msg->content, &list, &e)) {
		log_warn("history_request: %s", e.msg);
		buf_puts(content, "{\"status\":\"error\",\"ename\":\"HistoryError\",\"traceback\":[]");
		jx_key_string(content, "evalue", e.msg);
		buf_putc(content, '}');
	} else {
		buf_puts(content, "{\"status\":\"ok\"");
		jx_key_raw(content, "history", list.len ? list.data : "[]", list.len ? list.len : 2);
		buf_putc(content, '}');
	}
	buf_release(&list);
	return true;
}

static bool connect_reply(struct kernel *k, struct request *r, struct buf *content)
{
	buf_putc(content, '{');
	jx_key_string(content, "status", "ok");
	for (int i = 0; i < JP_CHANNELS; i++) {
		char key[32];
		snprintf(key, sizeof key, "%s_port", jp_channel_names[i]);
		jx_key_int(content, key, k->connection.port[i]);
	}
	buf_putc(content, '}');
	return true;
}

/* The spec's answer to a comm_open that leads nowhere. The request's window is open. */
static void comm_refuse(struct kernel *k, struct request *r)
{
	struct buf close = BUF_INIT(BUF_MAX_SMALL);
	buf_putc(&close, '{');
	jx_key_string(&close, "comm_id", json_string_or(r->msg->content, "comm_id", ""));
	buf_puts(&close, ",\"data\":{}}");
	pub_message(&k->pub, &r->window, "comm_close", &close);
}

/* Ends a message that needs no session, with no more than its statuses; an open is refused if `refuse` says so. */
static bool comm_done(struct kernel *k, struct request *r, bool refuse)
{
	if (pub_open(&k->pub, &r->window, r->msg, false)) {
		if (refuse)
			comm_refuse(k, r);
		pub_close(&k->pub, &r->window);
	}
	request_free(r);
	return false;
}

/* The comm is open from here on, so that messages which follow at once find it, unless the session says otherwise. */
static bool comm_open(struct kernel *k, struct request *r)
{
	const char *id = json_string_or(r->msg->content, "comm_id", "");
	const char *target = json_string_or(r->msg->content, "target_name", "");
	if (comm_known(k, id)) {
		log_warn("a client opened comm %s, which is open already", id);
		return comm_done(k, r, false);
	}
	if (!*id || !*target || k->session.state == SESSION_NONE)
		return comm_done(k, r, true);
	comm_opened(k, id, target);
	return true;
}

static bool comm_unknown(struct kernel *k, struct request *r)
{
	const char *id = json_string_or(r->msg->content, "comm_id", "");
	if (comm_known(k, id))
		return true;
	log_debug("a %s for comm %s, which is not open", r->msg->type, id);
	return comm_done(k, r, false);
}

/* The close waits for its turn as any message does; a question to who sent it does not wait so long. */
static bool comm_close(struct kernel *k, struct request *r)
{
	comm_leaves(k, json_string_or(r->msg->content, "comm_id", ""));
	return comm_unknown(k, r);
}

static void comm_start(struct kernel *k, struct request *r, struct buf *head)
{
	if (strcmp(r->msg->type, "comm_close") == 0)
		comm_closed(k, json_string_or(r->msg->content, "comm_id", ""));
}

static const struct request_type types[] = {
    {"execute_request", ON_SHELL, "execute_reply", NULL, execute_prepare, NULL, execute_start},
    {"is_complete_request", ON_SHELL | LOOKS, "is_complete_reply", NULL, NULL, NULL, NULL},
    {"kernel_info_request", ON_SHELL | ON_CONTROL, "kernel_info_reply", info_reply, NULL, NULL, NULL},
    {"comm_info_request", ON_SHELL | ON_CONTROL, "comm_info_reply", comm_info_reply, NULL, NULL, NULL},
    {"history_request", ON_SHELL | ON_CONTROL, "history_reply", history_reply, NULL, NULL, NULL},
    {"complete_request", ON_SHELL | LOOKS, "complete_reply", NULL, NULL, NULL, NULL},
    {"inspect_request", ON_SHELL | LOOKS, "inspect_reply", NULL, NULL, NULL, NULL},
    {"connect_request", ON_SHELL | ON_CONTROL, "connect_reply", connect_reply, NULL, NULL, NULL},
    {"interrupt_request", ON_SHELL | ON_CONTROL, "interrupt_reply", interrupt_reply, NULL, NULL, NULL},
    {"shutdown_request", ON_SHELL | ON_CONTROL, "shutdown_reply", shutdown_reply, NULL, NULL, NULL},
    {"create_subshell_request", ON_CONTROL, "create_subshell_reply", subshell_create, NULL, NULL, NULL},
    {"delete_subshell_request", ON_CONTROL, "delete_subshell_reply", subshell_delete, NULL, NULL, NULL},
    {"list_subshell_request", ON_CONTROL, "list_subshell_reply", subshell_list, NULL, NULL, NULL},
    {"comm_open", ON_SHELL, NULL, NULL, comm_open, comm_unknown, NULL},
    {"comm_msg", ON_SHELL | LOOKS, NULL, NULL, comm_unknown, comm_unknown, NULL},
    {"comm_close", ON_SHELL, NULL, NULL, comm_close, comm_unknown, comm_start},
};

static const struct request_type *find_type(const char *name, enum jp_channel channel)
{
	int on = channel == JP_CONTROL ? ON_CONTROL : ON_SHELL;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].channels & on ? &types[i] : NULL;
	return NULL;
}

void request_free(struct request *r)
{
	if (!r)
		return;
	jp_message_free(r->msg);
	free(r->window.parent);
	free(r);
}

bool request_is_cell(const struct request *r)
{
	return r->type->start == execute_start;
}

bool request_looks(const struct request *r)
{
	return r->type->channels & LOOKS;
}

bool request_is(const struct request *r, const char *type)
{
	return strcmp(r->msg->type, type) == 0;
}

void request_reply(struct kernel *k, struct request *r, const char *type, struct buf *content, struct slice metadata,
		   const struct slice *buffers, size_t n_buffers)
{
	struct buf instead = BUF_INIT(BUF_MAX_SMALL);
	if (content->failed) {
		/* One that says so is owed in its place. */
		log_error("a %s is larger than a message may be, or memory is short: an error is sent instead", type);
		buf_release(content);
		content = &instead;
		buf_puts(content,
			 strcmp(type, "is_complete_reply") == 0
			     ? "{\"status\":\"unknown\"}"
			     : "{\"status\":\"error\",\"ename\":\"ReplyError\",\"evalue\":\"the reply is larger than a "
			       "message may be, or memory is short\",\"traceback\":[]");
		if (strcmp(type, "execute_reply") == 0)
			jx_key_int(content, "execution_count", r->count ? r->count : k->count);
		if (strcmp(type, "is_complete_reply") != 0)
			buf_putc(content, '}');
	}
	jp_send(&k->sockets, r->channel,
		&(struct jp_outgoing){.ids = r->msg->part,
				      .n_ids = r->msg->n_ids,
				      .type = type,
				      .parent = r->msg->header_text,
				      .metadata = metadata,
				      .content = content,
				      .buffers = buffers,
				      .n_buffers = n_buffers});
}

void request_done(struct kernel *k, struct request *r)
{
	if (r->with)
		r->with->running = NULL;
	pub_close(r->pub, &r->window);
	request_free(r);
}

static void answer_now(struct kernel *k, struct request *r)
{
	struct buf content = BUF_INIT(BUF_MAX_MESSAGE);
	if (!pub_open(&k->pub, &r->window, r->msg, false)) {
		request_free(r);
		return;
	}
	if (!r->type->answer(k, r, &content))
		return; /* whoever said so has the request now */
	if (r->type->reply)
		request_reply(k, r, r->type->reply, &content, (struct slice){0}, NULL, 0);
	buf_release(&content);
	request_done(k, r);
}

static void unknown(struct kernel *k, struct request *r)
{
	log_warn("a message of a type that is not answered on %s", jp_channel_names[r->channel]);
	log_debug("it was a %s", r->msg->type);
	if (pub_open(&k->pub, &r->window, r->msg, false))
		pub_close(&k->pub, &r->window);
	request_free(r);
}

/* Somebody who runs a cell does not wait for a help page that was asked for in passing. */
static void hurry(struct kernel *k, const struct request *waiting)
{
	const struct request *running = k->main.running;
	if (request_is_cell(waiting) && running && request_looks(running) && running->type->reply)
		link_send(&k->main, LINK_YIELD, running->id, NULL, 0);
}

static void take(struct kernel *k, enum jp_channel channel, struct jp_message *m)
{
	struct request *r = mem_calloc(1, sizeof *r);
	if (r)
		r->msg = jp_message_move(m);
	if (!r || !r->msg) {
		log_error("no memory for a request");
		jp_message_release(m);
		free(r);
		return;
	}
	r->channel = channel;
	r->home = &k->queue;
	r->pub = &k->pub;
	r->order = ++k->order;
	r->came = clock_ms();
	r->type = find_type(r->msg->type, channel);
	if (!r->type)
		unknown(k, r);
	else if (channel == JP_SHELL && !subshell_route(k, r))
		return;
	else if (r->type->answer)
		answer_now(k, r);
	else if (!r->type->prepare || r->type->prepare(k, r)) {
		queue_push(k, r);
		hurry(k, r);
	}
}

void requests_receive(struct kernel *k, enum jp_channel channel)
{
	struct jp_message m;
	struct err e = {0};
	/* Not more than a few at a time: control, input and the session have their turn too. */
	for (int i = 0; i < 64 && (channel != JP_SHELL || k->queued < KN_QUEUE_MAX); i++) {
		enum jp_got got = jp_receive(&k->sockets, channel, &m, &e);
		if (got == JP_NOTHING)
			return;
		if (got == JP_BAD)
			log_warn("dropped on %s: %s", jp_channel_names[channel], e.msg);
		else
			take(k, channel, &m);
	}
}

void requests_receive_all(struct kernel *k)
{
	size_t before;
	do {
		before = k->queued;
		requests_receive(k, JP_SHELL);
	} while (k->queued > before);
}

/* Replies that say nothing. */
static void say_nothing(const struct request *r, struct buf *content)
{
	if (strcmp(r->type->name, "complete_request") == 0) {
		const json_t *code = json_object_get(r->msg->content, "code");
		size_t chars = json_is_string(code) ? utf8_count(json_string_value(code), json_string_length(code)) : 0;
		json_int_t at = json_int_or(r->msg->content, "cursor_pos", (json_int_t)chars);
		if (at < 0 || at > (json_int_t)chars)
			at = (json_int_t)chars;
		buf_printf(
		    content,
		    "{\"status\":\"ok\",\"matches\":[],\"cursor_start\":%lld,\"cursor_end\":%lld,\"metadata\":{}}",
		    (long long)at, (long long)at);
	} else if (strcmp(r->type->name, "inspect_request") == 0) {
		buf_puts(content, "{\"status\":\"ok\",\"found\":false,\"data\":{},\"metadata\":{}}");
	} else {
		buf_puts(content, "{\"status\":\"unknown\"}");
	}
}

/* The session cannot be asked: execute requests are told why, others get the reply that says nothing. */
static void refuse(struct kernel *k, struct request *r)
{
	if (strcmp(r->type->name, "execute_request") == 0) {
		const char *line = k->session.why;
		execute_fail(k, r, "SessionError", k->session.why, &line, 1);
		return;
	}
	if (strcmp(r->type->name, "comm_open") == 0) {
		comm_closed(k, json_string_or(r->msg->content, "comm_id", ""));
		comm_done(k, r, true);
		return;
	}
	if (!r->type->reply) {
		comm_done(k, r, false);
		return;
	}
	if (pub_open(&k->pub, &r->window, r->msg, false)) {
		struct buf content = BUF_INIT(BUF_MAX_SMALL);
		say_nothing(r, &content);
		request_reply(k, r, r->type->reply, &content, (struct slice){0}, NULL, 0);
		pub_close(&k->pub, &r->window);
	}
	request_free(r);
}

static void too_large(struct kernel *k, struct request *r)
{
	static const char line[] = "the request is too large for the link to R, or memory is short";
	const char *lines = line;
	if (request_is(r, "comm_open")) {
		comm_closed(k, json_string_or(r->msg->content, "comm_id", ""));
		comm_refuse(k, r);
	}
	if (r->looking)
		request_give_back(k, r);
	else
		execute_fail(k, r, "RequestError", line, &lines, 1);
}

/* A look that is not answered keeps its place, and waits for the session. */
void request_give_back(struct kernel *k, struct request *r)
{
	r->with->running = NULL;
	r->with = NULL;
	r->pub = &k->pub;
	r->looking = false;
	r->passed = true;
}

/* Text goes to a cell or to a comm's message; clients drop what has another kind of request as its parent. */
static bool open_window(struct request *r)
{
	return pub_open(r->pub, &r->window, r->msg, r->type->start != NULL || !r->type->reply);
}

void request_open(struct kernel *k, struct request *r)
{
	if (!r->looking)
		return;
	r->looking = false;
	queue_remove(k, r);
	if (open_window(r))
		return;
	r->with->running = NULL;
	request_free(r);
}

static bool send_request(struct request *r, struct wire *w, struct buf *head)
{
	size_t n = 3 + r->msg->n_buffers;
	struct slice *parts = mem_calloc(n, sizeof *parts);
	if (parts) {
		parts[0] = SLICE_BUF(head);
		parts[1] = r->msg->content_text;
		parts[2] = r->msg->metadata_text;
		for (size_t i = 3; i < n; i++)
			parts[i] = r->msg->buffers[i - 3];
	}
	bool sent = parts && !head->failed && link_send(w, LINK_REQUEST, r->id, parts, n);
	free(parts);
	return sent;
}

/* A look keeps its place in its queue, and its window is opened when it is answered. */
void request_give(struct kernel *k, struct wire *w, struct request *r, bool look)
{
	struct buf head = BUF_INIT(BUF_MAX_SMALL);
	if (!look && r->type->still && !r->type->still(k, r))
		return;
	r->pub = w->pub;
	if (!look && !open_window(r)) {
		request_free(r);
		return;
	}
	w->running = r;
	w->running_since = clock_ms();
	r->with = w;
	r->looking = look;
	r->id = ++w->requests;
	k->session.ran += !w->copy && request_is_cell(r);
	buf_putc(&head, '{');
	jx_key_string(&head, "type", r->type->name);
	jx_key_string(&head, "msg_id", r->msg->id);
	if (look)
		jx_key_bool(&head, "look", true);
	if (r->type->start)
		r->type->start(k, r, &head);
	buf_putc(&head, '}');
	if (!send_request(r, w, &head))
		too_large(k, r);
	buf_release(&head);
}

/* Known to end: what it is given would be taken for the cause of that. */
static bool session_ends(const struct kernel *k)
{
	return k->session.pid > 0 && (k->main.link < 0 || k->session.undo);
}

/* The session takes a request, or will never take one. What the system refused when it was to be started may be had now. */
static bool session_decided(struct kernel *k)
{
	if (k->session.state == SESSION_NONE && k->session.refused && k->queue.first)
		session_start(k);
	return k->session.state == SESSION_READY || k->session.state == SESSION_NONE;
}

void requests_next(struct kernel *k)
{
	struct request *r;
	while (!k->main.running && !k->stop.on && !session_ends(k) && session_decided(k) && (r = queue_next(k))) {
		if (execute_refuse(k, r))
			continue;
		if (k->session.state == SESSION_READY)
			request_give(k, &k->main, r, false);
		else
			refuse(k, r);
	}
	copies_turn(k);
}
