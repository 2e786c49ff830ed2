/* context.c: what surrounds the cursor. */
#include "syntax/tree.h"

#include <errno.h>

/* The node at the cursor: a name, or the whole of a string. */
static TSNode node_here(const struct syn_impl *impl)
{
	uint32_t at = (uint32_t)impl->at;
	TSNode node = ts_node_descendant_for_byte_range(ts_tree_root_node(impl->tree), at, at + 1);
	while (!ts_node_is_null(node) && (strncmp(ts_node_type(node), "string_", 7) == 0 || !ts_node_is_named(node)))
		node = ts_node_parent(node);
	return node;
}

/* What the cursor is the right-hand side of. */
static void operator_around(struct syn_context *c, TSNode node)
{
	TSNode parent = ts_node_parent(node);
	bool extract = tree_is(parent, "extract_operator"), package = tree_is(parent, "namespace_operator");
	if (tree_is(parent, "parameter") && tree_same(tree_field(parent, "name"), node))
		c->want = SYN_NOTHING;
	if (!(extract || package) || !tree_same(tree_field(parent, "rhs"), node))
		return;
	struct slice operator= tree_text(c->impl, tree_field(parent, "operator"));
	TSNode left = tree_field(parent, "lhs");
	if (extract) {
		c->want = slice_is(operator, "@") ? SYN_SLOT : SYN_MEMBER;
		path_of(c->impl, left, &c->object);
	} else {
		c->want = slice_is(operator, ":::") ? SYN_INTERNAL : SYN_EXPORT;
		if (!tree_name(c->impl, left, &c->package))
			c->package = (struct slice){0};
	}
}

static void add_data(struct syn_context *c, const struct syn_path *path, bool subset)
{
	if (path->n && c->n_data < SYN_DATA_MAX)
		c->data[c->n_data++] = (struct syn_data){*path, subset};
}

static void add_head(struct syn_context *c, TSNode node)
{
	struct syn_path path;
	path_of_head(c->impl, node, &path);
	add_data(c, &path, false);
}

/* The other arguments of the innermost call. */
static void note_given(struct syn_context *c, TSNode arguments, TSNode own)
{
	for (uint32_t i = 0; i < ts_node_named_child_count(arguments) && c->n_given < SYN_GIVEN_MAX; i++) {
		TSNode argument = ts_node_named_child(arguments, i);
		struct slice name;
		if (tree_is(argument, "argument") && !tree_same(argument, own) &&
		    tree_name(c->impl, tree_field(argument, "name"), &name))
			c->given[c->n_given++] = name;
	}
}

static void find_position(struct syn_frame *f, TSNode arguments, TSNode own)
{
	for (uint32_t i = 0; i < ts_node_child_count(arguments); i++) {
		TSNode child = ts_node_child(arguments, i);
		if (tree_same(child, own))
			break;
		f->position += tree_is(child, "comma");
		f->unnamed += tree_is(child, "argument") && ts_node_is_null(tree_field(child, "name"));
	}
}

/* What is piped into a call, or null. */
static TSNode piped_into(const struct syn_impl *impl, TSNode call)
{
	TSNode parent = ts_node_parent(call), none = {0};
	return path_is_pipe(impl, parent) && tree_same(tree_field(parent, "rhs"), call) ? tree_field(parent, "lhs")
											: none;
}

/* `from` is the child of `argument` that the cursor is in. */
static void add_frame(struct syn_context *c, TSNode argument, TSNode from, TSNode here, bool braces)
{
	TSNode arguments = ts_node_parent(argument), call = ts_node_parent(arguments);
	if (c->n_frames == SYN_FRAMES_MAX || ts_node_is_null(call))
		return;
	struct syn_frame *f = &c->frame[c->n_frames++];
	TSNode name = tree_field(argument, "name"), piped = piped_into(c->impl, call);
	bool in_name = !ts_node_is_null(name) && tree_same(name, from);
	f->kind = tree_is(call, "subset") ? SYN_SUBSET : tree_is(call, "subset2") ? SYN_SUBSET2 : SYN_CALL;
	path_of(c->impl, tree_field(call, "function"), &f->function);
	if (!ts_node_is_null(name) && !in_name && !tree_name(c->impl, name, &f->argument))
		f->argument = (struct slice){0};
	find_position(f, arguments, argument);
	f->direct = tree_same(from, here);
	f->behind_braces = braces;
	f->piped = !ts_node_is_null(piped);
	TSNode first = f->piped ? piped : path_data_argument(c->impl, call, argument);
	path_of_head(c->impl, first, &f->first);
	if (c->n_frames == 1) {
		c->has_equals = in_name;
		c->name_of_argument = c->want == SYN_NAME && f->direct && (in_name || ts_node_is_null(name)) && !braces;
		note_given(c, arguments, argument);
	}
	if (f->kind == SYN_CALL)
		add_head(c, path_data_argument(c->impl, call, argument));
	else
		add_data(c, &f->function, true);
}

/* Finding a node's parent takes time with its depth; what is further out than this is not looked at. */
#define CLIMB_MAX 200

static void climb(struct syn_context *c, TSNode here)
{
	bool braces = false;
	TSNode from = here, node = ts_node_parent(here);
	for (int i = 0; i < CLIMB_MAX && !ts_node_is_null(node); i++, from = node, node = ts_node_parent(node)) {
		if (tree_is(node, "argument") && tree_is(ts_node_parent(node), "arguments")) {
			add_frame(c, node, from, here, braces);
		} else if (tree_is(node, "braced_expression")) {
			braces = true;
		} else if (tree_is(node, "binary_operator") && tree_same(tree_field(node, "rhs"), from)) {
			TSNode left = tree_field(node, "lhs");
			if (path_is_pipe(c->impl, node) || path_is_plot(c->impl, left))
				add_head(c, left);
		}
	}
}

struct syn_context *syn_context_new(const char *code, size_t n, size_t cursor, struct err *e)
{
	struct syn_context *c = calloc(1, sizeof *c);
	struct syn_impl *impl = calloc(1, sizeof *impl);
	if (!c || !impl) {
		free(c);
		free(impl);
		errno = ENOMEM;
		err_errno(e, "no memory to look at code");
		return NULL;
	}
	c->impl = impl;
	buf_init(&impl->text, BUF_MAX_MESSAGE);
	if (!mend(c, code, n, cursor, e)) {
		syn_context_free(c);
		return NULL;
	}
	TSNode here = node_here(impl);
	if (ts_node_is_null(here) || tree_is(here, "comment"))
		return c;
	if (c->want != SYN_NOTHING)
		operator_around(c, here);
	/* a$b|: the frames are around the whole of it. */
	TSNode parent = ts_node_parent(here);
	bool right = c->want == SYN_MEMBER || c->want == SYN_SLOT || c->want == SYN_EXPORT || c->want == SYN_INTERNAL;
	climb(c, right ? parent : here);
	return c;
}

void syn_context_free(struct syn_context *c)
{
	if (!c)
		return;
	ts_tree_delete(c->impl->tree);
	buf_release(&c->impl->text);
	free(c->impl);
	free(c);
}
