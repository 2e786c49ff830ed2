/* interrupt.c: the signals of the session.
 *
 * An interrupt comes twice: as LINK_INTERRUPT_SIGNAL, whose value names the request that is meant, and as SIGINT to the
 * process group, for children and blocking calls (docs/link.md). The two are one interrupt, and no second one must hit what
 * the user's code does about the first: whichever handler runs first waits a moment for the other, and a SIGINT that comes
 * shortly after its twin is not counted. A SIGINT that stays alone is somebody's kill -INT and interrupts the request that runs.
 *
 * R puts handlers of its own for SIGINT in place while it waits in select() or for a child with a time limit; those must have their
 * SIGINT, so it is let through when they are there.
 */
#include "session/session.h"

#include "base/clock.h"
#include "rapi/exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#define TWIN_WAIT_NS 5000000 /* the kernel sends one right after the other */
#define TWIN_LATE_MS 200

volatile sig_atomic_t ss_interrupts, ss_end_signal;
volatile bool ss_waiting, ss_serving;

static volatile uint32_t meant;         /* the request that the last interrupt was for */
static volatile int64_t last_interrupt; /* when it came, clock_ms() */

static void take_interrupt(void)
{
	ss_interrupts++;
	R_interrupts_pending = 1;
}

/* An interrupt of a request that has not begun stops what keeps it from beginning. */
static void interrupt_of(uint32_t request)
{
	meant = request;
	last_interrupt = clock_ms();
	if (request == ss.request || ss_serving)
		take_interrupt();
}

static void on_sigint(int sig)
{
	int saved = errno;
	struct timespec wait = {0, TWIN_WAIT_NS};
	sigset_t twin;
	siginfo_t info;
	if (r_in_child()) {
		R_interrupts_pending = 1;
		errno = saved;
		return;
	}
	if (clock_ms() - last_interrupt < TWIN_LATE_MS)
		return;
	sigemptyset(&twin);
	sigaddset(&twin, LINK_INTERRUPT_SIGNAL);
	if (sigtimedwait(&twin, &info, &wait) == LINK_INTERRUPT_SIGNAL)
		interrupt_of((uint32_t)info.si_value.sival_int);
	else if (ss.request)
		take_interrupt();
	errno = saved;
}

/* R has not looked since, and may wait for a child that was started when the interrupt had come already: system() does not look first. */
static void interrupt_again(uint32_t request)
{
	if (request != ss.request || !R_interrupts_pending || r_in_child())
		return;
	last_interrupt = clock_ms(); /* this process has it */
	kill(0, SIGINT);
}

static void on_interrupt(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	if ((uint32_t)info->si_value.sival_int & LINK_INTERRUPT_AGAIN) {
		interrupt_again((uint32_t)info->si_value.sival_int & ~LINK_INTERRUPT_AGAIN);
		errno = saved;
		return;
	}
	struct timespec wait = {0, TWIN_WAIT_NS};
	struct sigaction now;
	sigset_t twin, open;
	if (!r_in_child())
		interrupt_of((uint32_t)info->si_value.sival_int);
	sigaction(SIGINT, NULL, &now);
	sigemptyset(&twin);
	sigaddset(&twin, SIGINT);
	if (now.sa_handler == on_sigint) {
		sigtimedwait(&twin, NULL, &wait);
	} else if (now.sa_handler != SIG_IGN) {
		sigprocmask(SIG_BLOCK, NULL, &open);
		sigdelset(&open, SIGINT);
		ppoll(NULL, 0, &wait, &open); /* R's handler may leave from here by longjmp: nothing is held */
	}
	errno = saved;
}

/* SIGTERM, SIGHUP: in good order if nothing runs, else at once. SIGHUP also says that the kernel is dead. */
static void on_end(int sig)
{
	if (ss_waiting && ss.request == 0 && !r_in_child()) {
		ss_end_signal = sig;
		return;
	}
	if (!r_in_child())
		ss_remove_temp_dir();
	sigset_t self;
	sigemptyset(&self);
	sigaddset(&self, sig);
	signal(sig, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &self, NULL);
	raise(sig);
}

/* Not SIG_IGN, which children would inherit: `yes | head` must end. Writing to a closed pipe is an error return then. */
static void on_sigpipe(int sig)
{
}

void ss_signals_init(void)
{
	struct sigaction sa = {.sa_handler = on_sigint};
	sigaddset(&sa.sa_mask, LINK_INTERRUPT_SIGNAL);
	sigaction(SIGINT, &sa, NULL);
	sa = (struct sigaction){.sa_sigaction = on_interrupt, .sa_flags = SA_SIGINFO};
	sigaddset(&sa.sa_mask, SIGINT);
	sigaction(LINK_INTERRUPT_SIGNAL, &sa, NULL);
	sa = (struct sigaction){.sa_handler = on_end};
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa = (struct sigaction){.sa_handler = on_sigpipe, .sa_flags = SA_RESTART};
	sigaction(SIGPIPE, &sa, NULL);
	/* Not SIGKILL: R's temporary directory is to go as well. */
	prctl(PR_SET_PDEATHSIG, SIGHUP);
}

static void block_interrupts(sigset_t *before)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGINT);
	sigaddset(&s, LINK_INTERRUPT_SIGNAL);
	sigprocmask(SIG_BLOCK, &s, before);
}

void ss_request_begin(uint32_t request)
{
	sigset_t before;
	block_interrupts(&before);
	ss.request = request;
	ss.replied = false;
	ss_interrupts = 0;
	R_interrupts_pending = 0;
	if (meant == request)
		take_interrupt();
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void ss_request_end(void)
{
	sigset_t before;
	block_interrupts(&before);
	ss.request = 0;
	R_interrupts_pending = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	ss.silent = ss.allow_stdin = false;
	ss_input_forget();
}

void ss_request_forget(void)
{
	meant = 0;
	last_interrupt = 0;
	ss_interrupts = 0;
	ss_serving = ss_waiting = false;
	ss.looks = false;
	ss_request_end();
}
