#include "link/peer.h"

#include "link/ends.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static bool gone(struct link_peer *p, struct err *e)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	return err_set(e, "the kernel process is gone");
}

static bool write_all(struct link_peer *p, const char *s, size_t n, struct err *e)
{
	while (n) {
		ssize_t k = write(p->fd, s, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return gone(p, e);
		s += k;
		n -= (size_t)k;
	}
	return true;
}

/* Reads what is there. With `block`, waits for at least one byte. */
static bool read_some(struct link_peer *p, bool block, struct err *e)
{
	struct pollfd pfd = {.fd = p->fd, .events = POLLIN};
	for (;;) {
		int ready = poll(&pfd, 1, block ? -1 : 0);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0)
			return true;
		char *to = buf_room(&p->reader.in, 65536);
		if (!to)
			return gone(p, e);
		ssize_t k = read(p->fd, to, 65536);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return gone(p, e);
		buf_added(&p->reader.in, (size_t)k);
		return true;
	}
}

static bool wait_ack(struct link_peer *p, uint32_t seq, struct err *e)
{
	struct link_frame f;
	for (;;) {
		switch (link_take(&p->reader, &f, e)) {
		case LINK_BROKEN: return gone(p, e);
		case LINK_MORE:
			if (!read_some(p, true, e))
				return false;
			break;
		case LINK_FRAME:
			if (f.type == LINK_ACK && f.request == seq)
				return true;
			if (!link_encode(&p->kept, f.type, f.seq, f.request, f.part, f.n, e))
				return gone(p, e);
			break;
		}
	}
}

#define TOGETHER 65536 /* a smaller frame is written at once, a larger one part by part: a copy of it would cost more */

static bool write_frame(struct link_peer *p, int type, uint32_t request, const struct slice *parts, size_t n,
			const int *fds, size_t n_fds, struct err *e)
{
	static char bytes[TOGETHER];
	size_t total = link_frame_size(type, parts, n, e), len = LINK_HEADER + 4 * n, next = 0;
	if (!total)
		return false;
	link_put_head(bytes, type, ++p->seq, request, parts, n);
	for (; next < n && parts[next].len <= TOGETHER - len; len += parts[next++].len)
		if (parts[next].len)
			memcpy(bytes + len, parts[next].data, parts[next].len);
	size_t done = n_fds ? 1 : 0;
	bool ok = (!done || link_send_fds(p->fd, bytes, done, fds, n_fds, 0) == 1 || gone(p, e)) &&
		  write_all(p, bytes + done, len - done, e);
	for (; ok && next < n; next++)
		ok = write_all(p, parts[next].data, parts[next].len, e);
	return ok;
}

bool link_peer_call(struct link_peer *p, int type, uint32_t request, const char *head, const struct slice *rest,
		    size_t n_rest, struct err *e)
{
	return link_peer_call_with(p, type, request, head, rest, n_rest, NULL, 0, e);
}

bool link_peer_call_with(struct link_peer *p, int type, uint32_t request, const char *head, const struct slice *rest,
			 size_t n_rest, const int *fds, size_t n_fds, struct err *e)
{
	if (p->fd < 0 || getpid() != p->owner)
		return err_set(e, "this process has no link");
	if (n_fds > LINK_ENDS)
		return err_set(e, "a link frame has at most %d descriptors", LINK_ENDS);
	if (n_rest >= LINK_MAX_PARTS)
		return err_set(e, "a link frame has at most %d parts", LINK_MAX_PARTS);
	p->calling = true;
	if (p->before_frame)
		p->before_frame();
	fflush(stdout);
	fflush(stderr);
	static struct slice parts[LINK_MAX_PARTS];
	size_t n = 0;
	if (head || n_rest)
		parts[n++] = (struct slice){head ? head : "{}", head ? strlen(head) : 2};
	for (size_t i = 0; i < n_rest; i++)
		parts[n++] = rest[i];
	bool ok = write_frame(p, type, request, parts, n, fds, n_fds, e);
	parts[0] = (struct slice){0}; /* static because it is large; the caller's head is not kept */
	ok = ok && wait_ack(p, p->seq, e);
	p->calling = false;
	return ok;
}

static void put_number(unsigned char *to, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(n >> (8 * i));
}

bool link_peer_note(struct link_peer *p, int type, const char *head, size_t n)
{
	unsigned char bytes[LINK_HEADER + 4] = {LINK_MAGIC, LINK_VERSION, (unsigned char)type,
						(unsigned char)(type >> 8)};
	if (p->fd < 0 || p->calling || getpid() != p->owner)
		return false;
	put_number(bytes + 4, ++p->seq);
	put_number(bytes + 12, 1);
	put_number(bytes + 16, (uint32_t)n);
	struct iovec io[] = {{bytes, sizeof bytes}, {(void *)(uintptr_t)head, n}};
	struct msghdr m = {.msg_iov = io, .msg_iovlen = 2};
	/* All frames before it were acknowledged, so there is room for it. */
	return sendmsg(p->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)(sizeof bytes + n);
}

uint32_t link_peer_last_seq(const struct link_peer *p)
{
	return p->seq;
}

enum link_took link_peer_next(struct link_peer *p, struct link_frame *f, struct err *e)
{
	if (p->fd < 0 || getpid() != p->owner) {
		err_set(e, "this process has no link");
		return LINK_BROKEN;
	}
	if (p->kept.len) {
		buf_put(&p->kept_reader.in, p->kept.data, p->kept.len);
		buf_trim(&p->kept, (size_t)1 << 20);
	}
	enum link_took took = link_take(&p->kept_reader, f, e);
	if (took == LINK_FRAME)
		return took;
	took = link_take(&p->reader, f, e);
	if (took == LINK_MORE) {
		if (!read_some(p, false, e))
			return LINK_BROKEN;
		took = link_take(&p->reader, f, e);
	}
	if (took == LINK_BROKEN)
		gone(p, NULL);
	return took;
}

bool link_peer_has_more(const struct link_peer *p)
{
	return p->kept.len || p->kept_reader.in.len > p->kept_reader.taken || p->reader.in.len > p->reader.taken;
}

enum link_took link_peer_wait(struct link_peer *p, struct link_frame *f, struct err *e)
{
	for (;;) {
		enum link_took took = link_peer_next(p, f, e);
		if (took != LINK_MORE)
			return took;
		if (!read_some(p, true, e))
			return LINK_BROKEN;
	}
}

bool link_peer_open(struct link_peer *p, struct err *e)
{
	*p = (struct link_peer){.fd = -1, .owner = getpid()};
	link_reader_init(&p->reader);
	link_reader_init(&p->kept_reader);
	buf_init(&p->kept, LINK_MAX_FRAME);
	const char *s = getenv(LINK_ENV_FD);
	char *end = NULL;
	long fd = s ? strtol(s, &end, 10) : -1;
	if (!s || *end || fd < 3 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(
		    e, "%s must be the number of an open socket; a session is started by `carrack kernel`, not by hand",
		    LINK_ENV_FD);
	unsetenv(LINK_ENV_FD);
	p->fd = (int)fd;
	char head[64];
	snprintf(head, sizeof head, "{\"link\":%d,\"pid\":%d}", LINK_VERSION, (int)getpid());
	return link_peer_call(p, LINK_HELLO, 0, head, NULL, 0, e);
}

void link_peer_adopt(struct link_peer *p, int fd)
{
	link_peer_close(p);
	p->fd = fd;
	p->owner = getpid();
	p->seq = 0;
}

void link_peer_close(struct link_peer *p)
{
	if (p->fd >= 0 && getpid() == p->owner)
		close(p->fd);
	p->fd = -1;
	link_reader_release(&p->reader);
	link_reader_release(&p->kept_reader);
	buf_release(&p->kept);
}
