/* probe.h: one session, started just as the kernel starts it, asked to run one piece of code, and ended. For `doctor`. */
#ifndef CARRACK_PROBE_H
#define CARRACK_PROBE_H

#include "kernel/rhome.h"

#define PROBE_LIMIT_MS 20000

struct probe {
	bool ready;       /* READY came */
	int64_t ready_ms; /* from start to READY */
	char version[64]; /* language_version of READY */
	bool ran;         /* the code ended without an error */
	struct buf text;  /* the end of what the session wrote to 1 and 2 */
};

/* Starts, waits for READY, runs `code`, ends it, each within PROBE_LIMIT_MS. `r` may be zero when CARRACK_SESSION names a
 * session that is not R's. False and *e at the first thing that went wrong; *p says how far it came. Release p in any case. */
bool probe_run(struct probe *p, const struct rhome *r, const char *code, struct err *e) MUST_CHECK;
void probe_release(struct probe *p);

#endif
