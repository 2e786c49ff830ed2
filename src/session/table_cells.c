/* table_cells.c: the text of cells. Numbers, text, logicals, factors and dates are written here, as R's format() writes them; for the
 * rest R is asked, with no more than the elements that are shown. */
#include "session/display.h"

#include "rapi/keep.h"
#include "rapi/value.h"

#include <limits.h>
#include <math.h>

const char *table_string(SEXP x, R_xlen_t i)
{
	SEXP s = STRING_ELT(x, i);
	return s == NA_STRING ? "NA" : Rf_translateCharUTF8(s);
}

static const char *copy(const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(R_alloc(n, 1), s, n);
}

/* ---- numbers: R's formatReal ---- */

/* What the numbers of a column need together. */
struct shape {
	int digits, scipen;
	int left, left_with_sign, least_left, right, significant;
	bool any, negative;
};

/* Significant digits (at most `digits`) and the power of ten of |x|. */
static void measure(double x, int digits, int *significant, int *power)
{
	char text[40];
	snprintf(text, sizeof text, "%#.*e", digits - 1, x);
	const char *e = strchr(text, 'e');
	*power = (int)strtol(e + 1, NULL, 10);
	*significant = digits;
	while (*significant > 1 && text[*significant] == '0')
		(*significant)--;
}

/* 9996 with three digits is 1e+04 in scientific notation, but 9996 in the other. */
static bool rounding_widens(double r, int power, int digits)
{
	int right = digits - power;
	right = right < 0 ? 0 : right > 22 ? 22 : right;
	return power > 0 && power <= 22 && (long double)r < powl(10, power) - 0.5L / powl(10, right);
}

static void consider(struct shape *s, double x)
{
	int significant = 1, power = 0;
	bool widens = false, negative = x < 0;
	if (x != 0) {
		measure(fabs(x), s->digits, &significant, &power);
		widens = s->digits < 16 && rounding_widens(fabs(x), power, s->digits);
	}
	int left = power + 1 - widens, with_sign = negative + (left <= 0 ? 1 : left), right = significant - left;
	if (!s->any) {
		s->left = s->least_left = left;
		s->left_with_sign = with_sign;
		s->right = right;
		s->significant = significant;
	}
	s->any = true;
	s->negative |= negative;
	s->left = left > s->left ? left : s->left;
	s->least_left = left < s->least_left ? left : s->least_left;
	s->left_with_sign = with_sign > s->left_with_sign ? with_sign : s->left_with_sign;
	s->right = right > s->right ? right : s->right;
	s->significant = significant > s->significant ? significant : s->significant;
}

static int option_int(const char *name, int otherwise)
{
	int value = Rf_asInteger(r_option(name));
	return value == NA_INTEGER ? otherwise : value;
}

/* *decimals, and whether the notation is scientific. */
static bool decide(const struct shape *s, int *decimals)
{
	int right = s->right > 0 ? s->right : 0;
	int with_sign = s->left < 0 ? 1 + s->negative : s->left_with_sign;
	int fixed = with_sign + right + (right != 0);
	int exponent = s->left > 100 || s->least_left <= -99 ? 2 : 1;
	int mantissa = s->significant - 1;
	int scientific = s->negative + (mantissa > 0) + mantissa + 4 + exponent;
	bool is_fixed = fixed <= scientific + s->scipen;
	*decimals = is_fixed ? right : mantissa;
	return !is_fixed;
}

static void format_reals(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to)
{
	struct shape s = {.digits = option_int("digits", 7), .scipen = option_int("scipen", 0)};
	char text[400];
	int decimals = 0;
	s.digits = s.digits < 1 ? 1 : s.digits > 22 ? 22 : s.digits;
	for (int i = 0; i < n; i++) {
		double v = REAL_ELT(x, offset + pick[i]);
		if (R_FINITE(v))
			consider(&s, v);
	}
	bool scientific = s.any && decide(&s, &decimals);
	for (int i = 0; i < n; i++) {
		double v = REAL_ELT(x, offset + pick[i]);
		if (R_FINITE(v)) {
			snprintf(text, sizeof text, scientific ? "%.*e" : "%.*f", decimals, v == 0 ? 0.0 : v);
			to[i] = copy(text);
		} else {
			to[i] = R_IsNA(v) ? "NA" : ISNAN(v) ? "NaN" : v > 0 ? "Inf" : "-Inf";
		}
	}
}

/* ---- the others ---- */

static void format_integers(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to)
{
	char text[16];
	for (int i = 0; i < n; i++) {
		int v = INTEGER_ELT(x, offset + pick[i]);
		snprintf(text, sizeof text, "%d", v);
		to[i] = v == NA_INTEGER ? "NA" : copy(text);
	}
}

static void format_logicals(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to)
{
	for (int i = 0; i < n; i++) {
		int v = LOGICAL_ELT(x, offset + pick[i]);
		to[i] = v == NA_LOGICAL ? "NA" : v ? "TRUE" : "FALSE";
	}
}

static void format_strings(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to)
{
	for (int i = 0; i < n; i++)
		to[i] = table_string(x, offset + pick[i]);
}

static void format_factor(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to)
{
	SEXP levels = PROTECT(Rf_getAttrib(x, R_LevelsSymbol));
	for (int i = 0; i < n; i++) {
		int v = INTEGER_ELT(x, offset + pick[i]);
		bool known = v != NA_INTEGER && v > 0 && TYPEOF(levels) == STRSXP && v <= XLENGTH(levels);
		to[i] = known ? table_string(levels, v - 1) : "NA";
	}
	UNPROTECT(1);
}

static double number_at(SEXP x, R_xlen_t i)
{
	if (TYPEOF(x) == REALSXP)
		return REAL_ELT(x, i);
	int v = INTEGER_ELT(x, i);
	return v == NA_INTEGER ? NA_REAL : v;
}

static bool is_usual_date(double v)
{
	return R_FINITE(v) ? v >= -354285 && v < 2932897 : ISNAN(v);
}

bool table_usual_dates(SEXP x, R_xlen_t n)
{
	for (R_xlen_t i = 0; i < n; i++)
		if (!is_usual_date(number_at(x, i)))
			return false;
	return true;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar; eras of 400 years beginning on March 1. */
bool table_date(SEXP x, R_xlen_t i, char to[TABLE_DATE])
{
	double days = number_at(x, i);
	if (!R_FINITE(days))
		return false;
	int z = (int)floor(days) + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
	int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
	int day = of_year - (153 * month + 2) / 5 + 1;
	month += month < 10 ? 3 : -9;
	snprintf(to, TABLE_DATE, "%04d-%02d-%02d", (year + era * 400 + (month <= 2)) % 10000, month % 100, day % 100);
	return true;
}

static bool usual_dates(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n)
{
	for (int i = 0; i < n; i++)
		if (!is_usual_date(number_at(x, offset + pick[i])))
			return false;
	return true;
}

static void format_dates(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to)
{
	for (int i = 0; i < n; i++) {
		char *text = R_alloc(TABLE_DATE, 1);
		to[i] = table_date(x, offset + pick[i], text) ? text : "NA";
	}
}

static void format_by_r(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to)
{
	SEXP args[2] = {x, PROTECT(Rf_allocVector(REALSXP, n))};
	for (int i = 0; i < n; i++)
		REAL(args[1])[i] = (double)(offset + pick[i] + 1);
	SEXP text = PROTECT(r_call_module("format_cells", 2, args));
	if (TYPEOF(text) != STRSXP || XLENGTH(text) != n)
		Rf_error("format() of %d elements gave %lld", n, (long long)Rf_xlength(text));
	for (int i = 0; i < n; i++)
		to[i] = copy(table_string(text, i)); /* the vector is not kept */
	UNPROTECT(2);
}

static bool class_is(SEXP x, const char *a, const char *b)
{
	SEXP class = Rf_getAttrib(x, R_ClassSymbol);
	return TYPEOF(class) == STRSXP && XLENGTH(class) == (b ? 2 : 1) && !strcmp(r_text(class, 0), a) &&
	       (!b || !strcmp(r_text(class, 1), b));
}

void table_format(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to)
{
	void (*format)(SEXP, R_xlen_t, const R_xlen_t *, int, const char **) = format_by_r;
	bool plain = !OBJECT(x) || Rf_inherits(x, "table");
	if (plain && TYPEOF(x) == REALSXP && !strcmp(r_text(r_option("OutDec"), 0), "."))
		format = format_reals;
	else if (plain && TYPEOF(x) == INTSXP)
		format = format_integers;
	else if (plain && TYPEOF(x) == LGLSXP)
		format = format_logicals;
	else if (plain && TYPEOF(x) == STRSXP)
		format = format_strings;
	else if (TYPEOF(x) == INTSXP && (class_is(x, "factor", NULL) || class_is(x, "ordered", "factor")))
		format = format_factor;
	else if ((TYPEOF(x) == REALSXP || TYPEOF(x) == INTSXP) && class_is(x, "Date", NULL) &&
		 usual_dates(x, offset, pick, n))
		format = format_dates;
	format(x, offset, pick, n, to);
}

const char *table_type(SEXP x)
{
	static const struct {
		const char *class, *type;
	} classes[] = {{"ordered", "ord"}, {"factor", "fct"},    {"Date", "date"},       {"POSIXt", "dttm"},
		       {"hms", "time"},    {"difftime", "drtn"}, {"integer64", "int64"}, {"data.frame", "df"}};
	static const struct {
		int is;
		const char *type;
	} types[] = {{LGLSXP, "lgl"}, {INTSXP, "int"}, {REALSXP, "dbl"}, {CPLXSXP, "cpl"},
		     {STRSXP, "chr"}, {RAWSXP, "raw"}, {VECSXP, "list"}};
	if (OBJECT(x) && !Rf_inherits(x, "table")) {
		for (size_t i = 0; i < ARRAY_LEN(classes); i++)
			if (Rf_inherits(x, classes[i].class))
				return classes[i].type;
		SEXP class = Rf_getAttrib(x, R_ClassSymbol);
		if (TYPEOF(class) == STRSXP && XLENGTH(class) && !Rf_inherits(x, "AsIs"))
			return table_string(class, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].is == TYPEOF(x))
			return types[i].type;
	return Rf_type2char(TYPEOF(x));
}
