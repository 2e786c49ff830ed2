/* utf8.h: what is a character and what is not.
 *
 * Text that reaches a client must be valid UTF-8 (RFC 3629: no surrogates, nothing above U+10FFFF, no
 * overlong form). Bytes that are not are shown as R shows them, `\xe9`, never dropped.
 */
#ifndef CARRACK_UTF8_H
#define CARRACK_UTF8_H

#include "base/buf.h"

/* Length in bytes (1 to 4) of the valid character at s, 0 if the n bytes begin with something invalid,
 * -1 if they are the beginning of a valid character that is not complete. n must be at least 1. */
int utf8_char(const char *s, size_t n);

/* True if all n bytes are valid UTF-8. */
bool utf8_valid(const char *s, size_t n);

/* The largest k <= n such that s[0..k) does not end inside a character; for cutting text to a size.
 * s must hold valid UTF-8 in s[0..n) up to a possibly incomplete last character. */
size_t utf8_cut(const char *s, size_t n);

/* How many bytes at the end of s[0..n) are the incomplete beginning of a character (0 to 3). */
size_t utf8_incomplete_tail(const char *s, size_t n);

/* Appends s to b, each byte that is not part of a valid character as `\xHH`. */
void utf8_put_escaped(struct buf *b, const char *s, size_t n);

/* Offsets: code points in s[0..n), and the byte offset of code point `index` (n if there are fewer).
 * s must be valid UTF-8. Jupyter's cursor positions are code points (messaging spec 5.2). */
size_t utf8_count(const char *s, size_t n);
size_t utf8_offset(const char *s, size_t n, size_t index);

#endif
