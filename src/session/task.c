#include "session/task.h"
#include "session/copy.h"
#include "session/plot.h"

#include "base/clock.h"
#include "rapi/deadline.h"
#include "rapi/exec.h"
#include "rapi/sandbox.h"

#include <poll.h>

#define STEP_NS 5000000   /* how long a step may take when nobody waits */
#define STUCK_MAX 8192    /* of the text that says where a task is */
#define SAFE_POINT_MS 100 /* limit of a task that holds up a running cell, unless it asks for less */

struct entry {
	struct ss_task task;
	bool more, dropped;
	double spent_ms; /* on a step that was begun and had to make room */
	struct entry *next;
};

static struct entry *queues[SS_TASK_CLASSES];
static struct entry *running; /* its step is on the stack */
static int64_t step_begin;
static void (*polled_before)(void);

bool ss_task_add(const struct ss_task *t)
{
	struct entry *e = calloc(1, sizeof *e), **at = &queues[t->class];
	if (!e)
		return false;
	e->task = *t;
	while (*at)
		at = &(*at)->next;
	*at = e;
	return true;
}

static void unlink_entry(const struct entry *e)
{
	struct entry **at = &queues[e->task.class];
	while (*at && *at != e)
		at = &(*at)->next;
	if (*at)
		*at = e->next;
}

void ss_task_drop(const void *data)
{
	for (size_t c = 0; c < SS_TASK_CLASSES; c++) {
		for (struct entry *e = queues[c], *next; e; e = next) {
			next = e->next;
			if (e->task.data != data || e->dropped)
				continue;
			e->dropped = true;
			if (e == running)
				continue;
			unlink_entry(e);
			free(e);
		}
	}
}

bool ss_task_waiting(void)
{
	return queues[SS_TASK_IDLE] || queues[SS_TASK_SAFE_POINT];
}

bool ss_task_frame_waits(void)
{
	struct pollfd p = {.fd = ss.link.fd, .events = POLLIN};
	return link_peer_has_more(&ss.link) || poll(&p, 1, 0) > 0;
}

bool ss_task_yields(void)
{
	return clock_ns() - step_begin >= STEP_NS || (ss.request == 0 && ss_task_frame_waits());
}

/* Names and texts of the user are for the log's finest level only. */
static void log_end(const struct r_report *r)
{
	if (r->end == R_RETURNED && !r->pcs_are_stuck)
		return;
	struct r_report plain = *r;
	struct buf line = BUF_INIT(BUF_MAX_SMALL), full = BUF_INIT(BUF_MAX_SMALL);
	plain.message[0] = plain.buffer[0] = '\0';
	r_report_short(&plain, &line);
	r_report_full(r, &full);
	if (r->pcs_are_stuck)
		buf_puts(&line, ", without having looked for interrupts in time");
	ss_log("warn", "%s (for %s, after %.3f ms)", line.data ? line.data : "", r->asker, r->ms);
	ss_log("debug", "%s", full.data ? full.data : "");
	buf_release(&line);
	buf_release(&full);
}

bool ss_task_now(const char *name, const char *asker, void (*fn)(void *), void *data, int limit_ms, struct r_report *r)
{
	struct r_budget budget = {.ms = limit_ms};
	*r = r_report_of(name, asker);
	bool ok = r_sandbox(fn, data, &budget, r);
	log_end(r);
	return ok;
}

/* Appends text to JSON without its quotes; what would have to be escaped is not wanted in a log. */
static void add_plain(char *to, size_t room, size_t *len, const char *s)
{
	for (; *s && *len + 1 < room; s++)
		to[(*len)++] = (unsigned char)*s < ' ' || *s == '"' || *s == '\\' ? ' ' : *s;
}

void ss_task_stuck(const struct r_report *r, void *const *pcs, size_t n)
{
	static char head[STUCK_MAX];
	static const char begin[] = "{\"level\":\"warn\",\"text\":\"", line_end[] = "\\n", end[] = "\"}";
	size_t len = sizeof begin - 1, room = sizeof head - sizeof end;
	memcpy(head, begin, len);
	add_plain(head, room, &len, r && *r->asked ? r->asked : "work of the session");
	add_plain(head, room, &len, " for ");
	add_plain(head, room, &len, r && *r->asker ? r->asker : "itself");
	add_plain(head, room, &len, " is over its time and does not look for interrupts. C frames:");
	for (size_t i = 0; i < n && len + 256 < room; i++) {
		char line[200];
		r_frames_line(line, sizeof line, i, pcs[i]);
		memcpy(head + len, line_end, sizeof line_end - 1);
		len += sizeof line_end - 1;
		add_plain(head, room, &len, line);
	}
	memcpy(head + len, end, sizeof end - 1);
	link_peer_note(&ss.link, LINK_LOG, head, len + sizeof end - 1);
}

/* May jump. */
static void run_step(void *data)
{
	struct entry *e = data;
	e->more = e->task.step(e->task.data);
}

static void end_task(struct entry *e, const struct r_report *r)
{
	unlink_entry(e);
	log_end(r);
	if (!e->dropped)
		e->task.done(e->task.data, r);
	free(e);
}

/* A step of the first task of a class. Does not jump. */
static void step(enum ss_task_class class, bool for_a_frame, int limit_ms)
{
	struct entry *e = queues[class], *outer = running;
	struct r_budget budget = {.ms = e->task.limit_ms ? e->task.limit_ms : R_LIMIT_MS,
				  .wanted = for_a_frame ? ss_task_frame_waits : NULL};
	struct r_report r = r_report_of(e->task.name, e->task.asker);
	int64_t outer_begin = step_begin;
	if (limit_ms && limit_ms < budget.ms)
		budget.ms = limit_ms;
	int whole = budget.ms;
	if (budget.ms > 0) /* or else one that is always interrupted would never end */
		budget.ms = e->spent_ms < budget.ms - 1 ? budget.ms - (int)e->spent_ms : 1;
	running = e;
	step_begin = clock_ns();
	e->more = false;
	bool ok = r_sandbox(run_step, e, &budget, &r);
	running = outer;
	step_begin = outer_begin;
	e->spent_ms = ok ? 0 : e->spent_ms + r.ms;
	if (!e->dropped && (ok ? e->more : r.end == R_YIELDED))
		return;
	r.limit_ms = whole;
	end_task(e, &r);
}

void ss_task_idle(void)
{
	/* Those that could have been done earlier go first. */
	enum ss_task_class class = queues[SS_TASK_SAFE_POINT] ? SS_TASK_SAFE_POINT : SS_TASK_IDLE;
	if (queues[class] && !running)
		step(class, true, 0);
}

/* R calls this where it looks for interrupts. May jump: code whose time is over and that catches interrupts is left here. */
static void safe_point(void)
{
	if (r_in_child()) {
		polled_before();
		return;
	}
	r_deadline_enforce();
	ss_copy_turn();
	if (queues[SS_TASK_SAFE_POINT] && !running && !r_sandboxed())
		step(SS_TASK_SAFE_POINT, false, SAFE_POINT_MS);
	ss_plot_at_rest();
	polled_before();
}

static void nothing(void)
{
}

void ss_task_forget(void)
{
	for (size_t c = 0; c < SS_TASK_CLASSES; c++)
		queues[c] = NULL; /* their data is the comms' */
	running = NULL;
	polled_before = nothing;
	R_PolledEvents = safe_point;
}

void ss_task_init(void)
{
	polled_before = R_PolledEvents ? R_PolledEvents : nothing;
	R_PolledEvents = safe_point;
}
