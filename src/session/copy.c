#include "session/copy.h"
#include "session/fork.h"
#include "session/park.h"
#include "session/report.h"
#include "session/task.h"

#include "base/clock.h"
#include "rapi/deadline.h"
#include "rapi/exec.h"
#include "rapi/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CHILDREN 64

enum { FD_LINK, FD_OUT, FD_ERR, FD_REPORT };

static volatile sig_atomic_t wanted, ended; /* set by the signal's handler */
static pid_t children[MAX_CHILDREN];
static size_t n_children;

static void on_copy(int sig, siginfo_t *info, void *context)
{
	if (info->si_code != SI_QUEUE || r_in_child())
		return;
	if (info->si_value.sival_int)
		wanted = 1;
	ended = 1;
}

void ss_copy_init(void)
{
	/* What can be restarted is: a cell is not to notice. Sys.sleep() and other waits for descriptors look for events then. */
	struct sigaction sa = {.sa_sigaction = on_copy, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(LINK_COPY_SIGNAL, &sa, NULL);
}

void ss_copy_forget(void)
{
	wanted = ended = 0;
	n_children = 0;
}

static void reap(void)
{
	size_t kept = 0;
	ended = 0;
	for (size_t i = 0; i < n_children; i++)
		if (waitpid(children[i], NULL, WNOHANG) == 0)
			children[kept++] = children[i];
	n_children = kept;
}

/* ---- in the copy ---- */

/* Event sources are the session's: two that answer one event would do it twice. */
static void no_event_sources(void)
{
	for (InputHandler *h = R_InputHandlers, *next; h; h = next) {
		next = h->next;
		if (h->activity != StdinActivity)
			removeInputHandler(&R_InputHandlers, h);
	}
	R_wait_usec = 0;
	if (&Rg_PolledEvents)
		Rg_PolledEvents = NULL;
	if (&Rg_wait_usec)
		Rg_wait_usec = 0;
}

/* What the session was in the middle of is not this process's affair. R_ReplDLLinit makes R's outermost context the current one, so that
 * user code finds an empty stack of calls; the C stack stays as it is, below. */
static void forget_what_ran(void)
{
	struct buf warnings = BUF_INIT(BUF_MAX_SMALL);
	ss_copy_forget();
	ss_park_off();
	ss_task_forget();
	r_deadline_set(NULL);
	ss_condition_forget();
	ss_console_forget();
	ss_request_forget();
	R_interrupts_suspended = FALSE;
	R_ReplDLLinit();
	ss_console_hold();
	r_print_warnings(); /* those of the cell that runs are for it */
	ss_console_take(&warnings);
	buf_release(&warnings);
}

static void hello(void)
{
	char head[64];
	snprintf(head, sizeof head, "{\"link\":%d,\"pid\":%d}", LINK_VERSION, (int)getpid());
	ss_send(LINK_HELLO, head, NULL, 0);
}

static void __attribute__((noreturn)) serve(const int fds[SS_COPY_FDS], pid_t parent)
{
	setpgid(0, 0);
	close(ss.link.fd);
	ss.link.fd = fds[FD_LINK];
	dup2(fds[FD_OUT], STDOUT_FILENO);
	dup2(fds[FD_ERR], STDERR_FILENO);
	close(fds[FD_OUT]);
	close(fds[FD_ERR]);
	ss.copy = true;
	ss_report_to(fds[FD_REPORT]);
	ss_fork_oom_score("900"); /* before the session, after what is parked */
	ss_fork_cut(true);
	no_event_sources();
	ss_signals_init();
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing of it would be left to do */
	if (getppid() != parent)
		_exit(0);
	ss_fork_single_thread();
	ss_fork_adopt(fds[FD_LINK]);
	forget_what_ran();
	hello();
	ss_loop();
}

/* ---- in the session ---- */

static void close_all(const int fds[SS_COPY_FDS])
{
	for (int i = 0; i < SS_COPY_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* The kernel's ends and the copy's. */
static bool make_ends(int ours[SS_COPY_FDS], int theirs[SS_COPY_FDS])
{
	int pair[2];
	for (int i = 0; i < SS_COPY_FDS; i++)
		ours[i] = theirs[i] = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	theirs[FD_LINK] = pair[0];
	ours[FD_LINK] = pair[1];
	for (int i = FD_OUT; i <= FD_ERR; i++) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return false;
		theirs[i] = pair[0];
		ours[i] = pair[1];
	}
	ours[FD_REPORT] = memfd_create("carrack-report", MFD_CLOEXEC);
	theirs[FD_REPORT] = ours[FD_REPORT] < 0 ? -1 : fcntl(ours[FD_REPORT], F_DUPFD_CLOEXEC, 3);
	return theirs[FD_REPORT] >= 0;
}

static void tell(const char *why, double ms, const int *fds)
{
	struct buf head = BUF_INIT(BUF_MAX_SMALL);
	struct err e = {0};
	if (why) {
		buf_putc(&head, '{');
		jx_key_string(&head, "why", why);
		buf_putc(&head, '}');
	} else {
		buf_printf(&head, "{\"ms\":%.3f}", ms);
	}
	if (!link_peer_call_with(&ss.link, LINK_SERVING, 0, head.data, NULL, 0, fds, why ? 0 : SS_COPY_FDS, &e))
		ss_link_gone();
	buf_release(&head);
}

static void make(void)
{
	int ours[SS_COPY_FDS], theirs[SS_COPY_FDS]; /* `theirs` are the kernel's */
	char why[128];
	if (!ss_fork_memory_suffices()) {
		tell("memory is short", 0, NULL);
		return;
	}
	bool ok = make_ends(ours, theirs);
	fflush(NULL); /* what C code has buffered is not to be written twice */
	pid_t parent = getpid(), pid = -1;
	int64_t before = clock_ns();
	if (ok)
		pid = fork();
	if (pid == 0) {
		close_all(theirs);
		serve(ours, parent);
	}
	double ms = (double)(clock_ns() - before) / 1e6;
	if (pid > 0) {
		if (n_children < MAX_CHILDREN)
			children[n_children++] = pid;
		tell(NULL, ms, theirs);
	} else {
		snprintf(why, sizeof why, "%s", strerror(errno));
		tell(why, 0, NULL);
	}
	close_all(ours);
	close_all(theirs);
}

bool ss_copy_due(void)
{
	return ended;
}

void ss_copy_turn(void)
{
	if (!ended || r_in_child() || r_sandboxed() || ss.link.calling)
		return;
	int saved = errno;
	reap();
	if (wanted && !ss.copy) {
		wanted = 0;
		make();
	}
	errno = saved;
}

/* ---- in the parked process ---- */

ssize_t ss_copy_receive(int link, char *to, size_t max, int fds[SS_COPY_FDS])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SS_COPY_FDS * sizeof(int))];
	} control;
	struct iovec io = {.iov_base = to, .iov_len = max};
	struct msghdr m = {.msg_iov = &io,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof control.bytes};
	ssize_t n = recvmsg(link, &m, MSG_CMSG_CLOEXEC);
	for (int i = 0; i < SS_COPY_FDS; i++)
		fds[i] = -1;
	for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL; c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(0) &&
		    c->cmsg_len <= CMSG_LEN(SS_COPY_FDS * sizeof(int)))
			memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return n;
}

void ss_copy_of_parked(const int fds[SS_COPY_FDS])
{
	pid_t parent = getpid(), pid = -1;
	reap();
	if (fds[SS_COPY_FDS - 1] >= 0 && ss_fork_memory_suffices())
		pid = fork();
	if (pid == 0)
		serve(fds, parent);
	if (pid > 0 && n_children < MAX_CHILDREN)
		children[n_children++] = pid;
	close_all(fds);
}
