/* print_frame.c: what of a data frame or a matrix is printed, and whether it can be done without R's print(). */
#include "session/print.h"

#include "rapi/keep.h"
#include "rapi/value.h"
#include "session/display.h"
#include "session/look.h"

#include <R_ext/PrtUtil.h>

#define MAX_NAME 256      /* bytes; as.data.frame() shortens what is longer */
#define R_MAX_PRINT 99999 /* options(max.print), as R is delivered */

/* ---- whose functions print() would call ---- */

/* These are R's own: in base, and where base has its methods registered. */
static const char *const in_base[] = {"print",
				      "print.data.frame",
				      "print.default",
				      "format",
				      "format.data.frame",
				      "format.default",
				      "format.factor",
				      "format.Date",
				      "format.POSIXct",
				      "format.POSIXlt",
				      "format.difftime",
				      "as.POSIXlt",
				      "as.POSIXlt.Date",
				      "as.matrix",
				      "as.matrix.data.frame",
				      "as.data.frame.list",
				      "row.names.data.frame",
				      "[.data.frame",
				      "[[.data.frame",
				      "as.character.factor",
				      "length",
				      "dim.data.frame"};

/* These are not there. */
static const char *const nowhere[] = {"print.matrix",   "print.array",    "print.character",      "format.integer",
				      "format.numeric", "format.double",  "format.logical",       "format.character",
				      "format.list",    "format.ordered", "as.character.ordered", "length.data.frame"};

static SEXP methods_of_base(void)
{
	return Rf_eval(Rf_install(".__S3MethodsTable__."), R_BaseEnv);
}

void ss_print_init(void)
{
	SEXP table = PROTECT(methods_of_base()), kept = PROTECT(Rf_allocVector(VECSXP, 2 * ARRAY_LEN(in_base)));
	for (size_t i = 0; i < ARRAY_LEN(in_base); i++) {
		SEXP name = Rf_install(in_base[i]);
		SET_VECTOR_ELT(kept, (R_xlen_t)(2 * i), Rf_findVarInFrame(R_BaseEnv, name));
		if (TYPEOF(table) == ENVSXP)
			SET_VECTOR_ELT(kept, (R_xlen_t)(2 * i + 1), Rf_findVarInFrame(table, name));
	}
	r_keep(R_KEEP_PRINT, kept);
	UNPROTECT(2);
}

static bool functions_are_base(void)
{
	SEXP table = PROTECT(methods_of_base()), kept = r_kept(R_KEEP_PRINT);
	bool ok = TYPEOF(table) == ENVSXP && !R_existsVarInFrame(R_GlobalEnv, Rf_install("print.data.frame"));
	for (size_t i = 0; ok && i < ARRAY_LEN(in_base); i++) {
		SEXP name = Rf_install(in_base[i]);
		ok = Rf_findVarInFrame(R_BaseEnv, name) == VECTOR_ELT(kept, (R_xlen_t)(2 * i)) &&
		     Rf_findVarInFrame(table, name) == VECTOR_ELT(kept, (R_xlen_t)(2 * i + 1));
	}
	for (size_t i = 0; ok && i < ARRAY_LEN(nowhere); i++) {
		SEXP name = Rf_install(nowhere[i]);
		ok = !R_existsVarInFrame(table, name) && !look_is_visible(name);
	}
	UNPROTECT(1);
	return ok;
}

/* ---- columns ---- */

static bool class_is(SEXP x, const char *a, const char *b)
{
	SEXP class = Rf_getAttrib(x, R_ClassSymbol);
	return TYPEOF(class) == STRSXP && XLENGTH(class) == (b ? 2 : 1) && !strcmp(r_text(class, 0), a) &&
	       (!b || !strcmp(r_text(class, 1), b));
}

static bool is_factor(SEXP x)
{
	return TYPEOF(x) == INTSXP && (class_is(x, "factor", NULL) || class_is(x, "ordered", "factor")) &&
	       TYPEOF(Rf_getAttrib(x, R_LevelsSymbol)) == STRSXP;
}

static bool is_date(SEXP x)
{
	return (TYPEOF(x) == REALSXP || TYPEOF(x) == INTSXP) && class_is(x, "Date", NULL);
}

/* format() is called for these: what it does is R's own. */
static bool is_formatted_by_r(SEXP x)
{
	if (TYPEOF(x) == REALSXP || TYPEOF(x) == INTSXP)
		return class_is(x, "POSIXct", "POSIXt") || class_is(x, "difftime", NULL) || is_date(x);
	return TYPEOF(x) == VECSXP && !OBJECT(x);
}

static bool is_known(SEXP x, R_xlen_t rows)
{
	if (!Rf_isVector(x) || IS_S4_OBJECT(x) || XLENGTH(x) != rows || Rf_getAttrib(x, R_DimSymbol) != R_NilValue)
		return false;
	if (!OBJECT(x) && (TYPEOF(x) == LGLSXP || TYPEOF(x) == INTSXP || TYPEOF(x) == REALSXP || TYPEOF(x) == STRSXP))
		return true;
	return is_factor(x) || is_formatted_by_r(x);
}

/* Elements [at, at + n) of a vector of numbers, and how they are written together. */
static void take_numbers(SEXP x, R_xlen_t at, int n, struct print_column *c)
{
	if (TYPEOF(x) == REALSXP) {
		double *to = (double *)R_alloc((size_t)n, sizeof *to);
		REAL_GET_REGION(x, at, n, to);
		formatReal(to, n, &c->width, &c->decimals, &c->exponent, 0);
		c->kind = PRINT_REAL;
		c->reals = to;
		return;
	}
	int *to = (int *)R_alloc((size_t)n, sizeof *to);
	c->ints = to;
	if (TYPEOF(x) == LGLSXP) {
		LOGICAL_GET_REGION(x, at, n, to);
		formatLogical(to, n, &c->width);
		c->kind = PRINT_LOGICAL;
	} else {
		INTEGER_GET_REGION(x, at, n, to);
		formatInteger(to, n, &c->width);
		c->kind = PRINT_INTEGER;
	}
}

static bool take_strings(SEXP strings, int n, struct print_column *c)
{
	c->kind = PRINT_TEXT;
	c->texts = (struct print_text *)R_alloc((size_t)n, sizeof *c->texts);
	return print_encode(strings, c->texts);
}

/* The text of strings lives as long as they, so that those that a table makes are kept in `made`. */
static SEXP keep_strings(SEXP made, SEXP strings)
{
	PROTECT(strings);
	SETCDR(made, Rf_cons(strings, CDR(made)));
	UNPROTECT(1);
	return strings;
}

static bool take_text(SEXP x, int n, struct print_column *c, SEXP made)
{
	SEXP strings = keep_strings(made, Rf_allocVector(STRSXP, n));
	for (int i = 0; i < n; i++)
		SET_STRING_ELT(strings, i, STRING_ELT(x, i));
	return take_strings(strings, n, c);
}

static bool take_factor(SEXP x, int n, struct print_column *c, SEXP made)
{
	SEXP levels = Rf_getAttrib(x, R_LevelsSymbol), strings = keep_strings(made, Rf_allocVector(STRSXP, n));
	for (int i = 0; i < n; i++) {
		int v = INTEGER_ELT(x, i);
		if (v != NA_INTEGER && (v < 1 || v > XLENGTH(levels)))
			return false; /* print() says that this is no factor */
		SET_STRING_ELT(strings, i, v == NA_INTEGER ? NA_STRING : STRING_ELT(levels, v - 1));
	}
	return take_strings(strings, n, c);
}

static bool take_dates(SEXP x, int n, struct print_column *c)
{
	c->kind = PRINT_TEXT;
	c->texts = (struct print_text *)R_alloc((size_t)n, sizeof *c->texts);
	char *text = R_alloc((size_t)n, TABLE_DATE);
	for (int i = 0; i < n; i++, text += TABLE_DATE) {
		bool known = table_date(x, i, text);
		c->texts[i] = known ? (struct print_text){text, (int)strlen(text)} : (struct print_text){"<NA>", 4};
	}
	return true;
}

/* format() as format.data.frame() calls it, from the same place. */
static bool take_by_r(SEXP x, int n, struct print_column *c, SEXP made)
{
	SEXP args[2] = {x, PROTECT(Rf_ScalarInteger(n))};
	SEXP strings = keep_strings(made, r_call_module("format_column", 2, args));
	UNPROTECT(1);
	if (TYPEOF(strings) != STRSXP || XLENGTH(strings) != n || OBJECT(strings) ||
	    Rf_getAttrib(strings, R_DimSymbol) != R_NilValue)
		return false;
	return take_strings(strings, n, c);
}

static bool take_column(SEXP x, int n, struct print_column *c, SEXP made)
{
	if (is_factor(x))
		return take_factor(x, n, c, made);
	if (is_date(x) && table_usual_dates(x, n))
		return take_dates(x, n, c);
	if (is_formatted_by_r(x))
		return take_by_r(x, n, c, made);
	if (TYPEOF(x) == STRSXP)
		return take_text(x, n, c, made);
	take_numbers(x, 0, n, c);
	return true;
}

/* ---- names ---- */

static bool has_missing(SEXP strings)
{
	for (R_xlen_t i = 0; i < XLENGTH(strings); i++)
		if (STRING_ELT(strings, i) == NA_STRING)
			return true;
	return false;
}

static bool are_names(SEXP names, R_xlen_t n)
{
	if (TYPEOF(names) != STRSXP || XLENGTH(names) != n)
		return false;
	for (R_xlen_t i = 0; i < n; i++) {
		SEXP s = STRING_ELT(names, i);
		if (s == NA_STRING || !LENGTH(s) || LENGTH(s) > MAX_NAME)
			return false;
	}
	return true;
}

static bool take_labels(SEXP names, struct print_table *t)
{
	struct print_text *texts = (struct print_text *)R_alloc((size_t)t->cols, sizeof *texts);
	if (!print_encode(names, texts))
		return false;
	for (int j = 0; j < t->cols; j++)
		t->columns[j].label = texts[j];
	return true;
}

/* Row names of a frame of n rows. When rows are left out, only those that are numbered can be: `[` makes others unique. */
static bool take_row_names(SEXP names, R_xlen_t n, struct print_table *t)
{
	if (TYPEOF(names) == STRSXP) {
		t->row_labels = (struct print_text *)R_alloc((size_t)t->rows, sizeof *t->row_labels);
		return t->rows == n && !has_missing(names) && print_encode(names, t->row_labels);
	}
	int *numbers = (int *)R_alloc((size_t)t->rows, sizeof *numbers);
	INTEGER_GET_REGION(names, 0, t->rows, numbers);
	for (int i = 0; i < t->rows; i++)
		if (numbers[i] == NA_INTEGER || (t->rows < n && numbers[i] != i + 1))
			return false;
	t->row_numbers = numbers;
	return true;
}

/* ---- how many rows ---- */

/* Rows that are shown of a table that print() would cut at max.print as R is delivered: as many as its rich form has. */
static R_xlen_t rows_of_rich_form(R_xlen_t rows, R_xlen_t cols)
{
	SEXP option = r_option("repr.matrix.max.rows");
	double max = Rf_isNumeric(option) && XLENGTH(option) == 1 ? Rf_asReal(option) : 60;
	if (!(max > 0))
		max = 60;
	R_xlen_t n = max < (double)rows ? (R_xlen_t)max : rows;
	return n < R_MAX_PRINT / cols ? n : R_MAX_PRINT / cols;
}

/* 0: nothing can be said. */
static R_xlen_t rows_shown(R_xlen_t rows, R_xlen_t cols, bool cut)
{
	SEXP max = r_option("max.print");
	if (TYPEOF(max) != INTSXP || XLENGTH(max) != 1 || INTEGER_ELT(max, 0) < 1)
		return 0;
	int m = INTEGER_ELT(max, 0);
	if (cut && m == R_MAX_PRINT && rows > R_MAX_PRINT / cols)
		return rows_of_rich_form(rows, cols);
	return m / cols < rows ? m / cols : rows;
}

/* ---- tables ---- */

static bool frame(SEXP x, bool cut, SEXP made)
{
	SEXP row_names = keep_strings(made, Rf_getAttrib(x, R_RowNamesSymbol)), names = Rf_getAttrib(x, R_NamesSymbol);
	R_xlen_t rows = XLENGTH(row_names), cols = XLENGTH(x), shown = 0;
	if (!rows || !cols || (TYPEOF(row_names) != INTSXP && TYPEOF(row_names) != STRSXP) || !are_names(names, cols))
		return false;
	for (R_xlen_t j = 0; j < cols; j++)
		if (!is_known(VECTOR_ELT(x, j), rows))
			return false;
	if (!functions_are_base() || (shown = rows_shown(rows, cols, cut)) == 0)
		return false;
	struct print_table t = {.rows = (int)shown, .cols = (int)cols};
	t.columns = (struct print_column *)R_alloc((size_t)cols, sizeof *t.columns);
	memset(t.columns, 0, (size_t)cols * sizeof *t.columns);
	if (!take_labels(names, &t) || !take_row_names(row_names, rows, &t))
		return false;
	for (int j = 0; j < t.cols; j++)
		if (!take_column(VECTOR_ELT(x, j), t.rows, &t.columns[j], made))
			return false;
	print_lines(&t);
	if (shown < rows)
		Rprintf(" [ reached 'max' / getOption(\"max.print\") -- omitted %lld rows ]\n",
			(long long)(rows - shown));
	return true;
}

static bool has_only_dimensions(SEXP x)
{
	for (SEXP a = ATTRIB(x); a != R_NilValue; a = CDR(a))
		if (TAG(a) != R_DimSymbol && TAG(a) != R_DimNamesSymbol)
			return false;
	return true;
}

static bool take_matrix_names(SEXP x, R_xlen_t rows, struct print_table *t)
{
	SEXP dimnames = Rf_getAttrib(x, R_DimNamesSymbol);
	SEXP row_names = dimnames == R_NilValue ? dimnames : VECTOR_ELT(dimnames, 0);
	SEXP col_names = dimnames == R_NilValue ? dimnames : VECTOR_ELT(dimnames, 1);
	if (TYPEOF(row_names) == STRSXP) {
		t->row_labels = (struct print_text *)R_alloc((size_t)t->rows, sizeof *t->row_labels);
		if (t->rows < rows || !print_encode(row_names, t->row_labels))
			return false;
	}
	if (TYPEOF(col_names) == STRSXP)
		return take_labels(col_names, t);
	for (int j = 0; j < t->cols; j++) {
		char *text = R_alloc(24, 1);
		t->columns[j].label = (struct print_text){text, snprintf(text, 24, "[,%d]", j + 1)};
	}
	return true;
}

static bool matrix(SEXP x, bool cut)
{
	SEXP dim = Rf_getAttrib(x, R_DimSymbol), dimnames = Rf_getAttrib(x, R_DimNamesSymbol);
	if (TYPEOF(dim) != INTSXP || XLENGTH(dim) != 2 || !has_only_dimensions(x) ||
	    Rf_getAttrib(dimnames, R_NamesSymbol) != R_NilValue)
		return false;
	int rows = INTEGER_ELT(dim, 0), cols = INTEGER_ELT(dim, 1);
	if (!rows || !cols)
		return false;
	R_xlen_t shown = rows_shown(rows, cols, cut);
	if (!shown || (shown < rows && shown == rows_shown(rows, cols, false)))
		return false;
	struct print_table t = {.rows = (int)shown, .cols = cols};
	t.columns = (struct print_column *)R_alloc((size_t)cols, sizeof *t.columns);
	memset(t.columns, 0, (size_t)cols * sizeof *t.columns);
	if (!take_matrix_names(x, rows, &t))
		return false;
	for (int j = 0; j < cols; j++)
		take_numbers(x, (R_xlen_t)rows * j, t.rows, &t.columns[j]);
	print_lines(&t);
	if (shown < rows)
		Rprintf(" [ reached getOption(\"max.print\") -- omitted %lld rows ]\n", (long long)(rows - shown));
	return true;
}

static bool print_table(SEXP x, bool cut)
{
	SEXP mark = r_option("OutDec");
	if (IS_S4_OBJECT(x) || !Rf_PrintDefaults || TYPEOF(mark) != STRSXP || XLENGTH(mark) != 1 ||
	    LENGTH(STRING_ELT(mark, 0)) != 1)
		return false;
	if (TYPEOF(x) == VECSXP && class_is(x, "data.frame", NULL)) {
		SEXP made = PROTECT(Rf_list1(R_NilValue));
		Rf_PrintDefaults(); /* formatReal() and the others go by what it reads of the options */
		bool done = frame(x, cut, made);
		UNPROTECT(1);
		return done;
	}
	if (OBJECT(x) || (TYPEOF(x) != LGLSXP && TYPEOF(x) != INTSXP && TYPEOF(x) != REALSXP))
		return false;
	Rf_PrintDefaults();
	return matrix(x, cut);
}

SEXP ss_print_sample(SEXP x)
{
	return Rf_ScalarLogical(print_table(x, false));
}

bool ss_print_table(SEXP x, bool cut)
{
	static enum { UNKNOWN, SAME, OTHER } tested;
	if (TYPEOF(x) != VECSXP && Rf_getAttrib(x, R_DimSymbol) == R_NilValue)
		return false;
	if (TYPEOF(x) == VECSXP && !class_is(x, "data.frame", NULL))
		return false;
	if (tested == UNKNOWN) {
		tested = OTHER;
		SEXP same = r_call_module("print_is_same", 0, NULL);
		tested = Rf_asLogical(same) == TRUE ? SAME : OTHER;
	}
	return tested == SAME && print_table(x, cut);
}
