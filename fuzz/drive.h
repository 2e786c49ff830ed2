/* drive.h: one kernel process from its begin to its end, step by step, in the surroundings of world.h. For fuzz_wire and fuzz_copies. */
#ifndef CARRACK_FUZZ_DRIVE_H
#define CARRACK_FUZZ_DRIVE_H

#include "world.h"

void drive_begin(struct kernel *k);

/* Tells the kernel to end, and checks that it does, and that all is as before: requests, memory, descriptors. */
void drive_end(struct kernel *k);

void drive_receive(struct kernel *k, enum jp_channel channel);       /* takes what waits there (world_put) */
void drive_text(struct kernel *k, struct fuzz_input *in, int which); /* of the session, on a pipe */
void drive_time(struct kernel *k, uint8_t what);                     /* something is due */

#endif
