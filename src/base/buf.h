/* buf.h: a growing byte buffer that knows its ceiling.
 *
 * Every buffer declares at birth how large it may become; what comes off a wire, a file or R can never make
 * it larger. Appending past the ceiling (or out of memory) sets `failed` and leaves the contents as they
 * were; further appends are ignored. So a series of appends needs one check at its end:
 *
 *     struct buf b = BUF_INIT(BUF_MAX_MESSAGE);
 *     buf_puts(&b, "{\"name\":");
 *     …
 *     if (b.failed) …
 *     buf_release(&b);
 *
 * `data` is NUL-terminated whenever it is not NULL; the NUL is not counted in `len`. Releasing a zeroed or
 * released buffer is legal.
 */
#ifndef CARRACK_BUF_H
#define CARRACK_BUF_H

#include "base/base.h"

#define BUF_MAX_SMALL ((size_t)1 << 20)   /* paths, headers, log lines: 1 MiB */
#define BUF_MAX_MESSAGE ((size_t)1 << 30) /* one message of any protocol: 1 GiB */

struct buf {
	char *data;
	size_t len, cap, max;
	bool failed;
};

#define BUF_INIT(ceiling) ((struct buf){.max = (ceiling)})

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);           /* frees the contents; the buffer may be used again, ceiling kept */
void buf_clear(struct buf *b);             /* empties, keeps the memory, resets `failed` */
void buf_trim(struct buf *b, size_t keep); /* as clear, but gives memory above `keep` bytes back */

/* Makes room for `n` more bytes and returns where they go, or NULL (and `failed`). Commit with buf_added. */
char *buf_room(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);

/* Makes room for `n` more bytes if the ceiling and the memory allow it; says whether there is. Never sets `failed`. */
bool buf_want(struct buf *b, size_t n);

/* The same for a buffer of which it is known how long it will be: no more room than that is made, if any. */
void buf_reserve(struct buf *b, size_t n);

void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* Removes the first `n` bytes (all, if there are fewer). */
void buf_consume(struct buf *b, size_t n);

/* Hands the heap block to the caller, who frees it; the buffer is empty afterwards. Never NULL unless failed. */
char *buf_detach(struct buf *b, size_t *len);

#endif
