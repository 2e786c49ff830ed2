/* world.h: the kernel's surroundings for fuzz_wire: clients, a session and an operating system that are made up.
 *
 * world.c defines the functions of jupyter/sockets.h, and those of the C library that start, signal and await processes. So the kernel
 * talks to nobody but the fuzzer.
 */
#ifndef CARRACK_FUZZ_WORLD_H
#define CARRACK_FUZZ_WORLD_H

#include "fuzz.h"

#include "kernel/kernel.h"

void world_begin(struct kernel *k);
void world_end(struct kernel *k); /* checks that every request has had what it is owed */

/* Makes a message out of the input, which waits on the channel then. */
void world_message(struct fuzz_input *in, enum jp_channel channel);

/* A message that waits there. */
void world_put(enum jp_channel channel, const char *header, struct slice content);

/* The session sends a frame that is well formed, with anything in it; or just bytes. The kernel reads them. */
void world_frame(struct kernel *k, struct fuzz_input *in);
void world_bytes(struct kernel *k, struct fuzz_input *in);

/* The session's process ends: by a signal, or with an exit status if it is 0. */
void world_session_dies(struct kernel *k, int signal);

/* The session takes what the kernel has sent, which must be frames. */
void world_hears(struct kernel *k);

/* ---- for those who play the copies ---- */

/* Makes a frame out of the input: its request is `running` or another; *how has bits to be used for more. */
bool world_frame_of(struct fuzz_input *in, struct buf *out, uint32_t seq, uint32_t running, uint8_t *how);

/* Sends bytes with descriptors over any link, without waiting. */
void world_send(int link, const char *s, size_t n, const int *fds, size_t n_fds);

/* The session says SERVING. */
void world_serving(struct kernel *k, const char *head, const int *fds, size_t n_fds);

int world_parked(void);       /* the parked process's end of its link; -1: there is none */
void world_later(int64_t ms); /* time passes */

#endif
