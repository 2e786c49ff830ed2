#include "session/rd_read.h"

#include "rapi/value.h"

const char *rd_tag(SEXP x)
{
	static SEXP symbol;
	if (!symbol)
		symbol = Rf_install("Rd_tag");
	SEXP tag = Rf_getAttrib(x, symbol);
	return TYPEOF(tag) == STRSXP && XLENGTH(tag) == 1 ? CHAR(STRING_ELT(tag, 0)) : "";
}

R_xlen_t rd_length(SEXP x)
{
	return TYPEOF(x) == VECSXP ? XLENGTH(x) : 0;
}

SEXP rd_child(SEXP x, R_xlen_t i)
{
	return i >= 0 && i < rd_length(x) ? VECTOR_ELT(x, i) : R_NilValue;
}

bool rd_is_blank(const char *s)
{
	return s[strspn(s, " \t\n\r\f\v")] == '\0';
}

void rd_each_string(SEXP x, void (*f)(void *to, const char *s, size_t n), void *to)
{
	for (R_xlen_t i = 0; TYPEOF(x) == STRSXP && i < XLENGTH(x); i++) {
		const char *s = r_text(x, i);
		f(to, s, strlen(s));
	}
}

static void add_string(void *to, const char *s, size_t n)
{
	buf_put(to, s, n);
}

void rd_add_plain(struct buf *out, SEXP x, int depth)
{
	const char *tag = rd_tag(x);
	if (rd_is(tag, "COMMENT") || rd_is(tag, "USERMACRO") || depth > RD_MAX_DEPTH)
		return;
	if (rd_is(tag, "\\dots") || rd_is(tag, "\\ldots"))
		buf_puts(out, "...");
	rd_each_string(x, add_string, out);
	for (R_xlen_t i = 0; i < rd_length(x); i++)
		rd_add_plain(out, rd_child(x, i), depth + 1);
}

struct slice rd_plain(SEXP x, struct buf *kept)
{
	kept->max = BUF_MAX_SMALL;
	buf_clear(kept);
	buf_put(kept, "", 0);
	rd_add_plain(kept, x, 0);
	return kept->failed || !kept->data ? (struct slice){"", 0} : SLICE_BUF(kept);
}

/* An address may be broken over lines. */
struct slice rd_address(SEXP x)
{
	static struct buf kept;
	struct slice s = rd_plain(x, &kept);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		if (kept.data[i] != '\n')
			kept.data[n++] = kept.data[i];
	while (n > 0 && kept.data[n - 1] == ' ')
		n--;
	size_t from = 0;
	while (from < n && kept.data[from] == ' ')
		from++;
	return (struct slice){s.data + from, n - from};
}

struct slice rd_without_tabs(SEXP x, const char *s, size_t n)
{
	static struct buf kept = {.max = BUF_MAX_SMALL};
	static SEXP symbol;
	if (!memchr(s, '\t', n))
		return (struct slice){s, n};
	if (!symbol)
		symbol = Rf_install("srcref");
	SEXP ref = Rf_getAttrib(x, symbol);
	size_t column =
	    TYPEOF(ref) == INTSXP && XLENGTH(ref) > 4 && INTEGER(ref)[4] > 0 ? (size_t)INTEGER(ref)[4] - 1 : 0;
	buf_clear(&kept);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\t') {
			size_t pad = 8 - column % 8;
			buf_put(&kept, "        ", pad);
			column += pad;
			continue;
		}
		column = s[i] == '\n' ? 0 : column + ((s[i] & 0xc0) != 0x80);
		buf_putc(&kept, s[i]);
	}
	return kept.failed ? (struct slice){s, n} : SLICE_BUF(&kept);
}
