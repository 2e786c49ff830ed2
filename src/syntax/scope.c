/* scope.c: the names that a cell itself defines. */
#include "syntax/tree.h"

struct scan {
	const struct syn_impl *impl;
	void (*fn)(void *to, struct slice name, enum syn_local kind);
	void *to;
};

static bool is_function(TSNode value)
{
	return tree_is(value, "function_definition");
}

/* The two sides of an assignment. False if the node is none. */
static bool assignment(const struct syn_impl *impl, TSNode node, TSNode *target, TSNode *value)
{
	if (!tree_is(node, "binary_operator"))
		return false;
	struct slice operator= tree_text(impl, tree_field(node, "operator"));
	bool left = slice_is(operator, "<-") || slice_is(operator, "=") || slice_is(operator, "<<-");
	bool right = slice_is(operator, "->") || slice_is(operator, "->>");
	*target = tree_field(node, left ? "lhs" : "rhs");
	*value = tree_field(node, left ? "rhs" : "lhs");
	return left || right;
}

/* assign("name", …) */
static bool assign_call(const struct syn_impl *impl, TSNode node, struct slice *name)
{
	if (!tree_is(node, "call") || !slice_is(tree_text(impl, tree_field(node, "function")), "assign"))
		return false;
	TSNode argument = ts_node_named_child(tree_field(node, "arguments"), 0);
	TSNode value = tree_is(argument, "argument") ? tree_field(argument, "value") : argument;
	return tree_is(value, "string") && tree_name(impl, value, name) && name->len > 0;
}

static void define(const struct scan *s, TSNode node)
{
	TSNode target, value;
	struct slice name;
	if (assignment(s->impl, node, &target, &value)) {
		bool own = ts_node_start_byte(target) == s->impl->at && tree_is(target, "identifier");
		if (!own && tree_name(s->impl, target, &name) && name.len)
			s->fn(s->to, name, is_function(value) ? SYN_LOCAL_FUNCTION : SYN_LOCAL_VARIABLE);
	} else if (tree_is(node, "for_statement")) {
		if (ts_node_start_byte(tree_field(node, "variable")) != s->impl->at &&
		    tree_name(s->impl, tree_field(node, "variable"), &name) && name.len)
			s->fn(s->to, name, SYN_LOCAL_VARIABLE);
	} else if (assign_call(s->impl, node, &name)) {
		s->fn(s->to, name, SYN_LOCAL_VARIABLE);
	}
}

static bool holds(const struct syn_impl *impl, TSNode node)
{
	return ts_node_start_byte(node) <= impl->at && impl->at < ts_node_end_byte(node);
}

static void parameters(const struct scan *s, TSNode function)
{
	TSNode list = tree_field(function, "parameters");
	for (uint32_t i = 0; !ts_node_is_null(list) && i < ts_node_named_child_count(list); i++) {
		TSNode parameter = ts_node_named_child(list, i);
		struct slice name;
		if (tree_is(parameter, "parameter") && tree_is(tree_field(parameter, "name"), "identifier") &&
		    tree_name(s->impl, tree_field(parameter, "name"), &name) && name.len) /* where a name is missing */
			s->fn(s->to, name, SYN_LOCAL_PARAMETER);
	}
}

/* The next node of the walk: into a node unless it is the body of a function that the cursor is not in. */
static bool step(const struct syn_impl *impl, TSTreeCursor *at)
{
	TSNode node = ts_tree_cursor_current_node(at);
	bool closed = is_function(node) && !holds(impl, node);
	if (!closed && ts_tree_cursor_goto_first_child(at))
		return true;
	while (!ts_tree_cursor_goto_next_sibling(at))
		if (!ts_tree_cursor_goto_parent(at))
			return false;
	return true;
}

void syn_each_local(const struct syn_context *c, void (*fn)(void *, struct slice, enum syn_local), void *to)
{
	struct scan s = {c->impl, fn, to};
	TSTreeCursor at = ts_tree_cursor_new(ts_tree_root_node(c->impl->tree));
	do {
		TSNode node = ts_tree_cursor_current_node(&at);
		if (ts_node_start_byte(node) > c->impl->at)
			break;
		if (is_function(node) && holds(c->impl, node))
			parameters(&s, node);
		define(&s, node);
	} while (step(c->impl, &at));
	ts_tree_cursor_delete(&at);
}

bool syn_each_parameter(const struct syn_context *c, struct slice wanted, void (*fn)(void *, struct slice), void *to)
{
	TSNode found = {0}, target, value;
	TSTreeCursor at = ts_tree_cursor_new(ts_tree_root_node(c->impl->tree));
	do {
		TSNode node = ts_tree_cursor_current_node(&at);
		struct slice name;
		if (ts_node_start_byte(node) > c->impl->at)
			break;
		if (assignment(c->impl, node, &target, &value) && is_function(value) &&
		    tree_name(c->impl, target, &name) && name.len == wanted.len &&
		    memcmp(name.data, wanted.data, name.len) == 0)
			found = value;
	} while (step(c->impl, &at));
	ts_tree_cursor_delete(&at);
	if (ts_node_is_null(found))
		return false;
	TSNode list = tree_field(found, "parameters");
	for (uint32_t i = 0; !ts_node_is_null(list) && i < ts_node_named_child_count(list); i++) {
		TSNode parameter = ts_node_named_child(list, i);
		struct slice name;
		if (tree_is(parameter, "parameter") && tree_name(c->impl, tree_field(parameter, "name"), &name) &&
		    name.len)
			fn(to, name);
	}
	return true;
}
