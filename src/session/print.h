/* print.h: plain data frames and matrices, as R's print() writes them.
 *
 * print.data.frame() makes a matrix of strings of the whole frame, by some dozen functions in R, and prints that. Here the same text is
 * written from the columns, by R's own formatReal() and its kin, for
 *
 *     data frames (of no other class) whose columns are logical, integer, double, character, factor, Date; and POSIXct, difftime
 *         and lists, for which format() is called as print.data.frame() does
 *     logical, integer and double matrices (of no class)
 *
 * What is different in any way (methods of the user's or of a package's that print() would meet, functions of base that somebody has replaced,
 * row names that are not unique, text in an encoding other than the session's …) is left to print(). What R prints is the law: the first
 * time a sample is printed in both ways, and if they differ, which a later R may bring about, all is left to print().
 *
 *     print_frame.c   what of a value is printed, and whether it can be here
 *     print_lines.c   the lines
 *
 * All functions may jump; memory is R's transient one (vmaxget).
 */
#ifndef CARRACK_SESSION_PRINT_H
#define CARRACK_SESSION_PRINT_H

#include "session/session.h"

/* Once, when no user's code has run yet: notes which functions are R's. */
void ss_print_init(void);

/* Prints x. False: nothing was printed, it is print()'s. With `cut` a table that print() would cut at options(max.print), as R is delivered, is cut
 * after as many rows as its rich form has. */
bool ss_print_table(SEXP x, bool cut);

/* For R code: prints x, and says whether it did. */
SEXP ss_print_sample(SEXP x);

/* ---- print_lines.c ---- */

enum print_kind { PRINT_LOGICAL, PRINT_INTEGER, PRINT_REAL, PRINT_TEXT };

struct print_text {
	const char *text; /* in the session's encoding, with escapes */
	int width;        /* on the screen */
};

struct print_column {
	enum print_kind kind;
	const int *ints;     /* of PRINT_LOGICAL, PRINT_INTEGER */
	const double *reals; /* of PRINT_REAL */
	struct print_text *texts;
	int width, decimals, exponent; /* what formatReal() says */
	struct print_text label;
};

struct print_table {
	int rows, cols; /* at least one of each */
	struct print_column *columns;
	struct print_text *row_labels;
	const int *row_numbers; /* NULL, as row_labels: [1,] … */
};

void print_lines(const struct print_table *t);

/* Strings as print() shows them without quotes. False: only R can. */
bool print_encode(SEXP strings, struct print_text *to);

#endif
