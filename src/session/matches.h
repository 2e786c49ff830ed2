/* matches.h: what a completion may be, gathered from many sources, and the few hundred that are shown.
 *
 * Names that begin with what was typed shut out those that only do so in another case, and these those that merely contain it: clients
 * insert the common beginning of all matches, or the only one. Among equals, the order of the sources below decides. A name
 * that comes from several is shown once. Functions here do not jump; nothing of R is kept.
 */
#ifndef CARRACK_SESSION_MATCHES_H
#define CARRACK_SESSION_MATCHES_H

#include "base/buf.h"
#include "base/slice.h"

enum match_source {
	MATCH_ARGUMENT, /* this and the next in the order of addition, the others by name */
	MATCH_MEMBER,
	MATCH_COLUMN,
	MATCH_LOCAL,
	MATCH_GLOBAL,
	MATCH_SEARCH,
	MATCH_KEYWORD,
	MATCH_PACKAGE,
	MATCH_FILE
};

/* How a name becomes code. */
enum match_form {
	MATCH_NAME,      /* in backticks if it must be */
	MATCH_BACKTICK,  /* in backticks */
	MATCH_EQUALS,    /* name = */
	MATCH_IN_STRING, /* escaped as the string needs it */
	MATCH_QUOTED,    /* "name" */
	MATCH_VERBATIM
};

struct match {
	size_t at, len; /* in `text` */
	enum match_source source;
	enum match_form form;
	int tier;
	int order;
	const char *type; /* static; NULL: to be found out, from the two below */
	void *where, *what;
};

#define MATCHES_MAX 300
#define MATCHES_GATHERED_MAX 200000

struct matches {
	struct buf text;
	struct buf list; /* of struct match */
	struct slice typed;
	char quote; /* the string that the cursor is in */
	bool raw, closed;
	int best;
};

void matches_init(struct matches *m, struct slice typed);
void matches_release(struct matches *m);

/* Ignored if it does not match what was typed. Names with a leading dot are ignored unless a dot was typed, except arguments, members of lists and
 * columns. The match that was added, to be filled in further, or NULL; it is good until the next one is added. */
struct match *matches_add(struct matches *m, enum match_source source, enum match_form form, const char *type,
			  struct slice name);

/* Takes the one that was added last away again. */
void matches_drop_last(struct matches *m);

size_t matches_count(const struct matches *m);

/* Sorts, removes doubles and cuts. Returns how many there are. */
size_t matches_finish(struct matches *m);
struct match *matches_get(const struct matches *m, size_t i);
struct slice matches_name(const struct matches *m, const struct match *x);

/* Appends what is to be inserted, as code. */
void matches_put(const struct matches *m, const struct match *x, struct buf *out);

/* `if`, `TRUE` and the like. */
bool matches_is_reserved(struct slice name);

/* True if R reads it as a name without backticks. */
bool matches_is_syntactic(struct slice name);

#endif
