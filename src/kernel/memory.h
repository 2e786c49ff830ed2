/* memory.h: memory that gets short, and what it ends.
 *
 * While a cell runs the kernel looks how much room is left (base/room.h), the more often the less there is. While nothing runs it waits
 * for the system to say that processes wait for memory (Linux, Documentation/accounting/psi.rst, "Monitoring for pressure thresholds"), and
 * only if it has a copy that it could let go; where the system cannot be asked for that, it looks every MEMORY_IDLE_MS. When nine tenths are used the user is told, once, and again only after it was less than eight tenths. When little is left
 * the parked copies are let go: they are the only memory that the kernel can give back. Should the system's memory killer come all the same, the
 * copies are its first choice, then R and its children, and this process the last (memory_score).
 */
#ifndef CARRACK_MEMORY_H
#define CARRACK_MEMORY_H

#include "base/room.h"

struct kernel;
struct rusage;

struct memory {
	struct room room;
	/* Some seconds ago, and some seconds before that: a kill that is being noticed may be in the last already. */
	struct room_counts last, before;
	int64_t counted_at;
	int64_t at;   /* when it is looked next; 0: nothing runs */
	int pressure; /* readable (POLLPRI) when processes wait for memory; -1: the system does not tell */
	bool warned;  /* ... of the present shortage */
	bool let_go;  /* the copies were; there may be new ones since */
};

#define MEMORY_IDLE_MS 5000

void memory_init(struct kernel *k);
void memory_release(struct kernel *k);
void memory_parked(struct kernel *k);               /* there is a copy that could be let go */
bool memory_watches(const struct kernel *k);        /* `pressure` is to be waited for, */
void memory_pressed(struct kernel *k, bool failed); /* and has said something, or that it never will again */
void memory_cell_began(struct kernel *k);
void memory_due(struct kernel *k);

/* After a death by SIGKILL: whose it was, and the figures, as the rest of a sentence. Beginning with ": " or " ". */
void memory_verdict(const struct kernel *k, const struct rusage *usage, char *out, size_t max);

/* How much R used at most, and the limit, if there is one: "1.9 GB of 2.0 GB". */
void memory_peak(const struct kernel *k, const struct rusage *usage, char *out, size_t max);

/* In the session's process before it is R: the memory killer's opinion of it. Async-signal-safe. */
void memory_score(void);

#endif
