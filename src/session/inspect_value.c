/* inspect_value.c: the structure of a value. */
#include "session/inspect.h"

#include "base/utf8.h"
#include "session/look.h"

#include <time.h>

#define MAX_BYTES 16384
#define MAX_DEPTH 3
#define MAX_LINES 100 /* elements of the outermost list */
#define MAX_INNER 10  /* … of those in it */
#define MAX_SHOWN 10  /* elements of a vector */
#define MAX_TEXT 60   /* bytes of a string */

static void put_string(struct buf *out, SEXP s)
{
	if (s == NA_STRING) {
		buf_puts(out, "NA");
		return;
	}
	const char *text = Rf_translateCharUTF8(s);
	size_t n = strlen(text), keep = n > MAX_TEXT ? utf8_cut(text, MAX_TEXT) : n;
	buf_putc(out, '"');
	for (size_t i = 0; i < keep; i++) {
		if (text[i] == '"' || text[i] == '\\')
			buf_putc(out, '\\');
		if (text[i] == '\n' || text[i] == '\t')
			buf_puts(out, text[i] == '\n' ? "\\n" : "\\t");
		else
			buf_putc(out, text[i]);
	}
	buf_puts(out, keep < n ? "…\"" : "\"");
}

static void put_number(struct buf *out, double v)
{
	if (ISNAN(v))
		buf_puts(out, R_IsNA(v) ? "NA" : "NaN");
	else if (!R_FINITE(v))
		buf_puts(out, v > 0 ? "Inf" : "-Inf");
	else
		buf_printf(out, "%.5g", v);
}

static void put_time(struct buf *out, double seconds, bool date)
{
	double whole = date ? seconds * 86400 : seconds;
	bool odd = ISNAN(seconds) || whole > 1e12 || whole < -1e12;
	time_t t = odd ? 0 : (time_t)whole;
	t -= !odd && whole < (double)t; /* towards the past */
	struct tm tm;
	char text[64];
	if (odd || !gmtime_r(&t, &tm) || !strftime(text, sizeof text, date ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%S", &tm))
		buf_puts(out, "NA");
	else
		buf_printf(out, "\"%s\"", text);
}

static void put_element(struct buf *out, SEXP x, R_xlen_t i)
{
	bool date = Rf_inherits(x, "Date"), time = Rf_inherits(x, "POSIXct");
	switch (TYPEOF(x)) {
	case LGLSXP: {
		int v = LOGICAL_ELT(x, i);
		buf_puts(out, v == NA_LOGICAL ? "NA" : v ? "TRUE" : "FALSE");
		break;
	}
	case INTSXP: {
		int v = INTEGER_ELT(x, i);
		if (v == NA_INTEGER)
			buf_puts(out, "NA");
		else if (date || time)
			put_time(out, v, date);
		else
			buf_printf(out, "%d", v);
		break;
	}
	case REALSXP:
		if (date || time)
			put_time(out, REAL_ELT(x, i), date);
		else
			put_number(out, REAL_ELT(x, i));
		break;
	case CPLXSXP: {
		Rcomplex v = COMPLEX_ELT(x, i);
		buf_printf(out, "%.4g%+.4gi", v.r, v.i);
		break;
	}
	case RAWSXP: buf_printf(out, "%02x", RAW_ELT(x, i)); break;
	case STRSXP: put_string(out, STRING_ELT(x, i)); break;
	default: break;
	}
}

/* Reading an element of a vector that is kept elsewhere or computed must not bring all of it into memory. R's own sequences
 * compute single numbers; strings are made for the whole vector. */
static bool is_there(SEXP x)
{
	return !ALTREP(x) || TYPEOF(x) == INTSXP || TYPEOF(x) == REALSXP || DATAPTR_OR_NULL(x);
}

static void put_elements(struct buf *out, SEXP x)
{
	R_xlen_t n = Rf_xlength(x);
	if (!is_there(x)) {
		buf_puts(out, " …");
		return;
	}
	for (R_xlen_t i = 0; i < n && i < MAX_SHOWN; i++) {
		buf_putc(out, ' ');
		put_element(out, x, i);
	}
	if (n > MAX_SHOWN)
		buf_puts(out, " ...");
}

static void put_extent(struct buf *out, SEXP x)
{
	SEXP dim = Rf_getAttrib(x, R_DimSymbol);
	if (TYPEOF(dim) == INTSXP) {
		buf_puts(out, " [");
		for (R_xlen_t i = 0; i < XLENGTH(dim); i++)
			buf_printf(out, "%s1:%d", i ? ", " : "", INTEGER_ELT(dim, i));
		buf_putc(out, ']');
	} else if (Rf_xlength(x) != 1) {
		buf_printf(out, " [1:%lld]", (long long)Rf_xlength(x));
	}
}

static void put_factor(struct buf *out, SEXP x)
{
	SEXP levels = Rf_getAttrib(x, R_LevelsSymbol);
	R_xlen_t n = TYPEOF(levels) == STRSXP ? XLENGTH(levels) : 0;
	buf_printf(out, "%s w/ %lld level%s", Rf_inherits(x, "ordered") ? "Ord.factor" : "Factor", (long long)n,
		   n == 1 ? "" : "s");
	for (R_xlen_t i = 0; i < n && i < 5; i++) {
		buf_puts(out, i ? "," : " ");
		put_string(out, STRING_ELT(levels, i));
	}
	buf_puts(out, n > 5 ? ",..:" : ":");
	for (R_xlen_t i = 0; i < Rf_xlength(x) && i < MAX_SHOWN; i++) {
		int v = INTEGER_ELT(x, i);
		if (v == NA_INTEGER)
			buf_puts(out, " NA");
		else
			buf_printf(out, " %d", v);
	}
	if (Rf_xlength(x) > MAX_SHOWN)
		buf_puts(out, " ...");
}

static void put_vector(struct buf *out, SEXP x)
{
	static const struct {
		int type;
		const char *name;
	} names[] = {{LGLSXP, "logi"},  {INTSXP, "int"}, {REALSXP, "num"},
		     {CPLXSXP, "cplx"}, {STRSXP, "chr"}, {RAWSXP, "raw"}};
	if (TYPEOF(x) == INTSXP && Rf_inherits(x, "factor")) {
		put_factor(out, x);
		return;
	}
	SEXP class = Rf_getAttrib(x, R_ClassSymbol);
	bool time = Rf_inherits(x, "Date") || Rf_inherits(x, "POSIXct");
	if (time)
		buf_puts(out, Rf_inherits(x, "Date") ? "Date" : "POSIXct");
	else if (TYPEOF(class) == STRSXP && XLENGTH(class))
		buf_printf(out, "'%s'", Rf_translateCharUTF8(STRING_ELT(class, 0)));
	for (size_t i = 0; i < ARRAY_LEN(names) && !time; i++)
		if (names[i].type == TYPEOF(x))
			buf_printf(out, "%s%s", TYPEOF(class) == STRSXP ? " " : "", names[i].name);
	if (Rf_xlength(x) == 0) {
		buf_puts(out, "(0)");
		return;
	}
	put_extent(out, x);
	if (time)
		buf_putc(out, ':');
	put_elements(out, x);
}

static void put_value(struct buf *out, SEXP x, int depth);

static R_xlen_t rows_of(SEXP x)
{
	if (XLENGTH(x)) {
		SEXP first = VECTOR_ELT(x, 0), dim = Rf_getAttrib(first, R_DimSymbol);
		return TYPEOF(dim) == INTSXP ? INTEGER_ELT(dim, 0) : Rf_xlength(first);
	}
	return 0;
}

static void put_list_head(struct buf *out, SEXP x)
{
	SEXP class = Rf_getAttrib(x, R_ClassSymbol);
	R_xlen_t n = XLENGTH(x), shown = TYPEOF(class) == STRSXP ? XLENGTH(class) : 0;
	for (R_xlen_t i = 0; i < shown; i++)
		buf_printf(out, "%s'%s'", i ? ", " : "", Rf_translateCharUTF8(STRING_ELT(class, i)));
	if (Rf_inherits(x, "data.frame"))
		buf_printf(out, ": %lld obs. of %lld variable%s", (long long)rows_of(x), (long long)n,
			   n == 1 ? "" : "s");
	else
		buf_printf(out, "%sList of %lld", shown ? ": " : "", (long long)n);
}

static void put_list(struct buf *out, SEXP x, int depth)
{
	put_list_head(out, x);
	SEXP names = look_names(x);
	R_xlen_t n = XLENGTH(x), max = depth ? MAX_INNER : MAX_LINES;
	for (R_xlen_t i = 0; depth < MAX_DEPTH && i < n; i++) {
		if (i == max || out->len > MAX_BYTES) {
			buf_printf(out, "\n%*s  [%lld more]", 2 * depth, "", (long long)(n - i));
			break;
		}
		const char *name = names != R_NilValue ? Rf_translateCharUTF8(STRING_ELT(names, i)) : "";
		buf_printf(out, "\n%*s $ %s: ", 2 * depth, "", name);
		put_value(out, VECTOR_ELT(x, i), depth + 1);
	}
}

static void put_environment(struct buf *out, SEXP x, int depth)
{
	SEXP class = Rf_getAttrib(x, R_ClassSymbol);
	SEXP names = PROTECT(look_list(x, false));
	R_xlen_t n = Rf_xlength(names), max = depth ? 0 : MAX_LINES;
	if (TYPEOF(class) == STRSXP && XLENGTH(class))
		buf_printf(out, "'%s' ", Rf_translateCharUTF8(STRING_ELT(class, 0)));
	buf_printf(out, "<environment> with %lld object%s", (long long)n, n == 1 ? "" : "s");
	for (R_xlen_t i = 0; i < n && i < max && out->len < MAX_BYTES; i++) {
		SEXP symbol = Rf_installTrChar(STRING_ELT(names, i)), value = look_ready(x, symbol);
		buf_printf(out, "\n $ %s: ", Rf_translateCharUTF8(STRING_ELT(names, i)));
		if (value == R_UnboundValue)
			buf_puts(out, "<not evaluated>");
		else
			put_value(out, value, depth + 1);
	}
	UNPROTECT(1);
}

static void put_s4(struct buf *out, SEXP x, int depth)
{
	SEXP class = Rf_getAttrib(x, R_ClassSymbol);
	buf_printf(out, "Formal class '%s'",
		   TYPEOF(class) == STRSXP && XLENGTH(class) ? Rf_translateCharUTF8(STRING_ELT(class, 0)) : "S4");
	SEXP slots = ATTRIB ? ATTRIB(x) : R_NilValue;
	for (; slots != R_NilValue && depth < MAX_DEPTH && out->len < MAX_BYTES; slots = CDR(slots)) {
		if (TAG(slots) == R_ClassSymbol)
			continue;
		buf_printf(out, "\n%*s @ %s: ", 2 * depth, "", Rf_translateCharUTF8(PRINTNAME(TAG(slots))));
		put_value(out, CAR(slots), depth + 1);
	}
}

static void put_value(struct buf *out, SEXP x, int depth)
{
	switch (TYPEOF(x)) {
	case NILSXP: buf_puts(out, "NULL"); break;
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case CPLXSXP:
	case STRSXP:
	case RAWSXP: put_vector(out, x); break;
	case VECSXP: put_list(out, x, depth); break;
	case ENVSXP: put_environment(out, x, depth); break;
	case S4SXP: put_s4(out, x, depth); break;
	case SYMSXP: buf_printf(out, "symbol %s", Rf_translateCharUTF8(PRINTNAME(x))); break;
	case CLOSXP:
	case BUILTINSXP:
	case SPECIALSXP: buf_puts(out, "function"); break;
	case LANGSXP: buf_puts(out, Rf_inherits(x, "formula") ? "formula" : "language"); break;
	case PROMSXP: buf_puts(out, "<not evaluated>"); break;
	default: buf_printf(out, "<%s> of length %lld", Rf_type2char(TYPEOF(x)), (long long)Rf_xlength(x));
	}
}

void inspect_structure(SEXP x, struct buf *out)
{
	put_value(out, x, 0);
}
