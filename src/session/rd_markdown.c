/* rd_markdown.c: help pages as Markdown (GitHub's, with formulas between dollars), for clients that show it beside code. */
#include "session/rd_writer.h"

struct markdown {
	struct rd_writer w;
	bool line_start;  /* of the source */
	bool space;       /* blanks have come that are not yet written */
	int breaks;       /* line breaks, likewise */
	int indent;       /* of items in items */
	int code;         /* depth of code within a line */
	bool kept;        /* usage, examples, preformatted text: as it is */
	bool cell;        /* of a table */
	int number[16];   /* of items; 0: a list without numbers */
	int depth;        /* of lists */
	size_t code_from; /* where code begins */
	size_t columns;
	bool first_row;
	bool fresh; /* behind the sign of an item: blanks are not wanted */
};

static struct markdown *as_markdown(struct rd_writer *w)
{
	return (struct markdown *)w;
}

static void want_break(struct markdown *m, int n)
{
	if (m->breaks < n && !m->cell)
		m->breaks = n;
	m->space = m->space || m->cell;
	m->line_start = true;
}

/* What lies between what has been written and what comes. */
static void settle(struct markdown *m)
{
	struct buf *out = m->w.out;
	if (m->breaks > 0 && out->len > 0) {
		for (int i = 0; i < m->breaks; i++)
			buf_putc(out, '\n');
		for (int i = 0; i < m->indent; i++)
			buf_putc(out, ' ');
	} else if (m->space && !m->fresh && out->len > 0) {
		buf_putc(out, ' ');
	}
	m->breaks = 0;
	m->space = m->fresh = false;
}

static void put(struct markdown *m, const char *s)
{
	settle(m);
	buf_puts(m->w.out, s);
	m->line_start = false;
}

/* ---- text ---- */

static void words(struct markdown *m, const char *s, size_t n, const char *escaped)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n' && m->line_start && !m->code)
			want_break(m, 2);
		if (strchr(" \t\n", s[i])) {
			m->space = m->breaks == 0;
			m->line_start = m->line_start || s[i] == '\n';
			continue;
		}
		settle(m);
		m->line_start = false;
		if (strchr(escaped, s[i]))
			buf_putc(m->w.out, '\\');
		buf_putc(m->w.out, s[i]);
	}
}

static void text(struct rd_writer *w, const char *s, size_t n)
{
	words(as_markdown(w), s, n, as_markdown(w)->code ? "" : "*<\\");
}

static void verbatim(struct rd_writer *w, const char *s, size_t n)
{
	struct markdown *m = as_markdown(w);
	if (!m->kept) {
		words(m, s, n, m->code ? "" : "*<");
		return;
	}
	settle(m);
	for (size_t i = 0; i < n; i++) {
		buf_putc(w->out, s[i]);
		for (int k = 0; s[i] == '\n' && k < m->indent; k++)
			buf_putc(w->out, ' ');
	}
}

/* The last line of what is kept has its end. */
static void end_fence(struct markdown *m)
{
	struct buf *out = m->w.out;
	size_t n = out->len;
	while (n > 0 && out->data[n - 1] == ' ')
		n--;
	if (!out->failed && n > 0 && out->data[n - 1] == '\n')
		m->breaks = 0;
	else
		want_break(m, 1);
	m->kept = m->space = false;
	put(m, "```");
	want_break(m, 2);
}

/* ---- what is within a line ---- */

static bool is_code(enum rd_style style)
{
	static const enum rd_style codes[] = {RD_CODE,   RD_COMMAND, RD_ENV,  RD_FILE, RD_KBD,
					      RD_OPTION, RD_PKG,     RD_SAMP, RD_VERB};
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (style == codes[i])
			return true;
	return false;
}

/* Code in which there is a backtick stands between two. */
static void end_code(struct markdown *m)
{
	struct buf *out = m->w.out;
	size_t n = out->len - m->code_from;
	if (out->failed || !n || !memchr(out->data + m->code_from, '`', n)) {
		buf_putc(out, '`');
		return;
	}
	if (!buf_room(out, 5))
		return;
	memmove(out->data + m->code_from + 2, out->data + m->code_from, n);
	memcpy(out->data + m->code_from, "` ", 2);
	out->len += 2;
	buf_puts(out, " ``");
}

static void code(struct markdown *m, bool open)
{
	m->code += open ? 1 : -1;
	if (open && m->code == 1) {
		put(m, "`");
		m->code_from = m->w.out->len;
	} else if (!open && m->code == 0) {
		m->space = false;
		end_code(m);
	}
}

static void style(struct rd_writer *w, enum rd_style style, bool open)
{
	static const char *const marks[RD_STYLES] = {
	    [RD_BOLD] = "**", [RD_STRONG] = "**", [RD_CITE] = "*", [RD_DFN] = "*",
	    [RD_EMPH] = "*",  [RD_VAR] = "*",     [RD_MATH] = "$"};
	struct markdown *m = as_markdown(w);
	if (m->kept)
		return;
	if (is_code(style)) {
		code(m, open);
		return;
	}
	const char *mark = style == RD_SQUOTE   ? (open ? "\u2018" : "\u2019")
			   : style == RD_DQUOTE ? (open ? "\u201c" : "\u201d")
						: marks[style];
	if (style == RD_MATH)
		m->code += open ? 1 : -1; /* nothing is escaped */
	else if (m->code)
		return;
	if (!open)
		m->space = false;
	if (mark)
		put(m, mark);
}

static void link_to(struct rd_writer *w, enum rd_link kind, const char *url, size_t n, bool open)
{
	static struct buf address = {.max = BUF_MAX_SMALL}; /* of the link that is open */
	struct markdown *m = as_markdown(w);
	if (m->code || m->kept)
		return;
	if (open) {
		buf_clear(&address);
		buf_put(&address, url, n);
	}
	if (kind != RD_HREF)
		put(m, open ? "<" : ">");
	else if (open)
		put(m, "[");
	else
		buf_printf(w->out, "](%s)", address.data ? address.data : "");
}

static void line_break(struct rd_writer *w)
{
	struct markdown *m = as_markdown(w);
	if (!m->kept && !m->cell)
		put(m, "  ");
	want_break(m, 1);
	m->line_start = false;
}

static void figure(struct rd_writer *w, const char *file, const char *alt)
{
	words(as_markdown(w), alt, strlen(alt), "*<");
}

/* ---- blocks ---- */

static void open_list(struct markdown *m, bool numbers)
{
	want_break(m, m->depth > 0 ? 1 : 2);
	m->depth++;
	if (m->depth < (int)ARRAY_LEN(m->number))
		m->number[m->depth] = numbers ? 1 : 0;
}

static void close_list(struct markdown *m)
{
	m->depth--;
	want_break(m, m->depth > 0 ? 1 : 2);
}

static void block(struct rd_writer *w, enum rd_block block, bool open)
{
	struct markdown *m = as_markdown(w);
	switch (block) {
	case RD_PREFORMATTED:
		if (!open) {
			end_fence(m);
			break;
		}
		want_break(m, 2);
		put(m, "```");
		m->kept = true;
		verbatim(w, "\n", 1);
		break;
	case RD_DEQN:
		if (open)
			want_break(m, 2);
		m->code += open ? 1 : -1;
		m->space = m->space && open;
		put(m, "$$");
		if (!open)
			want_break(m, 2);
		break;
	default:
		if (open)
			open_list(m, block == RD_ENUMERATE);
		else
			close_list(m);
	}
}

static void item(struct rd_writer *w, enum rd_block list, enum rd_item part)
{
	struct markdown *m = as_markdown(w);
	int *number = m->depth < (int)ARRAY_LEN(m->number) ? &m->number[m->depth] : NULL;
	if (part == RD_ITEM || part == RD_LABEL) {
		if (m->breaks != 2)
			m->breaks = 0;
		want_break(m, 1);
		put(m, "");
		if (number && *number)
			buf_printf(w->out, "%d. ", (*number)++);
		else
			buf_puts(w->out, "- ");
		m->indent += 2;
	}
	if (list == RD_ARGUMENTS && (part == RD_LABEL || part == RD_BODY))
		code(m, part == RD_LABEL);
	if (part == RD_BODY)
		buf_puts(w->out, ": ");
	m->fresh = part == RD_ITEM || part == RD_BODY;
	if (part == RD_ITEM_END) {
		m->indent -= 2;
		m->breaks = 0;
		m->space = false;
		want_break(m, 1);
	} else {
		m->space = false;
		m->line_start = false;
	}
}

static void end_row(struct markdown *m)
{
	buf_puts(m->w.out, " |");
	if (m->first_row) {
		buf_putc(m->w.out, '\n');
		for (int i = 0; i < m->indent; i++)
			buf_putc(m->w.out, ' ');
		for (size_t i = 0; i < m->columns; i++)
			buf_puts(m->w.out, "|---");
		buf_putc(m->w.out, '|');
	}
	m->first_row = false;
	want_break(m, 1);
}

/* The first row stands as the head: Markdown has no table without one. */
static void table(struct rd_writer *w, enum rd_table part, char align)
{
	struct markdown *m = as_markdown(w);
	switch (part) {
	case RD_TABLE:
		want_break(m, 2);
		m->first_row = true;
		m->columns = 0;
		break;
	case RD_ROW: m->space = false; break;
	case RD_CELL:
		m->space = false;
		put(m, m->columns && m->cell ? " | " : "| ");
		m->columns += m->first_row;
		m->cell = true;
		break;
	case RD_CELL_END:
		m->space = false;
		m->breaks = 0;
		buf_puts(w->out, " ");
		break;
	case RD_ROW_END:
		m->cell = false;
		end_row(m);
		break;
	case RD_TABLE_END: want_break(m, 2); break;
	}
}

/* ---- sections ---- */

static void section(struct rd_writer *w, enum rd_section part, int level, bool is_code)
{
	struct markdown *m = as_markdown(w);
	if (part == RD_TITLE) {
		want_break(m, 2);
		put(m, level == 0 ? "## " : level == 1 ? "### " : "#### ");
		m->line_start = false;
	} else if (part == RD_CONTENT) {
		m->breaks = 0;
		want_break(m, 2);
		if (is_code)
			put(m, "```r\n");
		m->kept = is_code;
	} else {
		if (is_code)
			end_fence(m);
		m->kept = false;
		want_break(m, 2);
	}
}

static void begin(struct rd_writer *w, const char *name, const char *package)
{
}

static void title(struct rd_writer *w, bool open)
{
	struct markdown *m = as_markdown(w);
	if (open)
		put(m, "# ");
	else
		want_break(m, 2);
}

static void end(struct rd_writer *w)
{
}

bool rd_write_markdown(const struct rd_page *p, struct buf *out)
{
	struct markdown m = {.w = {.out = out,
				   .format = "text",
				   .tex = true,
				   .begin = begin,
				   .title = title,
				   .text = text,
				   .verbatim = verbatim,
				   .raw = verbatim,
				   .style = style,
				   .link = link_to,
				   .line_break = line_break,
				   .section = section,
				   .block = block,
				   .item = item,
				   .table = table,
				   .figure = figure,
				   .end = end}};
	return rd_walk(p, &m.w);
}
