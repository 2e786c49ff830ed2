/* comm.c: which comms are open, and what is done with a client's messages to them. */
#include "session/comm.h"

#include "base/utf8.h"
#include "rapi/exec.h"
#include "rapi/json.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"
#include "session/session.h"

#define MAX_METHOD 128 /* bytes of a method's name in an error message */

static json_t *by_id; /* id → the comm's address; jansson's hash table is the registry, as in the kernel */
static struct ss_comm *all;

/* ---- the registry ---- */

struct ss_comm *ss_comm_find(const char *id)
{
	return (struct ss_comm *)(intptr_t)json_integer_value(json_object_get(by_id, id));
}

struct ss_comm *ss_comm_newest(const char *target)
{
	struct ss_comm *c = all;
	while (c && strcmp(c->target->name, target) != 0)
		c = c->next;
	return c;
}

struct ss_comm *ss_comm_new(const char *id, const struct ss_comm_target *target)
{
	if (!by_id)
		by_id = json_object();
	struct ss_comm *c = calloc(1, sizeof *c);
	if (c)
		c->id = strdup(id);
	if (!c || !c->id || json_object_set_new(by_id, id, json_integer((intptr_t)c))) {
		if (c)
			free(c->id);
		free(c);
		return NULL;
	}
	c->target = target;
	c->next = all;
	all = c;
	return c;
}

void ss_comm_drop(struct ss_comm *c, const struct ss_comm_message *m)
{
	struct ss_comm **at = &all;
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	json_object_del(by_id, c->id);
	if (c->target->close)
		c->target->close(c, m);
	free(c->id);
	free(c);
}

/* ---- what is sent ---- */

void ss_comm_publish(const char *type, const char *id, const char *target, struct slice data, struct slice metadata,
		     const struct slice *buffers, size_t n_buffers)
{
	static struct slice rest[LINK_MAX_PARTS]; /* large */
	char head[64];
	struct buf content = BUF_INIT(BUF_MAX_MESSAGE);
	buf_putc(&content, '{');
	jx_key_string(&content, "comm_id", id);
	if (target)
		jx_key_string(&content, "target_name", target);
	jx_key_raw(&content, "data", data.len ? data.data : "{}", data.len ? data.len : 2);
	buf_putc(&content, '}');
	snprintf(head, sizeof head, "{\"type\":\"%s\"}", type);
	rest[0] = (struct slice){content.data, content.len};
	rest[1] = metadata.len ? (struct slice){metadata.data, metadata.len} : (struct slice){"{}", 2};
	size_t n = 2;
	bool fits = !content.failed && n_buffers < LINK_MAX_PARTS - n; /* part 0 is the head */
	for (size_t i = 0; fits && i < n_buffers; i++)
		rest[n++] = buffers[i];
	if (!fits || !ss_send(LINK_PUBLISH, head, rest, n))
		ss_send_failed(type);
	buf_release(&content);
}

static void publish_data(struct ss_comm *c, const char *type, struct buf *data)
{
	if (data->failed)
		ss_send_failed(type);
	else
		ss_comm_publish(type, c->id, NULL, (struct slice){data->data, data->len}, (struct slice){0}, NULL, 0);
	buf_release(data);
}

void ss_comm_event(struct ss_comm *c, const char *method, struct buf *params)
{
	if (ss.looks) { /* what has happened is the session's to say */
		buf_release(params);
		return;
	}
	struct buf data = BUF_INIT(BUF_MAX_MESSAGE);
	buf_putc(&data, '{');
	jx_key_string(&data, "method", method);
	jx_key_raw(&data, "params", params->len ? params->data : "{}", params->len ? params->len : 2);
	buf_putc(&data, '}');
	data.failed = data.failed || params->failed;
	buf_release(params);
	publish_data(c, "comm_msg", &data);
}

SEXP ss_comm_r_open(SEXP target)
{
	return Rf_ScalarLogical(ss_comm_newest(r_text(target, 0)) != NULL);
}

SEXP ss_comm_r_event(SEXP target, SEXP method, SEXP params)
{
	static struct buf text; /* static: a jump leaves nothing behind */
	const void *vmax = vmaxget();
	struct ss_comm *c = r_in_child() ? NULL : ss_comm_newest(r_text(target, 0));
	if (c) {
		text.max = BUF_MAX_MESSAGE;
		buf_clear(&text);
		if (Rf_xlength(params))
			r_json_write(&text, params);
		ss_console_capture_flush(); /* what was printed before is seen before */
		ss_comm_event(c, r_text(method, 0), &text);
	}
	vmaxset(vmax);
	return Rf_ScalarLogical(c != NULL);
}

static void refuse(const char *id, const char *reason)
{
	struct buf data = BUF_INIT(BUF_MAX_SMALL);
	buf_putc(&data, '{');
	if (reason)
		jx_key_string(&data, "reason", reason);
	buf_putc(&data, '}');
	ss_comm_publish("comm_close", id, NULL, (struct slice){data.data, data.len}, (struct slice){0}, NULL, 0);
	buf_release(&data);
}

void ss_comm_end(struct ss_comm *c, const char *reason)
{
	refuse(c->id, reason);
	ss_comm_drop(c, NULL);
}

/* ---- running handlers ---- */

static struct {
	int code; /* 0: the handler did not say */
	char message[1024];
} failure;

void ss_comm_fail(int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(failure.message, sizeof failure.message, fmt, ap);
	va_end(ap);
	failure.code = code;
	Rf_error("%s", failure.message);
}

static bool run_within(int limit_ms, const char *asked, void (*fn)(void *), void *data, struct err *e)
{
	struct r_budget budget = {.ms = limit_ms};
	static struct r_report report; /* large */
	char asker[64];
	struct buf full = BUF_INIT(BUF_MAX_SMALL);
	snprintf(asker, sizeof asker, "request %u", ss.request);
	report = r_report_of(asked, asker);
	failure.code = 0;
	const void *vmax = vmaxget();
	bool ok = r_sandbox(fn, data, &budget, &report);
	vmaxset(vmax);
	if (ok)
		return true;
	if (failure.code)
		return err_set(e, "%s", failure.message);
	r_report_full(&report, &full);
	ss_log("warn", "%s", full.data ? full.data : asked);
	buf_clear(&full);
	r_report_short(&report, &full);
	err_set(e, "%s", full.data ? full.data : "it failed");
	buf_release(&full);
	return false;
}

bool ss_comm_run(const char *asked, void (*fn)(void *), void *data, struct err *e)
{
	return run_within(0, asked, fn, data, e);
}

/* ---- requests to a target in C ---- */

struct call {
	struct ss_comm *c;
	const struct ss_comm_method *method;
	const json_t *params;
	struct buf *result;
};

static void call_method(void *data)
{
	struct call *x = data;
	x->method->call(x->c, x->params, x->result);
}

static void answer_error(struct ss_comm *c, int code, const char *message)
{
	struct buf data = BUF_INIT(BUF_MAX_SMALL);
	buf_puts(&data, "{\"error\":{");
	jx_key_int(&data, "code", code);
	jx_key_string(&data, "message", message);
	buf_puts(&data, ",\"data\":null}}");
	publish_data(c, "comm_msg", &data);
}

static void answer(struct ss_comm *c, const struct ss_comm_method *m, const json_t *params)
{
	struct buf data = BUF_INIT(BUF_MAX_MESSAGE);
	struct err e = {0};
	struct call x = {c, m, params, &data};
	char asked[64];
	buf_putc(&data, '{');
	jx_key_string(&data, "method", m->reply);
	jx_key(&data, "result");
	snprintf(asked, sizeof asked, "%s of %s", m->name, c->target->name);
	bool ok = run_within(m->limit_ms, asked, call_method, &x, &e);
	buf_putc(&data, '}');
	if (ok && !data.failed) {
		publish_data(c, "comm_msg", &data);
		return;
	}
	buf_release(&data);
	if (ok)
		err_set(&e, "the answer is larger than a message may be");
	answer_error(c, ok || !failure.code ? SS_COMM_FAILED : failure.code, e.msg);
}

/* A message without an id. The method is called as by a request, and the log has its error. */
static void event(struct ss_comm *c, const struct ss_comm_method *m, const char *name, const json_t *params)
{
	struct buf result = BUF_INIT(BUF_MAX_MESSAGE);
	struct err e = {0};
	struct call x = {c, m, params, &result};
	char asked[64];
	if (!m || !m->name || !m->event) {
		ss_log("debug", "an event for %s that is not known: %.*s", c->target->name, MAX_METHOD, name);
		return;
	}
	snprintf(asked, sizeof asked, "%s of %s", m->name, c->target->name);
	if (!ss_comm_run(asked, call_method, &x, &e))
		ss_log("info", "event %s: %s", asked, e.msg);
	buf_release(&result);
}

static void rpc(struct ss_comm *c, const json_t *data)
{
	const char *name = json_string_or(data, "method", "");
	const json_t *params = json_object_get(data, "params");
	const struct ss_comm_method *m = c->target->methods;
	char message[MAX_METHOD + 64];
	while (m && m->name && strcmp(m->name, name) != 0)
		m++;
	if (!json_object_get(data, "id")) {
		event(c, m, name, params);
	} else if (!json_is_string(json_object_get(data, "method"))) {
		answer_error(c, SS_COMM_BAD_REQUEST, "the request has no method");
	} else if (!m || !m->name) {
		snprintf(message, sizeof message, "there is no method '%.*s'",
			 (int)utf8_cut(name, strnlen(name, MAX_METHOD)), name);
		answer_error(c, SS_COMM_NO_METHOD, message);
	} else if (params && !json_is_object(params) && !json_is_null(params) && json_array_size(params)) {
		answer_error(c, SS_COMM_BAD_PARAMS, "params must be an object");
	} else {
		answer(c, m, params);
	}
}

/* ---- the kernel's requests ---- */

static struct {
	struct buf bytes; /* metadata, then the buffers */
	struct slice metadata, buffer[LINK_MAX_PARTS];
	size_t n;
} taken;

void ss_comm_take(const struct link_frame *f)
{
	size_t at = 0;
	buf_init(&taken.bytes, LINK_MAX_FRAME);
	for (size_t i = 2; i < f->n; i++)
		buf_put(&taken.bytes, f->part[i].data, f->part[i].len);
	taken.n = 0;
	taken.metadata = (struct slice){0};
	for (size_t i = 2; i < f->n && !taken.bytes.failed; i++) {
		struct slice part = {taken.bytes.data ? taken.bytes.data + at : "", f->part[i].len};
		*(i == 2 ? &taken.metadata : &taken.buffer[taken.n++]) = part;
		at += part.len;
	}
}

static void message_init(struct ss_comm_message *m, const char *type, const json_t *content)
{
	struct err e = {0};
	*m = (struct ss_comm_message){.type = type,
				      .content = (json_t *)content,
				      .buffers = taken.buffer,
				      .n_buffers = taken.n};
	m->data = json_object_get(content, "data");
	m->metadata =
	    taken.metadata.len ? json_object_from(taken.metadata.data, taken.metadata.len, "metadata", &e) : NULL;
	if (!m->metadata)
		m->metadata = json_object();
}

/* Every comm request ends here. */
static void done(struct ss_comm_message *m, bool again)
{
	struct buf none = BUF_INIT(BUF_MAX_SMALL);
	json_decref(m->metadata);
	buf_release(&taken.bytes);
	ss_comm_settle();
	buf_puts(&none, again ? "{\"again\":true}" : "{}");
	ss_reply("", &none);
}

static const struct ss_comm_target *find_target(const char *name)
{
	for (size_t i = 0; comm_targets[i]; i++)
		if (strcmp(comm_targets[i]->name, name) == 0)
			return comm_targets[i];
	return ss_comm_r_knows(name) ? &ss_comm_r_target : NULL;
}

static void call_opened(void *data)
{
	struct ss_comm *c = data;
	c->target->opened(c);
}

static void open_comm(const char *id, const struct ss_comm_target *target, const struct ss_comm_message *m)
{
	struct err e = {0};
	struct ss_comm *c = ss_comm_new(id, target);
	if (!c) {
		refuse(id, "no memory for a comm");
	} else if (target->open && !target->open(c, m, &e)) {
		/* The handler may have closed it itself. */
		if (ss_comm_find(id))
			ss_comm_end(c, e.msg);
	} else if (target->opened && !ss_comm_run(target->name, call_opened, c, &e)) {
		ss_comm_end(c, e.msg);
	}
}

void ss_comm_open(const json_t *head, const json_t *content)
{
	struct ss_comm_message m;
	const char *id = json_string_or(content, "comm_id", ""), *name = json_string_or(content, "target_name", "");
	message_init(&m, "comm_open", content);
	const struct ss_comm_target *target = ss_comm_find(id) ? NULL : find_target(name);
	bool again = target && target->again && m.n_buffers == 0;
	if (target) {
		open_comm(id, target, &m);
	} else {
		ss_log("info", "a comm was opened for a target that is not known: %.*s", MAX_METHOD, name);
		refuse(id, NULL);
	}
	done(&m, again);
}

static void open_again(const char *id, const json_t *content)
{
	struct ss_comm_message m;
	const struct ss_comm_target *target = find_target(json_string_or(content, "target_name", ""));
	message_init(&m, "comm_open", content);
	if (target && target->again)
		open_comm(id, target, &m);
	else
		refuse(id, NULL);
	json_decref(m.metadata);
}

void ss_comm_woken(const json_t *comms)
{
	const char *id;
	json_t *content;
	for (struct ss_comm *c = all, *next; c; c = next) {
		next = c->next;
		if (!json_object_get(comms, c->id))
			ss_comm_drop(c, NULL);
	}
	buf_release(&taken.bytes); /* of a message to the session that is dead */
	taken.n = 0;
	taken.metadata = (struct slice){0};
	json_object_foreach((json_t *)comms, id, content) if (!ss_comm_find(id)) open_again(id, content);
}

void ss_comm_msg(const json_t *head, const json_t *content)
{
	struct ss_comm_message m;
	struct ss_comm *c = ss_comm_find(json_string_or(content, "comm_id", ""));
	message_init(&m, "comm_msg", content);
	if (c && c->target->message)
		c->target->message(c, &m);
	else if (c)
		rpc(c, m.data);
	else
		refuse(json_string_or(content, "comm_id", ""), NULL); /* who asked would wait for ever */
	done(&m, false);
}

bool ss_comm_looks(const json_t *content)
{
	const struct ss_comm *c = ss_comm_find(json_string_or(content, "comm_id", ""));
	const char *name = json_string_or(json_object_get(content, "data"), "method", "");
	const struct ss_comm_method *m = c && !c->target->message ? c->target->methods : NULL;
	while (m && m->name && strcmp(m->name, name) != 0)
		m++;
	return m && m->name && m->looks;
}

void ss_comm_close(const json_t *head, const json_t *content)
{
	struct ss_comm_message m;
	struct ss_comm *c = ss_comm_find(json_string_or(content, "comm_id", ""));
	message_init(&m, "comm_close", content);
	if (c)
		ss_comm_drop(c, &m);
	done(&m, false);
}

static void call_settle(void *data)
{
	struct ss_comm *c = data;
	c->target->settle(c);
}

static SEXP browser_environment; /* NULL: the debugger does not ask. It is on R's stack while it is set */

SEXP ss_comm_environment(void)
{
	return browser_environment ? browser_environment : R_GlobalEnv;
}

static void find_environment(void *data)
{
	SEXP env = r_call_module("browser_environment", 0, NULL);
	browser_environment = TYPEOF(env) == ENVSXP ? env : NULL;
}

void ss_comm_settle_at_browser(void)
{
	bool wanted = false;
	for (struct ss_comm *c = all; c; c = c->next)
		wanted = wanted || c->target->settle;
	if (!wanted || r_in_child())
		return;
	/* Not in the sandbox, whose own functions would be on the stack. */
	r_toplevel_exec(find_environment, NULL);
	ss_comm_settle();
	browser_environment = NULL;
}

void ss_comm_begin(void)
{
	if (ss.copy)
		return;
	for (struct ss_comm *c = all; c; c = c->next)
		if (c->target->begin)
			c->target->begin(c);
}

void ss_comm_settle(void)
{
	struct err e = {0};
	if (r_in_child() || ss.copy)
		return;
	for (struct ss_comm *c = all, *next; c; c = next) {
		next = c->next;
		if (c->target->settle && !ss_comm_run(c->target->name, call_settle, c, &e))
			ss_log("info", "comm %s: %s", c->target->name, e.msg);
	}
}
