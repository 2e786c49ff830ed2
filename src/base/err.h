/* err.h: an error is a flat value with nothing to free.
 *
 * Fallible functions return bool and take `struct err *` last. They leave it alone on success, so that
 * calls chain: `ok = a(&e) && b(&e) && c(&e)`. A message says what was expected, what came, what to do.
 * Passing NULL is legal where the caller does not care.
 */
#ifndef CARRACK_ERR_H
#define CARRACK_ERR_H

#include "base/base.h"

struct err {
	int code;       /* an errno value where there is one, otherwise 0 */
	char msg[1024]; /* UTF-8, NUL-terminated, cut at a character if too long */
};

/* Fills *e and returns false, so that a failing function can end with `return err_set(e, …)`. */
bool err_set(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same with errno's number and text appended after a colon. errno is read on entry. */
bool err_errno(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts `context: ` in front of the message that is already in *e; returns false. */
bool err_context(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
