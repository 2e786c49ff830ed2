/* variables.c: the target `positron.variables` (docs/comms.md): what is in the user's workspace, or where the debugger stands.
 *
 * The contract is Positron's (positron/comms/variables-backend-openrpc.json and variables-frontend-openrpc.json in posit-dev/positron). A
 * client opens the comm and gets a `refresh` with all variables; after each request that changed some, an `update` with these. Between
 * requests nothing is done, and without a comm nothing at all.
 */
#include "comms/targets.h"
#include "comms/value.h"
#include "comms/watch.h"
#include "rapi/json.h"
#include "rapi/value.h"

#include <unistd.h>

#define LIST_NODES 200000   /* objects looked at for the sizes of all that is sent at once, */
#define VALUE_NODES 20000   /* and for one of them */
#define COPY_CHARS 10000000 /* what can be put on the clipboard */

struct variables {
	struct watch watch;
	SEXP env;  /* alive at least as long as it is watched: compared, not used, when it is no longer current */
	pid_t pid; /* a copy of the session that is woken after a crash has an older state than its client */
	long long version;
	bool stale;     /* the client must be sent everything */
	bool looking;   /* a look has begun and not come to its end: code of some class jumped, or took too long, */
	bool plain;     /* so that from then on values are shown without it */
	struct buf out; /* what is being made; here so that a jump loses nothing */
	struct buf value;
	size_t nodes;
};

static bool open_variables(struct ss_comm *c, const struct ss_comm_message *m, struct err *e)
{
	struct variables *v = calloc(1, sizeof *v);
	if (!v)
		return err_set(e, "no memory");
	buf_init(&v->out, BUF_MAX_MESSAGE);
	buf_init(&v->value, BUF_MAX_SMALL);
	v->stale = true;
	c->state = v;
	return true;
}

static void close_variables(struct ss_comm *c, const struct ss_comm_message *m)
{
	struct variables *v = c->state;
	if (!v)
		return;
	watch_release(&v->watch);
	buf_release(&v->out);
	buf_release(&v->value);
	free(v);
	c->state = NULL;
}

static SEXP also_shown(void)
{
	return r_option_is_true("positron.show_last_value") ? Rf_install(".Last.value") : NULL;
}

/* ---- one variable as JSON ---- */

static void put_variable(struct variables *v, const char *key, const char *name, struct node node, int64_t changed_ms)
{
	struct buf *out = &v->out;
	size_t nodes = v->nodes < VALUE_NODES ? v->nodes : VALUE_NODES, before = nodes;
	bool least = false;
	double size = 0;
	buf_clear(&v->value);
	struct look l = {.value = &v->value};
	value_look(&l, node);
	if (node.kind == NODE_VALUE)
		size = value_size(node.x, &nodes, &least);
	v->nodes -= before - nodes;
	buf_putc(out, '{');
	jx_key_string(out, "access_key", key);
	jx_key_string(out, "display_name", name);
	jx_key(out, "display_value");
	jx_string(out, l.value->data ? l.value->data : "", l.value->len);
	jx_key_string(out, "display_type", l.type);
	jx_key_string(out, "type_info", l.info);
	jx_key_int(out, "size", (long long)size);
	if (least)
		jx_key_bool(out, "size_is_minimum", true);
	jx_key_string(out, "kind", l.kind);
	jx_key_int(out, "length", l.length);
	jx_key_bool(out, "has_children", l.children);
	jx_key_bool(out, "has_viewer", l.viewer);
	jx_key_bool(out, "is_truncated", l.truncated);
	jx_key_int(out, "updated_time", changed_ms);
	buf_putc(out, '}');
}

static void symbol_text(struct buf *to, SEXP symbol)
{
	buf_clear(to);
	peek_text(to, PRINTNAME(symbol), SIZE_MAX);
}

static void put_symbol(struct variables *v, SEXP env, SEXP symbol)
{
	static struct buf name = BUF_INIT(BUF_MAX_SMALL);
	static const enum node_kind kinds[] = {
	    [PEEK_VALUE] = NODE_VALUE, [PEEK_PROMISE] = NODE_PROMISE, [PEEK_ACTIVE] = NODE_ACTIVE};
	const struct watch_entry *e = watch_find(&v->watch, symbol);
	SEXP value;
	enum peek_binding how = peek_binding(e && e->hidden ? R_BaseEnv : env, symbol, &value);
	if (how == PEEK_NONE)
		return;
	PROTECT(value);
	symbol_text(&name, symbol);
	if (v->out.len && v->out.data[v->out.len - 1] == '}')
		buf_putc(&v->out, ',');
	put_variable(v, name.data, name.data, (struct node){kinds[how], value, 0}, e ? e->changed_ms : 0);
	UNPROTECT(1);
}

/* `[…]` of the variables of the last scan. May jump. */
static void put_list(struct variables *v, bool changed)
{
	size_t n = changed ? v->watch.n_changed : v->watch.n_present;
	SEXP *symbols = (SEXP *)(void *)R_alloc(n + 1, sizeof *symbols);
	n = watch_list(&v->watch, changed, symbols);
	v->nodes = LIST_NODES;
	buf_putc(&v->out, '[');
	for (size_t i = 0; i < n; i++)
		put_symbol(v, v->env, symbols[i]);
	buf_putc(&v->out, ']');
}

static void put_removed(struct variables *v)
{
	buf_putc(&v->out, '[');
	for (size_t i = 0; i < v->watch.n_removed; i++) {
		if (i)
			buf_putc(&v->out, ',');
		symbol_text(&v->value, v->watch.removed[i]);
		jx_string(&v->out, v->value.data ? v->value.data : "", v->value.len);
	}
	buf_putc(&v->out, ']');
}

static void put_everything(struct variables *v, long long version)
{
	buf_putc(&v->out, '{');
	jx_key(&v->out, "variables");
	put_list(v, false);
	jx_key_int(&v->out, "length", (long long)v->watch.n_present);
	jx_key_int(&v->out, "version", version);
	buf_putc(&v->out, '}');
}

/* ---- events ---- */

static void begin(struct variables *v)
{
	v->out.max = BUF_MAX_MESSAGE;
	buf_clear(&v->out);
}

/* Hands what was made to the event, which releases it. */
static void send(struct ss_comm *c, const char *event)
{
	struct variables *v = c->state;
	struct buf params = v->out;
	v->out = (struct buf)BUF_INIT(BUF_MAX_MESSAGE);
	ss_comm_event(c, event, &params);
}

/* Looks again. True if something has changed. May jump. */
static bool scan(struct variables *v)
{
	value_find_methods();
	SEXP env = ss_comm_environment();
	if (env != v->env || getpid() != v->pid) {
		watch_release(&v->watch);
		v->env = env;
		v->pid = getpid();
		v->stale = true;
	}
	if (!watch_scan(&v->watch, env, also_shown()))
		Rf_error("no memory");
	return v->stale || v->watch.n_changed || v->watch.n_removed;
}

static void settle(struct ss_comm *c)
{
	struct variables *v = c->state;
	v->plain = v->plain || v->looking;
	value_plain = v->plain;
	if (!scan(v))
		return;
	bool all = v->stale;
	v->stale = v->looking = true; /* if what follows does not come to its end, the next time sends everything */
	begin(v);
	if (all) {
		put_everything(v, v->version + 1);
	} else {
		buf_puts(&v->out, "{\"assigned\":");
		put_list(v, true);
		buf_puts(&v->out, ",\"unevaluated\":[],\"removed\":");
		put_removed(v);
		jx_key_int(&v->out, "version", v->version + 1);
		buf_putc(&v->out, '}');
	}
	v->version++;
	send(c, all ? "refresh" : "update");
	v->stale = v->looking = false;
}

/* ---- methods ---- */

/* Requests look at what is there now; the update, if there is one to send, comes before the answer. */
static void list(struct ss_comm *c, const json_t *params, struct buf *result)
{
	struct variables *v = c->state;
	settle(c);
	begin(v);
	put_everything(v, v->version);
	buf_put(result, v->out.data, v->out.len);
	buf_trim(&v->out, (size_t)1 << 16);
}

static void clear(struct ss_comm *c, const json_t *params, struct buf *result)
{
	SEXP args[2];
	args[0] = PROTECT(ss_comm_environment());
	args[1] = PROTECT(Rf_ScalarLogical(json_bool_or(params, "include_hidden_objects", false)));
	r_call_module("clear_variables", 2, args);
	UNPROTECT(2);
	buf_puts(result, "[]");
}

static void delete (struct ss_comm *c, const json_t *params, struct buf *result)
{
	const json_t *names = json_object_get(params, "names");
	size_t i, n = 0;
	json_t *name;
	SEXP args[2], done;
	if (!json_is_array(names))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`names` must be an array of strings");
	args[0] = PROTECT(ss_comm_environment());
	args[1] = PROTECT(Rf_allocVector(STRSXP, (R_xlen_t)json_array_size(names)));
	json_array_foreach(names, i, name)
	{
		if (!json_is_string(name))
			ss_comm_fail(SS_COMM_BAD_PARAMS, "`names` must be an array of strings");
		SET_STRING_ELT(args[1], (R_xlen_t)n++, Rf_mkCharCE(json_string_value(name), CE_UTF8));
	}
	done = PROTECT(r_call_module("delete_variables", 2, args));
	buf_putc(result, '[');
	for (R_xlen_t k = 0; k < Rf_xlength(done); k++) {
		if (k)
			buf_putc(result, ',');
		jx_cstring(result, r_text(done, k));
	}
	buf_putc(result, ']');
	UNPROTECT(3);
}

/* What `path` leads to. *at is the protection of its value. May jump. */
static struct node resolve(const json_t *params, PROTECT_INDEX at)
{
	const json_t *path = json_object_get(params, "path");
	struct node node = {NODE_VALUE, R_NilValue, 0};
	size_t i;
	json_t *key;
	if (!json_is_array(path) || !json_array_size(path))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`path` must be an array of access keys");
	json_array_foreach(path, i, key)
	{
		struct node child;
		const char *s = json_is_string(key) ? json_string_value(key) : "";
		if (i == 0) /* R keeps the last value in base */
			node.x = strcmp(s, ".Last.value") == 0 ? R_BaseEnv : ss_comm_environment();
		if (!json_is_string(key))
			ss_comm_fail(SS_COMM_BAD_PARAMS, "an access key must be a string");
		if (!node_child(node, s, &child))
			ss_comm_fail(SS_COMM_BAD_PARAMS, "there is no variable '%.200s'%s", s,
				     i ? " in what the path leads to" : "");
		node = child;
		REPROTECT(node.x, at);
	}
	return node;
}

static void put_child(void *to, const char *key, const char *name, struct node child)
{
	struct variables *v = to;
	static struct buf keys = BUF_INIT(BUF_MAX_SMALL); /* key and name may be in memory that is used again */
	buf_clear(&keys);
	buf_puts(&keys, key);
	buf_putc(&keys, '\0');
	size_t at = keys.len;
	buf_puts(&keys, name);
	if (v->out.data[v->out.len - 1] == '}')
		buf_putc(&v->out, ',');
	PROTECT(child.x);
	put_variable(v, keys.data, keys.data + at, child, 0);
	UNPROTECT(1);
}

static void inspect(struct ss_comm *c, const json_t *params, struct buf *result)
{
	struct variables *v = c->state;
	PROTECT_INDEX at;
	PROTECT_WITH_INDEX(R_NilValue, &at);
	struct node node = resolve(params, at);
	begin(v);
	v->nodes = LIST_NODES;
	buf_puts(&v->out, "{\"children\":[");
	node_each(node, VALUE_CHILDREN, put_child, v);
	buf_puts(&v->out, "],\"length\":");
	buf_printf(&v->out, "%lld}", (long long)node_count(node));
	buf_put(result, v->out.data, v->out.len);
	buf_trim(&v->out, (size_t)1 << 16);
	UNPROTECT(1);
}

/* A part of a vector as a value of its own. May jump. */
static SEXP value_of(struct node node)
{
	R_xlen_t rows, columns;
	switch (node.kind) {
	case NODE_VALUE: return node.x;
	case NODE_COLUMN:
	case NODE_ELEMENT: {
		bool column = node.kind == NODE_COLUMN;
		SEXP args[3];
		if (column)
			peek_dim(node.x, &rows, &columns);
		args[0] = node.x;
		args[1] = PROTECT(Rf_ScalarReal((double)node.i + 1));
		args[2] = PROTECT(Rf_ScalarLogical(column));
		SEXP part = r_call_module("part_of", 3, args);
		UNPROTECT(2);
		return part;
	}
	default: ss_comm_fail(SS_COMM_BAD_PARAMS, "this variable has no value that could be had without evaluating it");
	}
}

static void clipboard(struct ss_comm *c, const json_t *params, struct buf *result)
{
	const char *format = json_string_or(params, "format", "");
	PROTECT_INDEX at;
	SEXP args[3];
	PROTECT_WITH_INDEX(R_NilValue, &at);
	if (strcmp(format, "text/plain") != 0 && strcmp(format, "text/html") != 0)
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`format` must be text/plain or text/html");
	args[0] = PROTECT(value_of(resolve(params, at)));
	args[1] = PROTECT(Rf_ScalarLogical(strcmp(format, "text/html") == 0));
	args[2] = PROTECT(Rf_ScalarReal(COPY_CHARS));
	SEXP text = PROTECT(r_call_module("clipboard_text", 3, args));
	buf_putc(result, '{');
	jx_key_string(result, "format", format);
	jx_key_string(result, "content", r_text(text, 0));
	buf_putc(result, '}');
	UNPROTECT(5);
}

static void view(struct ss_comm *c, const json_t *params, struct buf *result)
{
	PROTECT_INDEX at;
	PROTECT_WITH_INDEX(R_NilValue, &at);
	struct node node = resolve(params, at);
	SEXP id = PROTECT(node.kind == NODE_VALUE ? value_method("view", node.x, R_NilValue, R_NilValue) : R_NilValue);
	if (node.kind != NODE_VALUE || Rf_asLogical(value_method("has_viewer", node.x, R_NilValue, R_NilValue)) != TRUE)
		ss_comm_fail(SS_COMM_FAILED, "there is no viewer for this variable");
	if (TYPEOF(id) == STRSXP && XLENGTH(id) == 1)
		jx_cstring(result, r_text(id, 0));
	else
		buf_puts(result, "null");
	UNPROTECT(2);
}

static void put_strings(struct buf *out, const char *key, SEXP strings)
{
	jx_key(out, key);
	buf_putc(out, '[');
	for (R_xlen_t i = 0; i < Rf_xlength(strings); i++) {
		if (i)
			buf_putc(out, ',');
		jx_cstring(out, r_text(strings, i));
	}
	buf_putc(out, ']');
}

/* modules/variables.R makes a list for each column; here it becomes the JSON that the contract wants as text. May jump. */
static SEXP as_json_strings(SEXP lists)
{
	static struct buf text = BUF_INIT(BUF_MAX_MESSAGE);
	R_xlen_t n = Rf_xlength(lists);
	SEXP strings = PROTECT(Rf_allocVector(STRSXP, n));
	for (R_xlen_t i = 0; i < n; i++) {
		buf_clear(&text);
		r_json_write(&text, VECTOR_ELT(lists, i));
		SET_STRING_ELT(strings, i, Rf_mkCharLenCE(text.data, (int)text.len, CE_UTF8));
	}
	UNPROTECT(1);
	return strings;
}

static void summary(struct ss_comm *c, const json_t *params, struct buf *result)
{
	const json_t *types = json_object_get(params, "query_types");
	R_xlen_t rows = 0, columns = 0;
	bool profiles = false;
	size_t i;
	json_t *type;
	PROTECT_INDEX at;
	if (!json_is_array(types))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`query_types` must be an array of strings");
	json_array_foreach(types, i, type) profiles |=
	    json_is_string(type) && strcmp(json_string_value(type), "summary_stats") == 0;
	PROTECT_WITH_INDEX(R_NilValue, &at);
	struct node node = resolve(params, at);
	if (node.kind != NODE_VALUE || !peek_dim(node.x, &rows, &columns))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "only data frames and matrices have a table summary");
	SEXP args[2];
	args[0] = node.x;
	args[1] = PROTECT(Rf_ScalarLogical(profiles));
	SEXP lists = PROTECT(r_call_module("table_summary", 2, args));
	SEXP schemas = PROTECT(as_json_strings(VECTOR_ELT(lists, 0))),
	     stats = PROTECT(as_json_strings(VECTOR_ELT(lists, 1)));
	buf_putc(result, '{');
	jx_key_int(result, "num_rows", rows == PEEK_UNKNOWN ? 0 : rows);
	jx_key_int(result, "num_columns", columns);
	put_strings(result, "column_schemas", schemas);
	put_strings(result, "column_profiles", stats);
	buf_putc(result, '}');
	UNPROTECT(5);
}

static const struct ss_comm_method methods[] = {
    {"list", "ListReply", list, .looks = true},
    {"clear", "ClearReply", clear},
    {"delete", "DeleteReply", delete},
    {"inspect", "InspectReply", inspect, .looks = true},
    {"clipboard_format", "ClipboardFormatReply", clipboard, .looks = true},
    {"view", "ViewReply", view},
    {"query_table_summary", "QueryTableSummaryReply", summary, .looks = true},
    {NULL},
};

const struct ss_comm_target comm_variables = {.name = "positron.variables",
					      .open = open_variables,
					      .methods = methods,
					      .close = close_variables,
					      .settle = settle,
					      .again = true};
