#include "rapi/json.h"

#include "rapi/value.h"

#include <math.h>

#define MAX_DEPTH 1000 /* of lists in lists; jansson reads no deeper either */

static void write_value(struct buf *b, SEXP x, int depth);

/* ---- writing ---- */

static void write_double(struct buf *b, double x)
{
	char s[40];
	if (!isfinite(x)) {
		buf_puts(b, "null");
		return;
	}
	snprintf(s, sizeof s, "%.15g", x);
	if (strtod(s, NULL) != x)
		snprintf(s, sizeof s, "%.17g", x);
	buf_puts(b, s);
}

static void write_element(struct buf *b, SEXP x, R_xlen_t i)
{
	switch (TYPEOF(x)) {
	case LGLSXP:
		buf_puts(b, LOGICAL_ELT(x, i) == NA_LOGICAL ? "null" : LOGICAL_ELT(x, i) ? "true" : "false");
		break;
	case INTSXP:
		if (INTEGER_ELT(x, i) == NA_INTEGER)
			buf_puts(b, "null");
		else
			buf_printf(b, "%d", INTEGER_ELT(x, i));
		break;
	case REALSXP: write_double(b, REAL_ELT(x, i)); break;
	case STRSXP:
		if (STRING_ELT(x, i) == NA_STRING)
			buf_puts(b, "null");
		else
			jx_cstring(b, r_text(x, i));
		break;
	}
}

static void write_base64(struct buf *b, const unsigned char *p, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	buf_putc(b, '"');
	for (size_t i = 0; i < n; i += 3) {
		unsigned long three = (unsigned long)p[i] << 16;
		three |= i + 1 < n ? (unsigned long)p[i + 1] << 8 : 0;
		three |= i + 2 < n ? p[i + 2] : 0;
		buf_putc(b, digit[three >> 18]);
		buf_putc(b, digit[three >> 12 & 63]);
		buf_putc(b, i + 1 < n ? digit[three >> 6 & 63] : '=');
		buf_putc(b, i + 2 < n ? digit[three & 63] : '=');
	}
	buf_putc(b, '"');
}

static void write_json_text(struct buf *b, const char *text)
{
	json_t *v = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!v)
		Rf_error("text of class \"json\" is not JSON");
	jx_value(b, v);
	json_decref(v);
}

static void write_vector(struct buf *b, SEXP x)
{
	R_xlen_t n = XLENGTH(x);
	if (TYPEOF(x) == STRSXP && n == 1 && Rf_inherits(x, "json")) {
		write_json_text(b, r_text(x, 0));
		return;
	}
	bool scalar = n == 1 && !Rf_inherits(x, "AsIs");
	if (!scalar)
		buf_putc(b, '[');
	for (R_xlen_t i = 0; i < n; i++) {
		if (i)
			buf_putc(b, ',');
		write_element(b, x, i);
	}
	if (!scalar)
		buf_putc(b, ']');
}

static void write_list(struct buf *b, SEXP x, int depth)
{
	SEXP names = Rf_getAttrib(x, R_NamesSymbol);
	bool object = TYPEOF(names) == STRSXP;
	PROTECT(names);
	if (depth > MAX_DEPTH)
		Rf_error("a list that is nested deeper than %d cannot be sent", MAX_DEPTH);
	buf_putc(b, object ? '{' : '[');
	for (R_xlen_t i = 0, n = XLENGTH(x); i < n; i++) {
		if (i)
			buf_putc(b, ',');
		if (object) {
			char number[24];
			const char *name = r_text(names, i);
			snprintf(number, sizeof number, "%lld", (long long)i + 1);
			jx_cstring(b, *name ? name : number);
			buf_putc(b, ':');
		}
		write_value(b, VECTOR_ELT(x, i), depth + 1);
	}
	buf_putc(b, object ? '}' : ']');
	UNPROTECT(1);
}

static void write_value(struct buf *b, SEXP x, int depth)
{
	switch (TYPEOF(x)) {
	case NILSXP: buf_puts(b, "null"); break;
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case STRSXP: write_vector(b, x); break;
	case RAWSXP: write_base64(b, RAW_RO(x), (size_t)XLENGTH(x)); break;
	case VECSXP: write_list(b, x, depth); break;
	default: Rf_error("a value of type '%s' cannot be sent as JSON", Rf_type2char(TYPEOF(x)));
	}
}

void r_json_write(struct buf *b, SEXP x)
{
	const void *vmax = vmaxget();
	write_value(b, x, 0);
	vmaxset(vmax);
}

/* ---- reading ---- */

static bool fits_integer(const json_t *v)
{
	json_int_t i = json_integer_value(v);
	return json_is_integer(v) && i > INT32_MIN && i <= INT32_MAX;
}

/* R cannot hold a NUL: the text ends there. */
static SEXP read_text(const json_t *v)
{
	const char *s = json_string_value(v);
	return Rf_mkCharLenCE(s, (int)strnlen(s, json_string_length(v)), CE_UTF8);
}

static SEXPTYPE scalar_type(const json_t *v)
{
	if (json_is_boolean(v))
		return LGLSXP;
	if (json_is_string(v))
		return STRSXP;
	if (fits_integer(v))
		return INTSXP;
	return json_is_number(v) ? REALSXP : NILSXP;
}

static void set_element(SEXP x, R_xlen_t i, const json_t *v)
{
	switch (TYPEOF(x)) {
	case LGLSXP: LOGICAL(x)[i] = json_is_true(v); break;
	case INTSXP: INTEGER(x)[i] = (int)json_integer_value(v); break;
	case REALSXP: REAL(x)[i] = json_number_value(v); break;
	case STRSXP: SET_STRING_ELT(x, i, read_text(v)); break;
	}
}

/* The type of the vector that an array is, VECSXP if it is none. */
static SEXPTYPE array_type(const json_t *v)
{
	SEXPTYPE type = NILSXP;
	size_t i;
	json_t *element;
	json_array_foreach(v, i, element)
	{
		SEXPTYPE t = scalar_type(element);
		bool numbers = (t == INTSXP || t == REALSXP) && (type == INTSXP || type == REALSXP);
		if (t == NILSXP || (i && t != type && !numbers))
			return VECSXP;
		if (!i || t == REALSXP)
			type = t;
	}
	return type == NILSXP ? VECSXP : type;
}

static SEXP read_array(const json_t *v)
{
	SEXPTYPE type = array_type(v);
	SEXP x = PROTECT(Rf_allocVector(type, (R_xlen_t)json_array_size(v)));
	size_t i;
	json_t *element;
	json_array_foreach(v, i, element)
	{
		if (type == VECSXP)
			SET_VECTOR_ELT(x, (R_xlen_t)i, r_json_read(element));
		else
			set_element(x, (R_xlen_t)i, element);
	}
	UNPROTECT(1);
	return x;
}

static SEXP read_object(const json_t *v)
{
	R_xlen_t i = 0, n = (R_xlen_t)json_object_size(v);
	SEXP x = PROTECT(Rf_allocVector(VECSXP, n)), names = PROTECT(Rf_allocVector(STRSXP, n));
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)v, key, value)
	{
		SET_STRING_ELT(names, i, Rf_mkCharCE(key, CE_UTF8));
		SET_VECTOR_ELT(x, i++, r_json_read(value));
	}
	Rf_setAttrib(x, R_NamesSymbol, names);
	UNPROTECT(2);
	return x;
}

SEXP r_json_read(const json_t *v)
{
	if (json_is_object(v))
		return read_object(v);
	if (json_is_array(v))
		return read_array(v);
	SEXPTYPE type = scalar_type(v);
	if (type == NILSXP)
		return R_NilValue;
	SEXP x = PROTECT(Rf_allocVector(type, 1));
	set_element(x, 0, v);
	UNPROTECT(1);
	return x;
}
