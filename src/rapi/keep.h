/* keep.h: objects that live longer than a call.
 *
 * R_PreserveObject keeps a list that it searches to release; these are places in one vector, so keeping and dropping
 * take the same short time however many there are, and an object that is replaced is let go at once.
 */
#ifndef CARRACK_RAPI_KEEP_H
#define CARRACK_RAPI_KEEP_H

#include "rapi/rapi.h"

enum r_place {
	R_KEEP_MODULES,   /* the sealed environment of the R code that comes with the session */
	R_KEEP_LISTEN,    /* the call that installs the condition handlers */
	R_KEEP_CODE,      /* the expressions of the cell that runs */
	R_KEEP_CONDITION, /* the condition that was seen last */
	R_KEEP_WORK,      /* of sandbox.c */
	R_KEEP_SAVED,
	R_KEEP_PLOTS,       /* pages whose device was closed, to be shown after the expression */
	R_KEEP_PAGES,       /* of plot.c: what the pages of its devices are */
	R_KEEP_COLLECTIONS, /* of cost.c */
	R_KEEP_PRINT,       /* of print_frame.c: functions as R brought them */
	R_KEEP_SCRATCH,     /* one result on its way out of r_toplevel_exec */
	R_KEEP_PLACES
};

/* May jump (allocates). Once, before any other function here. */
void r_keep_init(void);

/* Does not jump. R_NilValue empties the place. */
void r_keep(enum r_place place, SEXP object);
SEXP r_kept(enum r_place place);

#endif
