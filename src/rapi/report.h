/* report.h: how a piece of work in R ended, told in two ways: in a sentence for users, in full for the log.
 *
 * A flat value with nothing to free (it is filled while R may jump). What does not fit is cut at a character.
 */
#ifndef CARRACK_RAPI_REPORT_H
#define CARRACK_RAPI_REPORT_H

#include "rapi/frames.h"

enum r_end {
	R_RETURNED,
	R_FAILED, /* an error */
	R_TIMED_OUT,
	R_YIELDED,     /* it was asked to make room (sandbox.h: `wanted`); it may be run again */
	R_INTERRUPTED, /* an interrupt that was not the time limit's: the code itself raised or allowed one */
	R_JUMPED,      /* a jump to the top level without a condition: a restart, the debugger's Q, C code */
	R_REFUSED      /* it was not run: too many of these are inside each other */
};

struct r_report {
	/* Before: what is asked, and by whom (`execute_request 12`). */
	char asked[64], asker[128];

	/* After. `message` is the condition's; after R_JUMPED R's error buffer has to do, see `buffer`. */
	enum r_end end;
	char class[64], message[2048], call[256];
	char calls[4096];        /* R's calls where it happened, a line each, the outermost first */
	void *pcs[R_FRAMES_MAX]; /* the C frames there, before anything was unwound, */
	size_t n_pcs;
	bool pcs_are_stuck; /* or those of code that did not look for interrupts when its time was over */
	char buffer[512];   /* R's error buffer (geterrmessage()) */
	bool buffer_is_new; /* it changed meanwhile; otherwise it may be of something older */
	char output[2048];  /* the beginning of what was written, and of warnings */
	double ms;          /* time spent */
	int limit_ms;
};

#define R_REPORT(what, who) r_report_of(what, who)
struct r_report r_report_of(const char *asked, const char *asker);

/* `completion failed: object 'x' not found`. One line, for users. */
void r_report_short(const struct r_report *r, struct buf *out);

/* Everything there is, in lines. */
void r_report_full(const struct r_report *r, struct buf *out);

/* Copies text into one of the fields, whole characters only. */
void r_report_text(char *to, size_t room, const char *s);

#endif
