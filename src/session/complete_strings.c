/* complete_strings.c: inside quotes, and the few functions whose arguments are names of other things. */
#include "session/complete.h"
#include "session/packages.h"

#include "base/clock.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- packages, options, the environment ---- */

static void add_packages(struct completing *x, enum match_form form)
{
	packages_installed(&x->m, form == MATCH_QUOTED ? MATCH_NAME : form, "");
}

static void add_options(struct completing *x, enum match_form form)
{
	SEXP options = look_in(R_BaseEnv, Rf_install(".Options"));
	for (; TYPEOF(options) == LISTSXP; options = CDR(options))
		if (TAG(options) != R_NilValue)
			matches_add(&x->m, MATCH_SEARCH, form, "instance",
				    SLICE_STR(Rf_translateCharUTF8(PRINTNAME(TAG(options)))));
}

static void add_variables(struct completing *x, enum match_form form)
{
	for (char **v = environ; v && *v; v++) {
		const char *end = strchr(*v, '=');
		if (end)
			matches_add(&x->m, MATCH_SEARCH, form, "instance", (struct slice){*v, (size_t)(end - *v)});
	}
}

/* `first`: the first argument, or the one of that name. `named`: names of arguments. */
static const struct special {
	const char *function, *argument;
	void (*add)(struct completing *x, enum match_form form);
	bool named, bare_only_these;
} specials[] = {
    {"library", "package", add_packages, false, true},
    {"require", "package", add_packages, false, true},
    {"requireNamespace", "package", add_packages, false, false},
    {"loadNamespace", "package", add_packages, false, false},
    {"attachNamespace", "ns", add_packages, false, false},
    {"getNamespace", "name", add_packages, false, false},
    {"packageVersion", "pkg", add_packages, false, false},
    {"getOption", "x", add_options, false, false},
    {"options", "", add_options, true, true},
    {"Sys.getenv", "x", add_variables, false, false},
    {"Sys.unsetenv", "x", add_variables, false, false},
    {"Sys.setenv", "", add_variables, true, true},
};

static const struct special *special_at(const struct completing *x, const struct syn_frame *f)
{
	if (!x->c->n_frames || f->kind != SYN_CALL || f->function.n != 1 || !f->direct)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
		const struct special *s = &specials[i];
		bool here = s->named ? x->c->name_of_argument
				     : slice_is(f->argument, s->argument) || (!f->argument.len && f->position == 0);
		if (here && slice_is(f->function.step[0].name, s->function))
			return s;
	}
	return NULL;
}

bool complete_special(struct completing *x, enum match_form form)
{
	const struct special *s = special_at(x, &x->c->frame[0]);
	bool in_string = form == MATCH_IN_STRING;
	if (!s || (in_string && s->named))
		return false;
	if (s->add == add_packages && !s->bare_only_these && !in_string)
		return false; /* requireNamespace(x) takes a value */
	if (s->named)
		form = x->c->has_equals ? MATCH_NAME : MATCH_EQUALS;
	s->add(x, form);
	return s->bare_only_these || in_string;
}

/* ---- files ---- */

#define FILES_MS 8 /* a directory that takes longer is shown as far as it was read */

/* The path that the string's text so far stands for: its directory, with `~` expanded. */
static bool directory_of(struct slice typed, char to[4096])
{
	size_t n = typed.len;
	while (n && typed.data[n - 1] != '/')
		n--;
	const char *home = n && typed.data[0] == '~' && n > 1 && typed.data[1] == '/' ? getenv("HOME") : NULL;
	int k = home ? snprintf(to, 4096, "%s%.*s", home, (int)(n - 1), typed.data + 1)
		     : snprintf(to, 4096, "%.*s", (int)n, n ? typed.data : "");
	if (n == 0)
		snprintf(to, 4096, ".");
	return k >= 0 && k < 4096;
}

static bool is_directory(int dir, const struct dirent *d)
{
	struct stat st;
	if (d->d_type != DT_LNK && d->d_type != DT_UNKNOWN)
		return d->d_type == DT_DIR;
	return fstatat(dir, d->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* `\"` and `\\` as they are in the string's source. */
static size_t unescape(struct slice typed, bool raw, char *to, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < typed.len && n + 1 < max; i++) {
		if (!raw && typed.data[i] == '\\' && i + 1 < typed.len)
			i++;
		to[n++] = typed.data[i];
	}
	return n;
}

static void add_files(struct completing *x)
{
	static char path[4096], directory[4096];
	struct slice typed = {path, unescape(x->c->typed, x->c->raw, path, sizeof path)};
	if (slice_is(typed, "~")) {
		matches_add(&x->m, MATCH_FILE, MATCH_IN_STRING, "path", SLICE_STR("~/"));
		return;
	}
	if (!directory_of(typed, directory))
		return;
	const char *slash = memrchr(x->c->typed.data, '/', x->c->typed.len);
	if (slash) {
		size_t head = (size_t)(slash + 1 - x->c->typed.data);
		x->m.typed = (struct slice){slash + 1, x->c->typed.len - head};
	}
	DIR *d = opendir(directory);
	int64_t end = clock_ms() + FILES_MS;
	for (struct dirent *f; d && (f = readdir(d)) && clock_ms() < end;) {
		char name[sizeof f->d_name + 1];
		bool dot = f->d_name[0] == '.' && (f->d_name[1] == '\0' || !strcmp(f->d_name, ".."));
		bool hidden = f->d_name[0] == '.' && !(x->m.typed.len && x->m.typed.data[0] == '.');
		if (dot || hidden)
			continue;
		snprintf(name, sizeof name, "%s%s", f->d_name, is_directory(dirfd(d), f) ? "/" : "");
		matches_add(&x->m, MATCH_FILE, MATCH_IN_STRING, "path", SLICE_STR(name));
	}
	if (d)
		closedir(d);
}

/* x["…"], x[["…"]], x[c("…")] */
static bool add_elements(struct completing *x)
{
	const struct syn_context *c = x->c;
	const struct syn_frame *f = &c->frame[0];
	bool combined =
	    c->n_frames > 1 && f->kind == SYN_CALL && f->function.n == 1 && slice_is(f->function.step[0].name, "c");
	if (combined && c->frame[1].kind != SYN_CALL && !c->frame[1].behind_braces)
		f = &c->frame[1];
	if (!c->n_frames || f->kind == SYN_CALL)
		return false;
	complete_elements(x, f, MATCH_IN_STRING);
	return true;
}

void complete_string(struct completing *x)
{
	if (complete_special(x, MATCH_IN_STRING) || add_elements(x))
		return;
	bool path = memchr(x->c->typed.data, '/', x->c->typed.len) != NULL;
	if (!path)
		complete_columns(x, MATCH_IN_STRING);
	if (path || !matches_count(&x->m))
		add_files(x);
}
