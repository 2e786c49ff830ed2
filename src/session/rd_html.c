/* rd_html.c: help pages as HTML that stands in a notebook: a fragment, with what style it needs in the elements themselves, as front ends have rules of
 * their own for tables and cut style sheets out. Links lead to the web only: other pages of help are not where the notebook is.
 *
 * Formulas are TeX between \( and \), which JupyterLab, the Notebook and exports of notebooks typeset; those that are plain
 * words are just slanted, so that nothing is wrong with them elsewhere. A dollar sign stands in an element of its own: two of them in a
 * paragraph would be taken for a formula. */
#include "session/rd_writer.h"

struct html {
	struct rd_writer w;
	int flow;      /* 0: no paragraphs here; 1: none is open; 2: one is open */
	int saved[64]; /* flow around what is open */
	int n_saved;
	bool at_start; /* of a line of the source */
	bool bare;     /* the first paragraph of an item goes without tags */
	size_t math;   /* where a formula begins, behind its tag */
};

enum { NO_PARAGRAPHS, CLOSED, OPENED };

/* ---- paragraphs ---- */

static struct html *as_html(struct rd_writer *w)
{
	return (struct html *)w;
}

static void need_paragraph(struct html *h)
{
	h->at_start = false;
	if (h->flow != CLOSED)
		return;
	if (!h->bare)
		buf_puts(h->w.out, "<p>");
	h->flow = OPENED;
}

/* `bare` is true while the first paragraph of an item is open. */
static void end_paragraph(struct html *h)
{
	if (h->flow != OPENED)
		return;
	buf_puts(h->w.out, h->bare ? "\n" : "</p>\n");
	h->bare = false;
	h->flow = CLOSED;
}

static void enter(struct html *h, int flow)
{
	if (h->n_saved < (int)ARRAY_LEN(h->saved))
		h->saved[h->n_saved] = h->flow | (h->bare ? 4 : 0);
	h->n_saved++;
	h->flow = flow;
	h->bare = false;
}

static void leave(struct html *h)
{
	end_paragraph(h);
	h->n_saved--;
	int saved = h->n_saved < (int)ARRAY_LEN(h->saved) ? h->saved[h->n_saved] : CLOSED;
	h->flow = saved & 3;
	h->bare = saved & 4;
}

/* ---- text ---- */

static void put_char(struct buf *out, char c)
{
	switch (c) {
	case '&': buf_puts(out, "&amp;"); break;
	case '<': buf_puts(out, "&lt;"); break;
	case '>': buf_puts(out, "&gt;"); break;
	case '"': buf_puts(out, "&quot;"); break;
	default: buf_putc(out, c); break;
	}
}

static void put_escaped(struct buf *out, const char *s, size_t n)
{
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		if (!strchr("&<>\"", s[i]) || !s[i])
			continue;
		buf_put(out, s + from, i - from);
		put_char(out, s[i]);
		from = i + 1;
	}
	buf_put(out, s + from, n - from);
}

static bool begins(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);
	return (size_t)(end - s) >= n && memcmp(s, with, n) == 0;
}

/* Quotes and dashes are written as TeX has them. Returns how many bytes were read. */
static size_t put_running(struct buf *out, const char *s, const char *end)
{
	static const struct {
		const char *from, *to;
	} signs[] = {{"---", "\u2014"}, {"--", "\u2013"}, {"``", "\u201c"}, {"''", "\u201d"}};
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (begins(s, end, signs[i].from)) {
			buf_puts(out, signs[i].to);
			return strlen(signs[i].from);
		}
	if (*s == '$')
		buf_puts(out, "<span>$</span>");
	else
		put_char(out, *s == '`' ? '\'' : *s);
	return 1;
}

static void put_typography(struct buf *out, const char *s, const char *end)
{
	const char *close = NULL; /* of `quoted' text */
	while (s < end) {
		if (s == close) {
			buf_puts(out, "\u2019");
			close = NULL;
			s++;
		} else if (!strchr("-`'&<>\"$", *s)) {
			buf_putc(out, *s++);
		} else if (!close && *s == '`' && !begins(s, end, "``") &&
			   (close = memchr(s, '\'', (size_t)(end - s)))) {
			buf_puts(out, "\u2018");
			s++;
		} else {
			s += put_running(out, s, end);
		}
	}
}

static bool is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\n\r\f\v", s[i]))
			return false;
	return true;
}

static void text(struct rd_writer *w, const char *s, size_t n)
{
	struct html *h = as_html(w);
	const char *end = s + n;
	bool blank = is_blank(s, n), line_ends = n > 0 && s[n - 1] == '\n';
	if (blank && line_ends && h->at_start)
		end_paragraph(h);
	if (blank && h->flow == CLOSED) {
		h->at_start = h->at_start || line_ends;
		return;
	}
	if (!blank)
		need_paragraph(h);
	put_typography(w->out, s, end);
	h->at_start = line_ends || (blank && h->at_start);
}

static void verbatim(struct rd_writer *w, const char *s, size_t n)
{
	need_paragraph(as_html(w));
	put_escaped(w->out, s, n);
}

static void raw(struct rd_writer *w, const char *s, size_t n)
{
	need_paragraph(as_html(w));
	buf_put(w->out, s, n);
}

/* ---- what is within a line ---- */

static const struct {
	const char *open, *close;
} styles[RD_STYLES] = {
    [RD_PLAIN] = {"", ""},
    [RD_ACRONYM] = {"<abbr>", "</abbr>"},
    [RD_BOLD] = {"<b>", "</b>"},
    [RD_CITE] = {"<cite>", "</cite>"},
    [RD_CODE] = {"<code>", "</code>"},
    [RD_COMMAND] = {"<code>", "</code>"},
    [RD_DFN] = {"<dfn>", "</dfn>"},
    [RD_DQUOTE] = {"\u201c", "\u201d"},
    [RD_EMPH] = {"<em>", "</em>"},
    [RD_ENV] = {"<code>", "</code>"},
    [RD_FILE] = {"\u2018<code>", "</code>\u2019"},
    [RD_KBD] = {"<kbd>", "</kbd>"},
    [RD_MATH] = {"<span class=\"math\">\\(", "\\)</span>"},
    [RD_OPTION] = {"<code>", "</code>"},
    [RD_PKG] = {"<b>", "</b>"},
    [RD_SAMP] = {"\u2018<code>", "</code>\u2019"},
    [RD_SQUOTE] = {"\u2018", "\u2019"},
    [RD_STRONG] = {"<strong>", "</strong>"},
    [RD_VAR] = {"<var>", "</var>"},
    [RD_VERB] = {"<code style=\"white-space:pre-wrap\">", "</code>"},
};

static bool is_word(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr("\\^_{}$~&", s[i]))
			return false;
	return true;
}

/* A formula that TeX is not needed for. */
static void end_math(struct html *h)
{
	static const char tag[] = "<span class=\"math\">\\(";
	struct buf *out = h->w.out;
	if (out->failed || h->math < sizeof tag - 1 || !is_word(out->data + h->math, out->len - h->math)) {
		buf_puts(out, styles[RD_MATH].close);
		return;
	}
	size_t n = out->len - h->math, at = h->math - (sizeof tag - 1);
	memmove(out->data + at + 3, out->data + h->math, n);
	memcpy(out->data + at, "<i>", 3);
	out->len = at + 3 + n;
	out->data[out->len] = '\0';
	buf_puts(out, "</i>");
}

static void style(struct rd_writer *w, enum rd_style style, bool open)
{
	struct html *h = as_html(w);
	if (open) {
		need_paragraph(h);
		enter(h, NO_PARAGRAPHS);
		buf_puts(w->out, styles[style].open);
		h->math = w->out->len;
		return;
	}
	if (style == RD_MATH)
		end_math(h);
	else
		buf_puts(w->out, styles[style].close);
	leave(h);
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~:/?#[]@!$&'()*+,;=%", c));
}

static void put_address(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_unreserved(s[i]))
			buf_printf(out, "%%%02X", (unsigned char)s[i]);
		else if (s[i] == '&')
			buf_puts(out, "&amp;");
		else
			buf_putc(out, s[i]);
	}
}

static void link_to(struct rd_writer *w, enum rd_link kind, const char *url, size_t n, bool open)
{
	struct html *h = as_html(w);
	if (!open) {
		buf_puts(w->out, "</a>");
		leave(h);
		return;
	}
	need_paragraph(h);
	enter(h, NO_PARAGRAPHS);
	buf_puts(w->out, kind == RD_EMAIL ? "<a href=\"mailto:" : "<a target=\"_blank\" rel=\"noopener\" href=\"");
	put_address(w->out, url, n);
	buf_puts(w->out, "\">");
}

static void line_break(struct rd_writer *w)
{
	need_paragraph(as_html(w));
	buf_puts(w->out, "<br>\n");
}

/* Files are put into the page by whoever knows where they are (modules/help.R). */
static void figure(struct rd_writer *w, const char *file, const char *alt)
{
	need_paragraph(as_html(w));
	buf_puts(w->out, "<img style=\"max-width:100%\" src=\"figures/");
	put_address(w->out, file, strlen(file));
	buf_puts(w->out, "\" alt=\"");
	put_escaped(w->out, *alt ? alt : file, strlen(*alt ? alt : file));
	buf_puts(w->out, "\">");
}

/* ---- blocks ---- */

#define HEADING(level) ((level) < 3 ? (level) + 3 : 6)

static void section(struct rd_writer *w, enum rd_section part, int level, bool code)
{
	struct html *h = as_html(w);
	if (part == RD_TITLE) {
		end_paragraph(h);
		buf_printf(w->out, "\n<h%d>", HEADING(level));
		enter(h, NO_PARAGRAPHS);
	} else if (part == RD_CONTENT) {
		leave(h);
		buf_printf(w->out, "</h%d>\n%s", HEADING(level), code ? "<pre><code class=\"language-R\">" : "");
		enter(h, code ? NO_PARAGRAPHS : CLOSED);
		h->at_start = true;
	} else {
		leave(h);
		buf_puts(w->out, code ? "</code></pre>\n" : "");
	}
}

#define CELL "text-align:left;vertical-align:top"

static void block(struct rd_writer *w, enum rd_block block, bool open)
{
	static const char *const tags[RD_BLOCKS][2] = {
	    [RD_ITEMIZE] = {"<ul>\n", "</ul>\n"},
	    [RD_ENUMERATE] = {"<ol>\n", "</ol>\n"},
	    [RD_DESCRIBE] = {"<dl>\n", "</dl>\n"},
	    [RD_ARGUMENTS] = {"<table style=\"margin:0\">\n", "</table>\n"},
	    [RD_PREFORMATTED] = {"<pre>", "</pre>\n"},
	    [RD_DEQN] = {"<p style=\"text-align:center\"><span class=\"math\">\\[", "\\]</span></p>\n"},
	};
	struct html *h = as_html(w);
	if (open) {
		end_paragraph(h);
		buf_puts(w->out, tags[block][0]);
		enter(h, NO_PARAGRAPHS);
	} else {
		leave(h);
		buf_puts(w->out, tags[block][1]);
		h->at_start = false;
	}
}

static void begin_body(struct html *h)
{
	enter(h, CLOSED);
	h->bare = true;
	h->at_start = false;
}

static void item(struct rd_writer *w, enum rd_block list, enum rd_item part)
{
	struct html *h = as_html(w);
	bool table = list == RD_ARGUMENTS, labelled = table || list == RD_DESCRIBE;
	switch (part) {
	case RD_ITEM: buf_puts(w->out, "<li>"); break;
	case RD_LABEL:
		buf_puts(w->out, table ? "<tr><td style=\"" CELL ";white-space:nowrap\"><code>" : "<dt>");
		enter(h, NO_PARAGRAPHS);
		return;
	case RD_BODY:
		leave(h);
		buf_puts(w->out, table ? "</code></td><td style=\"" CELL "\">" : "</dt><dd>");
		break;
	case RD_ITEM_END:
		leave(h);
		buf_puts(w->out, table ? "</td></tr>\n" : labelled ? "</dd>\n" : "</li>\n");
		return;
	}
	begin_body(h);
}

static void table(struct rd_writer *w, enum rd_table part, char align)
{
	struct html *h = as_html(w);
	switch (part) {
	case RD_TABLE:
		end_paragraph(h);
		buf_puts(w->out, "<table>\n");
		enter(h, NO_PARAGRAPHS);
		break;
	case RD_ROW: buf_puts(w->out, "<tr>"); break;
	case RD_CELL:
		buf_printf(w->out, "<td style=\"text-align:%s;vertical-align:top\">",
			   align == 'l'   ? "left"
			   : align == 'c' ? "center"
					  : "right");
		break;
	case RD_CELL_END: buf_puts(w->out, "</td>"); break;
	case RD_ROW_END: buf_puts(w->out, "</tr>\n"); break;
	case RD_TABLE_END:
		leave(h);
		buf_puts(w->out, "</table>\n");
		break;
	}
}

/* ---- the page ---- */

static void begin(struct rd_writer *w, const char *name, const char *package)
{
	buf_puts(w->out, "<div>");
	if (*package) {
		buf_puts(w->out, "<div style=\"opacity:.7\"><span style=\"float:right\">R Documentation</span>");
		put_escaped(w->out, name, strlen(name));
		buf_puts(w->out, " {");
		put_escaped(w->out, package, strlen(package));
		buf_puts(w->out, "}</div>\n");
	}
}

static void title(struct rd_writer *w, bool open)
{
	struct html *h = as_html(w);
	if (open)
		enter(h, NO_PARAGRAPHS);
	else
		leave(h);
	buf_puts(w->out, open ? "<h2>" : "</h2>\n");
}

static void end(struct rd_writer *w)
{
	end_paragraph(as_html(w));
	buf_puts(w->out, "</div>");
}

bool rd_write_html(const struct rd_page *p, struct buf *out)
{
	struct html h = {.w = {.out = out,
			       .format = "html",
			       .tex = true,
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
			 .flow = CLOSED};
	struct rd_page page = *p;
	if (p->brief)
		page.package = "";
	return rd_walk(&page, &h.w) && h.n_saved == 0;
}
