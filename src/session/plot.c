#include "session/plot.h"

#include "base/clock.h"
#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"
#include "session/png.h"

#include <R_ext/GraphicsEngine.h>
#include <sys/stat.h>

#define MAX_WATCHED 16
#define REST_MS 500 /* so long after the last stroke a page is worth a look, though its expression goes on */

/* A device that is watched. Its slot is free when gdd is NULL. */
struct watched {
	pGEDevDesc gdd;
	void (*new_page)(const pGEcontext, pDevDesc); /* the original callbacks */
	void (*mode)(int, pDevDesc);
	void (*close)(pDevDesc);
	void (*rect)(double, double, double, double, const pGEcontext, pDevDesc);
	char stem[512],
	    end[16]; /* its files are named so, with a number between: the count of calls of new_page; "": it has none */
	unsigned files;
	double size[2]; /* inches, if the user has opened it so, or NaN */

	unsigned canvas; /* what the page was painted with */
	bool whole;      /* all that is on the page is on the device, too, */
	bool clean;      /* and that is nothing */
	bool first;      /* no rectangle was drawn on the page */
	int hold;        /* level of dev.hold() */
	bool drawn;      /* something that was not shown is on the page */
	bool complete;   /* ... and hold was 0 since: it may be seen */
	bool shown;      /* the page was shown in this cell: more of it is an update */
	unsigned page;   /* names the picture */
	unsigned in_pane;
};

static struct watched devices[MAX_WATCHED];
static unsigned pages;
static int busy;           /* our own work is under way: no callback of ours does anything of its own */
static bool fresh;         /* something was drawn since ss_plot_before_text looked last, */
static bool ticking;       /* so R has been asked to look up from its sleep; */
static bool drawing;       /* is being drawn: by a primitive of the engine that has not ended yet; */
static int64_t drawn_last; /* and when (ms) */

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

/* ---- what is known of the pages: one list of plot_page() of modules/plots.R for each device ---- */

static SEXP page_of(const struct watched *w)
{
	return VECTOR_ELT(r_kept(R_KEEP_PAGES), w - devices);
}

/* May jump. */
static void set_page(const struct watched *w, SEXP page)
{
	if (r_kept(R_KEEP_PAGES) == R_NilValue)
		r_keep(R_KEEP_PAGES, Rf_allocVector(VECSXP, MAX_WATCHED));
	SET_VECTOR_ELT(r_kept(R_KEEP_PAGES), w - devices, page);
}

/* What tells one kind of device from another. */
static const char *key_of(SEXP page)
{
	return CHAR(STRING_ELT(VECTOR_ELT(page, 2), 0));
}

/* ---- pictures ---- */

static void file_name(const struct watched *w, unsigned file, char *to, size_t max)
{
	snprintf(to, max, "%s%u%s", w->stem, file, w->end);
}

/* The bytes of the device's last file but `back`, which is removed; R_NilValue if there are none. May jump. */
static SEXP take_file(const struct watched *w, unsigned back)
{
	char name[600];
	struct stat st;
	file_name(w, w->files - back, name, sizeof name);
	if (stat(name, &st) || st.st_size <= 0)
		return R_NilValue;
	SEXP bytes = Rf_allocVector(RAWSXP, (R_xlen_t)st.st_size);
	FILE *f = fopen(name, "rb");
	size_t n = f ? fread(RAW(bytes), 1, (size_t)st.st_size, f) : 0;
	if (f)
		fclose(f);
	unlink(name);
	return n == (size_t)st.st_size ? bytes : R_NilValue;
}

/* For a page whose picture nobody wants. */
static void drop_file(const struct watched *w, unsigned back)
{
	char name[600];
	if (!*w->stem)
		return;
	file_name(w, w->files - back, name, sizeof name);
	unlink(name);
}

/* The page as it is now, of a device that can show its dots. May jump. */
static SEXP take_dots(const struct watched *w)
{
	static struct buf out = BUF_INIT(BUF_MAX_MESSAGE); /* here so that a jump loses nothing */
	pDevDesc dev = w->gdd->dev;
	SEXP dots = PROTECT(dev->cap(dev)), dim = Rf_getAttrib(dots, R_DimSymbol), bytes = R_NilValue;
	buf_clear(&out);
	if (TYPEOF(dots) == INTSXP && Rf_xlength(dim) == 2 &&
	    png_write(&out, (const unsigned char *)INTEGER_RO(dots), (uint32_t)INTEGER_ELT(dim, 1),
		      (uint32_t)INTEGER_ELT(dim, 0), 1 / dev->ipr[0])) {
		bytes = Rf_allocVector(RAWSXP, (R_xlen_t)out.len);
		memcpy(RAW(bytes), out.data, out.len);
	}
	buf_trim(&out, (size_t)1 << 16);
	UNPROTECT(1);
	return bytes;
}

/* May jump. */
static void call_new_page(struct watched *w, unsigned fill)
{
	R_GE_gcontext gc = {.fill = (int)fill, .cex = 1, .ps = 12, .lwd = 1};
	w->new_page(&gc, w->gdd->dev);
	w->files++;
	w->canvas = fill;
	w->clean = true;
}

struct shown {
	struct watched *w;
	SEXP left;     /* R's recording of a page that was left for the next one, or NULL */
	unsigned fill; /* of the next page */
};

/* May jump. */
static void show_page(void *data)
{
	struct shown *s = data;
	struct watched *w = s->w;
	SEXP page = PROTECT(page_of(w));
	struct ss_picture p = {.bytes = R_NilValue,
			       .snapshot = s->left ? s->left : R_NilValue,
			       .page = page,
			       .canvas = w->canvas,
			       .number = w->page,
			       .in_pane = w->in_pane,
			       .update = w->shown};
	w->drawn = false;
	if (!s->left && (!w->whole || ss_picture_needs_recording(page)))
		p.snapshot = GEcreateSnapshot(w->gdd);
	PROTECT(p.snapshot);
	if (w->whole && !*w->stem) {
		p.bytes = take_dots(w);
	} else if (w->whole) {
		w->whole = false;
		call_new_page(w, s->fill);
		p.bytes = take_file(w, 1);
	}
	PROTECT(p.bytes);
	ss_picture_show(&p);
	w->in_pane = p.in_pane;
	w->shown = true;
	UNPROTECT(3);
}

static void show(struct watched *w, SEXP left, unsigned fill)
{
	struct shown s = {w, left, fill};
	busy++;
	if (!r_toplevel_exec(show_page, &s))
		ss_log("warn", "a plot could not be shown: %s", R_curErrorBuf());
	busy--;
}

/* ---- pages begin ---- */

static void unwatch(struct watched *w)
{
	pDevDesc dev = w->gdd->dev;
	dev->newPage = w->new_page;
	dev->mode = w->mode;
	dev->close = w->close;
	dev->rect = w->rect;
}

static void on_new_page(const pGEcontext gc, pDevDesc dev);
static void on_mode(int mode, pDevDesc dev);
static void on_close(pDevDesc dev);
static int on_hold(pDevDesc dev, int change);
static void on_rect(double x0, double y0, double x1, double y1, const pGEcontext gc, pDevDesc dev);

static void watch(struct watched *w, SEXP surface)
{
	pDevDesc dev = w->gdd->dev;
	w->new_page = dev->newPage;
	w->mode = dev->mode;
	w->close = dev->close;
	w->rect = dev->rect;
	snprintf(w->stem, sizeof w->stem, "%s", CHAR(STRING_ELT(surface, 0)));
	snprintf(w->end, sizeof w->end, "%s", CHAR(STRING_ELT(surface, 1)));
	w->files = 0;
	w->clean = w->whole = false;
	dev->newPage = on_new_page;
	dev->mode = on_mode;
	dev->close = on_close;
	dev->holdflush = on_hold;
	dev->rect = on_rect;
	dev->displayListOn = TRUE;
}

/* A device for pages of another kind takes the place of the one that draws. The two change places in R's engine, and the old one is
 * closed as the new one's number. May jump. */
static void replace_device(struct watched *w, SEXP page)
{
	int current = Rf_curDevice(), number = GEdeviceNumber(w->gdd);
	SEXP surface = PROTECT(r_call_module("open_surface", 1, &page));
	pGEDevDesc other = GEgetDevice(Rf_curDevice());
	if (other == w->gdd || Rf_curDevice() == 0)
		Rf_error("no device was opened");
	unwatch(w);
	pDevDesc old = w->gdd->dev;
	char left[600] = "";
	if (*w->stem)
		file_name(w, w->files, left, sizeof left);
	w->gdd->dev = other->dev;
	other->dev = old;
	watch(w, surface);
	GEkillDevice(other);
	if (*left)
		unlink(left);
	Rf_selectDevice(current == number ? number : current);
	UNPROTECT(1);
}

struct beginning {
	struct watched *w;
	char problem[512];
};

/* May jump. */
static void ask_page(void *data)
{
	struct beginning *b = data;
	struct watched *w = b->w;
	SEXP size = PROTECT(Rf_allocVector(REALSXP, 2));
	REAL(size)[0] = w->size[0];
	REAL(size)[1] = w->size[1];
	SEXP page = PROTECT(r_call_module("plot_page", 1, &size));
	if (TYPEOF(page) == STRSXP) {
		snprintf(b->problem, sizeof b->problem, "%s", r_text(page, 0));
	} else {
		SET_VECTOR_ELT(page, 3, VECTOR_ELT(page_of(w), 3)); /* what lasts as long as the device, */
		SET_VECTOR_ELT(page, 7, VECTOR_ELT(page_of(w), 7)); /* and the point size */
		if (strcmp(key_of(page), key_of(page_of(w))) != 0)
			replace_device(w, page);
		set_page(w, page);
	}
	UNPROTECT(2);
}

/* After new_page of the original was left out: what it would have put back. */
static void reset(pDevDesc dev)
{
	if (dev->clip)
		dev->clip(dev->left, dev->right, dev->bottom, dev->top, dev);
	if (dev->deviceVersion >= R_GE_definitions && dev->setMask)
		dev->setMask(R_NilValue, R_NilValue, dev);
}

/* The page that is left is in the engine's saved snapshot: its display list is empty by now. */
static void on_new_page(const pGEcontext gc, pDevDesc dev)
{
	struct watched *w = find(dev);
	struct beginning b = {.w = w};
	unsigned fill = (unsigned)gc->fill;
	if (!w || r_in_child())
		return;
	if (busy) {
		call_new_page(w, fill);
		drop_file(w, 1);
		return;
	}
	if (to_be_shown(w)) {
		SEXP left = w->gdd->savedSnapshot;
		show(w, left && TYPEOF(left) == VECSXP ? left : R_NilValue, fill);
	}
	w->drawn = w->complete = w->shown = w->whole = false;
	w->in_pane = 0;
	w->page = ++pages;
	busy++;
	r_toplevel_exec(ask_page, &b);
	busy--;
	if (*b.problem)
		Rf_error("%s", b.problem);
	if (w->clean && w->canvas == fill) {
		reset(w->gdd->dev);
	} else {
		call_new_page(w, fill);
		drop_file(w, 1);
	}
	/* A page without a colour of its own is transparent; the device has painted it with its ground. */
	w->whole = R_OPAQUE(fill) || fill == (unsigned)w->gdd->dev->startfill;
	w->first = true;
}

/* ---- the device's other callbacks ---- */

/* Something was drawn: ss_plot_at_rest is to be called when it has been there for a while. */
static void look_again(void)
{
	fresh = true;
	drawn_last = clock_ms();
	if (R_wait_usec == 0) {
		R_wait_usec = REST_MS * 1000;
		ticking = true;
	}
}

static void looked(void)
{
	fresh = false;
	if (ticking && R_wait_usec == REST_MS * 1000)
		R_wait_usec = 0;
	ticking = false;
}

static void on_mode(int mode, pDevDesc dev)
{
	struct watched *w = find(dev);
	if (!w)
		return;
	if (w->mode)
		w->mode(mode, dev);
	drawing = mode == 1 && !busy;
	if (mode != 1)
		return;
	w->clean = false;
	if (!busy) {
		w->drawn = true;
		look_again();
		w->complete = w->hold == 0;
	}
}

static bool invisible(unsigned colour, unsigned canvas)
{
	return R_TRANSPARENT(colour) || colour == canvas;
}

/* A page that begins with an empty frame around all of it is meant to be transparent: that is how ggplot2's themes say it. It is
 * painted already; it will be drawn again from its recording. */
static void on_rect(double x0, double y0, double x1, double y1, const pGEcontext gc, pDevDesc dev)
{
	struct watched *w = find(dev);
	if (!w)
		return;
	double width = fabs(dev->right - dev->left), height = fabs(dev->top - dev->bottom);
	bool all = fabs(x1 - x0) > width - 1 || fabs(y1 - y0) > height - 1;
	if (w->first && !busy && all && R_TRANSPARENT((unsigned)gc->fill) && invisible((unsigned)gc->col, w->canvas)) {
		w->whole = w->whole && R_TRANSPARENT(w->canvas);
		w->canvas = R_TRANWHITE;
	}
	w->first = false;
	w->rect(x0, y0, x1, y1, gc, dev);
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

/* ---- devices are closed ---- */

/* What there is of the page while the device is open: list(recording, picture or NULL). May jump. */
static void take_last_page(void *data)
{
	const struct watched *w = data;
	SEXP both = Rf_allocVector(VECSXP, 2);
	r_keep(R_KEEP_SCRATCH, both);
	SET_VECTOR_ELT(both, 0, GEcreateSnapshot(w->gdd));
	if (w->whole && !*w->stem)
		SET_VECTOR_ELT(both, 1, take_dots(w));
}

/* May jump. */
static void keep_last_picture(void *data)
{
	struct watched *w = data;
	SEXP both = r_kept(R_KEEP_SCRATCH);
	struct ss_picture p = {.bytes = PROTECT(w->whole && *w->stem ? take_file(w, 0) : VECTOR_ELT(both, 1)),
			       .snapshot = VECTOR_ELT(both, 0),
			       .page = page_of(w),
			       .canvas = w->canvas,
			       .number = w->page,
			       .in_pane = w->in_pane,
			       .update = w->shown};
	ss_picture_keep(&p);
	UNPROTECT(1);
}

static void on_close(pDevDesc dev)
{
	struct watched *w = find(dev);
	if (!w || r_in_child())
		return; /* a child must not write the session's files */
	bool wanted = !busy && to_be_shown(w);
	busy++;
	if (wanted)
		wanted = r_toplevel_exec(take_last_page, w);
	w->close(dev);
	if (wanted)
		r_toplevel_exec(keep_last_picture, w);
	busy--;
	r_keep(R_KEEP_SCRATCH, R_NilValue);
	drop_file(w, 0);
	*w = (struct watched){.gdd = NULL};
}

/* ---- for R code ---- */

SEXP ss_plot_watch(SEXP surface, SEXP page, SEXP size)
{
	pGEDevDesc gdd = GEcurrentDevice();
	struct watched *w = NULL;
	for (size_t i = 0; i < MAX_WATCHED && !w; i++)
		if (!devices[i].gdd)
			w = &devices[i];
	if (!w || !gdd || !gdd->dev)
		return Rf_ScalarLogical(FALSE);
	set_page(w, page);
	*w = (struct watched){.gdd = gdd, .size = {REAL(size)[0], REAL(size)[1]}};
	watch(w, surface);
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

void ss_plot_flush(SEXP next)
{
	if (r_in_child() || busy)
		return;
	looked();
	ss_picture_show_kept();
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		struct watched *w = &devices[i];
		if (w->gdd && to_be_shown(w) && w->hold == 0 && !only_adds(next))
			show(w, NULL, w->canvas);
	}
}

void ss_plot_before_text(void)
{
	if (!fresh || drawing || busy || r_in_child() || r_sandboxed())
		return;
	looked();
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		struct watched *w = &devices[i];
		if (w->gdd && to_be_shown(w) && !w->shown && w->hold == 0)
			show(w, NULL, w->canvas);
	}
}

void ss_plot_at_rest(void)
{
	if (fresh && clock_ms() - drawn_last >= REST_MS)
		ss_plot_before_text();
}

void ss_plot_cell(const json_t *head, const json_t *content)
{
	ss_plot_origin_set(head, content);
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		if (devices[i].gdd && devices[i].shown) {
			devices[i].shown = false;
			devices[i].page = ++pages;
		}
	}
}

/* May jump. */
static void close_old(void *data)
{
	SEXP lasting = PROTECT(r_call_module("plot_lasting", 0, NULL));
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		struct watched *w = &devices[i];
		if (w->gdd && !to_be_shown(w) && !R_compute_identical(VECTOR_ELT(page_of(w), 3), lasting, 16))
			GEkillDevice(w->gdd);
	}
	UNPROTECT(1);
}

void ss_plot_cell_options(void)
{
	bool any = false;
	for (size_t i = 0; i < MAX_WATCHED; i++)
		any = any || devices[i].gdd;
	if (any)
		r_toplevel_exec(close_old, NULL);
}
