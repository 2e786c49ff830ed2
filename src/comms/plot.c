/* plot.c: the target `positron.plot` (docs/comms.md): one comm for each plot, opened by the session, for clients with a place for plots.
 *
 * The contract is Positron's (positron/comms/plot-backend-openrpc.json and plot-frontend-openrpc.json in posit-dev/positron). A plot is
 * told with a picture as the client shows plots at the moment (`pre_render`), and is drawn again from its recording in any size that is asked
 * for. Recordings are kept by modules/plot_pane.R, under the plot's number; there are limits to how many.
 *
 * Plots go there while `positron.ui` is open in a console session (in Positron), and, in any session, while a client has asked for it by opening a
 * comm with this target itself.
 */
#include "comms/targets.h"
#include "comms/ui.h"

#include "rapi/exec.h"
#include "rapi/json.h"
#include "rapi/value.h"
#include "session/plot.h"

#include <math.h>

#define DRAW_MS 60000

static const struct ss_pane_settings usual = {.width = 640, .height = 400, .pixel_ratio = 1, .format = "png"};

/* A plot, or a client that has asked for plots. */
struct plot {
	unsigned name; /* 0: a client */
	struct ss_comm *comm;
	struct plot *next;                /* the newest is the first */
	struct ss_pane_settings settings; /* of a client */
	struct ss_plot_origin origin;     /* of a plot, its own copy */
	char kind[64];
	unsigned count; /* which of its kind */
};
static struct plot *all;
static unsigned last_name;

static struct plot *find(unsigned name)
{
	struct plot *p = all;
	while (p && p->name != name)
		p = p->next;
	return p;
}

/* ---- is there somebody who wants plots? ---- */

static bool read_settings(const json_t *settings, struct ss_pane_settings *s)
{
	static const char *const formats[] = {"png", "jpeg", "svg", "pdf", "tiff"};
	const json_t *size = json_object_get(settings, "size");
	const char *format = json_string_or(settings, "format", "");
	*s = (struct ss_pane_settings){.width = json_number_value(json_object_get(size, "width")),
				       .height = json_number_value(json_object_get(size, "height")),
				       .pixel_ratio = json_number_value(json_object_get(settings, "pixel_ratio"))};
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(format, formats[i]) == 0)
			snprintf(s->format, sizeof s->format, "%s", formats[i]);
	return s->width >= 1 && s->height >= 1 && isfinite(s->width) && isfinite(s->height) && s->pixel_ratio > 0 &&
	       isfinite(s->pixel_ratio) && s->format[0];
}

static bool wanted(struct ss_pane_settings *s)
{
	struct ui_render_settings u;
	const struct plot *client = find(0);
	if (!client && !(ss.mode == SS_CONSOLE && ui_is_open()))
		return false;
	if (!s)
		return true;
	*s = client ? client->settings : usual;
	if (!client && ui_render_settings(&u)) {
		*s = (struct ss_pane_settings){u.width, u.height, u.pixel_ratio, ""};
		memcpy(s->format, u.format, sizeof s->format);
	}
	return true;
}

/* ---- comms ---- */

static bool add(struct ss_comm *c, struct plot p)
{
	struct plot *new = malloc(sizeof *new);
	if (!new)
		return false;
	p.comm = c;
	p.next = all;
	*new = p;
	all = c->state = new;
	return true;
}

/* A client asks for plots. */
static bool open_client(struct ss_comm *c, const struct ss_comm_message *m, struct err *e)
{
	struct plot p = {.settings = usual};
	const json_t *settings = json_object_get(m->data, "settings");
	if (settings && !json_is_null(settings) && !read_settings(settings, &p.settings))
		return err_set(e, "`settings` must have `size` (width and height), `pixel_ratio` and `format`");
	return add(c, p) || err_set(e, "no memory");
}

static void forget(void *data)
{
	SEXP name = PROTECT(Rf_ScalarInteger((int)((struct plot *)data)->name));
	r_call_module("forget_plot", 1, &name);
	UNPROTECT(1);
}

static void release_origin(struct ss_plot_origin *o)
{
	free(o->execution_id);
	free(o->code);
	free(o->uri);
}

static void close_plot(struct ss_comm *c, const struct ss_comm_message *m)
{
	struct plot *p = c->state, **at = &all;
	while (*at && *at != p)
		at = &(*at)->next;
	if (!p || !*at)
		return;
	*at = p->next;
	if (p->name)
		r_toplevel_exec(forget, p);
	release_origin(&p->origin);
	free(p);
	c->state = NULL;
}

/* ---- pictures ---- */

static struct buf out = BUF_INIT(BUF_MAX_MESSAGE); /* what is being made; here so that a jump loses nothing */

/* Appends a picture. May jump. */
static void put_picture(struct buf *b, SEXP bytes, const struct ss_pane_settings *s)
{
	static const struct {
		const char *format, *mime;
	} types[] = {{"png", "image/png"},
		     {"jpeg", "image/jpeg"},
		     {"svg", "image/svg+xml"},
		     {"pdf", "application/pdf"},
		     {"tiff", "image/tiff"}};
	const char *mime = "";
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(s->format, types[i].format) == 0)
			mime = types[i].mime;
	buf_puts(b, "{\"data\":");
	r_json_write(b, bytes);
	jx_key_string(b, "mime_type", mime);
	buf_printf(b,
		   ",\"settings\":{\"size\":{\"width\":%.0f,\"height\":%.0f},\"pixel_ratio\":%.10g,\"format\":\"%s\"}}",
		   round(s->width), round(s->height), s->pixel_ratio, s->format);
}

/* c(width, height, ratio) for modules/plot_pane.R. May jump. */
static SEXP numbers_of(const struct ss_pane_settings *s)
{
	SEXP numbers = Rf_allocVector(REALSXP, 3);
	REAL(numbers)[0] = s->width;
	REAL(numbers)[1] = s->height;
	REAL(numbers)[2] = s->pixel_ratio;
	return numbers;
}

/* {"pre_render": …} into `out`. May jump. */
static void make_pre_render(const struct ss_picture *p, unsigned name, char *kind, size_t max)
{
	struct ss_pane_settings s = usual;
	SEXP args[7];
	wanted(&s);
	args[0] = PROTECT(Rf_ScalarInteger((int)name));
	args[1] = p->snapshot;
	args[2] = p->bytes;
	args[3] = p->page;
	args[4] = PROTECT(ss_plot_colour(p->canvas));
	args[5] = PROTECT(numbers_of(&s));
	args[6] = PROTECT(Rf_mkString(s.format));
	SEXP made = PROTECT(r_call_module("take_plot", 7, args));
	snprintf(kind, max, "%s", r_text(VECTOR_ELT(made, 1), 0));
	buf_clear(&out);
	buf_puts(&out, "{\"pre_render\":");
	put_picture(&out, VECTOR_ELT(made, 0), &s);
	buf_putc(&out, '}');
	UNPROTECT(5);
}

static void send(struct ss_comm *c, const char *event, bool with_picture)
{
	struct buf params = BUF_INIT(BUF_MAX_MESSAGE);
	if (with_picture)
		buf_put(&params, out.data, out.len);
	ss_comm_event(c, event, &params);
}

static bool open_plot(struct plot p, const char *id)
{
	struct ss_comm *c = ss_comm_new(id, &comm_plot);
	for (const struct plot *q = all; q; q = q->next)
		if (strcmp(q->kind, p.kind) == 0 && q->count > p.count)
			p.count = q->count;
	p.count++;
	p.origin = ss_plot_origin;
	p.origin.execution_id = strdup(p.origin.execution_id ? p.origin.execution_id : "");
	p.origin.code = strdup(p.origin.code ? p.origin.code : "");
	p.origin.uri = p.origin.uri ? strdup(p.origin.uri) : NULL;
	if (!c || !add(c, p)) {
		release_origin(&p.origin);
		if (c)
			ss_comm_drop(c, NULL);
		return false;
	}
	ss_comm_publish("comm_open", id, "positron.plot", (struct slice){out.data, out.len}, (struct slice){0}, NULL,
			0);
	return true;
}

static void show(struct ss_picture *picture)
{
	struct plot *known = picture->in_pane ? find(picture->in_pane) : NULL;
	struct plot p = {.name = known ? known->name : ++last_name};
	SEXP id = PROTECT(ss_comm_r_uuid());
	make_pre_render(picture, p.name, p.kind, sizeof p.kind);
	picture->in_pane = p.name;
	if (!known) {
		if (!open_plot(p, r_text(id, 0)))
			ss_log("error", "no memory for a plot");
	} else {
		struct plot *newest = all;
		while (newest && !newest->name)
			newest = newest->next;
		send(known->comm, "update", true);
		if (known != newest)
			send(known->comm, "show", false);
	}
	buf_trim(&out, (size_t)1 << 16);
	UNPROTECT(1);
}

const struct ss_plot_pane ss_plot_pane = {.wanted = wanted, .show = show};

/* ---- methods ---- */

static struct plot *plot_of(struct ss_comm *c)
{
	struct plot *p = c->state;
	if (!p->name)
		ss_comm_fail(SS_COMM_BAD_REQUEST, "this comm asks for plots; it is none itself");
	return p;
}

static void intrinsic_size(struct ss_comm *c, const json_t *params, struct buf *result)
{
	SEXP name = PROTECT(Rf_ScalarInteger((int)plot_of(c)->name));
	SEXP size = PROTECT(r_call_module("intrinsic_size", 1, &name));
	if (TYPEOF(size) == REALSXP)
		buf_printf(result, "{\"width\":%.10g,\"height\":%.10g,\"unit\":\"inches\",\"source\":\"R\"}",
			   REAL(size)[0], REAL(size)[1]);
	else
		buf_puts(result, "null");
	UNPROTECT(2);
}

static void metadata(struct ss_comm *c, const json_t *params, struct buf *result)
{
	static const char *const names[] = {"start_line", "start_character", "end_line", "end_character"};
	const struct plot *p = plot_of(c);
	char name[96];
	snprintf(name, sizeof name, "%s %u", p->kind, p->count);
	buf_putc(result, '{');
	jx_key_string(result, "name", name);
	jx_key_string(result, "kind", p->kind);
	jx_key_string(result, "execution_id", p->origin.execution_id ? p->origin.execution_id : "");
	jx_key_string(result, "code", p->origin.code ? p->origin.code : "");
	if (p->origin.uri) {
		jx_key(result, "origin");
		buf_putc(result, '{');
		jx_key_string(result, "uri", p->origin.uri);
		bool known = true;
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			known = known && p->origin.range[i] >= 0;
		if (known) {
			jx_key(result, "range");
			buf_putc(result, '{');
			for (size_t i = 0; i < ARRAY_LEN(names); i++)
				jx_key_int(result, names[i], p->origin.range[i]);
			buf_putc(result, '}');
		}
		buf_putc(result, '}');
	}
	buf_putc(result, '}');
}

static void render(struct ss_comm *c, const json_t *params, struct buf *result)
{
	const struct plot *p = plot_of(c);
	const json_t *size = json_object_get(params, "size");
	struct ss_pane_settings s;
	json_t *asked = json_object(), *any = json_pack("{s:i,s:i}", "width", 1, "height", 1);
	json_object_update(asked, (json_t *)params);
	bool intrinsic = !size || json_is_null(size);
	if (intrinsic)
		json_object_set(asked, "size", any);
	bool ok = read_settings(asked, &s);
	json_decref(asked);
	json_decref(any);
	if (!ok)
		ss_comm_fail(SS_COMM_BAD_PARAMS,
			     "a plot is rendered with `size` (`width` and `height` above 0, in pixels), `pixel_ratio` "
			     "above 0 and `format` (png, jpeg, svg, pdf or tiff)");
	SEXP args[4];
	args[0] = PROTECT(Rf_ScalarInteger((int)p->name));
	args[1] = PROTECT(intrinsic ? Rf_ScalarReal(s.pixel_ratio) : numbers_of(&s));
	args[2] = PROTECT(Rf_mkString(s.format));
	SEXP made = PROTECT(r_call_module("render_plot", 3, args));
	if (TYPEOF(made) == STRSXP)
		ss_comm_fail(SS_COMM_BAD_PARAMS, "%s", r_text(made, 0));
	SEXP numbers = VECTOR_ELT(made, 1);
	s.width = REAL(numbers)[0];
	s.height = REAL(numbers)[1];
	s.pixel_ratio = REAL(numbers)[2];
	put_picture(result, VECTOR_ELT(made, 0), &s);
	UNPROTECT(4);
}

static const struct ss_comm_method methods[] = {
    {"render", "RenderReply", render, .limit_ms = DRAW_MS},
    {"get_intrinsic_size", "GetIntrinsicSizeReply", intrinsic_size},
    {"get_metadata", "GetMetadataReply", metadata},
    {0},
};

const struct ss_comm_target comm_plot = {.name = "positron.plot",
					 .open = open_client,
					 .methods = methods,
					 .close = close_plot};
