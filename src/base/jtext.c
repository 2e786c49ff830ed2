#include "base/jtext.h"

#include "base/plain.h"
#include "base/utf8.h"

#include <math.h>

#define DOUBLE_DIGITS 308 /* an integer of more digits may be too large for a double */

struct scan {
	const char *at, *end;
};

static bool is_at(const struct scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static bool take(struct scan *s, char c)
{
	bool is = is_at(s, c);
	s->at += is;
	return is;
}

static void space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

/* ---- strings ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The four digits at s + 2 of `\uXXXX`; -1: there is none. */
static long unit_of(const char *s, const char *end)
{
	long v = 0;
	if (end - s < 6 || s[0] != '\\' || s[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(s[i]);
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

/* What the escape at s stands for, and in *n its length; -1: it is none. Half a pair of surrogates is none. */
static long escape(const char *s, const char *end, size_t *n)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *letter = end - s >= 2 && s[1] ? strchr(letters, s[1]) : NULL;
	*n = letter ? 2 : 6;
	if (letter)
		return meant[letter - letters];
	long first = unit_of(s, end);
	if (first < 0xD800 || first > 0xDFFF)
		return first;
	long second = first < 0xDC00 ? unit_of(s + 6, end) : -1;
	*n = 12;
	return second >= 0xDC00 && second <= 0xDFFF ? 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00) : -1;
}

/* From behind the first quote to behind the last. jansson has no keys with a NUL in them. */
static bool string(struct scan *s, bool key)
{
	for (;;) {
		while (s->end - s->at >= PLAIN_STEP) {
			size_t plain = plain_of(s->at);
			s->at += plain;
			if (plain < PLAIN_STEP)
				break;
		}
		if (s->at >= s->end)
			return false;
		unsigned char c = (unsigned char)*s->at;
		if (c == '"') {
			s->at++;
			return true;
		}
		if (c < 0x20)
			return false;
		size_t n = 1;
		if (c == '\\') {
			long v = escape(s->at, s->end, &n);
			if (v < 0 || (v == 0 && key))
				return false;
		} else if (c >= 0x80) {
			int k = utf8_char(s->at, (size_t)(s->end - s->at));
			if (k <= 0)
				return false;
			n = (size_t)k;
		}
		s->at += n;
	}
}

/* ---- other values ---- */

static bool digits(struct scan *s)
{
	const char *from = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from;
}

static bool number(struct scan *s)
{
	const char *from = s->at;
	bool exponent = false;
	take(s, '-');
	if (!take(s, '0') && !digits(s))
		return false;
	bool large = s->at - from > DOUBLE_DIGITS;
	if (take(s, '.') && !digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		exponent = true;
		if (!take(s, '+'))
			take(s, '-');
		if (!digits(s))
			return false;
	}
	/* What stands behind it ends it; an object that ends with a number is none. */
	return s->at < s->end && (!(exponent || large) || !isinf(strtod(from, NULL)));
}

static bool word(struct scan *s, const char *what)
{
	size_t n = strlen(what);
	bool is = (size_t)(s->end - s->at) >= n && memcmp(s->at, what, n) == 0;
	s->at += is ? n : 0;
	return is;
}

static bool scalar(struct scan *s)
{
	if (take(s, '"'))
		return string(s, false);
	return word(s, "true") || word(s, "false") || word(s, "null") || number(s);
}

/* ---- arrays and objects ---- */

struct nest {
	unsigned char object[JT_DEPTH / 8]; /* a bit for each that is open: it is no array */
	size_t depth;
};

static bool in_object(const struct nest *nest)
{
	size_t i = nest->depth - 1;
	return nest->object[i / 8] >> i % 8 & 1;
}

static void open_one(struct nest *nest, bool object)
{
	size_t i = nest->depth++;
	unsigned char bit = (unsigned char)(1 << i % 8);
	nest->object[i / 8] = (unsigned char)(object ? nest->object[i / 8] | bit : nest->object[i / 8] & ~bit);
}

static bool key(struct scan *s)
{
	space(s);
	if (!take(s, '"') || !string(s, true))
		return false;
	space(s);
	return take(s, ':');
}

/* What follows a value: ends of what it is in, or the way to the next value. False: neither. */
static bool after_value(struct scan *s, struct nest *nest)
{
	while (nest->depth) {
		bool object = in_object(nest);
		space(s);
		if (take(s, ','))
			return !object || key(s);
		if (!take(s, object ? '}' : ']'))
			return false;
		nest->depth--;
	}
	return true;
}

/* One value, from its first byte to behind its last. */
static bool value(struct scan *s)
{
	struct nest nest = {.depth = 0};
	do {
		space(s);
		if (nest.depth >= JT_DEPTH)
			return false;
		if (is_at(s, '{') || is_at(s, '[')) {
			bool object = *s->at++ == '{';
			open_one(&nest, object);
			space(s);
			if (is_at(s, object ? '}' : ']')) {
				if (!after_value(s, &nest))
					return false;
			} else if (object && !key(s)) {
				return false;
			}
		} else if (!scalar(s) || !after_value(s, &nest)) {
			return false;
		}
	} while (nest.depth);
	return true;
}

/* ---- */

bool jt_object(struct slice text, const char *what, struct err *e)
{
	const char *from = text.len ? text.data : "";
	struct scan s = {from, from + text.len};
	space(&s);
	bool object = is_at(&s, '{'), ok = object && value(&s);
	space(&s);
	if (ok && s.at == s.end)
		return true;
	return err_set(e, "%s: expected a JSON object, cannot read it at byte %zu", what, (size_t)(s.at - from));
}

bool jt_next(struct slice object, size_t *at, struct slice *name, struct slice *v)
{
	struct scan s = {object.data, object.data + object.len};
	s.at += *at;
	space(&s);
	if (!is_at(&s, *at ? ',' : '{'))
		return false;
	s.at++; /* the brace or a comma */
	space(&s);
	const char *from = s.at + 1;
	if (!take(&s, '"') || !string(&s, true))
		return false;
	*name = (struct slice){from, (size_t)(s.at - from) - 1};
	space(&s);
	take(&s, ':');
	space(&s);
	from = s.at;
	if (!value(&s))
		return false;
	*v = (struct slice){from, (size_t)(s.at - from)};
	*at = (size_t)(s.at - object.data);
	return true;
}

struct slice jt_find(struct slice object, const char *name)
{
	struct slice found = {0}, k, v;
	size_t at = 0;
	while (object.len && jt_next(object, &at, &k, &v))
		if (slice_is(k, name))
			found = v;
	return found;
}

static size_t put_utf8(char to[4], long v)
{
	if (v < 0x80) {
		to[0] = (char)v;
		return 1;
	}
	size_t n = v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; v >>= 6)
		to[i] = (char)(0x80 | (v & 0x3f));
	to[0] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | v);
	return n;
}

bool jt_string(struct slice v, struct buf *to, size_t max)
{
	if (v.len < 2 || *v.data != '"')
		return false;
	const char *s = v.data + 1, *end = v.data + v.len - 1;
	for (size_t took, n; s < end; s += took, max -= n) {
		char one[4];
		const char *from = s;
		if (*s == '\\') {
			n = put_utf8(one, escape(s, end, &took));
			from = one;
		} else {
			int k = utf8_char(s, (size_t)(end - s));
			n = took = k > 0 ? (size_t)k : 1;
		}
		if (n > max)
			return true;
		buf_put(to, from, n);
	}
	return true;
}
