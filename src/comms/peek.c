#include "comms/peek.h"

#include "base/utf8.h"

/* Not exported by every version of R. Without the first two, bindings are listed through R_lsInternal3. */
R_WEAK SEXP HASHTAB(SEXP env);
R_WEAK SEXP FRAME(SEXP env);
R_WEAK SEXP ALTREP_CLASS(SEXP x);
R_WEAK int LEVELS(SEXP x);

/* ---- ALTREP ---- */

/* The attribute list of a class object is its name, its package and its type (R's altrep.c). */
static SEXP altrep_package(SEXP x)
{
	SEXP about = ALTREP_CLASS && ATTRIB ? ATTRIB(ALTREP_CLASS(x)) : R_NilValue;
	SEXP package = TYPEOF(about) == LISTSXP ? CAR(CDR(about)) : R_NilValue;
	return TYPEOF(package) == SYMSXP ? package : R_NilValue;
}

bool peek_is_foreign(SEXP x)
{
	if (!ALTREP(x))
		return false;
	SEXP package = altrep_package(x);
	return package == R_NilValue || strcmp(CHAR(PRINTNAME(package)), "base") != 0;
}

void peek_altrep_name(SEXP x, char *out, size_t size)
{
	*out = '\0';
	SEXP package = ALTREP(x) ? altrep_package(x) : R_NilValue;
	if (package != R_NilValue && ALTREP_CLASS && ATTRIB)
		snprintf(out, size, "%s::%s", CHAR(PRINTNAME(package)), CHAR(PRINTNAME(CAR(ATTRIB(ALTREP_CLASS(x))))));
}

/* Classes of packages whose length is a number that they have at hand. */
static bool knows_its_length(SEXP x)
{
	static const char *const packages[] = {"vroom", "arrow"};
	SEXP package = altrep_package(x);
	for (size_t i = 0; package != R_NilValue && i < ARRAY_LEN(packages); i++)
		if (strcmp(CHAR(PRINTNAME(package)), packages[i]) == 0)
			return true;
	return false;
}

R_xlen_t peek_length(SEXP x)
{
	switch (TYPEOF(x)) {
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case CPLXSXP:
	case STRSXP:
	case RAWSXP:
	case VECSXP:
	case EXPRSXP: return peek_is_foreign(x) && !knows_its_length(x) ? PEEK_UNKNOWN : XLENGTH(x);
	default: return 0;
	}
}

bool peek_is_readable(SEXP x)
{
	switch (TYPEOF(x)) {
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case CPLXSXP:
	case RAWSXP:
	case VECSXP:
	case EXPRSXP: return !peek_is_foreign(x);
	case STRSXP: {
		/* as.character(1:n): asking for an element would make it. */
		char name[64];
		peek_altrep_name(x, name, sizeof name);
		return !peek_is_foreign(x) && strcmp(name, "base::deferred_string") != 0;
	}
	default: return false;
	}
}

/* ---- kinds ---- */

bool peek_is_atomic(SEXP x)
{
	switch (TYPEOF(x)) {
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case CPLXSXP:
	case STRSXP:
	case RAWSXP: return true;
	default: return false;
	}
}

bool peek_is_list(SEXP x)
{
	return TYPEOF(x) == VECSXP || TYPEOF(x) == EXPRSXP;
}

const char *peek_number(char *s, size_t size, R_xlen_t n)
{
	if (n == PEEK_UNKNOWN)
		snprintf(s, size, "?");
	else
		snprintf(s, size, "%lld", (long long)n);
	return s;
}

/* ---- attributes ---- */

SEXP peek_attributes(SEXP x)
{
	if (!ATTRIB || TYPEOF(x) == NILSXP || TYPEOF(x) == CHARSXP)
		return R_NilValue;
	SEXP a = ATTRIB(x);
	return TYPEOF(a) == LISTSXP ? a : R_NilValue;
}

SEXP peek_attribute(SEXP x, SEXP symbol)
{
	for (SEXP a = peek_attributes(x); a != R_NilValue; a = CDR(a))
		if (TAG(a) == symbol)
			return CAR(a);
	return R_NilValue;
}

const char *peek_class(SEXP x, R_xlen_t i)
{
	SEXP class = peek_attribute(x, R_ClassSymbol);
	if (TYPEOF(class) != STRSXP || !peek_is_readable(class) || i >= XLENGTH(class))
		return "";
	return CHAR(STRING_ELT(class, i));
}

bool peek_inherits(SEXP x, const char *class)
{
	const char *s;
	for (R_xlen_t i = 0; OBJECT(x) && *(s = peek_class(x, i)); i++)
		if (strcmp(s, class) == 0)
			return true;
	return false;
}

/* Row names are often kept as c(NA, -n). */
static R_xlen_t frame_rows(SEXP x)
{
	SEXP names = peek_attribute(x, R_RowNamesSymbol);
	R_xlen_t n = peek_length(names);
	if (n == 2 && TYPEOF(names) == INTSXP && INTEGER_ELT(names, 0) == NA_INTEGER)
		return INTEGER_ELT(names, 1) < 0 ? -(R_xlen_t)INTEGER_ELT(names, 1) : INTEGER_ELT(names, 1);
	return n;
}

bool peek_dim(SEXP x, R_xlen_t *rows, R_xlen_t *columns)
{
	if (TYPEOF(x) == VECSXP && peek_inherits(x, "data.frame")) {
		*rows = frame_rows(x);
		*columns = peek_length(x);
		return true;
	}
	SEXP dim = peek_attribute(x, R_DimSymbol);
	if ((TYPEOF(dim) != INTSXP && TYPEOF(dim) != REALSXP) || !peek_is_readable(dim) || XLENGTH(dim) != 2 ||
	    !Rf_isVector(x))
		return false;
	*rows = TYPEOF(dim) == INTSXP ? INTEGER_ELT(dim, 0) : (R_xlen_t)REAL_ELT(dim, 0);
	*columns = TYPEOF(dim) == INTSXP ? INTEGER_ELT(dim, 1) : (R_xlen_t)REAL_ELT(dim, 1);
	return true;
}

/* ---- text ---- */

/* Joins the character before it: a combining mark, a joiner, a variation selector, a skin tone. */
static bool is_mark(const char *s, int n)
{
	const unsigned char *u = (const unsigned char *)s;
	if (n == 2)
		return (u[0] == 0xcc) || (u[0] == 0xcd && u[1] < 0xb0);
	if (n == 3)
		return (u[0] == 0xe2 && u[1] == 0x80 && u[2] == 0x8d) || (u[0] == 0xef && u[1] == 0xb8 && u[2] < 0x90);
	return n == 4 && u[0] == 0xf0 && u[1] == 0x9f && u[2] == 0x8f && u[3] >= 0xbb;
}

static bool is_joiner(const char *s, int n)
{
	return n == 3 && memcmp(s, "\xe2\x80\x8d", 3) == 0;
}

/* How many bytes of s[0..n) are `max` characters. */
static size_t cut_at(const char *s, size_t n, size_t max)
{
	size_t at = 0, chars = 0;
	bool joined = false;
	while (at < n) {
		int k = utf8_char(s + at, n - at);
		if (k <= 0)
			k = 1;
		if (!is_mark(s + at, k) && !joined && chars++ == max)
			break;
		joined = is_joiner(s + at, k);
		at += (size_t)k;
	}
	return at;
}

bool peek_text(struct buf *out, SEXP chars, size_t max)
{
	const char *s = CHAR(chars);
	size_t n = (size_t)XLENGTH(chars);
	if (Rf_getCharCE(chars) != CE_LATIN1) {
		size_t k = cut_at(s, n, max);
		utf8_put_escaped(out, s, k);
		return k == n;
	}
	for (size_t i = 0; i < n && i < max; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x80)
			buf_putc(out, (char)(0xc0 | c >> 6));
		buf_putc(out, c < 0x80 ? (char)c : (char)(0x80 | (c & 0x3f)));
	}
	return n <= max;
}

/* ---- bindings ---- */

bool peek_is_hidden(SEXP symbol)
{
	return *CHAR(PRINTNAME(symbol)) == '.';
}

static bool is_database(SEXP env)
{
	return OBJECT(env) && peek_inherits(env, "UserDefinedDatabase");
}

enum peek_binding peek_binding(SEXP env, SEXP symbol, SEXP *value)
{
	*value = R_NilValue;
	return is_database(env) || !R_existsVarInFrame(env, symbol) ? PEEK_NONE : peek_bound(env, symbol, value);
}

static enum peek_binding promise_or_value(SEXP *value)
{
	if (TYPEOF(*value) != PROMSXP)
		return PEEK_VALUE;
	if (!PRVALUE || PRVALUE(*value) == R_UnboundValue)
		return PEEK_PROMISE;
	*value = PRVALUE(*value);
	return PEEK_VALUE;
}

enum peek_binding peek_bound(SEXP env, SEXP symbol, SEXP *value)
{
	*value = R_NilValue;
	if (is_database(env))
		return PEEK_NONE;
	if (R_BindingIsActive(symbol, env))
		return PEEK_ACTIVE;
	*value = Rf_findVarInFrame(env, symbol);
	return promise_or_value(value);
}

/* Ten thousand look-ups by name are mostly waiting for memory; the cell at hand has the value. But compiled code keeps numbers in cells
 * unboxed, which must not be taken for a value, and only the header says so, to R alone: 16 bits at its end, in R 4.0 to 4.4 (struct
 * sxpinfo_struct of Defn.h). Used only if the rest of the header is found where it should be; a look-up by name is always right. */
static bool header_is_known(void)
{
	static int known = -1;
	if (known < 0) {
		SEXP objects[] = {R_BlankString, R_GlobalEnv, R_NilValue, R_NamesSymbol, R_NaString};
		const char *version = CHAR(STRING_ELT(
		    Rf_eval(Rf_lang2(Rf_install("as.character"), Rf_lang1(Rf_install("getRversion"))), R_BaseEnv), 0));
		known = LEVELS && sizeof(void *) == 8 && strncmp(version, "4.", 2) == 0 && version[2] < '5' &&
			!(version[3] >= '0' && version[3] <= '9');
		for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
			uint64_t header;
			memcpy(&header, objects[i], sizeof header);
			known = known && (int)(header & 31) == TYPEOF(objects[i]) &&
				(int)(header >> 8 & 0xffff) == LEVELS(objects[i]) && header >> 48 == 0;
		}
	}
	return known;
}

enum peek_binding peek_here(const struct peek_each *each, SEXP symbol, SEXP *value)
{
	uint64_t header;
	if (!each->here || !header_is_known())
		return peek_bound(each->env, symbol, value);
	memcpy(&header, each->here, sizeof header);
	if (header >> 48)
		return peek_bound(each->env, symbol, value);
	*value = R_NilValue;
	if (header >> 23 & 1) /* bit 15 of gp: ACTIVE_BINDING_MASK */
		return PEEK_ACTIVE;
	*value = CAR(each->here);
	return promise_or_value(value);
}

/* Chains of a hash table, or the one chain of an environment that has none; else a list of names. */
void peek_each(struct peek_each *each, SEXP env)
{
	*each = (struct peek_each){.env = env, .table = R_NilValue, .cell = R_NilValue, .names = R_NilValue};
	if (!is_database(env) && HASHTAB && FRAME && env != R_BaseEnv && env != R_BaseNamespace) {
		each->table = HASHTAB(env);
		if (each->table == R_NilValue)
			each->cell = FRAME(env);
		else
			each->size = XLENGTH(each->table);
	} else if (!is_database(env)) {
		each->names = R_lsInternal3(env, TRUE, FALSE);
	}
	PROTECT(each->names);
}

SEXP peek_next(struct peek_each *each)
{
	if (each->names != R_NilValue)
		return each->at < XLENGTH(each->names) ? Rf_installTrChar(STRING_ELT(each->names, each->at++)) : NULL;
	while (each->cell == R_NilValue) {
		if (each->table == R_NilValue || each->at >= each->size)
			return NULL;
		each->cell = VECTOR_ELT(each->table, each->at++);
		if (each->at + 8 < each->size)
			__builtin_prefetch(VECTOR_ELT(each->table, each->at + 8));
	}
	SEXP symbol = TAG(each->cell);
	each->here = each->cell;
	each->cell = CDR(each->cell);
	return symbol;
}

void peek_end(struct peek_each *each)
{
	UNPROTECT(1);
}

R_xlen_t peek_count(SEXP env, bool dots, R_xlen_t max)
{
	struct peek_each each;
	SEXP symbol;
	R_xlen_t n = 0;
	peek_each(&each, env);
	while (n < max && (symbol = peek_next(&each)))
		n += dots || !peek_is_hidden(symbol);
	peek_end(&each);
	return n;
}
