/* park.h: copies of the session that wait to take its place, if it dies (docs/link.md, "Parked processes").
 *
 * The copy is forked when the state has changed since the last one: a moment after a cell when nobody waits, or else before the
 * next cell. What a fork costs is measured; when it is dear, copies are made only while idle, when memory is short none are.
 * A copy is the first process that the system's memory killer ends.
 *
 * What a copy does not have: other threads, and the ends of pipes and sockets that lead to other processes. It must not keep
 * those open while it is parked, or nobody would ever see them closed; in their place it has sockets that are closed on
 * the other side.
 */
#ifndef CARRACK_PARK_H
#define CARRACK_PARK_H

#include "session/session.h"

/* Turns copies on; called once, at the start. */
void ss_park_init(bool on);

/* In a copy that serves: it makes no copies of itself. */
void ss_park_off(void);

/* The state has changed: a cell or an event source has run code. */
void ss_park_changed(void);

/* Before a cell. True in the copy, once it was woken: what was to be done belongs to the dead session and is dropped. */
bool ss_park_before_cell(void);

/* The same before a message to a comm that may run code, which changes the state. Messages can come in bursts: then not before each. */
bool ss_park_before_message(void);

/* While idle. Milliseconds until a copy should be made, -1 for never; and making it, after which the caller looks at the world anew. */
int ss_park_due_in(void);
void ss_park_idle(void);

/* carrack.undo(): ends this process; the copy from before the last cell goes on. Returns only if that cannot be, and says why. May not be called in a
 * forked child. */
const char *ss_park_undo(void);

/* Milliseconds that the last fork took; 0: there was none. */
double ss_park_ms(void);

#endif
