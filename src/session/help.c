#include "session/help.h"

#include "rapi/value.h"

/* The function of utils by that name is the one that is found; both stand there as promises until they are used. */
static bool is_rs_own(SEXP symbol)
{
	SEXP utils = PROTECT(R_FindNamespace(PROTECT(Rf_mkString("utils"))));
	SEXP own = PROTECT(Rf_eval(symbol, utils));
	bool is = Rf_findFun(symbol, R_GlobalEnv) == own;
	UNPROTECT(3);
	return is;
}

SEXP ss_help_asked(SEXP code)
{
	if (TYPEOF(code) != LANGSXP || TYPEOF(CAR(code)) != SYMSXP || CDR(code) == R_NilValue ||
	    CDDR(code) != R_NilValue || TAG(CDR(code)) != R_NilValue)
		return NULL;
	SEXP topic = CADR(code);
	const char *name = CHAR(PRINTNAME(CAR(code)));
	bool sign = strcmp(name, "?") == 0, string = TYPEOF(topic) == STRSXP && XLENGTH(topic) == 1;
	if (!(sign && TYPEOF(topic) == SYMSXP && topic != R_MissingArg) &&
	    !(string && (sign || strcmp(name, "help") == 0)))
		return NULL;
	if (!is_rs_own(CAR(code)))
		return NULL;
	SEXP args[2];
	args[0] = PROTECT(string ? topic : Rf_ScalarString(PRINTNAME(topic)));
	args[1] = PROTECT(Rf_ScalarLogical(sign));
	SEXP pages = r_call_module("quick_help", 2, args);
	UNPROTECT(2);
	return pages == R_NilValue ? NULL : pages;
}
