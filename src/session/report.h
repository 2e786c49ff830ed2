/* report.h: what the session says of itself when it is ended by a fatal signal, or asked where it is (docs/link.md, "Reports").
 *
 * Everything that is written here is written in signal handlers: no allocation, no R function that could jump. */
#ifndef CARRACK_REPORT_H
#define CARRACK_REPORT_H

#include "session/session.h"

/* Takes the descriptor from the environment and installs the handlers. Called once, before R starts and again after it. */
void ss_report_init(void);

/* In a copy of the session: it has a descriptor of its own, and its report begins with the signal. */
void ss_report_to(int fd);

/* Finds out where this R keeps a call in its contexts; without it no R calls are reported. May jump. */
void ss_report_find_calls(void);
SEXP ss_report_probe(void); /* called from R by it */

#endif
