#include "comms/show.h"

#include "base/utf8.h"
#include "comms/code.h"
#include "rapi/value.h"

#include <math.h>

#define PREFIX 50    /* elements that are formatted at most: a display value has no room for more */
#define MAX_DEPTH 4  /* of lists in lists */
#define MAX_NAMES 11 /* of an environment's */
#define ELLIPSIS "…"

struct showing {
	struct buf *out;
	size_t end; /* stop when the buffer is that long */
	bool cut;
};

static void show(struct showing *s, SEXP x, int depth);

static bool full(struct showing *s)
{
	if (s->out->len >= s->end)
		s->cut = true;
	return s->cut;
}

static int digits(void)
{
	SEXP d = r_option("digits");
	int n = TYPEOF(d) == INTSXP || TYPEOF(d) == REALSXP ? Rf_asInteger(d) : 7;
	return n >= 1 && n <= 22 ? n : 7;
}

static void atom(struct showing *s, SEXP x, R_xlen_t i)
{
	switch (TYPEOF(x)) {
	case LGLSXP:
		buf_puts(s->out, LOGICAL_ELT(x, i) == NA_LOGICAL ? "NA" : LOGICAL_ELT(x, i) ? "TRUE" : "FALSE");
		break;
	case INTSXP:
		if (INTEGER_ELT(x, i) == NA_INTEGER)
			buf_puts(s->out, "NA");
		else
			buf_printf(s->out, "%d", INTEGER_ELT(x, i));
		break;
	case REALSXP: code_number(s->out, REAL_ELT(x, i), digits()); break;
	case CPLXSXP: {
		Rcomplex c = COMPLEX_ELT(x, i);
		if (ISNA(c.r)) {
			buf_puts(s->out, "NA");
			break;
		}
		code_number(s->out, c.r, digits());
		buf_puts(s->out, signbit(c.i) ? "-" : "+");
		code_number(s->out, fabs(c.i), digits());
		buf_putc(s->out, 'i');
		break;
	}
	case STRSXP: s->cut |= !code_string(s->out, STRING_ELT(x, i), VALUE_CHARS); break;
	case RAWSXP: buf_printf(s->out, "%02x", RAW_ELT(x, i)); break;
	}
}

static void factor_label(struct showing *s, SEXP x, R_xlen_t i)
{
	SEXP levels = peek_attribute(x, R_LevelsSymbol);
	int code = TYPEOF(x) == INTSXP ? INTEGER_ELT(x, i) : NA_INTEGER;
	if (TYPEOF(levels) != STRSXP || !peek_is_readable(levels) || code < 1 || code > XLENGTH(levels))
		buf_puts(s->out, "NA");
	else
		s->cut |= !peek_text(s->out, STRING_ELT(levels, code - 1), VALUE_CHARS);
}

/* A copy of elements [from, from + n) with copies of the attributes that matter to format(): nothing in it refers to x. R_NilValue if an
 * attribute cannot be copied without a touch. May jump. */
static SEXP copy_part(SEXP x, R_xlen_t from, R_xlen_t n)
{
	SEXP part = PROTECT(Rf_allocVector(TYPEOF(x), n));
	for (R_xlen_t i = 0; i < n; i++)
		switch (TYPEOF(x)) {
		case LGLSXP: LOGICAL(part)[i] = LOGICAL_ELT(x, from + i); break;
		case INTSXP: INTEGER(part)[i] = INTEGER_ELT(x, from + i); break;
		case REALSXP: REAL(part)[i] = REAL_ELT(x, from + i); break;
		case CPLXSXP: COMPLEX(part)[i] = COMPLEX_ELT(x, from + i); break;
		case STRSXP: SET_STRING_ELT(part, i, STRING_ELT(x, from + i)); break;
		case RAWSXP: RAW(part)[i] = RAW_ELT(x, from + i); break;
		}
	for (SEXP a = peek_attributes(x); a != R_NilValue; a = CDR(a)) {
		SEXP tag = TAG(a), value = CAR(a);
		if (tag == R_NamesSymbol || tag == R_DimSymbol || tag == R_DimNamesSymbol || tag == R_TspSymbol ||
		    tag == Rf_install("srcref"))
			continue;
		if (!peek_is_atomic(value) || !peek_is_readable(value) || XLENGTH(value) > 10000) {
			UNPROTECT(1);
			return R_NilValue;
		}
		SEXP copy = PROTECT(Rf_duplicate(value));
		Rf_setAttrib(part, tag, copy);
		UNPROTECT(1);
	}
	UNPROTECT(1);
	return part;
}

/* format() of a part of a classed vector, as a character vector of n elements; R_NilValue if there is none to be had. May jump. */
static SEXP formatted(SEXP x, R_xlen_t from, R_xlen_t n)
{
	if (!OBJECT(x) || IS_S4_OBJECT(x) || value_plain)
		return R_NilValue;
	SEXP part = PROTECT(copy_part(x, from, n));
	SEXP text = part == R_NilValue ? part : r_call_module("format_part", 1, &part);
	UNPROTECT(1);
	return TYPEOF(text) == STRSXP && XLENGTH(text) == n ? text : R_NilValue;
}

static void atomic(struct showing *s, SEXP x)
{
	R_xlen_t n = XLENGTH(x), look = n < PREFIX ? n : PREFIX;
	bool factor = peek_inherits(x, "factor");
	if (n == 0)
		buf_printf(s->out, "%s(0)",
			   TYPEOF(x) == STRSXP    ? "character"
			   : factor               ? "factor"
			   : TYPEOF(x) == REALSXP ? "numeric"
						  : Rf_type2char(TYPEOF(x)));
	SEXP text = PROTECT(factor || n == 0 ? R_NilValue : formatted(x, 0, look));
	for (R_xlen_t i = 0; i < look && !full(s); i++) {
		if (i)
			buf_putc(s->out, ' ');
		if (factor)
			factor_label(s, x, i);
		else if (text != R_NilValue)
			s->cut |= !peek_text(s->out, STRING_ELT(text, i), VALUE_CHARS);
		else
			atom(s, x, i);
	}
	UNPROTECT(1);
	s->cut = s->cut || look < n;
}

/* The name of an element with ` = `, if it has one. */
static void element_name(struct showing *s, SEXP names, R_xlen_t i)
{
	if (TYPEOF(names) != STRSXP || !peek_is_readable(names) || i >= XLENGTH(names))
		return;
	SEXP name = STRING_ELT(names, i);
	if (name == NA_STRING || XLENGTH(name) == 0)
		return;
	peek_text(s->out, name, VALUE_CHARS);
	buf_puts(s->out, " = ");
}

/* A list that stands for a short vector of times. May jump. */
static bool broken_down_time(struct showing *s, SEXP x)
{
	if (!peek_inherits(x, "POSIXlt") || value_plain)
		return false;
	for (R_xlen_t i = 0; i < XLENGTH(x); i++) {
		SEXP part = VECTOR_ELT(x, i);
		if (!peek_is_atomic(part) || !peek_is_readable(part) || XLENGTH(part) > 100)
			return false;
	}
	SEXP copy = PROTECT(Rf_duplicate(x)), text = PROTECT(r_call_module("format_part", 1, &copy));
	for (R_xlen_t i = 0; TYPEOF(text) == STRSXP && i < XLENGTH(text) && !full(s); i++) {
		if (i)
			buf_putc(s->out, ' ');
		peek_text(s->out, STRING_ELT(text, i), VALUE_CHARS);
	}
	UNPROTECT(2);
	return true;
}

static void list(struct showing *s, SEXP x, int depth)
{
	if (broken_down_time(s, x))
		return;
	SEXP names = peek_attribute(x, R_NamesSymbol);
	buf_putc(s->out, '[');
	if (depth >= MAX_DEPTH) {
		buf_puts(s->out, XLENGTH(x) ? ELLIPSIS : "");
		s->cut = s->cut || XLENGTH(x);
	}
	for (R_xlen_t i = 0, n = XLENGTH(x); depth < MAX_DEPTH && i < n && !full(s); i++) {
		if (i)
			buf_puts(s->out, ", ");
		element_name(s, names, i);
		show(s, VECTOR_ELT(x, i), depth + 1);
	}
	buf_putc(s->out, ']');
}

static void pairs(struct showing *s, SEXP x, int depth)
{
	buf_putc(s->out, '[');
	for (bool first = true; TYPEOF(x) == LISTSXP && !full(s); x = CDR(x), first = false) {
		if (!first)
			buf_puts(s->out, ", ");
		if (TAG(x) != R_NilValue) {
			code_symbol(s->out, TAG(x));
			buf_puts(s->out, " = ");
		}
		if (depth < MAX_DEPTH)
			show(s, CAR(x), depth + 1);
		else
			buf_puts(s->out, ELLIPSIS);
	}
	buf_putc(s->out, ']');
}

static bool is_slot(SEXP tag)
{
	return tag != R_ClassSymbol && tag != Rf_install("S7_class") && tag != Rf_install(".xData") &&
	       tag != Rf_install("srcref");
}

static void slots(struct showing *s, SEXP x, int depth)
{
	const char *class = peek_class(x, 0);
	bool first = true;
	buf_printf(s->out, "<%s", *class ? class : "S4");
	for (SEXP a = peek_attributes(x); a != R_NilValue && !full(s) && depth < MAX_DEPTH; a = CDR(a)) {
		if (!is_slot(TAG(a)))
			continue;
		buf_puts(s->out, first ? ": " : ", ");
		first = false;
		peek_text(s->out, PRINTNAME(TAG(a)), VALUE_CHARS);
		buf_puts(s->out, " = ");
		show(s, CAR(a), depth + 1);
	}
	buf_putc(s->out, '>');
}

static int by_name(const void *a, const void *b)
{
	return strcmp(CHAR(PRINTNAME(*(const SEXP *)a)), CHAR(PRINTNAME(*(const SEXP *)b)));
}

static void environment(struct showing *s, SEXP env)
{
	enum { LARGE = 1000 };
	SEXP names[LARGE], symbol;
	R_xlen_t n = 0, all = peek_count(env, false, 1000000);
	struct peek_each each;
	if (env == R_GlobalEnv || env == R_BaseEnv || env == R_EmptyEnv) {
		buf_puts(s->out, env == R_GlobalEnv ? "<R_GlobalEnv>" : env == R_BaseEnv ? "<base>" : "<R_EmptyEnv>");
		return;
	}
	if (all == 0 || all > LARGE) {
		buf_printf(s->out, all ? "Large Environment [%lld%s values]" : "Empty Environment [0 values]",
			   (long long)all, all == 1000000 ? " or more" : "");
		s->cut = s->cut || all;
		return;
	}
	peek_each(&each, env);
	while (n < LARGE && (symbol = peek_next(&each)))
		if (!peek_is_hidden(symbol))
			names[n++] = symbol;
	peek_end(&each);
	qsort(names, (size_t)n, sizeof *names, by_name);
	buf_putc(s->out, '{');
	for (R_xlen_t i = 0; i < n && i < MAX_NAMES; i++) {
		if (i)
			buf_puts(s->out, ", ");
		peek_text(s->out, PRINTNAME(names[i]), VALUE_CHARS);
	}
	if (n > MAX_NAMES) {
		buf_printf(s->out, ", … [%lld more]", (long long)(n - MAX_NAMES));
		s->cut = true;
	}
	buf_putc(s->out, '}');
}

static void table(struct showing *s, SEXP x)
{
	char a[24], b[24];
	R_xlen_t rows, columns;
	peek_dim(x, &rows, &columns);
	buf_printf(s->out, "[%s row%s x %s column%s] %s", peek_number(a, sizeof a, rows), rows == 1 ? "" : "s",
		   peek_number(b, sizeof b, columns), columns == 1 ? "" : "s",
		   *peek_class(x, 0) ? peek_class(x, 0) : "matrix");
}

/* as.character() of numbers, which R makes into text when that is asked for: what it would become. */
static void numbers_as_text(struct showing *s, SEXP x)
{
	R_xlen_t n = XLENGTH(x), look = n < PREFIX ? n : PREFIX;
	for (R_xlen_t i = 0; i < look && !full(s); i++) {
		buf_puts(s->out, i ? " \"" : "\"");
		if (TYPEOF(x) == REALSXP)
			code_number(s->out, REAL_ELT(x, i), 15);
		else
			atom(s, x, i);
		buf_putc(s->out, '"');
	}
	s->cut = s->cut || look < n;
}

static void unreadable(struct showing *s, SEXP x)
{
	char name[128];
	peek_altrep_name(x, name, sizeof name);
	if (strcmp(name, "base::deferred_string") == 0) {
		SEXP source = R_altrep_data1(x), text = R_altrep_data2(x);
		SEXP numbers = TYPEOF(source) == LISTSXP ? CAR(source) : R_NilValue;
		if (TYPEOF(text) == STRSXP && source == R_NilValue)
			atomic(s, text);
		else if ((TYPEOF(numbers) == INTSXP || TYPEOF(numbers) == REALSXP) && peek_is_readable(numbers) &&
			 XLENGTH(numbers))
			numbers_as_text(s, numbers);
		return;
	}
	buf_printf(s->out, "<%s, not loaded>", *name ? name : "ALTREP");
}

static void show(struct showing *s, SEXP x, int depth)
{
	R_xlen_t rows, columns;
	if (full(s))
		return;
	if ((peek_is_atomic(x) || peek_is_list(x)) && peek_dim(x, &rows, &columns)) {
		table(s, x);
	} else if ((peek_is_atomic(x) || peek_is_list(x)) && !peek_is_readable(x)) {
		unreadable(s, x);
	} else if (peek_is_atomic(x)) {
		atomic(s, x);
	} else if (peek_is_list(x)) {
		list(s, x, depth);
	} else if (value_environment(x) != R_NilValue) {
		const char *class = peek_class(x, 0);
		if (*class)
			buf_printf(s->out, depth ? "<%s>" : "<%s> ", class);
		if (depth && !*class)
			buf_puts(s->out, "<environment>");
		if (!depth)
			environment(s, value_environment(x));
	} else {
		switch (TYPEOF(x)) {
		case NILSXP: buf_puts(s->out, "NULL"); break;
		case LISTSXP: pairs(s, x, depth); break;
		case S4SXP: slots(s, x, depth); break;
		case SYMSXP:
			if (x == R_MissingArg)
				buf_puts(s->out, "<missing argument>");
			else
				code_symbol(s->out, x);
			break;
		case LANGSXP: {
			size_t before = s->out->len;
			code_write(s->out, x, VALUE_CHARS);
			s->cut |= s->out->len - before > VALUE_CHARS || strstr(s->out->data + before, ELLIPSIS);
			break;
		}
		case CLOSXP: code_header(s->out, x, VALUE_CHARS); break;
		case BUILTINSXP:
		case SPECIALSXP: code_header(s->out, x, VALUE_CHARS); break;
		case EXTPTRSXP: buf_printf(s->out, "<pointer: %p>", R_ExternalPtrAddr(x)); break;
		case PROMSXP: buf_puts(s->out, "<promise>"); break;
		default: buf_printf(s->out, "<%s>", Rf_type2char(TYPEOF(x))); break;
		}
	}
}

bool show_cut(struct buf *out, size_t from)
{
	size_t n = out->len - from;
	if (!n || utf8_count(out->data + from, n) <= VALUE_CHARS)
		return false;
	size_t at = from + utf8_offset(out->data + from, n, VALUE_CHARS - 1);
	out->len = at;
	buf_puts(out, ELLIPSIS);
	return true;
}

bool show_value(struct buf *out, SEXP x)
{
	struct showing s = {out, out->len + 4 * VALUE_CHARS};
	show(&s, x, 0);
	return s.cut;
}

bool show_element(struct buf *out, SEXP x, R_xlen_t i)
{
	struct showing s = {out, out->len + 4 * VALUE_CHARS};
	bool factor = peek_inherits(x, "factor");
	SEXP text = PROTECT(factor ? R_NilValue : formatted(x, i, 1));
	if (factor)
		factor_label(&s, x, i);
	else if (text != R_NilValue)
		s.cut = !peek_text(out, STRING_ELT(text, 0), VALUE_CHARS);
	else
		atom(&s, x, i);
	UNPROTECT(1);
	return s.cut;
}

bool show_elements(struct buf *out, SEXP x, R_xlen_t from, R_xlen_t n)
{
	struct showing s = {out, out->len + 4 * VALUE_CHARS};
	for (R_xlen_t i = 0; i < n && !full(&s); i++) {
		if (i)
			buf_putc(out, ' ');
		atom(&s, x, from + i);
	}
	return s.cut;
}
