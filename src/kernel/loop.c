/* loop.c: the only place where the kernel process waits. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "jupyter/flow.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT_MS 10 /* text is gathered for so long; while it waits, the pipes are left alone */
#define LOOK_MS \
	1000 /* how often clients are looked at while the session waits for one; 8 times at least in their time */
#define PARENT_MS 1000 /* how often the parent is looked for where pidfds do not exist */

/* Entries of the poll; the last three for the session's wire, and as many again for each copy's. */
enum { W_SHELL, W_CONTROL, W_STDIN, W_IOPUB, W_HB, W_SIGNALS, W_FLOW, W_PARENT, W_MEMORY, W_LINK, W_OUT, W_ERR, W_N };
enum { PER_WIRE = W_N - W_LINK, WIRES = 1 + COPIES_MOST, W_MAX = W_LINK + WIRES * PER_WIRE };

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
	signal(SIGXFSZ, SIG_IGN); /* a file over the limit is like a full disk: write says so */
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
	if (!k->stop.on)
		stop_begin(k, NULL, false);
}

static void take_signals(struct kernel *k)
{
	struct signalfd_siginfo s;
	while (read(k->signals, &s, sizeof s) == sizeof s) {
		switch (s.ssi_signo) {
		case SIGCHLD: session_reap(k); break;
		case SIGINT: stop_interrupt(k); break;
		default:
			log_info("signal %u: the kernel ends", s.ssi_signo);
			if (k->stop.on)
				stop_hurry(k);
			else
				stop_begin(k, NULL, false);
		}
	}
}

/* A session is heard only while ZeroMQ can take what it says. One that was told to stop is heard a little longer: its text
 * for half of what is spared, so that code which is in the middle of a write comes to where it looks for interrupts, and the rest is for
 * its frames, each of which brings the text before it along. When R is gone and all is said, text of what it has left behind is nobody's. */
static bool hears(const struct kernel *k, const struct wire *from, bool frames)
{
	bool told = k->stop.on || (from->running && from->running->interrupted);
	size_t most = FLOW_HIGH + (frames ? FLOW_SPARE : FLOW_SPARE / 2);
	return (!flow_full() || (told && flow_bytes() < most)) && (frames || !k->stop.sending);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static long wait_ms(const struct kernel *k)
{
	int64_t at = sooner(sooner(k->text_at, k->history_at), sooner(k->where_at, k->stop.on ? k->stop.next_at : 0));
	int64_t now = clock_ms();
	at = sooner(sooner(at, k->main.input.again_at), k->copies.at);
	at = sooner(sooner(at, k->memory.at), k->look_at);
	for (const struct copy *c = k->copies.first; c; c = c->next)
		at = sooner(at, c->wire.input.again_at);
	if (k->parent_pid && k->parent < 0)
		at = sooner(at, now + PARENT_MS);
	return at == 0 ? -1 : at <= now ? 0 : (long)(at - now);
}

static void take_text(struct kernel *k, struct wire *w)
{
	if (hears(k, w, false))
		pipes_drain(k, w);
	pub_flush(w->pub, false);
}

/* While the session waits because clients have not taken what is on its way, those that take nothing are found. */
static void look_at_peers(struct kernel *k, int64_t now)
{
	int64_t patience = (int64_t)k->options->patience * 1000;
	if (!flow_full()) {
		jp_peers_forget(&k->peers);
		k->look_at = 0;
	} else if (k->look_at <= now) {
		if (k->look_at) /* a moment is no reason to look */
			jp_peers_look(&k->peers, &k->connection, now, patience);
		k->look_at = now + (patience / 8 < LOOK_MS ? patience / 8 : LOOK_MS);
	}
}

static void due(struct kernel *k)
{
	int64_t now = clock_ms();
	if (k->text_at && k->text_at <= now) {
		k->text_at = 0;
		k->flood = false;
		take_text(k, &k->main);
		for (struct copy *c = k->copies.first; c; c = c->next)
			take_text(k, &c->wire);
	}
	if (k->history_at && k->history_at <= now) {
		k->history_at = 0;
		if (k->history)
			history_flush(k->history);
	}
	if (k->main.input.again_at && k->main.input.again_at <= now)
		stdin_again(k, &k->main);
	for (struct copy *c = k->copies.first; c; c = c->next)
		if (c->wire.input.again_at && c->wire.input.again_at <= now)
			stdin_again(k, &c->wire);
	if (k->memory.at && k->memory.at <= now)
		memory_due(k);
	if (k->where_at && k->where_at <= now)
		where_due(k);
	if (k->stop.on && !k->done && k->stop.next_at <= now)
		stop_step(k);
	if (k->parent_pid && k->parent < 0 && kill(k->parent_pid, 0) < 0 && errno == ESRCH)
		end_with_parent(k);
}

static void wait_for_wire(const struct kernel *k, const struct wire *from, zmq_pollitem_t w[PER_WIRE])
{
	bool pipes = hears(k, from, false) && (!k->text_at || k->flood);
	short link =
	    (short)((hears(k, from, true) ? ZMQ_POLLIN : 0) | (from->out.len > from->out_done ? ZMQ_POLLOUT : 0));
	w[0] = (zmq_pollitem_t){.fd = from->link, .events = from->link >= 0 ? link : 0};
	for (int i = 0; i < 2; i++)
		w[1 + i] =
		    (zmq_pollitem_t){.fd = from->pipe[i], .events = pipes && from->pipe[i] >= 0 ? ZMQ_POLLIN : 0};
}

/* Returns how many entries there are. */
static int what_to_wait_for(const struct kernel *k, zmq_pollitem_t w[W_MAX])
{
	memset(w, 0, W_N * sizeof *w);
	for (int i = 0; i < JP_CHANNELS; i++)
		w[i] = (zmq_pollitem_t){.socket = k->sockets.socket[i], .events = ZMQ_POLLIN};
	w[W_SHELL].events = k->queued < KN_QUEUE_MAX && flow_bytes() < FLOW_MOST ? ZMQ_POLLIN : 0;
	w[W_SIGNALS] = (zmq_pollitem_t){.fd = k->signals, .events = ZMQ_POLLIN};
	w[W_FLOW] = (zmq_pollitem_t){.fd = flow_fd(), .events = flow_full() ? ZMQ_POLLIN : 0};
	w[W_PARENT] = (zmq_pollitem_t){.fd = k->parent, .events = k->parent >= 0 ? ZMQ_POLLIN : 0};
	w[W_MEMORY] = (zmq_pollitem_t){.fd = k->memory.pressure, .events = memory_watches(k) ? ZMQ_POLLPRI : 0};
	wait_for_wire(k, &k->main, w + W_LINK);
	int n = W_N;
	for (const struct copy *c = k->copies.first; c; c = c->next, n += PER_WIRE)
		wait_for_wire(k, &c->wire, w + n);
	return n;
}

/* Who wrote into a copy's pipe has closed it: nothing comes any more, and poll would say so for ever. */
static void close_dead_pipes(struct wire *w, const zmq_pollitem_t woke[PER_WIRE])
{
	for (int i = 0; w->copy && i < 2; i++) {
		int there = 0;
		if (w->pipe[i] < 0 || !(woke[1 + i].revents & ~ZMQ_POLLIN) || ioctl(w->pipe[i], FIONREAD, &there) < 0 ||
		    there)
			continue;
		close(w->pipe[i]);
		w->pipe[i] = -1;
	}
}

/* True if its pipes had much. */
static bool hear_wire(struct kernel *k, struct wire *w, const zmq_pollitem_t woke[PER_WIRE])
{
	bool flood = false;
	if (woke[0].revents & ZMQ_POLLOUT)
		link_flush(w);
	if (woke[0].revents & ~ZMQ_POLLOUT && w->link == woke[0].fd)
		link_read(k, w);
	if (woke[1].revents || woke[2].revents)
		flood = pipes_read(k, w);
	close_dead_pipes(w, woke);
	if (pub_has_text(w->pub) && !k->text_at)
		k->text_at = clock_ms() + TEXT_MS;
	return flood;
}

static void hear_wires(struct kernel *k, const zmq_pollitem_t *all, int n)
{
	const zmq_pollitem_t *at = all + W_LINK;
	bool text = false, flood = hear_wire(k, &k->main, at);
	text = at[1].revents || at[2].revents;
	/* Those that came while this turn was under way are at the end of the list. */
	for (struct copy *c = k->copies.first; c && (at += PER_WIRE) < all + n; c = c->next) {
		text = text || at[1].revents || at[2].revents;
		flood = hear_wire(k, &c->wire, at) || flood;
	}
	if (text)
		k->flood = flood;
}

void loop_turn(struct kernel *k)
{
	_Static_assert(W_HB == (int)JP_HB && W_IOPUB == (int)JP_IOPUB, "channels come first, in their order");
	static zmq_pollitem_t all[W_MAX], some[W_MAX];
	int which[W_MAX], n = 0, n_all = what_to_wait_for(k, all);
	for (int i = 0; i < n_all; i++) {
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
	hear_wires(k, all, n_all);
	if (all[W_FLOW].revents)
		flow_woken();
	if (all[W_SHELL].revents)
		requests_receive(k, JP_SHELL);
	if (all[W_PARENT].revents)
		end_with_parent(k);
	if (all[W_MEMORY].revents)
		memory_pressed(k, all[W_MEMORY].revents & ZMQ_POLLERR);
	due(k);
	look_at_peers(k, clock_ms());
	requests_next(k);
	copies_bury(k);
	mem_refill();
}
