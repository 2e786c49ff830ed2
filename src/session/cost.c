#include "session/cost.h"

#include "session/park.h"
#include "session/session.h"

#include "base/clock.h"
#include "rapi/exec.h"
#include "rapi/keep.h"

#include <sys/resource.h>

struct spent {
	double clock, user, system, children_user, children_system; /* milliseconds */
	double peak_mb;
	unsigned long collections;
};

static struct spent begun;
static unsigned long collections, asked_at; /* how many there were when R was asked for their time */
static double gc_ms, gc_ms_begun;

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static struct spent spent_now(void)
{
	struct rusage self = {0}, children = {0};
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return (struct spent){.clock = (double)clock_ns() / 1e6,
			      .user = ms(self.ru_utime),
			      .system = ms(self.ru_stime),
			      .children_user = ms(children.ru_utime),
			      .children_system = ms(children.ru_stime),
			      .peak_mb = (double)self.ru_maxrss / 1024,
			      .collections = collections};
}

/* ---- garbage collections ---- */

static void wait_for_collection(void);

static void on_collection(SEXP object)
{
	collections++;
	wait_for_collection();
}

/* R's loop over finalizers forgets what one of them registers if all before it in the list, where the newest is first, are being
 * finalized as well. So there is always one before it that is not: for an object that is held until the next time. */
static void wait_for_collection(void)
{
	SEXP object = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
	SEXP held = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
	R_RegisterCFinalizer(object, on_collection);
	R_MakeWeakRef(held, R_NilValue, R_NilValue, FALSE);
	r_keep(R_KEEP_COLLECTIONS, held);
	UNPROTECT(2);
}

/* gc.time(): user, system, elapsed seconds … of all collections. */
static void ask_time(void *data)
{
	SEXP function = Rf_findVarInFrame(R_BaseEnv, Rf_install("gc.time"));
	SEXP call = PROTECT(Rf_lang1(function));
	SEXP times = Rf_eval(call, R_BaseEnv);
	if (TYPEOF(times) == REALSXP && XLENGTH(times) >= 3)
		gc_ms = REAL(times)[2] * 1e3;
	UNPROTECT(1);
}

/* It is the same as when it was asked last unless there was another collection. */
static void update_time(void)
{
	if (asked_at == collections)
		return;
	asked_at = collections;
	r_toplevel_exec(ask_time, NULL);
}

void ss_cost_init(void)
{
	ask_time(NULL);
	wait_for_collection();
}

/* ---- ---- */

void ss_cost_begin(void)
{
	update_time();
	gc_ms_begun = gc_ms;
	begun = spent_now();
}

void ss_cost_end(void)
{
	update_time();
}

void ss_cost_put(struct buf *metadata)
{
	struct spent now = spent_now();
	double user = now.user - begun.user, system = now.system - begun.system;
	double children_user = now.children_user - begun.children_user;
	double children_system = now.children_system - begun.children_system;
	buf_printf(
	    metadata,
	    "{\"carrack\":{\"elapsed_ms\":%.3f,\"cpu_ms\":%.3f,\"user_ms\":%.3f,\"system_ms\":%.3f,"
	    "\"children_cpu_ms\":%.3f,\"children_user_ms\":%.3f,\"children_system_ms\":%.3f,"
	    "\"gc_ms\":%.3f,\"gc_count\":%lu,\"peak_mb\":%.1f,\"copy_ms\":%.3f%s}}",
	    now.clock - begun.clock, user + system, user, system, children_user + children_system, children_user,
	    children_system, gc_ms - gc_ms_begun, now.collections - begun.collections, now.peak_mb, ss_park_ms(),
	    !ss.copy ? ""
	    : ss.older
		? ",\"subshell\":\"a copy of the session as it was before the cell that was running, which came to no "
		  "point where it could be copied: what is assigned here stays in this subshell\""
		: ",\"subshell\":\"a copy of the session: what is assigned here stays in this subshell\"");
}
