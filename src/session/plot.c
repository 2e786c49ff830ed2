#include "session/plot.h"

#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/value.h"

#include <R_ext/GraphicsEngine.h>

#define MAX_WATCHED 16
#define MAX_CLOSED 64

/* A device that is watched. Its slot is free when gdd is NULL. */
struct watched {
	pGEDevDesc gdd;
	void (*new_page)(const pGEcontext, pDevDesc);
	void (*mode)(int, pDevDesc);
	void (*close)(pDevDesc);
	int hold;      /* level of dev.hold() */
	bool drawn;    /* something that was not shown is on the page */
	bool complete; /* ... and hold was 0 since: it may be seen */
	bool shown;    /* the page was shown in this cell: more of it is an update */
	unsigned page; /* names the picture */
};

static struct watched devices[MAX_WATCHED];
static unsigned pages;
static int rendering; /* our own drawing is under way: no callback of ours does anything */

/* Snapshots of pages whose device was closed; they wait for the end of the expression. A pairlist kept in R_KEEP_PLOTS. */
static int n_closed;

static struct watched *find(const pDevDesc dev)
{
	for (size_t i = 0; i < MAX_WATCHED; i++)
		if (devices[i].gdd && devices[i].gdd->dev == dev)
			return &devices[i];
	return NULL;
}

static bool to_be_shown(const struct watched *w)
{
	return w->drawn && w->complete;
}

/* ---- showing ---- */

struct picture {
	SEXP snapshot; /* protected or kept by whoever made it */
	unsigned page;
	bool update;
};

/* May jump. */
static void show(void *data)
{
	struct picture *p = data;
	SEXP args[3];
	args[0] = p->snapshot;
	args[1] = PROTECT(Rf_ScalarInteger((int)p->page));
	args[2] = PROTECT(Rf_ScalarLogical(p->update));
	r_call_module("show_plot", 3, args);
	UNPROTECT(2);
}

/* Does not jump. The snapshot must be safe from the collector. */
static void show_picture(struct picture *p)
{
	if (ss.silent || r_in_child())
		return;
	rendering++;
	if (!r_toplevel_exec(show, p))
		ss_log("warn", "a plot could not be shown: %s", R_curErrorBuf());
	rendering--;
}

static void take_and_show(void *data)
{
	struct watched *w = data;
	SEXP snapshot = PROTECT(GEcreateSnapshot(w->gdd));
	struct picture p = {snapshot, w->page, w->shown};
	w->drawn = false;
	show_picture(&p);
	w->shown = true;
	UNPROTECT(1);
}

/* ---- the device's callbacks ---- */

static void on_mode(int mode, pDevDesc dev)
{
	struct watched *w = find(dev);
	if (!w)
		return;
	if (w->mode)
		w->mode(mode, dev);
	if (rendering)
		return;
	if (mode == 1) {
		w->drawn = true;
		w->complete = w->hold == 0;
	}
}

/* The page that is left is in the engine's saved snapshot: its display list is empty by now. */
static void on_new_page(const pGEcontext gc, pDevDesc dev)
{
	struct watched *w = find(dev);
	if (!w)
		return;
	if (!rendering && to_be_shown(w)) {
		struct picture p = {w->gdd->savedSnapshot, w->page, w->shown};
		if (p.snapshot && TYPEOF(p.snapshot) == VECSXP)
			show_picture(&p);
	}
	w->drawn = w->complete = w->shown = false;
	w->page = ++pages;
	w->new_page(gc, dev);
}

static int on_hold(pDevDesc dev, int change)
{
	struct watched *w = find(dev);
	if (!w)
		return 0;
	w->hold += change;
	if (w->hold < 0)
		w->hold = 0;
	if (w->hold == 0)
		w->complete = true;
	return w->hold;
}

static void keep_for_later(void *data)
{
	struct watched *w = data;
	SEXP snapshot = PROTECT(GEcreateSnapshot(w->gdd));
	SEXP cell = PROTECT(Rf_cons(snapshot, r_kept(R_KEEP_PLOTS)));
	SET_TAG(cell, R_NilValue);
	SEXP page = PROTECT(Rf_ScalarInteger(w->shown ? -(int)w->page : (int)w->page));
	Rf_setAttrib(snapshot, Rf_install("carrack_page"), page);
	r_keep(R_KEEP_PLOTS, cell);
	n_closed++;
	UNPROTECT(3);
}

static void on_close(pDevDesc dev)
{
	struct watched *w = find(dev);
	if (!w)
		return;
	if (!rendering && to_be_shown(w) && n_closed < MAX_CLOSED && !r_in_child())
		r_toplevel_exec(keep_for_later, w);
	void (*original)(pDevDesc) = w->close;
	*w = (struct watched){.gdd = NULL};
	original(dev);
}

SEXP ss_plot_watch(SEXP number)
{
	pGEDevDesc gdd = GEgetDevice(Rf_asInteger(number) - 1);
	struct watched *w = NULL;
	for (size_t i = 0; i < MAX_WATCHED && !w; i++)
		if (!devices[i].gdd)
			w = &devices[i];
	if (!w || !gdd || !gdd->dev)
		return Rf_ScalarLogical(FALSE);
	pDevDesc dev = gdd->dev;
	*w = (struct watched){
	    .gdd = gdd, .new_page = dev->newPage, .mode = dev->mode, .close = dev->close, .page = ++pages};
	dev->newPage = on_new_page;
	dev->mode = on_mode;
	dev->close = on_close;
	dev->holdflush = on_hold;
	dev->displayListOn = TRUE;
	gdd->displayListOn = TRUE;
	return Rf_ScalarLogical(TRUE);
}

SEXP ss_plot_replay(SEXP snapshot)
{
	GEplaySnapshot(snapshot, GEcurrentDevice());
	return R_NilValue;
}

/* ---- expressions and cells ---- */

static bool only_adds(SEXP expr)
{
	static const char *const names[] = {"lines",     "points",  "abline",  "legend",      "text",   "title",
					    "axis",      "polygon", "rect",    "segments",    "arrows", "mtext",
					    "grid",      "box",     "symbols", "rug",         "curve",  "matlines",
					    "matpoints", "par",     "layout",  "rasterImage", "clip",   "Axis"};
	if (TYPEOF(expr) != LANGSXP || TYPEOF(CAR(expr)) != SYMSXP)
		return false;
	const char *name = CHAR(PRINTNAME(CAR(expr)));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void show_closed(void)
{
	SEXP list = r_kept(R_KEEP_PLOTS);
	struct picture pictures[MAX_CLOSED];
	int n = 0;
	for (SEXP l = list; l != R_NilValue && n < MAX_CLOSED; l = CDR(l)) {
		int page = Rf_asInteger(Rf_getAttrib(CAR(l), Rf_install("carrack_page")));
		pictures[n++] = (struct picture){CAR(l), (unsigned)abs(page), page < 0};
	}
	while (n-- > 0) /* the first that was closed is the last of the list */
		show_picture(&pictures[n]);
	r_keep(R_KEEP_PLOTS, R_NilValue);
	n_closed = 0;
}

void ss_plot_flush(SEXP next)
{
	if (r_in_child() || rendering)
		return;
	if (n_closed)
		show_closed();
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		struct watched *w = &devices[i];
		if (w->gdd && to_be_shown(w) && w->hold == 0 && !only_adds(next))
			r_toplevel_exec(take_and_show, w);
	}
}

void ss_plot_cell(void)
{
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		if (devices[i].gdd && devices[i].shown) {
			devices[i].shown = false;
			devices[i].page = ++pages;
		}
	}
}
