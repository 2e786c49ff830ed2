/* boundary.h: modules/boundary.R, put into the program at build time. */
#ifndef CARRACK_RAPI_BOUNDARY_H
#define CARRACK_RAPI_BOUNDARY_H

#include "base/base.h"

struct embedded_file {
	const char *name;
	const unsigned char *data;
	size_t len;
};

extern const struct embedded_file r_boundary_files[];
extern const size_t r_boundary_files_n;

#endif
