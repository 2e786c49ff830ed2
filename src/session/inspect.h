/* inspect.h: what is at the cursor. */
#ifndef CARRACK_SESSION_INSPECT_H
#define CARRACK_SESSION_INSPECT_H

#include "base/buf.h"
#include "rapi/rapi.h"

/* Appends a value's structure, in the manner of str(): bounded in lines and bytes whatever the value's size. Nothing is forced
 * or run, and vectors that are not in memory stay where they are. May jump; nothing is held then. */
void inspect_structure(SEXP x, struct buf *out);

#endif
