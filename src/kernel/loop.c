/* loop.c: the only place where the kernel process waits. */
#include "base/clock.h"
#include "base/log.h"
#include "jupyter/flow.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <limits.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT_MS 10     /* text is gathered for so long; while it waits, the pipes are left alone */
#define PARENT_MS 1000 /* how often the parent is looked for where pidfds do not exist */

enum { W_SHELL, W_CONTROL, W_STDIN, W_IOPUB, W_HB, W_LINK, W_OUT, W_ERR, W_SIGNALS, W_FLOW, W_PARENT, W_N };

/* Only a client that says so ends its kernels by ending: one that was started with nohup, say, outlives its script. */
static void watch_parent(struct kernel *k)
{
	const char *named = getenv("JPY_PARENT_PID");
	long pid = named ? strtol(named, NULL, 10) : 0;
	if (pid <= 1 || pid > INT_MAX)
		return;
	k->parent_pid = (pid_t)pid;
#ifdef SYS_pidfd_open
	k->parent = (int)syscall(SYS_pidfd_open, k->parent_pid, 0);
#endif
	if (k->parent < 0 && errno == ESRCH) {
		log_warn("the process that this kernel was to end with (%d) is gone already", (int)k->parent_pid);
		raise(SIGTERM);
	}
}

bool loop_init(struct kernel *k, struct err *e)
{
	static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		sigaddset(&set, taken[i]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* who ignores it is not told of a death, and that is inherited */
	sigprocmask(SIG_BLOCK, &set, NULL);
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signals < 0)
		return err_errno(e, "signalfd");
	watch_parent(k);
	return true;
}

static void end_with_parent(struct kernel *k)
{
	log_info("the process that started this kernel (%d) is gone", (int)k->parent_pid);
	k->parent_pid = 0;
	if (k->parent >= 0)
		close(k->parent);
	k->parent = -1;
	stop_begin(k, NULL, false);
}

static void take_signals(struct kernel *k)
{
	struct signalfd_siginfo s;
	while (read(k->signals, &s, sizeof s) == sizeof s) {
		switch (s.ssi_signo) {
		case SIGCHLD: session_reap(k); break;
		case SIGINT: stop_interrupt(k); break;
		default: log_info("signal %u: the kernel ends", s.ssi_signo); stop_begin(k, NULL, false);
		}
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static long wait_ms(const struct kernel *k)
{
	int64_t at = sooner(sooner(k->text_at, k->history_at), sooner(k->where_at, k->stop.on ? k->stop.next_at : 0));
	int64_t now = clock_ms();
	at = sooner(at, k->input.again_at);
	if (k->parent_pid && k->parent < 0)
		at = sooner(at, now + PARENT_MS);
	return at == 0 ? -1 : at <= now ? 0 : (long)(at - now);
}

static void due(struct kernel *k)
{
	int64_t now = clock_ms();
	if (k->text_at && k->text_at <= now) {
		k->text_at = 0;
		k->flood = false;
		if (!flow_full() || k->stop.on)
			pipes_drain(k);
		pub_flush(&k->pub, false);
	}
	if (k->history_at && k->history_at <= now) {
		k->history_at = 0;
		if (k->history)
			history_flush(k->history);
	}
	if (k->input.again_at && k->input.again_at <= now)
		stdin_again(k);
	if (k->where_at && k->where_at <= now)
		where_due(k);
	if (k->stop.on && !k->done && k->stop.next_at <= now)
		stop_step(k);
	if (k->parent_pid && k->parent < 0 && kill(k->parent_pid, 0) < 0 && errno == ESRCH)
		end_with_parent(k);
}

/* The session is heard only while ZeroMQ can take what it says. */
static void what_to_wait_for(const struct kernel *k, zmq_pollitem_t w[W_N])
{
	bool hear = !flow_full() || k->stop.on;
	bool pipes = hear && (!k->text_at || k->flood);
	bool queue = k->queue.n < KN_QUEUE_MAX;
	short link = (short)((hear ? ZMQ_POLLIN : 0) | (k->session.out.len > k->session.out_done ? ZMQ_POLLOUT : 0));
	memset(w, 0, W_N * sizeof *w);
	for (int i = 0; i < JP_CHANNELS; i++)
		w[i] = (zmq_pollitem_t){.socket = k->sockets.socket[i], .events = ZMQ_POLLIN};
	w[W_SHELL].events = queue ? ZMQ_POLLIN : 0;
	w[W_LINK] = (zmq_pollitem_t){.fd = k->session.link, .events = k->session.link >= 0 ? link : 0};
	w[W_OUT] = (zmq_pollitem_t){.fd = k->session.pipe[0][0], .events = pipes ? ZMQ_POLLIN : 0};
	w[W_ERR] = (zmq_pollitem_t){.fd = k->session.pipe[1][0], .events = pipes ? ZMQ_POLLIN : 0};
	w[W_SIGNALS] = (zmq_pollitem_t){.fd = k->signals, .events = ZMQ_POLLIN};
	w[W_FLOW] = (zmq_pollitem_t){.fd = flow_fd(), .events = hear ? 0 : ZMQ_POLLIN};
	w[W_PARENT] = (zmq_pollitem_t){.fd = k->parent, .events = k->parent >= 0 ? ZMQ_POLLIN : 0};
}

void loop_turn(struct kernel *k)
{
	_Static_assert(W_HB == (int)JP_HB && W_IOPUB == (int)JP_IOPUB, "channels come first, in their order");
	zmq_pollitem_t all[W_N], some[W_N];
	int which[W_N], n = 0;
	what_to_wait_for(k, all);
	for (int i = 0; i < W_N; i++) {
		if (!all[i].events)
			continue;
		which[n] = i;
		some[n++] = all[i];
	}
	if (zmq_poll(some, n, wait_ms(k)) < 0)
		return;
	for (int i = 0; i < n; i++)
		all[which[i]].revents = some[i].revents;
	if (all[W_SIGNALS].revents)
		take_signals(k);
	if (all[W_IOPUB].revents)
		pub_subscriptions(&k->pub);
	if (all[W_HB].revents)
		jp_heartbeat(&k->sockets);
	if (all[W_CONTROL].revents)
		requests_receive(k, JP_CONTROL);
	if (all[W_STDIN].revents)
		stdin_receive(k);
	if (all[W_LINK].revents & ZMQ_POLLOUT)
		link_flush(k);
	if (all[W_LINK].revents & ~ZMQ_POLLOUT)
		link_read(k);
	if (all[W_OUT].revents || all[W_ERR].revents)
		k->flood = pipes_read(k);
	if (pub_has_text(&k->pub) && !k->text_at)
		k->text_at = clock_ms() + TEXT_MS;
	if (all[W_FLOW].revents)
		flow_woken();
	if (all[W_SHELL].revents)
		requests_receive(k, JP_SHELL);
	if (all[W_PARENT].revents)
		end_with_parent(k);
	due(k);
	requests_next(k);
}
