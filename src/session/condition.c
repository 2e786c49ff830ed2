/* condition.c: which error, interrupt or jump ended an evaluation.
 *
 * R handles its errors itself: message, "In addition", options(error=), .Traceback. What is added is a handler, last on
 * the stack (modules/conditions.R), that notes what passes it, and a look at what R writes to stderr: the message that
 * belongs to the error is kept for the client's `error` message instead of being written twice.
 */
#include "session/session.h"

#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"

enum kind { NOTHING, ERROR, ABORT_OF_RLANG, INTERRUPT };

static enum kind seen;
static bool line_feed_taken;   /* the one that R writes when an interrupt reaches the top level */
static struct buf shown;       /* what R wrote about the error */
static char error_before[256]; /* the beginning of R's error buffer and its traceback when the evaluation began */
static SEXP traceback_before;

static SEXP traceback_now(void)
{
	return Rf_findVarInFrame(R_BaseEnv, Rf_install(".Traceback"));
}

void ss_condition_begin(void)
{
	seen = NOTHING;
	line_feed_taken = false;
	if (!shown.max)
		buf_init(&shown, BUF_MAX_SMALL);
	buf_clear(&shown);
	ss_condition_goes_on();
	r_keep(R_KEEP_CONDITION, R_NilValue);
}

void ss_condition_goes_on(void)
{
	snprintf(error_before, sizeof error_before, "%s", R_curErrorBuf());
	traceback_before = traceback_now();
}

void ss_condition_listen(void)
{
	if (r_kept(R_KEEP_LISTEN) == R_NilValue)
		r_keep(R_KEEP_LISTEN, Rf_lang1(Rf_install("listen")));
	Rf_eval(r_kept(R_KEEP_LISTEN), r_kept(R_KEEP_MODULES));
}

SEXP ss_condition_seen(SEXP cnd, SEXP kind)
{
	static const enum kind kinds[] = {ERROR, ABORT_OF_RLANG, INTERRUPT};
	int i = Rf_asInteger(kind);
	if (r_in_child() || i < 0 || i >= (int)ARRAY_LEN(kinds))
		return R_NilValue;
	/* Whatever was kept for an earlier condition turned out not to be the end. */
	ss_condition_ended_well();
	ss_console_capture_flush();
	seen = kinds[i];
	line_feed_taken = false;
	r_keep(R_KEEP_CONDITION, cnd);
	if (seen == ABORT_OF_RLANG)
		ss_console_hold();
	return R_NilValue;
}

/* R's error buffer holds the text that R is about to write; a very long one may be cut on the way to the console. */
static bool is_error_text(const char *s, size_t n)
{
	const char *error = R_curErrorBuf();
	return n > 0 && strncmp(error, s, n) == 0 && (error[n] == '\0' || n > 8000);
}

/* R skips all handlers when the C stack is used up, so this error is known by where its message is written from: R keeps the
 * last twentieth of the stack for it. */
static bool stack_is_used_up(void)
{
	uintptr_t used = R_CStackStart - (uintptr_t)__builtin_frame_address(0);
	return R_CStackLimit != (uintptr_t)-1 && used > R_CStackLimit / 20 * 18;
}

bool ss_condition_takes(const char *s, size_t n)
{
	if (seen == NOTHING && !r_in_child() && stack_is_used_up() && is_error_text(s, n)) {
		ss_console_capture_flush();
		seen = ERROR;
	}
	if (seen == INTERRUPT && !line_feed_taken && n == 1 && *s == '\n') {
		line_feed_taken = true;
		return true;
	}
	if (seen != ERROR || shown.len || !is_error_text(s, n))
		return false;
	buf_put(&shown, s, n);
	return true;
}

bool ss_condition_interrupted(void)
{
	return seen == INTERRUPT;
}

void ss_condition_ended_well(void)
{
	ss_console_release();
	if (shown.len && !ss.silent)
		ss_console_text(STDERR_FILENO, shown.data, shown.len);
	buf_clear(&shown);
	seen = NOTHING;
}

void ss_condition_forget(void)
{
	buf_clear(&shown);
	seen = NOTHING;
}

void ss_condition_write(struct buf *out, const char *ename, const char *evalue, const char *lines)
{
	jx_key_string(out, "ename", ename);
	jx_key_string(out, "evalue", evalue);
	jx_key(out, "traceback");
	buf_putc(out, '[');
	while (*lines) {
		size_t n = strcspn(lines, "\n");
		jx_string(out, lines, n);
		lines += n + (lines[n] == '\n');
		if (*lines)
			buf_putc(out, ',');
	}
	buf_putc(out, ']');
}

/* Runs report() of modules/conditions.R. Its result is kept in R_KEEP_SCRATCH. */
static void make_report(void *data)
{
	SEXP args[2];
	args[0] = r_kept(R_KEEP_CONDITION);
	args[1] = PROTECT(r_string(shown.len ? shown.data : "", shown.len));
	r_keep(R_KEEP_SCRATCH, r_call_module("report", 2, args));
	UNPROTECT(1);
}

struct writing {
	struct buf *out;
};

static void write_report(void *data)
{
	struct buf *out = ((struct writing *)data)->out;
	SEXP report = r_kept(R_KEEP_SCRATCH), lines = VECTOR_ELT(report, 2);
	const char *ename = r_text(VECTOR_ELT(report, 0), 0), *evalue = r_text(VECTOR_ELT(report, 1), 0);
	jx_key_string(out, "ename", ename);
	jx_key_string(out, "evalue", evalue);
	jx_key(out, "traceback");
	buf_putc(out, '[');
	for (R_xlen_t i = 0; i < Rf_xlength(lines); i++) {
		if (i)
			buf_putc(out, ',');
		jx_cstring(out, r_text(lines, i));
	}
	buf_putc(out, ']');
}

static bool report(struct buf *out)
{
	size_t before = out->len;
	const void *vmax = vmaxget();
	struct writing w = {out};
	/* What report() has to say about itself is of no interest. */
	ss_console_hold();
	bool ok = r_sandbox(make_report, NULL, NULL, NULL) && r_try_exec(write_report, &w);
	struct buf ignored = BUF_INIT(BUF_MAX_SMALL);
	ss_console_take(&ignored);
	buf_release(&ignored);
	vmaxset(vmax);
	r_keep(R_KEEP_SCRATCH, R_NilValue);
	if (!ok && out->len > before)
		out->data[out->len = before] = '\0';
	return ok;
}

static void describe(struct buf *out)
{
	/* No condition came by: C stack overflows skip the handlers, and globalCallingHandlers() in the same expression
	 * takes ours away. Then R's error buffer has the text, if R has been through its error handling at all. */
	bool error = seen == ERROR || strncmp(error_before, R_curErrorBuf(), sizeof error_before - 1) != 0 ||
		     traceback_now() != traceback_before;
	if (seen == INTERRUPT) {
		ss_condition_write(out, "interrupt", "the cell was interrupted", "");
		return;
	}
	if (!error && seen == NOTHING) {
		ss_condition_write(out, "abort", "the evaluation was abandoned", "");
		return;
	}
	if (!shown.len && seen != ABORT_OF_RLANG)
		buf_puts(&shown, R_curErrorBuf());
	if (!report(out))
		ss_condition_write(out, "error", shown.data ? shown.data : "", shown.data ? shown.data : "");
}

void ss_condition_describe(struct buf *out)
{
	if (ss_console_holding())
		ss_console_take(&shown);
	ss_console_capture_flush();
	describe(out);
	buf_clear(&shown);
	seen = NOTHING;
	r_keep(R_KEEP_CONDITION, R_NilValue);
}
