/* echo.h: what the two halves of echo-session share: echo-session.c is the session, echo-directives.c its "language". */
#ifndef CARRACK_ECHO_H
#define CARRACK_ECHO_H

#include "link/peer.h"

/* A running cell. */
struct cell {
	uint32_t request;
	json_int_t count; /* execution_count */
	bool silent, allow_stdin;
	const struct slice *buffers; /* of the request */
	size_t n_buffers;
	json_t *error; /* once the cell has failed: ename, evalue, traceback */
};

extern struct link_peer echo_peer;

/* Runs one line of a cell. False ends the cell: echo_fail has said why. */
bool echo_directive(struct cell *c, const char *line);

/* Sends a frame and waits until the kernel has acted upon it. NULL for a part that is not there. Without a kernel there
 * is nothing left to do: the process ends. */
void echo_tell(int type, uint32_t request, const char *head, const char *content, const struct slice *buffers,
	       size_t n);

/* PUBLISH and REPLY of the message `type`. The first takes its content over. */
void echo_send(int frame, uint32_t request, const char *type, json_t *content);
void echo_send_text(int frame, uint32_t request, const char *type, const char *content);

/* Publishes the error that ends the cell; returns false. */
bool echo_fail(struct cell *c, const char *ename, const char *evalue);

/* Writes text to descriptor 1 or 2. False if an interrupt for this cell came meanwhile. */
bool echo_say(struct cell *c, int fd, const char *s, size_t n);
bool echo_say_line(struct cell *c, int fd, const char *text);

/* Waits for `ms` (-1: for ever) or until `fd` (-1: none) can be read. False if an interrupt for this cell came. */
bool echo_wait(struct cell *c, int fd, long ms);

/* Asks the user and says the answer. */
bool echo_ask(struct cell *c, const char *prompt, bool password);

/* echo-copy.c: what the kernel asked for is made by echo_copy_turn, wherever the session waits. */
extern bool echo_is_copy;
void echo_copy_init(void);
bool echo_copy_asked(void);
void echo_copy_turn(void);

/* In a copy, before its HELLO: its requests are counted anew, and an interrupt for the session is not for them. */
void echo_forget(void);

/* Answers one request after the other until the end. */
_Noreturn void echo_loop(void);

/* Ends the session in good order. */
_Noreturn void echo_end(int status);

/* echo-park.c: parks a copy of this process, if ECHO_PARK is set. True in the copy, once it has been woken. */
bool echo_park(void);

#endif
