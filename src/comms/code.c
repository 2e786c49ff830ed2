#include "comms/code.h"

#include "base/utf8.h"

#include <ctype.h>
#include <math.h>

#define MAX_DEPTH 12
#define ELLIPSIS "…"

/* Where R has it; later versions have functions for it. */
R_WEAK SEXP FORMALS(SEXP);
R_WEAK SEXP R_ClosureFormals(SEXP);

/* ---- numbers ---- */

/* How many significant digits, of `digits`, and the exponent. `e` is "d.ddde±xx". */
static int significant(const char *e, int *exponent)
{
	const char *at = strchr(e, 'e');
	*exponent = at ? (int)strtol(at + 1, NULL, 10) : 0;
	int n = 0, last = 0;
	for (const char *p = e; p < at; p++)
		if (isdigit((unsigned char)*p)) {
			n++;
			if (*p != '0')
				last = n;
		}
	return last ? last : 1;
}

void code_number(struct buf *out, double x, int digits)
{
	char e[64];
	int exponent;
	if (ISNA(x) || isnan(x)) {
		buf_puts(out, ISNA(x) ? "NA" : "NaN");
		return;
	}
	if (isinf(x)) {
		buf_puts(out, x > 0 ? "Inf" : "-Inf");
		return;
	}
	if (x == 0) {
		buf_puts(out, "0");
		return;
	}
	snprintf(e, sizeof e, "%.*e", digits - 1, x);
	int n = significant(e, &exponent);
	/* The shorter form, and where they are equal the fixed one (R's formatReal). */
	int scientific = (n > 1 ? n + 1 : 1) + (abs(exponent) >= 100 ? 5 : 4);
	int after = n > exponent + 1 ? n - exponent - 1 : 0;
	int fixed = (exponent >= 0 ? exponent + 1 : 1) + (after ? after + 1 : 0);
	if (fixed <= scientific)
		buf_printf(out, "%.*f", after, x);
	else
		buf_printf(out, "%.*e", n - 1, x);
}

/* ---- strings ---- */

static void escape(struct buf *out, const char *s, size_t n)
{
	static const char from[] = "\n\t\r\a\b\f\v\\\"", to[] = "ntrabfv\\\"";
	for (size_t i = 0; i < n; i++) {
		const char *at = s[i] ? strchr(from, s[i]) : NULL;
		if (at)
			buf_printf(out, "\\%c", to[at - from]);
		else if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			buf_printf(out, "\\%03o", (unsigned char)s[i]);
		else
			buf_putc(out, s[i]);
	}
}

bool code_string(struct buf *out, SEXP chars, size_t max)
{
	static struct buf text; /* static: peek_text does not jump, but it saves an allocation each time */
	if (chars == NA_STRING) {
		buf_puts(out, "NA");
		return true;
	}
	text.max = BUF_MAX_SMALL;
	buf_clear(&text);
	bool whole = peek_text(&text, chars, max);
	buf_putc(out, '"');
	if (text.len)
		escape(out, text.data, text.len);
	buf_puts(out, whole ? "\"" : ELLIPSIS "\"");
	return whole;
}

/* ---- symbols ---- */

static bool is_syntactic(const char *s)
{
	static const char *const reserved[] = {"if",   "else",  "repeat", "while", "function", "for", "next", "break",
					       "TRUE", "FALSE", "NULL",   "Inf",   "NaN",      "NA",  "in"};
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (strcmp(s, reserved[i]) == 0)
			return false;
	if (!(isalpha((unsigned char)*s) || (unsigned char)*s >= 0x80 || (*s == '.' && !isdigit((unsigned char)s[1]))))
		return false;
	while (isalnum((unsigned char)*s) || *s == '.' || *s == '_' || (unsigned char)*s >= 0x80)
		s++;
	return !*s;
}

void code_symbol(struct buf *out, SEXP symbol)
{
	bool plain = is_syntactic(CHAR(PRINTNAME(symbol)));
	if (!plain)
		buf_putc(out, '`');
	peek_text(out, PRINTNAME(symbol), 200);
	if (!plain)
		buf_putc(out, '`');
}

/* ---- calls ---- */

struct writing {
	struct buf *out;
	size_t end; /* stop when the buffer is that long */
};

static void expression(struct writing *w, SEXP x, int depth);

static bool full(struct writing *w)
{
	return w->out->len >= w->end;
}

static void arguments(struct writing *w, SEXP args, int depth, bool formals)
{
	for (bool first = true; TYPEOF(args) == LISTSXP || TYPEOF(args) == LANGSXP; args = CDR(args), first = false) {
		if (!first)
			buf_puts(w->out, ", ");
		if (full(w)) {
			buf_puts(w->out, ELLIPSIS);
			return;
		}
		SEXP value = CAR(args);
		bool none = value == R_MissingArg, named = TAG(args) != R_NilValue;
		if (named)
			code_symbol(w->out, TAG(args));
		if (named && !(none && formals))
			buf_puts(w->out, " = ");
		if (!none)
			expression(w, value, depth);
	}
}

static int count(SEXP args)
{
	int n = 0;
	for (; n < 4 && (TYPEOF(args) == LISTSXP || TYPEOF(args) == LANGSXP); args = CDR(args))
		n++;
	return n;
}

static bool among(const char *name, const char *const *list)
{
	while (*list && strcmp(*list, name) != 0)
		list++;
	return *list;
}

static bool infix(struct writing *w, const char *f, SEXP args, int n, int depth)
{
	static const char *const spaced[] = {"+",  "-", "*",  "/", "==", "!=",  "<", ">", "<=", ">=", "&",
					     "&&", "|", "||", "~", "<-", "<<-", "=", "?", ":=", NULL};
	static const char *const tight[] = {"^", ":", "$", "@", "::", ":::", NULL};
	static const char *const unary[] = {"-", "+", "!", "~", "?", NULL};
	size_t len = strlen(f);
	bool wide = among(f, spaced) || (len > 1 && f[0] == '%' && f[len - 1] == '%');
	if (n == 2 && (wide || among(f, tight))) {
		expression(w, CAR(args), depth);
		buf_printf(w->out, wide ? " %s " : "%s", f);
		expression(w, CAR(CDR(args)), depth);
	} else if (n == 1 && among(f, unary)) {
		buf_puts(w->out, f);
		expression(w, CAR(args), depth);
	} else {
		return false;
	}
	return true;
}

static bool control(struct writing *w, const char *f, SEXP args, int n, int depth)
{
	SEXP second = n > 1 ? CAR(CDR(args)) : R_NilValue;
	if (!strcmp(f, "(") && n == 1) {
		buf_putc(w->out, '(');
		expression(w, CAR(args), depth);
		buf_putc(w->out, ')');
	} else if (!strcmp(f, "{")) {
		buf_puts(w->out, n ? "{ " : "{");
		for (; TYPEOF(args) == LISTSXP && !full(w); args = CDR(args)) {
			expression(w, CAR(args), depth);
			if (CDR(args) != R_NilValue)
				buf_puts(w->out, "; ");
		}
		buf_puts(w->out, TYPEOF(args) == LISTSXP ? ELLIPSIS " }" : n ? " }" : "}");
	} else if ((!strcmp(f, "[") || !strcmp(f, "[[")) && n >= 1) {
		expression(w, CAR(args), depth);
		buf_puts(w->out, f);
		arguments(w, CDR(args), depth, false);
		buf_puts(w->out, f[1] ? "]]" : "]");
	} else if ((!strcmp(f, "if") || !strcmp(f, "while")) && n >= 2) {
		buf_printf(w->out, "%s (", f);
		expression(w, CAR(args), depth);
		buf_puts(w->out, ") ");
		expression(w, second, depth);
		if (n == 3) {
			buf_puts(w->out, " else ");
			expression(w, CAR(CDR(CDR(args))), depth);
		}
	} else if (!strcmp(f, "for") && n == 3) {
		buf_puts(w->out, "for (");
		expression(w, CAR(args), depth);
		buf_puts(w->out, " in ");
		expression(w, second, depth);
		buf_puts(w->out, ") ");
		expression(w, CAR(CDR(CDR(args))), depth);
	} else if (!strcmp(f, "function") && n >= 2) {
		buf_puts(w->out, "function(");
		arguments(w, CAR(args), depth, true);
		buf_puts(w->out, ") ");
		expression(w, second, depth);
	} else {
		return false;
	}
	return true;
}

static void call(struct writing *w, SEXP x, int depth)
{
	SEXP f = CAR(x), args = CDR(x);
	int n = count(args);
	if (TYPEOF(f) == SYMSXP) {
		const char *name = CHAR(PRINTNAME(f));
		if (infix(w, name, args, n, depth) || control(w, name, args, n, depth))
			return;
	}
	expression(w, f, depth);
	buf_putc(w->out, '(');
	arguments(w, args, depth, false);
	buf_putc(w->out, ')');
}

static void constant(struct writing *w, SEXP x)
{
	if (!peek_is_readable(x) || XLENGTH(x) != 1 || TYPEOF(x) == VECSXP || TYPEOF(x) == EXPRSXP) {
		buf_printf(w->out, "<%s>", *peek_class(x, 0) ? peek_class(x, 0) : Rf_type2char(TYPEOF(x)));
		return;
	}
	switch (TYPEOF(x)) {
	case LGLSXP:
		buf_puts(w->out, LOGICAL_ELT(x, 0) == NA_LOGICAL ? "NA" : LOGICAL_ELT(x, 0) ? "TRUE" : "FALSE");
		break;
	case INTSXP:
		if (INTEGER_ELT(x, 0) == NA_INTEGER)
			buf_puts(w->out, "NA_integer_");
		else
			buf_printf(w->out, "%dL", INTEGER_ELT(x, 0));
		break;
	case REALSXP: code_number(w->out, REAL_ELT(x, 0), 15); break;
	case CPLXSXP:
		code_number(w->out, COMPLEX_ELT(x, 0).r, 15);
		buf_puts(w->out, COMPLEX_ELT(x, 0).i < 0 ? "" : "+");
		code_number(w->out, COMPLEX_ELT(x, 0).i, 15);
		buf_putc(w->out, 'i');
		break;
	case STRSXP: code_string(w->out, STRING_ELT(x, 0), 60); break;
	case RAWSXP: buf_printf(w->out, "as.raw(0x%02x)", RAW_ELT(x, 0)); break;
	}
}

static void expression(struct writing *w, SEXP x, int depth)
{
	if (full(w) || depth >= MAX_DEPTH) {
		buf_puts(w->out, ELLIPSIS);
		return;
	}
	switch (TYPEOF(x)) {
	case NILSXP: buf_puts(w->out, "NULL"); break;
	case SYMSXP: code_symbol(w->out, x); break;
	case LANGSXP: call(w, x, depth + 1); break;
	case LISTSXP: buf_puts(w->out, "pairlist(" ELLIPSIS ")"); break;
	case CLOSXP: code_header(w->out, x, 40); break;
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case CPLXSXP:
	case STRSXP:
	case RAWSXP:
	case VECSXP:
	case EXPRSXP: constant(w, x); break;
	default: buf_printf(w->out, "<%s>", Rf_type2char(TYPEOF(x))); break;
	}
}

void code_write(struct buf *out, SEXP x, size_t max)
{
	struct writing w = {out, out->len + max};
	expression(&w, x, 0);
}

void code_header(struct buf *out, SEXP function, size_t max)
{
	struct writing w = {out, out->len + max};
	if (TYPEOF(function) != CLOSXP) {
		buf_puts(out, "function(" ELLIPSIS ") .Primitive");
		return;
	}
	buf_puts(out, "function(");
	arguments(&w, R_ClosureFormals ? R_ClosureFormals(function) : FORMALS(function), 0, true);
	buf_putc(out, ')');
}
