/* plain.h: how much of a text goes into a JSON string as it is, or comes out of one: ASCII without quotes, backslashes and control
 * characters. PLAIN_STEP bytes are looked at together; most text is nothing else.
 */
#ifndef CARRACK_PLAIN_H
#define CARRACK_PLAIN_H

#include "base/base.h"

#ifdef __SSE2__
#include <emmintrin.h>

#define PLAIN_STEP 16

/* How many of the PLAIN_STEP bytes at s are plain, from the first on. */
static inline size_t plain_of(const char *s)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);
	__m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)); /* signed: what is beyond ASCII, too */
	__m128i two = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	__m128i all = _mm_or_si128(_mm_or_si128(low, two), _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
	unsigned found = (unsigned)_mm_movemask_epi8(all);
	return found ? (size_t)__builtin_ctz(found) : PLAIN_STEP;
}

#else

#define PLAIN_STEP 8

static inline size_t plain_of(const char *s)
{
	size_t i = 0;
	while (i < PLAIN_STEP && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

#endif
#endif
