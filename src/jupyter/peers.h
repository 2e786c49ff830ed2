/* peers.h: which of our clients take what we send, seen from outside ZeroMQ.
 *
 * ZeroMQ knows, and does not say, what it holds for whom. But each connection is a descriptor of this process, and the
 * system says of it how much its peer has taken: TCP counts the bytes that were acknowledged (TCP_INFO, linux/tcp.h), the
 * queue of a unix socket changes when its peer reads (SIOCOUTQ). So a peer that takes nothing can be told from one that is
 * slow, whatever the transport, and be let go by shutting the connection down: ZeroMQ then finds it closed and frees
 * what it held. The client, when it comes to itself, connects again.
 *
 * Looking costs some system calls a descriptor: it is for the times when somebody waits for a client (flow.h).
 */
#ifndef CARRACK_PEERS_H
#define CARRACK_PEERS_H

#include "jupyter/connection.h"

/* Zeroed before the first look. */
struct jp_peers {
	struct jp_peer *list; /* the connections seen at the last look */
	size_t n;
};

/* Looks at every connection of the five sockets. One that has taken nothing of what is there for it for patience_ms, by
 * the looks so far, is let go, with a line in the log. Returns how many have something there that they have not taken. */
size_t jp_peers_look(struct jp_peers *p, const struct jp_connection *c, int64_t now_ms, int64_t patience_ms);

/* Forgets what was seen: the clocks start anew. Also the end. */
void jp_peers_forget(struct jp_peers *p);

#endif
