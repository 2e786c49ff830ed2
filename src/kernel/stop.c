/* stop.c: interrupting what runs, and ending.
 *
 * The end is a ladder: the session is asked (and what it runs is interrupted); after STOP_ASK_MS it gets SIGTERM,
 * after STOP_TERM_MS more SIGKILL. When its process is gone, whatever it left in the pipes is published, every request
 * gets its reply, then the shutdown requests get theirs. All within the 5 s that clients wait.
 *
 * Then all is said, but not yet heard: the loop goes on until every client has taken what is there for it, at most for
 * the time that a client is waited for in life (--patience). A second shutdown request or signal ends that at once.
 */
#include "base/clock.h"
#include "base/log.h"
#include "jupyter/flow.h"
#include "kernel/kernel.h"

#define STOP_ASK_MS 2000
#define STOP_TERM_MS 1000
#define STOP_KILL_MS 500
#define LINGER_MS 500
#define SENDING_MS 20 /* how often it is looked whether the clients have everything */

/* While R starts, the cell that it is to run first is the one that the user waits for. R itself goes on starting: half of its
 * packages would be of no use. */
static bool interrupt_first(struct kernel *k)
{
	requests_receive_all(k);
	struct request *r = k->queue.first;
	while (r && !request_is_cell(r))
		r = r->next;
	if (!r)
		return false;
	queue_remove(k, r);
	execute_fail(k, r, "interrupt", "the cell was interrupted", NULL, 0);
	return true;
}

void stop_interrupt(struct kernel *k)
{
	struct request *r = k->main.running;
	if (!r && k->session.state == SESSION_STARTING && interrupt_first(k))
		return;
	if (!r || k->session.pid <= 0) {
		copies_interrupt(k, NULL); /* if nothing runs there either, it is harmless */
		return;
	}
	r->interrupted = true;
	stdin_cancel(&k->main);
	if (k->session.abandoned)
		return;
	if (where_interrupted(k, &k->main)) {
		k->session.abandoned = true;
		kill(-k->session.pid, SIGKILL);
		return;
	}
	log_debug("interrupting request %u", r->id);
	/* First the number, so that the session knows what a SIGINT that wakes it is for. */
	sigqueue(k->session.pid, LINK_INTERRUPT_SIGNAL, (union sigval){.sival_int = (int)r->id});
	kill(-k->session.pid, SIGINT);
}

static void ask_session(struct kernel *k)
{
	struct slice head = {k->stop.restart ? "{\"restart\":true}" : "{\"restart\":false}", 0};
	head.len = strlen(head.data);
	stop_interrupt(k);
	link_send(&k->main, LINK_SHUTDOWN, 0, &head, 1);
}

/* Requests that the session never saw, and those of subshells. */
static void abort_waiting(struct kernel *k)
{
	static const char line_text[] = "the kernel is shutting down";
	struct request *r;
	copies_end(k, "ShutdownError", line_text);
	while ((r = queue_pop_any(k))) {
		const char *line = line_text;
		r->stop_on_error = false;
		execute_fail(k, r, "ShutdownError", line, &line, 1);
	}
}

void stop_begin(struct kernel *k, struct request *asked, bool restart)
{
	if (asked) {
		asked->next = k->stop.asked;
		k->stop.asked = asked;
		k->stop.restart = k->stop.restart || restart;
	}
	if (k->stop.on) {
		if (asked)
			stop_hurry(k);
		return;
	}
	k->stop.on = true;
	park_let_go(k);
	k->stop.next_at = clock_ms() + STOP_ASK_MS;
	abort_waiting(k);
	if (k->session.pid <= 0)
		stop_session_gone(k);
	else if (k->session.state == SESSION_STARTING)
		stop_step(k); /* it reads no frames yet */
	else if (k->session.state == SESSION_READY)
		ask_session(k);
}

void stop_step(struct kernel *k)
{
	static const struct {
		int signal, wait_ms;
	} steps[] = {{SIGTERM, STOP_TERM_MS}, {SIGKILL, STOP_KILL_MS}};
	if (k->stop.lingering || k->stop.sending) {
		stop_session_gone(k);
		return;
	}
	if (k->stop.step == (int)ARRAY_LEN(steps)) {
		log_error("R does not end, not even killed; the kernel ends without it");
		stop_session_gone(k);
		return;
	}
	int signal = steps[k->stop.step].signal;
	log_info("R has not ended yet: signal %d", signal);
	kill(k->session.pid, SIGCONT);
	if (signal == SIGKILL)
		kill(-k->session.pid, signal);
	kill(k->session.pid, signal); /* also if it has left its group */
	k->stop.next_at = clock_ms() + steps[k->stop.step].wait_ms;
	k->stop.step++;
}

void stop_hurry(struct kernel *k)
{
	k->stop.hurry = true;
	if (k->stop.lingering || k->stop.sending)
		stop_session_gone(k);
}

/* All is said. True when it has been taken, too, or is waited for no longer. */
static bool all_is_heard(struct kernel *k)
{
	int64_t now = clock_ms(), patience = (int64_t)k->options->patience * 1000;
	if (k->done)
		return true;
	if (!k->stop.sending) {
		k->stop.until = now + patience;
		if (k->history)
			history_flush(k->history); /* whoever waits for the end may lose patience first */
	}
	k->stop.sending = true;
	k->stop.next_at = now + SENDING_MS;
	if (flow_bytes() == 0 && jp_peers_look(&k->peers, &k->connection, now, patience) == 0)
		return true;
	if (now < k->stop.until && !k->stop.hurry)
		return false;
	log_warn("the kernel ends before its clients have taken everything: %zu bytes are lost", flow_bytes());
	return true;
}

void stop_session_gone(struct kernel *k)
{
	struct request *r = k->main.running;
	if (k->stop.own_will && !k->stop.lingering && !k->stop.sending && !k->stop.asked) {
		/* After q() clients look whether the kernel lives before they take its reply, and with it the request to exit. */
		k->stop.lingering = true;
		k->stop.next_at = clock_ms() + LINGER_MS;
		return;
	}
	if (r) {
		const char *line = "the kernel was shut down while this cell ran";
		r->stop_on_error = false;
		execute_fail(k, r, "ShutdownError", line, &line, 1);
	}
	requests_receive_all(k);
	requests_receive(k, JP_CONTROL);
	abort_waiting(k);
	while ((r = k->stop.asked)) {
		k->stop.asked = r->next;
		struct buf content = BUF_INIT(BUF_MAX_SMALL);
		buf_puts(&content, "{\"status\":\"ok\"");
		jx_key_bool(&content, "restart", json_bool_or(r->msg->content, "restart", false));
		buf_putc(&content, '}');
		pub_flush(&k->pub, true);
		request_reply(k, r, "shutdown_reply", &content, (struct slice){0}, NULL, 0);
		request_done(k, r);
	}
	k->stop.lingering = false;
	k->done = all_is_heard(k);
}
