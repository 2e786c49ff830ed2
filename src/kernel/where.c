/* where.c: an interrupt that always ends.
 *
 * R looks for interrupts where it chooses; C code of a package may never. WHERE_MS after an interrupt without effect the user
 * is told where R is, and that a second interrupt abandons the cell: then the process is ended, and the parked copy goes on
 * with the state of before the cell.
 */
#include "base/clock.h"
#include "base/log.h"
#include "jupyter/flow.h"
#include "kernel/kernel.h"

#include <sys/stat.h>
#include <unistd.h>

#define WHERE_MS 5000
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

void where_interrupted(struct kernel *k)
{
	if (k->where == WHERE_TOLD && !k->session.abandoned) {
		log_warn("the user abandons the cell");
		k->session.abandoned = true;
		kill(-k->session.pid, SIGKILL);
	} else if (k->where == WHERE_NONE) {
		k->where = WHERE_WAIT;
		k->where_at = clock_ms() + WHERE_MS;
	}
}

static void tell(struct kernel *k)
{
	struct buf report = BUF_INIT(BUF_MAX_SMALL), text = BUF_INIT(BUF_MAX_SMALL);
	where_report(k->session.report, &report);
	buf_printf(&text, "R has not stopped %d s after the interrupt.", WHERE_MS / 1000);
	if (report.len)
		buf_printf(&text, " It is here (innermost first):\n%s", report.data);
	else
		buf_puts(&text, " It does not say where it is: it may wait for the system or for a stopped child.\n");
	buf_puts(&text, "It may still stop by itself. Interrupt once more to abandon this cell: R is then ended, and ");
	buf_puts(&text, k->session.parked.link >= 0 ? "the session goes on as it was before the cell.\n"
						    : "a new one is started; there is no copy of the variables.\n");
	pub_text(&k->pub, PUB_STDERR, text.data, text.len);
	pub_flush(&k->pub, false);
	buf_release(&report);
	buf_release(&text);
}

void where_due(struct kernel *k)
{
	k->where_at = 0;
	if (!k->main.running || k->stop.on) {
		k->where = WHERE_NONE;
	} else if (k->where == WHERE_WAIT && flow_bytes() >= FLOW_HIGH + FLOW_SPARE) {
		/* It may well have stopped: it is not heard before clients have taken its text. */
		k->where_at = clock_ms() + WHERE_MS;
	} else if (k->where == WHERE_WAIT) {
		(void)!ftruncate(k->session.report, 0);
		sigqueue(k->session.pid, LINK_WHERE_SIGNAL, (union sigval){.sival_int = 0});
		k->where = WHERE_ASKED;
		k->where_at = clock_ms() + ANSWER_MS;
	} else if (k->where == WHERE_ASKED) {
		tell(k);
		k->where = WHERE_TOLD;
	}
}

void where_done(struct kernel *k)
{
	k->where = WHERE_NONE;
	k->where_at = 0;
}
