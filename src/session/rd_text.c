/* rd_text.c: help pages as text, which reads as tools::Rd2txt's does (and nearly always is the same, but for blanks at ends of lines). Where
 * that has slips, it does not: a paragraph that begins with code behind preformatted text is filled, cells of tables are aligned when one of
 * them has two lines, and the attributes of a picture are not shown. */
#include "session/rd_cells.h"
#include "session/rd_fill.h"
#include "session/rd_writer.h"

#define MIN_INDENT 10
#define EXTRA_INDENT 4
#define SECTION_INDENT 5

struct text {
	struct rd_writer w;
	struct rd_fill *fill;
	int level
	    [32]; /* what is open, and how it was before: indent * 64 + number of the item, and what a section changes */
	int n_open;
	int number;       /* of the item of an enumeration */
	int math;         /* within a formula */
	bool title;       /* quotes are plain there */
	bool after_label; /* one blank after the label of an item goes */
	bool failed;
	struct rd_cells *cells;
	bool in_table;
	char align;
};

static struct text *as_text(struct rd_writer *w)
{
	return (struct text *)w;
}

static void put(struct text *x, const char *s)
{
	rd_fill_put(x->fill, s, strlen(s));
}

/* ---- what is remembered while something is open ---- */

static void push(struct text *x, int value)
{
	if (x->n_open < (int)ARRAY_LEN(x->level))
		x->level[x->n_open++] = value;
	else
		x->failed = true;
}

static int pop(struct text *x)
{
	return x->n_open > 0 ? x->level[--x->n_open] : 0;
}

static void capture(struct text *x)
{
	if (!rd_fill_capture(x->fill))
		x->failed = true;
}

static struct slice captured(struct text *x)
{
	return x->failed ? (struct slice){"", 0} : rd_fill_captured(x->fill);
}

static void indent_more(struct text *x)
{
	struct rd_fill_state *t = rd_fill_now(x->fill);
	int more = t->indent + EXTRA_INDENT;
	t->indent = more > MIN_INDENT ? more : MIN_INDENT;
}

/* ---- text ---- */

static void text(struct rd_writer *w, const char *s, size_t n)
{
	struct text *x = as_text(w);
	const char *end = s + n, *dash;
	if (x->after_label && n > 0 && *s == ' ')
		s++;
	x->after_label = false;
	rd_fill_words(x->fill, "", 0);
	/* A dash is one, however long it is in print. */
	while ((dash = memmem(s, (size_t)(end - s), "--", 2))) {
		rd_fill_put(x->fill, s, (size_t)(dash - s) + 1);
		s = dash + (dash + 2 < end && dash[2] == '-' ? 3 : 2);
	}
	rd_fill_put(x->fill, s, (size_t)(end - s));
}

static void verbatim(struct rd_writer *w, const char *s, size_t n)
{
	struct text *x = as_text(w);
	const char *end = s + n, *back;
	x->after_label = false;
	while (x->math && (back = memchr(s, '\\', (size_t)(end - s)))) {
		rd_fill_put(x->fill, s, (size_t)(back - s));
		s = back + 1 + rd_formula(x->fill, back + 1, (size_t)(end - back) - 1);
	}
	rd_fill_put(x->fill, s, (size_t)(end - s));
}

static void raw(struct rd_writer *w, const char *s, size_t n)
{
	rd_fill_put(as_text(w)->fill, s, n);
}

/* ---- what is within a line ---- */

static void style(struct rd_writer *w, enum rd_style style, bool open)
{
	static const struct {
		const char *open, *close, *plain;
	} quotes = {"\u2018", "\u2019", "'"}, double_quotes = {"\u201c", "\u201d", "\""};
	struct text *x = as_text(w);
	x->after_label = false;
	switch (style) {
	case RD_CODE:
	case RD_COMMAND:
	case RD_ENV:
	case RD_FILE:
	case RD_KBD:
	case RD_OPTION:
	case RD_PKG:
	case RD_SAMP:
	case RD_SQUOTE: put(x, x->title ? quotes.plain : open ? quotes.open : quotes.close); break;
	case RD_DQUOTE: put(x, x->title ? double_quotes.plain : open ? double_quotes.open : double_quotes.close); break;
	case RD_BOLD:
	case RD_STRONG: put(x, "*"); break;
	case RD_EMPH: put(x, "_"); break;
	case RD_MATH: x->math += open ? 1 : -1; break;
	default: break;
	}
}

static void link_to(struct rd_writer *w, enum rd_link kind, const char *url, size_t n, bool open)
{
	if (kind != RD_HREF)
		put(as_text(w), open ? kind == RD_EMAIL ? "<mailto:" : "<" : ">");
}

static void line_break(struct rd_writer *w)
{
	struct text *x = as_text(w);
	rd_fill_flush(x->fill);
	rd_fill_now(x->fill)->drop_blanks = true;
}

/* In the middle of a line, if it fits on one; otherwise as it is. */
static void centred(struct text *x, struct slice s)
{
	struct rd_fill_state *t = rd_fill_now(x->fill);
	while (s.len > 0 && *s.data == '\n') {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && s.data[s.len - 1] == '\n')
		s.len--;
	int room = x->fill->width - t->indent - (int)rd_columns(s.data, s.len);
	rd_fill_lines(x->fill, "", 0);
	t->drop_blanks = false;
	for (int i = 0; i < room / 2; i++)
		put(x, " ");
	for (size_t i = 0; i < s.len; i++)
		if (room <= 0 || s.data[i] != '\n')
			rd_fill_put(x->fill, s.data + i, 1);
	rd_fill_blank(x->fill, 1);
}

static void figure(struct rd_writer *w, const char *file, const char *alt)
{
	struct text *x = as_text(w);
	if (!*alt)
		return;
	rd_fill_blank(x->fill, 1);
	centred(x, SLICE_STR(alt));
}

/* ---- blocks ---- */

static void block(struct rd_writer *w, enum rd_block block, bool open)
{
	struct text *x = as_text(w);
	struct rd_fill_state *t = rd_fill_now(x->fill);
	switch (block) {
	case RD_ITEMIZE:
	case RD_ENUMERATE:
		rd_fill_blank(x->fill, open ? 0 : 1);
		if (open) {
			push(x, t->indent * 1024 + x->number);
			x->number = 0;
			indent_more(x);
		} else {
			int was = pop(x);
			x->number = was % 1024;
			t->indent = was / 1024;
		}
		break;
	case RD_DESCRIBE: rd_fill_blank(x->fill, open ? 0 : 1); break;
	case RD_PREFORMATTED:
		rd_fill_blank(x->fill, 1);
		rd_fill_lines(x->fill, "", 0);
		if (!open)
			rd_fill_words(x->fill, "", 0);
		break;
	case RD_DEQN:
		x->math += open ? 1 : -1;
		if (open) {
			rd_fill_blank(x->fill, 1);
			capture(x);
		} else {
			centred(x, captured(x));
			rd_fill_words(x->fill, "", 0);
		}
		break;
	default: break;
	}
}

/* A label that ends `columns` from the margin, or as soon as it can. */
static void put_right(struct text *x, struct slice label, const char *end, int columns)
{
	rd_fill_words(x->fill, "", 0);
	int left = columns - (int)(rd_columns(label.data, label.len) + strlen(end));
	for (int i = 0; i < left; i++)
		put(x, " ");
	rd_fill_put(x->fill, label.data, label.len);
	put(x, end);
}

static void begin_item(struct text *x, enum rd_block list)
{
	char number[32] = "\u2022";
	rd_fill_blank(x->fill, 1);
	struct rd_fill_state *t = rd_fill_now(x->fill);
	t->keep_indent = true;
	t->drop_blanks = false;
	if (list == RD_ENUMERATE)
		snprintf(number, sizeof number, "%d.", ++x->number);
	put_right(x, SLICE_STR(number), " ", t->indent);
	x->after_label = true;
}

static void begin_body(struct text *x, enum rd_block list)
{
	static struct buf kept = {.max = BUF_MAX_SMALL}; /* the label's own place is used again */
	struct slice label = captured(x);
	struct rd_fill_state *t = rd_fill_now(x->fill);
	int indent = t->indent;
	buf_clear(&kept);
	buf_put(&kept, label.data, label.len);
	push(x, indent);
	indent_more(x);
	t->keep_indent = true;
	t->drop_blanks = false;
	if (list == RD_ARGUMENTS) {
		put_right(x, SLICE_BUF(&kept), ": ", t->indent);
		return;
	}
	rd_fill_words(x->fill, "", 0);
	for (int i = 0; i < indent; i++)
		put(x, " ");
	rd_fill_put(x->fill, kept.data, kept.len);
	for (int i = (int)rd_columns(kept.data, kept.len); i <= t->indent; i++)
		put(x, " ");
	if ((int)rd_columns(kept.data, kept.len) > t->indent)
		put(x, " ");
}

static void item(struct rd_writer *w, enum rd_block list, enum rd_item part)
{
	struct text *x = as_text(w);
	switch (part) {
	case RD_ITEM: begin_item(x, list); break;
	case RD_LABEL:
		rd_fill_blank(x->fill, 1);
		capture(x);
		rd_fill_now(x->fill)->drop_blanks = true;
		break;
	case RD_BODY: begin_body(x, list); break;
	case RD_ITEM_END:
		if (list == RD_ARGUMENTS || list == RD_DESCRIBE) {
			rd_fill_blank(x->fill, 0);
			rd_fill_now(x->fill)->indent = pop(x);
		}
		break;
	}
}

/* ---- tables ---- */

static void table(struct rd_writer *w, enum rd_table part, char align)
{
	struct text *x = as_text(w);
	switch (part) {
	case RD_TABLE:
		x->failed |= x->in_table; /* a table in a table */
		x->in_table = true;
		rd_cells_begin(x->cells);
		break;
	case RD_CELL:
		x->align = align;
		capture(x);
		rd_fill_now(x->fill)->drop_blanks = true;
		break;
	case RD_CELL_END:
		if (!rd_cells_add(x->cells, captured(x), x->align))
			x->failed = true;
		break;
	case RD_ROW_END: rd_cells_end_row(x->cells); break;
	case RD_TABLE_END:
		rd_cells_put(x->cells, x->fill);
		x->in_table = false;
		break;
	default: break;
	}
}

/* ---- sections ---- */

/* A title has no typography: no dashes, and quotes as they are typed. */
static void put_title(struct text *x, struct slice s)
{
	static struct buf plain = {.max = BUF_MAX_SMALL}, lines = {.max = BUF_MAX_SMALL};
	buf_clear(&plain);
	buf_clear(&lines);
	for (size_t i = 0; i < s.len; i++) {
		bool twice = i + 1 < s.len && s.data[i] == s.data[i + 1] && strchr("`'", s.data[i]);
		buf_putc(&plain, twice ? '"' : s.data[i] == '`' ? '\'' : s.data[i]);
		i += twice;
	}
	rd_fill_paragraph(&lines, SLICE_BUF(&plain), x->fill->width, 0, 0);
	rd_fill_put(x->fill, lines.data, lines.len > 0 ? lines.len - 1 : 0);
}

static void section(struct rd_writer *w, enum rd_section part, int level, bool code)
{
	struct text *x = as_text(w);
	struct rd_fill_state *t;
	if (part == RD_TITLE) {
		rd_fill_blank(x->fill, level > 0 ? 1 : 0);
		t = rd_fill_now(x->fill);
		push(x, t->indent);
		t->indent = SECTION_INDENT + 2 * level;
		capture(x);
		x->title = true;
	} else if (part == RD_CONTENT) {
		struct slice title = captured(x);
		t = rd_fill_now(x->fill);
		x->title = false;
		rd_fill_lines(x->fill, "", 0);
		t->keep_indent = true;
		t->drop_blanks = false;
		for (int i = 0; i < 2 * level; i++)
			put(x, " ");
		put_title(x, title);
		put(x, ":");
		rd_fill_blank(x->fill, 1);
		t->keep_indent = false;
		t->keep_lines = code;
	} else {
		rd_fill_blank(x->fill, 1);
		t = rd_fill_now(x->fill);
		t->indent = pop(x);
		t->keep_lines = false;
	}
}

/* ---- the page ---- */

static void begin(struct rd_writer *w, const char *name, const char *package)
{
	static const char right[] = "R Documentation";
	struct text *x = as_text(w);
	if (!*package)
		return;
	int pad = x->fill->width - 2 -
		  (int)(rd_columns(name, strlen(name)) + strlen("package:") + strlen(package) + strlen(right));
	pad = pad > 0 ? pad : 0;
	buf_puts(w->out, name);
	rd_fill_pad(w->out, pad / 2);
	buf_printf(w->out, "package:%s", package);
	rd_fill_pad(w->out, pad - pad / 2);
	buf_printf(w->out, "%s\n\n", right);
}

static void title(struct rd_writer *w, bool open)
{
	struct text *x = as_text(w);
	x->title = open;
	if (open) {
		capture(x);
		return;
	}
	struct slice s = captured(x);
	rd_fill_lines(x->fill, "", 0);
	put_title(x, s);
	rd_fill_blank(x->fill, 1);
}

static void end(struct rd_writer *w)
{
	rd_fill_blank(as_text(w)->fill, 0);
}

bool rd_write_text(const struct rd_page *p, struct buf *out)
{
	static struct rd_fill fill;
	static struct rd_cells cells;
	struct text x = {.w = {.out = out,
			       .format = "text",
			       .begin = begin,
			       .title = title,
			       .text = text,
			       .verbatim = verbatim,
			       .raw = raw,
			       .style = style,
			       .link = link_to,
			       .line_break = line_break,
			       .section = section,
			       .block = block,
			       .item = item,
			       .table = table,
			       .figure = figure,
			       .end = end},
			 .fill = &fill,
			 .cells = &cells};
	rd_fill_begin(&fill, out, p->width * 9 / 10);
	bool done = rd_walk(p, &x.w) && !x.failed && fill.depth == 0;
	while (out->len > 0 && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	return done;
}
