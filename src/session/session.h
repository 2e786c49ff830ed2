/* session.h: the R process. One thread, R's own; one request at a time.
 *
 * The state that its files share. Each file has one subject and declares it here:
 *
 *     main.c       start, and the loop over requests          request.c    which function answers which request
 *     execute.c    running a cell                             parse.c      code into expressions, and what is wrong with it
 *     condition.c  which error ended an evaluation            console.c    text
 *     input.c      questions to the user                      wait.c       waiting, with R's event sources served
 *     interrupt.c  signals                                    exit.c       ends
 *     display.c    what visible values look like (display.h)
 *     reply.c      JSON for the kernel                        modules.c    the R code that comes with the session
 *     park.c       copies that wait (park.h)                  copy.c       copies that serve (copy.h)
 *     payload.c    what the client does after a cell (payload.h)  threads.c    signals and the threads of packages
 *
 * Functions that may jump (rapi/rapi.h) say so.
 */
#ifndef CARRACK_SESSION_H
#define CARRACK_SESSION_H

#include "link/peer.h"
#include "rapi/rapi.h"

#include <signal.h>
#include <unistd.h>

enum ss_mode { SS_CONSOLE, SS_NOTEBOOK, SS_BACKGROUND };

struct session {
	struct link_peer link;
	enum ss_mode mode;
	bool shutdown; /* SHUTDOWN came */
	bool copy;     /* this process is a copy of the session that serves (copy.h) */
	bool older;    /* ... made of the parked process: with the state of before the cell that ran */
	bool looks;    /* ... and the request that runs must not do more than look */

	/* The request that runs; `request` is 0 if none does. Signal handlers read it. */
	volatile uint32_t request;
	bool replied;
	bool silent, allow_stdin;
	long long count;
};
extern struct session ss;

/* ---- reply.c: frames. None of them jumps; if the kernel is gone they do not return. ---- */

/* Sends a frame with JSON text as head. In a forked child it does nothing. False: it is over a ceiling of the link, or memory is
 * short, and nothing was sent; a frame without parts that may be large is always sent. */
bool ss_send(int type, const char *head, const struct slice *rest, size_t n);
/* Tells the user, on stderr, and the log that such a message was not sent. */
void ss_send_failed(const char *msg_type);
/* PUBLISH and REPLY of the request that runs. `content` is a JSON object; its memory is released here. One that is too
 * large becomes an error that says so. */
void ss_publish(const char *msg_type, struct buf *content);
void ss_reply(const char *msg_type, struct buf *content);
void ss_log(const char *level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- main.c ---- */

/* Answers one request after the other, for ever. */
void ss_loop(void) __attribute__((noreturn));

/* ---- request.c ---- */

/* Answers a REQUEST frame. */
void ss_request(const struct link_frame *f);

/* ---- execute.c, parse.c ---- */

/* A cell, and a question about one. They end with ss_reply. */
void ss_execute(const json_t *head, const json_t *content);
void ss_is_complete(const json_t *head, const json_t *content);

enum ss_parsed { SS_PARSE_OK, SS_PARSE_INCOMPLETE, SS_PARSE_ERROR };

/* Parses n bytes; CR LF counts as LF (the code is changed in place). On SS_PARSE_OK the expressions are in R_KEEP_CODE, with source
 * references if options(keep.source) says so. Does not jump. */
enum ss_parsed ss_parse(char *code, size_t *n);

/* What is wrong with code that ss_parse refused, in R's words and with the place shown, or what is missing. */
void ss_parse_problem(enum ss_parsed how, const char *code, size_t n, struct buf *out);

/* ---- display.c ---- */

/* Shows a visible value, the last of its cell or one before. May jump: print methods are the user's. */
void ss_show(SEXP value, bool last);

/* Appends the members of a bundle, each after a comma, that show the value within a line of text, if it has such. May jump. */
void ss_inline_forms(struct buf *out, SEXP value);

SEXP ss_display_publish(SEXP update, SEXP data, SEXP metadata, SEXP transient); /* these three are called from R */
SEXP ss_display_clear(SEXP wait);
SEXP ss_display_log(SEXP text);

/* ---- condition.c: how an evaluation ended ---- */

/* To be called before and after an evaluation in r_toplevel_exec. ss_condition_begin forgets what was seen. May jump: listen. */
void ss_condition_begin(void);
void ss_condition_listen(void);
/* The evaluation is known to go on: errors until now were not its end. */
void ss_condition_goes_on(void);
/* After an evaluation that returned: what was kept back goes out. */
void ss_condition_ended_well(void);
/* After one that jumped: appends `"ename":…,"evalue":…,"traceback":[…]`. Does not jump. */
void ss_condition_describe(struct buf *out);
void ss_condition_write(struct buf *out, const char *ename, const char *evalue, const char *lines);

/* In a copy: what the session was in the middle of is not to be reported. */
void ss_condition_forget(void);

/* R writes n bytes to stderr: true if they belong to the error that is being reported and are kept for it. */
bool ss_condition_takes(const char *s, size_t n);
/* True while an interrupt is on its way to the top level. */
bool ss_condition_interrupted(void);
SEXP ss_condition_seen(SEXP cnd, SEXP kind); /* called from R */

/* ---- console.c: text to descriptors 1 and 2. None of it jumps. ---- */

void ss_console_init(void);
void ss_console_write_ex(const char *s, int n, int otype); /* R's hook */
void ss_console_text(int fd, const char *s, size_t n);
extern bool (*ss_console_clear)(
    void); /* a form feed came, alone: true if somebody has cleared a console. NULL: nobody can */
void ss_console_say(const char *fmt, ...) PRINTF_LIKE(1, 2); /* a line on stderr, in the session's own name */

/* R's stdout is captured until _end, which appends it to *out; or until _flush, which writes it out as text and ends the capture,
 * because something else is to be seen after it. */
void ss_console_capture(void);
void ss_console_capture_end(struct buf *out);
void ss_console_capture_flush(void);

/* R's text, of both kinds, is held back until _release writes it or _take appends it to *out. */
void ss_console_hold(void);
bool ss_console_holding(void);
void ss_console_release(void);
void ss_console_take(struct buf *out);
/* Before R ends of a fatal signal: writes what is captured or held, as it is. Async-signal-safe. */
void ss_console_rescue(void);

/* In a copy: what was captured or held is the session's. */
void ss_console_forget(void);

/* ---- input.c ---- */

int ss_read_console(const char *prompt, unsigned char *to, int max, int history); /* R's hook; may jump */
SEXP ss_ask_password(SEXP prompt);                                                /* called from R */
void ss_input_forget(void);                                                       /* drops what is left of an answer */

/* ---- wait.c ---- */

enum ss_woken { SS_WOKEN_LINK, SS_WOKEN_INTERRUPT };

/* Waits until a frame may be there, or (if `for_input`) the user interrupts. R's event sources are served meanwhile. Does not jump.
 * Ends the session if a signal told it to. */
enum ss_woken ss_wait(bool for_input);
/* True while code of an event source runs outside any request. */
extern volatile bool ss_serving;

/* ---- interrupt.c ---- */

void ss_signals_init(void);              /* after R is initialized: its handlers, where it sets them, are replaced */
void ss_request_begin(uint32_t request); /* an interrupt that came before its request is honoured here */
void ss_request_end(void);
void ss_request_forget(void); /* in a copy: the session's request, and an interrupt for it, are not its own */
extern volatile sig_atomic_t ss_interrupts; /* how many were taken for the request that runs */
extern volatile sig_atomic_t ss_end_signal; /* SIGTERM or SIGHUP came while nothing ran */
extern volatile bool ss_waiting;            /* set around ss_wait's own wait */

/* ---- exit.c ---- */

void ss_clean_up(SA_TYPE save, int status, int run_last); /* R's hook: q(). May jump; does not return */
void ss_suicide(const char *message);                     /* R's hook: it cannot go on. A death like others */
void ss_end(int status);                                  /* SHUTDOWN: .Last, finalizers, devices, EXIT */
void ss_link_gone(void) __attribute__((noreturn));
void ss_child_end(void) __attribute__((noreturn));
void ss_remove_temp_dir(void); /* async-signal-safe; R's temporary directory */

/* ---- modules.c ---- */

/* Evaluates src/modules/ in its sealed environment. May jump. */
void ss_modules_load(void);

#endif
