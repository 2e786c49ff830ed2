/* doctor.h: how the parts of `carrack doctor` write their findings. */
#ifndef CARRACK_DOCTOR_H
#define CARRACK_DOCTOR_H

#include "kernel/rhome.h"

struct doctor {
	int problems;
	struct rhome r;
	bool have_r;
	bool other_session; /* CARRACK_SESSION names one that need not be R's */
};

void doctor_section(const char *title);
void doctor_line(const char *label, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Something that is not as it should be, and in the next line what to do about it. */
void doctor_problem(struct doctor *d, const char *to_do, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* doctor_session.c: starts R both ways and compares. */
void doctor_check_session(struct doctor *d);

/* report.c: what an R says of itself. */
struct report {
	struct report_entry {
		bool variable; /* of the environment; otherwise a fact such as "BLAS" */
		char *name, *value;
	} * entry;
	size_t n;
};

/* The R code that writes a report to the file. */
bool report_code(struct buf *code, const char *file, struct err *e) MUST_CHECK;
bool report_read(struct report *r, const char *file, struct err *e) MUST_CHECK;
void report_release(struct report *r);

/* The value, or NULL. */
const char *report_get(const struct report *r, bool variable, const char *name);

#endif
