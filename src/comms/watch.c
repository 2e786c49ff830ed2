#include "comms/watch.h"

#include <time.h>

/* ---- the print of a value ---- */

#define QUEUE 256 /* objects that wait to be looked at; more of one variable are not */

struct printing {
	uint64_t hash;
	size_t n, budget;
	SEXP watched;
	SEXP queue[QUEUE];
};

static inline void mix(struct printing *p, uint64_t x)
{
	p->hash = (p->hash ^ x) * 0x9e3779b97f4a7c15u;
	p->hash ^= p->hash >> 29;
}

static inline void mix_pointer(struct printing *p, const void *x)
{
	mix(p, (uint64_t)(uintptr_t)x);
}

/* The object's address counts, and it is looked at if there is room. */
static void later(struct printing *p, SEXP x)
{
	mix_pointer(p, x);
	if (p->n < QUEUE && p->n < p->budget && TYPEOF(x) != NILSXP && TYPEOF(x) != SYMSXP)
		p->queue[p->n++] = x;
}

static void mix_bytes(struct printing *p, const void *data, size_t n)
{
	const char *s = data;
	for (; n >= 8; s += 8, n -= 8) {
		uint64_t x;
		memcpy(&x, s, 8);
		mix(p, x);
	}
	uint64_t rest = 0;
	memcpy(&rest, s, n);
	mix(p, rest ^ (uint64_t)n << 56);
}

static void element(struct printing *p, SEXP x, R_xlen_t i)
{
	switch (TYPEOF(x)) {
	case LGLSXP: mix(p, (uint64_t)(int64_t)LOGICAL_ELT(x, i)); break;
	case INTSXP: mix(p, (uint64_t)(int64_t)INTEGER_ELT(x, i)); break;
	case RAWSXP: mix(p, RAW_ELT(x, i)); break;
	case REALSXP: {
		double d = REAL_ELT(x, i);
		mix_bytes(p, &d, sizeof d);
		break;
	}
	case CPLXSXP: {
		Rcomplex c = COMPLEX_ELT(x, i);
		mix_bytes(p, &c, sizeof c);
		break;
	}
	case STRSXP: {
		SEXP s = STRING_ELT(x, i);
		size_t n = (size_t)XLENGTH(s);
		mix_pointer(p, s);
		mix_bytes(p, CHAR(s), n < 16 ? n : 16);
		break;
	}
	case VECSXP:
	case EXPRSXP: later(p, VECTOR_ELT(x, i)); break;
	}
}

static size_t element_size(SEXP x)
{
	switch (TYPEOF(x)) {
	case LGLSXP:
	case INTSXP: return sizeof(int);
	case REALSXP: return sizeof(double);
	case CPLXSXP: return sizeof(Rcomplex);
	case RAWSXP: return 1;
	default: return 0;
	}
}

static void vector(struct printing *p, SEXP x)
{
	R_xlen_t n = peek_length(x);
	mix(p, (uint64_t)n);
	if (!peek_is_readable(x)) {
		mix_pointer(p, R_altrep_data1(x));
		mix_pointer(p, R_altrep_data2(x));
		return;
	}
	R_xlen_t first = n < WATCH_ELEMENTS ? n : WATCH_ELEMENTS;
	size_t size = ALTREP(x) ? 0 : element_size(x);
	if (size)
		mix_bytes(p, DATAPTR_RO(x), (size_t)first * size);
	for (R_xlen_t i = 0; i < first && !size; i++)
		element(p, x, i);
	/* The rest: every k-th, and the last. Each costs a wait for the memory: with many variables they are few. */
	R_xlen_t step = (n - first) / ((R_xlen_t)(p->budget + 3) / 4) + 1;
	for (R_xlen_t i = first; i < n; i += step)
		element(p, x, i);
	if (n > first)
		element(p, x, n - 1);
}

static void environment(struct printing *p, SEXP env)
{
	struct peek_each each;
	SEXP symbol, value;
	int n = 0;
	peek_each(&each, env);
	while (n++ < WATCH_ELEMENTS && (symbol = peek_next(&each))) {
		mix_pointer(p, symbol);
		peek_here(&each, symbol, &value);
		later(p, value);
	}
	peek_end(&each);
}

static void look_at(struct printing *p, SEXP x)
{
	mix(p, (uint64_t)TYPEOF(x));
	int n = 0;
	for (SEXP a = peek_attributes(x); a != R_NilValue && n++ < 32; a = CDR(a)) {
		mix_pointer(p, TAG(a));
		later(p, CAR(a));
	}
	switch (TYPEOF(x)) {
	case ENVSXP:
		/* What the workspace or a package holds is no part of a value that refers to it. */
		if (x != R_GlobalEnv && x != R_BaseEnv && x != R_BaseNamespace && x != p->watched &&
		    !R_IsNamespaceEnv(x) && !R_IsPackageEnv(x))
			environment(p, x);
		break;
	case CLOSXP:
	case BCODESXP:
	case PROMSXP:
	case EXTPTRSXP:
	case WEAKREFSXP:
	case BUILTINSXP:
	case SPECIALSXP: break; /* the address says it */
	case LISTSXP:
	case LANGSXP:
	case DOTSXP:
		later(p, CAR(x));
		later(p, CDR(x));
		break;
	case STRSXP:
	case VECSXP:
	case EXPRSXP:
	case LGLSXP:
	case INTSXP:
	case REALSXP:
	case CPLXSXP:
	case RAWSXP: vector(p, x); break;
	}
}

/* Breadth first, so that what is shown comes first. May jump. */
static uint64_t print_of(SEXP watched, enum peek_binding how, SEXP x, size_t budget)
{
	struct printing p; /* the queue is not cleared: that would cost more than all else */
	p.hash = (uint64_t)how;
	p.n = 0;
	p.budget = budget;
	p.watched = watched;
	later(&p, x);
	for (size_t i = 0; i < p.n; i++)
		look_at(&p, p.queue[i]);
	return p.hash;
}

/* ---- the table ---- */

void watch_release(struct watch *w)
{
	free(w->entry);
	free(w->seen);
	free(w->removed);
	*w = (struct watch){0};
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it loses track of the members when a table is exchanged for another as a whole */

static struct watch_entry *place(const struct watch *w, SEXP symbol)
{
	size_t at = (size_t)(((uint64_t)(uintptr_t)symbol >> 4) * 0x9e3779b97f4a7c15u >> 20);
	for (;; at++) {
		struct watch_entry *e = &w->entry[at & (w->size - 1)];
		if (!e->symbol || e->symbol == symbol)
			return e;
	}
}

static bool was_seen(const struct watch *w, const struct watch_entry *e)
{
	size_t i = (size_t)(e - w->entry);
	return w->seen[i / 8] >> i % 8 & 1;
}

static void mark_seen(struct watch *w, const struct watch_entry *e)
{
	size_t i = (size_t)(e - w->entry);
	w->seen[i / 8] |= (unsigned char)(1 << i % 8);
}

/* Puts the entries into a new table of `size`: all, or those that were seen; the others go to `removed`. */
static bool rebuild(struct watch *w, size_t size, bool all)
{
	struct watch new = *w;
	new.size = size;
	new.used = new.n_removed = 0;
	new.entry = calloc(size, sizeof *new.entry);
	new.seen = calloc(size / 8, 1);
	new.removed = malloc(size * sizeof *new.removed);
	if (!new.entry || !new.seen || !new.removed) {
		free(new.entry);
		free(new.seen);
		free(new.removed);
		return false;
	}
	for (size_t i = 0; i < w->size; i++) {
		const struct watch_entry *e = &w->entry[i];
		if (!e->symbol)
			continue;
		if (!all && !was_seen(w, e)) {
			new.removed[new.n_removed++] = e->symbol;
			continue;
		}
		struct watch_entry *to = place(&new, e->symbol);
		*to = *e;
		new.used++;
		if (was_seen(w, e))
			mark_seen(&new, to);
	}
	free(w->entry);
	free(w->seen);
	free(w->removed);
	*w = new;
	return true;
}

static bool grow(struct watch *w)
{
	return w->used + w->used / 3 < w->size || rebuild(w, w->size ? 2 * w->size : 64, true);
}

const struct watch_entry *watch_find(const struct watch *w, SEXP symbol)
{
	const struct watch_entry *e = w->size ? place(w, symbol) : NULL;
	return e && e->symbol ? e : NULL;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool note(struct watch *w, const struct peek_each *each, SEXP symbol, bool also, size_t budget, int64_t now)
{
	SEXP env = each->env, value;
	if (!grow(w))
		return false;
	struct watch_entry *e = place(w, symbol);
	bool known = e->symbol;
	if (!also && (!known || e->hidden) && peek_is_hidden(symbol))
		return true; /* known ones need not be asked for their names, which are far away */
	enum peek_binding how = peek_here(each, symbol, &value);
	uint64_t print = print_of(env, how, value, known ? e->budget : budget);
	if (!known || e->print != print) {
		w->used += !e->symbol;
		e->symbol = symbol;
		e->hidden = also;
		e->changed = w->scan;
		e->changed_ms = now;
		w->n_changed++;
	}
	if (!known || e->print != print || e->budget != budget) {
		e->print = known && e->budget != budget ? print_of(env, how, value, budget) : print;
		e->budget = (uint16_t)budget;
	}
	mark_seen(w, e);
	w->n_present++;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(CHAR(PRINTNAME(*(const SEXP *)a)), CHAR(PRINTNAME(*(const SEXP *)b)));
}

bool watch_scan(struct watch *w, SEXP env, SEXP also)
{
	struct peek_each each;
	SEXP symbol;
	bool ok = true;
	int64_t now = now_ms();
	size_t budget = QUEUE;
	while (budget > 1 && budget * w->n_present > WATCH_NODES)
		budget /= 2;
	w->scan++;
	w->n_changed = w->n_present = 0;
	if (w->size)
		memset(w->seen, 0, w->size / 8);
	peek_each(&each, env);
	while (ok && (symbol = peek_next(&each)))
		ok = note(w, &each, symbol, false, budget, now);
	peek_end(&each);
	if (ok && also && R_existsVarInFrame(R_BaseEnv, also))
		ok = note(w, &(struct peek_each){.env = R_BaseEnv}, also, true, budget, now);
	w->n_removed = 0;
	if (ok && w->n_present < w->used)
		ok = rebuild(w, w->size, false); /* takes out what was not there */
	if (w->n_removed)
		qsort(w->removed, w->n_removed, sizeof *w->removed, by_name);
	return ok;
}

size_t watch_list(const struct watch *w, bool changed, SEXP *out)
{
	size_t n = 0;
	for (size_t i = 0; i < w->size; i++) {
		const struct watch_entry *e = &w->entry[i];
		if (e->symbol && (!changed || e->changed == w->scan))
			out[n++] = e->symbol;
	}
	qsort(out, n, sizeof *out, by_name);
	return n;
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */
