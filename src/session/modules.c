/* modules.c: the R code that comes with the session. It lives in an environment of its own, not on the search
 * path; `native` in it holds the C functions that it calls. */
#include "session/modules.h"

#include "rapi/keep.h"
#include "rapi/value.h"
#include "session/comm.h"
#include "session/display.h"
#include "session/internal.h"
#include "session/park.h"
#include "session/plot.h"
#include "session/report.h"

/* carrack.undo() of modules/undo.R; returns why it cannot be. */
static SEXP undo(void)
{
	return Rf_mkString(ss_park_undo());
}

static const struct {
	const char *name;
	DL_FUNC function;
} natives[] = {
    {"condition_seen", (DL_FUNC)(void (*)(void))ss_condition_seen},
    {"ask_password", (DL_FUNC)(void (*)(void))ss_ask_password},
    {"display_publish", (DL_FUNC)(void (*)(void))ss_display_publish},
    {"display_clear", (DL_FUNC)(void (*)(void))ss_display_clear},
    {"display_base64", (DL_FUNC)(void (*)(void))ss_display_base64},
    {"display_json", (DL_FUNC)(void (*)(void))ss_display_json},
    {"cell_now", (DL_FUNC)(void (*)(void))ss_cell_now},
    {"cell_stands", (DL_FUNC)(void (*)(void))ss_cell_stands},
    {"display_log", (DL_FUNC)(void (*)(void))ss_display_log},
    {"comm_send", (DL_FUNC)(void (*)(void))ss_comm_r_send},
    {"comm_uuid", (DL_FUNC)(void (*)(void))ss_comm_r_uuid},
    {"view_table", (DL_FUNC)(void (*)(void))ss_view_table},
    {"plot_watch", (DL_FUNC)(void (*)(void))ss_plot_watch},
    {"plot_replay", (DL_FUNC)(void (*)(void))ss_plot_replay},
    {"internal_backtrace", (DL_FUNC)(void (*)(void))ss_internal_backtrace},
    {"internal_task", (DL_FUNC)(void (*)(void))ss_internal_task},
    {"internal_task_now", (DL_FUNC)(void (*)(void))ss_internal_task_now},
    {"internal_cost", (DL_FUNC)(void (*)(void))ss_internal_cost},
    {"internal_ended", (DL_FUNC)(void (*)(void))ss_internal_ended},
    {"report_probe", (DL_FUNC)(void (*)(void))ss_report_probe},
    {"undo", (DL_FUNC)(void (*)(void))undo},
};

static SEXP make_natives(void)
{
	SEXP list = PROTECT(Rf_allocVector(VECSXP, ARRAY_LEN(natives)));
	SEXP names = PROTECT(Rf_allocVector(STRSXP, ARRAY_LEN(natives)));
	for (size_t i = 0; i < ARRAY_LEN(natives); i++) {
		SET_STRING_ELT(names, (R_xlen_t)i, Rf_mkChar(natives[i].name));
		SET_VECTOR_ELT(list, (R_xlen_t)i,
			       R_MakeExternalPtrFn(natives[i].function, Rf_install("native symbol"), R_NilValue));
	}
	Rf_namesgets(list, names);
	UNPROTECT(2);
	return list;
}

static void load(const struct embedded_file *f, SEXP env)
{
	ParseStatus status;
	SEXP text = PROTECT(r_string((const char *)f->data, f->len));
	SEXP code = PROTECT(R_ParseVector(text, -1, &status, R_NilValue));
	if (status != PARSE_OK)
		Rf_error("the session's own file %s cannot be parsed", f->name);
	for (R_xlen_t i = 0; i < XLENGTH(code); i++)
		Rf_eval(VECTOR_ELT(code, i), env);
	UNPROTECT(2);
}

void ss_modules_load(void)
{
	/* Below the namespace of base, as a package's namespace is: S3 methods of the user are found from there. */
	SEXP env = R_NewEnv(R_BaseNamespace, TRUE, 64);
	r_keep(R_KEEP_MODULES, env);
	SEXP list = PROTECT(make_natives());
	Rf_defineVar(Rf_install("native"), list, env);
	UNPROTECT(1);
	for (size_t i = 0; i < ss_module_files_n; i++)
		load(&ss_module_files[i], env);
	R_LockEnvironment(env, TRUE);
	ss_internal_define();
}
