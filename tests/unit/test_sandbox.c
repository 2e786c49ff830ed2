/* Every way out of the session's own work in R: it is found, described, and nothing of it is seen by the user's code. */
#include "embed_r.h"

#include "base/clock.h"

#define F_CALLS_G "f <- function() { g() }; g <- function() "

/* R goes on as if nothing had been. */
static void check_calm(void)
{
	struct r_report r;
	CHECK(!r_sandboxed());
	CHECK(!R_interrupts_suspended);
	CHECK_INT(R_interrupts_pending, 0);
	CHECK(user("x <- sum(sapply(1:2000, function(i) i))"));
	CHECK(holds("x == 2001000"));
	CHECK(sandbox("1 + 1", &r));
	CHECK_INT(r.end, R_RETURNED);
	CHECK(holds("identical(sys.nframe(), 0L)"));
}

static char *full(const struct r_report *r)
{
	static struct buf b;
	if (!b.max)
		buf_init(&b, BUF_MAX_SMALL);
	buf_clear(&b);
	r_report_full(r, &b);
	return b.data;
}

static char *brief(const struct r_report *r)
{
	static struct buf b;
	if (!b.max)
		buf_init(&b, BUF_MAX_SMALL);
	buf_clear(&b);
	r_report_short(r, &b);
	return b.data;
}

TEST(work_that_returns)
{
	struct r_report r;
	start_r();
	CHECK(sandbox("y <- 6 * 7", &r));
	CHECK_INT(r.end, R_RETURNED);
	CHECK(r.ms >= 0 && r.ms < 20000);
	CHECK(holds("y == 42"));
	CHECK(try_catch("y <- 43", &r));
	CHECK(holds("y == 43"));
	check_calm();
	CHECK_INT(console.len, 0);
}

TEST(stop_is_described_with_both_stacks)
{
	struct r_report r;
	start_r();
	CHECK(!sandbox(F_CALLS_G "stop('no such \\u00e4pfel'); f()", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK_STR(r.class, "simpleError/error/condition");
	CHECK_STR(r.message, "no such äpfel");
	CHECK_STR(r.call, "g()");
	CHECK_STR(r.calls, "1: f()\n2: g()\n3: stop(\"no such äpfel\")");
	CHECK(r.n_pcs > 3);
	CHECK_STR(brief(&r), "test failed: no such äpfel");
	CHECK_HAS(full(&r), "test failed (for request 7 (test_request)) after ");
	CHECK_HAS(full(&r), "value_of+0x");
	CHECK_HAS(full(&r), "libR.so  Rf_eval+0x");
	CHECK_HAS(full(&r), "\nR calls:\n  1: f()\n  2: g()\n");
	check_calm();
	CHECK_INT(console.len, 0);
}

TEST(errors_of_c_code)
{
	struct r_report r;
	start_r();
	CHECK(!sandbox("log(-1:2, base = 'x')", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK_STR(r.message, "non-numeric argument to mathematical function");
	CHECK(!sandbox("thereisnosuchthing", &r));
	CHECK_STR(r.message, "object 'thereisnosuchthing' not found");
	check_calm();
}

TEST(try_catch_finds_the_same)
{
	struct r_report r;
	start_r();
	CHECK(!try_catch("cat('seen\\n'); stop('x')", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK_STR(r.message, "x");
	CHECK_STR(console.data, "seen\n");
	CHECK(!r_try_catch(eval_text, TEXT("stop('no report is wanted')"), NULL));
	CHECK(!r_sandbox(eval_text, TEXT("stop('no report is wanted')"), NULL, NULL));
	check_calm();
}

TEST(an_abort_restart_by_hand)
{
	struct r_report r;
	start_r();
	CHECK(!sandbox("invokeRestart('abort')", &r));
	CHECK_INT(r.end, R_JUMPED);
	CHECK(!sandbox("invokeRestart('abort', list(1, 2, environment()))", &r));
	CHECK_INT(r.end, R_JUMPED);
	CHECK(!try_catch("invokeRestart('abort')", &r));
	CHECK_INT(r.end, R_JUMPED);
	CHECK(!sandbox("invokeRestart('thereisnosuchrestart')", &r));
	CHECK_INT(r.end, R_FAILED);
	check_calm();
}

TEST(handlers_and_restarts_of_the_user_are_not_reached)
{
	struct r_report r;
	start_r();
	CHECK(
	    sandbox("z <- withCallingHandlers(tryCatch(stop('a'), error = function(e) 'inner'), error = function(e) 1)",
		    &r));
	CHECK(holds("z == 'inner'"));
	CHECK(!sandbox("callCC(function(k) K <<- k); K(1)", &r));
	CHECK_INT(r.end, R_FAILED);
	check_calm();
}

TEST(the_debugger_is_left_with_q)
{
	struct r_report r;
	start_r();
	typed = "Q\n";
	CHECK(!sandbox("browser()", &r));
	CHECK_INT(r.end, R_JUMPED);
	CHECK(!sandbox("h <- function() { browser(); 1 }; h()", &r));
	typed = "";
	check_calm();
}

static void jump(void *data)
{
	Rf_jump_to_toplevel();
}

static void jump_after_error(void *data)
{
	value_of("try(stop('older'), silent = TRUE)");
	Rf_jump_to_toplevel();
}

TEST(a_bare_jump)
{
	struct r_report r = r_report_of("test", "");
	start_r();
	CHECK(!r_sandbox(jump, NULL, NULL, &r));
	CHECK_INT(r.end, R_JUMPED);
	CHECK_STR(brief(&r), "test was left by a jump");
	CHECK(!r_sandbox(jump_after_error, NULL, NULL, &r));
	CHECK_INT(r.end, R_JUMPED);
	CHECK(r.buffer_is_new);
	CHECK_HAS(brief(&r), "older");
	user("try(stop('quite old'), silent = TRUE)");
	CHECK(!r_sandbox(jump, NULL, NULL, &r));
	CHECK(!r.buffer_is_new);
	CHECK_HAS(full(&r), "R's error buffer (it may be older):\n  Error in try(stop(\"quite old\")");
	CHECK(!r_try_catch(jump, NULL, &r));
	CHECK_INT(r.end, R_JUMPED);
	check_calm();
}

TEST(interrupts_raised_in_it)
{
	struct r_report r;
	start_r();
	R_interrupts_pending = 1;
	interrupts++;
	CHECK(!try_catch("for (i in 1:1e7) i", &r));
	CHECK(r.end == R_INTERRUPTED || (tortured && r.end == R_JUMPED)); /* before the handlers were there */
	R_interrupts_pending = 0;
	CHECK(!sandbox("stop(structure(list(message = 'm', call = NULL), class = c('interrupt', 'condition')))", &r));
	CHECK_INT(r.end, R_INTERRUPTED);
	check_calm();
}

TEST(the_c_stack_is_used_up)
{
	struct r_report r;
	start_r();
	if (tortured)
		return;
	CHECK(!sandbox("options(expressions = 500000); f <- function(x) g(x); g <- function(x) f(x); f(1)", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK(strstr(r.message, "C stack usage") || strstr(r.message, "infinite recursion"));
	CHECK(!sandbox("x <- list(); for (i in 1:1e6) x <- list(x); f <- function(x) lapply(x, f); f(x)", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK(!try_catch("f <- function(x) f(x); f(1)", &r));
	CHECK_INT(r.end, R_FAILED);
	check_calm();
}

TEST(expressions_nested_too_deeply)
{
	struct r_report r;
	start_r();
	CHECK(!sandbox("options(expressions = 100); f <- function(n) f(n + 1); f(1)", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK_HAS(r.message, "nested too deeply");
	CHECK_HAS(r.calls, "1: f(1)\n2: f(n + 1)");
	check_calm();
}

TEST(conditions_whose_own_methods_fail)
{
	struct r_report r;
	start_r();
	if (tortured) /* methods have a second */
		return;
	user("conditionMessage.bad <- function(c) stop('in the method'); conditionCall.bad <- function(c) stop('as "
	     "well')");
	user("bad <- function(x = 'plain') structure(list(message = x, call = NULL), class = c('bad', 'error', "
	     "'condition'))");
	CHECK(!sandbox("stop(bad())", &r)); /* stop() asks for the message itself */
	CHECK_STR(r.message, "in the method");
	CHECK(!sandbox(".Internal(.signalCondition(bad(), '', NULL))", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK_STR(r.message, "plain\n(conditionMessage() of this condition fails)");
	user("conditionMessage.bad <- function(c) invokeRestart('abort')");
	CHECK(!sandbox(".Internal(.signalCondition(bad(), '', NULL))", &r));
	CHECK_INT(r.end, R_FAILED);
	user("conditionMessage.bad <- function(c) 1:3");
	CHECK(!sandbox(".Internal(.signalCondition(bad(17), '', NULL))", &r));
	user("conditionMessage.bad <- function(c) repeat {}");
	int64_t begin = clock_ms();
	CHECK(!sandbox(".Internal(.signalCondition(bad(), '', NULL))", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK(clock_ms() - begin < 20000);
	user("conditionMessage.bad <- function(c) f(c); f <- function(c) f(c)");
	CHECK(!sandbox(".Internal(.signalCondition(bad(), '', NULL))", &r));
	CHECK(!sandbox("stop(structure(quote(f(x)), class = c('odd', 'error', 'condition')))", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK(!sandbox("stop(structure(new.env(), class = c('odder', 'error', 'condition')))", &r));
	CHECK_INT(r.end, R_FAILED);
	check_calm();
	CHECK_INT(console.len, 0);
}

TEST(a_jump_in_a_finalizer)
{
	struct r_report r;
	start_r();
	user("invisible(reg.finalizer(new.env(), function(e) stop('in a finalizer')))");
	CHECK(sandbox("invisible(gc()); after <- TRUE", &r));
	CHECK(holds("after"));
	CHECK_HAS(r.output, "in a finalizer");
	user("invisible(reg.finalizer(new.env(), function(e) invokeRestart('abort')))");
	CHECK(sandbox("invisible(gc()); after <- 2", &r));
	CHECK(holds("after == 2"));
	check_calm();
	CHECK_INT(console.len, 0);
}

TEST(an_error_in_on_exit_code)
{
	struct r_report r;
	start_r();
	CHECK(!sandbox("f <- function() { on.exit(stop('second')); stop('first') }; f()", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK(!sandbox("f <- function() { on.exit(invokeRestart('abort')); stop('first') }; f()", &r));
	check_calm();
}

TEST(memory_that_cannot_be_had)
{
	struct r_report r;
	start_r();
	user(
	    "limit <- mem.maxVSize(4000)"); /* R's own limit: a sanitizer would report that malloc() was asked for so much */
	CHECK(!sandbox("x <- numeric(2^40)", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK_HAS(r.message, "vector");
	check_calm();
}

/* ---- compiled code of a package ---- */

static void build_jumps(void)
{
	char dir[PATH_MAX], command[3 * PATH_MAX];
	unit_path(dir, "");
	snprintf(command, sizeof command,
		 "cp '%s/jumps.cpp' '%.3000s' && cd '%.3000s' && R CMD SHLIB jumps.cpp >build.log 2>&1 || { cat "
		 "build.log >&2; false; }",
		 CARRACK_TEST_DIR, dir, dir);
	CHECK_INT(system(command), 0);
	snprintf(command, sizeof command, "dyn.load('%.3000s/jumps.so')", dir);
	CHECK(user(command));
}

TEST(cpp_code_that_unwinds)
{
	struct r_report r;
	start_r();
	build_jumps();
	CHECK(sandbox("stopifnot(.Call('cpp_call', quote(1 + 1)) == 2)", &r));
	CHECK(!sandbox("f <- function() .Call('cpp_call', quote(stop('through C++'))); f()", &r));
	CHECK_INT(r.end, R_FAILED);
	CHECK_STR(r.message, "through C++");
	CHECK_HAS(full(&r), "jumps.so  cpp_call+0x");
	CHECK(!sandbox(".Call('cpp_call', quote(invokeRestart('abort')))", &r));
	CHECK_INT(r.end, R_JUMPED);
	CHECK(holds(".Call('cpp_destroyed') == 3L")); /* as often as something was there to be destroyed */
	CHECK(!sandbox(".Call('c_jump')", &r));
	CHECK_INT(r.end, R_JUMPED);
	CHECK(!try_catch(".Call('cpp_call', quote(stop('again')))", &r));
	CHECK_INT(r.end, R_FAILED);
	check_calm();
}

TEST(code_that_never_looks_is_noted_with_its_frames)
{
	struct r_report r;
	start_r();
	build_jumps();
	CHECK(sandbox_ms(".Call('c_spin', 1.5)", 100, &r));
	CHECK(r.pcs_are_stuck);
	CHECK_HAS(full(&r), "did not look for interrupts");
	CHECK_HAS(full(&r), "jumps.so  c_spin+0x");
	check_calm();
}

/* ---- time ---- */

TEST(work_without_an_end)
{
	struct r_report r;
	start_r();
	int64_t begin = clock_ms();
	CHECK(!sandbox_ms("repeat {}", 100, &r));
	CHECK_INT(r.end, R_TIMED_OUT);
	CHECK(r.ms >= 100 && r.ms < 20000);
	CHECK(!sandbox_ms("Sys.sleep(60)", 100, &r));
	CHECK_INT(r.end, R_TIMED_OUT);
	CHECK(clock_ms() - begin < 40000);
	check_calm();
}

/* An interrupt that comes while the one before is being handled ends it: on a busy machine that may be the first. */
TEST(code_that_catches_the_interrupt_is_interrupted_again)
{
	struct r_report r;
	bool caught = tortured;
	start_r();
	for (int i = 0; i < 20 && (i == 0 || !caught); i++) {
		CHECK(!sandbox_ms(
		    "n <- 0; while (n < 3) tryCatch(repeat {}, interrupt = function(i) n <<- n + 1); stop('late')", 100,
		    &r));
		CHECK_INT(r.end, R_TIMED_OUT);
		caught = caught || holds("n >= 1");
		check_calm();
	}
	CHECK(caught);
}

TEST(code_that_catches_every_interrupt_is_left)
{
	struct r_report r;
	start_r();
	CHECK(!sandbox_ms("f <- function() repeat tryCatch(repeat {}, interrupt = function(i) NULL); f()", 50, &r));
	CHECK_INT(r.end, R_TIMED_OUT);
	CHECK(tortured || r.ms < 20000);
	check_calm();
}

TEST(the_limit_is_five_seconds_if_nothing_is_said)
{
	struct r_report r;
	start_r();
	CHECK(!sandbox("repeat {}", &r));
	CHECK_INT(r.end, R_TIMED_OUT);
	CHECK(r.ms > 4900 && r.ms < 20000);
	CHECK_STR(brief(&r), "test took longer than 5 s and was ended");
	check_calm();
}

TEST(no_interrupt_leaks_out_after_the_limit)
{
	struct r_report r;
	start_r();
	for (int i = 0; i < 40; i++) {
		sandbox_ms("for (i in 1:4e5) i", 1 + i % 7, &r);
		CHECK_INT(R_interrupts_pending, 0);
		CHECK(user("for (i in 1:1e5) i"));
	}
	check_calm();
}

static bool yes(void)
{
	return true;
}

TEST(work_that_makes_room)
{
	struct r_report r = r_report_of("test", "");
	struct r_budget budget = {.ms = 20000, .wanted = yes};
	start_r();
	CHECK(!r_sandbox(eval_text, TEXT("repeat {}"), &budget, &r));
	CHECK_INT(r.end, R_YIELDED);
	CHECK(r.ms < 15000);
	check_calm();
}

/* ---- the user's interrupts ---- */

static void on_usr1(int sig)
{
	interrupts++;
	R_interrupts_pending = 1;
}

static void interrupt_self(void *data)
{
	raise(SIGUSR1);
	value_of("for (i in 1:1e5) i");
}

TEST(an_interrupt_of_the_user_waits_and_is_not_lost)
{
	struct r_report r = r_report_of("test", "");
	start_r();
	signal(SIGUSR1, on_usr1);
	CHECK(r_sandbox(interrupt_self, NULL, NULL, &r));
	CHECK_INT(R_interrupts_pending, 1);
	CHECK(!user("for (i in 1:1e6) i"));
	/* also when the time limit's interrupt came first */
	struct r_budget budget = {.ms = 50};
	CHECK(!r_sandbox(eval_text, TEXT("on.exit(); repeat { }"), &budget, &r));
	CHECK_INT(R_interrupts_pending, 0);
	R_interrupts_pending = 1; /* one that was there before */
	CHECK(sandbox("for (i in 1:1e5) i", &r));
	CHECK_INT(R_interrupts_pending, 1);
	R_interrupts_pending = 0;
	R_interrupts_suspended = TRUE;
	CHECK(sandbox("1", &r));
	CHECK(R_interrupts_suspended);
	R_interrupts_suspended = FALSE;
	check_calm();
}

/* ---- what the user sees: nothing ---- */

TEST(text_is_kept_apart)
{
	struct r_report r;
	start_r();
	user("cat('before\\n')");
	CHECK(sandbox("print(1); cat('out\\n'); message('err'); warning('w1'); warning('w2')", &r));
	CHECK_STR(r.output, "[1] 1\nout\nerr\nWarning: w1\nWarning: w2\n");
	user("cat('after\\n')");
	CHECK_STR(console.data, "before\nafter\n");
	r_print_warnings();
	CHECK_STR(console.data, "before\nafter\n");
}

TEST(much_text_has_an_end)
{
	struct r_report r;
	start_r();
	CHECK(sandbox("x <- strrep('ä', 1e5); for (i in 1:50) cat(x)", &r));
	CHECK_INT(strlen(r.output), 2046);
	CHECK_INT(console.len, 0);
	CHECK(sandbox("cat('short')", &r));
	CHECK_STR(r.output, "short");
}

TEST(sinks_of_the_user_are_left_alone)
{
	struct r_report r;
	start_r();
	user("con <- file(tempfile(), 'w+'); sink(con); sink(con, type = 'message'); cat('user1\\n')");
	CHECK(sandbox("cat('task\\n'); message('task'); sink(tempfile()); cat('lost\\n')", &r));
	CHECK(!sandbox("sink(tempfile()); stop('left open')", &r));
	CHECK(user("cat('user2\\n'); message('user3'); sink(); sink(type = 'message')"));
	CHECK(holds("identical(readLines(con), c('user1', 'user2', 'user3'))"));
	CHECK(holds("sink.number() == 0 && sink.number('message') == 2"));
}

TEST(state_of_the_user_stays)
{
	struct r_report r;
	start_r();
	user("set.seed(1); seed <- .Random.seed; warning('kept')");
	r_print_warnings();
	user("f <- function() stop('mine'); f()");
	user("options(error = quote(hit <<- TRUE), warn = 1); hit <- FALSE; before <- options()");
	user("mine <- geterrmessage(); tb <- get('.Traceback', baseenv()); lw <- get('last.warning', baseenv())");
	buf_clear(&console);
	CHECK(sandbox("sample(10); warning('x'); try(stop('other'), silent = TRUE)", &r));
	CHECK(!sandbox("sample(10); options(error = quote(hit <<- 2)); stop('y')", &r));
	CHECK(!sandbox("f <- function() f(); f()", &r));
	struct r_report j = r_report_of("test", "");
	CHECK(!r_sandbox(jump_after_error, NULL, NULL, &j));
	CHECK(holds("identical(.Random.seed, seed)"));
	CHECK(holds("identical(geterrmessage(), mine)"));
	CHECK(holds("identical(hit, FALSE) && identical(options(), before)"));
	CHECK(holds("identical(get('last.warning', baseenv()), lw) && identical(get('.Traceback', baseenv()), tb)"));
	user("rm(.Random.seed)");
	CHECK(sandbox("sample(3)", &r));
	CHECK(holds("!exists('.Random.seed', globalenv(), inherits = FALSE)"));
	CHECK_INT(console.len, 0);
}

TEST(visibility_stays)
{
	struct r_report r;
	start_r();
	R_Visible = FALSE;
	sandbox("1", &r);
	CHECK(!R_Visible);
	R_Visible = TRUE;
	sandbox("invisible(1)", &r);
	CHECK(R_Visible);
}

/* ---- inside each other ---- */

struct nest {
	int left, refused;
	bool fail;
};

static void nested(void *data)
{
	struct nest *n = data;
	struct r_report r = r_report_of("inner", "");
	if (--n->left > 0) {
		bool ok = n->left % 2 ? r_sandbox(nested, n, NULL, &r) : r_try_catch(nested, n, &r);
		if (!ok)
			n->refused += r.end == R_REFUSED;
	}
	if (n->fail)
		value_of("stop('on the way out')");
}

TEST(inside_each_other)
{
	struct r_report r = r_report_of("outer", "");
	start_r();
	struct nest n = {.left = 8};
	CHECK(r_sandbox(nested, &n, NULL, &r));
	CHECK_INT(n.refused, 0);
	n = (struct nest){.left = 8, .fail = true};
	CHECK(!r_sandbox(nested, &n, NULL, &r));
	CHECK_STR(r.message, "on the way out");
	n = (struct nest){.left = 100};
	CHECK(r_sandbox(nested, &n, NULL, &r));
	CHECK_INT(n.refused, 1);
	check_calm();
}

static void inner_limit(void *data)
{
	struct r_report *r = data;
	struct r_budget budget = {.ms = 10000};
	r_sandbox(eval_text, TEXT("repeat {}"), &budget, r);
	value_of("repeat {}");
}

TEST(the_earlier_limit_counts)
{
	struct r_report outer = r_report_of("outer", ""), inner = r_report_of("inner", "");
	struct r_budget budget = {.ms = 200};
	start_r();
	int64_t begin = clock_ms();
	CHECK(!r_sandbox(inner_limit, &inner, &budget, &outer));
	CHECK_INT(inner.end, R_TIMED_OUT);
	CHECK_INT(outer.end, R_TIMED_OUT);
	CHECK(clock_ms() - begin < 9000);
	check_calm();
}

static SEXP from_user_code(void)
{
	struct r_report r;
	sandbox("stop('in the middle of it')", &r);
	sandbox_ms("repeat {}", 20, &r);
	return Rf_ScalarLogical(r.end == R_TIMED_OUT);
}

static void define_native(void *data)
{
	SEXP f = PROTECT(
	    R_MakeExternalPtrFn((DL_FUNC)(void (*)(void))from_user_code, Rf_install("native symbol"), R_NilValue));
	Rf_defineVar(Rf_install("native"), f, R_GlobalEnv);
	UNPROTECT(1);
}

TEST(in_the_middle_of_an_evaluation)
{
	start_r();
	r_toplevel_exec(define_native, NULL);
	CHECK(user("seen <- NULL; v <- withCallingHandlers(tryCatch({ warning('kept?'); .Call(native) },"
		   "error = function(e) 'user saw it'), condition = function(c) { seen <<- c(seen, class(c)[1])"
		   "; tryInvokeRestart('muffleWarning') })"));
	CHECK(holds("isTRUE(v)"));
	CHECK(holds("identical(seen, 'simpleWarning')"));
	CHECK(user("u <- vapply(1:50, function(i) .Call(native), NA)"));
	CHECK(holds("all(u)"));
	CHECK(!user("warning('deferred'); .Call(native); stop('of the user')"));
	CHECK_HAS(console.data, "of the user");
	CHECK_HAS(console.data, "deferred");
	check_calm();
}

UNIT_MAIN
