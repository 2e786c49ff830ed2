/* wait.c: the one place where the session waits: for a frame, and for R's event sources (addInputHandler, R_PolledEvents), so
 * that later, httpuv, tcltk and X11 are served without a tick. While nothing happens it uses no processor time.
 */
#include "session/copy.h"
#include "session/park.h"
#include "session/plot.h"
#include "session/survive.h"
#include "session/task.h"

#include "base/clock.h"
#include "rapi/exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define MAX_SOURCES 1024

/* poll entries: the link first, then a source each. */
static struct pollfd fds[1 + MAX_SOURCES];
static InputHandler *sources[1 + MAX_SOURCES];
static int dead[MAX_SOURCES]; /* descriptors that were found closed; poll would return at once for them */
static size_t n_dead;

static bool is_dead(int fd)
{
	for (size_t i = 0; i < n_dead; i++)
		if (dead[i] == fd)
			return true;
	return false;
}

/* The standard input of R's list is no source: the answers come over the link. */
static size_t collect(void)
{
	size_t n = 1;
	fds[0] = (struct pollfd){.fd = ss.link.fd, .events = POLLIN};
	for (InputHandler *h = R_InputHandlers; h && n <= MAX_SOURCES; h = h->next) {
		if (!h->handler || h->fileDescriptor < 0 || h->activity == StdinActivity || is_dead(h->fileDescriptor))
			continue;
		sources[n] = h;
		fds[n++] = (struct pollfd){.fd = h->fileDescriptor, .events = POLLIN};
	}
	return n;
}

static bool still_there(const InputHandler *wanted)
{
	for (InputHandler *h = R_InputHandlers; h; h = h->next)
		if (h == wanted)
			return true;
	return false;
}

static void run_source(void *data)
{
	InputHandler *h = data;
	h->handler(h->userData);
}

static int64_t polled_at;

static void run_polled(void *data)
{
	polled_at = clock_ms();
	if (R_PolledEvents)
		R_PolledEvents();
	if (&Rg_PolledEvents && Rg_PolledEvents)
		Rg_PolledEvents();
	ss_survive_serve();
}

/* Code of an event source: an error in it is printed and that is all. Outside of requests an interrupt ends it. */
static void serve(void (*fn)(void *), void *data)
{
	bool idle = ss.request == 0;
	int interrupts = ss_interrupts;
	ss_serving = idle;
	ss_park_changed();
	r_toplevel_exec(fn, data);
	r_print_warnings();
	ss_plot_flush(R_NilValue);
	ss_serving = false;
	if (idle)
		R_interrupts_pending = 0;
	else if (ss_interrupts != interrupts)
		R_interrupts_pending = 1; /* it hit the callback and was meant for the request */
}

/* Milliseconds until polled events are due, -1 for never. */
static int tick(void)
{
	int usec = R_wait_usec > 0 ? R_wait_usec : -1;
	if (&Rg_wait_usec && Rg_wait_usec > 0 && (usec < 0 || Rg_wait_usec < usec))
		usec = Rg_wait_usec;
	int ms = usec < 0 ? -1 : (usec + 999) / 1000, due = ss_survive_due_in();
	return due >= 0 && (ms < 0 || due < ms) ? due : ms;
}

/* A signal between the look at the flags and the wait would be slept over: they are blocked until ppoll opens them. */
static int wait_once(size_t n, int ms, bool for_input)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
	sigset_t block, before;
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, LINK_INTERRUPT_SIGNAL);
	sigaddset(&block, LINK_COPY_SIGNAL);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &before);
	ss_waiting = true;
	int ready = 0;
	if (!ss_end_signal && !ss_copy_due() && !(for_input && R_interrupts_pending && !R_interrupts_suspended))
		ready = ppoll(fds, (nfds_t)n, ms < 0 ? NULL : &t, &before);
	ss_waiting = false;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ready;
}

static void serve_ready(size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (fds[i].revents & POLLNVAL) {
			if (n_dead < MAX_SOURCES)
				dead[n_dead++] = fds[i].fd;
		} else if (fds[i].revents && still_there(sources[i])) {
			serve(run_source, sources[i]);
		}
	}
}

enum ss_woken ss_wait(bool for_input)
{
	n_dead = 0; /* the number may have been given to a new descriptor since */
	for (;;) {
		fflush(stdout);
		ss_copy_turn();
		if (link_peer_has_more(
			&ss.link)) /* it came while an ACK was awaited, for text of an event source for example */
			return SS_WOKEN_LINK;
		size_t n = collect();
		int ms = tick(), park = for_input ? -1 : ss_park_due_in();
		bool tasks = !for_input && ss_task_waiting();
		bool park_first = park >= 0 && (ms < 0 || park < ms) && (!tasks || park == 0);
		int ready = wait_once(n, tasks ? 0 : park_first ? park : ms, for_input);
		if (ss_end_signal) {
			ss_end(128 + ss_end_signal);
			_exit(128 + ss_end_signal);
		}
		if (for_input && R_interrupts_pending && !R_interrupts_suspended)
			return SS_WOKEN_INTERRUPT;
		if (ready == 0 && park_first)
			ss_park_idle(); /* this may be the copy afterwards, with another link */
		else if (ready <= 0 && ms >= 0 && (!tasks || clock_ms() - polled_at >= ms))
			serve(run_polled, NULL);
		else if (ready == 0 && tasks)
			ss_task_idle();
		if (ready <= 0)
			continue;
		bool link = fds[0].revents != 0;
		serve_ready(n);
		if (link)
			return SS_WOKEN_LINK;
	}
}
