/* link.c: the kernel's end of a link and of its two pipes. Bytes only; frames.c says what they mean. */
#include "base/clock.h"
#include "base/log.h"
#include "jupyter/flow.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE 65536
#define PIPE_READ (4 * READ_SIZE)
#define MUCH (READ_SIZE / 2) /* a pipe that had so much is in a flood: it is looked at again at once */
#define START_TEXT_MAX 4096
#define LARGE 65536 /* a frame of so many bytes is not copied: what is published of it goes out as it lies there */

void wire_init(struct wire *w, struct publisher *pub)
{
	*w = (struct wire){.link = -1, .pipe = {-1, -1}, .pub = pub};
	link_reader_init(&w->in);
	buf_init(&w->out, 2 * LINK_MAX_FRAME);
}

void wire_reset(struct wire *w)
{
	while (w->n_passed > 0)
		close(w->passed[--w->n_passed]);
	w->seq = 0;
	w->out_done = 0;
	buf_clear(&w->out);
	link_reader_release(&w->in);
}

void wire_release(struct wire *w)
{
	wire_reset(w);
	wire_close(w);
	stdin_cancel(w);
	buf_release(&w->out);
}

void wire_close(struct wire *w)
{
	if (w->link >= 0)
		close(w->link);
	w->link = -1;
}

int wire_passed(struct wire *w)
{
	if (w->n_passed == 0)
		return -1;
	int fd = w->passed[0];
	memmove(w->passed, w->passed + 1, --w->n_passed * sizeof w->passed[0]);
	return fd;
}

bool link_send(struct wire *s, int type, uint32_t request, const struct slice *parts, size_t n)
{
	struct err e = {0};
	if (s->link < 0)
		return true; /* it is dead: whoever sees that answers what is owed */
	if (!link_encode(&s->out, type, ++s->seq, request, parts, n, &e)) {
		log_error("%s", e.msg);
		return false;
	}
	link_flush(s);
	return true;
}

void link_flush(struct wire *s)
{
	while (s->link >= 0 && s->out_done < s->out.len) {
		ssize_t n =
		    send(s->link, s->out.data + s->out_done, s->out.len - s->out_done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* full: poll says when; gone: SIGCHLD says so */
		s->out_done += (size_t)n;
	}
	s->out_done = 0;
	buf_trim(&s->out, READ_SIZE);
}

/* Its end is closed. A session that did that without dying is of no use; SIGCHLD tells the rest. */
static void wire_ended(struct kernel *k, struct wire *w)
{
	if (w->copy) {
		copy_died(k, w->copy);
		return;
	}
	wire_close(w);
	kill(k->session.pid, SIGKILL);
}

/* Acts on the frames that are complete. */
static void take_frames(struct kernel *k, struct wire *w)
{
	static struct link_frame f;
	struct err e = {0};
	for (;;) {
		switch (link_take(&w->in, &f, &e)) {
		case LINK_MORE: return;
		case LINK_BROKEN: wire_broken(k, w, e.msg); return;
		case LINK_FRAME:
			log_debug("link: %s %u for request %u", link_type_name(f.type), f.seq, f.request);
			if (w->in.taken >= LARGE && w->in.taken == w->in.in.len &&
			    (w->block = flow_block_new(&w->in.in)))
				w->in.taken = 0;
			frame_act(k, w, &f);
			flow_block_release(w->block);
			w->block = NULL;
			if (w->link < 0)
				return;
		}
	}
}

/* Bytes, and the descriptors that come with them. */
static ssize_t receive(struct wire *s, char *to)
{
	int fds[LINK_ENDS];
	size_t n_fds;
	ssize_t n = link_receive_fds(s->link, to, READ_SIZE, fds, &n_fds, MSG_DONTWAIT);
	for (size_t i = 0; i < n_fds; i++) {
		if (s->n_passed < ARRAY_LEN(s->passed))
			s->passed[s->n_passed++] = fds[i];
		else
			close(fds[i]);
	}
	return n;
}

static void read_link(struct kernel *k, struct wire *s, bool all)
{
	while (s->link >= 0) {
		char *to = buf_room(&s->in.in, READ_SIZE);
		if (!to) {
			wire_broken(k, s, "a frame over the ceiling, or no memory for it");
			return;
		}
		ssize_t n = receive(s, to);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		if (n == 0) {
			wire_ended(k, s);
			return;
		}
		buf_added(&s->in.in, (size_t)n);
		take_frames(k, s);
		if (n < READ_SIZE && !all)
			return;
	}
}

void link_read(struct kernel *k, struct wire *w)
{
	read_link(k, w, false);
}

void link_read_rest(struct kernel *k, struct wire *w)
{
	read_link(k, w, true);
}

static void keep_start_text(struct session *s, const char *bytes, size_t n)
{
	if (s->state != SESSION_STARTING)
		return;
	buf_put(&s->start_text, bytes, n);
	if (s->start_text.len > START_TEXT_MAX)
		buf_consume(&s->start_text, s->start_text.len - START_TEXT_MAX);
}

/* Takes what is in the pipe now, and not what a child goes on writing meanwhile. Returns how much it was. */
static size_t drain(struct kernel *k, struct wire *w, enum pub_stream which)
{
	static char bytes[PIPE_READ];
	int fd = w->pipe[which], there = 0;
	size_t total = 0;
	if (fd < 0 || ioctl(fd, FIONREAD, &there) < 0)
		return 0;
	while (there > 0) {
		ssize_t n = read(fd, bytes, there < PIPE_READ ? (size_t)there : PIPE_READ);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (!w->copy)
			keep_start_text(&k->session, bytes, (size_t)n);
		if (w->running)
			request_open(k, w->running);
		if (!w->running || !w->running->silent)
			pub_text(w->pub, which, bytes, (size_t)n);
		there -= (int)n;
		total += (size_t)n;
	}
	return total;
}

void pipes_drain(struct kernel *k, struct wire *w)
{
	drain(k, w, PUB_STDOUT);
	drain(k, w, PUB_STDERR);
}

bool pipes_read(struct kernel *k, struct wire *w)
{
	size_t out = drain(k, w, PUB_STDOUT), err = drain(k, w, PUB_STDERR);
	return out >= MUCH || err >= MUCH;
}
