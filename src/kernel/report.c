/* report.c: reads what report.R, run in an R, wrote. */
#include "kernel/doctor.h"

#include "base/json.h"
#include "kernel/embedded.h"

#define REPORT_MAX ((size_t)1 << 22)
#define REPORT_ENTRIES 4096

bool report_code(struct buf *code, const char *file, struct err *e)
{
	buf_puts(code, "local({\nfile <- ");
	jx_cstring(code, file); /* R reads JSON's escapes as it reads its own */
	buf_putc(code, '\n');
	for (size_t i = 0; i < report_source_n; i++)
		buf_put(code, report_source[i].data, report_source[i].len);
	buf_puts(code, "})\n");
	return !code->failed || err_set(e, "the path %.500s is too long", file);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The text that n hexadecimal digits stand for, on the heap; NULL if they are not such. */
static char *unhex(const char *s, size_t n)
{
	char *out = n % 2 == 0 ? malloc(n / 2 + 1) : NULL;
	for (size_t i = 0; out && i < n; i += 2) {
		int high = digit(s[i]), low = digit(s[i + 1]);
		if (high < 0 || low < 0 || high + low == 0) {
			free(out);
			return NULL;
		}
		out[i / 2] = (char)(high * 16 + low);
	}
	if (out)
		out[n / 2] = '\0';
	return out;
}

static bool take_line(struct report *r, const char *line, size_t n)
{
	size_t kind = strcspn(line, " \n"), name = kind < n ? strcspn(line + kind + 1, " \n") : 0;
	if (kind >= n || kind + 1 + name >= n || r->n == REPORT_ENTRIES)
		return false;
	struct report_entry *x = &r->entry[r->n];
	x->variable = line[0] == 'v';
	x->name = unhex(line + kind + 1, name);
	x->value = unhex(line + kind + name + 2, n - kind - name - 2);
	r->n++;
	return x->name && x->value;
}

bool report_read(struct report *r, const char *file, struct err *e)
{
	struct buf text = BUF_INIT(REPORT_MAX + 65536);
	*r = (struct report){.entry = calloc(REPORT_ENTRIES, sizeof *r->entry)};
	bool ok = r->entry != NULL || err_set(e, "out of memory");
	ok = ok && kn_file_read(file, REPORT_MAX, &text, e);
	for (const char *line = ok ? text.data : NULL; line && *line;) {
		size_t n = strcspn(line, "\n");
		if (!take_line(r, line, n))
			ok = err_set(e, "R's report on itself cannot be read");
		line = line[n] ? line + n + 1 : NULL;
	}
	buf_release(&text);
	return ok;
}

void report_release(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->entry[i].name);
		free(r->entry[i].value);
	}
	free(r->entry);
	*r = (struct report){0};
}

const char *report_get(const struct report *r, bool variable, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entry[i].variable == variable && strcmp(r->entry[i].name, name) == 0)
			return r->entry[i].value;
	return NULL;
}
