/* task.h: what the kernel asks of R besides cells. Each task runs in r_sandbox (rapi/sandbox.h): one that fails ends what it was for, by
 * the report that its `done` gets, and nothing else.
 *
 *   at a request's time   ss_task_now: it runs at once, inside the request that asks
 *   SS_TASK_IDLE          when no frame and no event is there. It is done in steps; between two of them, and when one takes
 *                         longer, a frame of the kernel goes first
 *   SS_TASK_SAFE_POINT    the same, and also while a cell computes, where R looks for interrupts. Only for what is harmless
 *                         there: it must not change anything that the user's code may be in the middle of
 *
 * Tasks of a class are done in the order in which they were added; a failed step is not repeated.
 */
#ifndef CARRACK_TASK_H
#define CARRACK_TASK_H

#include "rapi/report.h"
#include "session/session.h"

enum ss_task_class { SS_TASK_IDLE, SS_TASK_SAFE_POINT, SS_TASK_CLASSES };

struct ss_task {
	enum ss_task_class class;
	const char *name; /* kept by reference */
	char asker[128];  /* `comm_msg 3f2a…`, for the log */
	int limit_ms;     /* of each step, with the times it was begun in vain; 0: R_LIMIT_MS */
	void *data;

	/* A step; may jump. True if there is more to do. It returns when ss_task_yields says so, at the latest. It may be
	 * interrupted anywhere by a frame that comes, and is then begun again later: what it has done counts from where it noted that in
	 * *data. */
	bool (*step)(void *data);

	/* Called once, however the task ended (r->end), outside the sandbox. Does not jump, and frees *data. */
	void (*done)(void *data, const struct r_report *r);
};

/* Puts a copy of *t into the queue. False if there is no memory; then `done` is not called. Does not jump. */
bool ss_task_add(const struct ss_task *t);

/* Takes the tasks with this data out of the queue, without `done`. One whose step runs at the moment ends after it. Does not jump. */
void ss_task_drop(const void *data);

/* Asked by a step between two pieces of its work: is it time to return? */
bool ss_task_yields(void);

/* Has the kernel sent a frame that was not read yet? Async-signal-safe. */
bool ss_task_frame_waits(void);

/* Runs fn(data) for the request that is being answered. True if it returned; otherwise *r says how it ended, and the log has it. Does not
 * jump. limit_ms 0: R_LIMIT_MS. */
bool ss_task_now(const char *name, const char *asker, void (*fn)(void *), void *data, int limit_ms, struct r_report *r);

/* ---- for wait.c and main.c ---- */

/* Tells the kernel's log where a task is that does not look for interrupts. Async-signal-safe; `r` may be NULL. */
void ss_task_stuck(const struct r_report *r, void *const *pcs, size_t n);

/* After R's start: R is asked to call at its safe points. */
void ss_task_init(void);

/* In a copy of the session: the tasks are the session's, and so are the events of others that R polls for. */
void ss_task_forget(void);

bool ss_task_waiting(void);

/* Does one step of the first task. Does not jump. */
void ss_task_idle(void);

#endif
