/* indent.c: how far in the next line of unfinished code begins. */
#include "syntax/lex.h"
#include "syntax/syntax.h"

static size_t line_of(const char *s, size_t at)
{
	while (at > 0 && s[at - 1] != '\n')
		at--;
	return at;
}

void syn_indent(const char *code, size_t n, struct buf *out)
{
	struct lex_state *st = malloc(sizeof *st); /* it is large */
	if (!st)
		return;
	lex_scan(st, code, n);
	const struct lex_open *open = st->depth ? &st->stack[st->depth - 1] : NULL;
	size_t from = lex_waits(st, code) ? (open ? open->statement : st->statement) : open ? open->at : SIZE_MAX;
	if (from != SIZE_MAX && !st->last.open) {
		size_t line = line_of(code, from), end = line;
		while (end < n && (code[end] == ' ' || code[end] == '\t'))
			end++;
		buf_put(out, code + line, end - line);
		buf_puts(out, end > line && code[line] == '\t' ? "\t" : "  ");
	}
	free(st);
}
