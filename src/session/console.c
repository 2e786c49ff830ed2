/* console.c: R's text, to descriptors 1 and 2.
 *
 * Two pipes have no order between them, so text goes into one only when the other is empty: then the kernel has
 * read what came before. If it is not, a TURN makes it so. That holds for the text of C code and children as well,
 * whoever wrote it. They themselves do not look: where both pipes are full the kernel takes stdout for the older, so
 * R's text on stderr is seen to be read at once, unless it comes in a flood. If a descriptor is no pipe (somebody has
 * moved it), a TURN is made at each change.
 */
#include "session/plot.h"

#include "base/clock.h"
#include "rapi/exec.h"
#include "rapi/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CAPTURE_MAX ((size_t)64 << 20)
#define FLOOD_NS 200000 /* text on stderr that comes faster than this is not waited for piece by piece */

bool (*ss_console_clear)(void);

static int last_fd;       /* where the last text went; 0 after a rendezvous */
static int64_t waited_at; /* when text on stderr was seen to be read last */
static bool capturing, holding;
static struct buf captured, held; /* held: struct piece and its text, again and again */

struct piece {
	int fd;
	size_t n;
};

static void rendezvous(void)
{
	last_fd = 0;
}

void ss_console_init(void)
{
	buf_init(&captured, CAPTURE_MAX);
	buf_init(&held, CAPTURE_MAX);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* C code of packages prints in lines, as in a terminal */
	ss.link.before_frame = rendezvous;
}

/* While a client is slow, the kernel does not read and writing waits. An interrupt ends that as well: what there is no room
 * for is then part of what was interrupted. */
static bool given_up(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	return R_interrupts_pending && !R_interrupts_suspended && !r_in_child() && poll(&p, 1, 0) == 0;
}

static void write_all(int fd, const char *s, size_t n)
{
	while (n && !given_up(fd)) {
		ssize_t k = write(fd, s, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			if (!r_in_child() && (errno == EPIPE || errno == EIO))
				ss_link_gone();
			return; /* closed by somebody: as in a terminal whose stdout is closed */
		}
		s += k;
		n -= (size_t)k;
	}
}

static bool unread_in(int fd)
{
	int n = 0;
	return ioctl(fd, FIONREAD, &n) == 0 ? n > 0 : last_fd == fd;
}

void ss_console_text(int fd, const char *s, size_t n)
{
	if (n == 0)
		return;
	fflush(stdout); /* what C code has printed came before this */
	if (unread_in(fd == STDOUT_FILENO ? STDERR_FILENO : STDOUT_FILENO))
		ss_send(LINK_TURN, NULL, NULL, 0);
	write_all(fd, s, n);
	last_fd = fd;
	if (fd == STDERR_FILENO && clock_ns() - waited_at > FLOOD_NS) {
		ss_send(LINK_TURN, NULL, NULL, 0);
		waited_at = clock_ns();
	}
}

void ss_console_say(const char *fmt, ...)
{
	struct buf line = BUF_INIT(BUF_MAX_SMALL);
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	buf_putc(&line, '\n');
	ss_console_write_ex(line.data, (int)line.len, 1);
	buf_release(&line);
}

static void hold_piece(int fd, const char *s, size_t n)
{
	struct piece p = {fd, n};
	char *to = buf_room(&held, sizeof p + n);
	if (!to) {
		ss_console_release();
		ss_console_text(fd, s, n);
		return;
	}
	memcpy(to, &p, sizeof p);
	memcpy(to + sizeof p, s, n);
	buf_added(&held, sizeof p + n);
}

void ss_console_write_ex(const char *s, int len, int otype)
{
	int fd = otype ? STDERR_FILENO : STDOUT_FILENO;
	size_t n = len > 0 ? (size_t)len : 0;
	if (r_takes_text(s, n))
		return;
	if (r_in_child()) {
		fflush(stdout);
		write_all(fd, s, n);
		return;
	}
	if ((otype && ss_condition_takes(s, n)) || ss.silent)
		return;
	if (!otype && n == 1 && *s == '\f' && ss_console_clear && ss_console_clear())
		return;
	if (holding) {
		hold_piece(fd, s, n);
		return;
	}
	if (capturing && !otype) {
		buf_put(&captured, s, n);
		if (!captured.failed)
			return;
		ss_console_capture_flush();
	}
	ss_plot_before_text();
	ss_console_text(fd, s, n);
}

void ss_console_capture(void)
{
	buf_clear(&captured);
	capturing = true;
}

void ss_console_capture_end(struct buf *out)
{
	if (capturing)
		buf_put(out, captured.data, captured.len);
	capturing = false;
	buf_trim(&captured, (size_t)1 << 16);
}

void ss_console_capture_flush(void)
{
	if (capturing)
		ss_console_text(STDOUT_FILENO, captured.data, captured.len);
	capturing = false;
	buf_trim(&captured, (size_t)1 << 16);
}

void ss_console_hold(void)
{
	holding = true;
}

bool ss_console_holding(void)
{
	return holding;
}

/* Calls act for each piece that is held, and holds no longer. */
static void let_go(void (*act)(void *, int, const char *, size_t), void *data)
{
	struct piece p;
	holding = false;
	for (size_t at = 0; at + sizeof p <= held.len; at += sizeof p + p.n) {
		memcpy(&p, held.data + at, sizeof p);
		act(data, p.fd, held.data + at + sizeof p, p.n);
	}
	buf_trim(&held, (size_t)1 << 16);
}

static void write_piece(void *data, int fd, const char *s, size_t n)
{
	ss_console_text(fd, s, n);
}

static void append_piece(void *data, int fd, const char *s, size_t n)
{
	buf_put(data, s, n);
}

void ss_console_release(void)
{
	let_go(write_piece, NULL);
}

static void rescue(int fd, const char *s, size_t n)
{
	for (ssize_t k; n && (k = write(fd, s, n)) != 0; s += k, n -= (size_t)k)
		if (k < 0 && errno == EINTR)
			k = 0;
		else if (k < 0)
			return;
}

void ss_console_rescue(void)
{
	struct piece p;
	for (size_t at = 0; at + sizeof p <= held.len; at += sizeof p + p.n) {
		memcpy(&p, held.data + at, sizeof p);
		if (p.n > held.len - at - sizeof p)
			break;
		rescue(p.fd, held.data + at + sizeof p, p.n);
	}
	if (capturing)
		rescue(STDOUT_FILENO, captured.data, captured.len);
}

void ss_console_take(struct buf *out)
{
	let_go(append_piece, out);
}

void ss_console_forget(void)
{
	rendezvous();
	capturing = holding = false;
	buf_clear(&captured);
	buf_clear(&held);
}
