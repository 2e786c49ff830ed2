/* value.h: how a value, or a part of one, is shown in a line. In bounded time, whatever the value is; nothing of it is touched (peek.h)
 * but what R code of packages does that has registered methods for its class (modules/variables.R), and format(), which gets a copy of the
 * first elements of a classed vector.
 */
#ifndef CARRACK_COMMS_VALUE_H
#define CARRACK_COMMS_VALUE_H

#include "comms/peek.h"

#define VALUE_CHARS 100     /* of a display value; beyond that it is cut */
#define VALUE_CHILDREN 1000 /* that are listed */

enum node_kind {
	NODE_VALUE,   /* x */
	NODE_PROMISE, /* x is one that has not been forced */
	NODE_ACTIVE,  /* an active binding */
	NODE_ELEMENT, /* element i of the atomic vector x */
	NODE_COLUMN,  /* column i of the matrix x */
	NODE_PRIVATE, /* the private fields of R6 object x */
	NODE_METHODS, /* its methods */
};

struct node {
	enum node_kind kind;
	SEXP x;
	R_xlen_t i;
};

struct look {
	struct buf *value; /* the caller's; the display value is appended */
	char type[128], info[256];
	const char *kind; /* of Positron's contract */
	R_xlen_t length;
	bool children, viewer, truncated;
};

/* Fills in all of it. May jump. */
void value_look(struct look *l, struct node node);

/* How many children there are. May jump. */
R_xlen_t node_count(struct node node);

/* Calls fn for the first `max` children, with the key by which node_child finds each and its name. May jump. */
void node_each(struct node node, R_xlen_t max,
	       void (*fn)(void *to, const char *key, const char *name, struct node child), void *to);

/* The child with this key. False if there is none. May jump. *child may need protection: what a package's method returns. */
bool node_child(struct node node, const char *key, struct node *child);

/* The fields of R6: a public or private environment of x; R_NilValue if there is none. */
SEXP value_r6(SEXP x, bool private);

/* The environment of a reference object or an environment, else R_NilValue. */
SEXP value_environment(SEXP x);

/* ---- size.c ---- */

/* Bytes as object.size() counts them: what environments hold is not counted. `nodes` is how many objects may be looked at, and is counted down;
 * when they are used up *least is set, and the size is at least what is returned. What a foreign ALTREP vector would take is not known: the same. Does
 * not jump. */
double value_size(SEXP x, size_t *nodes, bool *least);

/* ---- methods of packages (modules/variables.R) ---- */

extern bool value_has_methods; /* some are registered */
extern bool value_plain;       /* no R code is to be called to show a value: it has been found to fail or hang */
void value_find_methods(void); /* looks whether there are any. May jump */
/* The result of a class's own method for `what`, R_NilValue without one. May jump. */
SEXP value_method(const char *what, SEXP x, SEXP index, SEXP name);

#endif
