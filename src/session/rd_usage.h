/* rd_usage.h: how a method is called. \method{`[`}{factor}(x, i) of a help page stands for x[i], with a comment before it that says
 * of what class x is. For rd.c only. */
#ifndef CARRACK_SESSION_RD_USAGE_H
#define CARRACK_SESSION_RD_USAGE_H

#include "base/buf.h"
#include "base/slice.h"

/* What has to be done to the code that comes next: a call's parentheses and first comma are other characters. */
struct rd_rewrite {
	int next; /* 0: nothing */
	int level;
	bool skip_blanks;
	char open[128], comma[128], close[4];
};

/* The comment, valid until the next call, and what is to be done to the code behind it. `calls`: that code. */
struct slice rd_method(struct rd_rewrite *r, bool s4, struct slice generic, struct slice class, struct slice calls);

static inline bool rd_rewriting(const struct rd_rewrite *r)
{
	return r->next != 0;
}

/* The code, changed; valid until the next call. */
struct slice rd_rewrite(struct rd_rewrite *r, struct slice code);

#endif
