/* bundle.c: contents by media type, as messages hold them. */
#include "session/display.h"

#include "rapi/json.h"
#include "rapi/keep.h"
#include "rapi/value.h"

static void put_value(struct buf *out, SEXP x)
{
	SEXP plain = PROTECT(r_call_module("plain", 1, &x));
	r_json_write(out, plain);
	UNPROTECT(1);
}

void ss_bundle_object(struct buf *out, SEXP x)
{
	if (Rf_xlength(x) == 0) {
		buf_puts(out, "{}");
		return;
	}
	SEXP names = PROTECT(Rf_getAttrib(x, R_NamesSymbol));
	if (names == R_NilValue || !Rf_isVector(x))
		Rf_error("a list with names is needed, not a value of type '%s' without", Rf_type2char(TYPEOF(x)));
	SEXP list = PROTECT(TYPEOF(x) == VECSXP ? x : Rf_coerceVector(x, VECSXP));
	put_value(out, list);
	UNPROTECT(2);
}

/* Text that is a JSON object or array already; false if it is not. */
static bool verbatim(struct buf *out, const char *s)
{
	json_error_t e;
	json_t *v = json_loads(s, JSON_ALLOW_NUL, &e);
	if (!v)
		return false;
	jx_value(out, v);
	json_decref(v);
	return true;
}

static bool is_json_type(const char *mime)
{
	size_t n = strlen(mime);
	return !strcmp(mime, "application/json") || (n > 5 && !strcmp(mime + n - 5, "+json"));
}

static bool is_text_type(const char *mime)
{
	return !strncmp(mime, "text/", 5) || !strcmp(mime, "image/svg+xml") || !strcmp(mime, "application/javascript");
}

static void content_text(struct buf *out, SEXP x)
{
	SEXP text = PROTECT(TYPEOF(x) == STRSXP ? x : Rf_coerceVector(x, STRSXP));
	R_xlen_t n = XLENGTH(text);
	SEXP lines = n == 1 ? text : r_call_module("one_string", 1, &text);
	PROTECT(lines);
	const char *s = r_text(lines, 0);
	jx_string(out, s, strlen(s));
	UNPROTECT(2);
}

static void content_of(struct buf *out, const char *mime, SEXP x)
{
	bool json = is_json_type(mime);
	if (TYPEOF(x) == RAWSXP && (json || is_text_type(mime))) {
		/* The bytes of a file. */
		char *s = R_alloc((size_t)XLENGTH(x) + 1, 1);
		if (XLENGTH(x))
			memcpy(s, RAW(x), (size_t)XLENGTH(x));
		s[XLENGTH(x)] = '\0';
		if (!json || !verbatim(out, s))
			jx_string(out, s, (size_t)XLENGTH(x));
	} else if (TYPEOF(x) == RAWSXP) {
		r_json_write(out, x);
	} else if (json) {
		if (TYPEOF(x) != STRSXP || XLENGTH(x) != 1 || !verbatim(out, r_text(x, 0)))
			put_value(out, x);
	} else if (TYPEOF(x) == VECSXP) {
		static struct buf inner; /* a list where text is due: its JSON, as text */
		if (!inner.max)
			buf_init(&inner, BUF_MAX_MESSAGE);
		buf_clear(&inner);
		put_value(&inner, x);
		jx_string(out, inner.data ? inner.data : "", inner.len);
		buf_trim(&inner, 0);
	} else {
		content_text(out, x);
	}
}

void ss_bundle(struct buf *out, SEXP data)
{
	SEXP names = PROTECT(Rf_getAttrib(data, R_NamesSymbol));
	if (Rf_xlength(data) && (names == R_NilValue || (TYPEOF(data) != VECSXP && TYPEOF(data) != STRSXP)))
		Rf_error("what is displayed must be a list whose names are media types");
	const void *vmax = vmaxget();
	buf_putc(out, '{');
	for (R_xlen_t i = 0; i < Rf_xlength(data); i++) {
		SEXP x = PROTECT(TYPEOF(data) == VECSXP ? VECTOR_ELT(data, i) : Rf_ScalarString(STRING_ELT(data, i)));
		const char *mime = r_text(names, i);
		if (x != R_NilValue && *mime) {
			jx_key(out, mime);
			content_of(out, mime, x);
		}
		UNPROTECT(1);
	}
	buf_putc(out, '}');
	vmaxset(vmax);
	UNPROTECT(1);
}

static SEXP as_json(SEXP x, size_t quotes)
{
	static struct buf text;
	if (!text.max)
		buf_init(&text, BUF_MAX_MESSAGE);
	buf_clear(&text);
	r_json_write(&text, x);
	if (text.failed)
		Rf_error("this is larger than a message may be");
	SEXP string = r_string(text.data + quotes, text.len - 2 * quotes);
	buf_trim(&text, (size_t)1 << 16);
	return string;
}

SEXP ss_display_json(SEXP x)
{
	return as_json(x, 0);
}

SEXP ss_display_base64(SEXP raw)
{
	if (TYPEOF(raw) != RAWSXP)
		Rf_error("a raw vector is needed");
	return as_json(raw, 1);
}
