/* complete.h: what may stand at the cursor.
 *
 *     complete.c         the request, the reply, and who is asked in which place
 *     complete_names.c   names: arguments, columns, the cell's own, the search path
 *     complete_strings.c inside quotes: packages, options, variables of the environment, elements, files
 *
 * The names come from the code around the cursor (syntax/) and from live objects, which are only looked at (look.h).
 */
#ifndef CARRACK_SESSION_COMPLETE_H
#define CARRACK_SESSION_COMPLETE_H

#include "session/look.h"
#include "session/matches.h"

#include <jansson.h>

struct completing {
	const struct syn_context *c;
	struct matches m;
};

/* complete_request and inspect_request; they end with ss_reply. */
void ss_complete(const json_t *head, const json_t *content);
void ss_inspect(const json_t *head, const json_t *content);

/* The code of such a request and its cursor as a byte offset. "" if there is none. */
struct slice complete_code(const json_t *content, size_t *cursor);

/* Runs what such a request asks of R, apart from the user's code, until the kernel wants something else (LINK_YIELD). A failure goes to the
 * log. Does not jump. */
bool complete_task(const char *asked, void (*fn)(void *), void *data);

/* Called in loops over names, with how many there were: lets R end the task when its time is over. May jump. */
static inline void complete_pause(R_xlen_t i)
{
	if (i % 4096 == 4095)
		R_CheckUserInterrupt();
}

/* All of these may jump. */
void complete_name(struct completing *x);
void complete_string(struct completing *x);
void complete_member(struct completing *x);
/* Columns of the data that the place may be about. */
void complete_columns(struct completing *x, enum match_form form);
/* Elements of what is indexed by the frame. */
void complete_elements(struct completing *x, const struct syn_frame *f, enum match_form form);
/* Names that a few functions take as arguments. True if nothing else can be meant. */
bool complete_special(struct completing *x, enum match_form form);
void complete_put_signature(SEXP function, SEXP symbol, struct buf *out);

#endif
