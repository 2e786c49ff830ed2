/* sandbox.h: running the session's own work in R so that it can fail without harm.
 *
 *     r_toplevel_exec (exec.h)   every jump ends there; the rest is as R does it
 *     r_try_catch                an error, an interrupt or a jump ends there, silently, and is described
 *     r_sandbox                  the same for tasks: apart from the user's code in every way, and with a time limit
 *
 * None of them jumps. They work within each other, at R's top level, and where R looks for interrupts. `fn` may jump: it holds
 * nothing that must be given back (memory of malloc, descriptors, locks) across a call that may jump, and hands results out
 * through `data`; an SEXP among them is in a place of keep.h.
 *
 * What the user does not see of an r_sandbox:
 *   - text, messages, warnings: R's console hook asks r_takes_text first; sinks of the user are set aside. It is in the report.
 *   - options(error=), options(interrupt=), .Traceback, last.warning, .Last.value, geterrmessage(), .Random.seed, visibility
 *   - an interrupt of the user: it waits, and is there again when the sandbox has ended
 *   - browser(), readline() and q() are refused: the hooks ask r_sandboxed
 *
 * What cannot be kept apart: finalizers of the user's objects may run in any allocation, so also here; and if C code of a package
 * jumps to the top level by itself while warnings of the running cell wait, R prints those, and the report has them.
 */
#ifndef CARRACK_RAPI_SANDBOX_H
#define CARRACK_RAPI_SANDBOX_H

#include "rapi/rapi.h"
#include "rapi/report.h"

#include <signal.h>

#define R_LIMIT_MS 5000

struct r_budget {
	int ms;               /* 0: R_LIMIT_MS; negative: none */
	bool (*wanted)(void); /* see deadline.h; the end is R_YIELDED then */
};

/* Once, after r_keep_init. `interrupts` counts the user's interrupts (it is read only). `stuck`, if not NULL, is called in a signal handler
 * when a sandbox still runs a second after its limit, in code that does not look for interrupts. May jump. */
void r_sandbox_init(const volatile sig_atomic_t *interrupts,
		    void (*stuck)(const struct r_report *r, void *const *pcs, size_t n));

/* True if fn returned. `report` may be NULL, then nothing is described; otherwise it is from r_report_of. */
bool r_try_catch(void (*fn)(void *), void *data, struct r_report *report);
bool r_sandbox(void (*fn)(void *), void *data, const struct r_budget *budget, struct r_report *report);

/* Is an r_sandbox running? */
bool r_sandboxed(void);

/* The hook of R_WriteConsoleEx calls this first: true if the text belongs to an r_sandbox and is taken. */
bool r_takes_text(const char *s, size_t n);

#endif
