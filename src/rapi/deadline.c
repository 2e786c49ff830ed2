#include "rapi/deadline.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_NS 100000000 /* how often the interrupt is repeated */
#define PATIENCE 5         /* how many of them may be caught */
#define ASK_NS 2000000     /* how often `wanted` is asked */

static struct r_deadline *volatile now;
static timer_t timer;
static pid_t timer_owner; /* timers are not inherited by forked processes */

static void on_deadline(int sig)
{
	struct r_deadline *d = now;
	int saved = errno;
	if (!d || timer_owner != getpid())
		return;
	int64_t t = clock_ns();
	if (d->at && t >= d->at)
		d->passed = true;
	if (d->wanted && !d->was_wanted && d->wanted())
		d->was_wanted = true;
	if (d->stuck && !d->was_stuck && d->at && t >= d->at + R_STUCK_NS) {
		d->was_stuck = true;
		d->stuck(d->data);
	}
	if (d->passed || d->was_wanted) {
		d->interrupts += !R_interrupts_pending; /* the one before was taken */
		R_interrupts_suspended = FALSE;
		R_interrupts_pending = 1;
	}
	errno = saved;
}

void r_deadline_enforce(void)
{
	const struct r_deadline *d = now;
	if (d && d->interrupts > PATIENCE && timer_owner == getpid())
		Rf_jump_to_toplevel();
}

static bool make_timer(void)
{
	/* SA_RESTART: what blocks for long in a way that this would not end is ended by nothing short of a kill. */
	struct sigaction sa = {.sa_handler = on_deadline, .sa_flags = SA_RESTART};
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = R_DEADLINE_SIGNAL};
	if (timer_owner == getpid())
		return true;
	ev._sigev_un._tid = gettid();
	if (sigaction(R_DEADLINE_SIGNAL, &sa, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &ev, &timer) != 0)
		return false;
	timer_owner = getpid();
	return true;
}

static struct timespec from_ns(int64_t ns)
{
	return (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

struct r_deadline *r_deadline_set(struct r_deadline *d)
{
	struct r_deadline *before = now;
	struct itimerspec t = {{0}, {0}};
	now = d;
	if (!d && !before)
		return before;
	if (d && (d->at || d->wanted)) {
		int64_t first = d->at, left = d->at - clock_ns();
		if (d->wanted && (!d->at || left > ASK_NS))
			first = clock_ns() + ASK_NS;
		else if (left < 1)
			first = 1;
		t.it_value = from_ns(first);
		t.it_interval = from_ns(d->wanted ? ASK_NS : AGAIN_NS);
	}
	bool armed = t.it_value.tv_sec || t.it_value.tv_nsec;
	if (armed ? make_timer() : timer_owner == getpid())
		timer_settime(timer, TIMER_ABSTIME, &t, NULL);
	return before;
}
