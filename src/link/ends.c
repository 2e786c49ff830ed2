#include "link/ends.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(LINK_ENDS * sizeof(int))];
};

void link_ends_close(const int fd[LINK_ENDS])
{
	for (int i = 0; i < LINK_ENDS; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

bool link_ends_make(int kernel[LINK_ENDS], int copy[LINK_ENDS])
{
	int pair[2];
	for (int i = 0; i < LINK_ENDS; i++)
		kernel[i] = copy[i] = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	kernel[LINK_END_LINK] = pair[0];
	copy[LINK_END_LINK] = pair[1];
	for (int i = LINK_END_OUT; i <= LINK_END_ERR; i++) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return false;
		kernel[i] = pair[0];
		copy[i] = pair[1];
	}
	int report = kernel[LINK_END_REPORT] = memfd_create("carrack-report", MFD_CLOEXEC);
	copy[LINK_END_REPORT] = report < 0 ? -1 : fcntl(report, F_DUPFD_CLOEXEC, 3);
	return copy[LINK_END_REPORT] >= 0;
}

ssize_t link_send_fds(int link, const void *bytes, size_t n, const int *fds, size_t n_fds, int flags)
{
	union control control = {0};
	struct iovec io = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	if (n_fds) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	ssize_t sent;
	while ((sent = sendmsg(link, &m, flags | MSG_NOSIGNAL)) < 0 && errno == EINTR)
		continue;
	return sent;
}

ssize_t link_receive_fds(int link, void *to, size_t max, int fds[LINK_ENDS], size_t *n_fds, int flags)
{
	union control control;
	struct iovec io = {.iov_base = to, .iov_len = max};
	struct msghdr m = {.msg_iov = &io,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof control.bytes};
	ssize_t n = recvmsg(link, &m, flags | MSG_CMSG_CLOEXEC);
	*n_fds = 0;
	for (struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL; c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count && *n_fds < LINK_ENDS; i++)
			memcpy(&fds[(*n_fds)++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return n;
}
