/* where.c: an interrupt that always ends.
 *
 * R looks for interrupts where it chooses; C code of a package may never. WHERE_MS after an interrupt without effect the user
 * is told where R is, and that a second interrupt abandons the cell: then the process is ended, and the parked copy goes on
 * with the state of before the cell; or a new copy of the session, if it was that of a subshell.
 */
#include "base/clock.h"
#include "base/log.h"
#include "jupyter/flow.h"
#include "kernel/kernel.h"

#include <sys/stat.h>
#include <unistd.h>

#define WHERE_MS 5000
#define AGAIN_MS 500  /* after an interrupt that R has not looked at, for a child that was started since */
#define ANSWER_MS 200 /* for the session's signal handler to write its report */
#define REPORT_MAX 16384

size_t where_report(int fd, struct buf *out)
{
	static char text[REPORT_MAX];
	size_t lines = 0;
	ssize_t n = pread(fd, text, sizeof text, 0);
	(void)!ftruncate(fd, 0);
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	if (n > 0)
		buf_put(out, text, (size_t)n);
	return lines;
}

static void due_at(struct kernel *k, struct wire *w, int64_t at)
{
	w->where.at = at;
	if (at && (!k->where_at || at < k->where_at))
		k->where_at = at;
}

bool where_interrupted(struct kernel *k, struct wire *w)
{
	if (w->where.step == WHERE_TOLD) {
		log_warn("the user abandons the cell");
		w->where = (struct where){.step = WHERE_NONE};
		return true;
	}
	if (w->where.step == WHERE_NONE) {
		w->where.step = WHERE_SENT;
		due_at(k, w, clock_ms() + AGAIN_MS);
	}
	return false;
}

static int report_of(const struct kernel *k, const struct wire *w)
{
	return w->copy ? w->copy->report : k->session.report;
}

static void tell(struct kernel *k, const struct wire *w)
{
	struct buf report = BUF_INIT(BUF_MAX_SMALL), text = BUF_INIT(BUF_MAX_SMALL);
	where_report(report_of(k, w), &report);
	buf_printf(&text, "R has not stopped %d s after the interrupt.", WHERE_MS / 1000);
	if (report.len)
		buf_printf(&text, " It is here (innermost first):\n%s", report.data);
	else
		buf_puts(&text, " It does not say where it is: it may wait for the system or for a stopped child.\n");
	buf_puts(&text, "It may still stop by itself. Interrupt once more to abandon this cell: ");
	if (w->copy)
		buf_puts(&text, "this subshell's process is then ended, and what was assigned in it is lost.\n");
	else
		buf_puts(&text,
			 k->session.parked.link >= 0
			     ? "R is then ended, and the session goes on as it was before the cell.\n"
			     : "R is then ended, and a new one is started; there is no copy of the variables.\n");
	pub_text(w->pub, PUB_STDERR, text.data, text.len);
	pub_flush(w->pub, false);
	buf_release(&report);
	buf_release(&text);
}

static void step(struct kernel *k, struct wire *w, int64_t now)
{
	pid_t pid = w->copy ? w->copy->pid : k->session.pid;
	if (!w->running || k->stop.on || pid <= 0) {
		where_done(w);
	} else if (w->where.step == WHERE_SENT) {
		sigqueue(pid, LINK_INTERRUPT_SIGNAL,
			 (union sigval){.sival_int = (int)(w->running->id | LINK_INTERRUPT_AGAIN)});
		w->where.step = WHERE_WAIT;
		due_at(k, w, now + WHERE_MS - AGAIN_MS);
	} else if (w->where.step == WHERE_WAIT && flow_bytes() >= FLOW_HIGH + FLOW_SPARE) {
		/* It may well have stopped: it is not heard before clients have taken its text. */
		due_at(k, w, now + WHERE_MS);
	} else if (w->where.step == WHERE_WAIT) {
		(void)!ftruncate(report_of(k, w), 0);
		sigqueue(pid, LINK_WHERE_SIGNAL, (union sigval){.sival_int = 0});
		w->where.step = WHERE_ASKED;
		due_at(k, w, now + ANSWER_MS);
	} else if (w->where.step == WHERE_ASKED) {
		tell(k, w);
		w->where = (struct where){.step = WHERE_TOLD};
	}
}

static void look(struct kernel *k, struct wire *w, int64_t now)
{
	if (w->where.at && w->where.at <= now)
		step(k, w, now);
	else
		due_at(k, w, w->where.at);
}

void where_due(struct kernel *k)
{
	int64_t now = clock_ms();
	k->where_at = 0;
	look(k, &k->main, now);
	for (struct copy *c = k->copies.first; c; c = c->next)
		look(k, &c->wire, now);
}

void where_done(struct wire *w)
{
	w->where = (struct where){.step = WHERE_NONE};
}
