/* embed_r.h: R inside a unit test. Each test runs in a process of its own, so each starts R for itself. */
#ifndef CARRACK_TEST_EMBED_R_H
#define CARRACK_TEST_EMBED_R_H

#include "unit.h"

#include "rapi/deadline.h"
#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"

static struct buf console; /* what R wrote where the user would see it */
static volatile sig_atomic_t interrupts;
static bool tortured;          /* garbage is collected all the time: limits of time say nothing */
static const char *typed = ""; /* what R reads, if it asks */

static void on_text(const char *s, int n, int otype)
{
	if (!r_takes_text(s, (size_t)n))
		buf_put(&console, s, (size_t)n);
}

static int on_read(const char *prompt, unsigned char *to, int max, int history)
{
	const char *fed;
	snprintf((char *)to, (size_t)max, "%s", r_feeding(&fed) ? fed : typed);
	return *to != 0;
}

static void forked_child(void)
{
	_exit(3);
}

static void load(void *data)
{
	r_keep_init();
	r_sandbox_init(&interrupts, NULL);
}

/* ---- R code as the work ---- */

static SEXP value_of(const char *code)
{
	ParseStatus status;
	SEXP text = PROTECT(Rf_mkString(code)), value = R_NilValue;
	SEXP parsed = PROTECT(R_ParseVector(text, -1, &status, R_NilValue));
	if (status != PARSE_OK)
		Rf_error("the test's code cannot be parsed: %s", code);
	for (R_xlen_t i = 0; i < XLENGTH(parsed); i++)
		value = Rf_eval(VECTOR_ELT(parsed, i), R_GlobalEnv);
	UNPROTECT(2);
	return value;
}

static void eval_text(void *code)
{
	value_of(code);
}

#define TEXT(code) ((void *)(uintptr_t)(code))

/* Code of the user: at the top level, without any of our guards. */
static inline bool user(const char *code)
{
	return r_toplevel_exec(eval_text, TEXT(code));
}

struct asked {
	const char *code;
	bool yes;
};

static void ask_yes(void *data)
{
	struct asked *a = data;
	SEXP value = value_of(a->code);
	a->yes = TYPEOF(value) == LGLSXP && XLENGTH(value) == 1 && LOGICAL(value)[0] == TRUE;
}

/* Is this R code TRUE? */
static inline bool holds(const char *code)
{
	struct asked a = {code, false};
	return r_toplevel_exec(ask_yes, &a) && a.yes;
}

static inline bool sandbox(const char *code, struct r_report *r)
{
	*r = r_report_of("test", "request 7 (test_request)");
	return r_sandbox(eval_text, TEXT(code), NULL, r);
}

static inline bool sandbox_ms(const char *code, int ms, struct r_report *r)
{
	struct r_budget budget = {.ms = ms};
	*r = r_report_of("test", "request 7 (test_request)");
	return r_sandbox(eval_text, TEXT(code), &budget, r);
}

static inline bool try_catch(const char *code, struct r_report *r)
{
	*r = r_report_of("test", "request 7 (test_request)");
	return r_try_catch(eval_text, TEXT(code), r);
}

static inline void start_r(void)
{
	static char args[4][16] = {"R", "--vanilla", "--quiet", "--no-save"};
	static char *argv[] = {args[0], args[1], args[2], args[3], NULL};
	setenv("R_DEFAULT_PACKAGES", "NULL", 0);
	buf_init(&console, BUF_MAX_SMALL);
	r_host_init(forked_child);
	R_SignalHandlers = 0;
	Rf_initialize_R(4, argv);
	R_Interactive = TRUE;
	R_Outputfile = R_Consolefile = NULL;
	ptr_R_WriteConsole = NULL;
	ptr_R_WriteConsoleEx = on_text;
	ptr_R_ReadConsole = on_read;
	ptr_R_Busy = r_busy;
	R_PolledEvents = r_deadline_enforce;
	setup_Rmainloop();
	R_ReplDLLinit();
	CHECK(r_toplevel_exec(load, NULL));
	tortured = getenv("CARRACK_GCTORTURE") != NULL; /* every n-th allocation collects garbage */
	if (tortured)
		user("gctorture2(as.integer(Sys.getenv('CARRACK_GCTORTURE')))");
	buf_clear(&console);
}

#endif
