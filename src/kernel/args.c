#include "kernel/args.h"

#include "base/buf.h"

static bool same_name(const char *name, const char *given, size_t n)
{
	if (strlen(name) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[i] != given[i] && !(name[i] == '-' && given[i] == '_' && i >= 2))
			return false;
	return true;
}

static enum arg_got unknown(const struct arg_reader *r, const char *word, size_t n, struct err *e)
{
	struct buf known = BUF_INIT(BUF_MAX_SMALL);
	for (size_t i = 0; i < r->n; i++) {
		if (r->table[i].name[1] != '-') /* a short form of another */
			continue;
		buf_printf(&known, "%s%s", i ? ", " : "", r->table[i].name);
		if (r->table[i].value)
			buf_printf(&known, " %s", r->table[i].value);
	}
	err_set(e, "unknown option %.*s; expected one of: %s", (int)(n < 200 ? n : 200), word,
		known.data ? known.data : "");
	buf_release(&known);
	return ARG_ERROR;
}

static enum arg_got option(struct arg_reader *r, const struct arg *a, const char *inline_value, const char **value,
			   struct err *e)
{
	*value = NULL;
	if (!a->value) {
		if (!inline_value)
			return ARG_OPTION;
		err_set(e, "%s takes no value, got '%s'", a->name, inline_value);
		return ARG_ERROR;
	}
	const char *next = r->at < r->argc ? r->argv[r->at] : NULL;
	*value = inline_value ? inline_value : next;
	if (!*value || (!inline_value && strncmp(next, "--", 2) == 0)) {
		err_set(e, "%s needs a value: %s %s%s%s", a->name, a->name, a->value, next ? ", got " : "",
			next ? next : "");
		return ARG_ERROR;
	}
	if (!**value) {
		err_set(e, "%s needs a value that is not empty: %s %s", a->name, a->name, a->value);
		return ARG_ERROR;
	}
	r->at += inline_value ? 0 : 1;
	return ARG_OPTION;
}

enum arg_got arg_next(struct arg_reader *r, int *id, const char **value, struct err *e)
{
	if (r->at >= r->argc)
		return ARG_END;
	const char *word = r->argv[r->at++];
	if (strcmp(word, "--") == 0)
		return ARG_REST;
	if (word[0] != '-' || !word[1]) {
		*value = word;
		return ARG_WORD;
	}
	const char *equals = strchr(word, '=');
	size_t n = equals ? (size_t)(equals - word) : strlen(word);
	for (size_t i = 0; i < r->n; i++) {
		if (!same_name(r->table[i].name, word, n))
			continue;
		*id = r->table[i].id;
		return option(r, &r->table[i], equals ? equals + 1 : NULL, value, e);
	}
	return unknown(r, word, n, e);
}
