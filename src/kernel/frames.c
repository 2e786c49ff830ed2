/* frames.c: what the session says, and what is done about it (docs/link.md, "From the session").
 *
 * Every frame is a rendezvous: both pipes are emptied, the frame is acted upon, then it is acknowledged.
 */
#include "base/clock.h"
#include "base/log.h"
#include "kernel/kernel.h"

#include <limits.h>

#define HISTORY_MS 1000
#define TEXT_PLAIN_MAX 65536 /* longer results are cut in the history */
#define NAME_MAX_BYTES 65536 /* of a comm's id and target */

static bool hello(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	json_int_t version = json_int_or(head, "link", 0);
	if (version == LINK_VERSION)
		return true;
	session_kill(k, "it speaks another version of the link than this kernel");
	return false;
}

static bool ready(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	struct session *s = &k->session;
	if (s->state != SESSION_STARTING)
		return true;
	if (!s->waking)
		s->copies = json_bool_or(head, "copies", false);
	s->state = SESSION_READY;
	s->waking = false;
	const char *version = json_string_or(head, "language_version", NULL),
		   *banner = json_string_or(head, "banner", NULL);
	temp_found(k, json_string_or(head, "temp_dir", ""));
	if (version) /* one that was woken does not say it again */
		snprintf(s->version, sizeof s->version, "%s", version);
	if (banner)
		snprintf(s->banner, sizeof s->banner, "%s", banner);
	buf_release(&s->start_text);
	pub_flush(&k->pub, true);
	log_info("the session is ready: %s", s->version);
	return true;
}

/* Messages that a session may publish, and what the kernel notes about them. */
static void note_result(struct kernel *k, const struct wire *w, struct slice content)
{
	struct buf text = BUF_INIT(TEXT_PLAIN_MAX);
	struct request *r = w->running;
	if (k->history && r && r->store_history && !r->subshell &&
	    jt_string(jt_find(jt_find(content, "data"), "text/plain"), &text, TEXT_PLAIN_MAX) && !text.failed)
		history_output(k->history, r->count, text.len ? text.data : "", text.len);
	buf_release(&text);
}

/* A member that is a name; as anywhere, one with a NUL in it ends there. */
static const char *name_in(struct slice content, const char *key, struct buf *to)
{
	return jt_string(jt_find(content, key), to, NAME_MAX_BYTES) && to->len && !to->failed ? to->data : "";
}

static void note_comm_open(struct kernel *k, const struct wire *w, struct slice content)
{
	struct buf id = BUF_INIT(NAME_MAX_BYTES), target = BUF_INIT(NAME_MAX_BYTES);
	const char *which = name_in(content, "comm_id", &id);
	comm_opened(k, which, name_in(content, "target_name", &target));
	comm_taken(k, which);
	buf_release(&id);
	buf_release(&target);
}

static void note_comm_close(struct kernel *k, const struct wire *w, struct slice content)
{
	struct buf id = BUF_INIT(NAME_MAX_BYTES);
	comm_closed(k, name_in(content, "comm_id", &id));
	buf_release(&id);
}

static const struct {
	const char *type;
	void (*note)(struct kernel *k, const struct wire *w, struct slice content);
	bool
	    always; /* also while a silent request runs: it is no output but the state of something that the client has */
	bool of_session; /* not from copies of it */
} publishable[] = {
    {"display_data", NULL},          {"update_display_data", NULL},
    {"execute_result", note_result}, {"error", NULL},
    {"clear_output", NULL},          {"comm_open", note_comm_open, true, true},
    {"comm_msg", NULL, true},        {"comm_close", note_comm_close, true, true},
};

/* How many parts follow head, content and metadata. */
static size_t buffers_of(const struct link_frame *f)
{
	return f->n > 3 ? f->n - 3 : 0;
}

static bool publish(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	const char *type = json_string_or(head, "type", "");
	size_t i = 0;
	while (i < ARRAY_LEN(publishable) && strcmp(publishable[i].type, type) != 0)
		i++;
	struct err e = {0};
	if (w->copy && i < ARRAY_LEN(publishable) && publishable[i].of_session) {
		log_warn("a copy of the session published a `%s`: comms are the session's", type);
		return true;
	}
	struct jp_outgoing o = {.type = type, .block = w->block, .buffers = f->part + 3, .n_buffers = buffers_of(f)};
	if (i == ARRAY_LEN(publishable) || !link_frame_text(f, 1, &o.text, &e) ||
	    !link_frame_text(f, 2, &o.metadata, &e)) {
		log_error("the session published a `%s` that is not passed on: %s", type,
			  i < ARRAY_LEN(publishable) ? e.msg : "no such message may come from a session");
		return true;
	}
	if (publishable[i].note)
		publishable[i].note(k, w, o.text);
	if (w->running)
		request_open(k, w->running);
	if (!w->running || !w->running->silent || publishable[i].always)
		pub_outgoing(w->pub, NULL, &o);
	return true;
}

static bool turn(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	return true;
}

static bool input_request(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	static const char none[] = "{\"value\":\"\",\"closed\":true}";
	struct slice part = {none, sizeof none - 1};
	if (!stdin_ask(k, w, f->seq, head)) {
		log_warn("the session asked for input, but no client can be asked");
		link_send(w, LINK_INPUT, f->seq, &part, 1);
	}
	return true;
}

static bool input_cancel(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	stdin_cancel(w);
	return true;
}

static bool is_true(struct slice json)
{
	return json.len == 4 && memcmp(json.data, "true", 4) == 0;
}

static bool reply(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	struct request *r = w->running;
	struct err e = {0};
	if (!r || r->id != f->request) {
		log_error("the session answered request %u, which is not with it", f->request);
		return true;
	}
	struct slice content, metadata;
	bool ok = link_frame_text(f, 1, &content, &e) && link_frame_text(f, 2, &metadata, &e);
	stdin_cancel(w);
	where_done(w);
	if (!w->copy) {
		k->session.failed_starts = 0;
		copies_stale(k);
	}
	request_open(k, r);
	if (!w->running) /* there was no memory for its window */
		return true;
	if (!ok) {
		log_error("the session's reply to a %s cannot be read: %s", r->msg->type, e.msg);
		const char *line = "the session sent a reply that is not JSON";
		execute_fail(k, r, "SessionError", line, &line, 1);
	} else if (request_is(r, "execute_request")) {
		execute_finish(k, r, content, metadata);
		k->history_at = k->history_at ? k->history_at : clock_ms() + HISTORY_MS;
	} else {
		const char *type = json_string_or(head, "type", "");
		struct buf bytes = BUF_INIT(BUF_MAX_MESSAGE);
		buf_put(&bytes, content.data, content.len);
		if (request_is(r, "comm_open"))
			comm_answered(k, r, is_true(jt_find(content, "again")));
		pub_flush(w->pub, true);
		if (*type)
			request_reply(k, r, type, &bytes, metadata, f->part + 3, buffers_of(f));
		buf_release(&bytes);
		request_done(k, r);
	}
	return true;
}

static bool leave(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	k->session.state = SESSION_LEAVING;
	if (!k->stop.on) {
		k->stop.status = (int)json_int_or(head, "status", 0);
		k->stop.own_will = true;
	}
	stop_begin(k, NULL, false); /* the ladder also ends a session that hangs on its way out */
	return true;
}

static bool log_line(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	const char *level = json_string_or(head, "level", "info");
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(level, levels[i]) == 0)
			log_msg((enum log_level)i, "session: %s", json_string_or(head, "text", ""));
	return true;
}

static bool parked(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	int fd = wire_passed(w);
	if (fd < 0) {
		log_error("the session parked a copy without a descriptor");
		return true;
	}
	json_int_t pid = json_int_or(head, "pid", 0);
	if (pid > 1 && pid <= INT_MAX) {
		park_took(k, head, fd);
	} else { /* 0, 1 and what becomes -1 when it is cut to a pid_t stand for many others where a signal is sent */
		log_error("the session parked a copy without a process id");
		close(fd);
	}
	return true;
}

static bool undo(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	if (!park_undo(k))
		return true; /* the session sees that it still lives and says so to the user */
	k->session.undo = true;
	k->session.undo_in = f->request;
	kill(k->session.pid, SIGKILL);
	return false;
}

static bool serving(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	copy_took(k, head);
	return true;
}

/* ---- of copies that serve ---- */

static bool copy_hello(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	json_int_t pid = json_int_or(head, "pid", 0);
	if (pid > 1 && pid <= INT_MAX && json_int_or(head, "link", 0) == LINK_VERSION && !w->copy->ready) {
		copy_ready(k, w->copy, (pid_t)pid);
		return true;
	}
	copy_broken(k, w->copy, "its first frame is not in order");
	return false;
}

static bool copy_leave(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	log_info("a copy of the session leaves with status %d", (int)json_int_or(head, "status", 0));
	w->copy->stale = true;
	return true;
}

static bool pass(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head)
{
	copy_passed(k, w->copy, f->request);
	return true;
}

static const struct {
	int type;
	/* NULL: it may not come from such. False: no ACK, who sent it is gone. */
	bool (*session)(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head);
	bool (*copy)(struct kernel *k, struct wire *w, const struct link_frame *f, const json_t *head);
} actions[] = {
    {LINK_HELLO, hello, copy_hello},
    {LINK_READY, ready, NULL},
    {LINK_PUBLISH, publish, publish},
    {LINK_TURN, turn, turn},
    {LINK_INPUT_REQUEST, input_request, input_request},
    {LINK_INPUT_CANCEL, input_cancel, input_cancel},
    {LINK_REPLY, reply, reply},
    {LINK_EXIT, leave, copy_leave},
    {LINK_LOG, log_line, log_line},
    {LINK_PARKED, parked, NULL},
    {LINK_UNDO, undo, NULL},
    {LINK_SERVING, serving, NULL},
    {LINK_PASS, NULL, pass},
};

void wire_broken(struct kernel *k, struct wire *w, const char *why)
{
	if (w->copy)
		copy_broken(k, w->copy, why);
	else
		session_kill(k, why);
}

void frame_act(struct kernel *k, struct wire *w, const struct link_frame *f)
{
	struct err e = {0};
	json_t *head = link_frame_json(f, 0, &e);
	bool (*act)(struct kernel *, struct wire *, const struct link_frame *, const json_t *) = NULL;
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (actions[i].type == f->type)
			act = w->copy ? actions[i].copy : actions[i].session;
	if (!head || !act) {
		wire_broken(k, w, head ? "it sent a frame of a type that there is not" : e.msg);
		json_decref(head);
		return;
	}
	uint32_t seq = f->seq;
	pipes_drain(k, w);
	if (act(k, w, f, head))
		link_send(w, LINK_ACK, seq, NULL, 0);
	json_decref(head);
}
