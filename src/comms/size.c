#include "comms/value.h"

R_WEAK SEXP FORMALS(SEXP);
R_WEAK SEXP BODY(SEXP);

#define STACK 512 /* objects whose turn is to come; of lists and pairlists only a place in them is kept */
#define SEEN 4096

struct sizing {
	double bytes;
	size_t *nodes;
	bool least;
	size_t n;
	struct {
		SEXP x;
		R_xlen_t at;
	} stack[STACK];
};

/* A vector's memory: a header, and space from pools for small ones (R's memory.c). */
static double vector_bytes(double data)
{
	static const unsigned pool[] = {8, 16, 32, 48, 64, 128};
	for (size_t i = 0; i < ARRAY_LEN(pool); i++)
		if (data <= pool[i])
			return 48 + (data > 0 ? pool[i] : 0);
	double words = (double)(uint64_t)((data + 7) / 8);
	return 48 + 8 * words;
}

static void push(struct sizing *s, SEXP x)
{
	if (x == R_NilValue || TYPEOF(x) == SYMSXP)
		s->bytes += TYPEOF(x) == SYMSXP ? 56 : 0;
	else if (s->n == STACK)
		s->least = true;
	else
		s->stack[s->n++].x = x, s->stack[s->n - 1].at = 0;
}

/* Each different string once. The table of those seen is for vectors of any length up to its size; of longer ones the rest is
 * estimated by the references alone. */
static void strings(struct sizing *s, SEXP x)
{
	static struct {
		SEXP chars;
		uint32_t turn;
	} seen[2 * SEEN];
	static uint32_t turn;
	R_xlen_t n = XLENGTH(x), look = n < SEEN ? n : SEEN;
	if ((size_t)look > *s->nodes)
		look = (R_xlen_t)*s->nodes;
	*s->nodes -= (size_t)look;
	s->least = s->least || look < n;
	turn++;
	for (R_xlen_t i = 0; i < look; i++) {
		SEXP c = STRING_ELT(x, i);
		size_t at = (size_t)((uint64_t)(uintptr_t)c >> 4) * 0x9e3779b97f4a7c15u >> 40;
		while (seen[at % ARRAY_LEN(seen)].turn == turn && seen[at % ARRAY_LEN(seen)].chars != c)
			at++;
		if (seen[at % ARRAY_LEN(seen)].turn == turn)
			continue;
		seen[at % ARRAY_LEN(seen)].chars = c;
		seen[at % ARRAY_LEN(seen)].turn = turn;
		s->bytes += c == NA_STRING ? 0 : vector_bytes((double)XLENGTH(c) + 1);
	}
}

static double data_bytes(SEXP x)
{
	static const struct {
		SEXPTYPE type;
		unsigned size;
	} sizes[] = {{LGLSXP, 4}, {INTSXP, 4}, {REALSXP, 8}, {CPLXSXP, 16},
		     {RAWSXP, 1}, {STRSXP, 8}, {VECSXP, 8},  {EXPRSXP, 8}};
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		if (sizes[i].type == (SEXPTYPE)TYPEOF(x))
			return (double)sizes[i].size * (double)peek_length(x);
	return -1;
}

static void first_look(struct sizing *s, SEXP x)
{
	double data = data_bytes(x);
	if (data < 0)
		s->bytes += 56;
	else if (peek_length(x) == PEEK_UNKNOWN)
		s->bytes += 56, s->least = true;
	else
		s->bytes += vector_bytes(data);
	for (SEXP a = peek_attributes(x); a != R_NilValue; a = CDR(a)) {
		s->bytes += 56 + 56; /* the cell, and the symbol of its tag */
		push(s, CAR(a));
	}
	if (TYPEOF(x) == STRSXP && peek_is_readable(x))
		strings(s, x);
	if (TYPEOF(x) == CLOSXP) {
		if (FORMALS)
			push(s, FORMALS(x));
		if (BODY)
			push(s, BODY(x));
	}
}

/* Takes one step with the object on top: itself, or its next part. */
static void step(struct sizing *s)
{
	SEXP x = s->stack[s->n - 1].x;
	R_xlen_t at = s->stack[s->n - 1].at++;
	if (at == 0) {
		size_t me = s->n - 1;
		first_look(s, x);
		bool parts = ((TYPEOF(x) == VECSXP || TYPEOF(x) == EXPRSXP) && peek_is_readable(x)) ||
			     TYPEOF(x) == LISTSXP || TYPEOF(x) == LANGSXP;
		if (!parts) {
			memmove(&s->stack[me], &s->stack[me + 1], (s->n - me - 1) * sizeof *s->stack);
			s->n--;
		}
		return;
	}
	s->n--;
	if (TYPEOF(x) == LISTSXP || TYPEOF(x) == LANGSXP) {
		SEXP next = CDR(x);
		s->bytes += TAG(x) != R_NilValue ? 56 : 0;
		push(s, next);
		push(s, CAR(x));
	} else if (at <= XLENGTH(x)) {
		if (at < XLENGTH(x)) /* there is more after this one: it stays below */
			s->stack[s->n++].at = at + 1;
		push(s, VECTOR_ELT(x, at - 1));
	}
}

double value_size(SEXP x, size_t *nodes, bool *least)
{
	static struct sizing s; /* large */
	s.bytes = 0;
	s.nodes = nodes;
	s.least = false;
	s.n = 0;
	push(&s, x);
	while (s.n && *nodes) {
		--*nodes;
		step(&s);
	}
	*least = s.least || s.n;
	return s.bytes;
}
