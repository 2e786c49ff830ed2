/* value.h: a small vocabulary over R's values. Functions that return SEXP may jump and return it unprotected. */
#ifndef CARRACK_RAPI_VALUE_H
#define CARRACK_RAPI_VALUE_H

#include "rapi/rapi.h"

#include "base/buf.h"

/* One string of n bytes of UTF-8. May jump, also when there is a NUL in it. */
SEXP r_string(const char *s, size_t n);

/* The lines of s[0..n), without their ends, as a character vector. May jump. */
SEXP r_lines(const char *s, size_t n);

/* Element i of a character vector as UTF-8, "" if there is no such element. May jump; the text lives as long as R's
 * transient memory (vmaxget). */
const char *r_text(SEXP strings, R_xlen_t i);

/* The value of an option, R_NilValue if it is not set. Does not jump. */
SEXP r_option(const char *name);
bool r_option_is_true(const char *name);

/* Functions of C for .Call, as a list with their names. May jump. */
struct r_native {
	const char *name;
	DL_FUNC function;
};
SEXP r_natives(const struct r_native *natives, size_t n);

/* Sets a variable in base, also if it is locked. May jump (in a version of R that does not export SET_SYMVALUE). */
void r_set_in_base(SEXP symbol, SEXP value);

/* Calls a function of an environment, or of the sealed one (modules.h). Arguments are protected here, and evaluated: a
 * symbol or a call is best put in a list. May jump. */
SEXP r_call_in(SEXP env, const char *function, int n, const SEXP *args);
SEXP r_call_module(const char *function, int n, const SEXP *args);

#endif
