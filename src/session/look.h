/* look.h: looking at R's objects without touching them.
 *
 * Nothing here runs code of the user's: no promise is forced, no active binding called, no `$` method dispatched, no ALTREP vector
 * expanded. What a package brings in lazily (its functions and data sets are promises until they are used) is read from the
 * package's database into a copy, and the promise stays what it was. Everything may jump, for it allocates.
 */
#ifndef CARRACK_SESSION_LOOK_H
#define CARRACK_SESSION_LOOK_H

#include "rapi/rapi.h"
#include "syntax/syntax.h"

/* The value that is bound in env itself. R_UnboundValue if there is none, or if only running code could tell. Copies read from a
 * package's database are kept for a while, so they need no protection. */
SEXP look_in(SEXP env, SEXP symbol);

/* The same, but what is not in memory is R_UnboundValue. */
SEXP look_ready(SEXP env, SEXP symbol);

/* What a name means at top level; functions only, if so asked. */
SEXP look_up(SEXP symbol, bool function);

/* What is reached by the steps. As with R, the first name of a function's path means a function. */
SEXP look_path(const struct syn_path *path, bool function);

/* The enclosing environment. */
SEXP look_parent(SEXP env);

/* Whether the user can see a variable from the global environment. */
bool look_is_visible(SEXP symbol);
/* A list, or R_NilValue: names by which elements are reached with `$`, of a data frame, list, or vector. */
SEXP look_names(SEXP x);
/* The environment behind an object whose `$` reaches into one (environments, R6, reference classes), or R_NilValue. */
SEXP look_environment(SEXP x);
/* All names bound in an environment, unsorted; those with a leading dot only if asked for. */
SEXP look_list(SEXP env, bool dots);

/* The same of the environment at a position of the search path (0: behind the global one), leading dots included. Attached packages are
 * locked: their names are listed once. Those of base, which nobody adds to, are listed again after a few seconds. */
SEXP look_search_list(int position, SEXP env);

/* The namespace if it is loaded, else R_NilValue. */
SEXP look_namespace(struct slice package);
/* What `package::name` means; R_UnboundValue if the package is not loaded. */
SEXP look_export(SEXP ns, SEXP symbol, bool internal);

/* True if what is bound is known, or for lazily loaded things of packages likely, to be a function. Reads nothing. */
bool look_is_function(SEXP env, SEXP symbol);

/* The symbol, or NULL for an empty or overlong name. */
SEXP look_symbol(struct slice name);

/* A function's formals as a pairlist; those of a primitive by its name, from base's tables. R_NilValue if unknown. */
SEXP look_formals(SEXP function, SEXP symbol);
SEXP look_closure_env(SEXP closure);
/* The S3 method that a call of the function with this first argument would reach, or R_UnboundValue. */
SEXP look_method(SEXP function, SEXP object, SEXP *symbol);
/* Calls fn for each class that S3 dispatch tries for x, until it returns true. */
bool look_classes(SEXP x, bool (*fn)(void *to, const char *class), void *to);

/* An object's attributes as a pairlist, where this R lets them be seen. */
extern R_WEAK SEXP ATTRIB(SEXP);

#endif
