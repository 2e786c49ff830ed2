#include "rapi/sandbox.h"

#include "base/clock.h"
#include "rapi/boundary.h"
#include "rapi/deadline.h"
#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/restore.h"
#include "rapi/value.h"

#include <unistd.h>

#define MAX_DEPTH 12
#define DESCRIBE_MS 1000
#define TEXT_MAX ((size_t)1 << 20)

/* One piece of work. It lives in the C frame of r_sandbox or r_try_catch, which every jump comes back to. */
struct work {
	void (*fn)(void *);
	void *data;
	SEXP call; /* of guarded() in modules/boundary.R */
	struct work *outer;
	int level;
	bool begun, returned; /* fn */
	bool noted, brought;  /* its condition: was seen where it happened, was brought back by a handler */
	void *pcs[R_FRAMES_MAX];
	size_t n_pcs;
};

/* The places of each level in r_kept(R_KEEP_WORK). */
enum { CONDITION, CALLS, PLACES };

static SEXP code, guard_loud, guard_quiet, ask_sinks, ask_messages; /* preserved */
static struct work *innermost;
static int depth, sandboxes;
static struct buf text; /* what sandboxes wrote; each has its end of it */
static const volatile sig_atomic_t *interrupts;
static void (*tell_stuck)(const struct r_report *r, void *const *pcs, size_t n);

bool r_sandboxed(void)
{
	return sandboxes > 0;
}

bool r_takes_text(const char *s, size_t n)
{
	if (!sandboxes)
		return false;
	if (text.len + n <= TEXT_MAX)
		buf_put(&text, s, n);
	return true;
}

static void put_place(const struct work *w, int place, SEXP value)
{
	SET_VECTOR_ELT(r_kept(R_KEEP_WORK), w->level * PLACES + place, value);
}

static SEXP get_place(const struct work *w, int place)
{
	return VECTOR_ELT(r_kept(R_KEEP_WORK), w->level * PLACES + place);
}

static void cut_text(size_t len)
{
	if (text.len > len)
		text.data[text.len = len] = '\0';
	if (!len)
		buf_trim(&text, (size_t)1 << 14);
}

/* ---- called from modules/boundary.R ---- */

/* The length of `work`. C code that is reached by .Call() cannot evaluate a loop that is in no function: R (4.2 at least) ends with a
 * segmentation fault when it compiles the loop, because it has no source reference there, not even an empty one. A builtin
 * function that asks an object of a class of ours is free of that. */
static R_xlen_t run(SEXP work)
{
	struct work *w = innermost;
	if (w->begun) /* it may be asked more than once */
		return 0;
	w->begun = true;
	w->fn(w->data);
	w->returned = true;
	return 0;
}

static SEXP note(SEXP cnd, SEXP calls)
{
	struct work *w = innermost;
	w->n_pcs = r_frames_take(w->pcs, ARRAY_LEN(w->pcs));
	put_place(w, CONDITION, cnd);
	put_place(w, CALLS, calls);
	w->noted = true;
	return R_NilValue;
}

static SEXP warned(SEXP message)
{
	static const char head[] = "Warning: ";
	if (TYPEOF(message) != STRSXP || XLENGTH(message) < 1)
		return R_NilValue;
	const char *s = r_text(message, 0);
	r_takes_text(head, sizeof head - 1);
	r_takes_text(s, strlen(s));
	r_takes_text("\n", 1);
	return R_NilValue;
}

/* ---- one piece of work ---- */

/* May jump, to the top-level context around it. */
static void eval_guarded(void *data)
{
	struct work *w = data;
	SEXP value = PROTECT(Rf_eval(w->call, code));
	/* What a handler brings: condition (none for the simplest errors), call, and our mark. */
	if (!w->returned && TYPEOF(value) == VECSXP && XLENGTH(value) >= 3 && VECTOR_ELT(value, 2) == code) {
		w->brought = true;
		if (!w->noted)
			put_place(w, CONDITION, VECTOR_ELT(value, 0));
	}
	UNPROTECT(1);
}

/* Each piece of work has a level, and the places that go with it, from begin_work to end_work. */
static bool begin_work(struct work *w)
{
	if (!code || depth >= MAX_DEPTH)
		return false;
	w->level = depth++;
	return true;
}

static void run_work(struct work *w)
{
	const void *vmax = vmaxget();
	w->outer = innermost;
	innermost = w;
	r_toplevel_exec(eval_guarded, w);
	innermost = w->outer;
	vmaxset(vmax);
}

static void end_work(const struct work *w)
{
	put_place(w, CONDITION, R_NilValue);
	put_place(w, CALLS, R_NilValue);
	depth--;
}

struct describing {
	const struct work *work;
	struct r_report *report;
};

/* May jump. */
static void describe(void *data)
{
	struct describing *d = data;
	struct r_report *r = d->report;
	/* In a list, so that a condition that happens to be a call is not evaluated. */
	SEXP noted = PROTECT(Rf_allocVector(VECSXP, PLACES));
	for (int i = 0; i < PLACES; i++)
		SET_VECTOR_ELT(noted, i, get_place(d->work, i));
	SEXP list = PROTECT(r_call_in(code, "describe", 1, &noted));
	r_report_text(r->class, sizeof r->class, r_text(VECTOR_ELT(list, 0), 0));
	r_report_text(r->message, sizeof r->message, r_text(VECTOR_ELT(list, 1), 0));
	r_report_text(r->call, sizeof r->call, r_text(VECTOR_ELT(list, 2), 0));
	r_report_text(r->calls, sizeof r->calls, r_text(VECTOR_ELT(list, 3), 0));
	UNPROTECT(2);
}

/* After the work has been left, with the user's interrupts suspended. The condition's methods are asked now, when there is room on the
 * stacks again; if they fail, what R has in its error buffer has to do. */
static void fill_report(const struct work *w, struct r_report *r)
{
	struct describing d = {w, r};
	struct work asking = {.fn = describe, .data = &d, .call = guard_quiet};
	struct r_deadline limit = {.at = clock_ns() + DESCRIBE_MS * (int64_t)1000000};
	r_report_text(r->buffer, sizeof r->buffer, R_curErrorBuf());
	if (!r->pcs_are_stuck) {
		memcpy(r->pcs, w->pcs, w->n_pcs * sizeof *r->pcs);
		r->n_pcs = w->n_pcs;
	}
	if (get_place(w, CONDITION) == R_NilValue) {
		if (w->brought)
			r_report_text(r->message, sizeof r->message, R_curErrorBuf());
		return;
	}
	if (begin_work(&asking)) {
		r_deadline_set(&limit);
		run_work(&asking);
		r_deadline_set(NULL);
		end_work(&asking);
	}
	if (!asking.returned)
		r_report_text(r->message, sizeof r->message, r->buffer);
}

static enum r_end end_of(const struct work *w)
{
	if (w->returned)
		return R_RETURNED;
	SEXP cnd = get_place(w, CONDITION);
	if (cnd != R_NilValue && Rf_inherits(cnd, "interrupt"))
		return R_INTERRUPTED;
	return w->noted || w->brought ? R_FAILED : R_JUMPED;
}

/* ---- the user's interrupts ---- */

struct waiting {
	int count;
	int pending;
	Rboolean suspended;
};

static struct waiting suspend_interrupts(void)
{
	struct waiting w = {.count = interrupts ? *interrupts : 0};
	w.suspended = R_interrupts_suspended;
	R_interrupts_suspended = TRUE;
	w.pending = R_interrupts_pending;
	R_interrupts_pending = 0;
	return w;
}

/* One that came meanwhile is there again, also if it ended the work, or was taken for the time limit's. */
static void resume_interrupts(const struct waiting *w)
{
	int came = interrupts ? *interrupts != w->count : R_interrupts_pending;
	R_interrupts_pending = 0;
	if (w->pending || came || (interrupts && *interrupts != w->count))
		R_interrupts_pending = 1;
	R_interrupts_suspended = w->suspended;
}

static bool refused(struct r_report *report)
{
	if (report)
		report->end = R_REFUSED;
	return false;
}

/* `limit` NULL: there was none. What made room is not described: somebody waits. */
static void report_on(const struct work *w, int64_t begin, const char *error_before, const struct r_deadline *limit,
		      struct r_report *r)
{
	r->ms = (double)(clock_ns() - begin) / 1e6;
	r->end = end_of(w);
	if (r->end != R_RETURNED && limit && (limit->passed || limit->was_wanted))
		r->end = limit->passed ? R_TIMED_OUT : R_YIELDED;
	if (r->end == R_RETURNED || r->end == R_YIELDED)
		return;
	fill_report(w, r);
	r->buffer_is_new = strncmp(error_before, r->buffer, sizeof r->buffer - 8) != 0;
}

bool r_try_catch(void (*fn)(void *), void *data, struct r_report *report)
{
	struct work w = {.fn = fn, .data = data, .call = guard_loud};
	int64_t begin = clock_ns();
	char error[sizeof report->buffer];
	if (!begin_work(&w))
		return refused(report);
	r_report_text(error, sizeof error, R_curErrorBuf());
	run_work(&w);
	if (report) {
		struct waiting user = suspend_interrupts();
		struct r_deadline *outer = r_deadline_set(NULL);
		size_t text_before = text.len;
		sandboxes++; /* what the condition's methods have to say is nobody's */
		report_on(&w, begin, error, NULL, report);
		sandboxes--;
		cut_text(text_before);
		r_deadline_set(outer);
		resume_interrupts(&user);
	}
	end_work(&w);
	return w.returned;
}

/* ---- the sandbox ---- */

struct sandbox {
	struct work work;
	struct r_saved saved;
	struct r_deadline limit;
	bool error_changed;
	const struct r_report *report;
	void *stuck_pcs[R_FRAMES_MAX];
	size_t n_stuck;
};

static void is_stuck(void *data)
{
	struct sandbox *s = data;
	s->n_stuck = r_frames_take(s->stuck_pcs, ARRAY_LEN(s->stuck_pcs));
	if (tell_stuck)
		tell_stuck(s->report, s->stuck_pcs, s->n_stuck);
}

/* Sinks, or an option that says what to do on errors. May jump. */
static bool has_hooks(void)
{
	return Rf_asInteger(Rf_eval(ask_sinks, R_BaseEnv)) != 0 ||
	       Rf_asInteger(Rf_eval(ask_messages, R_BaseEnv)) != STDERR_FILENO || r_option("error") != R_NilValue ||
	       r_option("interrupt") != R_NilValue;
}

/* Both may jump. */
static void enter(void *data)
{
	struct sandbox *s = data;
	if (has_hooks())
		SET_VECTOR_ELT(s->saved.places, s->saved.first + R_SAVED_PLACES, r_call_in(code, "enter", 0, NULL));
}

static void leave(void *data)
{
	struct sandbox *s = data;
	r_restore(&s->saved);
	SEXP state = VECTOR_ELT(s->saved.places, s->saved.first + R_SAVED_PLACES);
	if (!has_hooks() && !s->error_changed && state == R_NilValue)
		return;
	SEXP args[] = {state, s->error_changed ? Rf_mkString(s->saved.error) : R_NilValue};
	r_call_in(code, "leave", 2, args);
}

static void put_back(struct sandbox *s)
{
	s->error_changed = r_saved_error_changed(&s->saved);
	r_toplevel_exec(leave, s);
	r_saved_release(&s->saved);
	SET_VECTOR_ELT(s->saved.places, s->saved.first + R_SAVED_PLACES, R_NilValue);
}

/* A limit within a limit: the earlier one counts, and whoever wants the outer one to end wants the inner one to. */
static void set_limit(struct sandbox *s, const struct r_budget *budget, const struct r_deadline *outer, int ms)
{
	s->limit.at = ms > 0 ? clock_ns() + ms * (int64_t)1000000 : 0;
	s->limit.wanted = budget ? budget->wanted : NULL;
	s->limit.stuck = is_stuck;
	s->limit.data = s;
	if (outer && outer->at && (!s->limit.at || outer->at < s->limit.at))
		s->limit.at = outer->at;
	if (outer && !s->limit.wanted)
		s->limit.wanted = outer->wanted;
	r_deadline_set(&s->limit);
}

static void report_on_sandbox(struct sandbox *s, int64_t begin, int ms, size_t text_before, struct r_report *r)
{
	if (s->n_stuck) {
		memcpy(r->pcs, s->stuck_pcs, s->n_stuck * sizeof *r->pcs);
		r->n_pcs = s->n_stuck;
		r->pcs_are_stuck = true;
	}
	r->limit_ms = ms;
	r_report_text(r->output, sizeof r->output, text.len > text_before ? text.data + text_before : "");
	report_on(&s->work, begin, s->saved.error, &s->limit, r);
}

bool r_sandbox(void (*fn)(void *), void *data, const struct r_budget *budget, struct r_report *report)
{
	struct sandbox s = {.work = {.fn = fn, .data = data, .call = guard_quiet}, .report = report};
	int ms = budget && budget->ms ? budget->ms : R_LIMIT_MS;
	int64_t begin = clock_ns();
	if (!begin_work(&s.work))
		return refused(report);
	struct waiting user = suspend_interrupts();
	struct r_deadline *outer = r_deadline_set(NULL);
	size_t text_before = text.len;
	sandboxes++;
	s.saved.places = r_kept(R_KEEP_SAVED);
	s.saved.first = s.work.level * (R_SAVED_PLACES + 1);
	r_save(&s.saved);
	if (r_toplevel_exec(enter, &s)) {
		set_limit(&s, budget, outer, ms);
		run_work(&s.work);
		r_deadline_set(NULL);
		R_interrupts_suspended = TRUE;
		R_interrupts_pending = 0;
	}
	if (report)
		report_on_sandbox(&s, begin, ms, text_before, report);
	put_back(&s);
	sandboxes--;
	cut_text(text_before);
	end_work(&s.work);
	r_deadline_set(outer);
	resume_interrupts(&user);
	return s.work.returned;
}

/* ---- start ---- */

static SEXP native_list(void)
{
	static const struct r_native natives[] = {{"note", (DL_FUNC)(void (*)(void))note},
						  {"warned", (DL_FUNC)(void (*)(void))warned}};
	return r_natives(natives, ARRAY_LEN(natives));
}

static void define_work(void)
{
	R_altrep_class_t class = R_make_altinteger_class("work", "carrack", NULL);
	R_set_altrep_Length_method(class, run);
	SEXP work = PROTECT(R_new_altrep(class, R_NilValue, R_NilValue));
	Rf_defineVar(Rf_install("work"), work, code);
	UNPROTECT(1);
}

static void load_code(void)
{
	ParseStatus status;
	SEXP source = PROTECT(r_string((const char *)r_boundary_files[0].data, r_boundary_files[0].len));
	SEXP parsed = PROTECT(R_ParseVector(source, -1, &status, R_NilValue));
	if (status != PARSE_OK)
		Rf_error("%s cannot be parsed", r_boundary_files[0].name);
	for (R_xlen_t i = 0; i < XLENGTH(parsed); i++)
		Rf_eval(VECTOR_ELT(parsed, i), code);
	UNPROTECT(2);
}

/* The function itself stands in the call: nothing is looked up, and call_lines() finds it among R's calls. */
static SEXP guard_call(bool quiet)
{
	SEXP function = PROTECT(Rf_findVarInFrame(code, Rf_install("guarded")));
	SEXP arg = PROTECT(Rf_ScalarLogical(quiet));
	SEXP call = Rf_lang2(function, arg);
	UNPROTECT(2);
	R_PreserveObject(call);
	return call;
}

/* .Internal(sink.number(output)): R's own function spends more time on its argument. */
static SEXP sinks_call(bool output)
{
	SEXP arg = PROTECT(Rf_ScalarLogical(output));
	SEXP inner = PROTECT(Rf_lang2(Rf_install("sink.number"), arg));
	SEXP call = Rf_lang2(Rf_install(".Internal"), inner);
	UNPROTECT(2);
	R_PreserveObject(call);
	return call;
}

static void keep_list(enum r_place place, int n)
{
	r_keep(place, Rf_allocVector(VECSXP, n));
}

void r_sandbox_init(const volatile sig_atomic_t *counter, void (*stuck)(const struct r_report *, void *const *, size_t))
{
	buf_init(&text, TEXT_MAX);
	keep_list(R_KEEP_WORK, MAX_DEPTH * PLACES);
	keep_list(R_KEEP_SAVED, MAX_DEPTH * (R_SAVED_PLACES + 1));
	code = R_NewEnv(R_BaseNamespace, TRUE, 16);
	R_PreserveObject(code);
	SEXP natives = PROTECT(native_list());
	Rf_defineVar(Rf_install("native"), natives, code);
	UNPROTECT(1);
	define_work();
	load_code();
	guard_loud = guard_call(false);
	guard_quiet = guard_call(true);
	ask_sinks = sinks_call(true);
	ask_messages = sinks_call(false);
	R_LockEnvironment(code, TRUE);
	interrupts = counter;
	tell_stuck = stuck;
}
