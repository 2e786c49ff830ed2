/* deadline.h: the time limit of code that R runs: when it is over, R finds an interrupt.
 *
 * One timer of the process and one real-time signal, delivered to R's thread only. Its handler sets R's interrupt flag if the limit that
 * is set at that moment has passed, and does so again and again until the limit is taken away: code that catches the interrupt does not
 * escape. A signal that arrives late finds no limit and does nothing, so none of this reaches the user's code.
 */
#ifndef CARRACK_RAPI_DEADLINE_H
#define CARRACK_RAPI_DEADLINE_H

#include "rapi/rapi.h"

#define R_DEADLINE_SIGNAL (SIGRTMIN + 8) /* needs <signal.h> */
#define R_STUCK_NS 1000000000            /* so long after its end a limit that had no effect is called stuck */

struct r_deadline {
	int64_t at; /* clock_ns(); 0 for none */
	bool (*wanted)(
	    void); /* not NULL: asked every few milliseconds, in the signal handler; true ends the code as well */
	void (*stuck)(void *data); /* not NULL: called in the signal handler, once, at R_STUCK_NS */
	void *data;

	/* Written by the handler. */
	volatile bool passed, was_wanted, was_stuck;
	volatile int interrupts;
};

/* Makes *d the limit, NULL none. Returns the one that was set before, to be put back: a limit within a limit. *d lives until another is set.
 * If the system has no timer left there is no limit. Does not jump. */
struct r_deadline *r_deadline_set(struct r_deadline *d);

/* For the hook that R calls where it looks for interrupts (R_PolledEvents): jumps to the top level if the limit has passed and several
 * interrupts were caught. */
void r_deadline_enforce(void);

#endif
