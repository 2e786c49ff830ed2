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

/* The session sends a frame that is well formed, with anything in it; or just bytes. The kernel reads them. */
void world_frame(struct kernel *k, struct fuzz_input *in);
void world_bytes(struct kernel *k, struct fuzz_input *in);

/* The session's process ends: by a signal, or with an exit status if it is 0. */
void world_session_dies(struct kernel *k, int signal);

/* The session takes what the kernel has sent, which must be frames. */
void world_hears(struct kernel *k);

#endif
