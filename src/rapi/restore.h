/* restore.h: what R keeps for the user and changes in passing: noted before the session's own work, put back after it. */
#ifndef CARRACK_RAPI_RESTORE_H
#define CARRACK_RAPI_RESTORE_H

#include "rapi/rapi.h"

#define R_SAVED_PLACES 4 /* how many places a note takes in the vector that it is made in */

struct r_saved {
	SEXP places; /* a list; the note is in its elements from `first` on */
	int first;
	bool seed, seed_is_ours; /* .Random.seed existed; it may be put back */
	char error[8192];        /* geterrmessage() */
};

/* Neither jumps. After r_saved_release the values are no longer referred to. */
void r_save(struct r_saved *s);
void r_saved_release(struct r_saved *s);

/* The error buffer has changed. Does not jump. */
bool r_saved_error_changed(const struct r_saved *s);

/* Puts back all but the error buffer. May jump. */
void r_restore(const struct r_saved *s);

#endif
