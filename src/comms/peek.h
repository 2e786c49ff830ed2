/* peek.h: R's values seen without being touched.
 *
 * No promise is forced, no active binding run, no method of an ALTREP class of a package called, nothing allocated that refers to
 * the user's objects: a reference, once counted, makes R copy at the user's next assignment, and it is never counted back if
 * the holder ends as garbage. Pointers on the C stack and PROTECT are not counted.
 *
 * Functions do not jump unless they say so.
 */
#ifndef CARRACK_COMMS_PEEK_H
#define CARRACK_COMMS_PEEK_H

#include "base/buf.h"
#include "rapi/rapi.h"

extern R_WEAK SEXP ATTRIB(SEXP x);
R_WEAK SEXP PRVALUE(SEXP promise);

#define PEEK_UNKNOWN ((R_xlen_t)-1) /* a length that nobody can tell without touching */

/* An ALTREP vector of a class that R does not bring itself: nothing of it can be seen but type and attributes. */
bool peek_is_foreign(SEXP x);

/* "package::class" of an ALTREP vector into out, "" for others. */
void peek_altrep_name(SEXP x, char *out, size_t size);

bool peek_is_atomic(SEXP x); /* a vector of numbers, text, … */
bool peek_is_list(SEXP x);   /* or an expression vector */

/* A length as text, `?` for one that is unknown. Returns s. */
const char *peek_number(char *s, size_t size, R_xlen_t n);

R_xlen_t peek_length(SEXP x); /* of vectors; 0 for what has none */

/* The elements can be read: an atomic vector or list that is not foreign, and not text that R still has as numbers. */
bool peek_is_readable(SEXP x);

SEXP peek_attribute(SEXP x, SEXP symbol); /* R_NilValue without it */
SEXP peek_attributes(SEXP x);             /* a pairlist */
bool peek_inherits(SEXP x, const char *class);
const char *peek_class(SEXP x, R_xlen_t i); /* the i-th of the class attribute, "" if there are fewer */

/* rows and columns; false if x is neither a matrix nor a data frame. A number may be PEEK_UNKNOWN. */
bool peek_dim(SEXP x, R_xlen_t *rows, R_xlen_t *columns);

/* Appends the text of a CHARSXP as UTF-8, at most `max` characters of it (not cut within one, nor before a mark that belongs to the
 * character). False if it was cut. */
bool peek_text(struct buf *out, SEXP chars, size_t max);

/* ---- bindings ---- */

enum peek_binding { PEEK_NONE, PEEK_VALUE, PEEK_PROMISE, PEEK_ACTIVE };

/* What is bound in env itself. *value is the value, the promise, or R_NilValue for an active binding; a promise that has
 * been forced counts as its value. May jump: for environments that are databases of some package. */
enum peek_binding peek_binding(SEXP env, SEXP symbol, SEXP *value);

/* The same for a symbol that is known to be bound there. */
enum peek_binding peek_bound(SEXP env, SEXP symbol, SEXP *value);

/* All symbols bound in an environment, in no order:
 *
 *     peek_each(&each, env);                 may jump; protects one object, so that
 *     while ((symbol = peek_next(&each))) …
 *     peek_end(&each);                       has to be called before the caller's own UNPROTECT
 */
struct peek_each {
	SEXP env, table, cell, names;
	SEXP here; /* the cell of the symbol that came last, NULL if bindings are not reached by cells */
	R_xlen_t at, size;
};
void peek_each(struct peek_each *each, SEXP env);
SEXP peek_next(struct peek_each *each);
enum peek_binding peek_here(const struct peek_each *each, SEXP symbol,
			    SEXP *value); /* of the symbol that came last; may jump */
void peek_end(struct peek_each *each);

/* How many there are, counted up to `max`; names that begin with a dot only if `dots`. May jump. */
R_xlen_t peek_count(SEXP env, bool dots, R_xlen_t max);

bool peek_is_hidden(SEXP symbol);

#endif
