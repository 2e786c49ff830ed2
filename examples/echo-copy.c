/* echo-copy: how a session makes copies of itself that serve (docs/link.md, "Copies that serve").
 *
 * The kernel asks by a signal. At the next point where it does no harm the session forks; the kernel gets the other ends of a
 * link and of two pipes, and a file for a report, which this session has no use for. The copy says HELLO and takes requests.
 */
#include "echo.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool echo_is_copy;
static volatile sig_atomic_t asked;

/* With 0 the kernel says that a copy has ended; SIGCHLD is ignored, so there is nothing to do. */
static void on_copy(int sig, siginfo_t *info, void *context)
{
	asked = asked || info->si_value.sival_int;
}

void echo_copy_init(void)
{
	struct sigaction on = {.sa_sigaction = on_copy, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(LINK_COPY_SIGNAL, &on, NULL);
}

bool echo_copy_asked(void)
{
	return asked && !echo_is_copy;
}

static _Noreturn void serve(int link, int out, int err)
{
	char head[64];
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(echo_peer.fd);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	echo_is_copy = true;
	link_peer_adopt(&echo_peer, link);
	echo_forget();
	snprintf(head, sizeof head, "{\"link\":%d,\"pid\":%d}", LINK_VERSION, (int)getpid());
	echo_tell(LINK_HELLO, 0, head, NULL, NULL, 0);
	echo_loop();
}

void echo_copy_turn(void)
{
	int link[2], out[2], err[2], report;
	struct err e;
	if (!echo_copy_asked() || (report = memfd_create("echo-report", MFD_CLOEXEC)) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
	    pipe2(err, O_CLOEXEC) < 0)
		return;
	asked = 0;
	fflush(NULL);
	if (fork() == 0) {
		close(link[0]);
		close(out[0]);
		close(err[0]);
		serve(link[1], out[1], err[1]);
	}
	int theirs[] = {link[0], out[0], err[0], report};
	if (!link_peer_call_with(&echo_peer, LINK_SERVING, 0, "{\"ms\":0}", NULL, 0, theirs, 4, &e))
		_exit(1);
	for (int i = 0; i < 2; i++) {
		close(link[i]);
		close(out[i]);
		close(err[i]);
	}
	close(report);
}
