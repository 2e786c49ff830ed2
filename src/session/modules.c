/* modules.c: the R code that comes with the session. It lives in an environment of its own, not on the search
 * path; `native` in it holds the C functions that it calls. */
#include "session/modules.h"

#include "rapi/keep.h"
#include "rapi/value.h"
#include "session/comm.h"
#include "session/display.h"
#include "session/internal.h"
#include "session/park.h"
#include "session/payload.h"
#include "session/plot.h"
#include "session/print.h"
#include "session/rd.h"
#include "session/report.h"

/* carrack.undo() of modules/undo.R; returns why it cannot be. */
static SEXP undo(void)
{
	return Rf_mkString(ss_park_undo());
}

static SEXP is_notebook(void)
{
	return Rf_ScalarLogical(ss.mode == SS_NOTEBOOK);
}

static const struct r_native natives[] = {
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
    {"comm_event", (DL_FUNC)(void (*)(void))ss_comm_r_event},
    {"comm_ask", (DL_FUNC)(void (*)(void))ss_comm_r_ask},
    {"comm_open", (DL_FUNC)(void (*)(void))ss_comm_r_open},
    {"comm_uuid", (DL_FUNC)(void (*)(void))ss_comm_r_uuid},
    {"is_notebook", (DL_FUNC)(void (*)(void))is_notebook},
    {"payload", (DL_FUNC)(void (*)(void))ss_payload_add},
    {"view_table", (DL_FUNC)(void (*)(void))ss_view_table},
    {"rd_page", (DL_FUNC)(void (*)(void))ss_rd_page},
    {"plot_watch", (DL_FUNC)(void (*)(void))ss_plot_watch},
    {"plot_replay", (DL_FUNC)(void (*)(void))ss_plot_replay},
    {"plot_pane", (DL_FUNC)(void (*)(void))ss_plot_pane_now},
    {"internal_backtrace", (DL_FUNC)(void (*)(void))ss_internal_backtrace},
    {"internal_task", (DL_FUNC)(void (*)(void))ss_internal_task},
    {"internal_task_now", (DL_FUNC)(void (*)(void))ss_internal_task_now},
    {"internal_cost", (DL_FUNC)(void (*)(void))ss_internal_cost},
    {"internal_ended", (DL_FUNC)(void (*)(void))ss_internal_ended},
    {"report_probe", (DL_FUNC)(void (*)(void))ss_report_probe},
    {"print_sample", (DL_FUNC)(void (*)(void))ss_print_sample},
    {"undo", (DL_FUNC)(void (*)(void))undo},
};

/* A file is read in pieces: one top-level expression each, which begins at the start of a line. */
struct piece {
	const struct embedded_file *file;
	const char *text;
	size_t len;
	size_t name_len; /* `name <- function(…`: of its name; 0 for any other expression */
};

#define MAX_PIECES 1024

static struct piece pieces[MAX_PIECES];
static size_t n_pieces;

/* These are needed when R is in trouble, where nothing can be parsed any more. */
static const char *const at_once[] = {"conditions.R", "startup.R", "internal.R"};

static bool is_lazy(const struct embedded_file *f)
{
	for (size_t i = 0; i < ARRAY_LEN(at_once); i++)
		if (strcmp(f->name, at_once[i]) == 0)
			return false;
	return true;
}

static bool begins(const char *line, const char *end)
{
	return line < end && !strchr(" \t\n#})", *line);
}

static size_t function_name(const char *line, const char *end)
{
	static const char assigned[] = " <- function(";
	const char *c = line;
	while (c < end && (*c == '_' || *c == '.' || (unsigned)(*c | 32) - 'a' < 26 || (unsigned)*c - '0' < 10))
		c++;
	bool is = (size_t)(end - c) > sizeof assigned && memcmp(c, assigned, sizeof assigned - 1) == 0;
	return is ? (size_t)(c - line) : 0;
}

static const char *next_line(const char *c, const char *end)
{
	const char *n = memchr(c, '\n', (size_t)(end - c));
	return n ? n + 1 : end;
}

static SEXP parse_piece(const struct piece *p)
{
	ParseStatus status;
	SEXP text = PROTECT(r_string(p->text, p->len));
	SEXP code = PROTECT(R_ParseVector(text, -1, &status, R_NilValue));
	if (status != PARSE_OK || XLENGTH(code) != 1)
		Rf_error("the session's own file %s cannot be parsed", p->file->name);
	UNPROTECT(2);
	return VECTOR_ELT(code, 0);
}

/* What a function's promise calls: its text is parsed when it is used for the first time. */
static SEXP definition(SEXP index)
{
	SEXP call = PROTECT(parse_piece(&pieces[Rf_asInteger(index)]));
	SEXP value = Rf_eval(CADDR(call), r_kept(R_KEEP_MODULES)); /* of `<-`(name, function(…) …) */
	UNPROTECT(1);
	return value;
}

static void promise(size_t index, SEXP env)
{
	const struct piece *p = &pieces[index];
	SEXP name = PROTECT(Rf_ScalarString(Rf_mkCharLenCE(p->text, (int)p->name_len, CE_UTF8)));
	SEXP native =
	    PROTECT(R_MakeExternalPtrFn((DL_FUNC)(void (*)(void))definition, Rf_install("native symbol"), R_NilValue));
	SEXP i = PROTECT(Rf_ScalarInteger((int)index));
	SEXP call = PROTECT(Rf_lang3(Rf_install(".Call"), native, i));
	SEXP delay = PROTECT(Rf_lang5(Rf_install("delayedAssign"), name, call, env, env));
	Rf_eval(delay, R_BaseEnv);
	UNPROTECT(5);
}

static void add_piece(const struct piece *p, SEXP env)
{
	if (n_pieces == MAX_PIECES)
		Rf_error("the session's own files have too many definitions");
	pieces[n_pieces++] = *p;
	if (p->name_len > 0 && is_lazy(p->file)) {
		promise(n_pieces - 1, env);
	} else {
		Rf_eval(PROTECT(parse_piece(p)), env);
		UNPROTECT(1);
	}
}

/* To parse all of this takes R a twentieth of its start, and most of it is never used. */
static void load(const struct embedded_file *f, SEXP env)
{
	const char *c = (const char *)f->data, *end = c + f->len;
	while (c < end && !begins(c, end))
		c = next_line(c, end);
	while (c < end) {
		struct piece p = {.file = f, .text = c, .name_len = function_name(c, end)};
		do
			c = next_line(c, end);
		while (c < end && !begins(c, end));
		p.len = (size_t)(c - p.text);
		add_piece(&p, env);
	}
}

void ss_modules_load(void)
{
	/* Below the namespace of base, as a package's namespace is: S3 methods of the user are found from there. */
	SEXP env = R_NewEnv(R_BaseNamespace, TRUE, 64);
	r_keep(R_KEEP_MODULES, env);
	SEXP list = PROTECT(r_natives(natives, ARRAY_LEN(natives)));
	Rf_defineVar(Rf_install("native"), list, env);
	UNPROTECT(1);
	for (size_t i = 0; i < ss_module_files_n; i++)
		load(&ss_module_files[i], env);
	R_LockEnvironment(env, TRUE);
	ss_internal_define();
}
