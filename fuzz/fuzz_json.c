/* fuzz_json.c: any bytes as JSON, as text that becomes JSON, and as text with offsets in it (base/json.h, base/utf8.h).
 *
 * What must hold: what is written is JSON in UTF-8 and is read as what was written; an error says where, in UTF-8, without the text
 * itself; what is checked without a tree is accepted where a tree can be made of it, and has the same members; offsets in code points and in bytes are each other's inverse, and text that is cut stays text.
 */
#include "fuzz.h"

#include "base/json.h"
#include "base/jtext.h"
#include "base/slice.h"
#include "base/utf8.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

static bool same(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || (a.data && b.data && memcmp(a.data, b.data, a.len) == 0));
}

/* The members, one by one, make the same tree; and the text of a string is that of the tree's. */
static void members(struct slice text)
{
	json_t *tree = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL), *again = json_object();
	struct slice key, value;
	size_t at = 0;
	while (tree && jt_next(text, &at, &key, &value)) {
		struct buf name = BUF_INIT(BUF_MAX_SMALL), string = BUF_INIT(BUF_MAX_SMALL);
		struct slice quoted = {key.data - 1, key.len + 2};
		json_t *v = json_loadb(value.data, value.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
		FUZZ_CHECK(v && jt_string(quoted, &name, SIZE_MAX));
		FUZZ_CHECK(jt_string(value, &string, SIZE_MAX) == json_is_string(v));
		FUZZ_CHECK(same((struct slice){json_string_value(v), json_string_length(v)}, SLICE_BUF(&string)));
		FUZZ_CHECK(jt_find(text, "a").data != value.data || strcmp(name.data, "a") == 0);
		json_object_set_new(again, name.len ? name.data : "", v);
		buf_release(&name);
		buf_clear(&string);
		jt_string(value, &string, 3);
		FUZZ_CHECK(string.len <= 3 && utf8_valid(string.len ? string.data : "", string.len));
		buf_release(&string);
	}
	FUZZ_CHECK(!tree || json_equal(tree, again));
	json_decref(tree);
	json_decref(again);
}

static void object(const char *s, size_t n)
{
	struct err e = {0};
	struct buf once = BUF_INIT(BUF_MAX_SMALL), twice = BUF_INIT(BUF_MAX_SMALL);
	json_t *v = json_object_from(s, n, "input", &e);
	bool accepted = jt_object((struct slice){s, n}, "input", &e);
	/* jansson passes over a NUL behind a number. */
	FUZZ_CHECK(accepted == (v && (n == 0 || !memchr(s, 0, n))));
	if (!v) {
		FUZZ_CHECK(strncmp(e.msg, "input: ", 7) == 0 && utf8_valid(e.msg, strlen(e.msg)));
		return;
	}
	FUZZ_CHECK(utf8_valid(s, n));
	if (accepted)
		members((struct slice){s, n});
	jx_value(&once, v);
	json_t *again = json_object_from(once.data, once.len, "written", &e);
	FUZZ_CHECK(again && utf8_valid(once.data, once.len));
	FUZZ_CHECK(json_equal(v, again));
	jx_value(&twice, again);
	FUZZ_CHECK(same(SLICE_BUF(&once), SLICE_BUF(&twice)));
	json_int_or(v, "a", 0);
	json_bool_or(v, "a", true);
	FUZZ_CHECK(json_string_or(v, "a", ""));
	json_decref(v);
	json_decref(again);
	buf_release(&once);
	buf_release(&twice);
}

/* What utf8_put_escaped makes of it is what a client reads. */
static void string(const char *s, size_t n)
{
	struct buf text = BUF_INIT(BUF_MAX_SMALL), shown = BUF_INIT(BUF_MAX_SMALL);
	buf_putc(&text, '{');
	jx_key(&text, "text");
	jx_string(&text, s, n);
	jx_key_int(&text, "n", (long long)n);
	buf_putc(&text, '}');
	FUZZ_CHECK(utf8_valid(text.data, text.len));
	utf8_put_escaped(&shown, s, n);
	FUZZ_CHECK(utf8_valid(shown.data ? shown.data : "", shown.len));
	json_t *v = json_object_from(text.data, text.len, "string", NULL), *read = json_object_get(v, "text");
	FUZZ_CHECK(json_is_string(read));
	FUZZ_CHECK(same((struct slice){json_string_value(read), json_string_length(read)}, SLICE_BUF(&shown)));
	FUZZ_CHECK(!utf8_valid(s, n) || same(SLICE_BUF(&shown), (struct slice){s, n}));
	FUZZ_CHECK(json_int_or(v, "n", -1) == (json_int_t)n);
	json_decref(v);
	buf_release(&text);
	buf_release(&shown);
}

static void offsets(const char *s, size_t n)
{
	size_t count = utf8_count(s, n), tail = utf8_incomplete_tail(s, n), index = 0;
	FUZZ_CHECK(tail <= 3 && tail <= n && utf8_cut(s, n) == n - tail);
	FUZZ_CHECK(count <= n && utf8_offset(s, n, count) == n);
	if (!utf8_valid(s, n))
		return;
	FUZZ_CHECK(tail == 0);
	for (size_t at = 0; at < n; index++) {
		int k = utf8_char(s + at, n - at);
		FUZZ_CHECK(k > 0 && k <= 4);
		FUZZ_CHECK(utf8_offset(s, n, index) == at);
		for (int cut = 1; cut <= k; cut++) {
			FUZZ_CHECK(utf8_char(s + at, (size_t)cut) == (cut < k ? -1 : k));
			FUZZ_CHECK(utf8_cut(s, at + (size_t)cut) == (cut < k ? at : at + (size_t)k));
		}
		at += (size_t)k;
	}
	FUZZ_CHECK(index == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data;
	if (n > 65536)
		return 0;
	object(s, n);
	string(s, n);
	if (n <= 4096) /* looking for each code point takes time with the square of their number */
		offsets(s, n);
	return 0;
}
