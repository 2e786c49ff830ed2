/* base/jtext.h; that it accepts what jansson accepts is what fuzz/fuzz_json.c looks for, too. */
#include "base/json.h"
#include "base/jtext.h"
#include "unit.h"

static bool is_object(const char *s, size_t n)
{
	/* In a block of its own size, so that a look beyond its end is seen. */
	char *copy = malloc(n ? n : 1);
	memcpy(copy, s, n);
	bool is = jt_object((struct slice){copy, n}, "it", NULL);
	free(copy);
	return is;
}

static const char *const good[] = {
    "{}",
    " {\n\"a\"\t:\r1 } ",
    "{\"a\":[],\"b\":{},\"c\":[[],{}],\"d\":[1,[2,{\"e\":null}]]}",
    "{\"a\":\"\",\"b\":true,\"c\":false,\"d\":null,\"\":0}",
    "{\"a\":[0,-0,1,-12,1.5,0.25,1e5,1E-5,-2.5e+10,1e308,123456789012345678901234567890]}",
    "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\uD83D\\ude00\x7f\"}",
    "{\"é€😀 and a text that is longer than sixteen bytes\":\"é€😀 and another one \\n é\"}",
    "{\"a\":1,\"a\":2}",
};

static const char *const bad[] = {
    "",
    "1",
    "\"a\"",
    "[]",
    "{",
    "}",
    "{}}",
    "{} {}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{\"a\":[1,]}",
    "{\"a\":[,1]}",
    "{\"a\":[1}",
    "{\"a\":{]}",
    "{\"a\":[1 2]}",
    "{\"a\" 1}",
    "{\"a\":01}",
    "{\"a\":-}",
    "{\"a\":+1}",
    "{\"a\":.5}",
    "{\"a\":1.}",
    "{\"a\":1e}",
    "{\"a\":1e999}",
    "{\"a\":0x10}",
    "{\"a\":nul}",
    "{\"a\":True}",
    "{\"a\":NaN}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\ud800\\u0041\"}",
    "{\"a\":\"\\udc00\"}",
    "{\"a\":\"\xff\"}",
    "{\"a\":\"\xc3\"}",
    "{\"a\":\"\xed\xa0\x80\"}",
    "{\"\\u0000\":1}",
    "{\"a\":\"",
    "{\"a\":\"\\",
    "{\"a\":\"\\u",
    "{\"a\":\"\\ud83d\\",
    "{\"a\":1",
    "{\"a\":1e5",
};

TEST(what_is_json_and_what_is_not)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!CHECK(is_object(good[i], strlen(good[i]))))
			printf("%s\n", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!CHECK(!is_object(bad[i], strlen(bad[i]))))
			printf("%s\n", bad[i]);
	CHECK(!is_object("{\"a\":[16\0,1]}", 13));
	CHECK(!is_object("{\"a\":1}\0", 8));
}

TEST(one_that_is_cut_anywhere_is_none)
{
	for (size_t i = 2; i < ARRAY_LEN(good); i++)
		for (size_t n = 0; n < strlen(good[i]); n++)
			CHECK(!is_object(good[i], n));
}

TEST(an_error_tells_the_place_and_none_of_the_text)
{
	struct err e = {0};
	CHECK(!jt_object(SLICE_STR("{\"secret\":x}"), "reply", &e));
	CHECK_STR(e.msg, "reply: expected a JSON object, cannot read it at byte 10");
}

/* `{"a":[[…1…]]}` with so many values in values. */
static bool nested(size_t depth)
{
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	buf_puts(&b, "{\"a\":");
	for (size_t i = 2; i < depth; i++)
		buf_putc(&b, '[');
	buf_putc(&b, '1');
	for (size_t i = 2; i < depth; i++)
		buf_putc(&b, ']');
	buf_putc(&b, '}');
	bool is = jt_object(SLICE_BUF(&b), "it", NULL);
	json_t *v = json_object_from(b.data, b.len, "it", NULL);
	CHECK(is == (v != NULL));
	json_decref(v);
	buf_release(&b);
	return is;
}

TEST(it_is_no_deeper_than_jansson_reads)
{
	CHECK(nested(JT_DEPTH));
	CHECK(!nested(JT_DEPTH + 1));
	CHECK(!nested((size_t)100 * JT_DEPTH));
}

TEST(members_are_found)
{
	struct slice object =
	    SLICE_STR(" { \"a\" : {\"b\":[1,\"}\"]} , \"c\":\"x\",\"a\":2,\"data\":{\"text/plain\":\"t\"} } ");
	struct slice key, value;
	static const char *const want[] = {"a={\"b\":[1,\"}\"]}", "c=\"x\"", "a=2", "data={\"text/plain\":\"t\"}"};
	size_t at = 0, n = 0;
	CHECK(jt_object(object, "it", NULL));
	while (jt_next(object, &at, &key, &value) && n < ARRAY_LEN(want)) {
		char got[100];
		snprintf(got, sizeof got, "%.*s=%.*s", (int)key.len, key.data, (int)value.len, value.data);
		CHECK_STR(got, want[n++]);
	}
	CHECK_INT(n, ARRAY_LEN(want));
	CHECK(slice_is(jt_find(object, "a"), "2"));
	CHECK(slice_is(jt_find(jt_find(object, "data"), "text/plain"), "\"t\""));
	CHECK_INT(jt_find(object, "b").len, 0);
	CHECK_INT(jt_find(jt_find(object, "c"), "a").len, 0);
	CHECK_INT(jt_find(jt_find(object, "none"), "a").len, 0);
	at = 0;
	CHECK(!jt_next(SLICE_STR("{}"), &at, &key, &value));
}

TEST(the_text_of_a_string)
{
	static const char *const texts[] = {
	    "", "a", "é", "€", "😀", "\x01", "\"\\/\b\f\n\r\t", "a long text with é€😀 in it\n"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (int ascii = 0; ascii < 2; ascii++) {
			json_t *v = json_string(texts[i]);
			char *quoted = json_dumps(v, JSON_ENCODE_ANY | (ascii ? JSON_ENSURE_ASCII : 0));
			for (size_t max = 0; max <= strlen(texts[i]) + 1; max++) {
				struct buf b = BUF_INIT(1000);
				CHECK(jt_string(SLICE_STR(quoted), &b, max));
				size_t n = max < strlen(texts[i]) ? max : strlen(texts[i]);
				CHECK(b.len <= n && b.len + 4 > n && memcmp(b.len ? b.data : "", texts[i], b.len) == 0);
				buf_release(&b);
			}
			free(quoted);
			json_decref(v);
		}
	}
	struct buf b = BUF_INIT(1000);
	CHECK(!jt_string(SLICE_STR("1"), &b, 10));
	CHECK(!jt_string((struct slice){0}, &b, 10));
}

UNIT_MAIN
