#include "link/link.h"

static const struct {
	int type;
	const char *name;
} type_names[] = {
    {LINK_ACK, "ACK"},
    {LINK_CONFIG, "CONFIG"},
    {LINK_REQUEST, "REQUEST"},
    {LINK_INPUT, "INPUT"},
    {LINK_SHUTDOWN, "SHUTDOWN"},
    {LINK_WAKE, "WAKE"},
    {LINK_SERVE, "SERVE"},
    {LINK_YIELD, "YIELD"},
    {LINK_HELLO, "HELLO"},
    {LINK_READY, "READY"},
    {LINK_PUBLISH, "PUBLISH"},
    {LINK_TURN, "TURN"},
    {LINK_INPUT_REQUEST, "INPUT_REQUEST"},
    {LINK_INPUT_CANCEL, "INPUT_CANCEL"},
    {LINK_REPLY, "REPLY"},
    {LINK_EXIT, "EXIT"},
    {LINK_LOG, "LOG"},
    {LINK_PARKED, "PARKED"},
    {LINK_UNDO, "UNDO"},
    {LINK_SERVING, "SERVING"},
    {LINK_PASS, "PASS"},
};

const char *link_type_name(int type)
{
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
		if (type_names[i].type == type)
			return type_names[i].name;
	return "?";
}

struct slice link_frame_part(const struct link_frame *f, size_t i)
{
	return i < f->n ? f->part[i] : (struct slice){"", 0};
}

json_t *link_frame_json(const struct link_frame *f, size_t i, struct err *e)
{
	struct slice p = link_frame_part(f, i);
	if (p.len == 0)
		return json_object();
	json_t *v = json_object_from(p.data, p.len, link_type_name(f->type), e);
	if (!v)
		err_context(e, "part %zu of the link frame", i);
	return v;
}

bool link_frame_text(const struct link_frame *f, size_t i, struct slice *text, struct err *e)
{
	static const char none[] = "{}";
	struct slice p = link_frame_part(f, i);
	*text = p.len ? p : (struct slice){none, sizeof none - 1};
	if (p.len == 0 || jt_object(p, link_type_name(f->type), e))
		return true;
	err_context(e, "part %zu of the link frame", i);
	return false;
}

static void put_u16(char *to, unsigned v)
{
	to[0] = (char)(v & 0xff);
	to[1] = (char)(v >> 8 & 0xff);
}

static void put_u32(char *to, uint32_t v)
{
	put_u16(to, v & 0xffff);
	put_u16(to + 2, v >> 16);
}

static uint32_t get_u32(const char *from)
{
	const unsigned char *p = (const unsigned char *)from;
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

size_t link_frame_size(int type, const struct slice *parts, size_t n, struct err *e)
{
	size_t total = LINK_HEADER + 4 * n;
	if (n > LINK_MAX_PARTS) {
		err_set(e, "a link frame has at most %d parts, this %s has %zu", LINK_MAX_PARTS, link_type_name(type),
			n);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (parts[i].len > LINK_MAX_FRAME - total) {
			err_set(e, "a link frame is at most %zu bytes, this %s is larger", (size_t)LINK_MAX_FRAME,
				link_type_name(type));
			return 0;
		}
		total += parts[i].len;
	}
	return total;
}

void link_put_head(char *to, int type, uint32_t seq, uint32_t request, const struct slice *parts, size_t n)
{
	to[0] = (char)LINK_MAGIC;
	to[1] = LINK_VERSION;
	put_u16(to + 2, (unsigned)type);
	put_u32(to + 4, seq);
	put_u32(to + 8, request);
	put_u32(to + 12, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		put_u32(to + LINK_HEADER + 4 * i, (uint32_t)parts[i].len);
}

bool link_encode(struct buf *out, int type, uint32_t seq, uint32_t request, const struct slice *parts, size_t n,
		 struct err *e)
{
	size_t total = link_frame_size(type, parts, n, e);
	if (!total)
		return false;
	char *to = buf_room(out, total);
	if (!to) {
		out->failed = false; /* what is in it is whole, and the next frame may be smaller */
		return err_set(e, "no memory for a link frame of %zu bytes", total);
	}
	link_put_head(to, type, seq, request, parts, n);
	char *body = to + LINK_HEADER + 4 * n;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].len)
			memcpy(body, parts[i].data, parts[i].len);
		body += parts[i].len;
	}
	buf_added(out, total);
	return true;
}

void link_reader_init(struct link_reader *r)
{
	buf_init(&r->in, LINK_MAX_FRAME + BUF_MAX_SMALL);
	r->taken = 0;
}

void link_reader_release(struct link_reader *r)
{
	buf_release(&r->in);
	r->taken = 0;
}

static enum link_took broken(struct err *e, const char *why)
{
	err_set(e, "the link is broken: %s", why);
	return LINK_BROKEN;
}

#define ROOM_FIRST ((size_t)1 << 20)
#define ROOM_OVER 65536 /* who reads asks for so much room, also for the last bytes of a frame */

/* Room for what is missing of a frame of `total` bytes, so that it comes to lie in a block of its size. Only so far as what has come makes it
 * likely that the rest will. */
static void make_room(struct buf *in, size_t total)
{
	size_t missing = total - in->len, likely = in->len > ROOM_FIRST ? in->len : ROOM_FIRST;
	if (in->cap - in->len <= ROOM_OVER)
		buf_reserve(in, (missing < likely ? missing : likely) + ROOM_OVER);
}

enum link_took link_take(struct link_reader *r, struct link_frame *f, struct err *e)
{
	if (r->taken) {
		buf_consume(&r->in, r->taken);
		r->taken = 0;
		if (r->in.len == 0)
			buf_trim(&r->in, (size_t)1 << 20);
	}
	if (r->in.failed)
		return broken(e, "no memory for a frame, or one over the ceiling");
	const char *p = r->in.data;
	if (r->in.len < LINK_HEADER)
		return LINK_MORE;
	if ((unsigned char)p[0] != LINK_MAGIC)
		return broken(e, "bytes that are no frame");
	if (p[1] != LINK_VERSION)
		return broken(e, "the other end speaks another version of the link");
	f->type = (unsigned char)p[2] | (unsigned char)p[3] << 8;
	f->seq = get_u32(p + 4);
	f->request = get_u32(p + 8);
	f->n = get_u32(p + 12);
	if (f->n > LINK_MAX_PARTS)
		return broken(e, "a frame with too many parts");
	size_t at = LINK_HEADER + 4 * f->n;
	if (r->in.len < at)
		return LINK_MORE;
	for (size_t i = 0; i < f->n; i++) {
		size_t len = get_u32(p + LINK_HEADER + 4 * i);
		if (len > LINK_MAX_FRAME - at)
			return broken(e, "a frame over the ceiling");
		f->part[i] = (struct slice){p + at, len};
		at += len;
	}
	if (r->in.len < at) {
		make_room(&r->in, at);
		return LINK_MORE;
	}
	r->taken = at;
	return LINK_FRAME;
}
