/* inspect.c: inspect_request: what the name at the cursor means, or else the function in whose arguments the cursor is. */
#include "session/inspect.h"

#include "rapi/keep.h"
#include "rapi/value.h"
#include "session/complete.h"
#include "session/session.h"

struct inspecting {
	const struct syn_context *c;
	bool source; /* detail_level 1 */
	bool found;
	struct buf plain, html, markdown;
};

struct target {
	SEXP value; /* R_UnboundValue: only a help page, perhaps */
	struct slice name;
	struct slice package; /* of package::name */
};

/* ---- what is meant ---- */

static bool is_operator_of(const struct syn_context *c)
{
	return c->want == SYN_MEMBER || c->want == SYN_SLOT;
}

/* The name at the cursor, with what stands before it. False if there is none. */
static bool name_at_cursor(const struct syn_context *c, struct syn_path *path)
{
	struct syn_step last = {.name = c->typed};
	path->n = 0;
	if (!c->typed.len || c->want == SYN_NOTHING || c->want == SYN_STRING || (c->want == SYN_NAME && c->has_equals))
		return false;
	if (is_operator_of(c)) {
		if (!c->object.n || c->object.n == SYN_PATH_MAX)
			return false;
		*path = c->object;
		last.kind = c->want == SYN_SLOT ? SYN_STEP_SLOT : SYN_STEP_MEMBER;
	} else if (c->want == SYN_EXPORT || c->want == SYN_INTERNAL) {
		last.kind = c->want == SYN_EXPORT ? SYN_STEP_EXPORT : SYN_STEP_INTERNAL;
		last.package = c->package;
	}
	path->step[path->n++] = last;
	return true;
}

static void set_target(struct target *t, const struct syn_path *path, SEXP value)
{
	const struct syn_step *last = &path->step[path->n - 1];
	*t = (struct target){.value = value, .name = last->name};
	if (last->kind == SYN_STEP_EXPORT || last->kind == SYN_STEP_INTERNAL)
		t->package = last->package;
}

/* ---- what is said of it ---- */

static void put_escaped(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '<' || s[i] == '>' || s[i] == '&')
			buf_puts(out, s[i] == '<' ? "&lt;" : s[i] == '>' ? "&gt;" : "&amp;");
		else
			buf_putc(out, s[i]);
	}
}

static void put_code(struct inspecting *x, const char *title, const char *code)
{
	size_t n = strlen(code);
	if (x->plain.len)
		buf_puts(&x->plain, "\n\n");
	if (*title) {
		buf_printf(&x->plain, "%s:\n\n", title);
		buf_printf(&x->html, "<h3>%s</h3>\n", title);
		buf_printf(&x->markdown, "\n\n## %s", title);
	}
	buf_puts(&x->plain, code);
	buf_puts(&x->html, "<pre><code>");
	put_escaped(&x->html, code, n);
	buf_puts(&x->html, "</code></pre>\n");
	const char *fence = strstr(code, "```") ? "~~~~" : "```";
	buf_printf(&x->markdown, "%s%sr\n%s\n%s", x->markdown.len ? "\n\n" : "", fence, code, fence);
	x->found = true;
}

static void put_text(struct inspecting *x, const char *text)
{
	buf_printf(&x->plain, "%s%s", x->plain.len ? "\n\n" : "", text);
	buf_puts(&x->html, "<pre>");
	put_escaped(&x->html, text, strlen(text));
	buf_puts(&x->html, "</pre>\n");
	buf_printf(&x->markdown, "%s```\n%s\n```", x->markdown.len ? "\n\n" : "", text);
	x->found = true;
}

static bool put_help(struct inspecting *x, const struct target *t, const char *package)
{
	SEXP args[2];
	args[0] = PROTECT(r_string(t->name.data, t->name.len));
	args[1] = PROTECT(r_string(package, strlen(package)));
	SEXP page = PROTECT(r_call_module("help_page", 2, args));
	bool found = TYPEOF(page) == STRSXP && XLENGTH(page) == 3;
	if (found) {
		buf_printf(&x->plain, "%s%s", x->plain.len ? "\n\n" : "", r_text(page, 0));
		buf_puts(&x->html, r_text(page, 1));
		buf_printf(&x->markdown, "%s%s", x->markdown.len ? "\n\n" : "", r_text(page, 2));
		x->found = true;
	}
	UNPROTECT(3);
	return found;
}

/* The package that a function comes from, "" for the user's own. */
static const char *package_of(SEXP function)
{
	if (TYPEOF(function) != CLOSXP)
		return "base";
	SEXP env = look_closure_env(function), name = Rf_install(".packageName");
	for (; env != R_GlobalEnv && env != R_EmptyEnv; env = look_parent(env)) {
		if (env == R_BaseEnv || env == R_BaseNamespace)
			return "base";
		if (R_IsNamespaceEnv(env))
			return r_text(look_in(env, name), 0);
	}
	return "";
}

static const char *usage_or_source(const char *which, SEXP function, struct slice name)
{
	SEXP args[2];
	args[0] = PROTECT(function);
	args[1] = PROTECT(r_string(name.data, name.len));
	SEXP text = r_call_module(which, strcmp(which, "function_source") == 0 ? 1 : 2, args);
	UNPROTECT(2);
	return r_text(text, 0);
}

static void describe_function(struct inspecting *x, const struct target *t)
{
	const char *package = package_of(t->value);
	put_code(x, "", usage_or_source("function_usage", t->value, t->name));
	if (x->source)
		put_code(x, "Source", usage_or_source("function_source", t->value, t->name));
	if (*package)
		put_help(x, t, package);
}

static void describe(struct inspecting *x, const struct target *t)
{
	char package[256];
	snprintf(package, sizeof package, "%.*s", (int)t->package.len, t->package.len ? t->package.data : "");
	if (t->value == R_UnboundValue) {
		if (t->package.len)
			put_help(x, t, package);
	} else if (Rf_isFunction(t->value)) {
		describe_function(x, t);
	} else {
		static struct buf text = {.max = BUF_MAX_SMALL}; /* outlives a jump */
		buf_clear(&text);
		buf_printf(&text, "%.*s: ", (int)t->name.len, t->name.data);
		inspect_structure(t->value, &text);
		if (!text.failed)
			put_text(x, text.data);
	}
}

static void add_parameter(void *to, struct slice parameter)
{
	struct buf *out = to;
	buf_printf(out, "%s%.*s", out->data[out->len - 1] == '(' ? "" : ", ", (int)parameter.len, parameter.data);
}

/* A function that the cell itself defines and R does not know yet. */
static bool describe_local(struct inspecting *x, const struct syn_path *path)
{
	static struct buf text = {.max = BUF_MAX_SMALL};
	struct slice name = path->step[0].name;
	if (path->n != 1 || path->step[0].kind != SYN_STEP_NAME)
		return false;
	buf_clear(&text);
	buf_printf(&text, "%.*s(", (int)name.len, name.data);
	if (!syn_each_parameter(x->c, name, add_parameter, &text))
		return false;
	buf_putc(&text, ')');
	put_code(x, "", text.data);
	return true;
}

static bool inspect_path(struct inspecting *x, const struct syn_path *path, bool function)
{
	struct target t;
	SEXP value = path->n ? look_path(path, function) : R_UnboundValue;
	if (!path->n || (function && value != R_UnboundValue && !Rf_isFunction(value)))
		return false;
	if (value == R_UnboundValue && describe_local(x, path))
		return true;
	set_target(&t, path, value);
	describe(x, &t);
	return x->found;
}

static void inspect(void *data)
{
	struct inspecting *x = data;
	const void *vmax = vmaxget();
	struct syn_path path;
	bool done = name_at_cursor(x->c, &path) && inspect_path(x, &path, false);
	for (int i = 0; !done && i < x->c->n_frames && !x->c->frame[i].behind_braces; i++)
		done = x->c->frame[i].kind == SYN_CALL && inspect_path(x, &x->c->frame[i].function, true);
	vmaxset(vmax);
}

/* ---- the request ---- */

static void put_data(struct buf *reply, struct inspecting *x)
{
	const struct {
		const char *type;
		const struct buf *text;
	} forms[] = {{"text/plain", &x->plain}, {"text/html", &x->html}, {"text/markdown", &x->markdown}};
	buf_putc(reply, '{');
	for (size_t i = 0; x->found && i < ARRAY_LEN(forms); i++) {
		jx_key(reply, forms[i].type);
		jx_string(reply, forms[i].text->data ? forms[i].text->data : "", forms[i].text->len);
	}
	buf_putc(reply, '}');
}

void ss_inspect(const json_t *head, const json_t *content)
{
	struct err e = {0};
	size_t cursor;
	struct slice code = complete_code(content, &cursor);
	cursor = syn_word_end(code.data, code.len, cursor);
	struct inspecting x = {.c = syn_context_new(code.data, code.len, cursor, &e),
			       .source = json_int_or(content, "detail_level", 0) > 0,
			       .plain = BUF_INIT(BUF_MAX_MESSAGE),
			       .html = BUF_INIT(BUF_MAX_MESSAGE),
			       .markdown = BUF_INIT(BUF_MAX_MESSAGE)};
	if (!x.c)
		ss_log("warn", "inspect_request: %s", e.msg);
	else if (!complete_task("inspect_request", inspect, &x))
		x.found = false;
	struct buf reply = BUF_INIT(BUF_MAX_MESSAGE);
	buf_puts(&reply, "{\"status\":\"ok\"");
	jx_key_bool(&reply, "found", x.found);
	jx_key(&reply, "data");
	put_data(&reply, &x);
	buf_puts(&reply, ",\"metadata\":{}}");
	buf_release(&x.plain);
	buf_release(&x.html);
	buf_release(&x.markdown);
	syn_context_free((struct syn_context *)x.c);
	ss_reply("inspect_reply", &reply);
}
