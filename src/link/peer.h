/* peer.h: the session's end of the link.
 *
 * One process, one thread, one link. Everything the session says is a rendezvous (docs/link.md): link_peer_call
 * returns when the kernel has acted. Frames of the kernel that arrive meanwhile are kept for link_peer_next.
 *
 * A forked child has no link: in it every call returns false at once and writes nothing.
 */
#ifndef CARRACK_PEER_H
#define CARRACK_PEER_H

#include "link/link.h"

#include <sys/types.h>

struct link_peer {
	int fd;      /* -1 once the kernel is gone */
	pid_t owner; /* the process that may use the link */
	uint32_t seq;
	struct link_reader reader;
	struct buf kept; /* encoded frames that came while an ACK was awaited */
	struct link_reader kept_reader;
	void (*before_frame)(void); /* called before each frame is sent; may be NULL */
	volatile bool calling;      /* a frame is being sent, or its ACK waited for */
};

/* Takes the descriptor from the environment (and removes the variable), makes it close-on-exec, sends HELLO. */
bool link_peer_open(struct link_peer *p, struct err *e) MUST_CHECK;
void link_peer_close(struct link_peer *p);

/* Sends a frame and waits for its ACK. `head` is JSON text or NULL for none. Flushes stdout and stderr first.
 * False if the kernel is gone, the frame is over a ceiling, or this is a forked child. Signals do not end the wait. */
bool link_peer_call(struct link_peer *p, int type, uint32_t request, const char *head, const struct slice *rest,
		    size_t n_rest, struct err *e) MUST_CHECK;

/* The same, with descriptors for the kernel (SCM_RIGHTS), LINK_ENDS at most. They stay open here. */
bool link_peer_call_with(struct link_peer *p, int type, uint32_t request, const char *head, const struct slice *rest,
			 size_t n_rest, const int *fds, size_t n_fds, struct err *e) MUST_CHECK;

/* A frame with a JSON head that is not waited for: its ACK comes to link_peer_next as any other frame. For signal handlers, async-signal-safe.
 * False, and nothing is sent, while link_peer_call is at work. */
bool link_peer_note(struct link_peer *p, int type, const char *head, size_t n);

/* In a copy of the process that was forked to take its place: the link is `fd` from now on, what was kept is forgotten. */
void link_peer_adopt(struct link_peer *p, int fd);

/* The seq of the frame that link_peer_call sent last (INPUT names its INPUT_REQUEST by it). */
uint32_t link_peer_last_seq(const struct link_peer *p);

/* The next frame of the kernel, without waiting. LINK_MORE: there is none yet, poll p->fd for reading.
 * LINK_BROKEN: the kernel is gone. A frame is good until the next call on p. */
enum link_took link_peer_next(struct link_peer *p, struct link_frame *f, struct err *e) MUST_CHECK;

/* True if bytes of a frame are here already: the descriptor need not become readable again for them. */
bool link_peer_has_more(const struct link_peer *p);

/* Waits for a frame; EINTR is retried. For sessions that have nothing else to wait for. */
enum link_took link_peer_wait(struct link_peer *p, struct link_frame *f, struct err *e) MUST_CHECK;

#endif
