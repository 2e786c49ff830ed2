/* cost.h: what a cell cost, for the metadata of its reply.
 *
 * `{"carrack": {"elapsed_ms": 12.3, "cpu_ms": 11.9, "user_ms": 10.0, "system_ms": 1.9, "children_cpu_ms": 0.0, "children_user_ms": 0.0,
 * "children_system_ms": 0.0, "gc_ms": 4.0, "gc_count": 1, "peak_mb": 84.2, "copy_ms": 0.6}}`: time since the cell began, processor time of R (all
 * its threads) and of the children that it has waited for, time and number of R's garbage collections, the largest memory that R ever had
 * resident, and what the last copy of the session cost (park.h). The kernel adds `bytes_out`.
 *
 * Collections are counted by an object that nobody holds, whose finalizer makes the next one. R runs finalizers at gc() and at every thousandth
 * step of its interpreter: collections between two such moments count as one. Their time R measures itself, with its own
 * clock of milliseconds, if it is told to: gc.time() tells it to, whenever it is called. So it is on from the start here, what gc.time() gives a
 * user counts from there, and gc.time(FALSE) holds until the end of its cell. */
#ifndef CARRACK_COST_H
#define CARRACK_COST_H

#include "base/buf.h"

void ss_cost_init(void); /* may jump */
void ss_cost_begin(void);
void ss_cost_end(void); /* the cell has run: what R itself must be asked. Does not jump */
void ss_cost_put(struct buf *metadata);

#endif
