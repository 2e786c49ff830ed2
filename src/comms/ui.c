/* ui.c: the target `positron.ui`: what clients say, and what they are told of the session's state. What R code wants shown comes
 * from modules/ui.R. */
#include "comms/ui.h"

#include "comms/targets.h"
#include "rapi/json.h"
#include "rapi/value.h"
#include "session/session.h"

#include <math.h>
#include <unistd.h>

#define MAX_PIXELS 65536 /* of a side of a plot: what is larger is a mistake */
#define MAX_PROMPT 256
#define MAX_PATH 4096

/* What a client was told last. */
struct ui {
	pid_t pid; /* a copy of the session that is woken after a crash may have told it less */
	bool busy;
	char prompt[MAX_PROMPT], more[MAX_PROMPT], directory[MAX_PATH];
};

static struct {
	bool known;
	struct ui_render_settings settings;
} plots;

bool ui_is_open(void)
{
	return ss_comm_newest(comm_ui.name);
}

bool ui_render_settings(struct ui_render_settings *s)
{
	if (!ui_is_open() || !plots.known)
		return false;
	*s = plots.settings;
	return true;
}

bool ui_event(const char *method, struct buf *params)
{
	struct ss_comm *c = ss_comm_newest(comm_ui.name);
	if (c)
		ss_comm_event(c, method, params);
	else
		buf_release(params);
	return c;
}

/* ---- what is told ---- */

/* The session is computing, or is not: other requests than cells do not count. */
static void tell_busy(struct ss_comm *c, bool busy)
{
	struct ui *u = c->state;
	struct buf params = BUF_INIT(BUF_MAX_SMALL);
	if (u->busy == busy)
		return;
	u->busy = busy;
	buf_putc(&params, '{');
	jx_key_bool(&params, "busy", busy);
	buf_putc(&params, '}');
	ss_comm_event(c, "busy", &params);
}

static void tell_prompts(struct ss_comm *c)
{
	struct ui *u = c->state;
	struct buf params = BUF_INIT(BUF_MAX_SMALL);
	const char *prompt = r_text(r_option("prompt"), 0), *more = r_text(r_option("continue"), 0);
	if (strncmp(u->prompt, prompt, MAX_PROMPT - 1) == 0 && strncmp(u->more, more, MAX_PROMPT - 1) == 0)
		return;
	snprintf(u->prompt, sizeof u->prompt, "%s", prompt);
	snprintf(u->more, sizeof u->more, "%s", more);
	buf_putc(&params, '{');
	jx_key_string(&params, "input_prompt", prompt);
	jx_key_string(&params, "continuation_prompt", more);
	buf_putc(&params, '}');
	ss_comm_event(c, "prompt_state", &params);
}

/* The home directory is written `~`. */
static void tell_directory(struct ss_comm *c)
{
	struct ui *u = c->state;
	struct buf params = BUF_INIT(BUF_MAX_SMALL), shown = BUF_INIT(BUF_MAX_SMALL);
	char now[MAX_PATH];
	const char *home = getenv("HOME");
	size_t n = home ? strlen(home) : 0;
	if (!getcwd(now, sizeof now) || strcmp(now, u->directory) == 0)
		return;
	snprintf(u->directory, sizeof u->directory, "%s", now);
	bool below = n > 1 && strncmp(now, home, n) == 0 && (now[n] == '/' || !now[n]);
	buf_printf(&shown, "%s%s", below ? "~" : "", below ? now + n : now);
	buf_putc(&params, '{');
	jx_key_string(&params, "directory", shown.data ? shown.data : now);
	buf_putc(&params, '}');
	buf_release(&shown);
	ss_comm_event(c, "working_directory", &params);
}

static void settle(struct ss_comm *c)
{
	struct ui *u = c->state;
	if (u->pid != getpid()) {
		*u = (struct ui){.pid = getpid(), .busy = true};
	}
	tell_prompts(c);
	tell_directory(c);
	tell_busy(c, false);
}

static void begin(struct ss_comm *c)
{
	if (!ss.silent)
		tell_busy(c, true);
}

static bool clear_console(void)
{
	struct buf none = BUF_INIT(BUF_MAX_SMALL);
	return ui_event("clear_console", &none);
}

/* ---- open and close ---- */

static bool open_ui(struct ss_comm *c, const struct ss_comm_message *m, struct err *e)
{
	struct ui *u = calloc(1, sizeof *u);
	if (!u)
		return err_set(e, "no memory");
	u->pid = getpid();
	c->state = u;
	ss_console_clear = clear_console;
	return true;
}

static void close_ui(struct ss_comm *c, const struct ss_comm_message *m)
{
	free(c->state);
	c->state = NULL;
	if (!ui_is_open()) {
		plots.known = false;
		ss_console_clear = NULL;
	}
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

static const char *string_param(const json_t *params, const char *key)
{
	const json_t *value = json_object_get(params, key);
	if (!json_is_string(value))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`%s` must be a string", key);
	return json_string_value(value);
}

/* A function of modules/ui.R by name, or one that the user has: `.ps.rpc.<method>`. */
static void call_method(struct ss_comm *c, const json_t *params, struct buf *result)
{
	const char *method = string_param(params, "method");
	const json_t *list = json_object_get(params, "params");
	SEXP args[2];
	if (list && !json_is_array(list))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`params` must be an array");
	args[0] = PROTECT(r_string(method, strlen(method)));
	if (Rf_asLogical(r_call_module("ui_method_known", 1, args)) != TRUE)
		ss_comm_fail(SS_COMM_NO_METHOD, "there is no method '%.100s' to be called", method);
	args[1] = PROTECT(Rf_allocVector(VECSXP, (R_xlen_t)json_array_size(list)));
	for (size_t i = 0; i < json_array_size(list); i++)
		SET_VECTOR_ELT(args[1], (R_xlen_t)i, r_json_read(json_array_get(list, i)));
	r_json_write(result, PROTECT(r_call_module("ui_call_method", 2, args)));
	UNPROTECT(3);
}

static void evaluate_code(struct ss_comm *c, const json_t *params, struct buf *result)
{
	const char *code = string_param(params, "code");
	SEXP arg = PROTECT(r_string(code, strlen(code)));
	r_json_write(result, PROTECT(r_call_module("ui_evaluate", 1, &arg)));
	UNPROTECT(2);
}

/* Which document is being edited is of no use to R. */
static void editor_context(struct ss_comm *c, const json_t *params, struct buf *result)
{
	buf_puts(result, "null");
}

static const struct ss_comm_method methods[] = {
    {"did_change_plots_render_settings", "DidChangePlotsRenderSettingsReply", render_settings, .event = true},
    {"editor_context_changed", "EditorContextChangedReply", editor_context, .event = true},
    {"call_method", "CallMethodReply", call_method},
    {"evaluate_code", "EvaluateCodeReply", evaluate_code},
    {0},
};

const struct ss_comm_target comm_ui = {.name = "positron.ui",
				       .open = open_ui,
				       .opened = settle,
				       .methods = methods,
				       .close = close_ui,
				       .settle = settle,
				       .begin = begin,
				       .again = true};
