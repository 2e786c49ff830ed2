#include "comms/value.h"

#include "base/utf8.h"
#include "comms/code.h"
#include "comms/show.h"
#include "rapi/keep.h"
#include "rapi/value.h"

bool value_has_methods, value_plain;

void value_find_methods(void)
{
	SEXP methods;
	value_has_methods =
	    !value_plain &&
	    peek_binding(r_kept(R_KEEP_MODULES), Rf_install("variable_methods"), &methods) == PEEK_VALUE &&
	    TYPEOF(methods) == ENVSXP && peek_count(methods, true, 1) > 0;
}

SEXP value_method(const char *what, SEXP x, SEXP index, SEXP name)
{
	if (!value_has_methods || !OBJECT(x))
		return R_NilValue;
	SEXP args[4];
	args[0] = PROTECT(Rf_mkString(what));
	args[1] = x;
	args[2] = index;
	args[3] = name;
	SEXP value = r_call_module("variable_method", 4, args);
	UNPROTECT(1);
	return value;
}

/* ---- what kind of thing ---- */

SEXP value_environment(SEXP x)
{
	if (TYPEOF(x) == S4SXP)
		x = peek_attribute(x, Rf_install(".xData"));
	return TYPEOF(x) == ENVSXP ? x : R_NilValue;
}

SEXP value_r6(SEXP x, bool private)
{
	SEXP enclosure, fields;
	if (TYPEOF(x) != ENVSXP || !peek_inherits(x, "R6"))
		return R_NilValue;
	if (!private)
		return x;
	if (peek_binding(x, Rf_install(".__enclos_env__"), &enclosure) != PEEK_VALUE || TYPEOF(enclosure) != ENVSXP)
		return R_NilValue;
	return peek_binding(enclosure, Rf_install("private"), &fields) == PEEK_VALUE && TYPEOF(fields) == ENVSXP
		   ? fields
		   : R_NilValue;
}

static const char *short_type(SEXP x)
{
	switch (TYPEOF(x)) {
	case LGLSXP: return "lgl";
	case INTSXP: return "int";
	case REALSXP: return "dbl";
	case CPLXSXP: return "cplx";
	case STRSXP: return "str";
	case RAWSXP: return "raw";
	case VECSXP: return "list";
	case LISTSXP: return "pairlist";
	case ENVSXP: return "environment";
	case CLOSXP:
	case BUILTINSXP:
	case SPECIALSXP: return "function";
	case NILSXP: return "NULL";
	case S4SXP: return "S4";
	default: return Rf_type2char(TYPEOF(x));
	}
}

static void shape(char *out, size_t size, SEXP x)
{
	char a[24], b[24];
	R_xlen_t rows, columns, n = peek_length(x);
	*out = '\0';
	if (peek_dim(x, &rows, &columns))
		snprintf(out, size, " [%s, %s]", peek_number(a, sizeof a, rows), peek_number(b, sizeof b, columns));
	else if (peek_is_list(x) || (peek_is_atomic(x) && n != 1))
		snprintf(out, size, " [%s]", peek_number(a, sizeof a, n));
}

static void types(struct look *l, SEXP x)
{
	char size[64], altrep[128], levels[32] = "";
	const char *class = peek_class(x, 0);
	bool factor = peek_inherits(x, "factor");
	shape(size, sizeof size, x);
	if (factor)
		snprintf(levels, sizeof levels, "fct(%lld)", (long long)peek_length(peek_attribute(x, R_LevelsSymbol)));
	snprintf(l->type, sizeof l->type, "%s%s",
		 factor              ? levels
		 : *class            ? class
		 : x == R_MissingArg ? "missing"
				     : short_type(x),
		 size);
	peek_altrep_name(x, altrep, sizeof altrep);
	size_t at = 0;
	for (R_xlen_t i = 0; *(class = peek_class(x, i)) && at < sizeof l->info; i++)
		at += (size_t)snprintf(l->info + at, sizeof l->info - at, i ? "/%s" : "%s", class);
	if (!at)
		at = (size_t)snprintf(l->info, sizeof l->info, "%s", short_type(x));
	if (*altrep && at < sizeof l->info)
		snprintf(l->info + at, sizeof l->info - at, " (ALTREP %s)", altrep);
}

static bool is_na(SEXP x)
{
	switch (TYPEOF(x)) {
	case LGLSXP: return LOGICAL_ELT(x, 0) == NA_LOGICAL;
	case INTSXP: return INTEGER_ELT(x, 0) == NA_INTEGER;
	case REALSXP: return ISNA(REAL_ELT(x, 0));
	case CPLXSXP: return ISNA(COMPLEX_ELT(x, 0).r);
	case STRSXP: return STRING_ELT(x, 0) == NA_STRING;
	default: return false;
	}
}

static const char *kind_of(SEXP x)
{
	R_xlen_t rows, columns;
	if (peek_dim(x, &rows, &columns))
		return "table";
	if (peek_is_atomic(x) && peek_length(x) != 1)
		return "collection";
	if (peek_is_atomic(x) && peek_is_readable(x) && is_na(x))
		return "empty";
	switch (TYPEOF(x)) {
	case LGLSXP: return "boolean";
	case INTSXP: return peek_inherits(x, "factor") ? "string" : peek_inherits(x, "connection") ? "other" : "number";
	case REALSXP:
	case CPLXSXP: return "number";
	case STRSXP: return "string";
	case RAWSXP: return "bytes";
	case CLOSXP:
		return peek_inherits(x, "S7_class") || peek_inherits(x, "classGeneratorFunction") ||
			       peek_inherits(x, "refObjectGenerator")
			   ? "class"
			   : "function";
	case BUILTINSXP:
	case SPECIALSXP: return "function";
	case ENVSXP: return peek_inherits(x, "R6ClassGenerator") ? "class" : "map";
	case VECSXP:
	case EXPRSXP:
	case LISTSXP:
	case S4SXP: return "map";
	case NILSXP: return "empty";
	case SYMSXP: return x == R_MissingArg ? "empty" : "other";
	default: return "other";
	}
}

/* ---- the whole look ---- */

/* The text that a class's own method gives, appended; false without one. May jump. */
static bool own_text(struct buf *out, const char *what, SEXP x)
{
	SEXP text = PROTECT(value_method(what, x, R_NilValue, R_NilValue));
	bool own = TYPEOF(text) == STRSXP && XLENGTH(text) >= 1;
	if (own)
		peek_text(out, STRING_ELT(text, 0), 10 * VALUE_CHARS);
	UNPROTECT(1);
	return own;
}

static bool own_flag(const char *what, SEXP x, bool otherwise)
{
	SEXP flag = value_method(what, x, R_NilValue, R_NilValue);
	return TYPEOF(flag) == LGLSXP && XLENGTH(flag) == 1 ? LOGICAL_ELT(flag, 0) == TRUE : otherwise;
}

/* What methods of the class say instead. May jump. */
static void take_over(struct look *l, SEXP x, size_t from)
{
	static const char *const kinds[] = {"boolean", "bytes", "class",  "collection", "empty", "function",  "map",
					    "number",  "other", "string", "table",      "lazy",  "connection"};
	static struct buf text = BUF_INIT(BUF_MAX_SMALL); /* static: a jump leaves nothing behind */
	buf_clear(&text);
	if (own_text(&text, "display_value", x)) {
		l->value->len = from;
		buf_put(l->value, text.data, text.len);
		l->truncated = false;
	}
	buf_clear(&text);
	if (own_text(&text, "display_type", x))
		snprintf(l->type, sizeof l->type, "%.*s",
			 (int)utf8_cut(text.data, text.len < sizeof l->type ? text.len : sizeof l->type - 1),
			 text.data);
	buf_clear(&text);
	bool own_kind = own_text(&text, "kind", x);
	for (size_t i = 0; own_kind && i < ARRAY_LEN(kinds); i++)
		if (strcmp(text.data, kinds[i]) == 0)
			l->kind = kinds[i];
	l->children = own_flag("has_children", x, l->children);
	l->viewer = own_flag("has_viewer", x, false);
}

static R_xlen_t length_of(struct node node)
{
	SEXP x = node.x;
	R_xlen_t rows, columns;
	if (peek_dim(x, &rows, &columns))
		return columns;
	if (peek_is_atomic(x) || peek_is_list(x))
		return peek_length(x) == PEEK_UNKNOWN ? 0 : peek_length(x);
	return node_count(node);
}

static void look_at_value(struct look *l, struct node node)
{
	size_t from = l->value->len;
	SEXP x = node.x;
	types(l, x);
	l->kind = kind_of(x);
	l->length = length_of(node);
	l->children = node_count(node) > 0;
	l->truncated = show_value(l->value, x);
	if (value_has_methods && OBJECT(x))
		take_over(l, x, from);
}

static const char *kind_of_element(SEXP x)
{
	if (peek_inherits(x, "factor") || TYPEOF(x) == STRSXP)
		return "string";
	return TYPEOF(x) == LGLSXP ? "boolean" : TYPEOF(x) == RAWSXP ? "bytes" : "number";
}

static void look_at_part(struct look *l, struct node node)
{
	SEXP x = node.x;
	R_xlen_t rows = 0, columns;
	const char *type = peek_inherits(x, "factor") ? "str" : short_type(x);
	snprintf(l->type, sizeof l->type, "%s", type);
	snprintf(l->info, sizeof l->info, "%s", type);
	if (node.kind == NODE_ELEMENT) {
		l->kind = kind_of_element(x);
		l->length = 1;
		l->truncated = show_element(l->value, x, node.i);
	} else {
		peek_dim(x, &rows, &columns);
		l->kind = "collection";
		l->length = rows;
		l->children = rows > 0;
		snprintf(l->type, sizeof l->type, "%s [%lld]", type, (long long)rows);
		l->truncated = show_elements(l->value, x, node.i * rows, rows);
	}
}

/* What packages load lazily has no code that says anything. */
static void promise_code(struct buf *out, SEXP code)
{
	if (TYPEOF(code) == LANGSXP && CAR(code) == Rf_install("lazyLoadDBfetch"))
		buf_puts(out, "(unevaluated)");
	else
		code_write(out, code, VALUE_CHARS);
}

void value_look(struct look *l, struct node node)
{
	size_t from = l->value->len;
	struct buf *value = l->value;
	*l = (struct look){.value = value, .kind = "other"};
	switch (node.kind) {
	case NODE_VALUE: look_at_value(l, node); break;
	case NODE_ELEMENT:
	case NODE_COLUMN: look_at_part(l, node); break;
	case NODE_PROMISE:
		l->kind = "lazy";
		snprintf(l->type, sizeof l->type, "promise");
		snprintf(l->info, sizeof l->info, "promise");
		promise_code(value, R_PromiseExpr(node.x));
		break;
	case NODE_ACTIVE:
		snprintf(l->type, sizeof l->type, "active binding");
		snprintf(l->info, sizeof l->info, "active binding");
		break;
	case NODE_PRIVATE:
	case NODE_METHODS:
		l->kind = "map";
		l->length = node_count(node);
		l->children = l->length > 0;
		snprintf(l->type, sizeof l->type, "%s", node.kind == NODE_PRIVATE ? "private" : "methods");
		snprintf(l->info, sizeof l->info, "environment");
		buf_printf(value, "[%lld]", (long long)l->length);
		break;
	}
	l->truncated |= show_cut(value, from);
}
