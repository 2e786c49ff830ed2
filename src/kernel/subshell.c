/* subshell.c: subshells (JEP 91; messaging spec, "Kernel subshells"): made, listed, deleted, and found for their requests.
 *
 * Comm messages of a subshell are the session's, whichever subshell sends them, and so is what it asks about code before it has
 * run any. From its first execute request on it has a process of its own, a copy of the session at that moment, and all but comm
 * messages goes there.
 */
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "kernel/kernel.h"

#define SUBSHELLS_MAX 1000

static struct subshell *find(const struct kernel *k, const char *id)
{
	struct subshell *s = k->subshells;
	while (s && strcmp(s->id, id) != 0)
		s = s->next;
	return s;
}

static void put_error(struct buf *content, const char *ename, const char *evalue)
{
	buf_puts(content, "{\"status\":\"error\"");
	jx_key_string(content, "ename", ename);
	jx_key_string(content, "evalue", evalue);
	jx_key(content, "traceback");
	buf_putc(content, '[');
	jx_cstring(content, evalue);
	buf_puts(content, "]}");
}

static void not_found(const char *id, char *to, size_t max)
{
	snprintf(to, max, "there is no subshell with the id '%.*s'", (int)utf8_cut(id, strnlen(id, 100)), id);
}

bool subshell_create(struct kernel *k, struct request *r, struct buf *content)
{
	struct subshell *s = mem_calloc(1, sizeof *s), **at = &k->subshells;
	size_t n = 0;
	for (; *at; at = &(*at)->next)
		n++;
	if (!s || n >= SUBSHELLS_MAX) {
		free(s);
		put_error(content, "SubshellError",
			  s ? "a kernel has at most 1000 subshells; delete some" : "no memory");
		return true;
	}
	jp_uuid(s->id);
	s->queue.last = &s->queue.first;
	*at = s;
	buf_puts(content, "{\"status\":\"ok\"");
	jx_key_string(content, "subshell_id", s->id);
	buf_putc(content, '}');
	return true;
}

/* What is with somebody goes on; its reply is no longer this subshell's affair. */
static void disown(struct kernel *k, const struct subshell *s, struct request *r)
{
	if (!r || r->subshell != s)
		return;
	r->subshell = NULL;
	r->home = &k->queue;
}

static void end(struct kernel *k, struct subshell *s)
{
	static const char line_text[] = "the subshell was deleted";
	struct copy *looks = k->copies.looker;
	struct request *r;
	if (s->copy && s->copy->wire.running)
		s->copy->wire.running->stop_on_error = false; /* all get the same answer */
	if (s->copy)
		copy_end(k, s->copy, "SubshellDeleted", line_text, NULL);
	if (looks && looks->wire.running && looks->wire.running->subshell == s)
		copy_end(k, looks, "SubshellDeleted", line_text, NULL);
	while ((r = s->queue.first)) {
		const char *line = line_text;
		queue_remove(k, r);
		r->stop_on_error = false;
		execute_fail(k, r, "SubshellDeleted", line, &line, 1);
	}
	disown(k, s, k->main.running);
	struct subshell **at = &k->subshells;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s);
}

bool subshell_delete(struct kernel *k, struct request *r, struct buf *content)
{
	const char *id = json_string_or(r->msg->content, "subshell_id", "");
	struct subshell *s = find(k, id);
	char why[200];
	if (!s) {
		not_found(id, why, sizeof why);
		put_error(content, "SubshellNotFound", why);
		return true;
	}
	requests_receive_all(k); /* those that have arrived are its as well */
	end(k, s);
	buf_puts(content, "{\"status\":\"ok\"}");
	return true;
}

bool subshell_list(struct kernel *k, struct request *r, struct buf *content)
{
	buf_puts(content, "{\"status\":\"ok\"");
	jx_key(content, "subshell_id");
	buf_putc(content, '[');
	for (const struct subshell *s = k->subshells; s; s = s->next) {
		if (s != k->subshells)
			buf_putc(content, ',');
		jx_cstring(content, s->id);
	}
	buf_puts(content, "]}");
	return true;
}

bool subshell_interrupt(struct kernel *k, const char *id, struct buf *content)
{
	const struct subshell *s = find(k, id);
	char why[200];
	if (s) {
		copies_interrupt(k, s);
		buf_puts(content, "{\"status\":\"ok\"}");
	} else {
		not_found(id, why, sizeof why);
		put_error(content, "SubshellNotFound", why);
	}
	return true;
}

bool subshell_route(struct kernel *k, struct request *r)
{
	const json_t *named = json_object_get(r->msg->header, "subshell_id");
	if (!named || json_is_null(named))
		return true;
	r->subshell = json_is_string(named) ? find(k, json_string_value(named)) : NULL;
	if (r->subshell) {
		r->home = &r->subshell->queue;
		return true;
	}
	char why[200] = "`subshell_id` must be a string or null";
	const char *line = why;
	if (json_is_string(named))
		not_found(json_string_value(named), why, sizeof why);
	log_info("a %s was refused: %s", r->msg->type, why);
	execute_fail(k, r, "SubshellNotFound", why, &line, 1);
	return false;
}

bool subshell_own(const struct request *r)
{
	return r->subshell && !r->comm && (r->subshell->copy || request_is(r, "execute_request"));
}

void subshells_release(struct kernel *k)
{
	struct request *r;
	struct subshell *s;
	copies_release(k);
	while ((r = queue_pop_any(k)))
		request_free(r);
	while ((s = k->subshells)) {
		k->subshells = s->next;
		free(s);
	}
}
