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

#endif
