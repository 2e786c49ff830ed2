#include "link/link.h"
#include "unit.h"

#include <sys/resource.h>

static struct link_frame f;

static void encode(struct buf *to, int type, uint32_t seq, uint32_t request, const char *const *texts, size_t n)
{
	static struct slice part[LINK_MAX_PARTS];
	for (size_t i = 0; i < n; i++)
		part[i] = (struct slice){texts[i], strlen(texts[i])};
	CHECK(link_encode(to, type, seq, request, part, n, NULL));
}

static void check_frame(int type, uint32_t seq, uint32_t request, const char *const *texts, size_t n)
{
	CHECK_INT(f.type, type);
	CHECK_INT(f.seq, seq);
	CHECK_INT(f.request, request);
	if (!CHECK_INT(f.n, n))
		return;
	for (size_t i = 0; i < n; i++)
		CHECK_MEM(f.part[i].data, f.part[i].len, texts[i], strlen(texts[i]));
}

static const char *const three[] = {"{\"type\":\"x\"}", "", "abc"};

static void encode_several(struct buf *to)
{
	encode(to, LINK_ACK, 1, 7, NULL, 0);
	encode(to, LINK_PUBLISH, 0xfffffffe, 0x01020304, three, 3);
	encode(to, 0xffff, 0, 0xffffffff, three, 1);
	encode(to, LINK_LOG, 4, 0, three + 1, 1);
}

static void check_several(struct link_reader *r, int at)
{
	switch (at) {
	case 0: check_frame(LINK_ACK, 1, 7, NULL, 0); break;
	case 1: check_frame(LINK_PUBLISH, 0xfffffffe, 0x01020304, three, 3); break;
	case 2: check_frame(0xffff, 0, 0xffffffff, three, 1); break;
	case 3: check_frame(LINK_LOG, 4, 0, three + 1, 1); break;
	default: CHECK_INT(at, 3);
	}
}

TEST(the_bytes_are_those_of_the_specification)
{
	struct buf b = BUF_INIT(1000);
	static const char *const parts[] = {"{}", "x"};
	encode(&b, 0x1234, 0x01020304, 0x0a0b0c0d, parts, 2);
	static const char want[] = "\xc4\x01\x34\x12\x04\x03\x02\x01\x0d\x0c\x0b\x0a\x02\0\0\0\x02\0\0\0\x01\0\0\0{}x";
	CHECK_MEM(b.data, b.len, want, sizeof want - 1);
	buf_release(&b);
}

TEST(a_frame_for_which_there_is_no_room_does_not_keep_out_the_next)
{
	struct buf b = BUF_INIT(100);
	static char large[100];
	struct slice part = {large, sizeof large};
	encode(&b, LINK_ACK, 1, 7, NULL, 0);
	CHECK(!link_encode(&b, LINK_INPUT, 2, 0, &part, 1, NULL));
	encode(&b, LINK_ACK, 2, 8, NULL, 0);
	CHECK_INT(b.len, 2 * LINK_HEADER);
	buf_release(&b);
}

TEST(frames_come_back_in_chunks_of_every_size)
{
	struct buf b = BUF_INIT(10000);
	encode_several(&b);
	for (size_t chunk = 1; chunk <= b.len; chunk++) {
		struct link_reader r;
		link_reader_init(&r);
		int n = 0;
		for (size_t at = 0; at < b.len; at += chunk) {
			buf_put(&r.in, b.data + at, at + chunk < b.len ? chunk : b.len - at);
			enum link_took took;
			while ((took = link_take(&r, &f, NULL)) == LINK_FRAME)
				check_several(&r, n++);
			CHECK_INT(took, LINK_MORE);
		}
		CHECK_INT(n, 4);
		CHECK_INT(r.in.len - r.taken, 0);
		link_reader_release(&r);
	}
	buf_release(&b);
}

TEST(a_large_frame_lies_in_a_block_of_its_size)
{
	struct buf b = BUF_INIT(LINK_MAX_FRAME);
	size_t n = (size_t)20 << 20;
	struct slice part = {malloc(n), n};
	struct link_reader r;
	memset((char *)(uintptr_t)part.data, 'x', n);
	CHECK(link_encode(&b, LINK_PUBLISH, 1, 0, &part, 1, NULL));
	link_reader_init(&r);
	for (size_t at = 0; at < b.len; at += 65536) {
		size_t k = b.len - at < 65536 ? b.len - at : 65536;
		char *to = buf_room(&r.in, 65536);
		memcpy(to, b.data + at, k);
		buf_added(&r.in, k);
		CHECK_INT(link_take(&r, &f, NULL), at + k < b.len ? LINK_MORE : LINK_FRAME);
		CHECK(r.in.cap <= b.len + 65536 + 1);
	}
	CHECK_MEM(f.part[0].data, f.part[0].len, part.data, part.len);
	link_reader_release(&r);
	free((char *)(uintptr_t)part.data);
	buf_release(&b);
}

TEST(one_that_only_says_that_it_is_large_takes_little)
{
	static const char head[] = "\xc4\x01\x12\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x3f";
	struct link_reader r;
	link_reader_init(&r);
	buf_put(&r.in, head, sizeof head - 1);
	CHECK_INT(link_take(&r, &f, NULL), LINK_MORE);
	CHECK(r.in.cap < (size_t)2 << 20);
	link_reader_release(&r);
}

TEST(a_cut_frame_is_never_a_frame)
{
	struct buf b = BUF_INIT(1000);
	encode(&b, LINK_REPLY, 3, 9, three, 3);
	for (size_t n = 0; n < b.len; n++) {
		struct link_reader r;
		link_reader_init(&r);
		buf_put(&r.in, b.data, n);
		CHECK_INT(link_take(&r, &f, NULL), LINK_MORE);
		CHECK_INT(link_take(&r, &f, NULL), LINK_MORE);
		link_reader_release(&r);
	}
	buf_release(&b);
}

/* One byte of a good frame is replaced; what link_take says of it. */
static enum link_took take_patched(size_t at, const char *bytes, size_t n, char why[1024])
{
	struct buf b = BUF_INIT(1000);
	struct err e = {0};
	struct link_reader r;
	link_reader_init(&r);
	encode(&b, LINK_REPLY, 3, 9, three, 3);
	memcpy(b.data + at, bytes, n);
	buf_put(&r.in, b.data, b.len);
	enum link_took took = link_take(&r, &f, &e);
	snprintf(why, 1024, "%s", e.msg);
	link_reader_release(&r);
	buf_release(&b);
	return took;
}

TEST(broken_frames)
{
	char why[1024];
	CHECK_INT(take_patched(0, "\xc5", 1, why), LINK_BROKEN);
	CHECK_HAS(why, "no frame");
	CHECK_INT(take_patched(1, "\2", 1, why), LINK_BROKEN);
	CHECK_HAS(why, "version");
	CHECK_INT(take_patched(12, "\1\4\0\0", 4, why), LINK_BROKEN); /* 1025 parts */
	CHECK_HAS(why, "parts");
	CHECK_INT(take_patched(12, "\xff\xff\xff\xff", 4, why), LINK_BROKEN);
	CHECK_INT(take_patched(12, "\0\0\0\x40", 4, why), LINK_BROKEN); /* 4·n would be 0 in 32 bits */
	CHECK_INT(take_patched(16, "\0\0\0\x40", 4, why), LINK_BROKEN); /* 1 GiB and the header */
	CHECK_HAS(why, "ceiling");
	CHECK_INT(take_patched(16, "\xff\xff\xff\xff", 4, why), LINK_BROKEN);
	CHECK_INT(take_patched(24, "\xff\xff\xff\xff", 4, why), LINK_BROKEN);
	CHECK_INT(take_patched(16, "\0\0\0\x20\0\0\0\x20\0\0\0\x20", 12, why),
		  LINK_BROKEN); /* each fits, the sum not */
	CHECK_INT(take_patched(16, "\0\0\0\x20", 4, why), LINK_MORE);
	CHECK_INT(take_patched(2, "\xff\xff", 2, why), LINK_FRAME); /* an unknown type is the caller's to judge */
}

TEST(the_ceiling_of_a_frame_is_exact)
{
	size_t room = LINK_MAX_FRAME - LINK_HEADER - 4;
	uint32_t len = (uint32_t)room;
	char header[20] = {(char)0xc4, 1, 18, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
	for (int over = 0; over < 2; over++, len++) {
		struct link_reader r;
		link_reader_init(&r);
		for (int i = 0; i < 4; i++)
			header[16 + i] = (char)(len >> 8 * i);
		buf_put(&r.in, header, sizeof header);
		CHECK_INT(link_take(&r, &f, NULL), over ? LINK_BROKEN : LINK_MORE);
		link_reader_release(&r);
	}
}

TEST(encoding_has_the_same_ceilings)
{
	static struct slice part[LINK_MAX_PARTS + 1];
	struct err e = {0};
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	for (size_t i = 0; i <= LINK_MAX_PARTS; i++)
		part[i] = (struct slice){"", 0};
	CHECK(link_encode(&b, LINK_PUBLISH, 1, 0, part, LINK_MAX_PARTS, &e));
	size_t before = b.len;
	CHECK(!link_encode(&b, LINK_PUBLISH, 1, 0, part, LINK_MAX_PARTS + 1, &e));
	CHECK_HAS(e.msg, "1024 parts");
	/* The bytes are never looked at when the sizes are too large together. */
	for (int i = 0; i < 3; i++)
		part[i] = (struct slice){"", (size_t)512 << 20};
	CHECK(!link_encode(&b, LINK_PUBLISH, 1, 0, part, 3, &e));
	part[0].len = SIZE_MAX;
	CHECK(!link_encode(&b, LINK_PUBLISH, 1, 0, part, 1, &e));
	CHECK_INT(b.len, before);
	CHECK(!b.failed);
	part[0] = (struct slice){three[0], BUF_MAX_SMALL};
	CHECK(!link_encode(&b, LINK_PUBLISH, 1, 0, part, 1, &e)); /* over the buffer's ceiling */
	CHECK_HAS(e.msg, "no memory");
	CHECK_INT(b.len, before);
	buf_release(&b);
}

TEST(a_full_frame_of_parts_comes_back)
{
	static char text[LINK_MAX_PARTS][8];
	static const char *texts[LINK_MAX_PARTS];
	struct link_reader r;
	link_reader_init(&r);
	for (int i = 0; i < LINK_MAX_PARTS; i++) {
		snprintf(text[i], sizeof text[i], "%d", i);
		texts[i] = text[i];
	}
	encode(&r.in, LINK_PUBLISH, 1, 2, texts, LINK_MAX_PARTS);
	CHECK_INT(link_take(&r, &f, NULL), LINK_FRAME);
	check_frame(LINK_PUBLISH, 1, 2, texts, LINK_MAX_PARTS);
	link_reader_release(&r);
}

TEST(a_reader_that_failed_is_broken)
{
	struct link_reader r;
	link_reader_init(&r);
	CHECK(!buf_room(&r.in, (size_t)LINK_MAX_FRAME * 2));
	struct err e = {0};
	CHECK_INT(link_take(&r, &f, &e), LINK_BROKEN);
	CHECK_HAS(e.msg, "broken");
	link_reader_release(&r);
}

TEST(parts_that_are_absent_are_empty)
{
	struct buf b = BUF_INIT(1000);
	struct err e = {0};
	struct link_reader r;
	link_reader_init(&r);
	static const char *const parts[] = {"{\"a\":1}", "", "[1]", "{"};
	encode(&r.in, LINK_PUBLISH, 1, 0, parts, 4);
	CHECK_INT(link_take(&r, &f, NULL), LINK_FRAME);
	json_t *v = link_frame_json(&f, 0, &e);
	CHECK_INT(json_int_or(v, "a", 0), 1);
	json_decref(v);
	for (size_t i = 1; i < 6; i += 4) { /* the empty one and an absent one */
		v = link_frame_json(&f, i, &e);
		CHECK(json_is_object(v) && json_object_size(v) == 0);
		json_decref(v);
	}
	CHECK(!link_frame_json(&f, 2, &e));
	CHECK_HAS(e.msg, "part 2 of the link frame: PUBLISH");
	CHECK(!link_frame_json(&f, 3, &e));
	CHECK_INT(link_frame_part(&f, 4).len, 0);
	CHECK_STR(link_frame_part(&f, SIZE_MAX).data, "");
	link_reader_release(&r);
	buf_release(&b);
}

TEST(types_have_names)
{
	CHECK_STR(link_type_name(LINK_ACK), "ACK");
	CHECK_STR(link_type_name(LINK_LOG), "LOG");
	CHECK_STR(link_type_name(0), "?");
	CHECK_STR(link_type_name(-1), "?");
}

UNIT_MAIN
