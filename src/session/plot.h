/* plot.h: plots appear where they were drawn.
 *
 *     plot.c          the devices that are watched, their pages, and when a page is shown
 *     plot_picture.c  showing one: as an output of the cell, or to the pane
 *     modules/plots.R sizes, renderers and options; the devices are opened there
 *
 * The session's graphics device is one of a package that is good at it (ragg, or else grDevices with Cairo): modules/plots.R opens it,
 * and some of its callbacks are replaced here by ours, which call the original. It draws for real, and what it drew is the picture. ragg's
 * device shows its dots. The others write a file where a page ends: a page that is to be shown is ended for that. Everything else is
 * drawn again from R's own recording (the display list), in the size and format that are asked for: other formats than the
 * device's, another size, a page that grew after its file was written.
 *
 * A page is shown after the expression that drew on it, when it is left for the next one, or when its device is closed; and earlier,
 * once, before text that R writes after something was drawn, so that it stands where it was drawn, and when the expression draws
 * nothing for a while (Sys.sleep() in a loop of plots). More drawing on a page that was shown updates the picture in the same cell;
 * in a later cell the picture is shown again there. While dev.hold() is in force nothing is shown. Devices that the user opened are not touched.
 *
 * Sizes are read when a page begins. If they are not those of the device, a new one is opened in its place: R's engine keeps what it
 * knows (number, display list, par()), and only what draws is another.
 */
#ifndef CARRACK_PLOT_H
#define CARRACK_PLOT_H

#include "base/buf.h"
#include "session/session.h"

/* The cell that starts: pictures of the cells before are not updated any more. `head` and `content` are those of the request. */
void ss_plot_cell(const json_t *head, const json_t *content);

/* After that, and when the options of the cell are known: a device whose options have changed is closed. Does not jump. */
void ss_plot_cell_options(void);

/* After an expression, however it ended, and before a question to the user: shows what was drawn. `next` is the expression that follows in
 * the cell, or R_NilValue: if it only adds to the plot (lines(), legend() …) the picture waits for it. Does not jump. */
void ss_plot_flush(SEXP next);

/* Before R's text, or a value, goes out: shows pages that were drawn on and not shown yet in this cell. Quick if there is none.
 * Does not jump. */
void ss_plot_before_text(void);

/* The same, where R looks for interrupts, if nothing was drawn for a while. */
void ss_plot_at_rest(void);

/* Called from R. They may jump.
 * watch(surface, page, size): modules/plots.R has opened a device for pages like this one; `size` (inches) is what the user asked for
 * replay(snapshot): on the current device
 * pane(): c(width, height, pixel ratio) and the format in which a client's pane shows plots, or NULL: they are outputs */
SEXP ss_plot_watch(SEXP surface, SEXP page, SEXP size);
SEXP ss_plot_replay(SEXP snapshot);
SEXP ss_plot_pane_now(void);

/* ---- where plots come from ---- */

struct ss_plot_origin {
	char *execution_id, *code; /* never NULL */
	char *uri;                 /* of the document with the code; NULL: not known */
	long long range[4];        /* in it: start line and character, end line and character, from 0; -1: not known */
};
extern struct ss_plot_origin ss_plot_origin; /* of the cell that runs, or ran last */

void ss_plot_origin_set(const json_t *head, const json_t *content); /* does not jump */

/* ---- pictures: what is known of a page that is to be shown ---- */

struct ss_picture {
	SEXP snapshot;    /* R's recording, R_NilValue if it is not needed */
	SEXP bytes;       /* the picture in the form `page` says, R_NilValue: it is to be drawn */
	SEXP page;        /* what plot_page() of modules/plots.R said of its page */
	unsigned canvas;  /* an R colour: what the page was painted with */
	unsigned number;  /* names the picture */
	unsigned in_pane; /* the pane's name for it, 0: none yet */
	bool update;      /* it was shown in this cell before */
};

/* An R colour as R's functions want it. May jump. */
SEXP ss_plot_colour(unsigned colour);

/* Shows it. Its values must be safe from the collector. Does not jump. */
void ss_picture_show(struct ss_picture *p);

/* True if the recording is needed even though the picture is there. Does not jump. */
bool ss_picture_needs_recording(SEXP page);

/* For a device that is closed: its last page is shown after the expression. ss_picture_keep may jump, _show_kept does not. */
void ss_picture_keep(const struct ss_picture *p);
void ss_picture_show_kept(void);

/* How a client's pane shows plots. */
struct ss_pane_settings {
	double width, height; /* logical pixels */
	double pixel_ratio;
	char format[8]; /* png, jpeg, svg, pdf, tiff */
};

/* Where plots go to while a client has a place of its own for them. The layer above defines it (comms/plot.c). */
struct ss_plot_pane {
	/* Is there such a client? Then *s is how it shows them; s may be NULL. Does not jump. */
	bool (*wanted)(struct ss_pane_settings *s);
	/* Shows p. p->in_pane is the pane's name for it, 0 for a new one, which gets one. May jump. */
	void (*show)(struct ss_picture *p);
};
extern const struct ss_plot_pane ss_plot_pane;

#endif
