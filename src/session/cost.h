/* cost.h: what a cell cost, for the metadata of its reply.
 *
 * `{"carrack": {"elapsed_ms": 12.3, "cpu_ms": 11.9, "children_cpu_ms": 0.0, "peak_mb": 84.2}}`: time since the cell began, processor time
 * of R (all its threads) and of the children that it has waited for, and the largest memory that R ever had resident. */
#ifndef CARRACK_COST_H
#define CARRACK_COST_H

#include "base/buf.h"

void ss_cost_begin(void);
void ss_cost_put(struct buf *metadata);

#endif
