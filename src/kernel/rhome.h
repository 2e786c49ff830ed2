/* rhome.h: which R, and whether it can be embedded.
 *
 * The first of these rules that applies decides, and a broken R it names is an error rather than a reason to go on, so that
 * nobody gets another R than the one they asked for:
 *   1. what the caller asked for (--r-home),
 *   2. the environment variable R_HOME,
 *   3. CONDA_PREFIX/lib/R, if there is one,
 *   4. the `R` on PATH: its script says where its home is; if the script leaves that open, `R RHOME` is asked, for 5 s at most,
 *   5. the usual places: /usr/lib/R, /usr/lib64/R, the same under /usr/local, the newest under /opt/R, macOS's framework.
 */
#ifndef CARRACK_RHOME_H
#define CARRACK_RHOME_H

#include "kernel/files.h"

#define RHOME_OLDEST "4.2.0"

struct rhome {
	char path[KN_PATH]; /* absolute */
	char version[32];   /* "4.2.2", from library/base/DESCRIPTION */
	int major, minor, patch;
	char libr[KN_PATH];         /* the shared library, path/lib/libR.so */
	char source[KN_PATH + 128]; /* the rule, in words: "R_HOME", "--r-home", "R on PATH (/usr/bin/R)" */
};

/* Finds R and checks it. `asked` is --r-home or NULL. *e names the rule, what is missing and what to do. */
bool rhome_find(struct rhome *r, const char *asked, struct err *e) MUST_CHECK;

/* Checks r->path: the directory, bin/R, etc/ldpaths, lib/libR.so, the version; fills in version, numbers and libr. */
bool rhome_check(struct rhome *r, struct err *e) MUST_CHECK;

#endif
