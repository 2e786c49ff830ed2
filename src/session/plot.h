/* plot.h: plots appear where they were drawn.
 *
 * The session's graphics device is one of grDevices' (Cairo's bitmaps), opened by modules/plots.R and watched here: some of its
 * callbacks are replaced by ours, which call the original. What was drawn is taken from R's own recording (the display list) and
 * drawn once more, in the size and format that are asked for.
 *
 * A page is shown after the expression that drew on it, when it is left for the next one, or when its device is closed. More drawing
 * on a page that was shown updates the picture in the same cell; in a later cell the picture is shown again there. While
 * dev.hold() is in force nothing is shown. Devices that the user opened are not touched.
 */
#ifndef CARRACK_PLOT_H
#define CARRACK_PLOT_H

#include "session/session.h"

/* At the start of a cell: pictures of the cells before are not updated any more. */
void ss_plot_cell(void);

/* After an expression, however it ended: shows what was drawn. `next` is the expression that follows in the cell, or R_NilValue: if
 * it only adds to the plot (lines(), legend() …) the picture waits for it. Does not jump. */
void ss_plot_flush(SEXP next);

/* Called from R: watch(number of the device), replay(snapshot) on the current device. May jump. */
SEXP ss_plot_watch(SEXP number);
SEXP ss_plot_replay(SEXP snapshot);

#endif
