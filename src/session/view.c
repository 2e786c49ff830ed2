/* view.c: View() shows a table in the cell. R calls a function through a pointer where its own windows would open. */
#include "session/display.h"

#include "rapi/exec.h"
#include "rapi/value.h"

/* Declared by R's Rinterface.h for one platform only; the others have it too. */
extern SEXP (*ptr_do_dataviewer)(SEXP, SEXP, SEXP, SEXP) __attribute__((weak));

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

void ss_view_init(void)
{
	if (&ptr_do_dataviewer)
		ptr_do_dataviewer = view;
}
