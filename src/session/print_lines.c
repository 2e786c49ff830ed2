/* print_lines.c: the lines of a table, as R's printMatrix() (src/main/printarray.c) arranges them: as many columns side by side as
 * options(width) has room for, then the others below. */
#include "session/print.h"

#include "base/utf8.h"
#include "rapi/value.h"

#include <R_ext/PrtUtil.h>
#include <langinfo.h>

#define PIECE ((size_t)1 << 18) /* so much text is gathered before it goes to R's output, which may be a sink() */
#define ROWS_BETWEEN_LOOKS 256

static struct buf lines;

/* ---- text ---- */

/* What is shown as it is, each byte in a column. */
static bool is_simple(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e || *s == '\\')
			return false;
	return true;
}

/* Those that are not simple. R escapes them and says how wide they are. */
static bool encode_by_r(SEXP strings, const R_xlen_t *which, R_xlen_t n, struct print_text *to)
{
	SEXP some = PROTECT(Rf_allocVector(STRSXP, n));
	for (R_xlen_t i = 0; i < n; i++) {
		SEXP s = STRING_ELT(strings, which[i]);
		const char *text = Rf_getCharCE(s) == CE_BYTES ? "\xff" : Rf_translateCharUTF8(s);
		if (!utf8_valid(text, strlen(text))) {
			UNPROTECT(1);
			return false;
		}
		SET_STRING_ELT(some, i, Rf_mkCharCE(text, CE_UTF8));
	}
	SEXP both = PROTECT(r_call_module("encode_cells", 1, &some));
	SEXP texts = VECTOR_ELT(both, 0), widths = VECTOR_ELT(both, 1);
	for (R_xlen_t i = 0; i < n; i++) {
		const char *text = CHAR(STRING_ELT(texts, i));
		size_t size = strlen(text) + 1;
		to[which[i]] = (struct print_text){memcpy(R_alloc(size, 1), text, size), INTEGER(widths)[i]};
	}
	UNPROTECT(2);
	return true;
}

bool print_encode(SEXP strings, struct print_text *to)
{
	R_xlen_t n = XLENGTH(strings), others = 0, *which = NULL;
	for (R_xlen_t i = 0; i < n; i++) {
		SEXP s = STRING_ELT(strings, i);
		if (i > 0 && s == STRING_ELT(strings, i - 1) && to[i - 1].text) {
			to[i] = to[i - 1];
		} else if (s == NA_STRING) {
			to[i] = (struct print_text){"<NA>", 4};
		} else if (is_simple(CHAR(s))) {
			to[i] = (struct print_text){CHAR(s), LENGTH(s)};
		} else {
			to[i] = (struct print_text){NULL, 0};
			if (!which)
				which = (R_xlen_t *)R_alloc((size_t)n, sizeof *which);
			which[others++] = i;
		}
	}
	if (!others)
		return true;
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 && encode_by_r(strings, which, others, to);
}

/* ---- pieces of a line ---- */

static void put_blanks(int n)
{
	char *to = n > 0 ? buf_room(&lines, (size_t)n) : NULL;
	if (!to)
		return;
	memset(to, ' ', (size_t)n);
	buf_added(&lines, (size_t)n);
}

static void put_right(const char *text, int text_width, int width)
{
	put_blanks(width - text_width);
	buf_puts(&lines, text);
}

static void put_number(const char *text, int width)
{
	put_right(text, (int)strlen(text), width);
}

static void put_real(const struct print_column *c, double v, int width)
{
	char text[400];
	if (!R_FINITE(v)) {
		put_number(R_IsNA(v) ? "NA" : ISNAN(v) ? "NaN" : v > 0 ? "Inf" : "-Inf", width);
	} else if (c->exponent || *CHAR(STRING_ELT(r_option("OutDec"), 0)) != '.') {
		put_number(EncodeReal0(v, 0, c->decimals, c->exponent, CHAR(STRING_ELT(r_option("OutDec"), 0))), width);
	} else {
		snprintf(text, sizeof text, "%.*f", c->decimals, v == 0 ? 0.0 : v); /* no -0 */
		put_number(text, width);
	}
}

static void put_cell(const struct print_column *c, int row, int width)
{
	char text[16];
	int v = c->ints ? c->ints[row] : 0;
	switch (c->kind) {
	case PRINT_LOGICAL: put_number(v == NA_LOGICAL ? "NA" : v ? "TRUE" : "FALSE", width); break;
	case PRINT_INTEGER:
		snprintf(text, sizeof text, "%d", v);
		put_number(v == NA_INTEGER ? "NA" : text, width);
		break;
	case PRINT_REAL: put_real(c, c->reals[row], width); break;
	case PRINT_TEXT: put_right(c->texts[row].text, c->texts[row].width, width); break;
	}
}

static void put_row_label(const struct print_table *t, int row, int width)
{
	char text[24];
	int n;
	if (t->row_labels) {
		buf_puts(&lines, t->row_labels[row].text);
		put_blanks(width - t->row_labels[row].width);
	} else if (t->row_numbers) {
		n = snprintf(text, sizeof text, "%d", t->row_numbers[row]);
		buf_puts(&lines, text);
		put_blanks(width - n);
	} else {
		snprintf(text, sizeof text, "[%d,]", row + 1);
		put_number(text, width);
	}
}

/* ---- widths ---- */

static int widest(const struct print_text *texts, int n)
{
	int width = 0;
	for (int i = 0; i < n; i++)
		width = texts[i].width > width ? texts[i].width : width;
	return width;
}

static int column_width(const struct print_column *c, int rows)
{
	int width = c->kind == PRINT_TEXT ? widest(c->texts, rows) : c->width;
	return width > c->label.width ? width : c->label.width;
}

static int row_label_width(const struct print_table *t)
{
	int width = 0;
	if (t->row_labels)
		return widest(t->row_labels, t->rows);
	if (t->row_numbers) {
		formatInteger(t->row_numbers, t->rows, &width);
		return width;
	}
	return snprintf(NULL, 0, "[%d,]", t->rows + 1); /* R has room for one row more */
}

/* ---- ---- */

static void flush(size_t above)
{
	if (lines.failed)
		Rf_error("a line is longer than a message may be");
	if (lines.len <= above)
		return;
	Rprintf("%s", lines.data);
	buf_clear(&lines);
}

/* Columns from `first` up to the one before `end`. */
static void put_block(const struct print_table *t, int first, int end, const int *widths, int label_width)
{
	put_blanks(label_width);
	for (int j = first; j < end; j++)
		put_right(t->columns[j].label.text, t->columns[j].label.width, widths[j] + 1);
	for (int i = 0; i < t->rows; i++) {
		buf_putc(&lines, '\n');
		put_row_label(t, i, label_width);
		for (int j = first; j < end; j++)
			put_cell(&t->columns[j], i, widths[j] + 1);
		flush(i % ROWS_BETWEEN_LOOKS ? PIECE : 0);
		if (i % ROWS_BETWEEN_LOOKS == 0)
			R_CheckUserInterrupt(); /* may run code that prints a table, too: `lines` is empty */
	}
	buf_putc(&lines, '\n');
	flush(PIECE);
}

void print_lines(const struct print_table *t)
{
	int room = Rf_GetOptionWidth(), label_width = row_label_width(t);
	int *widths = (int *)R_alloc((size_t)t->cols, sizeof *widths);
	for (int j = 0; j < t->cols; j++)
		widths[j] = column_width(&t->columns[j], t->rows);
	if (!lines.max)
		buf_init(&lines, BUF_MAX_MESSAGE);
	buf_trim(&lines, 2 * PIECE);
	for (int first = 0, end; first < t->cols; first = end) {
		int width = label_width + widths[first] + 1;
		for (end = first + 1; end < t->cols && width + widths[end] + 1 < room; end++)
			width += widths[end] + 1;
		put_block(t, first, end, widths, label_width);
	}
	flush(0);
	buf_trim(&lines, 2 * PIECE);
}
