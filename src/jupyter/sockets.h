/* sockets.h: the five sockets of a kernel, and how a message leaves.
 *
 * shell, control and stdin are ROUTER, iopub is XPUB (JEP 65), heartbeat is ROUTER too: it echoes like REP, and
 * cannot be put out of step by a client that breaks the REQ pattern. No socket has a high-water mark: flow.h bounds
 * memory, and peers.h finds a client that holds up the others.
 */
#ifndef CARRACK_SOCKETS_H
#define CARRACK_SOCKETS_H

#include "jupyter/connection.h"
#include "jupyter/flow.h"
#include "jupyter/message.h"

#include <zmq.h>

#define JP_LINGER_MS 1500 /* for the last bytes; before, the kernel waits for its clients (kernel/stop.c) */

struct jp_sockets {
	void *context;
	void *socket[JP_CHANNELS];
	const struct jp_key *key;
	char session[40]; /* this kernel's session id, a UUID */
	const char *username;
	uint64_t counter;         /* messages sent, for msg_id */
	struct jp_replay *replay; /* signatures seen */
};

/* Binds all sockets; ports of 0 are filled in with what the system chose. `c` must outlive the sockets. */
bool jp_sockets_open(struct jp_sockets *s, struct jp_connection *c, struct err *e) MUST_CHECK;

/* Closes everything; waits up to JP_LINGER_MS for what is not sent yet. */
void jp_sockets_close(struct jp_sockets *s);

/* Registers the ports (JEP 66) and waits for the acknowledgement. */
bool jp_register(struct jp_sockets *s, const struct jp_connection *c, int timeout_ms, struct err *e) MUST_CHECK;

enum jp_got { JP_MESSAGE, JP_NOTHING, JP_BAD };

/* Receives and checks one message. JP_BAD: one came that cannot be used; *e says why, nothing is left in m. */
enum jp_got jp_receive(struct jp_sockets *s, enum jp_channel channel, struct jp_message *m, struct err *e) MUST_CHECK;

/* What goes out. All slices are JSON text but the ids and buffers; an empty metadata or parent stands for `{}`. */
struct jp_outgoing {
	const struct slice *ids; /* routing prefix: a client's identities, or one topic on iopub */
	size_t n_ids;
	const char *type;
	struct slice parent, metadata;
	struct buf *content;      /* taken over; NULL: */
	struct slice text;        /* ... the content is this */
	struct flow_block *block; /* what lies in it is not copied; may be NULL */
	const struct slice *buffers;
	size_t n_buffers;
	bool *unreachable; /* set if the peer is not connected, which only stdin is told; NULL: do not care */
	char *id_out;      /* where to put the msg_id (JP_MAX_ID + 1 bytes), or NULL */
};

/* Sends. A failure is logged and returned; the content is released in any case. */
bool jp_send(struct jp_sockets *s, enum jp_channel channel, struct jp_outgoing *o);

static inline struct slice jp_content(const struct jp_outgoing *o)
{
	return o->content ? SLICE_BUF(o->content) : o->text;
}

/* Echoes everything that is waiting on the heartbeat socket. */
void jp_heartbeat(struct jp_sockets *s);

/* A random UUID (version 4). */
void jp_uuid(char out[37]);

#endif
