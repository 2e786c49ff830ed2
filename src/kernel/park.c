/* park.c: the copy of the session that waits to take its place. */
#include "base/log.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void drop(struct parked *p)
{
	if (p->link >= 0)
		close(p->link); /* it exits when it sees that */
	json_decref(p->lost);
	*p = (struct parked){.link = -1};
}

void park_let_go(struct kernel *k)
{
	drop(&k->session.parked);
	drop(&k->session.older);
}

void park_took(struct kernel *k, const json_t *head, int link)
{
	struct session *s = &k->session;
	/* Cells as the user counts them: completions and what a client runs silently are none. */
	long cells = k->count - (k->main.running && k->main.running->store_history ? 1 : 0);
	if (s->parked.link >= 0 && s->parked.cells < cells) {
		drop(&s->older);
		s->older = s->parked;
	} else {
		drop(&s->parked);
	}
	s->parked = (struct parked){.pid = (pid_t)json_int_or(head, "pid", 0), .link = link, .cells = cells};
	s->parked.ran = s->ran - (k->main.running && request_is_cell(k->main.running) ? 1 : 0);
	s->parked.lost = json_incref(json_object_get(head, "lost"));
	memory_parked(k);
	log_debug("parked %d in %.1f ms", (int)s->parked.pid, json_number_value(json_object_get(head, "ms")));
}

/* Its end of the link is open while it lives, and it says nothing before it is woken. */
static bool alive(const struct parked *p)
{
	char byte;
	return p->link >= 0 && recv(p->link, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       (errno == EAGAIN || errno == EWOULDBLOCK);
}

unsigned park_behind(const struct kernel *k)
{
	const struct session *s = &k->session;
	return s->ran - s->parked.ran - (k->main.running && request_is_cell(k->main.running) ? 1 : 0);
}

void park_choose(struct kernel *k)
{
	struct session *s = &k->session;
	if (alive(&s->parked) || !alive(&s->older))
		return;
	drop(&s->parked);
	s->parked = s->older;
	s->older = (struct parked){.link = -1};
}

bool park_undo(struct kernel *k)
{
	struct session *s = &k->session;
	long ended = k->count - (k->main.running && k->main.running->store_history ? 1 : 0);
	/* Where no copy was made after the last cell, the newest is what is wanted. */
	if (alive(&s->parked) && s->parked.cells < ended)
		return true;
	if (!alive(&s->older))
		return false;
	drop(&s->parked);
	park_choose(k);
	return true;
}

bool park_wake(struct kernel *k)
{
	struct session *s = &k->session;
	struct buf head = BUF_INIT(BUF_MAX_MESSAGE);
	if (!alive(&s->parked)) {
		drop(&s->parked);
		return false;
	}
	s->pid = s->parked.pid;
	k->main.link = s->parked.link;
	s->parked.link = -1;
	drop(&s->parked);
	session_fresh_link(k);
	s->state = SESSION_STARTING;
	s->waking = true;
	buf_putc(&head, '{');
	comms_for_woken(k, &head);
	buf_putc(&head, '}');
	struct slice part = SLICE_BUF(&head);
	link_send(&k->main, LINK_WAKE, 0, &part, head.failed ? 0 : 1);
	buf_release(&head);
	log_info("the parked process %d is the session now", (int)s->pid);
	return true;
}
