#include "session/options.h"

#include <math.h>
#include <strings.h>
#include <yaml.h>

#define MAX_OPTIONS_TEXT 65536

static bool take_number(const char *s, double *to)
{
	char *end;
	double v = strtod(s, &end);
	if (end == s || *end || !isfinite(v) || v <= 0)
		return false;
	*to = v;
	return true;
}

/* YAML 1.1's words, which is what people write. */
static bool take_bool(const char *s, bool *to)
{
	static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(s, yes[i]) == 0 || strcasecmp(s, no[i]) == 0) {
			*to = strcasecmp(s, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

enum kind { NUMBER, SHOWN, YES, FORMAT };

static const char *const expected[] = {"a number above 0", "true or false", "true or false",
				       "png, retina, svg, jpeg or pdf"};

static const struct {
	const char *name;
	enum kind kind;
	size_t at;
} known[] = {
    {"fig-width", NUMBER, offsetof(struct cell_options, fig_width)},
    {"fig-height", NUMBER, offsetof(struct cell_options, fig_height)},
    {"fig-dpi", NUMBER, offsetof(struct cell_options, fig_dpi)},
    {"timeout", NUMBER, offsetof(struct cell_options, timeout)},
    {"fig-format", FORMAT, offsetof(struct cell_options, fig_format)},
    {"warning", SHOWN, offsetof(struct cell_options, no_warning)},
    {"message", SHOWN, offsetof(struct cell_options, no_message)},
    {"error", YES, offsetof(struct cell_options, go_on)},
};

static bool take_format(const char *s, char *to, size_t max)
{
	static const char *const formats[] = {"png", "retina", "svg", "jpeg", "jpg", "pdf"};
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(s, formats[i]) == 0)
			return snprintf(to, max, "%s", s) > 0;
	return false;
}

/* `value` is NULL if it is a list or a mapping. */
static void take(struct cell_options *o, const char *name, const char *value, struct buf *problems)
{
	size_t i = 0;
	while (i < ARRAY_LEN(known) && strcmp(known[i].name, name) != 0)
		i++;
	if (i == ARRAY_LEN(known))
		return;
	void *to = (char *)o + known[i].at;
	bool ok = false, b = false;
	switch (known[i].kind) {
	case NUMBER: ok = value && take_number(value, to); break;
	case FORMAT: ok = value && take_format(value, to, sizeof o->fig_format); break;
	case SHOWN:
	case YES:
		ok = value && take_bool(value, &b);
		if (ok)
			*(bool *)to = known[i].kind == YES ? b : !b;
	}
	if (!ok)
		buf_printf(problems, "cell option `%s`: expected %s, got %s%s%s; it is ignored\n", name,
			   expected[known[i].kind], value ? "`" : "", value ? value : "a list", value ? "`" : "");
	o->any = o->any || ok;
}

/* The YAML of the `#|` lines at the head of the code. */
static void collect(const char *code, size_t n, struct buf *yaml)
{
	size_t i = 0;
	while (i < n) {
		size_t end = i;
		while (end < n && code[end] != '\n')
			end++;
		size_t at = i;
		while (at < end && (code[at] == ' ' || code[at] == '\t'))
			at++;
		bool blank = at == end || (at + 1 == end && code[at] == '\r');
		if (end - at >= 2 && code[at] == '#' && code[at + 1] == '|') {
			at += 2;
			at += at < end && code[at] == ' '; /* `#| x` and `#|x` stand in the same column */
			buf_put(yaml, code + at, end - at);
		} else if (!blank || yaml->len) {
			return;
		}
		if (!blank)
			buf_putc(yaml, '\n');
		i = end + 1;
	}
}

static void read_mapping(struct cell_options *o, yaml_parser_t *p, struct buf *problems)
{
	char name[64] = "";
	int depth = 0;
	bool have_name = false, done = false;
	while (!done) {
		yaml_event_t e;
		if (!yaml_parser_parse(p, &e)) {
			buf_printf(problems,
				   "the `#|` lines cannot be read as YAML (line %zu: %s); what follows is ignored\n",
				   p->problem_mark.line + 1, p->problem ? p->problem : "?");
			return;
		}
		bool opens = e.type == YAML_MAPPING_START_EVENT || e.type == YAML_SEQUENCE_START_EVENT;
		bool closes = e.type == YAML_MAPPING_END_EVENT || e.type == YAML_SEQUENCE_END_EVENT;
		if (opens && depth == 1 && have_name) {
			take(o, name, NULL, problems);
			have_name = false;
		} else if (e.type == YAML_SCALAR_EVENT && depth == 1) {
			const char *s = (const char *)e.data.scalar.value;
			if (have_name)
				take(o, name, s, problems);
			else
				snprintf(name, sizeof name, "%s", s);
			have_name = !have_name;
		} else if (e.type == YAML_SCALAR_EVENT && depth == 0) {
			buf_puts(problems, "the `#|` lines are not a list of `name: value`; they are ignored\n");
		}
		depth += opens - closes;
		done = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
}

void cell_options_read(struct cell_options *o, const char *code, size_t n, struct buf *problems)
{
	struct buf yaml = BUF_INIT(MAX_OPTIONS_TEXT);
	yaml_parser_t p;
	*o = (struct cell_options){0};
	collect(code, n, &yaml);
	if (yaml.len && !yaml.failed && yaml_parser_initialize(&p)) {
		yaml_parser_set_input_string(&p, (const unsigned char *)yaml.data, yaml.len);
		read_mapping(o, &p, problems);
		yaml_parser_delete(&p);
	}
	buf_release(&yaml);
}

void cell_options_client(struct cell_options *o, const json_t *positron)
{
	static const struct {
		const char *name;
		size_t at;
	} fields[] = {{"fig-width", offsetof(struct cell_options, fig_width)},
		      {"fig-height", offsetof(struct cell_options, fig_height)},
		      {"output_width_px", offsetof(struct cell_options, output_width)},
		      {"output_pixel_ratio", offsetof(struct cell_options, output_ratio)}};
	bool sized = o->fig_width > 0 || o->fig_height > 0;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		double v = json_number_value(json_object_get(positron, fields[i].name));
		if (!isfinite(v) || v <= 0 || (sized && i < 2))
			continue;
		*(double *)(void *)((char *)o + fields[i].at) = v;
		o->any = true;
		if (i < 2 && o->output_ratio <= 0) /* of the client, not of the cell: its pixels are CSS pixels, too */
			o->output_ratio = 1;
	}
}
