/* death.c: the session's process is gone. Whoever waits for it gets an answer that says what happened, and somebody follows:
 * the parked copy if there is one, else a fresh start.
 */
#include "base/log.h"
#include "kernel/kernel.h"

#include <sys/wait.h>

#define MAX_STARTS 3 /* deaths before READY, in a row, until it is given up */
#define MAX_LINES 200
#define MAX_FRAMES 12 /* C frames that are shown in the cell */

/* The traceback of the error: `text` holds the lines, one after the other. */
struct story {
	const char *ename;
	char how[400]; /* the first line, and the error's value */
	struct buf text;
};

/* How it ended, in words. */
static void describe(const struct kernel *k, const struct session_end *end, struct story *t)
{
	const struct session *s = &k->session;
	char whose[300];
	int signal = WIFSIGNALED(end->status) ? WTERMSIG(end->status) : 0;
	t->ename = s->abandoned ? "interrupt" : "SessionDied";
	if (s->abandoned)
		snprintf(t->how, sizeof t->how, "the cell was abandoned: R did not stop when it was interrupted");
	else if (*s->broken)
		snprintf(t->how, sizeof t->how, "R was ended by the kernel: %s", s->broken);
	else if (signal == SIGKILL) {
		memory_verdict(k, &end->usage, whose, sizeof whose);
		snprintf(t->how, sizeof t->how, "R was ended by signal 9 (Killed)%s", whose);
	} else if (signal)
		snprintf(t->how, sizeof t->how, "R was ended by signal %d (%s)", signal, strsignal(signal));
	else
		snprintf(t->how, sizeof t->how, "R ended unexpectedly, with exit status %d", WEXITSTATUS(end->status));
}

/* The innermost frames are for the user, all of them for the log. */
static void put_report(struct kernel *k, struct story *t)
{
	struct buf report = BUF_INIT(BUF_MAX_SMALL);
	size_t frames = 0;
	if (where_report(k->session.report, &report)) {
		buf_puts(
		    &t->text,
		    "Where it was, innermost first (C: frames of C code with their library, R: calls of R code):\n");
		for (char *line = report.data, *end; (end = strchr(line, '\n')); line = end + 1) {
			log_warn("where it was: %.*s", (int)(end - line), line);
			if (strncmp(line, "C: ", 3) != 0 && frames > MAX_FRAMES) {
				buf_printf(&t->text, "C: and %zu more, which are in the kernel's log\n",
					   frames - MAX_FRAMES);
				frames = 0;
			}
			if (strncmp(line, "C: ", 3) == 0 && ++frames > MAX_FRAMES)
				continue;
			buf_put(&t->text, line, (size_t)(end - line) + 1);
		}
	}
	buf_release(&report);
}

static void put_for_report(struct kernel *k, const struct session_end *end, struct buf *out)
{
	char peak[64];
	memory_peak(k, &end->usage, peak, sizeof peak);
	buf_printf(out, "For a bug report: carrack %s, R %s (%s), wait status 0x%x, peak memory %s.\n", CARRACK_VERSION,
		   k->session.version, *k->rhome.path ? k->rhome.path : "another session", (unsigned)end->status, peak);
}

/* Who follows, and what of before is still there. */
static void follow(struct kernel *k, struct story *t, const char *kept)
{
	json_t *lost = json_incref(k->session.parked.lost), *what;
	bool had = k->session.parked.link >= 0;
	size_t i;
	if (park_wake(k)) {
		buf_puts(&t->text, kept);
		json_array_foreach(lost, i, what) buf_printf(&t->text, "Not kept: %s\n", json_string_value(what));
	} else {
		park_let_go(k);
		comms_lost(k);
		if (had)
			buf_puts(&t->text, "The copy of the session was ended, too.\n");
		else if (k->memory.let_go)
			buf_puts(&t->text, "The copy of the session had been let go, because memory was short.\n");
		k->memory.let_go = false;
		session_start(k);
		buf_puts(&t->text,
			 k->session.state == SESSION_NONE ? "No new R could be started." : "A new R was started.");
		buf_puts(&t->text, " The variables, attached packages and options of before are lost.\n");
	}
	json_decref(lost);
}

static void tell_cell(struct kernel *k, struct request *r, struct story *t)
{
	const char *lines[MAX_LINES];
	size_t n = 0;
	lines[n++] = t->how;
	for (char *p = t->text.data; p && *p && n < MAX_LINES;) {
		char *end = strchr(p, '\n');
		lines[n++] = p;
		if (!end)
			break;
		*end = '\0';
		p = end + 1;
	}
	execute_fail(k, r, t->ename, t->how, lines, n);
}

/* Forking may have been too dear, or memory too short, for a copy before each cell: then the copy is of longer ago. */
static void put_kept(const struct kernel *k, char *out, size_t max)
{
	unsigned behind = park_behind(k);
	if (behind == 0 && !(k->main.running && request_is_cell(k->main.running)))
		snprintf(out, max, "The session goes on as it was after the last cell.\n");
	else if (behind == 0)
		snprintf(
		    out, max,
		    "The session goes on as it was before this cell: variables, attached packages, options and the "
		    "random seed are kept.\n");
	else
		snprintf(
		    out, max,
		    "The session goes on as it was some time ago, with its variables, attached packages, options and "
		    "random seed: it was too dear to make a copy since then. Cells that ran after it and are lost: "
		    "%u.\n",
		    behind);
}

/* What is to be read where no cell runs. */
static void tell_all(struct kernel *k, const struct buf *text)
{
	pub_text(&k->pub, PUB_STDERR, text->data, text->len);
	pub_flush(&k->pub, true);
}

/* The request that asked, if one did; code of comms can ask, too, which have no reply. */
static void end_undoing(struct kernel *k, struct request *r)
{
	if (r && request_is_cell(r)) {
		k->main.running = NULL;
		execute_finish(k, r, SLICE_STR("{\"status\":\"ok\"}"), (struct slice){0});
	} else if (r) {
		execute_fail(k, r, "Undone", "", NULL, 0);
	}
}

static void undone(struct kernel *k)
{
	struct request *r = k->main.running;
	struct story t = {.ename = "Undone",
			  .how = "the session went back before this was run",
			  .text = BUF_INIT(BUF_MAX_SMALL)};
	char kept[300] = "The session is as it was before the last cell.\n";
	park_choose(k);
	unsigned behind = park_behind(k);
	if (behind > 1)
		snprintf(kept, sizeof kept,
			 "The session is as it was before the last %u cells: between them no copy was made.\n", behind);
	follow(k, &t, kept);
	if (r && r->id != k->session.undo_in) {
		tell_cell(k, r, &t); /* it was given while code outside of any request asked */
	} else {
		tell_all(k, &t.text);
		end_undoing(k, r);
	}
	buf_release(&t.text);
}

static void died(struct kernel *k, const struct session_end *end)
{
	struct story t = {.text = BUF_INIT(BUF_MAX_SMALL)};
	char kept[300];
	describe(k, end, &t);
	log_error("%s", t.how);
	put_report(k, &t);
	if (!k->session.abandoned)
		put_for_report(k, end, &t.text);
	park_choose(k);
	put_kept(k, kept, sizeof kept);
	follow(k, &t, kept);
	struct request *r = k->main.running;
	if (!r || !request_is_cell(r)) {
		/* What asks about code or belongs to a comm has no place where the user would see an error. */
		struct buf text = BUF_INIT(BUF_MAX_SMALL);
		buf_printf(&text, "%s, while %s%s.\n%s", t.how, r ? "it answered a " : "no cell ran",
			   r ? r->msg->type : "", t.text.data);
		tell_all(k, &text);
		buf_release(&text);
	}
	if (r)
		tell_cell(k, r, &t);
	buf_release(&t.text);
}

static void start_failed(struct kernel *k, const struct session_end *end)
{
	struct session *s = &k->session;
	struct story t = {.text = BUF_INIT(BUF_MAX_SMALL)};
	char words[600] = "";
	describe(k, end, &t);
	if (s->start_text.len) {
		size_t from = s->start_text.len > 500 ? s->start_text.len - 500 : 0;
		while (from < s->start_text.len && ((unsigned char)s->start_text.data[from] & 0xC0) == 0x80)
			from++;
		snprintf(words, sizeof words, " Its last words were:\n%s", s->start_text.data + from);
	}
	if (s->waking) {
		static const char text[] =
		    "The copy of the session could not be woken. A new R is started; what the old one held is lost.\n";
		pub_text(&k->pub, PUB_STDERR, text, sizeof text - 1);
		park_let_go(k);
		comms_lost(k);
		s->waking = false;
	}
	s->failed_starts++;
	snprintf(s->why, sizeof s->why, "%.200s, while it was starting, for the %s time.%s", t.how,
		 s->failed_starts == 3   ? "third"
		 : s->failed_starts == 2 ? "second"
					 : "first",
		 words);
	log_error("%s", s->why);
	buf_release(&t.text);
	if (s->failed_starts < MAX_STARTS) {
		session_start(k);
		return;
	}
	s->state = SESSION_NONE;
	park_let_go(k); /* of one that died while idle: nobody will wake them */
	comms_lost(k);
	size_t n = strlen(s->why);
	snprintf(
	    s->why + n, sizeof s->why - n,
	    "\nIt is not started again. `carrack doctor` looks for the reason; restart the kernel when it is mended.");
}

/* It left by its own will (q()), or because it was told to. */
static void left(struct kernel *k)
{
	kill(-k->session.pid, SIGHUP); /* as when a terminal closes: what is to outlive it was started with nohup */
	k->session.pid = 0;
	stop_session_gone(k);
}

void session_ended(struct kernel *k, const struct session_end *end)
{
	struct session *s = &k->session;
	where_done(&k->main);
	copies_end(k, "SessionDied", "R has ended, and with it the copies of it in which subshells run code");
	if (s->state == SESSION_LEAVING || k->stop.on) {
		left(k);
		return;
	}
	/* One that dies again and again while idle, of what an event source does for example, is not taken up for ever. */
	bool starting = s->state == SESSION_STARTING || (!k->main.running && s->failed_starts >= MAX_STARTS - 1);
	if (!k->main.running && s->state == SESSION_READY && !starting)
		s->failed_starts++;
	s->pid = 0;
	s->state = SESSION_NONE;
	if (starting)
		start_failed(k, end);
	else if (s->undo)
		undone(k);
	else
		died(k, end);
}
