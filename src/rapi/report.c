#include "rapi/report.h"

#include "base/utf8.h"

void r_report_text(char *to, size_t room, const char *s)
{
	size_t n = strnlen(s, room - 1);
	n = utf8_cut(s, n);
	memcpy(to, s, n);
	to[n] = '\0';
}

struct r_report r_report_of(const char *asked, const char *asker)
{
	struct r_report r = {.end = R_RETURNED};
	r_report_text(r.asked, sizeof r.asked, asked);
	r_report_text(r.asker, sizeof r.asker, asker);
	return r;
}

static void put_how(const struct r_report *r, struct buf *out)
{
	switch (r->end) {
	case R_RETURNED: buf_puts(out, "ended well"); break;
	case R_FAILED: buf_puts(out, "failed"); break;
	case R_TIMED_OUT: buf_printf(out, "took longer than %g s and was ended", r->limit_ms / 1000.0); break;
	case R_YIELDED: buf_puts(out, "made room for something else"); break;
	case R_INTERRUPTED: buf_puts(out, "was interrupted"); break;
	case R_JUMPED: buf_puts(out, "was left by a jump"); break;
	case R_REFUSED: buf_puts(out, "was not run: too many pieces of such work are inside each other"); break;
	}
}

/* One line: line ends become spaces. */
static void put_line(struct buf *out, const char *s)
{
	size_t n = strlen(s);
	while (n && (s[n - 1] == '\n' || s[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < n; i++)
		buf_putc(out, s[i] == '\n' ? ' ' : s[i]);
}

static void put_what(const struct r_report *r, struct buf *out)
{
	buf_puts(out, *r->asked ? r->asked : "work in R");
	buf_putc(out, ' ');
	put_how(r, out);
}

void r_report_short(const struct r_report *r, struct buf *out)
{
	put_what(r, out);
	const char *why = r->end == R_JUMPED && !*r->message && r->buffer_is_new ? r->buffer : r->message;
	if (*why && (r->end == R_FAILED || r->end == R_JUMPED)) {
		buf_puts(out, ": ");
		put_line(out, why);
	}
}

/* The text, each of its lines indented. */
static void put_block(struct buf *out, const char *title, const char *s)
{
	if (!*s)
		return;
	buf_printf(out, "\n%s", title);
	while (*s) {
		size_t n = strcspn(s, "\n");
		buf_puts(out, "\n  ");
		buf_put(out, s, n);
		s += n + (s[n] == '\n');
	}
}

void r_report_full(const struct r_report *r, struct buf *out)
{
	struct buf frames = BUF_INIT(BUF_MAX_SMALL);
	put_what(r, out);
	if (*r->asker)
		buf_printf(out, " (for %s)", r->asker);
	buf_printf(out, " after %.3f ms", r->ms);
	if (*r->class)
		buf_printf(out, ", %s", r->class);
	if (*r->call)
		buf_printf(out, " in %s", r->call);
	put_block(out, "R said:", r->message);
	put_block(out, "R calls:", r->calls);
	r_frames_put(&frames, r->pcs, r->n_pcs);
	put_block(out,
		  r->pcs_are_stuck ? "C frames when its time was over and it did not look for interrupts:"
				   : "C frames:",
		  frames.data ? frames.data : "");
	if (r->end != R_RETURNED && strcmp(r->buffer, r->message) != 0)
		put_block(out,
			  r->buffer_is_new ? "R's error buffer:" : "R's error buffer (it may be older):", r->buffer);
	put_block(out, "It wrote:", r->output);
	buf_release(&frames);
}
