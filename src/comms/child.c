/* child.c: the parts of a value, and the keys by which they are found again. */
#include "comms/value.h"

#include "comms/code.h"
#include "rapi/value.h"

/* ---- environments ---- */

struct members {
	SEXP env;
	bool all;       /* not of R6: everything that is not hidden */
	bool functions; /* of R6: functions, or all else */
};

static bool is_member(const struct members *m, SEXP symbol)
{
	SEXP value;
	if (peek_is_hidden(symbol))
		return false;
	if (m->all)
		return true;
	enum peek_binding how = peek_bound(m->env, symbol, &value);
	return m->functions == (how == PEEK_VALUE && TYPEOF(value) == CLOSXP);
}

/* What is listed of an environment's members. */
static struct members members_of(struct node node)
{
	SEXP env = value_environment(node.x);
	bool r6 = value_r6(node.x, false) != R_NilValue;
	if (node.kind == NODE_PRIVATE)
		return (struct members){.env = value_r6(node.x, true), .all = true};
	return (struct members){.env = env, .all = !r6, .functions = node.kind == NODE_METHODS};
}

static R_xlen_t count_members(const struct members *m)
{
	struct peek_each each;
	SEXP symbol;
	R_xlen_t n = 0;
	if (m->all)
		return peek_count(m->env, false, 1000000);
	peek_each(&each, m->env);
	while ((symbol = peek_next(&each)))
		n += is_member(m, symbol);
	peek_end(&each);
	return n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(CHAR(PRINTNAME(*(const SEXP *)a)), CHAR(PRINTNAME(*(const SEXP *)b)));
}

/* In R's transient memory. May jump. */
static SEXP *sorted_members(const struct members *m, R_xlen_t *count)
{
	struct peek_each each;
	SEXP symbol;
	R_xlen_t n = 0, room = count_members(m);
	SEXP *list = (SEXP *)(void *)R_alloc((size_t)room + 1, sizeof *list);
	peek_each(&each, m->env);
	while (n < room && (symbol = peek_next(&each)))
		if (is_member(m, symbol))
			list[n++] = symbol;
	peek_end(&each);
	qsort(list, (size_t)n, sizeof *list, by_name);
	*count = n;
	return list;
}

static bool bound_node(SEXP env, SEXP symbol, struct node *child)
{
	SEXP value;
	static const enum node_kind kinds[] = {
	    [PEEK_VALUE] = NODE_VALUE, [PEEK_PROMISE] = NODE_PROMISE, [PEEK_ACTIVE] = NODE_ACTIVE};
	enum peek_binding how = peek_binding(env, symbol, &value);
	if (how == PEEK_NONE)
		return false;
	*child = (struct node){kinds[how], value, 0};
	return true;
}

/* ---- which parts there are ---- */

enum parts { NONE, ELEMENTS, COLUMNS, ROWS, LIST, PAIRS, MEMBERS, SLOTS, CUSTOM };

static bool is_atomic_type(SEXP x)
{
	return Rf_isVectorAtomic(x);
}

static SEXP custom_children(SEXP x)
{
	return value_method("get_children", x, R_NilValue, R_NilValue);
}

/* May jump. */
static enum parts parts_of(struct node node)
{
	R_xlen_t rows, columns;
	SEXP x = node.x;
	if (node.kind == NODE_COLUMN)
		return ROWS;
	if (node.kind == NODE_PRIVATE || node.kind == NODE_METHODS)
		return MEMBERS;
	if (node.kind != NODE_VALUE)
		return NONE;
	if (value_has_methods && OBJECT(x) && value_method("get_children", x, R_NilValue, R_NilValue) != R_NilValue)
		return CUSTOM;
	if (value_environment(x) != R_NilValue)
		return MEMBERS;
	if (TYPEOF(x) == VECSXP || TYPEOF(x) == EXPRSXP)
		return peek_is_readable(x) ? LIST : NONE;
	if (is_atomic_type(x) && peek_is_readable(x))
		return peek_dim(x, &rows, &columns) ? COLUMNS : XLENGTH(x) > 1 ? ELEMENTS : NONE;
	if (TYPEOF(x) == LISTSXP)
		return PAIRS;
	return TYPEOF(x) == S4SXP ? SLOTS : NONE;
}

static bool is_slot(SEXP tag)
{
	return tag != R_ClassSymbol && tag != Rf_install("S7_class") && tag != Rf_install("srcref");
}

R_xlen_t node_count(struct node node)
{
	R_xlen_t rows = 0, columns = 0, n = 0;
	struct members m;
	switch (parts_of(node)) {
	case NONE: return 0;
	case ELEMENTS:
	case LIST: return XLENGTH(node.x);
	case COLUMNS: peek_dim(node.x, &rows, &columns); return columns;
	case ROWS: peek_dim(node.x, &rows, &columns); return rows;
	case PAIRS:
		for (SEXP p = node.x; TYPEOF(p) == LISTSXP && n < 1000000; p = CDR(p))
			n++;
		return n;
	case SLOTS:
		for (SEXP a = peek_attributes(node.x); a != R_NilValue; a = CDR(a))
			n += is_slot(TAG(a));
		return n;
	case CUSTOM: return Rf_xlength(custom_children(node.x));
	case MEMBERS:
		m = members_of(node);
		if (m.env == R_NilValue)
			return 0;
		n = count_members(&m);
		if (node.kind == NODE_VALUE && !m.all)
			n += (value_r6(node.x, true) != R_NilValue) + 1;
		return n;
	}
	return 0;
}

/* ---- listing ---- */

struct listing {
	R_xlen_t max;
	void (*fn)(void *to, const char *key, const char *name, struct node child);
	void *to;
	struct buf *key, *name; /* reused */
};

static void emit(struct listing *l, R_xlen_t i, SEXP names, const char *otherwise, struct node child)
{
	SEXP name = TYPEOF(names) == STRSXP && peek_is_readable(names) && i < XLENGTH(names) ? STRING_ELT(names, i)
											     : R_NilValue;
	char fallback[48], key[32];
	snprintf(key, sizeof key, "%lld", (long long)i);
	buf_clear(l->name);
	if (name != R_NilValue && name != NA_STRING && XLENGTH(name)) {
		peek_text(l->name, name, 10 * VALUE_CHARS);
	} else {
		/* `otherwise` has an & where the number belongs. */
		size_t at = strcspn(otherwise, "&");
		snprintf(fallback, sizeof fallback, "%.*s%lld%s", (int)at, otherwise, (long long)i + 1,
			 otherwise + at + (otherwise[at] != 0));
		buf_puts(l->name, fallback);
	}
	l->fn(l->to, key, l->name->data, child);
}

static SEXP dim_names(SEXP x, int which)
{
	SEXP names = peek_attribute(x, R_DimNamesSymbol);
	return TYPEOF(names) == VECSXP && peek_is_readable(names) && XLENGTH(names) > which ? VECTOR_ELT(names, which)
											    : R_NilValue;
}

static void list_indexed(struct listing *l, struct node node, enum parts parts)
{
	SEXP x = node.x, names = parts == COLUMNS ? dim_names(x, 1)
				 : parts == ROWS  ? dim_names(x, 0)
						  : peek_attribute(x, R_NamesSymbol);
	R_xlen_t rows = 0, columns = 0, n = node_count(node);
	peek_dim(x, &rows, &columns);
	for (R_xlen_t i = 0; i < n && i < l->max; i++) {
		if (parts == LIST)
			emit(l, i, names, "[[&]]", (struct node){NODE_VALUE, VECTOR_ELT(x, i), 0});
		else if (parts == COLUMNS)
			emit(l, i, names, "[, &]", (struct node){NODE_COLUMN, x, i});
		else
			emit(l, i, names, parts == ROWS ? "[&, ]" : "[&]",
			     (struct node){NODE_ELEMENT, x, parts == ROWS ? node.i * rows + i : i});
	}
}

static void emit_symbol(struct listing *l, SEXP symbol, struct node child)
{
	buf_clear(l->name);
	peek_text(l->name, PRINTNAME(symbol), 100 * VALUE_CHARS);
	l->fn(l->to, l->name->data ? l->name->data : "", l->name->data ? l->name->data : "", child);
}

static void list_members(struct listing *l, struct node node)
{
	struct members m = members_of(node);
	struct node child;
	R_xlen_t n = 0;
	if (m.env == R_NilValue)
		return;
	SEXP *symbols = sorted_members(&m, &n);
	for (R_xlen_t i = 0; i < n && i < l->max; i++)
		if (bound_node(m.env, symbols[i], &child))
			emit_symbol(l, symbols[i], child);
	if (node.kind == NODE_VALUE && !m.all) {
		if (value_r6(node.x, true) != R_NilValue)
			l->fn(l->to, "<private>", "private", (struct node){NODE_PRIVATE, node.x, 0});
		l->fn(l->to, "<methods>", "methods", (struct node){NODE_METHODS, node.x, 0});
	}
}

static void list_pairs(struct listing *l, SEXP x)
{
	R_xlen_t i = 0;
	for (; TYPEOF(x) == LISTSXP && i < l->max; x = CDR(x), i++) {
		char key[32], name[32];
		snprintf(key, sizeof key, "%lld", (long long)i);
		snprintf(name, sizeof name, "[[%lld]]", (long long)i + 1);
		l->fn(l->to, key, TAG(x) == R_NilValue ? name : CHAR(PRINTNAME(TAG(x))),
		      (struct node){NODE_VALUE, CAR(x), 0});
	}
}

/* Keys are `custom-{index}-{length of the name}-{name}`, as Positron's other R kernel has them. */
static void list_custom(struct listing *l, SEXP x)
{
	SEXP children = PROTECT(custom_children(x));
	SEXP names = peek_attribute(children, R_NamesSymbol);
	for (R_xlen_t i = 0; TYPEOF(children) == VECSXP && i < XLENGTH(children) && i < l->max; i++) {
		const char *name = r_text(names, i);
		buf_clear(l->key);
		buf_printf(l->key, "custom-%lld-%zu-%s", (long long)i, strlen(name), name);
		l->fn(l->to, l->key->data, name, (struct node){NODE_VALUE, VECTOR_ELT(children, i), 0});
	}
	UNPROTECT(1);
}

void node_each(struct node node, R_xlen_t max, void (*fn)(void *, const char *, const char *, struct node), void *to)
{
	static struct buf key = BUF_INIT(BUF_MAX_SMALL), name = BUF_INIT(BUF_MAX_SMALL); /* static: fn may jump */
	struct listing l = {max, fn, to, &key, &name};
	enum parts parts = parts_of(node);
	switch (parts) {
	case NONE: break;
	case ELEMENTS:
	case LIST:
	case COLUMNS:
	case ROWS: list_indexed(&l, node, parts); break;
	case PAIRS: list_pairs(&l, node.x); break;
	case MEMBERS: list_members(&l, node); break;
	case CUSTOM: list_custom(&l, node.x); break;
	case SLOTS:
		for (SEXP a = peek_attributes(node.x); a != R_NilValue; a = CDR(a))
			if (is_slot(TAG(a)))
				emit_symbol(&l, TAG(a), (struct node){NODE_VALUE, CAR(a), 0});
		break;
	}
}

/* ---- finding ---- */

static bool index_from(const char *key, R_xlen_t n, R_xlen_t *i)
{
	char *end;
	long long value = strtoll(key, &end, 10);
	*i = (R_xlen_t)value;
	return *key && !*end && value >= 0 && value < n;
}

static bool find_custom(SEXP x, const char *key, struct node *child)
{
	long long i = 0;
	size_t n = 0;
	int at = 0;
	if (sscanf(key, "custom-%lld-%zu-%n", &i, &n, &at) != 2 || !at)
		return false;
	SEXP index = PROTECT(Rf_ScalarInteger((int)i + 1)), name = PROTECT(r_string(key + at, strlen(key + at)));
	SEXP value = value_method("get_child_at", x, index, name);
	UNPROTECT(2);
	*child = (struct node){NODE_VALUE, value, 0};
	return value != R_NilValue;
}

static bool find_member(struct node node, const char *key, struct node *child)
{
	struct members m = members_of(node);
	if (node.kind == NODE_VALUE && !m.all && (!strcmp(key, "<private>") || !strcmp(key, "<methods>"))) {
		*child = (struct node){key[1] == 'p' ? NODE_PRIVATE : NODE_METHODS, node.x, 0};
		return true;
	}
	if (m.env == R_NilValue || !*key)
		return false;
	SEXP symbol = Rf_installTrChar(Rf_mkCharCE(key, CE_UTF8));
	return bound_node(m.env, symbol, child);
}

bool node_child(struct node node, const char *key, struct node *child)
{
	R_xlen_t i, rows = 0, columns = 0;
	enum parts parts = parts_of(node);
	SEXP x = node.x;
	peek_dim(x, &rows, &columns);
	switch (parts) {
	case NONE: return false;
	case MEMBERS: return find_member(node, key, child);
	case CUSTOM: return find_custom(x, key, child);
	case SLOTS: {
		SEXP value = peek_attribute(x, Rf_install(key));
		*child = (struct node){NODE_VALUE, value, 0};
		return value != R_NilValue;
	}
	default: break;
	}
	if (!index_from(key, node_count(node), &i))
		return false;
	switch (parts) {
	case LIST: *child = (struct node){NODE_VALUE, VECTOR_ELT(x, i), 0}; break;
	case COLUMNS: *child = (struct node){NODE_COLUMN, x, i}; break;
	case ROWS: *child = (struct node){NODE_ELEMENT, x, node.i * rows + i}; break;
	case ELEMENTS: *child = (struct node){NODE_ELEMENT, x, i}; break;
	case PAIRS:
		while (i-- > 0)
			x = CDR(x);
		*child = (struct node){NODE_VALUE, CAR(x), 0};
		break;
	default: return false;
	}
	return true;
}
