/* frames.h: the C frames of this process: taken in microseconds, described later.
 *
 * Our own functions are named from the program's symbol table, static ones too; it is mapped at the start. (They are not exported:
 * a package's function of the same name would then be ours.) Those of libraries are named if the library exports them;
 * for others the offset in the file is given, which addr2line takes.
 */
#ifndef CARRACK_RAPI_FRAMES_H
#define CARRACK_RAPI_FRAMES_H

#include "base/buf.h"

#define R_FRAMES_MAX 64

/* Once, at the start. After it r_frames_take and r_frames_write may be called in signal handlers. Without it they work, but not there,
 * and without names of ours. */
void r_frames_init(void);

/* Writes up to `max` program counters, the innermost first, and returns how many. The caller's frame is the first. */
size_t r_frames_take(void **pcs, size_t max);

/* Appends a line a frame: `#2  libR.so  Rf_eval+0x1a3`. */
void r_frames_put(struct buf *out, void *const *pcs, size_t n);

/* The same to a descriptor. Async-signal-safe, except that it waits if another thread is in the dynamic loader. */
void r_frames_write(int fd, void *const *pcs, size_t n);

/* One such line without its end, cut at `room` (at least 64). Returns its length. */
size_t r_frames_line(char *to, size_t room, size_t number, void *pc);

#endif
