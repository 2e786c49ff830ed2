/* mend.c: what stands at the cursor, and code that a parser can read. */
#include "syntax/tree.h"

const TSLanguage *tree_sitter_r(void);

/* What is put at the cursor, so that there is a node. It is part of the name that is being typed, if there is one. */
#define HERE "X"
#define AFTER_VALUE " + X"

static TSTree *parse(const struct buf *text)
{
	TSParser *parser = ts_parser_new();
	ts_parser_set_language(parser, tree_sitter_r());
	TSTree *tree = ts_parser_parse_string(parser, NULL, text->data ? text->data : "", (uint32_t)text->len);
	ts_parser_delete(parser);
	return tree;
}

static bool is_value_end(const struct lex_state *st, const char *code)
{
	const struct lex_token *t = &st->solid;
	switch (t->kind) {
	case LEX_NAME: return !lex_is_keyword(code, t->from, t->to);
	case LEX_NUMBER:
	case LEX_STRING:
	case LEX_BACKTICK: return true;
	case LEX_CLOSE: return !st->body_due;
	default: return false;
	}
}

/* Fills in what c says of the cursor's own token. Returns what is to be put at the cursor. */
static const char *look(struct syn_context *c, const struct lex_state *st, const char *code, size_t cursor)
{
	const struct lex_token *t = &st->last;
	bool touches = t->to == cursor && t->kind != LEX_NEWLINE;
	c->from = c->to = c->impl->at = cursor;
	c->want = SYN_NAME;
	if (touches && (t->kind == LEX_STRING || t->kind == LEX_BACKTICK) && t->open) {
		size_t start = t->from + (t->dashes < 0 ? 1 : 3 + (size_t)t->dashes);
		c->raw = t->dashes >= 0;
		c->quote = code[t->from + c->raw];
		c->want = t->kind == LEX_STRING ? SYN_STRING : SYN_NAME;
		c->from = start > cursor ? cursor : start;
		c->typed = (struct slice){code + c->from, cursor - c->from};
		c->from -= c->quote == '`';
		c->impl->at = t->from;
		return c->quote == '`' ? HERE : "";
	}
	if (touches && t->kind == LEX_NAME) {
		c->from = c->impl->at = t->from;
		c->typed = (struct slice){code + t->from, cursor - t->from};
		return HERE;
	}
	if (touches &&
	    (t->kind == LEX_NUMBER || t->kind == LEX_STRING || t->kind == LEX_BACKTICK || t->kind == LEX_COMMENT)) {
		c->want = SYN_NOTHING;
		c->impl->at = t->from;
		return "";
	}
	if (is_value_end(st, code)) {
		c->want = SYN_NOTHING;
		c->impl->at = cursor + strlen(AFTER_VALUE) - 1;
		return AFTER_VALUE;
	}
	return HERE;
}

/* The whole code with the cursor's place held: only if nothing is open or wrong in it. */
static bool mend_whole(struct syn_context *c, const char *code, size_t n, size_t cursor, const char *here)
{
	struct buf *text = &c->impl->text;
	buf_put(text, code, cursor);
	buf_puts(text, here);
	buf_put(text, code + cursor, n - cursor);
	if (text->failed)
		return false;
	static struct lex_state st;
	lex_scan(&st, text->data ? text->data : "", text->len);
	if (st.depth || st.mismatch || st.last.open)
		return false;
	c->impl->tree = parse(text);
	if (c->impl->tree && !ts_node_has_error(ts_tree_root_node(c->impl->tree)))
		return true;
	ts_tree_delete(c->impl->tree);
	c->impl->tree = NULL;
	return false;
}

static void mend_cut(struct syn_context *c, const struct lex_state *st, const char *code, size_t cursor,
		     const char *here)
{
	struct buf *text = &c->impl->text;
	buf_clear(text);
	buf_put(text, code, cursor);
	buf_puts(text, here);
	if (c->raw) {
		buf_putc(text, st->last.bracket);
		for (int i = 0; i < st->last.dashes; i++)
			buf_putc(text, '-');
	}
	if (c->quote)
		buf_putc(text, c->quote);
	if (st->last.kind == LEX_COMMENT)
		buf_putc(text, '\n');
	lex_put_closers(st, text);
	if (!text->failed)
		c->impl->tree = parse(text);
}

/* Whether the string or name that the cursor is in ends on its line. */
static bool has_end(const struct syn_context *c, const char *code, size_t n, size_t cursor)
{
	struct lex_token t = lex_token(code, n, c->impl->at);
	return !t.open && !memchr(code + cursor, '\n', t.to - cursor);
}

bool mend(struct syn_context *c, const char *code, size_t n, size_t cursor, struct err *e)
{
	static struct lex_state before; /* large; this layer is used from one thread */
	if (n > UINT32_MAX / 2)
		return err_set(e, "code of %zu bytes is too long to be looked at", n);
	lex_scan(&before, code, cursor);
	const char *here = look(c, &before, code, cursor);
	c->impl->cursor = cursor;
	if (c->quote)
		c->closed = has_end(c, code, n, cursor);
	if (c->quote == '`')
		c->to += c->closed && code[cursor] == '`';
	if (!mend_whole(c, code, n, cursor, here))
		mend_cut(c, &before, code, cursor, here);
	return c->impl->tree || err_set(e, "no memory for code of %zu bytes", n);
}

size_t syn_word_end(const char *code, size_t n, size_t cursor)
{
	for (size_t at = 0; at <= cursor && at < n;) {
		struct lex_token t = lex_token(code, n, at);
		if (t.kind == LEX_END || t.from > cursor)
			break;
		if (t.kind == LEX_NAME && t.to >= cursor)
			return t.to;
		if (t.kind == LEX_BACKTICK && !t.open && t.to >= cursor)
			return t.to - 1;
		at = t.to;
	}
	return cursor;
}
