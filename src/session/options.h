/* options.h: the `#|` lines at the head of a cell, in any client.
 *
 *     #| fig-width: 8
 *     #| error: true
 *
 * They are YAML (a mapping). Those named here mean something to the kernel; others are for other tools (Quarto's echo, label …) and are
 * left alone. A value of the wrong type, and text that is not YAML, is a warning on the cell, which runs all the same.
 *
 *     fig-width, fig-height   inches           fig-dpi    dots an inch       fig-format   png, retina, svg, jpeg or pdf
 *     warning, message        false: not shown             error    true: the cell goes on after an error
 *     timeout                 seconds after which the cell is interrupted
 */
#ifndef CARRACK_OPTIONS_CELL_H
#define CARRACK_OPTIONS_CELL_H

#include "base/buf.h"
#include "base/json.h"

struct cell_options {
	bool any;
	double fig_width, fig_height, fig_dpi, timeout; /* 0: not given */
	double output_width, output_ratio;              /* CSS pixels, dots a pixel; 0: the client did not say */
	char fig_format[16];                            /* "": not given */
	bool no_warning, no_message, go_on;
};

/* Reads the options of code[0..n). Lines about what is wrong are appended to *problems. Knows nothing of R. */
void cell_options_read(struct cell_options *o, const char *code, size_t n, struct buf *problems);

/* Adds what the client says in the `positron` object of an execute request (Positron's and Quarto's extension of the message: `fig-width`,
 * `fig-height` in inches, `output_width_px`, `output_pixel_ratio`). The lines of the cell go before it. NULL: nothing is said. */
void cell_options_client(struct cell_options *o, const json_t *positron);

#endif
