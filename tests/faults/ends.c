/* ends.c: read, write and their kin, as a session and the kernel use them on the link and the pipes.
 *
 * In the session they count frames and text, and end the process where the test says. A frame is written with one write, or,
 * if a descriptor goes with it, with a sendmsg of its first byte and a write of the rest; a signal handler's LOG is one
 * sendmsg. It is recognised by its first bytes (docs/reader.md), so the copy of a session that was woken, whose link is another, is
 * followed too: who has read a WAKE is the session.
 */
#include "control.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ACK = 1, WAKE = 6, PUBLISH = 18, REPLY = 22, HEADER = 16 };

static struct {
	pid_t pid;                  /* of the session; a forked child is none */
	int fd;                     /* where its link is read; -1: not known yet */
	size_t first;               /* bytes of the frame that is being written which went before, with a descriptor */
	unsigned char head[HEADER]; /* of the frame that is being read */
	size_t have, lengths, rest; /* bytes of the header, of the lengths still to come, of the parts still to come */
	unsigned char length[4];
	size_t have_length;
} reader = {.fd = -1};

static bool session(void)
{
	enum fault_role role;
	if (!fault_control(&role) || role != ROLE_SESSION)
		return false;
	if (reader.pid == 0)
		reader.pid = getpid();
	return true;
}

static uint32_t number(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void __attribute__((noreturn)) hang(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (;;)
		pause();
}

/* Ends this process as the test wants it. */
static void __attribute__((noreturn)) end(struct fault_control *c, int fd)
{
	static char garbage[1 << 16];
	uint32_t how = c->how;
	c->fired++;
	uint32_t now = c->from ? c->received : c->sent;
	c->at = c->again ? now + c->again : 0;
	c->again = 0;
	switch (how) {
	case HOW_KILL: kill(getpid(), SIGKILL); break;
	case HOW_EXIT: _exit(0);
	case HOW_CLOSE:
		shutdown(fd, SHUT_RDWR);
		syscall(SYS_close, fd);
		break;
	case HOW_GARBAGE:
		memset(garbage, 'x', sizeof garbage);
		syscall(SYS_sendto, fd, garbage, sizeof garbage, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
		break;
	default: break;
	}
	hang();
}

static void put(int fd, const unsigned char *bytes, size_t n)
{
	for (size_t done = 0; done < n;) {
		long k = syscall(SYS_write, fd, bytes + done, n - done);
		if (k < 0 && errno != EINTR)
			return;
		done += k > 0 ? (size_t)k : 0;
	}
}

/* Is this the begin of a frame of a session? `first` bytes of it have been written already. */
static bool frame(const unsigned char *p, size_t n, size_t first)
{
	static const unsigned char begin[] = {0xC4, 1};
	if (n + first < HEADER || first > 1 || p[1 - first] != begin[1] || (first == 0 && p[0] != begin[0]))
		return false;
	unsigned type = p[2 - first] | (unsigned)p[3 - first] << 8;
	return type >= 16 && type < 64;
}

static void sent(struct fault_control *c, const unsigned char *p, size_t n, size_t first)
{
	unsigned type = p[2 - first] | (unsigned)p[3 - first] << 8;
	c->sent++;
	c->replied += type == REPLY;
	if (type == PUBLISH && !memmem(p, n < 200 ? n : 200, "\"comm_", 6))
		c->published++;
}

/* The frame at p is about to be written to fd: writes as much of it as may be and ends, or returns. */
static void before_frame(struct fault_control *c, int fd, const unsigned char *p, size_t n, size_t first)
{
	if (c->from || c->at != c->sent + 1 || c->cut == CUT_AFTER)
		return;
	size_t most = c->cut == CUT_BEFORE ? 0 : c->cut == CUT_HEADER ? HEADER - first : (n + first) / 2 - first;
	if (most == n) /* a frame that is its header only would be whole */
		most = n - 1;
	put(fd, p, most);
	end(c, fd);
}

static void after_frame(struct fault_control *c, int fd, const unsigned char *p, size_t n, size_t first)
{
	sent(c, p, n, first);
	if (!c->from && c->at == c->sent && c->cut == CUT_AFTER)
		end(c, fd);
}

/* Follows the frames that are read; ends with the one that the test has named. */
static void follow(struct fault_control *c, int fd, const unsigned char *p, size_t n)
{
	if (reader.fd != fd) {
		bool begin = n >= HEADER && p[0] == 0xC4 && p[1] == 1 && p[2] >= ACK && p[2] <= WAKE && p[3] == 0;
		if (!begin && !(n == 1 && p[0] == 0xC4 && reader.pid == getpid() && reader.fd < 0))
			return;
		memset(&reader, 0, sizeof reader);
		reader.fd = fd;
		reader.pid = getpid();
	}
	while (n) {
		if (reader.have < HEADER) {
			reader.head[reader.have++] = *p++;
			n--;
			reader.lengths = reader.have == HEADER ? number(reader.head + 12) : 0;
			reader.rest = 0;
		} else if (reader.lengths) {
			reader.length[reader.have_length++] = *p++;
			n--;
			if (reader.have_length == 4) {
				reader.rest += number(reader.length);
				reader.have_length = 0;
				reader.lengths--;
			}
		} else {
			size_t k = n < reader.rest ? n : reader.rest;
			reader.rest -= k;
			p += k;
			n -= k;
		}
		if (reader.have == HEADER && !reader.lengths && !reader.rest) {
			reader.have = 0;
			c->received++;
			if (c->from && c->at == c->received)
				end(c, fd);
		}
	}
}

/* ---- the functions ---- */

static bool is(int fd, mode_t kind)
{
	struct stat st;
	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

static bool is_link(int fd)
{
	int domain = 0;
	socklen_t n = sizeof domain;
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 && domain == AF_UNIX;
}

static bool slow(const struct fault_control *c, int fd)
{
	return c && c->slow && (is_link(fd) || is(fd, S_IFIFO));
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	static ssize_t (*next)(int, const void *, size_t);
	if (!next)
		next = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	struct fault_control *c = fault_control(NULL);
	if (!c)
		return next(fd, bytes, n);
	if (is(fd, S_IFREG) && fault_refused(CALL_WRITE))
		return -1;
	bool ours = session() && reader.pid == getpid();
	size_t first = ours ? reader.first : 0;
	bool framed = ours && fd > 2 && frame(bytes, n, first);
	if (framed) {
		reader.first = 0;
		before_frame(c, fd, bytes, n, first);
		put(fd, bytes, n);
		after_frame(c, fd, bytes, n, first);
		return (ssize_t)n;
	}
	ssize_t k = next(fd, bytes, slow(c, fd) && n ? 1 : n);
	if (ours && k > 0 && (fd == 1 || fd == 2))
		c->text[fd - 1] += (uint32_t)k;
	return k;
}

ssize_t read(int fd, void *bytes, size_t n)
{
	static ssize_t (*next)(int, void *, size_t);
	if (!next)
		next = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	struct fault_control *c = fault_control(NULL);
	ssize_t k = next(fd, bytes, slow(c, fd) && n ? 1 : n);
	if (c && k > 0 && fd > 2 && session() && is_link(fd))
		follow(c, fd, bytes, (size_t)k);
	return k;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	static ssize_t (*next)(int, const struct msghdr *, int);
	if (!next)
		next = (ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
	struct fault_control *c = fault_control(NULL);
	bool ours = c && session() && reader.pid == getpid() && m->msg_iovlen > 0 && m->msg_iov[0].iov_len > 0;
	const unsigned char *p = ours ? m->msg_iov[0].iov_base : NULL;
	bool begin = p && m->msg_controllen && m->msg_iov[0].iov_len == 1 && p[0] == 0xC4;
	bool whole = p && !begin && frame(p, m->msg_iov[0].iov_len, 0);
	if (begin && !c->from && c->at == c->sent + 1 && c->cut == CUT_BEFORE)
		end(c, fd);
	if (whole)
		before_frame(c, fd, p, m->msg_iov[0].iov_len, 0);
	ssize_t k = next(fd, m, flags);
	if (begin && k == 1)
		reader.first = 1;
	if (whole && k > 0)
		after_frame(c, fd, p, m->msg_iov[0].iov_len, 0);
	return k;
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
	static ssize_t (*next)(int, const void *, size_t, int);
	if (!next)
		next = (ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
	return next(fd, bytes, slow(fault_control(NULL), fd) && n ? 1 : n, flags);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	static ssize_t (*next)(int, struct msghdr *, int);
	if (!next)
		next = (ssize_t(*)(int, struct msghdr *, int))dlsym(RTLD_NEXT, "recvmsg");
	if (!slow(fault_control(NULL), fd) || m->msg_iovlen != 1 || m->msg_iov[0].iov_len == 0)
		return next(fd, m, flags);
	size_t all = m->msg_iov[0].iov_len;
	m->msg_iov[0].iov_len = 1;
	ssize_t k = next(fd, m, flags);
	m->msg_iov[0].iov_len = all;
	return k;
}
