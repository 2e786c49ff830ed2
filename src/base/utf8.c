#include "base/utf8.h"

/* Allowed range of the second byte for each lead byte that restricts it (RFC 3629, section 4). */
static bool second_ok(unsigned char lead, unsigned char b)
{
	switch (lead) {
	case 0xE0: return b >= 0xA0 && b <= 0xBF;
	case 0xED: return b >= 0x80 && b <= 0x9F;
	case 0xF0: return b >= 0x90 && b <= 0xBF;
	case 0xF4: return b >= 0x80 && b <= 0x8F;
	default: return (b & 0xC0) == 0x80;
	}
}

int utf8_char(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char c = p[0];
	if (c < 0x80)
		return 1;
	int len = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
	if (!len)
		return 0;
	for (int i = 1; i < len; i++) {
		if ((size_t)i >= n)
			return -1;
		if (i == 1 ? !second_ok(c, p[1]) : (p[i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

bool utf8_valid(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n) {
		if ((unsigned char)s[i] < 0x80) {
			i++;
			continue;
		}
		int k = utf8_char(s + i, n - i);
		if (k <= 0)
			return false;
		i += (size_t)k;
	}
	return true;
}

size_t utf8_cut(const char *s, size_t n)
{
	return n - utf8_incomplete_tail(s, n);
}

size_t utf8_incomplete_tail(const char *s, size_t n)
{
	for (size_t back = 1; back <= 3 && back <= n; back++) {
		unsigned char c = (unsigned char)s[n - back];
		if ((c & 0xC0) == 0x80)
			continue;
		return c >= 0xC0 && utf8_char(s + n - back, back) == -1 ? back : 0;
	}
	return 0;
}

void utf8_put_escaped(struct buf *b, const char *s, size_t n)
{
	size_t i = 0, from = 0;
	while (i < n) {
		int k = utf8_char(s + i, n - i);
		if (k > 0) {
			i += (size_t)k;
			continue;
		}
		buf_put(b, s + from, i - from);
		buf_printf(b, "\\x%02x", (unsigned char)s[i]);
		from = ++i;
	}
	buf_put(b, s + from, n - from);
}

size_t utf8_count(const char *s, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xC0) != 0x80;
	return count;
}

size_t utf8_offset(const char *s, size_t n, size_t index)
{
	size_t i = 0;
	for (; i < n; i++) {
		if (((unsigned char)s[i] & 0xC0) == 0x80)
			continue;
		if (index-- == 0)
			return i;
	}
	return n;
}
