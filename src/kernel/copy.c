/* copy.c: copies of the session that serve (docs/link.md, "Copies that serve"): asked for, taken, and buried.
 *
 * A copy is a child of the session, or of the process that is parked, and not ours: that it has died is seen by its link, and how, by the
 * report that it leaves. Whoever is to see its exit status is told to look (LINK_COPY_SIGNAL with 0).
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAP_MS 50 /* how often it is looked whether one that has ended is gone */
#define MAX_LINES 60

/* Takes the descriptors over. */
static struct copy *new_copy(struct kernel *k, int fd[LINK_ENDS])
{
	struct copy **at = &k->copies.first, *c = NULL;
	size_t n = 0;
	for (; *at; at = &(*at)->next)
		n++;
	if (n < COPIES_MOST)
		c = mem_calloc(1, sizeof *c);
	if (!c) {
		link_ends_close(fd);
		return NULL;
	}
	wire_init(&c->wire, &c->pub);
	pub_init(&c->pub, &k->sockets);
	c->wire.copy = c;
	c->wire.link = fd[LINK_END_LINK];
	c->wire.pipe[0] = fd[LINK_END_OUT];
	c->wire.pipe[1] = fd[LINK_END_ERR];
	c->report = fd[LINK_END_REPORT];
	c->made_at = clock_ms();
	*at = c;
	return c;
}

static void ask_session(struct kernel *k, int what)
{
	if (k->session.copies && k->session.pid > 0 && k->session.state == SESSION_READY)
		sigqueue(k->session.pid, LINK_COPY_SIGNAL, (union sigval){.sival_int = what});
}

void copy_ask(struct kernel *k, int64_t now)
{
	k->copies.asked_at = now;
	ask_session(k, 1);
}

/* Who waits longest is served: the looks, or else the first subshell that has none. */
static void assign(struct kernel *k, struct copy *c)
{
	struct subshell *s = k->subshells;
	int64_t at = 0;
	if (queue_look(k, clock_ms(), &at) || at) {
		if (k->copies.looker)
			k->copies.looker->stale = true;
		k->copies.looker = c;
		return;
	}
	while (s && (s->copy || !s->queue.first || !subshell_own(s->queue.first)))
		s = s->next;
	if (!s) {
		c->stale = true; /* nobody needs it any more */
		return;
	}
	s->copy = c;
	c->owner = s;
}

void copy_took(struct kernel *k, const json_t *head)
{
	int fd[LINK_ENDS];
	const char *why = json_string_or(head, "why", NULL);
	k->copies.asked_at = 0;
	if (why) {
		log_info("the session makes no copy: %s", why);
		snprintf(k->copies.refused, sizeof k->copies.refused, "%s", why);
		k->copies.refused_at = clock_ms();
		return;
	}
	for (int i = 0; i < LINK_ENDS; i++)
		fd[i] = wire_passed(&k->main);
	struct copy *c = fd[LINK_END_REPORT] < 0 ? NULL : new_copy(k, fd);
	if (fd[LINK_END_REPORT] < 0) {
		log_error("the session made a copy without its descriptors");
		link_ends_close(fd);
	}
	if (!c)
		return;
	c->ms = json_number_value(json_object_get(head, "ms"));
	log_debug("a copy that serves was made in %.1f ms", c->ms);
	assign(k, c);
}

/* ---- of the parked process ---- */

/* SERVE with descriptors. The frame is smaller than any socket's buffer, and nothing else is on its way there. */
static bool send_serve(int link, const int fd[LINK_ENDS])
{
	struct buf frame = BUF_INIT(BUF_MAX_SMALL);
	bool sent = link_encode(&frame, LINK_SERVE, 1, 0, NULL, 0, NULL) &&
		    link_send_fds(link, frame.data, frame.len, fd, LINK_ENDS, MSG_DONTWAIT) == (ssize_t)frame.len;
	buf_release(&frame);
	return sent;
}

void copy_ask_parked(struct kernel *k, struct subshell *owner, int64_t now)
{
	int ours[LINK_ENDS], theirs[LINK_ENDS];
	k->copies.parked_at = now;
	bool ok = link_ends_make(ours, theirs) && send_serve(k->session.parked.link, theirs);
	link_ends_close(theirs);
	if (!ok) {
		log_warn("the parked process could not be asked for a copy: %s", strerror(errno));
		link_ends_close(ours);
		return;
	}
	struct copy *c = new_copy(k, ours);
	if (!c)
		return;
	c->owner = owner;
	if (owner) {
		owner->copy = c;
	} else {
		if (k->copies.looker)
			k->copies.looker->stale = true;
		k->copies.looker = c;
	}
	log_debug("the parked process was asked for a copy: the session comes to no safe point");
}

/* ---- its life ---- */

void copy_ready(struct kernel *k, struct copy *c, pid_t pid)
{
	c->pid = pid;
	c->ready = true;
	log_debug("copy %d serves %s", (int)pid, c->owner ? c->owner->id : "looks");
}

/* The lines of a text, in place. */
static size_t lines_of(char *text, const char **lines, size_t max)
{
	size_t n = 0;
	for (char *line = text, *end; line && *line && n < max; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		lines[n++] = line;
	}
	return n;
}

void copy_end(struct kernel *k, struct copy *c, const char *ename, const char *evalue, const struct buf *report)
{
	struct request *r = c->wire.running;
	const char *lines[MAX_LINES + 1] = {evalue};
	if (c->over)
		return;
	c->over = true;
	pipes_drain(k, &c->wire);
	pub_flush(&c->pub, true);
	stdin_cancel(&c->wire);
	wire_close(&c->wire);
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
	}
	if (c->owner)
		c->owner->copy = NULL;
	if (k->copies.looker == c)
		k->copies.looker = NULL;
	if (r && r->looking) {
		request_give_back(k, r); /* to the session: it may be what ended the copy */
	} else if (r) {
		size_t n = report && report->data ? lines_of(report->data, lines + 1, MAX_LINES) : 0;
		execute_fail(k, r, ename, evalue, lines, n + 1);
	}
	c->wire.running = NULL;
}

void copy_let_go(struct kernel *k, struct copy *c)
{
	copy_end(k, c, "SubshellEnded", "the subshell's process was ended", NULL);
}

void copy_died(struct kernel *k, struct copy *c)
{
	struct buf report = BUF_INIT(BUF_MAX_SMALL);
	char how[300];
	if (c->over)
		return;
	if (where_report(c->report, &report)) {
		size_t n = strcspn(report.data, "\n"); /* the first line names the signal */
		snprintf(how, sizeof how, "the subshell's process was ended by %.*s", (int)(n < 200 ? n : 200),
			 report.data);
		buf_consume(&report, n + 1 < report.len ? n + 1 : report.len);
		buf_puts(&report,
			 "What this subshell has assigned is lost. The session and other subshells are not concerned; "
			 "the next cell of this one begins with a new copy of the session.");
	} else {
		snprintf(how, sizeof how, "the subshell's process has ended%s",
			 c->stale ? "" : ", without a word: somebody killed it, or memory was short");
	}
	if (c->wire.running)
		log_warn("%s", how);
	copy_end(k, c, "SubshellDied", how, &report);
	buf_release(&report);
}

void copy_broken(struct kernel *k, struct copy *c, const char *why)
{
	log_error("a copy of the session is ended: %s", why);
	copy_end(k, c, "SubshellDied", why, NULL);
}

void copies_end(struct kernel *k, const char *ename, const char *evalue)
{
	for (struct copy *c = k->copies.first; c; c = c->next)
		copy_end(k, c, ename, evalue, NULL);
	k->copies.asked_at = k->copies.parked_at = k->copies.refused_at = 0;
}

void copies_stale(struct kernel *k)
{
	if (k->copies.looker)
		k->copies.looker->stale = true;
	k->copies.parked_at = 0;
}

/* Those that run code; the same two signals as for the session. */
void copies_interrupt(struct kernel *k, const struct subshell *only)
{
	for (struct copy *c = k->copies.first; c; c = c->next) {
		if (!c->wire.running || !c->owner || c->pid <= 0 || (only && c->owner != only))
			continue;
		if (where_interrupted(k, &c->wire)) {
			copy_end(k, c, "interrupt", "the cell was abandoned: R did not stop when it was interrupted",
				 NULL);
			continue;
		}
		c->wire.running->interrupted = true;
		stdin_cancel(&c->wire);
		sigqueue(c->pid, LINK_INTERRUPT_SIGNAL, (union sigval){.sival_int = (int)c->wire.running->id});
		kill(-c->pid, SIGINT);
	}
}

static void release(struct copy *c)
{
	wire_release(&c->wire);
	for (int i = 0; i < 2; i++)
		if (c->wire.pipe[i] >= 0)
			close(c->wire.pipe[i]);
	close(c->report);
	pub_release(&c->pub);
}

/* It is nobody's child here; that it can be waited for by whose child it is, is seen by a pidfd. */
static bool has_exited(pid_t pid)
{
	bool exited = true;
#ifdef SYS_pidfd_open
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (fd >= 0) {
		exited = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) > 0;
		close(fd);
	}
#endif
	return exited;
}

static void wait_for_exits(struct kernel *k)
{
	bool any = false;
	for (struct copy **at = &k->copies.dying, *c; (c = *at);) {
		if (!has_exited(c->pid)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		free(c);
		any = true;
	}
	if (any)
		ask_session(k, 0);
	k->copies.reap_at = k->copies.dying ? clock_ms() + REAP_MS : 0;
}

void copies_bury(struct kernel *k)
{
	for (struct copy **at = &k->copies.first, *c; (c = *at);) {
		if (!c->over) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		release(c);
		c->next = k->copies.dying;
		k->copies.dying = c;
		k->copies.reap_at = clock_ms() + REAP_MS;
	}
	if (k->copies.reap_at && k->copies.reap_at <= clock_ms())
		wait_for_exits(k);
	if (k->copies.reap_at && (!k->copies.at || k->copies.reap_at < k->copies.at))
		k->copies.at = k->copies.reap_at;
}

void copies_release(struct kernel *k)
{
	struct copy *c;
	copies_end(k, "ShutdownError", "the kernel ends");
	copies_bury(k);
	while ((c = k->copies.dying)) {
		k->copies.dying = c->next;
		free(c);
	}
}
