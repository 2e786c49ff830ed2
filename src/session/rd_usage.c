#include "session/rd_usage.h"

enum { OPEN = 1, COMMA, CLOSE };

static bool is_one_of(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, list[i]) == 0)
			return true;
	return false;
}

static bool is_infix(const char *s)
{
	static const char *const operators[] = {"+", "-", "*", "/", "^", "<", "<=", ">", ">=", "!=", "==", "&", "|"};
	size_t n = strlen(s);
	return is_one_of(s, operators, ARRAY_LEN(operators)) || (n >= 2 && s[0] == '%' && s[n - 1] == '%');
}

static void plan(struct rd_rewrite *r, const char *generic)
{
	static const char *const parts[] = {"[", "[[", "$"};
	*r = (struct rd_rewrite){.next = OPEN};
	if (is_one_of(generic, parts, ARRAY_LEN(parts))) {
		snprintf(r->comma, sizeof r->comma, "%s", generic);
		snprintf(r->close, sizeof r->close, "%s", generic[0] == '$' ? "" : generic[1] ? "]]" : "]");
	} else if (is_infix(generic)) {
		snprintf(r->comma, sizeof r->comma, " %s ", generic);
	} else if (strcmp(generic, "!") == 0) {
		snprintf(r->open, sizeof r->open, "!");
	} else {
		snprintf(r->open, sizeof r->open, "%s(", generic);
		snprintf(r->close, sizeof r->close, ")");
		snprintf(r->comma, sizeof r->comma, "%s", "");
	}
}

/* Whether it is an assignment: an arrow in the piece of code where the call ends. */
static bool assigns(struct slice calls)
{
	int level = 0;
	for (size_t i = 0, piece = 0; i < calls.len; i++) {
		level += (calls.data[i] == '(') - (calls.data[i] == ')');
		if (calls.data[i] == '\f')
			piece = i + 1;
		if (level == 0 && calls.data[i] == ')') {
			const char *end = memchr(calls.data + i, '\f', calls.len - i);
			size_t n = end ? (size_t)(end - calls.data) - piece : calls.len - piece;
			return memmem(calls.data + piece, n, "<-", 2) != NULL;
		}
	}
	return false;
}

/* The classes of an S4 signature are put on lines of their own when they are long. */
static void add_signature(struct buf *out, struct slice class)
{
	if (class.len <= 50) {
		buf_printf(out, "'%.*s'\n", (int)class.len, class.data);
		return;
	}
	buf_puts(out, "\n## '");
	for (size_t i = 0; i < class.len; i++) {
		buf_putc(out, class.data[i]);
		if (class.data[i] == ',' && class.len > 68)
			buf_puts(out, "\n##   ");
	}
	buf_puts(out, "'\n");
}

struct slice rd_method(struct rd_rewrite *r, bool s4, struct slice generic, struct slice class, struct slice calls)
{
	static struct buf head = {.max = BUF_MAX_SMALL};
	char name[64];
	snprintf(name, sizeof name, "%.*s", (int)generic.len, generic.data);
	plan(r, name);
	const char *kind = assigns(calls) ? "replacement " : "";
	buf_clear(&head);
	if (s4) {
		buf_printf(&head, "## S4 %smethod for signature ", kind);
		add_signature(&head, class);
	} else if (slice_is(class, "default")) {
		buf_printf(&head, "## Default S3 %smethod:\n", kind);
	} else {
		buf_printf(&head, "## S3 %smethod for class '%.*s'\n", kind, (int)class.len, class.data);
	}
	return head.failed ? (struct slice){"", 0} : SLICE_BUF(&head);
}

/* Writes what stands for `c`. */
static void step(struct rd_rewrite *r, char c, struct buf *out)
{
	r->level += (c == '(') - (c == ')');
	if (r->skip_blanks && c == ' ')
		return;
	r->skip_blanks = false;
	if (r->next == OPEN && c == '(') {
		buf_puts(out, r->open);
		r->next = *r->comma ? COMMA : CLOSE;
	} else if (r->next == COMMA && c == ',' && r->level == 1) {
		buf_puts(out, r->comma);
		r->next = CLOSE;
		r->skip_blanks = true;
	} else if (r->next != OPEN && c == ')' && r->level == 0) {
		buf_puts(out, r->close);
		r->next = 0;
	} else {
		buf_putc(out, c);
	}
}

struct slice rd_rewrite(struct rd_rewrite *r, struct slice code)
{
	static struct buf out = {.max = BUF_MAX_SMALL};
	size_t i = 0;
	buf_clear(&out);
	buf_put(&out, "", 0);
	for (; i < code.len && r->next; i++)
		step(r, code.data[i], &out);
	buf_put(&out, code.data + i, code.len - i);
	return out.failed || !out.data ? code : SLICE_BUF(&out);
}
