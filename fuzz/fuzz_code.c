/* fuzz_code.c: any bytes as R code with a cursor anywhere in it (syntax/).
 *
 * The first two bytes say where the cursor is, the rest is the code. What must hold: tokens cover the text in order; what closes all
 * that is open, closes it; what is said to be replaced lies around the cursor; all that is named lies in the code that was looked at.
 */
#include "fuzz.h"

#include "syntax/tree.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

static void tokens(const char *s, size_t n)
{
	size_t at = 0;
	for (size_t count = 0;; count++) {
		struct lex_token t = lex_token(s, n, at);
		FUZZ_CHECK(t.from >= at && t.to >= t.from && t.to <= n && count <= n);
		if (t.kind == LEX_END)
			break;
		FUZZ_CHECK(t.to > at);
		FUZZ_CHECK(!t.open || t.to == n);
		FUZZ_CHECK(t.dashes < 0 || t.kind == LEX_STRING);
		at = t.to;
	}
}

static void closers(const char *s, size_t n)
{
	static struct lex_state before, after;
	struct buf text = BUF_INIT(BUF_MAX_SMALL);
	lex_scan(&before, s, n);
	FUZZ_CHECK(before.depth <= LEX_MAX_DEPTH);
	if (before.last.open || before.last.kind == LEX_COMMENT || before.mismatch || before.depth == LEX_MAX_DEPTH)
		return;
	buf_put(&text, s, n);
	lex_put_closers(&before, &text);
	FUZZ_CHECK(!text.failed);
	lex_scan(&after, text.data ? text.data : "", text.len);
	FUZZ_CHECK(after.depth == 0 && !after.mismatch);
	buf_release(&text);
}

/* Where an answer's texts may lie. */
struct place {
	const char *code;
	size_t n;
	const struct syn_context *c;
};

static bool within(struct slice s, const char *from, size_t n)
{
	return s.len == 0 || (s.data >= from && s.len <= n && s.data - from <= (ptrdiff_t)(n - s.len));
}

static void check_slice(const struct place *p, struct slice s)
{
	FUZZ_CHECK(within(s, p->code, p->n) || within(s, p->c->impl->text.data, p->c->impl->text.len));
}

static void check_path(const struct place *p, const struct syn_path *path)
{
	FUZZ_CHECK(path->n >= 0 && path->n <= SYN_PATH_MAX);
	for (int i = 0; i < path->n; i++) {
		FUZZ_CHECK((i == 0) == (path->step[i].kind <= SYN_STEP_INTERNAL));
		check_slice(p, path->step[i].name);
		check_slice(p, path->step[i].package);
	}
}

static void check_local(void *to, struct slice name, enum syn_local kind)
{
	FUZZ_CHECK(name.len > 0);
	check_slice(to, name);
}

static void check_parameter(void *to, struct slice name)
{
	FUZZ_CHECK(name.len > 0);
	check_slice(to, name);
}

static void check_frames(const struct place *p)
{
	const struct syn_context *c = p->c;
	FUZZ_CHECK(c->n_frames <= SYN_FRAMES_MAX && c->n_data <= SYN_DATA_MAX && c->n_given <= SYN_GIVEN_MAX);
	for (int i = 0; i < c->n_frames; i++) {
		const struct syn_frame *f = &c->frame[i];
		FUZZ_CHECK(f->position >= 0 && f->unnamed >= 0);
		check_path(p, &f->function);
		check_path(p, &f->first);
		check_slice(p, f->argument);
	}
	for (int i = 0; i < c->n_data; i++)
		check_path(p, &c->data[i].path);
	for (int i = 0; i < c->n_given; i++)
		check_slice(p, c->given[i]);
}

static void context(const char *code, size_t n, size_t cursor)
{
	struct err e = {0};
	struct syn_context *c = syn_context_new(code, n, cursor, &e);
	struct place p = {code, n, c};
	FUZZ_CHECK(c);
	FUZZ_CHECK(c->from <= cursor && cursor <= c->to && c->to <= n);
	FUZZ_CHECK(within(c->typed, code, n) && c->typed.len <= cursor);
	FUZZ_CHECK(!c->typed.len || c->typed.data + c->typed.len == code + cursor);
	FUZZ_CHECK(!c->quote || strchr("'\"`", c->quote));
	check_slice(&p, c->package);
	check_path(&p, &c->object);
	check_frames(&p);
	syn_each_local(c, check_local, &p);
	if (c->typed.len)
		syn_each_parameter(c, c->typed, check_parameter, &p);
	syn_context_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2)
		return 0;
	const char *code = (const char *)data + 2;
	size_t cursor = data[0] | (size_t)data[1] << 8;
	n -= 2;
	cursor = cursor > n ? n : cursor;
	tokens(code, n);
	closers(code, cursor);
	context(code, n, cursor);
	size_t end = syn_word_end(code, n, cursor);
	FUZZ_CHECK(end <= n && (end >= cursor || (end + 1 == cursor && code[end] == '`')));
	context(code, n, end);
	return 0;
}
