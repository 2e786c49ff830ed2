/* clock.h: monotonic time for deadlines, wall time for headers and logs. */
#ifndef CARRACK_CLOCK_H
#define CARRACK_CLOCK_H

#include "base/base.h"

/* Milliseconds and nanoseconds of a clock that never jumps. Only differences mean something. */
int64_t clock_ms(void);
int64_t clock_ns(void);

#define CLOCK_ISO_LEN 32
/* Writes now as ISO 8601 in UTC with microseconds, `2026-11-21T18:42:07.123456Z` (messaging spec, header.date). */
void clock_iso8601(char out[CLOCK_ISO_LEN]);

#endif
