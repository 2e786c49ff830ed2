/* flow.h: how many bytes ZeroMQ still holds for its peers.
 *
 * Nothing is ever dropped for a slow subscriber, so there is no high-water mark; memory is bounded because the
 * kernel stops listening to the session while too much is on its way. It counts what a message costs, with all that
 * ZeroMQ and we put around its content, so that many small ones count as well. Payloads are handed to ZeroMQ without a
 * copy; ZeroMQ calls back, from its own I/O thread, when the last peer has them. That callback is the only code
 * of the kernel process that runs on another thread: it subtracts, and wakes the loop through an eventfd.
 */
#ifndef CARRACK_FLOW_H
#define CARRACK_FLOW_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <zmq.h>

#define FLOW_HIGH ((size_t)64 << 20) /* above: the session is not read */
#define FLOW_LOW ((size_t)32 << 20)  /* below: it is again */
/* Above FLOW_HIGH, but not by more than this, a session that was told to stop is heard: so an interrupt and the end do not
 * wait for a slow client. */
#define FLOW_SPARE ((size_t)32 << 20)
#define FLOW_MOST ((size_t)128 << 20) /* above: nor are requests taken from shell, as each of them makes messages */
#define FLOW_MESSAGE 1024             /* what a message costs beside its parts: ZeroMQ's frames, malloc */

bool flow_init(struct err *e) MUST_CHECK;
void flow_release(void); /* only after zmq_ctx_term */

/* Makes a ZeroMQ message of the buffer's bytes, which it takes over; the buffer is empty afterwards. `more` is what else
 * is in memory for as long as they are. */
bool flow_message(zmq_msg_t *msg, struct buf *b, size_t more, struct err *e) MUST_CHECK;

/* Bytes that came in one piece and of which messages are made in several parts: they are counted, and freed with the last part. */
struct flow_block;
/* Takes the buffer's memory over: it is empty afterwards, what pointed into it still does. NULL, and it is as it was: no memory.
 * Whoever made the block releases it when all messages are made. */
struct flow_block *flow_block_new(struct buf *b);
void flow_block_release(struct flow_block *block); /* NULL is nothing */
bool flow_block_has(const struct flow_block *block, struct slice part);
/* A message of a part of the block, without a copy. `more` as above. */
bool flow_part(zmq_msg_t *msg, struct flow_block *block, struct slice part, size_t more, struct err *e) MUST_CHECK;

/* True while the session must wait. Once true it stays so until FLOW_LOW is reached. */
bool flow_full(void);

/* Readable (poll) when flow_full has become false; flow_woken resets it. */
int flow_fd(void);
void flow_woken(void);

size_t flow_bytes(void);

#endif
