/* execute.c: running a cell. The whole of it is parsed first; then one expression after the other goes through what R's own
 * loop does with it (Rf_ReplIteration of R's main.c): evaluation, visibility, .Last.value, printing, warnings, task callbacks.
 */
#include "session/comm.h"
#include "session/cost.h"
#include "session/help.h"
#include "session/options.h"
#include "session/park.h"
#include "session/payload.h"
#include "session/plot.h"

#include "base/clock.h"
#include "rapi/deadline.h"
#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/value.h"

struct expression {
	SEXP code, next; /* kept in R_KEEP_CODE; next is R_NilValue for the last one */
	bool last;
	bool
	    asked; /* a user expression: its value is printed whether visible or not, into *text; its other forms into *forms */
	struct buf *text, *forms;
};

/* Takes what was captured, without the line's end, as the text of a value. */
static void end_capture(struct buf *text)
{
	ss_console_capture_end(text);
	if (text->len && text->data[text->len - 1] == '\n')
		text->data[--text->len] = '\0';
}

static void set_last_value(SEXP value)
{
	SEXP symbol = Rf_install(".Last.value");
	if (SET_SYMVALUE)
		SET_SYMVALUE(symbol, value);
	else
		Rf_defineVar(symbol, value, R_BaseEnv);
}

/* May jump. An interrupt that is pending waits until there is a handler to see it. */
static void listen_to_conditions(void)
{
	Rboolean before = R_interrupts_suspended;
	R_interrupts_suspended = TRUE;
	ss_condition_listen();
	R_interrupts_suspended = before;
}

static void evaluate(void *data)
{
	struct expression *x = data;
	listen_to_conditions();
	R_CheckUserInterrupt(); /* one that came between two expressions */
	R_Visible = FALSE;
	SEXP value = ss_help_asked(x->code);
	if (value)
		R_Visible = TRUE;
	else
		value = Rf_eval(x->code, R_GlobalEnv);
	PROTECT(value);
	bool visible = R_Visible;
	ss_condition_ended_well(); /* an error that the user's `abort` restart has taken */
	if (!x->asked)
		set_last_value(value);
	R_CheckUserInterrupt(); /* one that ended a call into C, system() for example */
	if (visible)
		ss_plot_before_text();
	if (x->asked) {
		ss_console_capture();
		Rf_PrintValue(value);
		end_capture(x->text);
		ss_inline_forms(x->forms, value);
	} else if (visible) {
		ss_show(value, x->last);
	}
	r_print_warnings();
	if (Rf_callToplevelHandlers && !x->asked)
		Rf_callToplevelHandlers(x->code, value, TRUE, visible);
	UNPROTECT(1);
}

/* True if it came to its end; otherwise *error has the members of the error message. */
static bool run_expression(struct expression *x, struct buf *error)
{
	r_before_expression();
	ss_park_changed();
	ss_condition_begin();
	bool ok = r_toplevel_exec(evaluate, x);
	if (ok) {
		ss_console_capture_flush();
		ss_condition_ended_well();
	} else {
		ss_condition_describe(error);
	}
	ss_plot_flush(x->next);
	return ok;
}

/* ---- the cell's options (options.h) ---- */

static struct cell_options options;
static struct r_deadline time_limit;

static SEXP number_or_null(double x)
{
	return x > 0 ? Rf_ScalarReal(x) : R_NilValue;
}

/* May jump. */
static void tell_modules(void *data)
{
	SEXP args[8];
	args[0] = PROTECT(number_or_null(options.fig_width));
	args[1] = PROTECT(number_or_null(options.fig_height));
	args[2] = PROTECT(number_or_null(options.fig_dpi));
	args[3] = PROTECT(Rf_mkString(options.fig_format));
	args[4] = PROTECT(Rf_ScalarLogical(!options.no_warning));
	args[5] = PROTECT(Rf_ScalarLogical(!options.no_message));
	args[6] = PROTECT(number_or_null(options.output_width));
	args[7] = PROTECT(number_or_null(options.output_ratio));
	r_call_module("set_cell", 8, args);
	UNPROTECT(8);
}

/* In a signal handler: what waits for a child does not look for interrupts, so the children get one. */
static void interrupt_children(void *data)
{
	kill(0, SIGINT);
}

static void begin_options(const json_t *content)
{
	const json_t *code = json_object_get(content, "code");
	bool before = options.any;
	struct buf problems = BUF_INIT(BUF_MAX_SMALL);
	cell_options_read(&options, json_string_value(code) ? json_string_value(code) : "", json_string_length(code),
			  &problems);
	cell_options_client(&options, json_object_get(content, "positron"));
	if (problems.len)
		ss_console_text(2, problems.data, problems.len);
	buf_release(&problems);
	if (options.any || before)
		r_toplevel_exec(tell_modules, NULL);
	time_limit =
	    (struct r_deadline){.at = clock_ns() + (int64_t)(options.timeout * 1e9), .stuck = interrupt_children};
	if (options.timeout > 0)
		r_deadline_set(&time_limit);
}

static void end_options(void)
{
	if (options.timeout > 0)
		r_deadline_set(NULL);
}

static bool timed_out(struct buf *error)
{
	char why[100];
	if (options.timeout <= 0 || !time_limit.passed)
		return false;
	buf_clear(error);
	snprintf(why, sizeof why, "the cell ran longer than its option `timeout` of %g s", options.timeout);
	ss_condition_write(error, "timeout", why, why);
	return true;
}

static void publish_error(const struct buf *error)
{
	struct buf message = BUF_INIT(BUF_MAX_MESSAGE);
	buf_putc(&message, '{');
	buf_put(&message, error->data, error->len);
	buf_putc(&message, '}');
	if (ss.silent)
		buf_release(&message);
	else
		ss_publish("error", &message);
}

/* Whether an error is not the cell's end. An interrupt always is. */
static bool goes_on_after(struct buf *error)
{
	static const char interrupt[] = "\"ename\":\"interrupt\"";
	if (!options.go_on || !error->len || strncmp(error->data, interrupt, sizeof interrupt - 1) == 0)
		return false;
	publish_error(error);
	buf_clear(error);
	return true;
}

/* ---- ---- */

static bool run_cell(struct buf *error)
{
	SEXP code = r_kept(R_KEEP_CODE);
	R_xlen_t n = XLENGTH(code);
	for (R_xlen_t i = 0; i < n; i++) {
		bool last = i + 1 == n;
		struct expression x = {VECTOR_ELT(code, i), .next = last ? R_NilValue : VECTOR_ELT(code, i + 1),
				       .last = last};
		if (!run_expression(&x, error) && (timed_out(error) || !goes_on_after(error)))
			return false;
	}
	return true;
}

/* Why it cannot be R code at all, or NULL. */
static const char *not_code(const char *s, size_t n, char *why, size_t max)
{
	const char *nul = memchr(s, '\0', n);
	size_t line = 1;
	for (const char *p = s; nul && p < nul; p++)
		line += *p == '\n';
	if (nul)
		snprintf(why, max, "there is a NUL character in line %zu; R code cannot hold one", line);
	else if (n >= INT32_MAX)
		snprintf(why, max, "R code may be at most 2 GiB long");
	else
		return NULL;
	return why;
}

/* A copy that ss_parse may change. NULL, and *error filled, if there can be none. */
static char *copy_code(const json_t *value, size_t *n, struct buf *error)
{
	const char *s = json_is_string(value) ? json_string_value(value) : "";
	char room[96];
	*n = json_string_length(value);
	const char *why = not_code(s, *n, room, sizeof room);
	char *code = why ? NULL : malloc(*n + 1);
	if (!code && !why)
		why = "no memory for the code";
	if (!code) {
		ss_condition_write(error, "parseError", why, why);
		return NULL;
	}
	memcpy(code, s, *n);
	code[*n] = '\0';
	return code;
}

/* Parses into R_KEEP_CODE. */
static bool parse_code(const json_t *value, struct buf *error)
{
	size_t n;
	char *code = copy_code(value, &n, error);
	if (!code)
		return false;
	enum ss_parsed parsed = ss_parse(code, &n);
	if (parsed != SS_PARSE_OK) {
		struct buf why = BUF_INIT(BUF_MAX_SMALL), lines = BUF_INIT(BUF_MAX_SMALL);
		ss_parse_problem(parsed, code, n, &why);
		buf_printf(&lines, "Error: %s", why.data ? why.data : "");
		ss_condition_write(error, "parseError", why.data ? why.data : "", lines.data ? lines.data : "");
		buf_release(&why);
		buf_release(&lines);
	}
	free(code);
	return parsed == SS_PARSE_OK;
}

/* ---- user_expressions ---- */

static void user_expression(const json_t *code, struct buf *reply)
{
	struct buf error = BUF_INIT(BUF_MAX_MESSAGE), text = BUF_INIT(BUF_MAX_MESSAGE),
		   forms = BUF_INIT(BUF_MAX_MESSAGE);
	bool ok = parse_code(code, &error);
	SEXP all = ok ? r_kept(R_KEEP_CODE) : R_NilValue;
	for (R_xlen_t i = 0; ok && i < Rf_xlength(all); i++) {
		struct expression x = {VECTOR_ELT(all, i), .next = R_NilValue, .asked = true, .text = &text,
				       .forms = &forms};
		buf_clear(&text);
		buf_clear(&forms);
		ok = run_expression(&x, &error);
	}
	if (ok) {
		buf_puts(reply, "{\"status\":\"ok\",\"data\":{\"text/plain\":");
		jx_string(reply, text.data ? text.data : "", text.len);
		buf_put(reply, forms.data, forms.len);
		buf_puts(reply, "},\"metadata\":{}}");
	} else {
		buf_puts(reply, "{\"status\":\"error\",");
		buf_put(reply, error.data, error.len);
		buf_putc(reply, '}');
	}
	buf_release(&error);
	buf_release(&text);
	buf_release(&forms);
}

static void ok_reply(const json_t *content)
{
	struct buf reply = BUF_INIT(BUF_MAX_MESSAGE);
	const char *name;
	json_t *code;
	buf_puts(&reply, "{\"status\":\"ok\",\"payload\":");
	ss_payload_put(&reply);
	buf_puts(&reply, ",\"user_expressions\":{");
	json_object_foreach(json_object_get(content, "user_expressions"), name, code)
	{
		jx_key(&reply, name);
		user_expression(code, &reply);
	}
	buf_puts(&reply, "}}");
	ss_reply("execute_reply", &reply);
}

static void error_reply(struct buf *error)
{
	struct buf reply = BUF_INIT(BUF_MAX_MESSAGE);
	ss_payload_give_up();
	publish_error(error);
	buf_puts(&reply, "{\"status\":\"error\",");
	buf_put(&reply, error->data, error->len);
	buf_putc(&reply, '}');
	ss_reply("execute_reply", &reply);
}

void ss_execute(const json_t *head, const json_t *content)
{
	struct buf error = BUF_INIT(BUF_MAX_MESSAGE);
	ss_plot_cell(head, content);
	ss_comm_begin();
	ss_payload_begin();
	begin_options(content);
	ss_plot_cell_options();
	bool ok = parse_code(json_object_get(content, "code"), &error) && run_cell(&error);
	end_options();
	ss_cost_end();
	if (ok)
		ok_reply(content);
	else
		error_reply(&error);
	buf_release(&error);
	r_keep(R_KEEP_CODE, R_NilValue);
}
