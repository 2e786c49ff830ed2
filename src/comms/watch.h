/* watch.h: which variables of an environment have changed since the last look, without keeping them alive.
 *
 * For each binding its symbol (symbols live for ever) and a print of its value are kept: a hash of addresses, types,
 * lengths, attributes and of some of the content, since R changes values in place when nobody else refers to them. No object is held,
 * so R frees and reuses memory as if nobody looked.
 *
 * What can be missed: a change in place of elements that are not among those that are looked at (the first WATCH_ELEMENTS of a vector,
 * and some, at most as many, spread over the rest), or deeper in a list or an environment than the budget reaches (`nodes` of watch_scan,
 * shared out among the variables). What a client shows of a variable is among what is looked at. A value that is replaced by one with
 * the same address and the same content is no change to be seen.
 */
#ifndef CARRACK_COMMS_WATCH_H
#define CARRACK_COMMS_WATCH_H

#include "comms/peek.h"

#define WATCH_ELEMENTS 64
#define WATCH_NODES 12000 /* objects looked at in one scan, if there are not more variables: about 2 ms */

struct watch_entry {
	SEXP symbol; /* NULL: free */
	uint64_t print;
	int64_t changed_ms; /* when it last changed, since 1970 */
	uint32_t changed;   /* and in which scan */
	uint16_t budget;    /* of objects, that the print was made with */
	bool hidden;        /* its name begins with a dot: it is there because it was asked for */
};

/* Zeroed: nothing is known. An entry is written only when its variable changes: where copies of the process are parked, each
 * page that is written costs a fault. */
struct watch {
	struct watch_entry *entry; /* open addressing; `size` is a power of two */
	unsigned char *seen;       /* a bit for each: it was there in this scan */
	size_t size, used;
	uint32_t scan;
	SEXP *removed; /* symbols that were gone in the last scan */
	size_t n_removed, n_changed, n_present;
};

void watch_release(struct watch *w);

/* Looks at all bindings whose names do not begin with a dot, and at `also` (NULL: none) of the base environment. False without memory.
 * May jump; nothing is lost then. */
bool watch_scan(struct watch *w, SEXP env, SEXP also) MUST_CHECK;

/* NULL if it was not there in the last scan. */
const struct watch_entry *watch_find(const struct watch *w, SEXP symbol);

/* Those that were there in the last scan (`changed`: that it found new or changed), sorted by name. `out` has room for n_present (n_changed). */
size_t watch_list(const struct watch *w, bool changed, SEXP *out);

#endif
