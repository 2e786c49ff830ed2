/* display.h: what a value looks like in a client that can show more than text.
 *
 *     display.c       a visible value: its text, and its rich forms; what R code publishes
 *     bundle.c        contents by media type
 *     cells.c         which cell runs
 *     table.c         which rows and columns of a table are shown
 *     table_cells.c   their text
 *     table_write.c   the table as HTML, Markdown and LaTeX
 *     view.c          View()
 *     print.h         data frames and matrices as text
 *     modules/display.R, modules/html.R   methods of packages and of the user; HTML documents, widgets
 *
 * Functions that may jump say so. None of them holds memory of malloc across a call into R but what belongs to a buffer of its caller.
 */
#ifndef CARRACK_SESSION_DISPLAY_H
#define CARRACK_SESSION_DISPLAY_H

#include "session/session.h"

/* ---- bundle.c ---- */

/* Appends a list of media types and their contents as the `data` of a message: contents are text (of a vector the lines) or base64 of
 * a raw vector; those of JSON types are JSON, from a string that is JSON or from a list. NULLs are left out. May jump. */
void ss_bundle(struct buf *out, SEXP data);

/* Appends a list with names as a JSON object (rapi/json.h); an empty one, NULL, is {}. May jump. */
void ss_bundle_object(struct buf *out, SEXP x);

/* For R code: what r_json_write writes; and base64, which is what it writes for a raw vector, without the quotes. They may jump. */
SEXP ss_display_json(SEXP x);
SEXP ss_display_base64(SEXP raw);

/* ---- cells.c ---- */

/* A cell starts. Does not jump. */
void ss_cell_begin(const struct link_frame *f, const json_t *content);

/* For R code: a name of this run of this cell; and whether that run's output is still there for this one. They may jump. */
SEXP ss_cell_now(void);
SEXP ss_cell_stands(SEXP run);

/* ---- table.c ---- */

/* What is shown of a table. Everything lives in R's transient memory (vmaxget). All text is UTF-8 (or what passes for it). */
struct table {
	const char *caption;
	int rows, cols;         /* that are shown */
	int row_gap, col_gap;   /* something is left out before this row, column; -1: nothing is */
	const char **row_names; /* NULL: there are none */
	const char **col_names; /* the same */
	const char **col_types; /* `dbl`, `chr` …; NULL for matrices */
	const char **cells;     /* cells[col * rows + row] */
};

/* The R_xlen_t's of the elements to be shown out of n: all, or the first and the last ones, `*gap` tells where the hole is. May jump. */
R_xlen_t *table_pick(R_xlen_t n, int max, int *count, int *gap);

/* True if x is a data frame, a matrix or a table of one or two dimensions, with anything in it to be shown; then *t is what options
 * repr.matrix.max.rows and repr.matrix.max.cols leave of it. No column is read as a whole. May jump. */
bool table_from(SEXP x, struct table *t);

/* ---- table_cells.c ---- */

/* The text of elements of a vector as format() gives it for them together, without the blanks that align them. May jump. */
void table_format(SEXP x, R_xlen_t offset, const R_xlen_t *pick, int n, const char **to);

/* Dates of the years 1000 to 9999: true if the first n elements are such, or missing; element i as text, false if it is missing. How others are
 * written is R's affair, and differs between its versions. */
#define TABLE_DATE 16
bool table_usual_dates(SEXP x, R_xlen_t n);
bool table_date(SEXP x, R_xlen_t i, char to[TABLE_DATE]);

/* The short name of a vector's type, without brackets. May jump. */
const char *table_type(SEXP x);

/* One element of a character vector, NA as `NA`. May jump. */
const char *table_string(SEXP x, R_xlen_t i);

/* ---- view.c ---- */

void ss_view_init(void);
SEXP ss_view_table(SEXP frame); /* called from R; may jump */

/* ---- table_write.c: none of it jumps ---- */

void table_html(const struct table *t, struct buf *out);
void table_markdown(const struct table *t, struct buf *out);
void table_latex(const struct table *t, struct buf *out);

/* What stands above one of several tables. */
void table_html_title(const char *title, struct buf *out);
void table_markdown_title(const char *title, struct buf *out);
void table_latex_title(const char *title, struct buf *out);

#endif
