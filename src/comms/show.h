/* show.h: display values: a value in a line of text. */
#ifndef CARRACK_COMMS_SHOW_H
#define CARRACK_COMMS_SHOW_H

#include "comms/value.h"

/* These append to *out and return true if something was left out. They may append somewhat more than VALUE_CHARS: show_cut is the end of
 * it. They may jump. */
bool show_value(struct buf *out, SEXP x);
bool show_element(struct buf *out, SEXP x, R_xlen_t i);                 /* of an atomic vector */
bool show_elements(struct buf *out, SEXP x, R_xlen_t from, R_xlen_t n); /* as they are, without their class */

/* Cuts what was appended since *out had the length `from` to VALUE_CHARS characters, the last of them an ellipsis. True if it was longer. */
bool show_cut(struct buf *out, size_t from);

#endif
