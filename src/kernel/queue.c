/* queue.c: whose turn it is.
 *
 * The main shell has a queue and each subshell has one. Within a queue requests are answered in the order in which they came; an
 * exception are those of the main shell that only look, which need not wait for a cell that takes long. Between queues there is no
 * order, but messages of one comm are answered in theirs wherever they were sent.
 */
#include "base/clock.h"
#include "kernel/kernel.h"

#define LOOK_MS \
	250 /* the session is busy for so long, and the request waits for so long, before one of the main shell looks */
#define LOOK_FAR 256 /* how far into a queue is looked */

void queue_push(struct kernel *k, struct request *r)
{
	if (strncmp(r->msg->type, "comm_", 5) == 0)
		r->comm = json_string_or(r->msg->content, "comm_id", "");
	*r->home->last = r;
	r->home->last = &r->next;
	r->home->n++;
	k->queued++;
}

void queue_remove(struct kernel *k, struct request *r)
{
	struct request **at = &r->home->first;
	while (*at && *at != r)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = r->next;
	if (!r->next)
		r->home->last = at;
	r->home->n--;
	k->queued--;
	r->next = NULL;
}

struct request *queue_pop_any(struct kernel *k)
{
	struct request *r = k->queue.first;
	for (struct subshell *s = k->subshells; s && !r; s = s->next)
		r = s->queue.first;
	if (r)
		queue_remove(k, r);
	return r;
}

static bool before_in(const struct request *first, const struct request *r)
{
	int n = 0;
	for (const struct request *q = first; q && q != r && q->order < r->order && n++ < LOOK_FAR; q = q->next)
		if (q->comm && strcmp(q->comm, r->comm) == 0)
			return true;
	return false;
}

static bool with(const struct wire *w, const struct request *r)
{
	const struct request *q = w->running;
	return q && q != r && q->comm && strcmp(q->comm, r->comm) == 0;
}

/* A message of the same comm that came earlier is not answered yet. */
static bool would_overtake(const struct kernel *k, const struct request *r)
{
	if (!r->comm)
		return false;
	bool other = with(&k->main, r) || before_in(k->queue.first, r);
	for (const struct copy *c = k->copies.first; c && !other; c = c->next)
		other = with(&c->wire, r);
	for (const struct subshell *s = k->subshells; s && !other; s = s->next)
		other = before_in(s->queue.first, r);
	return other;
}

/* The first of a queue, if it is for the session and can go to it now. */
static struct request *head_for_session(const struct kernel *k, const struct request_queue *q)
{
	struct request *r = q->first;
	bool void_ = k->session.state == SESSION_NONE; /* it is only to be told so */
	return r && !r->looking && (void_ || !subshell_own(r)) && !would_overtake(k, r) ? r : NULL;
}

struct request *queue_next(struct kernel *k)
{
	struct request *r = head_for_session(k, &k->queue), *other = NULL;
	for (const struct subshell *s = k->subshells; s; s = s->next) {
		struct request *head = head_for_session(k, &s->queue);
		if (head && (!other || head->order < other->order))
			other = head;
	}
	/* A subshell is there in order not to wait for all that is queued in the main shell; in turns, so that both go on. */
	if (other && (!r || !k->subshell_last))
		r = other;
	if (!r)
		return NULL;
	k->subshell_last = r == other;
	queue_remove(k, r);
	return r;
}

static void sooner(int64_t *at, int64_t then)
{
	if (!*at || then < *at)
		*at = then;
}

/* The first of the main queue that may look now. */
static struct request *look_of_main(struct kernel *k, int64_t now, int64_t *at)
{
	int64_t busy = k->main.running_since + LOOK_MS;
	int n = 0;
	for (struct request *r = k->queue.first; r && n++ < LOOK_FAR; r = r->next) {
		if (!request_looks(r) || r->looking || r->passed || would_overtake(k, r))
			continue;
		int64_t due = r->came + LOOK_MS > busy ? r->came + LOOK_MS : busy;
		if (due <= now)
			return r;
		sooner(at, due);
	}
	return NULL;
}

struct request *queue_look(struct kernel *k, int64_t now, int64_t *at)
{
	if (!k->main.running)
		return NULL;
	struct request *first = look_of_main(k, now, at);
	for (const struct subshell *s = k->subshells; s; s = s->next) {
		struct request *r = s->queue.first;
		if (r && request_looks(r) && !r->looking && !r->passed && !subshell_own(r) && !would_overtake(k, r) &&
		    (!first || r->order < first->order))
			first = r;
	}
	return first;
}
