/* warm.h: after a fork each page that the session writes has to be copied first, which costs about a microsecond, and thousands of pages
 * are written by the simplest call of R's (it counts references in the objects that it looks at). Most are the same ones each time. So the
 * pages that were written since the copy before are copied at once, while nobody waits.
 *
 * Which they were is what the kernel says of pages that are mapped by this process alone (bit 56 of proc(5), pagemap).
 * So those that were copied here are as well: each block of pages is left out once in a while, to see whether it is still written.
 * Pages are copied by madvise(2), MADV_POPULATE_WRITE (Linux 5.14); where that is not known nothing is done.
 */
#ifndef CARRACK_WARM_H
#define CARRACK_WARM_H

#include "session/session.h"

/* Before a fork: notes what was written since the copy before, if there was one (`copied`). */
void ss_warm_note(bool copied);

/* After the fork, in the session: copies what was noted, until something comes over the link. */
void ss_warm_now(void);

#endif
