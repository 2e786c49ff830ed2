/* message.h: one Jupyter message, read from the parts of a ZeroMQ message (messaging spec, "The Wire Protocol").
 *
 *     identity… | <IDS|MSG> | signature | header | parent_header | metadata | content | buffer…
 *
 * Parsing does no input or output, so that it can be tested and fuzzed without sockets.
 */
#ifndef CARRACK_MESSAGE_H
#define CARRACK_MESSAGE_H

#include "base/json.h"
#include "base/slice.h"
#include "jupyter/sign.h"

#define JP_DELIMITER "<IDS|MSG>"
#define JP_PROTOCOL "5.5"
#define JP_MAX_PARTS 4096
#define JP_MAX_MESSAGE ((size_t)512 << 20)
#define JP_MAX_ID 512 /* longest msg_id and msg_type that are accepted */

/* Owns everything in it. Parts point into `bytes`. */
struct jp_message {
	struct buf bytes;
	struct slice *part; /* all parts of the ZeroMQ message */
	size_t n;
	size_t n_ids; /* part[0 .. n_ids) is the routing prefix */
	struct slice signature, header_text, metadata_text, content_text;
	json_t *header, *parent, *metadata, *content; /* objects */
	const char *id, *type;                        /* of the header */
	struct slice *buffers;                        /* the parts after the content */
	size_t n_buffers;
};

/* Starts an empty message; add the parts in order, then parse. */
void jp_message_init(struct jp_message *m);
bool jp_message_add(struct jp_message *m, const void *bytes, size_t n, struct err *e) MUST_CHECK;

/* Checks the form and the signature and reads the four objects. After a failure the message can only be released. */
bool jp_message_parse(struct jp_message *m, const struct jp_key *key, struct err *e) MUST_CHECK;

void jp_message_release(struct jp_message *m);

/* On the heap, for the queue. */
struct jp_message *jp_message_move(struct jp_message *m); /* takes over m's contents; m is empty afterwards */
void jp_message_free(struct jp_message *m);

#endif
