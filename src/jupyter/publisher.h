/* publisher.h: the one place through which everything passes that a client hears on iopub.
 *
 * A window is what belongs to one request: `busy`, its messages, the reply, `idle`. Only the publisher opens and
 * closes windows. Several can be open at once (a control request is answered while a cell runs), each with its own
 * parent; one of them, the session's, is what text and the session's messages belong to.
 *
 * Text arrives as bytes of two streams, in the order in which it is to be seen. It is gathered until the stream
 * changes, PUB_TEXT_MAX is reached, somebody flushes, or anything else is published: so nothing overtakes text.
 */
#ifndef CARRACK_PUBLISHER_H
#define CARRACK_PUBLISHER_H

#include "jupyter/sockets.h"

#define PUB_TEXT_MAX ((size_t)256 << 10) /* bytes of text in one stream message, about */

enum pub_stream { PUB_STDOUT, PUB_STDERR };

struct pub_window {
	char *parent; /* the request's header, as it came; owned. NULL while closed */
	size_t len;
};

struct publisher {
	struct jp_sockets *sockets;
	struct pub_window *session; /* the window of the request that is with the session, or NULL */
	char *last;                 /* header of the execute request that started last: the parent of late text */
	size_t last_len;
	struct buf text;     /* gathered text of `stream` */
	struct buf carry[2]; /* per stream: the beginning of a character whose end has not come yet */
	enum pub_stream stream;
	bool started;        /* `starting` was published, or is too late */
	uint64_t text_bytes; /* published since the beginning */
	uint64_t bytes;      /* the same with contents and buffers of the other messages */
};

void pub_init(struct publisher *p, struct jp_sockets *sockets);
void pub_release(struct publisher *p);

/* Opens a window and publishes `busy`. With `session`, text belongs to it from now on. False: no memory, and nothing
 * was published. */
bool pub_open(struct publisher *p, struct pub_window *w, const struct jp_message *request, bool session) MUST_CHECK;

/* Flushes text if the window is the session's, publishes `idle`, closes. */
void pub_close(struct publisher *p, struct pub_window *w);

/* Remembers the session's window as that of the cell that started last. */
void pub_cell_started(struct publisher *p);

/* Publishes a message of a window; NULL is the session's window, or outside of it the last cell. Text goes first.
 * Takes over `content`. */
void pub_message(struct publisher *p, const struct pub_window *w, const char *type, struct buf *content);

/* The same for one with more to it: ids and parent are filled in. */
void pub_outgoing(struct publisher *p, const struct pub_window *w, struct jp_outgoing *o);

/* Text of the session. */
void pub_text(struct publisher *p, enum pub_stream stream, const char *bytes, size_t n);
/* Publishes gathered text. With `all` also the beginning of a character that will not be completed. */
void pub_flush(struct publisher *p, bool all);
bool pub_has_text(const struct publisher *p);

/* Answers subscriptions that are waiting on the socket with iopub_welcome, the first of all also with `starting`. */
void pub_subscriptions(struct publisher *p);

#endif
