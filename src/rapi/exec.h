/* exec.h: running code that may jump, and what R does between two expressions of its own top level. */
#ifndef CARRACK_RAPI_EXEC_H
#define CARRACK_RAPI_EXEC_H

#include "rapi/rapi.h"

/* Once, in the process that is the session, before R runs. `forked` is called where a forked child of it comes out of the code that
 * it was to run, and does not return. */
void r_host_init(void (*forked)(void));

/* In a fork of the process that takes its place: it is the host from now on. */
void r_host_adopt(void);

/* True in a child that some package forked. */
bool r_in_child(void);

/* Runs fn(data) in a top-level context: no condition handler on the stack sees what happens in it, and every jump
 * out of it ends here. True if fn returned, false if it jumped. Does not jump. What R does by default on an
 * error (message, options(error=), .Traceback) is done. */
bool r_toplevel_exec(void (*fn)(void *), void *data);

/* For work on the user's behalf (parsing): the user's interrupts wait until it is over, and an error is only an end of it: no message,
 * no options(error=), no .Traceback; warnings and text are the cell's. True if fn returned. Does not jump. For work of the
 * session's own see sandbox.h. */
bool r_try_exec(void (*fn)(void *), void *data);

/* To be called before each expression of the user, from outside any r_toplevel_exec: warnings that are still waiting are
 * printed and the limits of setTimeLimit() begin anew. R has no function for this; its own loop does it before it evaluates. So its
 * loop (R_ReplDLLdo1) is given an expression, and is left by a jump when it announces (R_Busy) that it is about to evaluate. */
void r_before_expression(void);

/* Prints the warnings that wait, as R's loop does after an expression. Does not jump. */
void r_print_warnings(void);

/* The hooks of R_ReadConsole and R_Busy call these first. r_feeding: true if R's loop is being fed, and then
 * *text is what it is to read. r_busy does not return while R's loop is being fed. */
bool r_feeding(const char **text);
void r_busy(int which);

#endif
