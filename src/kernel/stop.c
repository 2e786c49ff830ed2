/* stop.c: interrupting what runs, and ending.
 *
 * The end is a ladder: the session is asked (and what it runs is interrupted); after STOP_ASK_MS it gets SIGTERM,
 * after STOP_TERM_MS more SIGKILL. When its process is gone, whatever it left in the pipes is published, every request
 * gets its reply, then the shutdown requests get theirs, and the loop ends. All within the 5 s that clients wait.
 */
#include "base/clock.h"
#include "base/log.h"
#include "kernel/kernel.h"

#define STOP_ASK_MS 2000
#define STOP_TERM_MS 1000
#define STOP_KILL_MS 500
#define LINGER_MS 500

void stop_interrupt(struct kernel *k)
{
	struct request *r = k->main.running;
	if (!r || k->session.pid <= 0) {
		copies_interrupt(k); /* if nothing runs there either, it is harmless */
		return;
	}
	r->interrupted = true;
	stdin_cancel(&k->main);
	where_interrupted(k);
	if (k->session.abandoned)
		return;
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
		if (k->stop.lingering)
			stop_session_gone(k);
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
	if (k->stop.lingering) {
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

void stop_session_gone(struct kernel *k)
{
	struct request *r = k->main.running;
	if (k->stop.own_will && !k->stop.lingering && !k->stop.asked) {
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
	k->done = true;
}
