/* path.c: objects that are reached by names alone. */
#include "syntax/tree.h"

bool tree_is(TSNode node, const char *type)
{
	return !ts_node_is_null(node) && strcmp(ts_node_type(node), type) == 0;
}

TSNode tree_field(TSNode node, const char *name)
{
	return ts_node_child_by_field_name(node, name, (uint32_t)strlen(name));
}

bool tree_same(TSNode a, TSNode b)
{
	return ts_node_eq(a, b);
}

struct slice tree_text(const struct syn_impl *impl, TSNode node)
{
	if (ts_node_is_null(node))
		return (struct slice){0};
	uint32_t from = ts_node_start_byte(node), to = ts_node_end_byte(node);
	return (struct slice){impl->text.data + from, to - from};
}

bool tree_name(const struct syn_impl *impl, TSNode node, struct slice *name)
{
	if (tree_is(node, "string")) {
		*name = tree_text(impl, tree_field(node, "content"));
		if (!name->data)
			*name = (struct slice){"", 0};
	} else if (tree_is(node, "identifier") || tree_is(node, "dots")) {
		*name = tree_text(impl, node);
		if (name->len >= 2 && name->data[0] == '`') {
			name->data++;
			name->len -= 2;
		}
	} else {
		return false;
	}
	return !name->len || !memchr(name->data, '\\', name->len);
}

static bool add_step(struct syn_path *p, enum syn_step_kind kind, struct slice name)
{
	if (p->n == SYN_PATH_MAX)
		return false;
	p->step[p->n++] = (struct syn_step){.kind = kind, .name = name};
	return true;
}

/* The only argument's value of x[[…]]. */
static TSNode only_argument(TSNode arguments)
{
	TSNode none = {0};
	if (ts_node_named_child_count(arguments) != 1)
		return none;
	TSNode argument = ts_node_named_child(arguments, 0);
	return tree_is(argument, "argument") && ts_node_is_null(tree_field(argument, "name"))
		   ? tree_field(argument, "value")
		   : none;
}

static bool add_index(const struct syn_impl *impl, TSNode index, struct syn_path *p)
{
	struct slice text;
	if (tree_is(index, "string"))
		return tree_name(impl, index, &text) && add_step(p, SYN_STEP_INDEX, text);
	text = tree_text(impl, index);
	if (!(tree_is(index, "float") || tree_is(index, "integer")) || text.len > 9)
		return false;
	long number = 0;
	for (size_t i = 0; i < text.len && text.data[i] != 'L'; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = 10 * number + (text.data[i] - '0');
	}
	if (!add_step(p, SYN_STEP_NUMBER, text))
		return false;
	p->step[p->n - 1].number = number;
	return true;
}

static bool is_package_name(const struct syn_impl *impl, TSNode node, struct syn_path *p)
{
	struct slice package, name;
	if (!tree_name(impl, tree_field(node, "lhs"), &package) || !tree_name(impl, tree_field(node, "rhs"), &name))
		return false;
	bool all = slice_is(tree_text(impl, tree_field(node, "operator")), ":::");
	add_step(p, all ? SYN_STEP_INTERNAL : SYN_STEP_EXPORT, name);
	p->step[0].package = package;
	return true;
}

/* The steps come from the outside in; they are put in order when the innermost is reached. */
static bool collect(const struct syn_impl *impl, TSNode node, struct syn_path *p)
{
	TSNode outer[SYN_PATH_MAX];
	int n = 0;
	struct slice name;
	for (;;) {
		if (tree_is(node, "extract_operator") && n < SYN_PATH_MAX - 1) {
			outer[n++] = node;
			node = tree_field(node, "lhs");
		} else if (tree_is(node, "subset2") && n < SYN_PATH_MAX - 1) {
			outer[n++] = node;
			node = tree_field(node, "function");
		} else if (tree_is(node, "parenthesized_expression")) {
			node = tree_field(node, "body");
		} else {
			break;
		}
	}
	if (tree_is(node, "namespace_operator") ? !is_package_name(impl, node, p)
						: !(tree_name(impl, node, &name) && add_step(p, SYN_STEP_NAME, name)))
		return false;
	while (n-- > 0) {
		if (tree_is(outer[n], "subset2")) {
			if (!add_index(impl, only_argument(tree_field(outer[n], "arguments")), p))
				return false;
			continue;
		}
		bool slot = slice_is(tree_text(impl, tree_field(outer[n], "operator")), "@");
		if (!tree_name(impl, tree_field(outer[n], "rhs"), &name) ||
		    !add_step(p, slot ? SYN_STEP_SLOT : SYN_STEP_MEMBER, name))
			return false;
	}
	return true;
}

void path_of(const struct syn_impl *impl, TSNode node, struct syn_path *path)
{
	path->n = 0;
	if (ts_node_is_null(node) || !collect(impl, node, path))
		path->n = 0;
}

bool path_is_pipe(const struct syn_impl *impl, TSNode node)
{
	static const char *const pipes[] = {"|>", "%>%", "%<>%", "%T>%", "%$%", "%!>%"};
	if (!tree_is(node, "binary_operator"))
		return false;
	struct slice operator= tree_text(impl, tree_field(node, "operator"));
	for (size_t i = 0; i < ARRAY_LEN(pipes); i++)
		if (slice_is(operator, pipes[i]))
			return true;
	return false;
}

TSNode path_data_argument(const struct syn_impl *impl, TSNode call, TSNode except)
{
	TSNode arguments = tree_field(call, "arguments"), first = {0};
	uint32_t n = ts_node_is_null(arguments) ? 0 : ts_node_named_child_count(arguments);
	bool first_is_known = false;
	for (uint32_t i = 0; i < n && i < SYN_GIVEN_MAX; i++) {
		TSNode argument = ts_node_named_child(arguments, i);
		if (!tree_is(argument, "argument"))
			continue;
		TSNode name = tree_field(argument, "name");
		struct slice text = tree_text(impl, name);
		bool self = !ts_node_is_null(except) && tree_same(argument, except);
		if (!self && text.len && (slice_is(text, "data") || slice_is(text, ".data")))
			return tree_field(argument, "value");
		if (!text.len && !first_is_known) {
			first_is_known = true;
			if (!self)
				first = tree_field(argument, "value");
		}
	}
	return first;
}

bool path_is_plot(const struct syn_impl *impl, TSNode node)
{
	while (tree_is(node, "binary_operator") && slice_is(tree_text(impl, tree_field(node, "operator")), "+"))
		node = tree_field(node, "lhs");
	if (path_is_pipe(impl, node))
		node = tree_field(node, "rhs");
	struct slice name = tree_text(impl, tree_is(node, "call") ? tree_field(node, "function") : node);
	static const char *const plots[] = {"ggplot", "ggplot2::ggplot", "qplot", "ggplot2::qplot", "last_plot"};
	for (size_t i = 0; tree_is(node, "call") && i < ARRAY_LEN(plots); i++)
		if (slice_is(name, plots[i]))
			return true;
	return false;
}

void path_of_head(const struct syn_impl *impl, TSNode node, struct syn_path *path)
{
	TSNode none = {0};
	path->n = 0;
	for (int depth = 0; depth < 1000 && !ts_node_is_null(node); depth++) {
		if (path_is_pipe(impl, node) || path_is_plot(impl, node)) {
			if (tree_is(node, "call"))
				node = path_data_argument(impl, node, none);
			else
				node = tree_field(node, "lhs");
		} else if (tree_is(node, "call")) {
			node = path_data_argument(impl, node, none);
		} else if (tree_is(node, "subset")) {
			node = tree_field(node, "function");
		} else if (tree_is(node, "parenthesized_expression")) {
			node = tree_field(node, "body");
		} else {
			path_of(impl, node, path);
			return;
		}
	}
}
