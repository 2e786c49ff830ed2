#include "jupyter/message.h"
#include "unit.h"

static struct jp_message m;
static struct err e;

#define HEADER "{\"msg_id\":\"id-1\",\"msg_type\":\"kernel_info_request\"}"

/* Signs and parses a message of these JSON parts, with two identities before and `n` buffers behind. */
static bool parse4(const char *const four[4], const char *const *buffers, size_t n, const char *key_text)
{
	struct jp_key key;
	struct slice parts[4];
	char signature[JP_SIGNATURE_LEN + 1];
	CHECK(jp_key_set(&key, key_text, strlen(key_text), NULL));
	for (int i = 0; i < 4; i++)
		parts[i] = SLICE_STR(four[i]);
	jp_sign(&key, parts, 4, signature);
	jp_message_init(&m);
	const char *const before[] = {"client-1", "", JP_DELIMITER, signature};
	bool ok = true;
	for (int i = 0; i < 4; i++)
		ok = ok && jp_message_add(&m, before[i], strlen(before[i]), &e);
	for (int i = 0; i < 4; i++)
		ok = ok && jp_message_add(&m, four[i], strlen(four[i]), &e);
	for (size_t i = 0; i < n; i++)
		ok = ok && jp_message_add(&m, buffers[i], strlen(buffers[i]), &e);
	CHECK(ok);
	return jp_message_parse(&m, &key, &e);
}

TEST(a_good_message)
{
	static const char *const four[4] = {HEADER, "{}", "{\"m\":1}", "{\"c\":\"é\"}"};
	static const char *const buffers[] = {"", "\xff\xfe", JP_DELIMITER};
	CHECK(parse4(four, buffers, 3, "key"));
	CHECK_STR(m.id, "id-1");
	CHECK_STR(m.type, "kernel_info_request");
	CHECK_INT(m.n_ids, 2);
	CHECK_MEM(m.part[0].data, m.part[0].len, "client-1", 8);
	CHECK_INT(m.part[1].len, 0);
	CHECK_MEM(m.header_text.data, m.header_text.len, HEADER, strlen(HEADER));
	CHECK_INT(json_int_or(m.metadata, "m", 0), 1);
	CHECK_STR(json_string_or(m.content, "c", ""), "é");
	CHECK_INT(json_object_size(m.parent), 0);
	CHECK_INT(m.n_buffers, 3);
	CHECK_INT(m.buffers[0].len, 0);
	CHECK_MEM(m.buffers[1].data, m.buffers[1].len, "\xff\xfe", 2);
	CHECK_MEM(m.buffers[2].data, m.buffers[2].len, JP_DELIMITER, strlen(JP_DELIMITER));
	struct jp_message *moved = jp_message_move(&m);
	CHECK(m.n == 0 && !m.header);
	CHECK_STR(moved->id, "id-1");
	jp_message_free(moved);
	jp_message_free(NULL);
	jp_message_release(&m);
	jp_message_release(&m);
}

TEST(unsigned_messages)
{
	static const char *const four[4] = {HEADER, "{}", "{}", "{}"};
	CHECK(parse4(four, NULL, 0, ""));
	CHECK_INT(m.n_buffers, 0);
	jp_message_release(&m);
}

TEST(a_changed_part_is_noticed)
{
	struct jp_key key;
	char signature[JP_SIGNATURE_LEN + 1];
	char four[4][60] = {HEADER, "{}", "{}", "{ }"};
	struct slice parts[4];
	CHECK(jp_key_set(&key, "key", 3, NULL));
	for (int i = 0; i < 4; i++)
		parts[i] = SLICE_STR(four[i]);
	jp_sign(&key, parts, 4, signature);
	for (int change = -1; change < 4; change++) {
		jp_message_init(&m);
		CHECK(jp_message_add(&m, JP_DELIMITER, strlen(JP_DELIMITER), NULL));
		CHECK(jp_message_add(&m, signature, strlen(signature), NULL));
		for (int i = 0; i < 4; i++) {
			char text[300];
			snprintf(text, sizeof text, "%s%s", four[i], i == change ? " " : "");
			CHECK(jp_message_add(&m, text, strlen(text), NULL));
		}
		CHECK_INT(jp_message_parse(&m, &key, &e), change < 0);
		if (change >= 0)
			CHECK_HAS(e.msg, "signature");
		jp_message_release(&m);
	}
}

static void refused(const char *header, const char *parent, const char *metadata, const char *content, const char *why)
{
	const char *const four[4] = {header, parent, metadata, content};
	e.msg[0] = '\0';
	CHECK(!parse4(four, NULL, 0, "key"));
	CHECK_HAS(e.msg, why);
	jp_message_release(&m);
}

TEST(malformed_parts)
{
	char id[JP_MAX_ID + 2], header[2 * JP_MAX_ID];
	refused("", "{}", "{}", "{}", "header");
	refused("[]", "{}", "{}", "{}", "header");
	refused(HEADER, "null", "{}", "{}", "parent_header");
	refused(HEADER, "{}", "", "{}", "metadata");
	refused(HEADER, "{}", "{}", "{\"code\":", "content");
	refused(HEADER, "{}", "{}", "{\"code\":\"\xff\"}", "content");
	refused("{}", "{}", "{}", "{}", "msg_id");
	refused("{\"msg_id\":\"x\"}", "{}", "{}", "{}", "msg_type");
	refused("{\"msg_id\":1,\"msg_type\":\"x\"}", "{}", "{}", "{}", "msg_id");
	refused("{\"msg_id\":\"x\",\"msg_type\":null}", "{}", "{}", "{}", "msg_type");
	refused("{\"msg_id\":\"x\",\"msg_type\":\"\"}", "{}", "{}", "{}", "msg_type");
	memset(id, 'x', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	snprintf(header, sizeof header, "{\"msg_id\":\"%s\",\"msg_type\":\"t\"}", id);
	refused(header, "{}", "{}", "{}", "512 bytes");
}

TEST(malformed_frames)
{
	struct jp_key key;
	CHECK(jp_key_set(&key, "", 0, NULL));
	static const char *const parts[] = {"id", JP_DELIMITER, "", HEADER, "{}", "{}", "{}"};
	for (size_t n = 0; n <= ARRAY_LEN(parts); n++) {
		jp_message_init(&m);
		for (size_t i = 0; i < n; i++)
			CHECK(jp_message_add(&m, parts[i], strlen(parts[i]), NULL));
		CHECK_INT(jp_message_parse(&m, &key, &e), n == ARRAY_LEN(parts));
		if (n < 2)
			CHECK_HAS(e.msg, "without the delimiter");
		else if (n < ARRAY_LEN(parts))
			CHECK_HAS(e.msg, "needs a signature and four parts");
		jp_message_release(&m);
	}
	jp_message_init(&m); /* almost the delimiter */
	for (int i = 0; i < 6; i++)
		CHECK(jp_message_add(&m, "<IDS|MSG> ", 10, NULL));
	CHECK(!jp_message_parse(&m, &key, &e));
	jp_message_release(&m);
}

TEST(parts_have_a_ceiling)
{
	jp_message_init(&m);
	for (int i = 0; i < JP_MAX_PARTS; i++)
		CHECK(jp_message_add(&m, "x", 1, &e));
	CHECK(!jp_message_add(&m, "x", 1, &e));
	CHECK_HAS(e.msg, "4096 parts");
	jp_message_release(&m);
}

UNIT_MAIN
