/* echo-park: how a session keeps a copy of itself (docs/link.md, "Parked processes").
 *
 * fork(2) makes the copy; the kernel gets one end of its link and wakes it when this process has died unasked. Until then
 * it reads its end and does nothing else; when the other end is closed, it is not needed any longer.
 */
#include "echo.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void wait_to_be_woken(int link)
{
	static struct link_frame f;
	struct link_reader r;
	struct err e;
	link_reader_init(&r);
	do {
		char bytes[64];
		ssize_t n = read(link, bytes, sizeof bytes);
		if (n == 0 || (n < 0 && errno != EINTR))
			_exit(0);
		buf_put(&r.in, bytes, n > 0 ? (size_t)n : 0);
	} while (link_take(&r, &f, &e) != LINK_FRAME || f.type != LINK_WAKE);
	link_reader_release(&r);
}

static void be_parked(int link)
{
	setpgid(0, 0); /* an interrupt goes to the session's group */
	close(echo_peer.fd);
	wait_to_be_woken(link);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	link_peer_adopt(&echo_peer, link);
	echo_tell(LINK_READY, 0, NULL, NULL, NULL, 0);
}

bool echo_park(void)
{
	int ends[2];
	char head[64];
	struct err e;
	if (!getenv("ECHO_PARK") || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		be_parked(ends[1]);
		return true;
	}
	close(ends[1]);
	snprintf(head, sizeof head, "{\"pid\":%d,\"ms\":0}", (int)pid);
	if (pid > 0 && !link_peer_call_with(&echo_peer, LINK_PARKED, 0, head, NULL, 0, &ends[0], 1, &e))
		_exit(1);
	close(ends[0]);
	return false;
}
