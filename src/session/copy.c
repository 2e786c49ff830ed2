#include "session/copy.h"
#include "session/fork.h"
#include "session/park.h"
#include "session/report.h"
#include "session/task.h"

#include "base/clock.h"
#include "rapi/deadline.h"
#include "rapi/exec.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CHILDREN 64

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

/* Where R keeps how much of its stack of protected objects is in use; no part of an interface. */
extern int R_PPStackTop __attribute__((weak));

/* The copy may have been forked deep in a recursion, and never goes back there: R's limit of the C stack is to count from here. Linux lets the
 * stack of the main thread grow as far as the limit of the process says, also if that is raised now. */
static void stack_begins_here(void)
{
	struct rlimit l;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t used = R_CStackStart - here; /* it grows downwards wherever this runs */
	if (here > R_CStackStart || R_CStackLimit == (uintptr_t)-1 || getrlimit(RLIMIT_STACK, &l) != 0)
		return;
	if (l.rlim_cur != RLIM_INFINITY) {
		rlim_t before = l.rlim_cur;
		l.rlim_cur = l.rlim_max == RLIM_INFINITY || l.rlim_max - before > used ? before + used : l.rlim_max;
		if (setrlimit(RLIMIT_STACK, &l) != 0)
			l.rlim_cur = before;
		uintptr_t room = l.rlim_cur > used ? (uintptr_t)(l.rlim_cur - used) / 20 * 19 : 0;
		if (R_CStackLimit > room)
			R_CStackLimit = room;
	}
	R_CStackStart = here;
}

/* So is R's limit of nested calls, which it counts on from where it was. */
static void allow_depth(void *data)
{
	r_call_module("allow_depth", 0, NULL);
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
	if (&R_PPStackTop)
		R_PPStackTop = 0; /* who protected what is there does not go on */
	ss_console_hold();
	r_try_exec(allow_depth, NULL);
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

static void __attribute__((noreturn)) serve(const int fds[LINK_ENDS], pid_t parent)
{
	setpgid(0, 0);
	close(ss.link.fd);
	ss.link.fd = fds[LINK_END_LINK];
	dup2(fds[LINK_END_OUT], STDOUT_FILENO);
	dup2(fds[LINK_END_ERR], STDERR_FILENO);
	close(fds[LINK_END_OUT]);
	close(fds[LINK_END_ERR]);
	ss.copy = true;
	ss_report_to(fds[LINK_END_REPORT]);
	ss_fork_oom_score("900"); /* before the session, after what is parked */
	ss_fork_cut(true);
	no_event_sources();
	ss_signals_init();
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing of it would be left to do */
	if (getppid() != parent)
		_exit(0);
	ss_fork_single_thread();
	ss_fork_adopt(fds[LINK_END_LINK]);
	stack_begins_here();
	forget_what_ran();
	hello();
	ss_loop();
}

/* ---- in the session ---- */

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
	if (!link_peer_call_with(&ss.link, LINK_SERVING, 0, head.data, NULL, 0, fds, why ? 0 : LINK_ENDS, &e))
		ss_link_gone();
	buf_release(&head);
}

static void make(void)
{
	int ours[LINK_ENDS], theirs[LINK_ENDS]; /* `theirs` are the kernel's */
	char why[128];
	if (!ss_fork_memory_suffices()) {
		tell("memory is short", 0, NULL);
		return;
	}
	bool ok = link_ends_make(theirs, ours);
	fflush(NULL); /* what C code has buffered is not to be written twice */
	pid_t parent = getpid(), pid = -1;
	int64_t before = clock_ns();
	if (ok)
		pid = fork();
	if (pid == 0) {
		link_ends_close(theirs);
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
	link_ends_close(ours);
	link_ends_close(theirs);
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

ssize_t ss_copy_receive(int link, char *to, size_t max, int fds[LINK_ENDS])
{
	size_t n_fds;
	ssize_t n = link_receive_fds(link, to, max, fds, &n_fds, 0);
	while (n_fds < LINK_ENDS)
		fds[n_fds++] = -1;
	return n;
}

/* The parked process is let go after the cell, and what it has forked may be a subshell's: that becomes the kernel's child, which is a
 * subreaper, and ends with it. */
static void serve_as_orphan(const int fds[LINK_ENDS])
{
	pid_t between = getpid();
	if (fork() != 0)
		_exit(0);
	while (getppid() == between)
		poll(NULL, 0, 1);
	ss.older = true;
	serve(fds, getppid());
}

void ss_copy_of_parked(const int fds[LINK_ENDS])
{
	pid_t pid = -1;
	if (fds[LINK_ENDS - 1] >= 0 && ss_fork_memory_suffices())
		pid = fork();
	if (pid == 0)
		serve_as_orphan(fds);
	link_ends_close(fds);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
}
