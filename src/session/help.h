/* help.h: ?name and help("name"), as they stand in a cell.
 *
 * R's help() reads the index of every loaded package for every question, ten to fifty milliseconds. A cell's expression that
 * is exactly such a question, and asks R's own functions, is answered from indexes that have been read before (modules/help.R), with the very value that
 * help() would have. Everything else (calls in functions, other arguments, pages that are not there, a `?` of the user's or of a package) is R's. */
#ifndef CARRACK_SESSION_HELP_H
#define CARRACK_SESSION_HELP_H

#include "rapi/rapi.h"

/* The value of a top-level expression, or NULL: evaluate it. May jump. */
SEXP ss_help_asked(SEXP code);

#endif
