/* rd_read.h: what there is in a parsed help page. Nothing is taken for granted: a page is what a file has. For rd.c only.
 *
 * All but the first four may jump; text is valid until the same function, or the same buffer, is used again. */
#ifndef CARRACK_SESSION_RD_READ_H
#define CARRACK_SESSION_RD_READ_H

#include "base/buf.h"
#include "base/slice.h"
#include "rapi/rapi.h"

#define RD_MAX_DEPTH 100

const char *rd_tag(SEXP x); /* "" if it has none */
R_xlen_t rd_length(SEXP x); /* how many children; 0 of text */
SEXP rd_child(SEXP x, R_xlen_t i);
bool rd_is_blank(const char *s);

static inline bool rd_is(const char *tag, const char *name)
{
	return strcmp(tag, name) == 0;
}

/* The strings of a node of text, which usually has one. */
void rd_each_string(SEXP x, void (*f)(void *to, const char *s, size_t n), void *to);

/* All text in a node, without what its tags mean: appended (call with a depth of 0), or in a buffer that is kept, as R may jump. */
void rd_add_plain(struct buf *out, SEXP x, int depth);
struct slice rd_plain(SEXP x, struct buf *kept);

/* The same of an address, which may be broken over lines. */
struct slice rd_address(SEXP x);

/* s[0..n) of x: tabs are as wide as they were in the source, where the text began in a column of its own. */
struct slice rd_without_tabs(SEXP x, const char *s, size_t n);

#endif
