/* parse.c: code into expressions, and what is wrong with code that is none. */
#include "session/session.h"

#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/value.h"
#include "syntax/syntax.h"

struct parsing {
	const char *code;
	size_t n;
	ParseStatus status;
};

static void define(SEXP env, const char *name, SEXP value)
{
	PROTECT(value);
	Rf_defineVar(Rf_install(name), value, env);
	UNPROTECT(1);
}

/* A source "file" as R's console makes it: nameless, with its lines in it. */
static SEXP make_srcfile(const struct parsing *p)
{
	SEXP file = PROTECT(R_NewEnv(R_EmptyEnv, FALSE, 0));
	define(file, "filename", r_string("", 0));
	define(file, "lines", r_lines(p->code, p->n));
	define(file, "Enc", r_string("UTF-8", 5));
	define(file, "isFile", Rf_ScalarLogical(FALSE));
	SEXP class = PROTECT(Rf_allocVector(STRSXP, 2));
	SET_STRING_ELT(class, 0, Rf_mkChar("srcfilecopy"));
	SET_STRING_ELT(class, 1, Rf_mkChar("srcfile"));
	Rf_classgets(file, class);
	UNPROTECT(2);
	return file;
}

static void parse(void *data)
{
	struct parsing *p = data;
	SEXP text = PROTECT(r_string(p->code, p->n));
	SEXP file = PROTECT(r_option_is_true("keep.source") ? make_srcfile(p) : R_NilValue);
	r_keep(R_KEEP_CODE, R_ParseVector(text, -1, &p->status, file));
	UNPROTECT(2);
}

static size_t without_carriage_returns(char *s, size_t n)
{
	size_t to = 0;
	for (size_t i = 0; i < n; i++)
		if (!(s[i] == '\r' && i + 1 < n && s[i + 1] == '\n'))
			s[to++] = s[i];
	s[to] = '\0';
	return to;
}

enum ss_parsed ss_parse(char *code, size_t *n)
{
	*n = without_carriage_returns(code, *n);
	struct parsing p = {.code = code, .n = *n, .status = PARSE_NULL};
	/* Some mistakes (an unknown escape in a string) are errors of the parser, which R reports on stderr. They are told
	 * by ss_parse_problem. */
	struct buf ignored = BUF_INIT(BUF_MAX_SMALL);
	ss_console_hold();
	bool returned = r_try_exec(parse, &p);
	ss_console_take(&ignored);
	buf_release(&ignored);
	if (returned && p.status == PARSE_OK)
		return SS_PARSE_OK;
	return returned && p.status == PARSE_INCOMPLETE ? SS_PARSE_INCOMPLETE : SS_PARSE_ERROR;
}

static void ask_parser(void *data)
{
	const struct parsing *p = data;
	SEXP code = PROTECT(r_string(p->code, p->n));
	r_keep(R_KEEP_SCRATCH, r_call_module("parse_problem", 1, &code));
	UNPROTECT(1);
}

static void copy_scratch(void *out)
{
	buf_puts(out, r_text(r_kept(R_KEEP_SCRATCH), 0));
}

static void show_place(struct buf *out, const char *s, size_t n, size_t at);

/* Where the parser stopped reading: a ring of the last 256 bytes that it read, and the line's number. */
#define PARSE_RING 256

static size_t parser_stopped_at(const char *s, size_t n)
{
	size_t line = 1, at = 0, column = 0;
	while (at < n && line < (size_t)R_ParseContextLine)
		line += s[at++] == '\n';
	for (int i = R_ParseContextLast; column < PARSE_RING; column++, i = (i + PARSE_RING - 1) % PARSE_RING)
		if (R_ParseContext[i % PARSE_RING] == '\n' || R_ParseContext[i % PARSE_RING] == '\0')
			break;
	at += column ? column - 1 : 0;
	return at < n ? at : n ? n - 1 : 0;
}

static void parser_says(const char *code, size_t n, struct buf *out)
{
	struct parsing p = {.code = code, .n = n};
	const void *vmax = vmaxget();
	size_t before = out->len;
	if (!r_try_exec(ask_parser, &p) || !r_try_exec(copy_scratch, out))
		buf_puts(out, "this code cannot be parsed");
	vmaxset(vmax);
	r_keep(R_KEEP_SCRATCH, R_NilValue);
	/* What is wrong inside a token, R says without the place. */
	bool placed = out->len > before && strstr(out->data + before, "\n") != NULL;
	if (!placed && &R_ParseContextLine && &R_ParseContextLast)
		show_place(out, code, n, parser_stopped_at(code, n));
}

/* ---- what is open at the end of incomplete code ---- */

#define OPEN_MAX_DEPTH 256

struct opened {
	char what; /* the bracket or quote */
	size_t at; /* byte offset */
};

struct scan {
	struct opened stack[OPEN_MAX_DEPTH];
	size_t depth; /* may go above OPEN_MAX_DEPTH; what is deeper is only counted */
};

static void open_one(struct scan *s, char what, size_t at)
{
	if (s->depth < OPEN_MAX_DEPTH)
		s->stack[s->depth] = (struct opened){what, at};
	s->depth++;
}

static bool name_char(char c)
{
	return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c & 0x80);
}

/* Skips a raw string r"---(…)---" whose r is at i. Returns the offset after it, n if it has no end, i if it is none. */
static size_t skip_raw(const char *s, size_t n, size_t i)
{
	size_t dashes = 0, at = i + 2;
	if (i + 2 >= n || (s[i + 1] != '"' && s[i + 1] != '\'') || (i > 0 && name_char(s[i - 1])))
		return i;
	while (at < n && s[at] == '-')
		dashes++, at++;
	const char *brackets = "()[]{}", *open = at < n && s[at] ? strchr(brackets, s[at]) : NULL;
	if (!open || (open - brackets) % 2)
		return i;
	for (at++; at < n; at++) {
		size_t k = 0;
		if (s[at] != open[1])
			continue;
		while (k < dashes && at + 1 + k < n && s[at + 1 + k] == '-')
			k++;
		if (k == dashes && at + 1 + k < n && s[at + 1 + k] == s[i + 1])
			return at + k + 2;
	}
	return n;
}

static size_t skip_quoted(const char *s, size_t n, size_t i)
{
	for (size_t at = i + 1; at < n; at++) {
		if (s[at] == '\\')
			at++;
		else if (s[at] == s[i])
			return at + 1;
	}
	return n + 1;
}

static void scan(struct scan *st, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		char c = s[i];
		size_t next;
		if (c == '#') {
			const char *end = memchr(s + i, '\n', n - i);
			next = end ? (size_t)(end - s) : n;
		} else if ((c == 'r' || c == 'R') && (next = skip_raw(s, n, i)) != i) {
			if (next == n)
				open_one(st, '"', i);
		} else if (c == '"' || c == '\'' || c == '`') {
			next = skip_quoted(s, n, i);
			if (next > n)
				open_one(st, c, i);
		} else {
			next = i + 1;
			if (c == '(' || c == '[' || c == '{')
				open_one(st, c, i);
			else if ((c == ')' || c == ']' || c == '}') && st->depth)
				st->depth--;
		}
		i = next;
	}
}

/* The line that holds offset `at`, and a caret below the place. */
static void show_place(struct buf *out, const char *s, size_t n, size_t at)
{
	size_t line = 1, from = 0;
	for (size_t i = 0; i < at; i++)
		if (s[i] == '\n') {
			line++;
			from = i + 1;
		}
	const char *end = memchr(s + from, '\n', n - from);
	size_t len = end ? (size_t)(end - s) - from : n - from;
	size_t before = out->len;
	buf_printf(out, "\n%zu: ", line);
	size_t label = out->len - before - 1;
	buf_put(out, s + from, len);
	buf_putc(out, '\n');
	for (size_t i = 0; i < label; i++)
		buf_putc(out, ' ');
	for (size_t i = from; i < at; i++)
		if ((s[i] & 0xC0) != 0x80)
			buf_putc(out, s[i] == '\t' ? '\t' : ' ');
	buf_putc(out, '^');
}

static void say_what_is_open(const char *s, size_t n, struct buf *out)
{
	struct scan st = {.depth = 0};
	scan(&st, s, n);
	if (st.depth == 0 || st.depth > OPEN_MAX_DEPTH) {
		buf_puts(out, "incomplete input: the last expression is not finished\n");
		parser_says(s, n, out);
		return;
	}
	struct opened *last = &st.stack[st.depth - 1];
	bool quote = strchr("\"'`", last->what) != NULL;
	buf_printf(out, "incomplete input: %s that begins here has no end",
		   quote ? "the string or name" : "the bracket");
	show_place(out, s, n, last->at);
}

void ss_parse_problem(enum ss_parsed how, const char *code, size_t n, struct buf *out)
{
	if (how == SS_PARSE_INCOMPLETE)
		say_what_is_open(code, n, out);
	else
		parser_says(code, n, out);
}

/* ---- is_complete_request ---- */

void ss_is_complete(const json_t *head, const json_t *content)
{
	static const char *const status[] = {"complete", "incomplete", "invalid"};
	json_t *value = json_object_get(content, "code");
	size_t n = json_string_length(value);
	char *code = malloc(n + 1);
	struct buf reply = BUF_INIT(BUF_MAX_SMALL);
	enum ss_parsed parsed = SS_PARSE_ERROR;
	if (code) {
		memcpy(code, n ? json_string_value(value) : "", n);
		code[n] = '\0';
		if (!memchr(code, '\0', n))
			parsed = ss_parse(code, &n);
	}
	buf_putc(&reply, '{');
	jx_key_string(&reply, "status", status[parsed]);
	if (parsed == SS_PARSE_INCOMPLETE) {
		struct buf indent = BUF_INIT(BUF_MAX_SMALL);
		syn_indent(code, n, &indent);
		jx_key(&reply, "indent");
		jx_string(&reply, indent.data ? indent.data : "", indent.len);
		buf_release(&indent);
	}
	buf_putc(&reply, '}');
	free(code);
	r_keep(R_KEEP_CODE, R_NilValue);
	ss_reply("is_complete_reply", &reply);
}
