/* complete.c: complete_request. */
#include "session/complete.h"

#include "base/utf8.h"
#include "rapi/sandbox.h"
#include "session/packages.h"
#include "session/session.h"
#include "session/task.h"

struct slice complete_code(const json_t *content, size_t *cursor)
{
	const json_t *code = json_object_get(content, "code"), *at = json_object_get(content, "cursor_pos");
	struct slice s =
	    json_is_string(code) ? (struct slice){json_string_value(code), json_string_length(code)} : SLICE_STR("");
	json_int_t pos = json_is_integer(at) ? json_integer_value(at) : -1;
	*cursor = pos < 0 ? s.len : utf8_offset(s.data, s.len, (size_t)pos);
	return s;
}

#define LIMIT_MS 2000

bool complete_task(const char *asked, void (*fn)(void *), void *data)
{
	static struct r_report report; /* large */
	struct r_budget budget = {.ms = LIMIT_MS, .wanted = ss_task_frame_waits};
	report = R_REPORT(asked, "a client");
	if (r_sandbox(fn, data, &budget, &report))
		return true;
	struct buf text = BUF_INIT(BUF_MAX_SMALL);
	r_report_full(&report, &text);
	ss_log(report.end == R_YIELDED ? "debug" : "warn", "%s", text.data ? text.data : asked);
	buf_release(&text);
	return false;
}

/* ---- after $ and @ ---- */

static void add_slots(struct completing *x, SEXP object)
{
	enum match_form form = x->c->quote == '`' ? MATCH_BACKTICK : MATCH_NAME;
	SEXP attributes = IS_S4_OBJECT(object) && ATTRIB ? ATTRIB(object) : R_NilValue;
	for (; attributes != R_NilValue; attributes = CDR(attributes))
		if (TAG(attributes) != R_ClassSymbol)
			matches_add(&x->m, MATCH_MEMBER, form, "instance", SLICE_STR(CHAR(PRINTNAME(TAG(attributes)))));
}

void complete_member(struct completing *x)
{
	SEXP object = look_path(&x->c->object, false);
	enum match_form form = x->c->quote == '`' ? MATCH_BACKTICK : MATCH_NAME;
	if (object == R_UnboundValue)
		return;
	if (x->c->want == SYN_SLOT) {
		add_slots(x, object);
		return;
	}
	SEXP env = look_environment(object);
	bool list = TYPEOF(object) == VECSXP || TYPEOF(object) == LISTSXP;
	SEXP names = PROTECT(env != R_NilValue ? look_list(env, true) : list ? look_names(object) : R_NilValue);
	for (R_xlen_t i = 0; i < Rf_xlength(names); i++, complete_pause(i)) {
		struct slice name = SLICE_STR(Rf_translateCharUTF8(STRING_ELT(names, i)));
		const char *type = env != R_NilValue                                                  ? NULL
				   : TYPEOF(object) == VECSXP && Rf_isFunction(VECTOR_ELT(object, i)) ? "function"
												      : "instance";
		struct match *m = matches_add(&x->m, env != R_NilValue ? MATCH_GLOBAL : MATCH_MEMBER, form, type, name);
		if (m && env != R_NilValue) {
			m->where = env;
			m->what = Rf_installTrChar(STRING_ELT(names, i));
		}
	}
	UNPROTECT(1);
}

/* ---- the reply ---- */

void complete_put_signature(SEXP function, SEXP symbol, struct buf *out)
{
	SEXP formals = look_formals(function, symbol);
	buf_putc(out, '(');
	for (int n = 0; formals != R_NilValue; formals = CDR(formals), n++) {
		if (n == 30) {
			buf_puts(out, ", …");
			break;
		}
		buf_printf(out, "%s%s", n ? ", " : "", Rf_translateCharUTF8(PRINTNAME(TAG(formals))));
	}
	buf_putc(out, ')');
}

struct reply {
	struct completing *x;
	struct buf matches, types;
	size_t start, end; /* code points */
};

static void put_type(struct reply *r, struct match *m, struct slice text)
{
	struct buf *out = &r->types;
	bool function = !m->type && look_is_function(m->where, m->what);
	buf_puts(out, out->len > 1 ? ",{\"text\":" : "{\"text\":");
	jx_string(out, text.data, text.len);
	jx_key_string(out, "type", m->type ? m->type : function ? "function" : "instance");
	jx_key_int(out, "start", (long long)r->start);
	jx_key_int(out, "end", (long long)r->end);
	if (function) {
		static struct buf signature = {.max = BUF_MAX_SMALL}; /* outlives a jump */
		buf_clear(&signature);
		complete_put_signature(look_ready(m->where, m->what), m->what, &signature);
		if (signature.len > 2)
			jx_key_string(out, "signature", signature.data);
	}
	buf_putc(out, '}');
}

static void put_matches(void *data)
{
	struct reply *r = data;
	static struct buf text = {.max = BUF_MAX_SMALL}; /* outlives a jump */
	size_t n = matches_finish(&r->x->m);
	buf_putc(&r->matches, '[');
	buf_putc(&r->types, '[');
	for (size_t i = 0; i < n; i++) {
		struct match *m = matches_get(&r->x->m, i);
		buf_clear(&text);
		matches_put(&r->x->m, m, &text);
		if (i)
			buf_putc(&r->matches, ',');
		jx_string(&r->matches, text.data, text.len);
		put_type(r, m, SLICE_BUF(&text));
	}
}

static void gather(void *data)
{
	struct completing *x = data;
	const void *vmax = vmaxget();
	enum match_form form = x->c->quote == '`' ? MATCH_BACKTICK : MATCH_NAME;
	switch (x->c->want) {
	case SYN_NOTHING: break;
	case SYN_NAME: complete_name(x); break;
	case SYN_MEMBER:
	case SYN_SLOT: complete_member(x); break;
	case SYN_EXPORT: packages_exports(&x->m, x->c->package, false, form); break;
	case SYN_INTERNAL: packages_exports(&x->m, x->c->package, true, form); break;
	case SYN_STRING: complete_string(x); break;
	}
	vmaxset(vmax);
}

static void complete(struct reply *r, struct slice code)
{
	struct completing *x = r->x;
	const struct syn_context *c = x->c;
	size_t from = c->from;
	if (c->want == SYN_STRING) {
		x->m.quote = c->quote;
		x->m.raw = c->raw;
		x->m.closed = c->closed;
	}
	complete_task("complete_request", gather, x); /* what was gathered before a failure is shown */
	if (c->want == SYN_STRING)                    /* what is completed of a path is its last part */
		from = c->to - x->m.typed.len;
	r->start = utf8_count(code.data, from);
	r->end = utf8_count(code.data, c->to);
	if (!complete_task("complete_request", put_matches, r)) {
		buf_clear(&r->matches);
		buf_clear(&r->types);
		buf_putc(&r->matches, '[');
		buf_putc(&r->types, '[');
	}
}

void ss_complete(const json_t *head, const json_t *content)
{
	size_t cursor;
	struct err e = {0};
	struct slice code = complete_code(content, &cursor);
	struct completing x = {.c = syn_context_new(code.data, code.len, cursor, &e)};
	struct reply r = {.x = &x, .matches = BUF_INIT(BUF_MAX_MESSAGE), .types = BUF_INIT(BUF_MAX_MESSAGE)};
	r.start = r.end = utf8_count(code.data, cursor);
	if (x.c) {
		matches_init(&x.m, x.c->typed);
		complete(&r, code);
		matches_release(&x.m);
	} else {
		ss_log("warn", "complete_request: %s", e.msg);
		buf_putc(&r.matches, '[');
		buf_putc(&r.types, '[');
	}
	struct buf reply = BUF_INIT(BUF_MAX_MESSAGE);
	buf_puts(&reply, "{\"status\":\"ok\",\"matches\":");
	buf_put(&reply, r.matches.data, r.matches.len);
	buf_puts(&reply, "]");
	jx_key_int(&reply, "cursor_start", (long long)r.start);
	jx_key_int(&reply, "cursor_end", (long long)r.end);
	buf_puts(&reply, ",\"metadata\":{\"_jupyter_types_experimental\":");
	buf_put(&reply, r.types.data, r.types.len);
	buf_puts(&reply, "]}}");
	buf_release(&r.matches);
	buf_release(&r.types);
	syn_context_free((struct syn_context *)x.c);
	ss_reply("complete_reply", &reply);
}
