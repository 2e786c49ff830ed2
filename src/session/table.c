/* table.c: which rows and columns of a table are shown. Columns are looked at element by element, so the time does not depend on
 * how long they are. */
#include "session/display.h"

#include "rapi/keep.h"
#include "rapi/value.h"

#define MAX_NESTED 20
#define MAX_LIMIT 1000000

/* A column as it is shown: a vector, or a column of a matrix that is one column of a data frame. */
struct column {
	SEXP values;
	R_xlen_t offset;
	const char *name;
};

static const char *join(const char *a, const char *between, const char *b)
{
	size_t n = strlen(a) + strlen(between) + strlen(b) + 1;
	char *s = R_alloc(n, 1);
	snprintf(s, n, "%s%s%s", a, between, b);
	return s;
}

static const char *decimal(long long i)
{
	char *s = R_alloc(24, 1);
	snprintf(s, 24, "%lld", i);
	return s;
}

static int limit(const char *name, int otherwise)
{
	SEXP value = r_option(name);
	double x = Rf_isNumeric(value) && Rf_xlength(value) == 1 ? Rf_asReal(value) : otherwise;
	if (ISNAN(x))
		x = otherwise;
	return x < 2 ? 2 : x > MAX_LIMIT ? MAX_LIMIT : (int)x;
}

R_xlen_t *table_pick(R_xlen_t n, int max, int *count, int *gap)
{
	*count = n > max ? max : (int)n;
	*gap = n > max ? (max + 1) / 2 : -1;
	R_xlen_t *pick = (R_xlen_t *)R_alloc((size_t)*count + 1, sizeof *pick);
	for (int i = 0; i < *count; i++)
		pick[i] = *gap >= 0 && i >= *gap ? n - *count + i : i;
	return pick;
}

/* ---- columns: nested data frames and matrices count as the columns that they consist of ---- */

static bool is_frame(SEXP x)
{
	return TYPEOF(x) == VECSXP && Rf_inherits(x, "data.frame");
}

static int matrix_columns(SEXP x)
{
	SEXP dim = Rf_getAttrib(x, R_DimSymbol);
	return TYPEOF(dim) == INTSXP && XLENGTH(dim) == 2 ? INTEGER(dim)[1] : -1;
}

static R_xlen_t count_columns(SEXP x, int depth)
{
	R_xlen_t n = 0;
	for (R_xlen_t j = 0; j < XLENGTH(x); j++) {
		SEXP v = VECTOR_ELT(x, j);
		int k = matrix_columns(v);
		n += is_frame(v) && depth < MAX_NESTED ? count_columns(v, depth + 1) : k >= 0 ? k : 1;
	}
	return n;
}

/* The columns that are shown, in order, while all are walked by. */
struct walk {
	const R_xlen_t *pick;
	int wanted, found;
	R_xlen_t at;
	struct column *columns;
};

static void take(struct walk *w, SEXP values, R_xlen_t offset, const char *outer, const char *name)
{
	if (w->found < w->wanted && w->pick[w->found] == w->at)
		w->columns[w->found++] = (struct column){values, offset, outer ? join(outer, ".", name) : name};
	w->at++;
}

static void walk_matrix(struct walk *w, SEXP x, const char *name)
{
	SEXP dimnames = Rf_getAttrib(x, R_DimNamesSymbol),
	     names = dimnames == R_NilValue ? dimnames : VECTOR_ELT(dimnames, 1);
	int cols = matrix_columns(x), rows = INTEGER(Rf_getAttrib(x, R_DimSymbol))[0];
	for (int j = 0; j < cols; j++) {
		bool next = w->found < w->wanted && w->pick[w->found] == w->at;
		const char *own = !next ? "" : TYPEOF(names) == STRSXP ? table_string(names, j) : decimal(j + 1);
		take(w, x, (R_xlen_t)rows * j, name, own);
	}
}

static void walk_frame(struct walk *w, SEXP x, const char *outer, int depth)
{
	SEXP names = Rf_getAttrib(x, R_NamesSymbol);
	for (R_xlen_t j = 0; j < XLENGTH(x) && w->found < w->wanted; j++) {
		SEXP v = VECTOR_ELT(x, j);
		const char *name = TYPEOF(names) == STRSXP && j < XLENGTH(names) ? table_string(names, j) : "";
		const char *whole = outer ? join(outer, ".", name) : name;
		if (is_frame(v) && depth < MAX_NESTED)
			walk_frame(w, v, whole, depth + 1);
		else if (matrix_columns(v) >= 0)
			walk_matrix(w, v, whole);
		else
			take(w, v, 0, NULL, whole);
	}
}

/* ---- cells ---- */

static R_xlen_t elements(const struct column *c)
{
	if (Rf_isVectorAtomic(c->values) || (TYPEOF(c->values) == VECSXP && !Rf_inherits(c->values, "POSIXlt")))
		return XLENGTH(c->values);
	SEXP n = r_call_module("count_elements", 1, &c->values);
	return (R_xlen_t)Rf_asReal(n);
}

static void fill_cells(struct table *t, const struct column *columns, const R_xlen_t *pick)
{
	t->cells = (const char **)R_alloc((size_t)t->rows * (size_t)t->cols + 1, sizeof *t->cells);
	for (int j = 0; j < t->cols; j++) {
		const struct column *c = &columns[j];
		if (t->rows && elements(c) <= c->offset + pick[t->rows - 1])
			Rf_error("column %d has fewer elements than the table has rows", j + 1);
		table_format(c->values, c->offset, pick, t->rows, t->cells + (size_t)j * (size_t)t->rows);
	}
}

static const char **pick_names(SEXP names, const R_xlen_t *pick, int n)
{
	const char **to = (const char **)R_alloc((size_t)n + 1, sizeof *to);
	for (int i = 0; i < n; i++)
		to[i] = TYPEOF(names) == STRSXP    ? table_string(names, pick[i])
			: TYPEOF(names) == INTSXP  ? decimal(INTEGER_ELT(names, pick[i]))
			: TYPEOF(names) == REALSXP ? decimal((long long)REAL_ELT(names, pick[i]))
						   : "";
	return to;
}

static const char *dimensions(const char *what, long long rows, long long cols)
{
	const char *text = join(join("A ", what, ": "), decimal(rows), " × ");
	return join(text, "", decimal(cols));
}

/* ---- data frames ---- */

/* `Groups: a, b [3]` of a grouped tibble. */
static const char *add_groups(SEXP x, const char *caption)
{
	SEXP groups = Rf_getAttrib(x, Rf_install("groups"));
	if (Rf_inherits(x, "rowwise_df"))
		caption = join(caption, "", ", rowwise");
	if (!Rf_inherits(x, "grouped_df") || TYPEOF(groups) != VECSXP)
		return caption;
	SEXP names = Rf_getAttrib(groups, R_NamesSymbol);
	caption = join(caption, "", ", groups: ");
	for (R_xlen_t i = 0; i + 1 < Rf_xlength(names); i++)
		caption = join(caption, i ? ", " : "", table_string(names, i));
	R_xlen_t n = XLENGTH(groups) ? Rf_xlength(VECTOR_ELT(groups, 0)) : 0;
	return join(caption, " [", join(decimal(n), "", "]"));
}

static const char *frame_class(SEXP x)
{
	if (Rf_inherits(x, "tbl_df"))
		return "tibble";
	return r_text(Rf_getAttrib(x, R_ClassSymbol), 0);
}

static bool frame(SEXP x, struct table *t)
{
	SEXP call = PROTECT(Rf_lang2(Rf_install(".row_names_info"), x));
	double info = Rf_asReal(Rf_eval(call, R_BaseEnv));
	R_xlen_t rows = (R_xlen_t)(info < 0 ? -info : info), cols = count_columns(x, 0);
	UNPROTECT(1);
	if (!cols)
		return false;
	R_xlen_t *row = table_pick(rows, limit("repr.matrix.max.rows", 60), &t->rows, &t->row_gap);
	R_xlen_t *col = table_pick(cols, limit("repr.matrix.max.cols", 20), &t->cols, &t->col_gap);
	struct column *columns = (struct column *)R_alloc((size_t)t->cols + 1, sizeof *columns);
	struct walk w = {.pick = col, .wanted = t->cols, .columns = columns};
	walk_frame(&w, x, NULL, 0);
	t->cols = w.found;
	t->caption = add_groups(x, dimensions(frame_class(x), rows, XLENGTH(x)));
	t->col_names = (const char **)R_alloc((size_t)t->cols + 1, sizeof *t->col_names);
	t->col_types = (const char **)R_alloc((size_t)t->cols + 1, sizeof *t->col_types);
	for (int j = 0; j < t->cols; j++) {
		t->col_names[j] = columns[j].name;
		t->col_types[j] = table_type(columns[j].values);
	}
	if (info > 0 && !Rf_inherits(x, "tbl_df")) {
		SEXP names = PROTECT(Rf_getAttrib(x, R_RowNamesSymbol));
		t->row_names = pick_names(names, row, t->rows);
		UNPROTECT(1);
	}
	fill_cells(t, columns, row);
	return true;
}

/* ---- matrices and tables ---- */

static void blank_missing(struct table *t)
{
	size_t n = (size_t)t->rows * (size_t)t->cols;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(t->cells[i], "NA"))
			t->cells[i] = "";
}

static bool matrix(SEXP x, bool is_table, R_xlen_t rows, R_xlen_t cols, struct table *t)
{
	SEXP dimnames = PROTECT(Rf_getAttrib(x, R_DimNamesSymbol));
	SEXP row_names = dimnames == R_NilValue ? dimnames : VECTOR_ELT(dimnames, 0);
	SEXP col_names = Rf_xlength(dimnames) > 1 ? VECTOR_ELT(dimnames, 1) : R_NilValue;
	R_xlen_t *row = table_pick(rows, limit("repr.matrix.max.rows", 60), &t->rows, &t->row_gap);
	R_xlen_t *col = table_pick(cols, limit("repr.matrix.max.cols", 20), &t->cols, &t->col_gap);
	struct column *columns = (struct column *)R_alloc((size_t)t->cols + 1, sizeof *columns);
	for (int j = 0; j < t->cols; j++)
		columns[j] = (struct column){x, rows * col[j], ""};
	if (Rf_xlength(row_names) == rows && rows)
		t->row_names = pick_names(row_names, row, t->rows);
	if (Rf_xlength(col_names) == cols)
		t->col_names = pick_names(col_names, col, t->cols);
	t->caption = dimensions(is_table ? "table" : "matrix", rows, cols);
	if (!is_table)
		t->caption = join(t->caption, " of type ", table_type(x));
	fill_cells(t, columns, row);
	if (is_table)
		blank_missing(t);
	UNPROTECT(1);
	return true;
}

bool table_from(SEXP x, struct table *t)
{
	*t = (struct table){.row_gap = -1, .col_gap = -1};
	if (is_frame(x))
		return frame(x, t);
	SEXP dim = Rf_getAttrib(x, R_DimSymbol);
	bool is_table = Rf_inherits(x, "table");
	if (TYPEOF(dim) != INTSXP || (!Rf_isVectorAtomic(x) && TYPEOF(x) != VECSXP) || (OBJECT(x) && !is_table))
		return false;
	const int *d = INTEGER(dim);
	if (XLENGTH(dim) == 2 && d[0] && d[1])
		return matrix(x, is_table, d[0], d[1], t);
	return is_table && XLENGTH(dim) == 1 && d[0] && matrix(x, true, d[0], 1, t);
}
