/* execute.c: what is particular to execute requests (messaging spec, "Execute"). */
#include "base/log.h"
#include "base/memory.h"
#include "kernel/kernel.h"

static long *counter(struct kernel *k, const struct request *r)
{
	return r->subshell ? &r->subshell->count : &k->count;
}

static void abort_one(struct kernel *k, struct request *r)
{
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	if (!pub_open(&k->pub, &r->window, r->msg, false)) {
		request_free(r);
		return;
	}
	buf_printf(&content, "{\"status\":\"aborted\",\"execution_count\":%ld}", *counter(k, r));
	request_reply(k, r, "execute_reply", &content, (struct slice){0}, NULL, 0);
	request_done(k, r);
}

/* The spec's stop_on_error: execute requests that wait when a cell fails are not run. Those that have arrived but were not looked at
 * count; those that a client sends when it has seen the error do not: so they are counted before the reply goes out. */
static size_t count_waiting(struct kernel *k, const struct request_queue *home)
{
	requests_receive_all(k);
	return home->n;
}

/* Aborts the execute requests among the first n of a queue; the others keep their place. */
static void abort_waiting(struct kernel *k, struct request_queue *home, size_t n)
{
	for (struct request *r = home->first, *next; n > 0 && r; r = next, n--) {
		next = r->next;
		if (!request_is(r, "execute_request"))
			continue;
		queue_remove(k, r);
		abort_one(k, r);
	}
}

/* Answers a request that cannot be run; its window need not be open yet. */
void execute_fail(struct kernel *k, struct request *r, const char *ename, const char *evalue, const char *const *lines,
		  size_t n_lines)
{
	struct buf error = BUF_INIT(BUF_MAX_MESSAGE), reply = BUF_INIT(BUF_MAX_MESSAGE);
	bool execute = request_is(r, "execute_request");
	struct request_queue *home = r->home;
	char type[64];
	buf_putc(&error, '{');
	jx_key_string(&error, "ename", ename);
	jx_key_string(&error, "evalue", evalue);
	jx_key(&error, "traceback");
	buf_putc(&error, '[');
	for (size_t i = 0; i < n_lines; i++) {
		if (i)
			buf_putc(&error, ',');
		jx_cstring(&error, lines[i]);
	}
	buf_puts(&error, "]}");
	buf_puts(&reply, "{\"status\":\"error\",");
	if (execute)
		buf_printf(&reply, "\"execution_count\":%ld,", r->count ? r->count : *counter(k, r));
	buf_put(&reply, error.data + 1, error.len - 1);
	if (r->with)
		r->with->running = NULL;
	r->with = NULL;
	size_t waiting = execute && r->stop_on_error ? count_waiting(k, home) : 0;
	if (!r->window.parent && !pub_open(r->pub, &r->window, r->msg, false)) {
		request_free(r);
		goto done;
	}
	if (request_is(r, "is_complete_request")) {
		buf_clear(&reply); /* its statuses are others (messaging spec, "Code completeness") */
		buf_puts(&reply, "{\"status\":\"unknown\"}");
	}
	if (execute && !r->silent)
		pub_message(r->pub, &r->window, "error", &error);
	/* comm messages have no reply; the others' is named after them. */
	size_t stem = strlen(r->msg->type);
	if (stem > 8 && stem < 50 && strcmp(r->msg->type + stem - 8, "_request") == 0) {
		snprintf(type, sizeof type, "%.*s_reply", (int)(stem - 8), r->msg->type);
		request_reply(k, r, type, &reply, (struct slice){0}, NULL, 0);
	}
	request_done(k, r);
	abort_waiting(k, home, waiting);
done:
	buf_release(&error);
	buf_release(&reply);
}

bool execute_prepare(struct kernel *k, struct request *r)
{
	const json_t *c = r->msg->content;
	r->silent = json_bool_or(c, "silent", false);
	r->store_history = !r->silent && json_bool_or(c, "store_history", true);
	r->allow_stdin = json_bool_or(c, "allow_stdin", true);
	r->stop_on_error = json_bool_or(c, "stop_on_error", true);
	return true;
}

/* A request that is no cell has its turn like any other, so that its error aborts only what was sent after it. */
bool execute_refuse(struct kernel *k, struct request *r)
{
	if (!request_is(r, "execute_request") || json_is_string(json_object_get(r->msg->content, "code")))
		return false;
	const char *line = "an execute_request needs `code`, a string";
	execute_fail(k, r, "RequestError", line, &line, 1);
	return true;
}

static void publish_input(struct kernel *k, struct request *r)
{
	const json_t *code = json_object_get(r->msg->content, "code");
	struct buf content = BUF_INIT(BUF_MAX_MESSAGE);
	buf_putc(&content, '{');
	jx_key(&content, "code");
	jx_string(&content, json_string_value(code), json_string_length(code));
	jx_key_int(&content, "execution_count", r->count);
	buf_putc(&content, '}');
	pub_message(r->pub, &r->window, "execute_input", &content);
}

/* Before it runs: what a crash interrupts is in the history, too, and the result finds its line. The history is the main
 * shell's: its lines are told apart by their count, and a subshell has a count of its own. */
static void remember(struct kernel *k, const struct request *r)
{
	const json_t *code = json_object_get(r->msg->content, "code");
	if (k->history && r->store_history && !r->subshell && json_string_length(code))
		history_add(k->history, r->count, json_string_value(code), json_string_length(code));
}

void execute_start(struct kernel *k, struct request *r, struct buf *head)
{
	if (r->store_history)
		++*counter(k, r);
	r->count = *counter(k, r);
	pub_cell_started(r->pub);
	memory_cell_began(k);
	remember(k, r);
	if (!r->silent)
		publish_input(k, r);
	r->published = r->pub->bytes;
	jx_key_int(head, "execution_count", r->count);
	jx_key_bool(head, "allow_stdin", r->allow_stdin);
	jx_key_bool(head, "silent", r->silent);
	jx_key_bool(head, "store_history", r->store_history);
}

/* What the cell has published belongs to what it cost, which only the kernel knows; the rest the session has written (session/cost.h). */
static void put_cost(const struct request *r, struct slice metadata, struct buf *out)
{
	struct err e = {0};
	json_t *all = metadata.len ? json_object_from(metadata.data, metadata.len, "metadata", &e) : NULL;
	json_t *cost = json_object_get(all, "carrack");
	if (json_is_object(cost)) {
		json_object_set_new(cost, "bytes_out", json_integer((json_int_t)(r->pub->bytes - r->published)));
		jx_value(out, all);
	}
	json_decref(all);
}

/* What a reply must have, whatever the session sent. */
static const struct {
	const char *key;
	const char *none; /* what is sent where the session has sent no such */
	char kind;        /* the first character of a value of its type */
	bool of_errors;   /* else of replies that say `ok` */
} owed[] = {
    {"ename", "\"error\"", '"', true}, {"evalue", "\"\"", '"', true},          {"traceback", "[]", '[', true},
    {"payload", "[]", '[', false},     {"user_expressions", "{}", '{', false},
};

/* The session's own members, as they came, but those that the kernel process says. */
static void put_reply(struct buf *out, const struct request *r, struct slice content, bool failed)
{
	struct slice key, value;
	size_t at = 0;
	buf_want(out, content.len + 256);
	buf_putc(out, '{');
	jx_key_string(out, "status", failed ? "error" : "ok");
	jx_key_int(out, "execution_count", r->count);
	while (jt_next(content, &at, &key, &value)) {
		bool ours = slice_is(key, "status") || slice_is(key, "execution_count");
		for (size_t i = 0; i < ARRAY_LEN(owed); i++)
			ours = ours || (owed[i].of_errors == failed && slice_is(key, owed[i].key));
		if (ours)
			continue;
		buf_puts(out, ",\"");
		buf_put(out, key.data, key.len);
		buf_puts(out, "\":");
		buf_put(out, value.data, value.len);
	}
	for (size_t i = 0; i < ARRAY_LEN(owed); i++) {
		if (owed[i].of_errors != failed)
			continue;
		value = jt_find(content, owed[i].key);
		if (!value.len || *value.data != owed[i].kind)
			value = SLICE_STR(owed[i].none);
		jx_key_raw(out, owed[i].key, value.data, value.len);
	}
	buf_putc(out, '}');
}

void execute_finish(struct kernel *k, struct request *r, struct slice content, struct slice metadata)
{
	bool failed = !slice_is(jt_find(content, "status"), "\"ok\"");
	struct buf reply = BUF_INIT(BUF_MAX_MESSAGE), with_cost = BUF_INIT(BUF_MAX_SMALL);
	put_reply(&reply, r, content, failed);
	struct request_queue *home = r->home;
	bool much = r->pub->bytes - r->published > MEM_MUCH;
	size_t waiting = failed && r->stop_on_error ? count_waiting(k, home) : 0;
	pub_flush(r->pub, true);
	put_cost(r, metadata, &with_cost);
	request_reply(k, r, "execute_reply", &reply, with_cost.len ? SLICE_BUF(&with_cost) : metadata, NULL, 0);
	buf_release(&with_cost);
	request_done(k, r);
	abort_waiting(k, home, waiting);
	if (much)
		mem_trim();
}
