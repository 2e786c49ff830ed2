/* survive.h: what a process does not take through a fork by itself, so that the copy which is woken after a crash has it.
 *
 * Pools of threads (OpenMP, OpenBLAS) are let go before the fork and made anew by their libraries when they are needed next, in the session
 * and in the copy. Files that are read stand where they stood when the copy was made: their position belongs to the open file, which the
 * session and the copy share. What package later has to call is looked for here, because its own thread, which wakes R, is gone. */
#ifndef CARRACK_SURVIVE_H
#define CARRACK_SURVIVE_H

#include "session/session.h"

void ss_survive_fork(void);  /* in the session, right before */
void ss_survive_woken(void); /* in the copy, when it is the session */

/* Milliseconds until ss_survive_serve has something to do; -1: nothing is planned. Neither jumps. */
int ss_survive_due_in(void);
void ss_survive_serve(void); /* may jump: it calls the user's functions */

#endif
