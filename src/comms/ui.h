/* ui.h: the target `positron.ui` (docs/comms.md): what a front end around the session is told and asked.
 *
 * The contract is Positron's (positron/comms/ui-backend-openrpc.json and ui-frontend-openrpc.json in posit-dev/positron). More than one
 * client may have opened the comm. What changes is told to all of them; what one of them is to do (show a page, open an editor)
 * goes to the one that opened it last.
 */
#ifndef CARRACK_COMMS_UI_H
#define CARRACK_COMMS_UI_H

#include "session/comm.h"

/* Has a client opened the comm? Does not jump. */
bool ui_is_open(void);

/* How plots are shown at the moment. */
struct ui_render_settings {
	double width, height; /* logical pixels */
	double pixel_ratio;
	char format[8]; /* png, jpeg, svg, pdf, tiff */
};

/* What `did_change_plots_render_settings` said last. False if no client has said anything since the comm was opened, or
 * none has it open. Does not jump. */
bool ui_render_settings(struct ui_render_settings *s);

/* Sends an event to the client that opened the comm last; params is JSON text, and is released. False if there is none. Does not jump. */
bool ui_event(const char *method, struct buf *params);

#endif
