#include "rapi/value.h"

#include "rapi/keep.h"

SEXP r_string(const char *s, size_t n)
{
	SEXP chars = PROTECT(Rf_mkCharLenCE(s, (int)n, CE_UTF8));
	SEXP string = Rf_ScalarString(chars);
	UNPROTECT(1);
	return string;
}

SEXP r_lines(const char *s, size_t n)
{
	R_xlen_t count = 1, line = 0;
	for (size_t i = 0; i < n; i++)
		count += s[i] == '\n';
	SEXP lines = PROTECT(Rf_allocVector(STRSXP, count));
	while (line < count) {
		const char *end = memchr(s, '\n', n);
		size_t len = end ? (size_t)(end - s) : n;
		SET_STRING_ELT(lines, line++, Rf_mkCharLenCE(s, (int)len, CE_UTF8));
		if (!end)
			break;
		s += len + 1;
		n -= len + 1;
	}
	UNPROTECT(1);
	return lines;
}

const char *r_text(SEXP strings, R_xlen_t i)
{
	if (TYPEOF(strings) != STRSXP || i >= XLENGTH(strings))
		return "";
	return Rf_translateCharUTF8(STRING_ELT(strings, i));
}

SEXP r_option(const char *name)
{
	return Rf_GetOption1(Rf_install(name));
}

bool r_option_is_true(const char *name)
{
	SEXP value = r_option(name);
	return TYPEOF(value) == LGLSXP && XLENGTH(value) == 1 && LOGICAL(value)[0] == TRUE;
}

void r_set_in_base(SEXP symbol, SEXP value)
{
	if (SET_SYMVALUE)
		SET_SYMVALUE(symbol, value);
	else
		Rf_defineVar(symbol, value, R_BaseEnv);
}

SEXP r_natives(const struct r_native *natives, size_t n)
{
	SEXP list = PROTECT(Rf_allocVector(VECSXP, (R_xlen_t)n));
	SEXP names = PROTECT(Rf_allocVector(STRSXP, (R_xlen_t)n));
	for (size_t i = 0; i < n; i++) {
		SET_STRING_ELT(names, (R_xlen_t)i, Rf_mkChar(natives[i].name));
		SET_VECTOR_ELT(list, (R_xlen_t)i,
			       R_MakeExternalPtrFn(natives[i].function, Rf_install("native symbol"), R_NilValue));
	}
	Rf_namesgets(list, names);
	UNPROTECT(2);
	return list;
}

SEXP r_call_in(SEXP env, const char *function, int n, const SEXP *args)
{
	PROTECT_INDEX at;
	SEXP call = R_NilValue;
	for (int i = 0; i < n; i++)
		PROTECT(args[i]);
	PROTECT_WITH_INDEX(call, &at);
	for (int i = n; i-- > 0;)
		REPROTECT(call = Rf_cons(args[i], call), at);
	REPROTECT(call = Rf_lcons(Rf_install(function), call), at);
	SEXP value = Rf_eval(call, env);
	UNPROTECT(n + 1);
	return value;
}

SEXP r_call_module(const char *function, int n, const SEXP *args)
{
	return r_call_in(r_kept(R_KEEP_MODULES), function, n, args);
}
