/* modules.h: the R code that comes with the session (src/modules/), put into the program at build time. */
#ifndef CARRACK_SESSION_MODULES_H
#define CARRACK_SESSION_MODULES_H

#include "base/base.h"

struct embedded_file {
	const char *name;
	const unsigned char *data;
	size_t len;
};

extern const struct embedded_file ss_module_files[];
extern const size_t ss_module_files_n;

#endif
