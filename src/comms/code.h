/* code.h: calls and functions as text, in bounded time and on a bounded stack, without R's deparse(), which may be asked for
 * megabytes (do.call() puts data into calls). What is cut says so with an ellipsis. */
#ifndef CARRACK_COMMS_CODE_H
#define CARRACK_COMMS_CODE_H

#include "comms/peek.h"

/* Appends a symbol, call, formula, or a constant in one. Stops soon after `max` bytes. Does not jump. */
void code_write(struct buf *out, SEXP x, size_t max);

/* `function(x, y = 2, ...)`, `function (x) .Primitive` for what has no formals to be seen. Does not jump. */
void code_header(struct buf *out, SEXP function, size_t max);

/* A symbol as it is written in code: with backticks where it needs them. */
void code_symbol(struct buf *out, SEXP symbol);

/* A number as R's format() writes it alone, with `digits` significant digits. */
void code_number(struct buf *out, double x, int digits);

/* Text in quotes, escaped as R's print() does. At most max characters, then `…` inside the quotes; false if it was cut. */
bool code_string(struct buf *out, SEXP chars, size_t max);

#endif
