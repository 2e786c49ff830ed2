/* fuzz.h: what the fuzz targets share.
 *
 * A target is one function that takes any bytes and must return. libFuzzer calls it millions of times (scripts/fuzz);
 * replay.c calls it once for each file of a corpus (the tests do). A broken promise is a FUZZ_CHECK that fails.
 */
#ifndef CARRACK_FUZZ_H
#define CARRACK_FUZZ_H

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define FUZZ_CHECK(c) ((c) ? (void)0 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #c), abort()))

/* The input as a sequence of choices. Past its end everything is 0 and empty. */
struct fuzz_input {
	const uint8_t *at, *end;
};

static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* Bytes with their length before them: one byte, or two more if that is 255. */
static inline const char *fuzz_bytes(struct fuzz_input *in, size_t *n)
{
	size_t len = fuzz_byte(in);
	if (len == 255) {
		len = fuzz_byte(in);
		len |= (size_t)fuzz_byte(in) << 8;
	}
	if (len > (size_t)(in->end - in->at))
		len = (size_t)(in->end - in->at);
	const char *p = (const char *)in->at;
	in->at += len;
	*n = len;
	return p;
}

#endif
