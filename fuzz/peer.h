/* peer.h: a kernel that takes all that a session says, and checks it; in place of link/peer.c.
 *
 * The session starts as it does under a kernel. Where it would wait for its first request, peer_start returns; requests are given to
 * it by peer_ask.
 */
#ifndef CARRACK_FUZZ_PEER_H
#define CARRACK_FUZZ_PEER_H

#include "fuzz.h"

#include "base/slice.h"

/* Runs the session's main until it waits for requests. `config` is the head of CONFIG. */
void peer_start(const char *config);

/* A REQUEST; parts[0] is its head. When this returns it has been answered, once, by a frame whose type is `reply` ("" is one too). */
void peer_ask(const struct slice *parts, size_t n, const char *reply);

/* The content of the last reply, and the data of the last comm_msg, with `result` or `error` in it, that was published for the last
 * request. How many of these there were. */
const char *peer_reply(void);
int peer_answers(void);

/* Which comms are open, for who checks that nothing is said of others. */
void peer_comm_opened(const char *id);
void peer_comm_closed(const char *id);
bool peer_comm_is_open(const char *id);

/* The id of some comm that is open, NULL if none is. Good until the next call. */
const char *peer_some_comm(void);

#endif
