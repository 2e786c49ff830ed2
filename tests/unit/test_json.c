#include "base/json.h"
#include "base/utf8.h"
#include "unit.h"

/* What jx_string wrote, read back by jansson, must be what utf8_put_escaped makes of the bytes. */
static bool round_trips(const char *s, size_t n)
{
	struct buf json = BUF_INIT(BUF_MAX_SMALL), plain = BUF_INIT(BUF_MAX_SMALL);
	jx_string(&json, s, n);
	utf8_put_escaped(&plain, s, n);
	json_t *v = json_loadb(json.data, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	bool ok = CHECK(v != NULL) &&
		  CHECK_MEM(json_string_value(v), json_string_length(v), plain.data ? plain.data : "", plain.len);
	json_decref(v);
	buf_release(&json);
	buf_release(&plain);
	return ok;
}

TEST(every_byte_alone_and_in_a_pair)
{
	for (int a = 0; a < 256; a++) {
		char s[2] = {(char)a, 0};
		CHECK(round_trips(s, 1));
		for (int b = 0; b < 256; b++) {
			s[1] = (char)b;
			if (!round_trips(s, 2))
				return;
		}
	}
	CHECK(round_trips("", 0));
}

TEST(random_bytes)
{
	static const char *const likely[] = {"é",   "€",    "😀", "\\", "\"", "\n", "\xf0\x9f", "\xed\xa0\x80",
					     "abc", "\x7f", "/"};
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		struct buf b = BUF_INIT(BUF_MAX_SMALL);
		for (long i = random() % 12; i > 0; i--) {
			if (random() % 3)
				buf_puts(&b, likely[(size_t)random() % ARRAY_LEN(likely)]);
			else
				buf_putc(&b, (char)random());
		}
		bool ok = round_trips(b.data ? b.data : "", b.len);
		buf_release(&b);
		if (!ok)
			return;
	}
}

/* Long enough for every way through jx_string: words of plain text, pieces, characters across their ends, the ceiling. */
TEST(long_strings_with_something_at_every_place)
{
	static const char *const odd[] = {"\n", "\"", "\x7f", "\xff", "é", "€", "😀", "\xf0\x9f"};
	struct buf b = BUF_INIT(BUF_MAX_SMALL), json = BUF_INIT(BUF_MAX_SMALL);
	for (size_t at = 0; at < 9000; at += at < 40 || (at > 4070 && at < 4110) || at > 8180 ? 1 : 97) {
		buf_clear(&b);
		while (b.len < at)
			buf_putc(&b, (char)('a' + b.len % 26));
		buf_puts(&b, odd[at % ARRAY_LEN(odd)]);
		buf_puts(&b, "the end");
		if (!round_trips(b.data, b.len))
			break;
	}
	buf_clear(&b);
	while (b.len < 20000)
		buf_puts(&b, "Zeile für Zeile\n");
	jx_string(&json, b.data, b.len);
	struct buf exact = BUF_INIT(json.len), less = BUF_INIT(json.len - 1);
	jx_string(&exact, b.data, b.len);
	CHECK(!exact.failed);
	CHECK_MEM(exact.data, exact.len, json.data, json.len);
	jx_string(&less, b.data, b.len);
	CHECK(less.failed);
	buf_release(&b);
	buf_release(&json);
	buf_release(&exact);
	buf_release(&less);
}

TEST(strings_as_expected)
{
	struct buf b = BUF_INIT(1000);
	jx_string(&b, "a\"\\/\n\r\t\b\f\0\x1b\x7f\xe9é", 15);
	CHECK_STR(b.data, "\"a\\\"\\\\/\\n\\r\\t\\b\\f\\u0000\\u001b\\u007f\\\\xe9é\"");
	buf_release(&b);
}

TEST(a_string_over_the_ceiling_fails)
{
	for (size_t max = 0; max < 12; max++) {
		struct buf b = BUF_INIT(max);
		jx_string(&b, "ab\n\xff", 4); /* "ab\n\\xff" */
		CHECK_INT(b.failed, max < 11);
		CHECK(b.len <= max);
		buf_release(&b);
	}
}

TEST(objects_have_their_commas)
{
	struct buf b = BUF_INIT(1000);
	buf_putc(&b, '{');
	jx_key_string(&b, "a", "x\"");
	jx_key_int(&b, "b", -5);
	jx_key_bool(&b, "c", true);
	jx_key_raw(&b, "d", "[1]", 3);
	jx_key(&b, "e");
	buf_putc(&b, '{');
	jx_key_int(&b, "f", 1);
	buf_puts(&b, "}}");
	CHECK_STR(b.data, "{\"a\":\"x\\\"\",\"b\":-5,\"c\":true,\"d\":[1],\"e\":{\"f\":1}}");
	buf_release(&b);
}

TEST(values_are_written_compactly)
{
	struct buf b = BUF_INIT(1000);
	json_t *v = json_pack("[{s:i},s,n,b,f]", "k", 1, "é", 1, 0.5);
	jx_value(&b, v);
	CHECK_STR(b.data, "[{\"k\":1},\"é\",null,true,0.5]");
	buf_clear(&b);
	jx_value(&b, NULL);
	CHECK_STR(b.data, "null");
	struct buf small = BUF_INIT(5);
	jx_value(&small, v);
	CHECK(small.failed);
	json_decref(v);
	buf_release(&small);
	buf_release(&b);
}

TEST(defaults_for_what_is_absent_or_of_another_type)
{
	json_t *o = json_pack("{s:s,s:i,s:b,s:n}", "s", "x", "i", 7, "b", 1, "n");
	CHECK_STR(json_string_or(o, "s", "d"), "x");
	CHECK_STR(json_string_or(o, "i", "d"), "d");
	CHECK_STR(json_string_or(o, "n", "d"), "d");
	CHECK_STR(json_string_or(o, "none", NULL), NULL);
	CHECK_INT(json_int_or(o, "i", 1), 7);
	CHECK_INT(json_int_or(o, "b", 1), 1);
	CHECK_INT(json_int_or(o, "none", -3), -3);
	CHECK_INT(json_bool_or(o, "b", false), true);
	CHECK_INT(json_bool_or(o, "i", true), true);
	CHECK_INT(json_bool_or(NULL, "i", true), true);
	CHECK_STR(json_string_or(NULL, "s", "d"), "d");
	json_decref(o);
}

TEST(whole_numbers_may_be_written_as_reals)
{
	json_t *o = json_pack("{s:f,s:f,s:f}", "whole", 7.0, "large", 1e300, "small", -1e300);
	CHECK_INT(json_int_or(o, "whole", 1), 7);
	CHECK_INT(json_int_or(o, "large", 1), 1);
	CHECK_INT(json_int_or(o, "small", 1), 1);
	json_decref(o);
}

TEST(an_object_and_nothing_else)
{
	static const char *const bad[] = {"",
					  " ",
					  "[]",
					  "1",
					  "null",
					  "\"x\"",
					  "{",
					  "{}x",
					  "{} {}",
					  "{\"a\":}",
					  "{'a':1}",
					  "{\"a\":\"\xff\"}",
					  "{\"a\":\"\xed\xa0\x80\"}",
					  "{\"a\":\"\\ud800\"}",
					  "{\"a\":1e999}"};
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e.msg[0] = '\0';
		if (!CHECK(!json_object_from(bad[i], strlen(bad[i]), "thing", &e)))
			fprintf(stderr, "    of %s\n", bad[i]);
		CHECK_HAS(e.msg, "thing: expected a JSON object");
	}
	CHECK(!json_object_from(NULL, 0, "thing", &e));
	json_t *o = json_object_from("{\"a\\u0000b\":\"c\\u0000d\"} ", 24, "thing", &e);
	CHECK(!o); /* a NUL in a key is refused by jansson, in a value it is kept */
	o = json_object_from("{\"a\":\"c\\u0000d\"}", 16, "thing", &e);
	CHECK_INT(json_string_length(json_object_get(o, "a")), 3);
	json_decref(o);
}

TEST(errors_say_nothing_of_the_content)
{
	static const char *const bad[] = {"{\"code\":\"secret\" \"secret\"}", "{\"code\":secret}",
					  "{\"code\":\"secret"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = {0};
		CHECK(!json_object_from(bad[i], strlen(bad[i]), "thing", &e));
		CHECK(!strstr(e.msg, "secret"));
	}
}

TEST(an_integer_beyond_64_bits_is_legal)
{
	json_t *o = json_object_from("{\"a\":99999999999999999999,\"b\":1}", 32, "thing", NULL);
	CHECK(json_is_number(json_object_get(o, "a")));
	CHECK_INT(json_int_or(o, "a", -1), -1);
	CHECK_INT(json_int_or(o, "b", -1), 1);
	json_decref(o);
}

TEST(deep_nesting_is_an_error)
{
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	struct err e;
	buf_puts(&b, "{\"a\":");
	for (int i = 0; i < 200000; i++)
		buf_putc(&b, '[');
	CHECK(!json_object_from(b.data, b.len, "thing", &e));
	buf_release(&b);
}

UNIT_MAIN
