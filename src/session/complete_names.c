/* complete_names.c: where a name is due. */
#include "session/complete.h"
#include "session/packages.h"

static enum match_form name_form(const struct completing *x)
{
	return x->c->quote == '`' ? MATCH_BACKTICK : MATCH_NAME;
}

/* ---- arguments ---- */

static bool is_given(const struct completing *x, struct slice name)
{
	for (int i = 0; i < x->c->n_given; i++)
		if (x->c->given[i].len == name.len && memcmp(x->c->given[i].data, name.data, name.len) == 0)
			return true;
	return false;
}

static void add_argument(void *data, struct slice name)
{
	struct completing *x = data;
	if (!slice_is(name, "...") && !is_given(x, name))
		matches_add(&x->m, MATCH_ARGUMENT, x->c->has_equals ? name_form(x) : MATCH_EQUALS, "param", name);
}

/* Arguments without names take the first formals that are not named. */
static void add_formals(struct completing *x, SEXP formals)
{
	int taken = x->c->frame[0].unnamed + x->c->frame[0].piped;
	for (; formals != R_NilValue && taken > 0; formals = CDR(formals)) {
		struct slice name = SLICE_STR(Rf_translateCharUTF8(PRINTNAME(TAG(formals))));
		if (slice_is(name, "..."))
			break;
		taken -= !is_given(x, name);
	}
	for (; formals != R_NilValue; formals = CDR(formals))
		if (TAG(formals) != R_NilValue)
			add_argument(x, SLICE_STR(Rf_translateCharUTF8(PRINTNAME(TAG(formals)))));
}

/* Class$new(…) of R6: the arguments are those of `initialize`. */
static SEXP r6_initialize(const struct syn_path *path)
{
	if (path->n < 2 || !slice_is(path->step[path->n - 1].name, "new"))
		return R_UnboundValue;
	struct syn_path owner = *path;
	owner.n--;
	SEXP class = look_path(&owner, false);
	if (TYPEOF(class) != ENVSXP || !Rf_inherits(class, "R6ClassGenerator"))
		return R_UnboundValue;
	SEXP methods = look_in(class, Rf_install("public_methods")), names = look_names(methods);
	for (R_xlen_t i = 0; TYPEOF(methods) == VECSXP && i < Rf_xlength(names); i++)
		if (strcmp(CHAR(STRING_ELT(names, i)), "initialize") == 0)
			return VECTOR_ELT(methods, i);
	return R_UnboundValue;
}

static void add_arguments(struct completing *x)
{
	const struct syn_frame *f = &x->c->frame[0];
	const struct syn_path *path = &f->function;
	if (!x->c->name_of_argument || f->kind != SYN_CALL || !path->n)
		return;
	if (path->n == 1 && path->step[0].kind == SYN_STEP_NAME &&
	    syn_each_parameter(x->c, path->step[0].name, add_argument, x))
		return;
	SEXP symbol = look_symbol(path->step[path->n - 1].name);
	SEXP function = r6_initialize(path);
	if (function == R_UnboundValue)
		function = look_path(path, true);
	if (!symbol || !Rf_isFunction(function))
		return;
	SEXP method = f->first.n ? look_method(function, look_path(&f->first, false), NULL) : R_UnboundValue;
	if (Rf_isFunction(method))
		add_formals(x, look_formals(method, NULL));
	add_formals(x, look_formals(function, symbol));
}

/* ---- columns ---- */

static void add_all(struct completing *x, SEXP names, enum match_source source, enum match_form form)
{
	for (R_xlen_t i = 0; i < Rf_xlength(names); i++, complete_pause(i))
		matches_add(&x->m, source, form, "instance", SLICE_STR(Rf_translateCharUTF8(STRING_ELT(names, i))));
}

void complete_columns(struct completing *x, enum match_form form)
{
	for (int i = 0; i < x->c->n_data; i++) {
		const struct syn_data *d = &x->c->data[i];
		SEXP table = look_path(&d->path, false);
		if (TYPEOF(table) == VECSXP && Rf_inherits(table, d->subset ? "data.table" : "data.frame"))
			add_all(x, look_names(table), MATCH_COLUMN, form);
	}
}

void complete_elements(struct completing *x, const struct syn_frame *f, enum match_form form)
{
	SEXP object = look_path(&f->function, false);
	bool columns_are_variables = f->kind == SYN_SUBSET && form == MATCH_QUOTED && Rf_inherits(object, "data.table");
	if (object == R_UnboundValue || columns_are_variables)
		return;
	SEXP env = f->kind == SYN_SUBSET2 ? look_environment(object) : R_NilValue, names;
	SEXP dim = Rf_getAttrib(object, R_DimSymbol);
	if (env != R_NilValue) {
		names = look_list(env, false);
	} else if (TYPEOF(dim) == INTSXP) {
		SEXP all = Rf_getAttrib(object, R_DimNamesSymbol);
		names = TYPEOF(all) == VECSXP && f->position < XLENGTH(all) ? VECTOR_ELT(all, f->position) : R_NilValue;
	} else {
		names = look_names(object);
	}
	PROTECT(names);
	if (TYPEOF(names) == STRSXP)
		add_all(x, names, MATCH_MEMBER, form);
	UNPROTECT(1);
}

/* ---- variables ---- */

static void add_local(void *data, struct slice name, enum syn_local kind)
{
	struct completing *x = data;
	matches_add(&x->m, MATCH_LOCAL, name_form(x), kind == SYN_LOCAL_FUNCTION ? "function" : "instance", name);
}

static void add_environment(struct completing *x, SEXP env, SEXP list, enum match_source source)
{
	SEXP names = PROTECT(list);
	for (R_xlen_t i = 0; i < Rf_xlength(names); i++, complete_pause(i)) {
		SEXP name = STRING_ELT(names, i);
		struct slice text = SLICE_STR(Rf_translateCharUTF8(name));
		struct match *m = matches_add(&x->m, source, name_form(x), NULL, text);
		if (m && source == MATCH_SEARCH && matches_is_reserved(text)) {
			matches_drop_last(&x->m); /* the functions behind `if`, `for` … */
		} else if (m) {
			m->where = env;
			m->what = Rf_installTrChar(name);
		}
	}
	UNPROTECT(1);
}

static void add_keywords(struct completing *x)
{
	static const char *const words[] = {"if",   "else",  "repeat", "while",       "function", "for",
					    "next", "break", "in",     "TRUE",        "FALSE",    "NULL",
					    "Inf",  "NaN",   "NA",     "NA_integer_", "NA_real_", "NA_character_"};
	for (size_t i = 0; i < ARRAY_LEN(words) && !x->c->quote; i++)
		matches_add(&x->m, MATCH_KEYWORD, MATCH_VERBATIM, "keyword", SLICE_STR(words[i]));
}

void complete_name(struct completing *x)
{
	const struct syn_context *c = x->c;
	if (complete_special(x, MATCH_QUOTED))
		return;
	if (c->n_frames && c->frame[0].kind != SYN_CALL && c->frame[0].direct && !c->quote)
		complete_elements(x, &c->frame[0], MATCH_QUOTED);
	add_arguments(x);
	complete_columns(x, name_form(x));
	if (c->has_equals)
		return;
	syn_each_local(c, add_local, x);
	add_environment(x, R_GlobalEnv, look_list(R_GlobalEnv, true), MATCH_GLOBAL);
	/* Nothing typed: the thousands of names of the search path say nothing, if there is anything else. */
	if (!c->typed.len && matches_count(&x->m))
		return;
	SEXP env = look_parent(R_GlobalEnv);
	for (int i = 0; env != R_EmptyEnv; env = look_parent(env), i++)
		add_environment(x, env, look_search_list(i, env), MATCH_SEARCH);
	add_keywords(x);
	if (c->typed.len > 1 && !c->quote)
		packages_installed(&x->m, MATCH_VERBATIM, "::");
}
