/* input.c: questions to the user: R's ReadConsole, and passwords. */
#include "session/comm.h"
#include "session/plot.h"
#include "session/session.h"

#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"

static struct buf answer; /* what came, with its line end */
static size_t handed_out; /* how much of it R has */

void ss_input_forget(void)
{
	buf_release(&answer);
	handed_out = 0;
}

enum outcome { ANSWERED, INTERRUPTED, SHUT_DOWN, HAS_NUL };

static enum outcome take_answer(const struct link_frame *f)
{
	struct err e = {0};
	json_t *head = link_frame_json(f, 0, &e), *value = json_object_get(head, "value");
	const char *s = json_is_string(value) ? json_string_value(value) : "";
	size_t n = json_string_length(value);
	enum outcome outcome = memchr(s, '\0', n) ? HAS_NUL : ANSWERED;
	buf_init(&answer, BUF_MAX_MESSAGE);
	if (outcome == ANSWERED) {
		buf_put(&answer, s, n);
		buf_putc(&answer, '\n');
	}
	json_decref(head);
	return outcome;
}

static enum outcome wait_for_answer(uint32_t question)
{
	static struct link_frame f; /* large */
	struct err e = {0};
	for (;;) {
		switch (link_peer_next(&ss.link, &f, &e)) {
		case LINK_BROKEN: ss_link_gone();
		case LINK_FRAME:
			if (f.type == LINK_INPUT && f.request == question)
				return take_answer(&f);
			if (f.type == LINK_SHUTDOWN) {
				ss.shutdown = true;
				return SHUT_DOWN;
			}
			break;
		case LINK_MORE:
			if (ss_wait(true) == SS_WOKEN_INTERRUPT)
				return INTERRUPTED;
			break;
		}
	}
}

/* Asks, and fills `answer`. May jump: errors, interrupts, and the end of the session. */
static void ask(const char *prompt, bool password)
{
	struct buf head = BUF_INIT(BUF_MAX_SMALL);
	ss_input_forget();
	buf_putc(&head, '{');
	jx_key_string(&head, "prompt", prompt);
	jx_key_bool(&head, "password", password);
	buf_putc(&head, '}');
	ss_send(LINK_INPUT_REQUEST, head.data, NULL, 0);
	buf_release(&head);
	uint32_t question = link_peer_last_seq(&ss.link);
	enum outcome outcome = wait_for_answer(question);
	if (outcome == INTERRUPTED || outcome == SHUT_DOWN)
		ss_send(LINK_INPUT_CANCEL, NULL, NULL, 0);
	if (outcome == SHUT_DOWN)
		ss_end(0);
	if (outcome == INTERRUPTED && strncmp(prompt, "Browse[", 7) == 0) {
		/* R would ask again at its debugger's prompt; the user wants the cell to end. */
		R_interrupts_pending = 0;
		ss_condition_seen(R_NilValue, Rf_ScalarInteger(2));
		Rf_jump_to_toplevel();
	}
	if (outcome == INTERRUPTED)
		Rf_onintrNoResume();
	if (outcome == HAS_NUL)
		Rf_error("the answer has a NUL character in it, which an R string cannot hold");
}

/* The next piece of the answer, as much as fits. */
static int hand_out(unsigned char *to, int max)
{
	size_t left = answer.len - handed_out, n = left < (size_t)max - 1 ? left : (size_t)max - 1;
	memcpy(to, answer.data + handed_out, n);
	to[n] = '\0';
	handed_out += n;
	if (handed_out == answer.len)
		ss_input_forget();
	return 1;
}

/* May jump. */
static void refuse(void)
{
	if (r_in_child())
		Rf_error("a forked process cannot ask for input");
	if (r_sandboxed())
		Rf_error("nobody can be asked for input now: this is not the cell's own code");
	if (!ss.request)
		Rf_error("nobody can be asked for input now: no cell runs");
	Rf_error("the client that runs this cell does not take input (allow_stdin is false)");
}

int ss_read_console(const char *prompt, unsigned char *to, int max, int history)
{
	const char *fed;
	if (r_feeding(&fed)) {
		snprintf((char *)to, (size_t)max, "%s", fed);
		return 1;
	}
	bool browser = strncmp(prompt, "Browse[", 7) == 0;
	if (browser && (r_sandboxed() || r_in_child()))
		return 0; /* the end of the input: it goes on. An error would come back to its prompt, for ever */
	if (r_sandboxed())
		refuse();
	if (browser && ss_condition_interrupted())
		Rf_jump_to_toplevel(); /* an interrupt got us back to the prompt */
	if (handed_out < answer.len)
		return hand_out(to, max);
	if (!r_in_child()) {
		ss_console_capture_flush();
		ss_console_release();
		ss_plot_flush(R_NilValue); /* what the question may be about */
		ss_condition_goes_on();    /* the debugger asks again after an error */
	}
	if (browser && !ss.allow_stdin) {
		static uint32_t told;
		if (told != ss.request)
			ss_console_say("browser(): the client that runs this cell does not take input (allow_stdin is "
				       "false); going on");
		told = ss.request;
		return 0;
	}
	if (r_in_child() || !ss.request || !ss.allow_stdin)
		refuse();
	if (browser)
		ss_comm_settle_at_browser();
	ask(prompt, false);
	return hand_out(to, max);
}

SEXP ss_ask_password(SEXP prompt)
{
	if (r_sandboxed() || r_in_child() || !ss.request || !ss.allow_stdin)
		refuse();
	ss_console_capture_flush();
	ask(r_text(prompt, 0), true);
	SEXP password = PROTECT(r_string(answer.data, answer.len - 1));
	ss_input_forget();
	UNPROTECT(1);
	return password;
}
