/* plot_picture.c: showing a page, and where it comes from. */
#include "session/plot.h"

#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"

#define MAX_KEPT 64
#define DRAW_MS 120000 /* drawing again looks for no interrupts of the user: this is the limit */

struct ss_plot_origin ss_plot_origin = {.range = {-1, -1, -1, -1}};

static char *copy(const char *s)
{
	char *c = strdup(s);
	return c ? c : strdup("");
}

static void take_range(const json_t *range)
{
	static const char *const ends[] = {"start", "end"}, *const parts[] = {"line", "character"};
	for (size_t i = 0; i < 4; i++)
		ss_plot_origin.range[i] = json_int_or(json_object_get(range, ends[i / 2]), parts[i % 2], -1);
}

void ss_plot_origin_set(const json_t *head, const json_t *content)
{
	struct ss_plot_origin *o = &ss_plot_origin;
	const json_t *location = json_object_get(json_object_get(content, "positron"), "code_location");
	const char *uri = json_string_or(location, "uri", "");
	free(o->execution_id);
	free(o->code);
	free(o->uri);
	o->execution_id = copy(json_string_or(head, "msg_id", ""));
	o->code = copy(json_string_or(content, "code", ""));
	o->uri = *uri ? copy(uri) : NULL;
	take_range(json_object_get(location, "range"));
}

/* ---- showing ---- */

SEXP ss_plot_colour(unsigned c)
{
	char text[16];
	snprintf(text, sizeof text, "#%02X%02X%02X%02X", c & 255, c >> 8 & 255, c >> 16 & 255, c >> 24);
	return Rf_mkString(c >> 24 ? text : "transparent");
}

/* As an output of the cell. May jump. */
static void display(const struct ss_picture *p)
{
	SEXP args[6];
	args[0] = p->snapshot;
	args[1] = p->bytes;
	args[2] = p->page;
	args[3] = PROTECT(ss_plot_colour(p->canvas));
	args[4] = PROTECT(Rf_ScalarInteger((int)p->number));
	args[5] = PROTECT(Rf_ScalarLogical(p->update));
	r_call_module("show_plot", 6, args);
	UNPROTECT(3);
}

static void show(void *data)
{
	struct ss_picture *p = data;
	if (ss_plot_pane.wanted(NULL))
		ss_plot_pane.show(p);
	else
		display(p);
}

void ss_picture_show(struct ss_picture *p)
{
	struct r_report report = r_report_of("a plot", "");
	struct r_budget budget = {.ms = DRAW_MS};
	if (ss.silent || r_in_child())
		return;
	if (!r_sandbox(show, p, &budget, &report)) {
		struct buf why = BUF_INIT(BUF_MAX_SMALL);
		r_report_short(&report, &why);
		ss_console_say("a plot could not be shown: %s", why.data ? why.data : "?");
		buf_release(&why);
	}
}

bool ss_picture_needs_recording(SEXP page)
{
	return LOGICAL_ELT(VECTOR_ELT(page, 4), 0) || ss_plot_pane.wanted(NULL);
}

/* ---- pages whose device was closed: lists in R_KEEP_PLOTS, the last one first ---- */

static int n_kept;

void ss_picture_keep(const struct ss_picture *p)
{
	if (n_kept == MAX_KEPT)
		return;
	SEXP list = PROTECT(Rf_allocVector(VECSXP, 4));
	SET_VECTOR_ELT(list, 0, p->snapshot);
	SET_VECTOR_ELT(list, 1, p->bytes);
	SET_VECTOR_ELT(list, 2, p->page);
	SEXP numbers = Rf_allocVector(INTSXP, 4);
	SET_VECTOR_ELT(list, 3, numbers);
	INTEGER(numbers)[0] = (int)p->canvas;
	INTEGER(numbers)[1] = (int)p->number;
	INTEGER(numbers)[2] = (int)p->in_pane;
	INTEGER(numbers)[3] = p->update;
	r_keep(R_KEEP_PLOTS, Rf_cons(list, r_kept(R_KEEP_PLOTS)));
	n_kept++;
	UNPROTECT(1);
}

void ss_picture_show_kept(void)
{
	SEXP lists[MAX_KEPT];
	int n = 0;
	if (!n_kept)
		return;
	for (SEXP l = r_kept(R_KEEP_PLOTS); l != R_NilValue && n < MAX_KEPT; l = CDR(l))
		lists[n++] = CAR(l);
	while (n-- > 0) {
		const int *numbers = INTEGER_RO(VECTOR_ELT(lists[n], 3));
		struct ss_picture p = {.snapshot = VECTOR_ELT(lists[n], 0),
				       .bytes = VECTOR_ELT(lists[n], 1),
				       .page = VECTOR_ELT(lists[n], 2),
				       .canvas = (unsigned)numbers[0],
				       .number = (unsigned)numbers[1],
				       .in_pane = (unsigned)numbers[2],
				       .update = numbers[3]};
		ss_picture_show(&p);
	}
	r_keep(R_KEEP_PLOTS, R_NilValue);
	n_kept = 0;
}

/* ---- for R code ---- */

SEXP ss_plot_pane_now(void)
{
	struct ss_pane_settings s;
	if (!ss_plot_pane.wanted(&s))
		return R_NilValue;
	SEXP list = PROTECT(Rf_allocVector(VECSXP, 2));
	SEXP numbers = Rf_allocVector(REALSXP, 3);
	SET_VECTOR_ELT(list, 0, numbers);
	REAL(numbers)[0] = s.width;
	REAL(numbers)[1] = s.height;
	REAL(numbers)[2] = s.pixel_ratio;
	SET_VECTOR_ELT(list, 1, Rf_mkString(s.format));
	UNPROTECT(1);
	return list;
}
