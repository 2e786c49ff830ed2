/* copy.h: copies of the session that serve (docs/link.md, "Copies that serve"): forked while a cell runs or while nothing does, with
 * a link and text pipes of their own. A copy answers what only looks, or is the process of a subshell; what it does changes
 * nothing in the session. It never returns to what the session was doing when it was made.
 *
 * A copy has none of the session's threads, pipes and sockets (fork.h), serves no event sources, parks nothing, and leaves the
 * session's temporary directory alone. `ss.copy` says that this process is one.
 */
#ifndef CARRACK_COPY_H
#define CARRACK_COPY_H

#include "link/ends.h"
#include "session/session.h"

/* The kernel asks by a signal; called when R's handlers are in place. */
void ss_copy_init(void);

/* At a safe point, and where the session waits: makes the copy that the kernel asked for, if now is a time for it, and sees which have
 * ended. Returns in the session only. Does not jump. */
void ss_copy_turn(void);

/* True if there is something for ss_copy_turn to do. */
bool ss_copy_due(void);

/* In a process that is forked from the session, whichever: the copies are not its own. */
void ss_copy_forget(void);

/* In the parked process: reads from its link, with the descriptors that come (-1 where none does); and makes a copy of itself that
 * has these, and the caller not. */
ssize_t ss_copy_receive(int link, char *to, size_t max, int fds[LINK_ENDS]);
void ss_copy_of_parked(const int fds[LINK_ENDS]);

#endif
