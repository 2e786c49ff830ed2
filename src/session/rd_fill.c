#include "session/rd_fill.h"

#include "session/rd_writer.h"

#include <wchar.h>

size_t rd_columns(const char *s, size_t n)
{
	size_t columns = 0;
	mbstate_t state = {0};
	while (n > 0) {
		wchar_t c;
		size_t used = mbrtowc(&c, s, n, &state);
		if (used == 0 || used > n) { /* not of this locale */
			state = (mbstate_t){0};
			columns += (*s & 0xc0) != 0x80;
			used = 1;
		} else {
			int width = wcwidth(c);
			columns += width > 0 ? (size_t)width : 0;
		}
		s += used;
		n -= used;
	}
	return columns;
}

static bool is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\n\r\f\v", s[i]))
			return false;
	return true;
}

/* The length of the line at s, and in *next the beginning of the one after it. */
static size_t line_of(const char *s, const char *end, const char **next)
{
	const char *stop = memchr(s, '\n', (size_t)(end - s));
	*next = stop ? stop + 1 : end;
	return (size_t)((stop ? stop : end) - s);
}

void rd_fill_pad(struct buf *out, int n)
{
	for (int i = 0; i < n; i++)
		buf_putc(out, ' ');
}

/* ---- a paragraph ---- */

static bool ends_sentence(const char *s, size_t n)
{
	if (n > 1 && strchr(")\"'", s[n - 1]))
		n--;
	return n > 0 && strchr(".?!", s[n - 1]);
}

struct filling {
	struct buf *out;
	int width, rest, column;
	bool any, wide; /* a word stands on the line; it ended a sentence, and two blanks come after it */
};

static void add_word(struct filling *l, const char *s, size_t n, bool wide)
{
	int columns = (int)rd_columns(s, n), gap = l->any ? 1 + l->wide : 0;
	if (l->any && l->column + gap + columns >= l->width) {
		buf_putc(l->out, '\n');
		rd_fill_pad(l->out, l->rest);
		l->column = l->rest;
		gap = 0;
	}
	rd_fill_pad(l->out, gap);
	buf_put(l->out, s, n);
	l->column += gap + columns;
	l->any = true;
	l->wide = wide;
}

/* The rules are those of R's strwrap(): two blanks stay two behind the end of a sentence, and a line is shorter than the width. */
void rd_fill_paragraph(struct buf *out, struct slice s, int width, int first, int rest)
{
	struct filling l = {.out = out, .width = width, .rest = rest, .column = first};
	const char *c = s.data, *end = s.data + s.len;
	rd_fill_pad(out, first);
	while (c < end) {
		while (c < end && strchr(" \t\n", *c))
			c++;
		const char *word = c;
		while (c < end && !strchr(" \t\n", *c))
			c++;
		size_t n = (size_t)(c - word);
		if (n > 0)
			add_word(&l, word, n, end - c > 2 && strchr(" \t\n", c[1]) && ends_sentence(word, n));
	}
	buf_putc(out, '\n');
}

/* ---- blocks ---- */

struct rd_fill_state *rd_fill_now(struct rd_fill *f)
{
	return &f->state[f->depth];
}

static void reset(struct rd_fill_state *t)
{
	struct buf pending = t->pending;
	pending.max = BUF_MAX_MESSAGE;
	buf_clear(&pending);
	*t = (struct rd_fill_state){.pending = pending};
}

void rd_fill_begin(struct rd_fill *f, struct buf *out, int width)
{
	f->out = out;
	f->width = width;
	f->depth = 0;
	reset(rd_fill_now(f));
}

static int leading_blanks(struct slice s)
{
	size_t n = 0;
	while (n < s.len && s.data[n] == ' ')
		n++;
	return (int)n;
}

static void flush_words(struct rd_fill *f, struct rd_fill_state *t)
{
	const char *c = t->pending.data, *end = c + t->pending.len, *next;
	int first = t->keep_indent ? leading_blanks(SLICE_BUF(&t->pending)) : t->indent;
	bool gap = false;
	t->keep_indent = false;
	while (c < end) {
		size_t n = line_of(c, end, &next);
		if (is_blank(c, n)) {
			gap = true;
			c = next;
			continue;
		}
		const char *from = c;
		for (; c < end && !is_blank(c, line_of(c, end, &next)); c = next)
			;
		if (gap)
			buf_putc(f->out, '\n');
		rd_fill_paragraph(f->out, (struct slice){from, (size_t)(c - from)}, f->width, first, t->indent);
		first = t->indent;
		gap = false;
	}
	if (gap)
		buf_putc(f->out, '\n');
}

static void flush_lines(struct rd_fill *f, struct rd_fill_state *t)
{
	const char *c = t->pending.data, *end = c + t->pending.len, *next;
	for (bool first = true; c < end; first = false, c = next) {
		size_t n = line_of(c, end, &next);
		if (n > 0 && !(first && t->keep_indent))
			rd_fill_pad(f->out, t->indent);
		buf_put(f->out, c, n);
		buf_putc(f->out, '\n');
	}
}

void rd_fill_flush(struct rd_fill *f)
{
	struct rd_fill_state *t = rd_fill_now(f);
	if (t->pending.len == 0)
		return;
	if (t->keep_lines)
		flush_lines(f, t);
	else
		flush_words(f, t);
	buf_clear(&t->pending);
}

static void turn(struct rd_fill *f, bool keep_lines)
{
	struct rd_fill_state *t = rd_fill_now(f);
	if (t->keep_lines == keep_lines)
		return;
	rd_fill_flush(f);
	t->keep_lines = keep_lines;
}

void rd_fill_put(struct rd_fill *f, const char *s, size_t n)
{
	struct rd_fill_state *t = rd_fill_now(f);
	const char *end = s + n, *next;
	while (t->drop_blanks && s < end && is_blank(s, line_of(s, end, &next)))
		s = next;
	if (s == end)
		return;
	t->drop_blanks = false;
	t->blank_lines = 0;
	buf_put(&t->pending, s, (size_t)(end - s));
}

void rd_fill_words(struct rd_fill *f, const char *s, size_t n)
{
	turn(f, false);
	rd_fill_put(f, s, n);
}

void rd_fill_lines(struct rd_fill *f, const char *s, size_t n)
{
	turn(f, true);
	rd_fill_put(f, s, n);
}

/* Blank lines at the end of what is pending go. */
static void drop_trailing(struct buf *pending)
{
	size_t n = pending->len;
	while (n > 0) {
		size_t at = n;
		if (pending->data[at - 1] == '\n')
			at--;
		size_t end = at;
		while (at > 0 && pending->data[at - 1] != '\n')
			at--;
		if (!is_blank(pending->data + at, end - at))
			break;
		n = at;
	}
	pending->len = n;
	if (pending->data)
		pending->data[n] = '\0';
}

void rd_fill_blank(struct rd_fill *f, int n)
{
	struct rd_fill_state *t = rd_fill_now(f);
	drop_trailing(&t->pending);
	rd_fill_flush(f);
	for (; t->blank_lines < n; t->blank_lines++)
		buf_putc(f->out, '\n');
	t->drop_blanks = true;
}

/* ---- captures ---- */

bool rd_fill_capture(struct rd_fill *f)
{
	if (f->depth + 1 == RD_FILL_DEPTH)
		return false;
	f->depth++;
	reset(rd_fill_now(f));
	return true;
}

struct slice rd_fill_captured(struct rd_fill *f)
{
	struct rd_fill_state *t = rd_fill_now(f);
	f->depth--;
	return t->pending.data ? SLICE_BUF(&t->pending) : (struct slice){"", 0};
}
