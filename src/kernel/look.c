/* look.c: what copies of the session are for.
 *
 * While the session is busy, requests that only look are answered by a copy of it. One such copy serves all looks for LOOK_KEPT_MS,
 * longer if the fork was dear; then a fresh one is made, so that who looks again sees how things go on. If the session
 * comes to no safe point at which it could be copied, the parked process is, which has the state from before the cell.
 *
 * A subshell that is sent code gets a copy for itself, of the parked process only if the session has come to no safe point for longer.
 */
#include "base/clock.h"
#include "base/log.h"
#include "kernel/kernel.h"

#define LOOK_KEPT_MS 1500
#define DEAR 50                 /* a copy is kept for so many times what its fork took */
#define SAFE_POINT_MS 300       /* so long one is waited for */
#define SAFE_POINT_CELL_MS 2000 /* ... by a subshell's cell, for which it matters of when the state is */
#define PARKED_MS 2000          /* how often the parked process is asked, if that had no effect */
#define ANSWER_MS 10000 /* a look that takes longer is given up: it has a time limit of its own in the session */
#define REFUSED_MS 5000 /* how often a session that could not is asked */

static void sooner(struct kernel *k, int64_t at)
{
	if (!k->copies.at || at < k->copies.at)
		k->copies.at = at;
}

void copy_passed(struct kernel *k, struct copy *c, uint32_t request)
{
	struct request *r = c->wire.running;
	if (!r || r->id != request || !r->looking) {
		log_error("a copy passed request %u, which it has not been asked", request);
		return;
	}
	request_give_back(k, r);
}

/* Old copies, and those that do not come to an end. */
static void let_go_old(struct kernel *k, int64_t now)
{
	for (struct copy *c = k->copies.first; c; c = c->next) {
		int64_t kept = LOOK_KEPT_MS > c->ms * DEAR ? LOOK_KEPT_MS : (int64_t)(c->ms * DEAR);
		if (c->over)
			continue;
		if (!c->owner && now >= c->made_at + kept)
			c->stale = true;
		if (c->stale && !c->wire.running && !c->owner)
			copy_let_go(k, c);
		else if (!c->owner && c->wire.running && now >= c->wire.running_since + ANSWER_MS)
			copy_let_go(k, c);
		else if (!c->owner && c->wire.running)
			sooner(k, c->wire.running_since + ANSWER_MS);
		else if (!c->owner)
			sooner(k, c->made_at + kept);
	}
}

/* The session cannot make one now. What can wait waits. */
static bool refused(struct kernel *k, int64_t now)
{
	if (!k->copies.refused_at || now >= k->copies.refused_at + REFUSED_MS) {
		k->copies.refused_at = 0;
		return false;
	}
	sooner(k, k->copies.refused_at + REFUSED_MS);
	return true;
}

static void ask(struct kernel *k, int64_t now)
{
	if (!k->copies.asked_at && !refused(k, now))
		copy_ask(k, now);
}

/* Somebody looks, and there is nobody who could answer. */
static void need_looker(struct kernel *k, int64_t now)
{
	ask(k, now);
	if (k->session.parked.link < 0)
		return;
	int64_t at = k->copies.asked_at ? k->copies.asked_at + SAFE_POINT_MS : now;
	if (k->copies.parked_at && at < k->copies.parked_at + PARKED_MS)
		at = k->copies.parked_at + PARKED_MS;
	if (at <= now)
		copy_ask_parked(k, NULL, now);
	else
		sooner(k, at);
}

/* A subshell's cell waits for a copy that the session has not made. */
static void need_owned(struct kernel *k, struct subshell *s, int64_t now)
{
	ask(k, now);
	if (k->session.parked.link < 0 || !k->copies.asked_at)
		return;
	int64_t at = k->copies.asked_at + SAFE_POINT_CELL_MS;
	if (k->copies.parked_at && at < k->copies.parked_at + PARKED_MS)
		at = k->copies.parked_at + PARKED_MS;
	if (at <= now)
		copy_ask_parked(k, s, now);
	else
		sooner(k, at);
}

static void look(struct kernel *k, int64_t now)
{
	int64_t at = 0;
	struct request *r = queue_look(k, now, &at);
	struct copy *c = k->copies.looker;
	if (c && (c->stale || c->over))
		c = k->copies.looker = NULL;
	if (at)
		sooner(k, at);
	if (!r)
		return;
	if (!c)
		need_looker(k, now);
	else if (c->ready && !c->wire.running)
		request_give(k, &c->wire, r, true);
}

static size_t owned(const struct kernel *k)
{
	size_t n = 0;
	for (const struct subshell *s = k->subshells; s; s = s->next)
		n += s->copy != NULL;
	return n;
}

/* A subshell that is to run code and cannot be given a process. */
static void cannot_run(struct kernel *k, struct subshell *s, const char *why)
{
	struct request *r = s->queue.first;
	const char *line = why;
	queue_remove(k, r);
	execute_fail(k, r, "SubshellError", why, &line, 1);
}

static void serve_subshell(struct kernel *k, struct subshell *s, int64_t now)
{
	struct request *r;
	char why[400];
	while ((r = s->queue.first) && s->copy && s->copy->ready && !s->copy->stale && !s->copy->wire.running &&
	       subshell_own(r)) {
		queue_remove(k, r);
		if (!execute_refuse(k, r))
			request_give(k, &s->copy->wire, r, false);
	}
	while ((r = s->queue.first) && !s->copy && subshell_own(r)) {
		if (!k->session.copies) {
			cannot_run(k, s, "this session cannot run code in subshells: it makes no copies of itself");
		} else if (owned(k) >= COPIES_MAX) {
			cannot_run(
			    k, s,
			    "16 subshells have run code, each in a process of its own, and more there cannot be: "
			    "delete one");
		} else if (refused(k, now)) {
			snprintf(why, sizeof why, "there can be no copy of the session for this subshell: %s",
				 k->copies.refused);
			cannot_run(k, s, why);
		} else {
			need_owned(k, s, now);
			return;
		}
	}
}

void copies_turn(struct kernel *k)
{
	int64_t now = clock_ms();
	k->copies.at = k->copies.reap_at;
	let_go_old(k, now);
	if (k->stop.on || k->session.state != SESSION_READY)
		return;
	if (k->session.copies)
		look(k, now);
	for (struct subshell *s = k->subshells; s; s = s->next)
		serve_subshell(k, s, now);
}
