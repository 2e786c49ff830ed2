#include "base/utf8.h"
#include "unit.h"

/* The other half of the check: what the standard's encoder makes of each code point, and what begins one of those. */
static uint8_t begins[4][1 << 21]; /* bitsets over the first 1, 2, 3 bytes of every valid character */

static size_t encode(uint32_t c, char to[4])
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(0xf00 >> n | c);
	return n;
}

static bool is_character(uint32_t c)
{
	return c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
}

static uint32_t number(const char *s, size_t n)
{
	uint32_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)s[i];
	return v;
}

static void fill_begins(void)
{
	char s[4];
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		size_t n = is_character(c) ? encode(c, s) : 0;
		for (size_t k = 1; k < n; k++) {
			uint32_t v = number(s, k);
			begins[k][v >> 3] |= (uint8_t)(1u << (v & 7));
		}
	}
}

/* What utf8_char must say of these n bytes (1 to 4). */
static int expected(const char *s, size_t n)
{
	unsigned char lead = (unsigned char)s[0];
	size_t len = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
	if (len && len <= n) {
		uint32_t c = len == 1 ? lead : lead & (0x7fu >> len);
		char again[4];
		for (size_t i = 1; i < len; i++)
			c = c << 6 | ((unsigned char)s[i] & 0x3f);
		if (is_character(c) && encode(c, again) == len && memcmp(again, s, len) == 0)
			return (int)len;
	}
	uint32_t v = number(s, n);
	return n < 4 && begins[n][v >> 3] >> (v & 7) & 1 ? -1 : 0;
}

static bool right(const char *s, size_t n)
{
	int got = utf8_char(s, n), want = expected(s, n);
	if (got == want)
		return true;
	fprintf(stderr, "bytes %s:\n", unit_show(s, n));
	return CHECK_INT(got, want);
}

TEST(all_sequences_of_up_to_three_bytes)
{
	fill_begins();
	for (size_t n = 1; n <= 3; n++)
		for (uint32_t v = 0; v < 1u << 8 * n; v++) {
			char s[3];
			for (size_t i = 0; i < n; i++)
				s[i] = (char)(v >> 8 * (n - 1 - i));
			if (!right(s, n))
				return;
		}
}

TEST(all_sequences_of_four_bytes_that_begin_right)
{
	fill_begins();
	for (uint32_t v = 0; v < 1u << 24; v++) {
		char s[4] = {(char)(v >> 16), (char)(v >> 8), (char)v};
		if (!(begins[3][v >> 3] >> (v & 7) & 1))
			continue;
		for (int last = 0; last < 256; last++) {
			s[3] = (char)last;
			if (!right(s, 4))
				return;
		}
	}
}

TEST(every_character_and_every_cut)
{
	char s[6] = "a";
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		if (!is_character(c))
			continue;
		size_t n = encode(c, s + 1);
		s[n + 1] = 'z';
		bool ok = utf8_valid(s, n + 2) && utf8_count(s, n + 2) == 3 && utf8_offset(s, n + 2, 2) == n + 1 &&
			  utf8_cut(s, n + 1) == n + 1;
		for (size_t k = 1; k < n; k++)
			ok = ok && utf8_char(s + 1, k) == -1 && !utf8_valid(s, 1 + k) &&
			     utf8_incomplete_tail(s, 1 + k) == k && utf8_cut(s, 1 + k) == 1;
		if (!ok) {
			CHECK_INT(c, -1);
			return;
		}
	}
}

TEST(surrogates_overlongs_and_beyond)
{
	static const char *const bad[] = {
	    "\xed\xa0\x80",
	    "\xed\xbf\xbf",
	    "\xed\xa0\xbd\xed\xb8\x80", /* a pair of surrogates is not a character */
	    "\xc0\x80",
	    "\xc1\xbf",
	    "\xe0\x80\x80",
	    "\xe0\x9f\xbf",
	    "\xf0\x80\x80\x80",
	    "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80",
	    "\xf8\x88\x80\x80\x80",
	    "\xfe",
	    "\xff",
	    "\x80",
	    "\xbf\xbf",
	    "\xe2\x28\xa1",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK_INT(utf8_char(bad[i], strlen(bad[i])), 0);
		CHECK(!utf8_valid(bad[i], strlen(bad[i])));
		struct buf b = BUF_INIT(100);
		utf8_put_escaped(&b, bad[i], strlen(bad[i]));
		CHECK(utf8_valid(b.data, b.len));
		CHECK(b.len >= 3 * strlen(bad[i]));
		buf_release(&b);
	}
}

TEST(tail_of_bytes_that_are_not_text)
{
	CHECK_INT(utf8_incomplete_tail("", 0), 0);
	CHECK_INT(utf8_incomplete_tail("abc", 3), 0);
	CHECK_INT(utf8_incomplete_tail("\x80\x80\x80\x80", 4), 0);
	CHECK_INT(utf8_incomplete_tail("a\xff", 2), 0);
	CHECK_INT(utf8_incomplete_tail("a\xc0", 2), 0); /* begins nothing */
	CHECK_INT(utf8_incomplete_tail("\xf0\x9f\x98", 3), 3);
	CHECK_INT(utf8_incomplete_tail("\xf0\x80\x80", 3), 0);
	CHECK_INT(utf8_incomplete_tail("\xe2\x82\xac\xe2", 4), 1);
	CHECK_INT(utf8_incomplete_tail("\xc3\xa9\xa9", 3), 0);
}

TEST(escaping_shows_every_byte)
{
	struct buf b = BUF_INIT(1000);
	utf8_put_escaped(&b, "caf\xe9 \xc3\xa9\xff", 8);
	CHECK_STR(b.data, "caf\\xe9 \xc3\xa9\\xff");
	buf_clear(&b);
	utf8_put_escaped(&b, "a\0b\xf0\x9f", 5); /* also the beginning of a character */
	CHECK_MEM(b.data, b.len, "a\0b\\xf0\\x9f", 11);
	buf_release(&b);
}

TEST(offsets_are_code_points)
{
	const char *s = "aé€😀z";
	size_t n = strlen(s);
	static const size_t at[] = {0, 1, 3, 6, 10, 11, 11};
	CHECK_INT(utf8_count(s, n), 5);
	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		CHECK_INT(utf8_offset(s, n, i), at[i]);
	CHECK_INT(utf8_offset(s, n, SIZE_MAX), n);
	CHECK_INT(utf8_offset("", 0, 0), 0);
}

UNIT_MAIN
