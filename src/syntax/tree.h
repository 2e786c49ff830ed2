/* tree.h: what the files of this layer share about tree-sitter's trees. The node types are those of r-lib's grammar. */
#ifndef CARRACK_SYNTAX_TREE_H
#define CARRACK_SYNTAX_TREE_H

#include "syntax/lex.h"
#include "syntax/syntax.h"

#include <tree_sitter/api.h>

struct syn_impl {
	struct buf text; /* the mended code */
	TSTree *tree;
	size_t at;     /* the offset in it of what stands at the cursor */
	size_t cursor; /* … and of the cursor */
};

bool tree_is(TSNode node, const char *type);
TSNode tree_field(TSNode node, const char *name);
struct slice tree_text(const struct syn_impl *impl, TSNode node);
bool tree_same(TSNode a, TSNode b);
/* A name or string without backticks and quotes. False if it is neither, or has escapes in it. */
bool tree_name(const struct syn_impl *impl, TSNode node, struct slice *name);

/* mend.c: what stands at the cursor (c->want, typed, from, to, quote …) and a tree of the mended code. */
bool mend(struct syn_context *c, const char *code, size_t n, size_t cursor, struct err *e);

/* path.c: how the node's value is reached by names; path->n is 0 if it is not. */
void path_of(const struct syn_impl *impl, TSNode node, struct syn_path *path);
/* The same of the object that a pipe, a chain of ggplot2 layers or a call with data comes down to. */
void path_of_head(const struct syn_impl *impl, TSNode node, struct syn_path *path);
/* The data argument of a call: `data`, `.data`, or the first one. Null if there is none, or it is `except`. */
TSNode path_data_argument(const struct syn_impl *impl, TSNode call, TSNode except);
bool path_is_pipe(const struct syn_impl *impl, TSNode node);
/* True if the chain of `+` that ends in this node begins with a plot (ggplot(…)). */
bool path_is_plot(const struct syn_impl *impl, TSNode node);

#endif
