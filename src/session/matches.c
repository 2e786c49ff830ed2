#include "session/matches.h"

#include "base/utf8.h"

#include <wctype.h>

enum { EXACT, OTHER_CASE, CONTAINED, NO_MATCH };

void matches_init(struct matches *m, struct slice typed)
{
	*m = (struct matches){.typed = typed, .best = NO_MATCH};
	buf_init(&m->text, BUF_MAX_MESSAGE);
	buf_init(&m->list, BUF_MAX_MESSAGE);
}

void matches_release(struct matches *m)
{
	buf_release(&m->text);
	buf_release(&m->list);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins_in_any_case(const char *s, size_t n, struct slice typed)
{
	if (n < typed.len)
		return false;
	for (size_t i = 0; i < typed.len; i++)
		if (lower(s[i]) != lower(typed.data[i]))
			return false;
	return true;
}

/* All of the letters in their order, the first of them at the beginning of a word: "rdcsv" is in "read.csv". */
static bool contains(struct slice name, struct slice typed)
{
	size_t k = 0;
	if (typed.len < 2)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char before = i ? name.data[i - 1] : '.';
		if (begins_in_any_case(name.data + i, name.len - i, typed))
			return true;
		bool begins_word =
		    before == '.' || before == '_' || (lower(before) == before && lower(name.data[i]) != name.data[i]);
		if (k < typed.len && lower(name.data[i]) == lower(typed.data[k]) && (k || begins_word))
			k++;
	}
	return k == typed.len;
}

static int tier_of(const struct matches *m, struct slice name)
{
	if (name.len >= m->typed.len && (!m->typed.len || memcmp(name.data, m->typed.data, m->typed.len) == 0))
		return EXACT;
	if (m->best >= OTHER_CASE && begins_in_any_case(name.data, name.len, m->typed))
		return OTHER_CASE;
	return m->best >= CONTAINED && contains(name, m->typed) ? CONTAINED : NO_MATCH;
}

size_t matches_count(const struct matches *m)
{
	return m->list.len / sizeof(struct match);
}

struct match *matches_get(const struct matches *m, size_t i)
{
	return (struct match *)(void *)m->list.data + i;
}

struct slice matches_name(const struct matches *m, const struct match *x)
{
	return (struct slice){m->text.data + x->at, x->len};
}

struct match *matches_add(struct matches *m, enum match_source source, enum match_form form, const char *type,
			  struct slice name)
{
	bool hidden = name.len && name.data[0] == '.' && source > MATCH_COLUMN && source != MATCH_LOCAL;
	if (!name.len || (hidden && !(m->typed.len && m->typed.data[0] == '.')))
		return NULL;
	int tier = tier_of(m, name);
	if (tier > m->best || tier == NO_MATCH || matches_count(m) >= MATCHES_GATHERED_MAX)
		return NULL;
	m->best = tier;
	struct match x = {
	    .at = m->text.len, .len = name.len, .source = source, .form = form, .tier = tier, .type = type};
	x.order = (int)matches_count(m);
	buf_put(&m->text, name.data, name.len);
	buf_put(&m->list, &x, sizeof x);
	if (m->text.failed || m->list.failed)
		return NULL;
	return matches_get(m, matches_count(m) - 1);
}

void matches_drop_last(struct matches *m)
{
	m->list.len -= sizeof(struct match);
}

/* ---- the order ---- */

static int by_name(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)lower(a.data[i]), y = (unsigned char)lower(b.data[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.len == b.len ? memcmp(a.data, b.data, n) : a.len < b.len ? -1 : 1;
}

static int compare(const void *pa, const void *pb, void *data)
{
	const struct match *a = pa, *b = pb;
	if (a->tier != b->tier)
		return a->tier < b->tier ? -1 : 1;
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	int c = a->source > MATCH_COLUMN ? by_name(matches_name(data, a), matches_name(data, b)) : 0;
	return c ? c : a->order < b->order ? -1 : a->order > b->order;
}

static bool shown(const struct matches *m, size_t n, const struct match *x)
{
	for (size_t i = 0; i < n; i++) {
		const struct match *other = matches_get(m, i);
		if (other->len == x->len && (other->form == MATCH_EQUALS) == (x->form == MATCH_EQUALS) &&
		    memcmp(m->text.data + other->at, m->text.data + x->at, x->len) == 0)
			return true;
	}
	return false;
}

size_t matches_finish(struct matches *m)
{
	size_t n = matches_count(m), kept = 0;
	if (n == 0)
		return 0;
	qsort_r(m->list.data, n, sizeof(struct match), compare, m);
	for (size_t i = 0; i < n && kept < MATCHES_MAX; i++) {
		struct match x = *matches_get(m, i);
		if (x.tier == m->best && !shown(m, kept, &x))
			*matches_get(m, kept++) = x;
	}
	m->list.len = kept * sizeof(struct match);
	return kept;
}

/* ---- code ---- */

bool matches_is_reserved(struct slice name)
{
	static const char *const words[] = {
	    "if",    "else", "repeat",      "while",    "function",      "for",        "next",
	    "break", "TRUE", "FALSE",       "NULL",     "Inf",           "NaN",        "NA",
	    "in",    "...",  "NA_integer_", "NA_real_", "NA_character_", "NA_complex_"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_is(name, words[i]))
			return true;
	return false;
}

static bool name_character(const char *s, int len, bool first)
{
	uint32_t c = (unsigned char)*s;
	if (len == 1)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
		       (!first && (c == '_' || (c >= '0' && c <= '9')));
	c &= len == 2 ? 0x1f : len == 3 ? 0x0f : 0x07;
	for (int i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return first ? iswalpha((wint_t)c) : iswalnum((wint_t)c);
}

bool matches_is_syntactic(struct slice name)
{
	bool dot_digit = name.len > 1 && name.data[0] == '.' && name.data[1] >= '0' && name.data[1] <= '9';
	if (!name.len || dot_digit || matches_is_reserved(name))
		return false;
	for (size_t i = 0; i < name.len;) {
		int len = utf8_char(name.data + i, name.len - i);
		if (len <= 0 || !name_character(name.data + i, len, i == 0))
			return false;
		i += (size_t)len;
	}
	return true;
}

static void put_escaped(struct buf *out, struct slice name, char quote)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		if (c == quote || c == '\\')
			buf_putc(out, '\\');
		if (c == '\n' || c == '\t')
			buf_puts(out, c == '\n' ? "\\n" : "\\t");
		else
			buf_putc(out, c);
	}
}

static void put_name(struct buf *out, struct slice name, bool ticks)
{
	if (!ticks && matches_is_syntactic(name)) {
		buf_put(out, name.data, name.len);
		return;
	}
	buf_putc(out, '`');
	put_escaped(out, name, '`');
	buf_putc(out, '`');
}

void matches_put(const struct matches *m, const struct match *x, struct buf *out)
{
	struct slice name = matches_name(m, x);
	bool folder = x->source == MATCH_FILE && name.data[name.len - 1] == '/';
	switch (x->form) {
	case MATCH_NAME:
	case MATCH_BACKTICK: put_name(out, name, x->form == MATCH_BACKTICK); break;
	case MATCH_EQUALS:
		put_name(out, name, false);
		buf_puts(out, " = ");
		break;
	case MATCH_IN_STRING:
		if (m->raw)
			buf_put(out, name.data, name.len);
		else
			put_escaped(out, name, m->quote);
		if (!m->closed && !m->raw && !folder)
			buf_putc(out, m->quote);
		break;
	case MATCH_QUOTED:
		buf_putc(out, '"');
		put_escaped(out, name, '"');
		buf_putc(out, '"');
		break;
	case MATCH_VERBATIM: buf_put(out, name.data, name.len); break;
	}
}
