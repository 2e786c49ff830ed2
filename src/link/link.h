/* link.h: the frames between the kernel process and a session. docs/link.md is the specification.
 *
 * This file is the codec: what both ends share. It does no input or output. The kernel's end is
 * kernel/link.c, the session's is link/peer.h.
 */
#ifndef CARRACK_LINK_H
#define CARRACK_LINK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/jtext.h"
#include "base/slice.h"

#define LINK_VERSION 1
#define LINK_MAGIC 0xC4
#define LINK_HEADER 16
#define LINK_MAX_PARTS 1024
#define LINK_MAX_FRAME BUF_MAX_MESSAGE
#define LINK_ENV_FD "CARRACK_LINK_FD"
#define LINK_ENV_REPORT "CARRACK_REPORT_FD"
#define LINK_INTERRUPT_SIGNAL (SIGRTMIN + 6) /* needs <signal.h> */
#define LINK_INTERRUPT_AGAIN \
	0x80000000u /* in its value, with the request: an interrupt that came before has perhaps not reached a child */
#define LINK_WHERE_SIGNAL (SIGRTMIN + 7)
#define LINK_COPY_SIGNAL (SIGRTMIN + 9) /* SIGRTMIN + 8 is the session's own (rapi/deadline.h) */

enum link_type {
	LINK_ACK = 1,
	LINK_CONFIG = 2,
	LINK_REQUEST = 3,
	LINK_INPUT = 4,
	LINK_SHUTDOWN = 5,
	LINK_WAKE = 6,
	LINK_SERVE = 7,
	LINK_YIELD = 8,

	LINK_HELLO = 16,
	LINK_READY = 17,
	LINK_PUBLISH = 18,
	LINK_TURN = 19,
	LINK_INPUT_REQUEST = 20,
	LINK_INPUT_CANCEL = 21,
	LINK_REPLY = 22,
	LINK_EXIT = 23,
	LINK_LOG = 24,
	LINK_PARKED = 25,
	LINK_UNDO = 26,
	LINK_SERVING = 27,
	LINK_PASS = 28,
};

/* The type's name as in docs/link.md, "?" for a number that is none. */
const char *link_type_name(int type);

/* A frame that was read. The parts point into the reader's buffer: they are good until the next call on it. */
struct link_frame {
	int type;
	uint32_t seq, request;
	size_t n;
	struct slice part[LINK_MAX_PARTS];
};

/* Part i, or an empty part (data "", len 0) if the frame has no such part. */
struct slice link_frame_part(const struct link_frame *f, size_t i);

/* Part i parsed as a JSON object; `{}` if it is absent or empty. NULL and *e if it is anything else. The caller decrefs. */
json_t *link_frame_json(const struct link_frame *f, size_t i, struct err *e) MUST_CHECK;

/* Part i, `{}` if it is absent or empty. False and *e if it is anything else than a JSON object: base/jtext.h reads it. */
bool link_frame_text(const struct link_frame *f, size_t i, struct slice *text, struct err *e) MUST_CHECK;

/* The length of the frame of these parts without the parts. 0 and *e: it is over a ceiling. */
size_t link_frame_size(int type, const struct slice *parts, size_t n, struct err *e);

/* What stands before the parts: LINK_HEADER and four bytes a part. */
void link_put_head(char *to, int type, uint32_t seq, uint32_t request, const struct slice *parts, size_t n);

/* Appends an encoded frame. False if it is over a ceiling (nothing is appended then). */
bool link_encode(struct buf *out, int type, uint32_t seq, uint32_t request, const struct slice *parts, size_t n,
		 struct err *e) MUST_CHECK;

/* Reading: append the bytes that came to `in`, then take frames until link_take says there is none yet. */
struct link_reader {
	struct buf in;
	size_t taken; /* bytes of the frame returned last, dropped at the next call */
};

enum link_took { LINK_FRAME, LINK_MORE, LINK_BROKEN };

void link_reader_init(struct link_reader *r);
void link_reader_release(struct link_reader *r);
enum link_took link_take(struct link_reader *r, struct link_frame *f, struct err *e) MUST_CHECK;

#endif
