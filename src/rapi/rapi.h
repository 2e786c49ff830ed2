/* rapi.h: R's C interface as this project uses it, for every R from 4.2 on.
 *
 * The only file that includes R's headers. What R exports without declaring it is declared here; what some version
 * of R does not export is weak and must be tested before use. R's data is reached through the GOT (the session is
 * compiled as position-independent code), so that one build serves every libR.so.
 *
 * A function of R *may jump* unless its documentation says otherwise: it may leave by longjmp over the C frames of its caller. Such
 * functions are called only inside r_toplevel_exec (exec.h). Across such a call nothing is held that must be given
 * back: no memory of malloc, no descriptor, no lock. Functions of this layer and above say in their comment when they may jump.
 */
#ifndef CARRACK_RAPI_H
#define CARRACK_RAPI_H

#include "base/base.h"

#define R_NO_REMAP 1
#define R_INTERFACE_PTRS 1
#define CSTACK_DEFNS 1
#define HAVE_UINTPTR_T 1

#include <R.h>
#include <Rinternals.h>

#include <R_ext/Altrep.h>
#include <R_ext/Callbacks.h>
#include <R_ext/Parse.h>
#include <R_ext/RStartup.h>
#include <R_ext/eventloop.h>
#include <Rembedded.h>
#include <Rinterface.h>

#define R_WEAK __attribute__((weak))

/* Exported by libR, declared in none of its public headers. */
extern Rboolean R_Visible;
extern int R_interrupts_pending;
extern Rboolean R_interrupts_suspended;
extern SA_TYPE SaveAction;
void Rf_CleanEd(void);

/* Not exported by every version. */
R_WEAK void Rf_callToplevelHandlers(SEXP expr, SEXP value, Rboolean succeeded, Rboolean visible);
R_WEAK void Rf_PrintDefaults(void);
R_WEAK void SET_SYMVALUE(SEXP symbol, SEXP value);
extern R_WEAK void (*Rg_PolledEvents)(void);
extern R_WEAK int Rg_wait_usec;
extern R_WEAK int R_ParseContextLine;
extern R_WEAK int R_ParseContextLast;
extern R_WEAK char R_ParseContext[]; /* there if the two before it are */

#endif
