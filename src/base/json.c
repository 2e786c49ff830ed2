#include "base/json.h"

#include "base/utf8.h"

static const char hex[] = "0123456789abcdef";

/* What a byte below 0x80 needs inside a JSON string: 0 nothing, 'u' \u00XX, else the letter after '\'. */
static char escape_of(unsigned char c)
{
	switch (c) {
	case '"': return '"';
	case '\\': return '\\';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	case '\b': return 'b';
	case '\f': return 'f';
	default: return c < 0x20 || c == 0x7f ? 'u' : 0;
	}
}

void jx_string(struct buf *b, const char *s, size_t n)
{
	buf_room(b, n + 2);
	buf_putc(b, '"');
	size_t from = 0, i = 0;
	while (i < n) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x80) {
			int k = utf8_char(s + i, n - i);
			if (k > 0) {
				i += (size_t)k;
				continue;
			}
			buf_put(b, s + from, i - from);
			buf_printf(b, "\\\\x%02x", c);
		} else {
			char esc = escape_of(c);
			if (!esc) {
				i++;
				continue;
			}
			buf_put(b, s + from, i - from);
			char out[6] = {'\\', esc, '0', '0', hex[c >> 4], hex[c & 15]};
			buf_put(b, out, esc == 'u' ? 6 : 2);
		}
		from = ++i;
	}
	buf_put(b, s + from, n - from);
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
