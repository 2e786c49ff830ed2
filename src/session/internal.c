#include "session/internal.h"

#include "base/clock.h"
#include "rapi/exec.h"
#include "rapi/frames.h"
#include "rapi/keep.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"
#include "session/task.h"

SEXP ss_internal_backtrace(void)
{
	void *pcs[R_FRAMES_MAX];
	char line[512];
	size_t n = r_frames_take(pcs, R_FRAMES_MAX);
	SEXP lines = PROTECT(Rf_allocVector(STRSXP, (R_xlen_t)n));
	for (size_t i = 0; i < n; i++) {
		size_t len = r_frames_line(line, sizeof line, i, pcs[i]);
		SET_STRING_ELT(lines, (R_xlen_t)i, Rf_mkCharLenCE(line, (int)len, CE_UTF8));
	}
	UNPROTECT(1);
	return lines;
}

/* ---- tasks made in R, for tests ---- */

struct ended {
	int id;
	enum r_end end;
	char text[256];
	struct ended *next;
};

static struct ended *ended;

struct ours {
	int id;
	bool more;
};

/* May jump. */
static void call_step(void *data)
{
	struct ours *o = data;
	SEXP arg = PROTECT(Rf_ScalarInteger(o->id));
	SEXP value = r_call_module("internal_step", 1, &arg);
	o->more = TYPEOF(value) == LGLSXP && XLENGTH(value) == 1 && LOGICAL(value)[0] == TRUE;
	UNPROTECT(1);
}

static bool step(void *data)
{
	struct ours *o = data;
	do
		call_step(o);
	while (o->more && !ss_task_yields());
	return o->more;
}

static void done(void *data, const struct r_report *r)
{
	struct ended *e = calloc(1, sizeof *e);
	struct ours *o = data;
	struct buf text = BUF_INIT(BUF_MAX_SMALL);
	if (e) {
		r_report_short(r, &text);
		*e = (struct ended){.id = o->id, .end = r->end, .next = ended};
		r_report_text(e->text, sizeof e->text, text.data ? text.data : "");
		ended = e;
	}
	buf_release(&text);
	free(o);
}

SEXP ss_internal_task(SEXP id, SEXP class, SEXP limit)
{
	struct ss_task t = {.name = "test task", .limit_ms = Rf_asInteger(limit), .step = step, .done = done};
	struct ours *o = malloc(sizeof *o);
	bool added = false;
	t.class = Rf_asInteger(class) ? SS_TASK_SAFE_POINT : SS_TASK_IDLE;
	if (o) {
		*o = (struct ours){.id = Rf_asInteger(id)};
		snprintf(t.asker, sizeof t.asker, "test %d", o->id);
		t.data = o;
		added = ss_task_add(&t);
	}
	if (!added)
		free(o);
	return Rf_ScalarLogical(added);
}

SEXP ss_internal_task_now(SEXP id, SEXP limit)
{
	struct ours o = {.id = Rf_asInteger(id)};
	struct r_report r;
	char asker[64];
	snprintf(asker, sizeof asker, "test %d in request %u", o.id, (unsigned)ss.request);
	if (ss_task_now("test task", asker, call_step, &o, Rf_asInteger(limit), &r))
		return R_NilValue;
	struct buf text = BUF_INIT(BUF_MAX_SMALL);
	r_report_full(&r, &text);
	static char cut[16384];
	r_report_text(cut, sizeof cut, text.data ? text.data : "");
	buf_release(&text);
	return r_string(cut, strlen(cut));
}

SEXP ss_internal_ended(void)
{
	R_xlen_t n = 0, i = 0;
	for (const struct ended *e = ended; e; e = e->next)
		n++;
	SEXP list = PROTECT(Rf_allocVector(VECSXP, 3));
	SET_VECTOR_ELT(list, 0, Rf_allocVector(INTSXP, n));
	SET_VECTOR_ELT(list, 1, Rf_allocVector(INTSXP, n));
	SET_VECTOR_ELT(list, 2, Rf_allocVector(STRSXP, n));
	for (const struct ended *e = ended; e; e = e->next, i++) {
		INTEGER(VECTOR_ELT(list, 0))[i] = e->id;
		INTEGER(VECTOR_ELT(list, 1))[i] = (int)e->end;
		SET_STRING_ELT(VECTOR_ELT(list, 2), i, Rf_mkCharCE(e->text, CE_UTF8));
	}
	while (ended) {
		struct ended *next = ended->next;
		free(ended);
		ended = next;
	}
	UNPROTECT(1);
	return list;
}

static void nothing(void *data)
{
}

static void cost_toplevel(void)
{
	r_toplevel_exec(nothing, NULL);
}

static void cost_try_catch(void)
{
	r_try_catch(nothing, NULL, NULL);
}

static void cost_sandbox(void)
{
	r_sandbox(nothing, NULL, NULL, NULL);
}

static void cost_frames(void)
{
	void *pcs[R_FRAMES_MAX];
	r_frames_take(pcs, R_FRAMES_MAX);
}

static void fail(void *data)
{
	Rf_error("measured");
}

static void cost_failure(void)
{
	struct r_report r = r_report_of("cost", "");
	r_sandbox(fail, NULL, NULL, &r);
}

SEXP ss_internal_cost(SEXP rounds)
{
	static const struct {
		const char *name;
		void (*once)(void);
	} rows[] = {{"toplevel_exec", cost_toplevel},
		    {"try_catch", cost_try_catch},
		    {"sandbox", cost_sandbox},
		    {"sandbox, failing, with report", cost_failure},
		    {"C frames", cost_frames}};
	int n = Rf_asInteger(rounds);
	SEXP costs = PROTECT(Rf_allocVector(REALSXP, ARRAY_LEN(rows)));
	SEXP names = PROTECT(Rf_allocVector(STRSXP, ARRAY_LEN(rows)));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t begin = clock_ns();
		for (int k = 0; k < n; k++)
			rows[i].once();
		REAL(costs)[i] = n > 0 ? (double)(clock_ns() - begin) / n : 0;
		SET_STRING_ELT(names, (R_xlen_t)i, Rf_mkChar(rows[i].name));
	}
	Rf_namesgets(costs, names);
	UNPROTECT(2);
	return costs;
}

void ss_internal_define(void)
{
	SEXP symbol = Rf_install(".carrack_internal");
	SEXP function = PROTECT(Rf_findVarInFrame(r_kept(R_KEEP_MODULES), symbol));
	r_set_in_base(symbol, function);
	R_LockBinding(symbol, R_BaseEnv);
	UNPROTECT(1);
}
