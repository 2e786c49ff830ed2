/* fork.h: what copies of the session have in common, those that park (park.h) and those that serve (copy.h): what they must not keep
 * of it, and when there can be one.
 */
#ifndef CARRACK_FORK_H
#define CARRACK_FORK_H

#include "session/session.h"

/* In the worst case every page is copied that one of the two writes. */
bool ss_fork_memory_suffices(void);

/* Calls fn for each pipe and socket that leads to another process; the link does not count. With `own` also for pipes of which
 * this process has both ends, through which packages wake themselves. */
void ss_fork_each_foreign(bool own, void (*fn)(int fd, void *data), void *data);

/* In the copy, when ss.link.fd is its own: what each_foreign finds is replaced by a socket that is closed on the other side, so that it is
 * not held open for others, and R's event loop forgets it. */
void ss_fork_cut(bool own);

/* In the copy: whom the memory killer takes first, up to "1000"; and what it is. Less than it was may not be possible. */
void ss_fork_oom_score(const char *value);
void ss_fork_oom_read(char *to, size_t max);

/* In the copy: it is the process that runs R from now on, with this link. */
void ss_fork_adopt(int link);

/* In a copy that was forked while a cell ran, so that the session's pools of threads could not be let go before (survive.h). */
void ss_fork_single_thread(void);

#endif
