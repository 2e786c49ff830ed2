#include "base/json.h"

#include "base/plain.h"
#include "base/utf8.h"

static const char hex[] = "0123456789abcdef";

/* What a byte below 0x80 needs inside a JSON string: 0 nothing, 'u' \u00XX, else the letter after '\'. */
#define CONTROL_8 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u'
static const char escape_of[128] = {CONTROL_8, 'b', 't',       'n',       'u',         'f',           'r',
				    'u',       'u', CONTROL_8, CONTROL_8, ['"'] = '"', ['\\'] = '\\', [0x7f] = 'u'};

#define WORST 6    /* bytes that one becomes at most: \u00XX */
#define PIECE 4096 /* so much is written without a look at the room */

/* How many bytes at s, up to n, go into a string as they are; they are copied to `to`, which has room for PLAIN_STEP more. */
static size_t copy_plain(char *to, const char *s, size_t n)
{
	size_t i = 0;
	while (n - i >= PLAIN_STEP) {
		size_t plain = plain_of(s + i);
		memcpy(to + i, s + i, PLAIN_STEP);
		i += plain;
		if (plain < PLAIN_STEP)
			return i;
	}
	for (; i < n && (unsigned char)s[i] < 0x80 && !escape_of[(unsigned char)s[i]]; i++)
		to[i] = s[i];
	return i;
}

/* Writes what stands for the character at s, whatever it is, into at most WORST bytes; takes *used bytes of s. */
static size_t put_char(char *to, const char *s, size_t n, size_t *used)
{
	unsigned char c = (unsigned char)*s;
	if (c < 0x80) {
		char esc = escape_of[c];
		*used = 1;
		to[0] = esc ? '\\' : (char)c;
		to[1] = esc;
		if (esc != 'u')
			return esc ? 2 : 1;
		memcpy(to + 2, (const char[]){'0', '0', hex[c >> 4], hex[c & 15]}, 4);
		return 6;
	}
	int k = utf8_char(s, n);
	*used = k > 0 ? (size_t)k : 1;
	if (k <= 0) {
		memcpy(to, (const char[]){'\\', '\\', 'x', hex[c >> 4], hex[c & 15]}, 5);
		return 5;
	}
	for (int i = 0; i < k; i++)
		to[i] = s[i];
	return (size_t)k;
}

/* Writes at least n of the `whole` bytes at s: the last character may reach beyond. There is room for the worst case. Returns how
 * many bytes it wrote, and in *used how many of s. */
static size_t put_piece(char *to, const char *s, size_t n, size_t whole, size_t *used)
{
	char *from = to;
	size_t i = 0, k;
	while (i < n) {
		size_t plain = copy_plain(to, s + i, n - i);
		to += plain;
		i += plain;
		do {
			if (i >= n)
				break;
			to += put_char(to, s + i, whole - i, &k);
			i += k;
		} while ((unsigned char)s[i - 1] >= 0x80); /* letters beyond ASCII are seldom alone */
	}
	*used = i;
	return (size_t)(to - from);
}

void jx_string(struct buf *b, const char *s, size_t n)
{
	if (!buf_want(b, n + n / 16 + WORST * (n < PIECE ? n : PIECE) + 4 * WORST)) /* in one go, if it is text */
		buf_room(b, n + 2);
	buf_putc(b, '"');
	while (n && !b->failed) {
		size_t piece = n < PIECE ? n : PIECE, used = 0;
		char one[WORST];
		if (buf_want(b, WORST * (piece + 1) + PLAIN_STEP)) {
			buf_added(b, put_piece(b->data + b->len, s, piece, n, &used));
		} else { /* near the ceiling each character is looked at by itself */
			size_t k = put_char(one, s, n, &used);
			buf_put(b, one, k);
		}
		s += used;
		n -= used;
	}
	buf_putc(b, '"');
}

void jx_cstring(struct buf *b, const char *s)
{
	jx_string(b, s, strlen(s));
}

void jx_key(struct buf *b, const char *key)
{
	char last = b->len ? b->data[b->len - 1] : '{';
	if (last != '{' && last != '[' && last != ',')
		buf_putc(b, ',');
	jx_cstring(b, key);
	buf_putc(b, ':');
}

void jx_key_string(struct buf *b, const char *key, const char *value)
{
	jx_key(b, key);
	jx_cstring(b, value);
}

void jx_key_int(struct buf *b, const char *key, long long value)
{
	jx_key(b, key);
	buf_printf(b, "%lld", value);
}

void jx_key_bool(struct buf *b, const char *key, bool value)
{
	jx_key(b, key);
	buf_puts(b, value ? "true" : "false");
}

void jx_key_raw(struct buf *b, const char *key, const char *json, size_t n)
{
	jx_key(b, key);
	buf_put(b, json, n);
}

static int append(const char *s, size_t n, void *data)
{
	struct buf *b = data;
	buf_put(b, s, n);
	return b->failed ? -1 : 0;
}

void jx_value(struct buf *b, const json_t *v)
{
	if (!v)
		buf_puts(b, "null");
	else if (json_dump_callback(v, append, b, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		b->failed = true;
}

const char *json_string_or(const json_t *object, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s ? s : otherwise;
}

bool json_bool_or(const json_t *object, const char *key, bool otherwise)
{
	const json_t *v = json_object_get(object, key);
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

json_int_t json_int_or(const json_t *object, const char *key, json_int_t otherwise)
{
	const json_t *v = json_object_get(object, key);
	if (json_is_real(v)) {
		double d = json_real_value(v);
		return d >= -9e15 && d <= 9e15 ? (json_int_t)d : otherwise;
	}
	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

json_t *json_object_from(const char *s, size_t n, const char *what, struct err *e)
{
	json_error_t je;
	json_t *v = json_loadb(s ? s : "", n, JSON_ALLOW_NUL, &je);
	if (!v && json_error_code(&je) == json_error_numeric_overflow) /* legal JSON, e.g. an id of 20 digits */
		v = json_loadb(s, n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &je);
	if (!v) {
		/* jansson quotes the text after "near": it may be a user's secret, and errors are logged. */
		const char *near = strstr(je.text, " near ");
		int shown = near ? (int)(near - je.text) : (int)strlen(je.text);
		err_set(e, "%s: expected a JSON object, cannot read it at byte %d: %.*s", what, je.position, shown,
			je.text);
		return NULL;
	}
	if (!json_is_object(v)) {
		json_decref(v);
		err_set(e, "%s: expected a JSON object, got another JSON value", what);
		return NULL;
	}
	return v;
}
