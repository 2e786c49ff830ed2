/* ui.c: the target `positron.ui`: the comm itself, and what clients say on it. */
#include "comms/ui.h"

#include "comms/targets.h"

#include <math.h>

#define MAX_PIXELS 65536 /* of a side of a plot: what is larger is a mistake */

/* The comms that are open, the one that was opened last first. */
struct ui {
	struct ss_comm *comm;
	struct ui *next;
};
static struct ui *all;

static struct {
	bool known;
	struct ui_render_settings settings;
} plots;

bool ui_is_open(void)
{
	return all;
}

bool ui_render_settings(struct ui_render_settings *s)
{
	if (!all || !plots.known)
		return false;
	*s = plots.settings;
	return true;
}

bool ui_event(const char *method, struct buf *params)
{
	if (!all) {
		buf_release(params);
		return false;
	}
	ss_comm_event(all->comm, method, params);
	return true;
}

/* ---- open and close ---- */

static bool open_ui(struct ss_comm *c, const struct ss_comm_message *m, struct err *e)
{
	struct ui *u = calloc(1, sizeof *u);
	if (!u)
		return err_set(e, "no memory");
	*u = (struct ui){.comm = c, .next = all};
	c->state = all = u;
	return true;
}

static void close_ui(struct ss_comm *c, const struct ss_comm_message *m)
{
	struct ui **at = &all;
	while (*at && (*at)->comm != c)
		at = &(*at)->next;
	if (*at)
		*at = (*at)->next;
	free(c->state);
	c->state = NULL;
	if (!all)
		plots.known = false;
}

/* ---- methods ---- */

static void render_settings(struct ss_comm *c, const json_t *params, struct buf *result)
{
	static const char *const formats[] = {"png", "jpeg", "svg", "pdf", "tiff"};
	const json_t *settings = json_object_get(params, "settings"), *size = json_object_get(settings, "size");
	const char *format = json_string_or(settings, "format", "");
	struct ui_render_settings s = {.width = json_number_value(json_object_get(size, "width")),
				       .height = json_number_value(json_object_get(size, "height")),
				       .pixel_ratio = json_number_value(json_object_get(settings, "pixel_ratio"))};
	if (!(s.width >= 1 && s.width <= MAX_PIXELS && s.height >= 1 && s.height <= MAX_PIXELS))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`size` must be an object with `width` and `height`, in pixels");
	if (!(s.pixel_ratio > 0 && isfinite(s.pixel_ratio)))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`pixel_ratio` must be a positive number");
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(format, formats[i]) == 0)
			snprintf(s.format, sizeof s.format, "%s", formats[i]);
	if (!s.format[0])
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`format` must be png, jpeg, svg, pdf or tiff");
	plots.settings = s;
	plots.known = true;
	buf_puts(result, "null");
}

static const struct ss_comm_method methods[] = {
    {"did_change_plots_render_settings", "DidChangePlotsRenderSettingsReply", render_settings, .event = true},
    {0},
};

const struct ss_comm_target comm_ui = {.name = "positron.ui", .open = open_ui, .methods = methods, .close = close_ui};
