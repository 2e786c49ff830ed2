#include "comms/value.h"

#include "base/utf8.h"
#include "comms/code.h"
#include "rapi/keep.h"
#include "rapi/value.h"

#include <math.h>

#define PREFIX 50    /* elements that are formatted at most: a display value has no room for more */
#define MAX_DEPTH 4  /* of lists in lists */
#define MAX_NAMES 11 /* of an environment's */
#define ELLIPSIS "…"

bool value_has_methods, value_plain;

void value_find_methods(void)
{
	SEXP methods;
	value_has_methods = !value_plain && peek_binding(r_kept(R_KEEP_MODULES), Rf_install("variable_methods"), &methods) == PEEK_VALUE &&
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

static bool is_atomic(SEXP x)
{
	switch (TYPEOF(x)) {
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case CPLXSXP:
	case STRSXP:
	case RAWSXP: return true;
	default: return false;
	}
}

static bool is_list(SEXP x)
{
	return TYPEOF(x) == VECSXP || TYPEOF(x) == EXPRSXP;
}

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
	return peek_binding(enclosure, Rf_install("private"), &fields) == PEEK_VALUE && TYPEOF(fields) == ENVSXP ? fields : R_NilValue;
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

static const char *number(char *s, size_t size, R_xlen_t n)
{
	if (n == PEEK_UNKNOWN)
		snprintf(s, size, "?");
	else
		snprintf(s, size, "%lld", (long long)n);
	return s;
}

static void shape(char *out, size_t size, SEXP x)
{
	char a[24], b[24];
	R_xlen_t rows, columns, n = peek_length(x);
	*out = '\0';
	if (peek_dim(x, &rows, &columns))
		snprintf(out, size, " [%s, %s]", number(a, sizeof a, rows), number(b, sizeof b, columns));
	else if (is_list(x) || (is_atomic(x) && n != 1))
		snprintf(out, size, " [%s]", number(a, sizeof a, n));
}

static void types(struct look *l, SEXP x)
{
	char size[64], altrep[128], levels[32] = "";
	const char *class = peek_class(x, 0);
	bool factor = peek_inherits(x, "factor");
	shape(size, sizeof size, x);
	if (factor)
		snprintf(levels, sizeof levels, "fct(%lld)", (long long)peek_length(peek_attribute(x, R_LevelsSymbol)));
	snprintf(l->type, sizeof l->type, "%s%s", factor ? levels : *class ? class : x == R_MissingArg ? "missing" : short_type(x), size);
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
	if (is_atomic(x) && peek_length(x) != 1)
		return "collection";
	if (is_atomic(x) && peek_is_readable(x) && is_na(x))
		return "empty";
	switch (TYPEOF(x)) {
	case LGLSXP: return "boolean";
	case INTSXP: return peek_inherits(x, "factor") ? "string" : peek_inherits(x, "connection") ? "other" : "number";
	case REALSXP:
	case CPLXSXP: return "number";
	case STRSXP: return "string";
	case RAWSXP: return "bytes";
	case CLOSXP: return peek_inherits(x, "S7_class") || peek_inherits(x, "classGeneratorFunction") || peek_inherits(x, "refObjectGenerator") ? "class" : "function";
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

/* ---- display values ---- */

struct showing {
	struct buf *out;
	size_t end; /* stop when the buffer is that long */
	bool cut;
};

static void show(struct showing *s, SEXP x, int depth);

static bool full(struct showing *s)
{
	if (s->out->len >= s->end)
		s->cut = true;
	return s->cut;
}

static int digits(void)
{
	SEXP d = r_option("digits");
	int n = TYPEOF(d) == INTSXP || TYPEOF(d) == REALSXP ? Rf_asInteger(d) : 7;
	return n >= 1 && n <= 22 ? n : 7;
}

static void atom(struct showing *s, SEXP x, R_xlen_t i)
{
	switch (TYPEOF(x)) {
	case LGLSXP: buf_puts(s->out, LOGICAL_ELT(x, i) == NA_LOGICAL ? "NA" : LOGICAL_ELT(x, i) ? "TRUE" : "FALSE"); break;
	case INTSXP:
		if (INTEGER_ELT(x, i) == NA_INTEGER)
			buf_puts(s->out, "NA");
		else
			buf_printf(s->out, "%d", INTEGER_ELT(x, i));
		break;
	case REALSXP: code_number(s->out, REAL_ELT(x, i), digits()); break;
	case CPLXSXP: {
		Rcomplex c = COMPLEX_ELT(x, i);
		if (ISNA(c.r)) {
			buf_puts(s->out, "NA");
			break;
		}
		code_number(s->out, c.r, digits());
		buf_puts(s->out, signbit(c.i) ? "-" : "+");
		code_number(s->out, fabs(c.i), digits());
		buf_putc(s->out, 'i');
		break;
	}
	case STRSXP: s->cut |= !code_string(s->out, STRING_ELT(x, i), VALUE_CHARS); break;
	case RAWSXP: buf_printf(s->out, "%02x", RAW_ELT(x, i)); break;
	}
}

static void factor_label(struct showing *s, SEXP x, R_xlen_t i)
{
	SEXP levels = peek_attribute(x, R_LevelsSymbol);
	int code = TYPEOF(x) == INTSXP ? INTEGER_ELT(x, i) : NA_INTEGER;
	if (TYPEOF(levels) != STRSXP || !peek_is_readable(levels) || code < 1 || code > XLENGTH(levels))
		buf_puts(s->out, "NA");
	else
		s->cut |= !peek_text(s->out, STRING_ELT(levels, code - 1), VALUE_CHARS);
}

/* A copy of elements [from, from + n) with copies of the attributes that matter to format(): nothing in it refers to x. R_NilValue if an
 * attribute cannot be copied without a touch. May jump. */
static SEXP copy_part(SEXP x, R_xlen_t from, R_xlen_t n)
{
	SEXP part = PROTECT(Rf_allocVector(TYPEOF(x), n));
	for (R_xlen_t i = 0; i < n; i++)
		switch (TYPEOF(x)) {
		case LGLSXP: LOGICAL(part)[i] = LOGICAL_ELT(x, from + i); break;
		case INTSXP: INTEGER(part)[i] = INTEGER_ELT(x, from + i); break;
		case REALSXP: REAL(part)[i] = REAL_ELT(x, from + i); break;
		case CPLXSXP: COMPLEX(part)[i] = COMPLEX_ELT(x, from + i); break;
		case STRSXP: SET_STRING_ELT(part, i, STRING_ELT(x, from + i)); break;
		case RAWSXP: RAW(part)[i] = RAW_ELT(x, from + i); break;
		}
	for (SEXP a = peek_attributes(x); a != R_NilValue; a = CDR(a)) {
		SEXP tag = TAG(a), value = CAR(a);
		if (tag == R_NamesSymbol || tag == R_DimSymbol || tag == R_DimNamesSymbol || tag == R_TspSymbol || tag == Rf_install("srcref"))
			continue;
		if (!is_atomic(value) || !peek_is_readable(value) || XLENGTH(value) > 10000) {
			UNPROTECT(1);
			return R_NilValue;
		}
		SEXP copy = PROTECT(Rf_duplicate(value));
		Rf_setAttrib(part, tag, copy);
		UNPROTECT(1);
	}
	UNPROTECT(1);
	return part;
}

/* format() of a part of a classed vector, as a character vector of n elements; R_NilValue if there is none to be had. May jump. */
static SEXP formatted(SEXP x, R_xlen_t from, R_xlen_t n)
{
	if (!OBJECT(x) || IS_S4_OBJECT(x) || value_plain)
		return R_NilValue;
	SEXP part = PROTECT(copy_part(x, from, n));
	SEXP text = part == R_NilValue ? part : r_call_module("format_part", 1, &part);
	UNPROTECT(1);
	return TYPEOF(text) == STRSXP && XLENGTH(text) == n ? text : R_NilValue;
}

static void atomic(struct showing *s, SEXP x)
{
	R_xlen_t n = XLENGTH(x), look = n < PREFIX ? n : PREFIX;
	bool factor = peek_inherits(x, "factor");
	if (n == 0)
		buf_printf(s->out, "%s(0)", TYPEOF(x) == STRSXP ? "character" : factor ? "factor" : TYPEOF(x) == REALSXP ? "numeric" : Rf_type2char(TYPEOF(x)));
	SEXP text = PROTECT(factor || n == 0 ? R_NilValue : formatted(x, 0, look));
	for (R_xlen_t i = 0; i < look && !full(s); i++) {
		if (i)
			buf_putc(s->out, ' ');
		if (factor)
			factor_label(s, x, i);
		else if (text != R_NilValue)
			s->cut |= !peek_text(s->out, STRING_ELT(text, i), VALUE_CHARS);
		else
			atom(s, x, i);
	}
	UNPROTECT(1);
	s->cut = s->cut || look < n;
}

/* The name of an element with ` = `, if it has one. */
static void element_name(struct showing *s, SEXP names, R_xlen_t i)
{
	if (TYPEOF(names) != STRSXP || !peek_is_readable(names) || i >= XLENGTH(names))
		return;
	SEXP name = STRING_ELT(names, i);
	if (name == NA_STRING || XLENGTH(name) == 0)
		return;
	peek_text(s->out, name, VALUE_CHARS);
	buf_puts(s->out, " = ");
}

/* A list that stands for a short vector of times. May jump. */
static bool broken_down_time(struct showing *s, SEXP x)
{
	if (!peek_inherits(x, "POSIXlt") || value_plain)
		return false;
	for (R_xlen_t i = 0; i < XLENGTH(x); i++) {
		SEXP part = VECTOR_ELT(x, i);
		if (!is_atomic(part) || !peek_is_readable(part) || XLENGTH(part) > 100)
			return false;
	}
	SEXP copy = PROTECT(Rf_duplicate(x)), text = PROTECT(r_call_module("format_part", 1, &copy));
	for (R_xlen_t i = 0; TYPEOF(text) == STRSXP && i < XLENGTH(text) && !full(s); i++) {
		if (i)
			buf_putc(s->out, ' ');
		peek_text(s->out, STRING_ELT(text, i), VALUE_CHARS);
	}
	UNPROTECT(2);
	return true;
}

static void list(struct showing *s, SEXP x, int depth)
{
	if (broken_down_time(s, x))
		return;
	SEXP names = peek_attribute(x, R_NamesSymbol);
	buf_putc(s->out, '[');
	if (depth >= MAX_DEPTH) {
		buf_puts(s->out, XLENGTH(x) ? ELLIPSIS : "");
		s->cut = s->cut || XLENGTH(x);
	}
	for (R_xlen_t i = 0, n = XLENGTH(x); depth < MAX_DEPTH && i < n && !full(s); i++) {
		if (i)
			buf_puts(s->out, ", ");
		element_name(s, names, i);
		show(s, VECTOR_ELT(x, i), depth + 1);
	}
	buf_putc(s->out, ']');
}

static void pairs(struct showing *s, SEXP x, int depth)
{
	buf_putc(s->out, '[');
	for (bool first = true; TYPEOF(x) == LISTSXP && !full(s); x = CDR(x), first = false) {
		if (!first)
			buf_puts(s->out, ", ");
		if (TAG(x) != R_NilValue) {
			code_symbol(s->out, TAG(x));
			buf_puts(s->out, " = ");
		}
		if (depth < MAX_DEPTH)
			show(s, CAR(x), depth + 1);
		else
			buf_puts(s->out, ELLIPSIS);
	}
	buf_putc(s->out, ']');
}

static bool is_slot(SEXP tag)
{
	return tag != R_ClassSymbol && tag != Rf_install("S7_class") && tag != Rf_install(".xData") && tag != Rf_install("srcref");
}

static void slots(struct showing *s, SEXP x, int depth)
{
	const char *class = peek_class(x, 0);
	bool first = true;
	buf_printf(s->out, "<%s", *class ? class : "S4");
	for (SEXP a = peek_attributes(x); a != R_NilValue && !full(s) && depth < MAX_DEPTH; a = CDR(a)) {
		if (!is_slot(TAG(a)))
			continue;
		buf_puts(s->out, first ? ": " : ", ");
		first = false;
		peek_text(s->out, PRINTNAME(TAG(a)), VALUE_CHARS);
		buf_puts(s->out, " = ");
		show(s, CAR(a), depth + 1);
	}
	buf_putc(s->out, '>');
}

static int by_name(const void *a, const void *b)
{
	return strcmp(CHAR(PRINTNAME(*(const SEXP *)a)), CHAR(PRINTNAME(*(const SEXP *)b)));
}

static void environment(struct showing *s, SEXP env)
{
	enum { LARGE = 1000 };
	SEXP names[LARGE], symbol;
	R_xlen_t n = 0, all = peek_count(env, false, 1000000);
	struct peek_each each;
	if (env == R_GlobalEnv || env == R_BaseEnv || env == R_EmptyEnv) {
		buf_puts(s->out, env == R_GlobalEnv ? "<R_GlobalEnv>" : env == R_BaseEnv ? "<base>" : "<R_EmptyEnv>");
		return;
	}
	if (all == 0 || all > LARGE) {
		buf_printf(s->out, all ? "Large Environment [%lld%s values]" : "Empty Environment [0 values]", (long long)all,
			   all == 1000000 ? " or more" : "");
		s->cut = s->cut || all;
		return;
	}
	peek_each(&each, env);
	while (n < LARGE && (symbol = peek_next(&each)))
		if (!peek_is_hidden(symbol))
			names[n++] = symbol;
	peek_end(&each);
	qsort(names, (size_t)n, sizeof *names, by_name);
	buf_putc(s->out, '{');
	for (R_xlen_t i = 0; i < n && i < MAX_NAMES; i++) {
		if (i)
			buf_puts(s->out, ", ");
		peek_text(s->out, PRINTNAME(names[i]), VALUE_CHARS);
	}
	if (n > MAX_NAMES) {
		buf_printf(s->out, ", … [%lld more]", (long long)(n - MAX_NAMES));
		s->cut = true;
	}
	buf_putc(s->out, '}');
}

static void table(struct showing *s, SEXP x)
{
	char a[24], b[24];
	R_xlen_t rows, columns;
	peek_dim(x, &rows, &columns);
	buf_printf(s->out, "[%s row%s x %s column%s] %s", number(a, sizeof a, rows), rows == 1 ? "" : "s", number(b, sizeof b, columns),
		   columns == 1 ? "" : "s", *peek_class(x, 0) ? peek_class(x, 0) : "matrix");
}

/* as.character() of numbers, which R makes into text when that is asked for: what it would become. */
static void numbers_as_text(struct showing *s, SEXP x)
{
	R_xlen_t n = XLENGTH(x), look = n < PREFIX ? n : PREFIX;
	for (R_xlen_t i = 0; i < look && !full(s); i++) {
		buf_puts(s->out, i ? " \"" : "\"");
		if (TYPEOF(x) == REALSXP)
			code_number(s->out, REAL_ELT(x, i), 15);
		else
			atom(s, x, i);
		buf_putc(s->out, '"');
	}
	s->cut = s->cut || look < n;
}

static void unreadable(struct showing *s, SEXP x)
{
	char name[128];
	peek_altrep_name(x, name, sizeof name);
	if (strcmp(name, "base::deferred_string") == 0) {
		SEXP source = R_altrep_data1(x), text = R_altrep_data2(x);
		SEXP numbers = TYPEOF(source) == LISTSXP ? CAR(source) : R_NilValue;
		if (TYPEOF(text) == STRSXP && source == R_NilValue)
			atomic(s, text);
		else if ((TYPEOF(numbers) == INTSXP || TYPEOF(numbers) == REALSXP) && peek_is_readable(numbers) && XLENGTH(numbers))
			numbers_as_text(s, numbers);
		return;
	}
	buf_printf(s->out, "<%s, not loaded>", *name ? name : "ALTREP");
}

static void show(struct showing *s, SEXP x, int depth)
{
	R_xlen_t rows, columns;
	if (full(s))
		return;
	if ((is_atomic(x) || is_list(x)) && peek_dim(x, &rows, &columns)) {
		table(s, x);
	} else if ((is_atomic(x) || is_list(x)) && !peek_is_readable(x)) {
		unreadable(s, x);
	} else if (is_atomic(x)) {
		atomic(s, x);
	} else if (is_list(x)) {
		list(s, x, depth);
	} else if (value_environment(x) != R_NilValue) {
		const char *class = peek_class(x, 0);
		if (*class)
			buf_printf(s->out, depth ? "<%s>" : "<%s> ", class);
		if (depth && !*class)
			buf_puts(s->out, "<environment>");
		if (!depth)
			environment(s, value_environment(x));
	} else {
		switch (TYPEOF(x)) {
		case NILSXP: buf_puts(s->out, "NULL"); break;
		case LISTSXP: pairs(s, x, depth); break;
		case S4SXP: slots(s, x, depth); break;
		case SYMSXP:
			if (x == R_MissingArg)
				buf_puts(s->out, "<missing argument>");
			else
				code_symbol(s->out, x);
			break;
		case LANGSXP: {
			size_t before = s->out->len;
			code_write(s->out, x, VALUE_CHARS);
			s->cut |= s->out->len - before > VALUE_CHARS || strstr(s->out->data + before, ELLIPSIS);
			break;
		}
		case CLOSXP: code_header(s->out, x, VALUE_CHARS); break;
		case BUILTINSXP:
		case SPECIALSXP: code_header(s->out, x, VALUE_CHARS); break;
		case EXTPTRSXP: buf_printf(s->out, "<pointer: %p>", R_ExternalPtrAddr(x)); break;
		case PROMSXP: buf_puts(s->out, "<promise>"); break;
		default: buf_printf(s->out, "<%s>", Rf_type2char(TYPEOF(x))); break;
		}
	}
}

/* At most VALUE_CHARS characters, and an ellipsis for the rest. */
static bool cut(struct buf *out, size_t from)
{
	size_t n = out->len - from;
	if (!n || utf8_count(out->data + from, n) <= VALUE_CHARS)
		return false;
	size_t at = from + utf8_offset(out->data + from, n, VALUE_CHARS - 1);
	out->len = at;
	buf_puts(out, ELLIPSIS);
	return true;
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
	static const char *const kinds[] = {"boolean", "bytes", "class", "collection", "empty", "function", "map", "number", "other", "string",
					    "table", "lazy", "connection"};
	static struct buf text = BUF_INIT(BUF_MAX_SMALL); /* static: a jump leaves nothing behind */
	buf_clear(&text);
	if (own_text(&text, "display_value", x)) {
		l->value->len = from;
		buf_put(l->value, text.data, text.len);
		l->truncated = false;
	}
	buf_clear(&text);
	if (own_text(&text, "display_type", x))
		snprintf(l->type, sizeof l->type, "%.*s", (int)utf8_cut(text.data, text.len < sizeof l->type ? text.len : sizeof l->type - 1), text.data);
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
	if (is_atomic(x) || is_list(x))
		return peek_length(x) == PEEK_UNKNOWN ? 0 : peek_length(x);
	return node_count(node);
}

static void look_at_value(struct look *l, struct node node)
{
	size_t from = l->value->len;
	struct showing s = {l->value, from + 4 * VALUE_CHARS};
	SEXP x = node.x;
	types(l, x);
	l->kind = kind_of(x);
	l->length = length_of(node);
	l->children = node_count(node) > 0;
	show(&s, x, 0);
	l->truncated = s.cut;
	if (value_has_methods && OBJECT(x))
		take_over(l, x, from);
}

static void look_at_part(struct look *l, struct node node)
{
	struct showing s = {l->value, l->value->len + 4 * VALUE_CHARS};
	SEXP x = node.x;
	R_xlen_t rows = 0, columns;
	snprintf(l->type, sizeof l->type, "%s", peek_inherits(x, "factor") ? "str" : short_type(x));
	snprintf(l->info, sizeof l->info, "%s", l->type);
	if (node.kind == NODE_ELEMENT) {
		SEXP text = PROTECT(peek_inherits(x, "factor") ? R_NilValue : formatted(x, node.i, 1));
		l->kind = peek_inherits(x, "factor") || TYPEOF(x) == STRSXP ? "string" : TYPEOF(x) == LGLSXP ? "boolean" : TYPEOF(x) == RAWSXP ? "bytes" : "number";
		l->length = 1;
		if (peek_inherits(x, "factor"))
			factor_label(&s, x, node.i);
		else if (text != R_NilValue)
			peek_text(s.out, STRING_ELT(text, 0), VALUE_CHARS);
		else
			atom(&s, x, node.i);
		UNPROTECT(1);
	} else {
		peek_dim(x, &rows, &columns);
		l->kind = "collection";
		l->length = rows;
		l->children = rows > 0;
		snprintf(l->type, sizeof l->type, "%s [%lld]", short_type(x), (long long)rows);
		for (R_xlen_t i = 0; i < rows && !full(&s); i++) {
			if (i)
				buf_putc(s.out, ' ');
			atom(&s, x, node.i * rows + i);
		}
	}
	l->truncated = s.cut;
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
	l->truncated |= cut(value, from);
}
