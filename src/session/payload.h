/* payload.h: payloads: what the client that runs a cell is to do when it is over (messaging spec, "Payloads"). They go with the reply
 * of a cell that ended well.
 *
 * A `page` is taken in console sessions only, whose clients have a pager; in a notebook it would not be part of the document. If
 * the cell ends with an error, its pages are published as display_data.
 */
#ifndef CARRACK_SESSION_PAYLOAD_H
#define CARRACK_SESSION_PAYLOAD_H

#include "session/session.h"

/* A cell begins. Does not jump. */
void ss_payload_begin(void);

/* For R code, list(source=, …): TRUE if it will be sent. May jump. */
SEXP ss_payload_add(SEXP payload);

/* The cell has ended: appends the array of its payloads; or, for a cell that ended with an error, shows its pages. None of the two jumps. */
void ss_payload_put(struct buf *out);
void ss_payload_give_up(void);

#endif
