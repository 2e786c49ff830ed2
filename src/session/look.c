/* look.c: values in environments, and what is reached from them by names. */
#include "session/look.h"

#include "base/clock.h"

/* Some are no longer declared by later versions of R, or not exported. */
extern R_WEAK SEXP PRCODE(SEXP);
extern R_WEAK SEXP PRENV(SEXP);
extern R_WEAK SEXP PRVALUE(SEXP);
extern R_WEAK SEXP ENCLOS(SEXP);
R_WEAK SEXP R_ParentEnv(SEXP env);

/* ---- copies of what is loaded lazily: promise and value, the oldest is let go first ---- */

#define COPIES 16

static SEXP copies;
static int next_copy;

static SEXP keep_copy(SEXP promise, SEXP value)
{
	PROTECT(value);
	if (!copies) {
		copies = Rf_allocVector(VECSXP, 2 * COPIES);
		R_PreserveObject(copies);
	}
	SET_VECTOR_ELT(copies, 2 * next_copy, promise);
	SET_VECTOR_ELT(copies, 2 * next_copy + 1, value);
	next_copy = (next_copy + 1) % COPIES;
	UNPROTECT(1);
	return value;
}

static SEXP lazy_code(SEXP promise)
{
	if (!PRCODE || !PRENV)
		return R_NilValue;
	SEXP code = PRCODE(promise);
	if (TYPEOF(code) == BCODESXP)
		code = R_BytecodeExpr(code);
	bool lazy = TYPEOF(code) == LANGSXP && CAR(code) == Rf_install("lazyLoadDBfetch");
	return lazy ? code : R_NilValue;
}

static SEXP promised(SEXP promise)
{
	if (PRVALUE && PRVALUE(promise) != R_UnboundValue)
		return PRVALUE(promise);
	SEXP code = lazy_code(promise);
	if (code == R_NilValue)
		return R_UnboundValue;
	for (int i = 0; copies && i < COPIES; i++)
		if (VECTOR_ELT(copies, 2 * i) == promise)
			return VECTOR_ELT(copies, 2 * i + 1);
	return keep_copy(promise, Rf_eval(code, PRENV(promise)));
}

/* ---- environments ---- */

static bool is_database(SEXP env) /* an environment whose contents are functions of somebody else's */
{
	return OBJECT(env) && Rf_inherits(env, "UserDefinedDatabase");
}

/* Promises as they are. */
static SEXP binding(SEXP env, SEXP symbol)
{
	if (TYPEOF(env) != ENVSXP || is_database(env) || !R_existsVarInFrame(env, symbol) ||
	    R_BindingIsActive(symbol, env))
		return R_UnboundValue;
	SEXP value = Rf_findVarInFrame(env, symbol);
	return value == R_MissingArg ? R_UnboundValue : value;
}

SEXP look_in(SEXP env, SEXP symbol)
{
	SEXP value = binding(env, symbol);
	return TYPEOF(value) == PROMSXP ? promised(value) : value;
}

SEXP look_ready(SEXP env, SEXP symbol)
{
	SEXP value = binding(env, symbol);
	return TYPEOF(value) != PROMSXP ? value : PRVALUE ? PRVALUE(value) : R_UnboundValue;
}

SEXP look_parent(SEXP env)
{
	if (env == R_EmptyEnv || env == R_NilValue)
		return R_EmptyEnv;
	return R_ParentEnv ? R_ParentEnv(env) : ENCLOS ? ENCLOS(env) : R_EmptyEnv;
}

static bool exists(SEXP env, SEXP symbol)
{
	return !is_database(env) && R_existsVarInFrame(env, symbol);
}

bool look_is_visible(SEXP symbol)
{
	for (SEXP env = R_GlobalEnv; env != R_EmptyEnv; env = look_parent(env))
		if (exists(env, symbol))
			return true;
	return false;
}

static SEXP look_from(SEXP env, SEXP symbol, bool function)
{
	for (; env != R_EmptyEnv; env = look_parent(env)) {
		if (!exists(env, symbol))
			continue;
		SEXP value = look_in(env, symbol);
		if (value == R_UnboundValue || !function || Rf_isFunction(value))
			return value;
	}
	return R_UnboundValue;
}

SEXP look_up(SEXP symbol, bool function)
{
	return look_from(R_GlobalEnv, symbol, function);
}

SEXP look_list(SEXP env, bool dots)
{
	if (TYPEOF(env) != ENVSXP || is_database(env))
		return R_NilValue;
	return R_lsInternal3(env, dots ? TRUE : FALSE, FALSE);
}

#define SEARCH_MAX 128
#define BASE_MS 5000

SEXP look_search_list(int position, SEXP env)
{
	static SEXP known; /* environment, names; … */
	static int64_t base_listed;
	bool base = env == R_BaseEnv;
	if (position >= SEARCH_MAX || !(base || R_EnvironmentIsLocked(env)))
		return look_list(env, true);
	if (!known) {
		known = Rf_allocVector(VECSXP, 2 * SEARCH_MAX);
		R_PreserveObject(known);
	}
	bool old = base && clock_ms() - base_listed > BASE_MS;
	if (VECTOR_ELT(known, 2 * position) != env || old) {
		SET_VECTOR_ELT(known, 2 * position + 1, look_list(env, true));
		SET_VECTOR_ELT(known, 2 * position, env);
		if (base)
			base_listed = clock_ms();
	}
	return VECTOR_ELT(known, 2 * position + 1);
}

bool look_is_function(SEXP env, SEXP symbol)
{
	SEXP value = binding(env, symbol);
	if (TYPEOF(value) != PROMSXP)
		return Rf_isFunction(value);
	if (PRVALUE && PRVALUE(value) != R_UnboundValue)
		return Rf_isFunction(PRVALUE(value));
	/* Data sets have environments of their own: package:datasets, and `lazydata` of a namespace. */
	if (lazy_code(value) == R_NilValue)
		return false;
	SEXP where = look_in(PRENV(value), Rf_install("datafile"));
	const char *file = TYPEOF(where) == STRSXP && XLENGTH(where) == 1 ? CHAR(STRING_ELT(where, 0)) : "";
	return !strstr(file, "/data/Rdata");
}

/* ---- namespaces ---- */

SEXP look_symbol(struct slice name)
{
	if (!name.len || name.len > 10000 || memchr(name.data, '\0', name.len))
		return NULL;
	SEXP chars = PROTECT(Rf_mkCharLenCE(name.data, (int)name.len, CE_UTF8));
	SEXP symbol = Rf_installTrChar(chars);
	UNPROTECT(1);
	return symbol;
}

SEXP look_namespace(struct slice package)
{
	SEXP symbol = look_symbol(package);
	SEXP ns = symbol ? look_in(R_NamespaceRegistry, symbol) : R_UnboundValue;
	return TYPEOF(ns) == ENVSXP ? ns : R_NilValue;
}

SEXP look_export(SEXP ns, SEXP symbol, bool internal)
{
	if (TYPEOF(ns) != ENVSXP)
		return R_UnboundValue;
	if (internal || ns == R_BaseNamespace)
		return look_in(ns, symbol);
	SEXP info = look_in(ns, Rf_install(".__NAMESPACE__."));
	SEXP inner = look_in(look_in(info, Rf_install("exports")), symbol);
	if (TYPEOF(inner) == STRSXP && XLENGTH(inner) == 1) {
		/* What a package exports again it has in its imports. */
		SEXP own = Rf_installTrChar(STRING_ELT(inner, 0));
		return exists(ns, own) ? look_in(ns, own) : look_in(look_parent(ns), own);
	}
	return look_in(look_in(info, Rf_install("lazydata")), symbol);
}

/* ---- members ---- */

SEXP look_environment(SEXP x)
{
	if (TYPEOF(x) == S4SXP)
		x = Rf_getAttrib(x, Rf_install(".xData"));
	return TYPEOF(x) == ENVSXP ? x : R_NilValue;
}

SEXP look_names(SEXP x)
{
	switch (TYPEOF(x)) {
	case VECSXP:
	case EXPRSXP:
	case LISTSXP:
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case CPLXSXP:
	case STRSXP:
	case RAWSXP: {
		SEXP names = Rf_getAttrib(x, R_NamesSymbol);
		return TYPEOF(names) == STRSXP ? names : R_NilValue;
	}
	default: return R_NilValue;
	}
}

static SEXP element(SEXP x, R_xlen_t i)
{
	if (TYPEOF(x) == VECSXP && i >= 0 && i < XLENGTH(x))
		return VECTOR_ELT(x, i);
	if (TYPEOF(x) == LISTSXP && i >= 0 && i < Rf_xlength(x))
		return CAR(Rf_nthcdr(x, (int)i));
	return R_UnboundValue;
}

static SEXP named_element(SEXP x, struct slice name)
{
	if (TYPEOF(x) != VECSXP && TYPEOF(x) != LISTSXP)
		return R_UnboundValue;
	SEXP names = PROTECT(look_names(x));
	SEXP found = R_UnboundValue;
	for (R_xlen_t i = 0; found == R_UnboundValue && i < Rf_xlength(names); i++) {
		const char *s = Rf_translateCharUTF8(STRING_ELT(names, i));
		if (slice_is(name, s))
			found = element(x, i);
	}
	UNPROTECT(1);
	return found;
}

static SEXP member(SEXP x, const struct syn_step *step)
{
	SEXP symbol = look_symbol(step->name), env = look_environment(x);
	if (step->kind == SYN_STEP_NUMBER)
		return element(x, step->number - 1);
	if (!symbol)
		return R_UnboundValue;
	if (step->kind == SYN_STEP_SLOT) {
		SEXP slot = IS_S4_OBJECT(x) ? Rf_getAttrib(x, symbol) : R_NilValue;
		return slot == R_NilValue ? R_UnboundValue : slot;
	}
	return env != R_NilValue ? look_in(env, symbol) : named_element(x, step->name);
}

SEXP look_path(const struct syn_path *path, bool function)
{
	SEXP x = R_UnboundValue;
	for (int i = 0; i < path->n; i++) {
		const struct syn_step *step = &path->step[i];
		SEXP symbol = look_symbol(step->name);
		if (step->kind == SYN_STEP_NAME)
			x = symbol ? look_up(symbol, function && path->n == 1) : R_UnboundValue;
		else if (step->kind == SYN_STEP_EXPORT || step->kind == SYN_STEP_INTERNAL)
			x = symbol ? look_export(look_namespace(step->package), symbol, step->kind == SYN_STEP_INTERNAL)
				   : R_UnboundValue;
		else
			x = member(x, step);
		if (x == R_UnboundValue)
			break;
	}
	return x;
}
