/* internal.h: the C side of .carrack_internal() (modules/internal.R): tools for debugging the session from R. */
#ifndef CARRACK_INTERNAL_H
#define CARRACK_INTERNAL_H

#include "session/session.h"

/* Called from R; may jump. */
SEXP ss_internal_backtrace(void);                       /* the C frames, a line each */
SEXP ss_internal_task(SEXP id, SEXP class, SEXP limit); /* adds a task whose step is internal_step(id) */
SEXP ss_internal_task_now(SEXP id, SEXP limit);         /* runs it now; the full report of its failure, or NULL */
SEXP ss_internal_ended(void); /* list(ids, how they ended, short forms) of tasks added so; once each */

SEXP ss_internal_cost(SEXP rounds); /* nanoseconds of one of: an empty task, its parts, the C frames */

/* Puts .carrack_internal where it is found. May jump. */
void ss_internal_define(void);

#endif
