/* slice.h: bytes that belong to somebody else. */
#ifndef CARRACK_SLICE_H
#define CARRACK_SLICE_H

#include "base/base.h"

struct slice {
	const char *data; /* never NULL when len > 0; not NUL-terminated in general */
	size_t len;
};

#define SLICE_STR(s) ((struct slice){(s), strlen(s)})
#define SLICE_BUF(b) ((struct slice){(b)->data, (b)->len})

/* True if the bytes are those of the NUL-terminated text. */
static inline bool slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && (s.len == 0 || memcmp(s.data, text, s.len) == 0);
}

#endif
