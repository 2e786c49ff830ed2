/* look_call.c: the arguments of functions, and which method a generic would call. */
#include "session/look.h"

/* Which of them there are depends on R's version. */
extern R_WEAK SEXP FORMALS(SEXP);
extern R_WEAK SEXP CLOENV(SEXP);
R_WEAK SEXP R_ClosureFormals(SEXP closure);
R_WEAK SEXP R_ClosureEnv(SEXP closure);

SEXP look_closure_env(SEXP closure)
{
	return R_ClosureEnv ? R_ClosureEnv(closure) : CLOENV ? CLOENV(closure) : R_EmptyEnv;
}

SEXP look_formals(SEXP function, SEXP symbol)
{
	static const char *const tables[] = {".ArgsEnv", ".GenericArgsEnv"};
	for (size_t i = 0; TYPEOF(function) != CLOSXP && symbol && i < ARRAY_LEN(tables); i++)
		function = look_in(look_in(R_BaseEnv, Rf_install(tables[i])), symbol);
	if (TYPEOF(function) != CLOSXP)
		return R_NilValue;
	return R_ClosureFormals ? R_ClosureFormals(function) : FORMALS ? FORMALS(function) : R_NilValue;
}

/* "summary" of a function whose body calls UseMethod("summary"): found at the top of the body, where it practically always is. */
static SEXP generic_name(SEXP function)
{
	if (TYPEOF(function) != CLOSXP)
		return R_NilValue;
	SEXP body = R_ClosureExpr(function), brace = Rf_install("{"), use = Rf_install("UseMethod");
	SEXP line = TYPEOF(body) == LANGSXP && CAR(body) == brace ? CDR(body) : R_NilValue;
	for (int i = 0; i < 64; i++) {
		SEXP call = line == R_NilValue ? body : CAR(line);
		if (TYPEOF(call) == LANGSXP && CAR(call) == use && TYPEOF(CADR(call)) == STRSXP &&
		    XLENGTH(CADR(call)) == 1)
			return STRING_ELT(CADR(call), 0);
		if (line == R_NilValue || (line = CDR(line)) == R_NilValue)
			break;
	}
	return R_NilValue;
}

/* The classes that dispatch tries for an object without a class attribute (R-lang, "Method dispatching"). */
static int implicit_classes(SEXP x, const char *to[6])
{
	int n = 0;
	SEXP dim = Rf_getAttrib(x, R_DimSymbol);
	if (TYPEOF(dim) == INTSXP) {
		if (XLENGTH(dim) == 2)
			to[n++] = "matrix";
		to[n++] = "array";
	}
	switch (TYPEOF(x)) {
	case INTSXP: to[n++] = "integer"; break;
	case REALSXP: to[n++] = "double"; break;
	case CLOSXP:
	case BUILTINSXP:
	case SPECIALSXP: to[n++] = "function"; break;
	case SYMSXP: to[n++] = "name"; break;
	case LANGSXP: to[n++] = "call"; break;
	default: to[n++] = Rf_type2char(TYPEOF(x));
	}
	if (TYPEOF(x) == INTSXP || TYPEOF(x) == REALSXP)
		to[n++] = "numeric";
	return n;
}

bool look_classes(SEXP x, bool (*fn)(void *, const char *), void *to)
{
	SEXP class = Rf_getAttrib(x, R_ClassSymbol);
	const char *implicit[6];
	if (TYPEOF(class) == STRSXP && XLENGTH(class) > 0) {
		for (R_xlen_t i = 0; i < XLENGTH(class); i++)
			if (fn(to, Rf_translateCharUTF8(STRING_ELT(class, i))))
				return true;
	} else {
		int n = implicit_classes(x, implicit);
		for (int i = 0; i < n; i++)
			if (fn(to, implicit[i]))
				return true;
	}
	return fn(to, "default");
}

struct method_search {
	SEXP generic, table, found, symbol;
};

static bool try_method(void *data, const char *class)
{
	struct method_search *m = data;
	char name[512];
	int n = snprintf(name, sizeof name, "%s.%s", CHAR(m->generic), class);
	if (n < 0 || (size_t)n >= sizeof name)
		return false;
	m->symbol = Rf_install(name);
	m->found = look_up(m->symbol, true);
	if (m->found == R_UnboundValue)
		m->found = look_in(m->table, m->symbol);
	return m->found != R_UnboundValue;
}

SEXP look_method(SEXP function, SEXP object, SEXP *symbol)
{
	struct method_search m = {.generic = generic_name(function), .found = R_UnboundValue};
	if (m.generic == R_NilValue || object == R_UnboundValue)
		return R_UnboundValue;
	SEXP top = look_closure_env(function);
	SEXP table = Rf_install(".__S3MethodsTable__.");
	while (top != R_EmptyEnv && !R_existsVarInFrame(top, table))
		top = look_parent(top);
	m.table = top == R_EmptyEnv ? R_NilValue : look_in(top, table);
	if (!look_classes(object, try_method, &m))
		return R_UnboundValue;
	if (symbol)
		*symbol = m.symbol;
	return m.found;
}
