/* fuzz_link.c: any bytes, in any chunks, as what comes over the link.
 *
 * The first bytes say how long the chunks are. Whatever the chunks, the same frames must come out, their parts must lie in the
 * bytes that came in, and a frame that is written again must be the bytes that it was read from.
 */
#include "fuzz.h"

#include "link/link.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

static struct link_frame frame;

static void check_frame(const struct link_reader *r)
{
	struct buf again = BUF_INIT(LINK_MAX_FRAME);
	struct err e = {0};
	FUZZ_CHECK(frame.n <= LINK_MAX_PARTS);
	for (size_t i = 0; i < frame.n; i++) {
		FUZZ_CHECK(frame.part[i].data >= r->in.data + LINK_HEADER);
		FUZZ_CHECK(frame.part[i].data + frame.part[i].len <= r->in.data + r->in.len);
	}
	FUZZ_CHECK(link_encode(&again, frame.type, frame.seq, frame.request, frame.part, frame.n, &e));
	FUZZ_CHECK(again.len == r->taken && memcmp(again.data, r->in.data, again.len) == 0);
	json_t *head = link_frame_json(&frame, 0, &e);
	FUZZ_CHECK(head ? json_is_object(head) : e.msg[0] != '\0');
	json_decref(head);
	FUZZ_CHECK(link_frame_part(&frame, frame.n).len == 0);
	buf_release(&again);
}

/* Feeds the bytes in chunks of these lengths; returns how many frames came, and how many bytes they were. */
static size_t feed(const uint8_t *bytes, size_t n, const uint8_t chunks[4], size_t *total, enum link_took *last)
{
	struct link_reader r;
	struct err e = {0};
	size_t frames = 0, at = 0;
	link_reader_init(&r);
	*total = 0;
	*last = LINK_MORE;
	for (size_t turn = 0; at < n && *last != LINK_BROKEN; turn++) {
		size_t k = chunks[turn % 4] ? chunks[turn % 4] : n - at;
		k = k < n - at ? k : n - at;
		buf_put(&r.in, bytes + at, k);
		at += k;
		while ((*last = link_take(&r, &frame, &e)) == LINK_FRAME) {
			check_frame(&r);
			frames++;
			*total += r.taken;
		}
		FUZZ_CHECK(*last != LINK_BROKEN || e.msg[0]);
	}
	link_reader_release(&r);
	return frames;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t whole[4] = {0}, single[4] = {1, 1, 1, 1};
	size_t bytes[3], frames[3];
	enum link_took last[3];
	if (n < 4)
		return 0;
	const uint8_t *chunks[] = {data, whole, single};
	for (int i = 0; i < (n < 4096 ? 3 : 2); i++) {
		frames[i] = feed(data + 4, n - 4, chunks[i], &bytes[i], &last[i]);
		FUZZ_CHECK(frames[i] == frames[0] && bytes[i] == bytes[0] && last[i] == last[0]);
	}
	return 0;
}
