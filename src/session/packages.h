/* packages.h: the packages that are installed, and what is in them, without loading any. */
#ifndef CARRACK_SESSION_PACKAGES_H
#define CARRACK_SESSION_PACKAGES_H

#include "rapi/rapi.h"
#include "session/matches.h"

/* Adds the names of the packages in all libraries. May jump. */
void packages_installed(struct matches *m, enum match_form form, const char *suffix);

/* Adds what `package::` or `package:::` offers. May jump. */
void packages_exports(struct matches *m, struct slice package, bool internal, enum match_form form);

#endif
