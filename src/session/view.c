/* view.c: View() shows a table in the cell, and so do data.entry() and edit() of a data frame; vi(), pico() and edit(editor = "vi") show the text.
 * R calls a function through a pointer where its own windows would open, or a program would be run that needs a terminal. */
#include "session/display.h"

#include "rapi/exec.h"
#include "rapi/value.h"

/* Declared by R's Rinterface.h for one platform only; the others have them too. */
extern SEXP (*ptr_do_dataviewer)(SEXP, SEXP, SEXP, SEXP) __attribute__((weak));
extern SEXP (*ptr_do_dataentry)(SEXP, SEXP, SEXP, SEXP) __attribute__((weak));
extern int (*ptr_R_EditFile)(const char *) __attribute__((weak));

/* The table as HTML, or NULL if it has nothing to show. May jump. */
SEXP ss_view_table(SEXP frame)
{
	static struct buf html; /* its memory outlives a jump */
	struct table t;
	if (!table_from(frame, &t))
		return R_NilValue;
	buf_release(&html);
	buf_init(&html, BUF_MAX_MESSAGE);
	table_html(&t, &html);
	return html.failed ? R_NilValue : r_string(html.data, html.len);
}

/* .External2(C_dataviewer, columns, title). May jump. */
static SEXP view(SEXP call, SEXP op, SEXP args, SEXP rho)
{
	if (args != R_NilValue && TYPEOF(CAR(args)) != VECSXP)
		args = CDR(args);
	SEXP both[2] = {CAR(args), CADR(args)};
	if (TYPEOF(both[0]) != VECSXP)
		Rf_error("View() needs something that can be a data frame");
	return r_call_module("show_view", 2, both);
}

/* .External2(C_dataentry, columns, modes). What comes back is what was given. May jump. */
static SEXP enter(SEXP call, SEXP op, SEXP args, SEXP rho)
{
	if (args != R_NilValue && TYPEOF(CAR(args)) != VECSXP)
		args = CDR(args);
	SEXP columns = CAR(args);
	if (TYPEOF(columns) != VECSXP)
		Rf_error("there is nothing that can be a table");
	r_call_module("show_entry", 1, &columns);
	return columns;
}

/* Runs a text editor, where one can run, and returns its status. May jump. */
static int edit(const char *file)
{
	SEXP path = PROTECT(r_string(file, strlen(file)));
	int status = Rf_asInteger(r_call_module("run_editor", 1, &path));
	UNPROTECT(1);
	return status;
}

void ss_view_init(void)
{
	if (&ptr_do_dataviewer)
		ptr_do_dataviewer = view;
	if (&ptr_do_dataentry)
		ptr_do_dataentry = enter;
	if (&ptr_R_EditFile)
		ptr_R_EditFile = edit;
}
