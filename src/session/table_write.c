/* table_write.c: a table in the languages of documents. */
#include "session/display.h"

#include "base/utf8.h"

static bool gap_before(int gap, int i)
{
	return gap == i && gap >= 0;
}

static const char *cell(const struct table *t, int i, int j)
{
	return t->cells[(size_t)j * (size_t)t->rows + (size_t)i];
}

/* ---- HTML ---- */

static void escape_html(struct buf *out, const char *s)
{
	for (; *s; s++) {
		size_t plain = strcspn(s, "&<>\"");
		buf_put(out, s, plain);
		s += plain;
		if (!*s)
			break;
		buf_puts(out, *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&quot;");
	}
}

/* Blanks that HTML would drop. */
static bool has_layout(const char *s)
{
	return *s == ' ' || strchr(s, '\n') || strchr(s, '\t') || strstr(s, "  ");
}

static void html_cell(struct buf *out, const char *tag, const char *attributes, const char *text)
{
	const char *style = has_layout(text) ? " style=\"white-space:pre-wrap\"" : "";
	buf_printf(out, "<%s%s%s>", tag, attributes, style);
	escape_html(out, text);
	buf_printf(out, "</%s>", tag);
}

static void html_header(const struct table *t, const char **texts, const char *attributes, struct buf *out)
{
	buf_puts(out, "\t<tr>");
	if (t->row_names)
		buf_puts(out, "<th></th>");
	for (int j = 0; j < t->cols; j++) {
		if (gap_before(t->col_gap, j))
			html_cell(out, "th", attributes, "⋯");
		if (texts == t->col_types) {
			buf_printf(out, "<th%s>&lt;", attributes);
			escape_html(out, texts[j]);
			buf_puts(out, "&gt;</th>");
		} else {
			html_cell(out, "th", attributes, texts[j]);
		}
	}
	buf_puts(out, "</tr>\n");
}

static void html_gap(const struct table *t, struct buf *out)
{
	buf_puts(out, "\t<tr>");
	if (t->row_names)
		html_cell(out, "th", " scope=\"row\"", "⋮");
	for (int j = 0; j < t->cols; j++) {
		if (gap_before(t->col_gap, j))
			html_cell(out, "td", "", "⋱");
		html_cell(out, "td", "", "⋮");
	}
	buf_puts(out, "</tr>\n");
}

static void html_row(const struct table *t, int i, struct buf *out)
{
	buf_puts(out, "\t<tr>");
	if (t->row_names)
		html_cell(out, "th", " scope=\"row\"", t->row_names[i]);
	for (int j = 0; j < t->cols; j++) {
		if (gap_before(t->col_gap, j))
			html_cell(out, "td", "", "⋯");
		html_cell(out, "td", "", cell(t, i, j));
	}
	buf_puts(out, "</tr>\n");
}

void table_html_title(const char *title, struct buf *out)
{
	buf_puts(out, "<p><strong>");
	escape_html(out, title);
	buf_puts(out, "</strong></p>\n");
}

void table_html(const struct table *t, struct buf *out)
{
	buf_puts(out, "<table class=\"dataframe\">\n<caption style=\"white-space:nowrap\">");
	escape_html(out, t->caption);
	buf_puts(out, "</caption>\n");
	if (t->col_names || t->col_types) {
		buf_puts(out, "<thead>\n");
		if (t->col_names)
			html_header(t, t->col_names, " scope=\"col\"", out);
		if (t->col_types)
			html_header(t, t->col_types, " scope=\"col\"", out);
		buf_puts(out, "</thead>\n");
	}
	buf_puts(out, "<tbody>\n");
	for (int i = 0; i < t->rows; i++) {
		if (gap_before(t->row_gap, i))
			html_gap(t, out);
		html_row(t, i, out);
	}
	buf_puts(out, "</tbody>\n</table>\n");
}

/* ---- Markdown: a table of pipes ---- */

static void escape_markdown(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			buf_puts(out, "<br>");
		else if (*s == '&' || *s == '<' || *s == '>')
			buf_puts(out, *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : "&gt;");
		else if (strchr("\\`*_[]|$~", *s))
			buf_printf(out, "\\%c", *s);
		else
			buf_putc(out, *s);
	}
}

static void markdown_cell(struct buf *out, const char *s)
{
	buf_putc(out, ' ');
	escape_markdown(out, s);
	buf_puts(out, " |");
}

static void markdown_row(const struct table *t, int i, struct buf *out)
{
	buf_putc(out, '|');
	if (t->row_names)
		markdown_cell(out, t->row_names[i]);
	for (int j = 0; j < t->cols; j++) {
		if (gap_before(t->col_gap, j))
			markdown_cell(out, "⋯");
		markdown_cell(out, cell(t, i, j));
	}
	buf_putc(out, '\n');
}

static int columns(const struct table *t)
{
	return t->cols + (t->row_names != NULL) + (t->col_gap >= 0);
}

static void markdown_header(const struct table *t, struct buf *out)
{
	buf_putc(out, '|');
	if (t->row_names)
		markdown_cell(out, "");
	for (int j = 0; j < t->cols; j++) {
		if (gap_before(t->col_gap, j))
			markdown_cell(out, "⋯");
		buf_putc(out, ' ');
		escape_markdown(out, t->col_names ? t->col_names[j] : "");
		if (t->col_types) {
			buf_puts(out, " &lt;");
			escape_markdown(out, t->col_types[j]);
			buf_puts(out, "&gt;");
		}
		buf_puts(out, " |");
	}
	buf_puts(out, "\n|");
	for (int j = 0; j < columns(t); j++)
		buf_puts(out, "---|");
	buf_putc(out, '\n');
}

void table_markdown_title(const char *title, struct buf *out)
{
	buf_puts(out, "\n**");
	escape_markdown(out, title);
	buf_puts(out, "**\n");
}

void table_markdown(const struct table *t, struct buf *out)
{
	buf_putc(out, '\n');
	escape_markdown(out, t->caption);
	buf_puts(out, "\n\n");
	markdown_header(t, out);
	for (int i = 0; i < t->rows; i++) {
		if (gap_before(t->row_gap, i)) {
			buf_putc(out, '|');
			for (int j = 0; j < columns(t); j++)
				markdown_cell(out, "⋮");
			buf_putc(out, '\n');
		}
		markdown_row(t, i, out);
	}
	buf_putc(out, '\n');
}

/* ---- LaTeX ---- */

static void escape_latex(struct buf *out, const char *s)
{
	static const struct {
		char c;
		const char *as;
	} special[] = {{'\\', "\\textbackslash{}"},
		       {'{', "\\{"},
		       {'}', "\\}"},
		       {'$', "\\$"},
		       {'^', "\\textasciicircum{}"},
		       {'_', "\\_"},
		       {'%', "\\%"},
		       {'#', "\\#"},
		       {'&', "\\&"},
		       {'~', "\\textasciitilde{}"},
		       {'[', "{[}"},
		       {']', "{]}"},
		       {'|', "\\textbar{}"},
		       {'<', "\\textless{}"},
		       {'>', "\\textgreater{}"},
		       {'\n', " "}};
	for (; *s; s++) {
		size_t i = 0;
		while (i < ARRAY_LEN(special) && special[i].c != *s)
			i++;
		if (i < ARRAY_LEN(special))
			buf_puts(out, special[i].as);
		else
			buf_putc(out, *s);
	}
}

/* LaTeX breaks a table neither at the end of a page nor at that of a line. A large one is written as several, as print() does with columns
 * that do not fit; long texts get a column in which lines are broken. */
#define LATEX_ROWS 40
#define LATEX_CHARS 78 /* of a line at the usual 11 points */
#define LATEX_TEXT 40  /* a text that is longer gets such a column, as wide as this many */

struct part {
	int row, row_end, col, col_end;
};

static void widen(int *width, const char *s)
{
	size_t n = utf8_count(s, strlen(s));
	if ((int)n > *width)
		*width = n > LATEX_CHARS ? LATEX_CHARS : (int)n;
}

/* In characters, with the space beside it; of the row names if j is negative. */
static int latex_width(const struct table *t, int j)
{
	int width = 1;
	if (j >= 0 && t->col_names)
		widen(&width, t->col_names[j]);
	for (int i = 0; i < t->rows; i++)
		widen(&width, j < 0 ? t->row_names[i] : cell(t, i, j));
	return width + 2;
}

/* The columns of a part that begins with column `col`: at least one. Appends their types to `spec`. */
static int latex_columns(const struct table *t, int col, struct buf *spec)
{
	int used = t->row_names ? latex_width(t, -1) : 0, j = col;
	buf_puts(spec, t->row_names ? "r|" : "");
	for (; j < t->cols; j++) {
		int width = latex_width(t, j);
		bool text = width > LATEX_TEXT + 2;
		used += (text ? LATEX_TEXT + 2 : width) + 3 * gap_before(t->col_gap, j);
		if (j > col && used > LATEX_CHARS)
			break;
		buf_puts(spec, gap_before(t->col_gap, j) ? "l" : "");
		buf_puts(spec, text ? "p{0.5\\linewidth}" : "l");
	}
	return j;
}

/* A line of the header if i is negative, else row i. */
static void latex_line(const struct table *t, const struct part *p, int i, const char **header, struct buf *out)
{
	buf_putc(out, '\t');
	if (t->row_names) {
		escape_latex(out, i < 0 ? "" : t->row_names[i]);
		buf_puts(out, " & ");
	}
	for (int j = p->col; j < p->col_end; j++) {
		if (gap_before(t->col_gap, j))
			buf_puts(out, "$\\cdots$ & ");
		escape_latex(out, i < 0 ? header[j] : cell(t, i, j));
		buf_puts(out, j + 1 < p->col_end ? " & " : "\\\\\n");
	}
}

static void latex_gap(const struct table *t, const struct part *p, struct buf *out)
{
	int n = p->col_end - p->col + !!t->row_names;
	for (int j = p->col; j < p->col_end; j++)
		n += gap_before(t->col_gap, j);
	buf_putc(out, '\t');
	for (int j = 0; j < n; j++)
		buf_puts(out, j + 1 < n ? "$\\vdots$ & " : "$\\vdots$\\\\\n");
}

static void latex_part(const struct table *t, const struct part *p, const char *spec, struct buf *out)
{
	buf_printf(out, "\n\\noindent\\begin{tabular}{%s}\n", spec);
	if (t->col_names)
		latex_line(t, p, -1, t->col_names, out);
	if (t->col_types)
		latex_line(t, p, -1, t->col_types, out);
	if (t->col_names || t->col_types)
		buf_puts(out, "\\hline\n");
	for (int i = p->row; i < p->row_end; i++) {
		if (gap_before(t->row_gap, i))
			latex_gap(t, p, out);
		latex_line(t, p, i, NULL, out);
	}
	buf_puts(out, "\\end{tabular}\n");
}

void table_latex_title(const char *title, struct buf *out)
{
	buf_puts(out, "\n\\textbf{");
	escape_latex(out, title);
	buf_puts(out, "}\n\n");
}

void table_latex(const struct table *t, struct buf *out)
{
	struct buf spec = BUF_INIT(BUF_MAX_SMALL);
	struct part p = {0};
	escape_latex(out, t->caption);
	buf_putc(out, '\n');
	for (p.col = 0; p.col < t->cols; p.col = p.col_end) {
		buf_clear(&spec);
		p.col_end = latex_columns(t, p.col, &spec);
		for (p.row = 0;; p.row = p.row_end) {
			p.row_end = t->rows - p.row > LATEX_ROWS ? p.row + LATEX_ROWS : t->rows;
			latex_part(t, &p, spec.data, out);
			if (p.row_end >= t->rows)
				break;
		}
	}
	buf_release(&spec);
}
