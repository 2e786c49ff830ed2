/* input.c: questions to the user: R's ReadConsole, and passwords; and to the front end: what a comm's contract lets R ask it. */
#include "session/comm.h"
#include "session/plot.h"
#include "session/session.h"

#include "rapi/exec.h"
#include "rapi/json.h"
#include "rapi/keep.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"

#define MAX_REFUSALS 20 /* in a cell */

static struct buf answer; /* what came, with its line end */
static size_t handed_out; /* how much of it R has */
static bool asking;       /* code of an event source runs while a question waits, and must not ask another */

void ss_input_forget(void)
{
	buf_release(&answer);
	handed_out = 0;
	asking = false; /* in a copy that was made meanwhile */
}

enum outcome { ANSWERED, INTERRUPTED, SHUT_DOWN };

/* Waits for the INPUT to a question: its head is *head then, for the caller to decref; NULL if it is no JSON object. Does not jump. */
static enum outcome wait_for_answer(uint32_t question, json_t **head)
{
	static struct link_frame f; /* large */
	struct err e = {0};
	for (;;) {
		switch (link_peer_next(&ss.link, &f, &e)) {
		case LINK_BROKEN: ss_link_gone();
		case LINK_FRAME:
			if (f.type == LINK_INPUT && f.request == question) {
				*head = link_frame_json(&f, 0, &e);
				return ANSWERED;
			}
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

/* Sends the question, whose memory is released here, and waits. The head of the answer, an empty object if there is none to be had;
 * NULL: the user interrupts. Does not jump. */
static json_t *question(struct buf *head)
{
	json_t *answered = NULL;
	bool sent = ss_send(LINK_INPUT_REQUEST, head->data, NULL, 0);
	buf_release(head);
	if (!sent)
		return json_object();
	asking = true;
	enum outcome outcome = wait_for_answer(link_peer_last_seq(&ss.link), &answered);
	asking = false;
	if (outcome != ANSWERED)
		ss_send(LINK_INPUT_CANCEL, NULL, NULL, 0);
	if (outcome == SHUT_DOWN)
		ss_end(0);
	if (outcome == ANSWERED && !answered)
		answered = json_object();
	return answered;
}

/* False if the text has a NUL. */
static bool take_answer(json_t *head)
{
	json_t *value = json_object_get(head, "value");
	const char *s = json_is_string(value) ? json_string_value(value) : "";
	size_t n = json_string_length(value);
	bool good = !memchr(s, '\0', n);
	buf_init(&answer, BUF_MAX_MESSAGE);
	if (good) {
		buf_put(&answer, s, n);
		buf_putc(&answer, '\n');
	}
	json_decref(head);
	return good;
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
	json_t *answered = question(&head);
	if (!answered && strncmp(prompt, "Browse[", 7) == 0) {
		/* R would ask again at its debugger's prompt; the user wants the cell to end. */
		R_interrupts_pending = 0;
		ss_condition_seen(R_NilValue, Rf_ScalarInteger(2));
		Rf_jump_to_toplevel();
	}
	if (!answered)
		Rf_onintrNoResume();
	if (!take_answer(answered))
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

static bool cannot_ask(void)
{
	return r_sandboxed() || r_in_child() || !ss.request || asking || !ss.allow_stdin;
}

/* Some code asks until it is answered, whatever the error (select.list(multiple = TRUE), setRepositories()), and would for ever. The cell ends:
 * nothing but a jump gets past its handlers. */
static void give_up(void)
{
	SEXP text =
	    PROTECT(Rf_mkString("the code asks for input again and again, and the client that runs this cell does "
				"not take input (allow_stdin is false)"));
	SEXP call = PROTECT(Rf_lang2(Rf_install("simpleError"), text));
	ss_condition_seen(PROTECT(Rf_eval(call, R_BaseEnv)), Rf_ScalarInteger(0));
	UNPROTECT(3);
	Rf_jump_to_toplevel();
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
	if (asking)
		Rf_error("nobody can be asked for input now: another question waits for its answer");
	static uint32_t request;
	static int times;
	times = request == ss.request ? times + 1 : 0;
	request = ss.request;
	if (times >= MAX_REFUSALS)
		give_up();
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
	if (cannot_ask())
		refuse();
	if (browser)
		ss_comm_settle_at_browser();
	ask(prompt, false);
	return hand_out(to, max);
}

SEXP ss_ask_password(SEXP prompt)
{
	if (cannot_ask())
		refuse();
	ss_console_capture_flush();
	ask(r_text(prompt, 0), true);
	SEXP password = PROTECT(r_string(answer.data, answer.len - 1));
	ss_input_forget();
	UNPROTECT(1);
	return password;
}

/* ---- the front end ---- */

/* What the front end answered, as R value. Releases the answer. May jump. */
static SEXP result_of(json_t *answered, const char *method)
{
	static json_t *kept; /* an answer that could not be read is released when the next one comes */
	json_decref(kept);
	kept = answered;
	const json_t *reply = json_object_get(answered, "reply"), *failed = json_object_get(reply, "error");
	if (json_bool_or(answered, "closed", false))
		Rf_error("%s: the front end has closed the comm, and nobody answers", method);
	if (!json_is_object(reply))
		Rf_error("%s: the question could not be sent", method);
	if (failed)
		Rf_error("%s: the front end says: %s", method, json_string_or(failed, "message", "it failed"));
	SEXP value = PROTECT(r_json_read(json_object_get(reply, "result")));
	json_decref(kept);
	kept = NULL;
	UNPROTECT(1);
	return value;
}

SEXP ss_comm_r_ask(SEXP target, SEXP method, SEXP params)
{
	static struct buf text; /* static: a jump leaves nothing behind */
	const struct ss_comm *c = r_in_child() ? NULL : ss_comm_newest(r_text(target, 0));
	struct buf head = BUF_INIT(BUF_MAX_MESSAGE);
	if (!c)
		Rf_error("no front end has opened %s", r_text(target, 0));
	if (cannot_ask())
		refuse();
	text.max = BUF_MAX_MESSAGE;
	buf_clear(&text);
	if (Rf_xlength(params))
		r_json_write(&text, params);
	else
		buf_puts(&text, "{}");
	const char *name = r_text(method, 0);
	ss_console_capture_flush();
	ss_plot_flush(R_NilValue);
	buf_putc(&head, '{');
	jx_key_string(&head, "comm", c->id);
	jx_key_string(&head, "method", name);
	jx_key_raw(&head, "params", text.data, text.len);
	buf_putc(&head, '}');
	if (head.failed || text.failed) {
		buf_release(&head);
		Rf_error("%s: the question is larger than a message may be", name);
	}
	json_t *answered = question(&head);
	if (!answered)
		Rf_onintrNoResume();
	return result_of(answered, name);
}
