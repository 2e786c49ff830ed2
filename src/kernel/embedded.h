/* embedded.h: files that are part of this program, put there at build by scripts/embed_files.py. */
#ifndef CARRACK_EMBEDDED_H
#define CARRACK_EMBEDDED_H

#include "base/base.h"

struct embedded_file {
	const char *name; /* without a directory */
	const unsigned char *data;
	size_t len;
};

/* logos/: logo-32x32.png, logo-64x64.png, logo-svg.svg. */
extern const struct embedded_file kernelspec_logos[];
extern const size_t kernelspec_logos_n;

/* report.R, alone. */
extern const struct embedded_file report_source[];
extern const size_t report_source_n;

#endif
