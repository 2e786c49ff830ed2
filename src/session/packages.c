#include "session/packages.h"

#include "rapi/keep.h"
#include "rapi/value.h"
#include "session/look.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was found in one library, until its directory changes. Libraries are few; they are never forgotten. */
struct library {
	struct library *next;
	struct timespec changed;
	struct buf names; /* each with a NUL behind it */
	char path[];
};
static struct library *libraries;

static bool is_package(int dir, const char *name)
{
	char file[300];
	int n = snprintf(file, sizeof file, "%s/DESCRIPTION", name);
	return n > 0 && (size_t)n < sizeof file && faccessat(dir, file, R_OK, 0) == 0;
}

static void read_library(struct library *l)
{
	buf_clear(&l->names);
	DIR *d = opendir(l->path);
	for (struct dirent *x; d && (x = readdir(d));)
		if (x->d_name[0] != '.' && is_package(dirfd(d), x->d_name))
			buf_put(&l->names, x->d_name, strlen(x->d_name) + 1);
	if (d)
		closedir(d);
}

static const struct library *library_at(const char *path)
{
	struct stat st;
	struct library *l = libraries;
	if (stat(path, &st) != 0)
		return NULL;
	while (l && strcmp(l->path, path) != 0)
		l = l->next;
	if (!l) {
		size_t n = strlen(path) + 1;
		l = calloc(1, sizeof *l + n);
		if (!l)
			return NULL;
		memcpy(l->path, path, n);
		buf_init(&l->names, BUF_MAX_SMALL);
		l->next = libraries;
		libraries = l;
	} else if (l->changed.tv_sec == st.st_mtim.tv_sec && l->changed.tv_nsec == st.st_mtim.tv_nsec) {
		return l;
	}
	l->changed = st.st_mtim;
	read_library(l);
	return l;
}

/* What .libPaths() gives; it keeps them in a variable of its own. */
static SEXP library_paths(void)
{
	SEXP function = look_in(R_BaseEnv, Rf_install(".libPaths"));
	SEXP paths =
	    TYPEOF(function) == CLOSXP ? look_in(look_closure_env(function), Rf_install(".lib.loc")) : R_NilValue;
	return TYPEOF(paths) == STRSXP ? paths : R_NilValue;
}

void packages_installed(struct matches *m, enum match_form form, const char *suffix)
{
	SEXP paths = library_paths();
	for (R_xlen_t i = 0; i < Rf_xlength(paths); i++) {
		const struct library *l = library_at(r_text(paths, i));
		for (size_t at = 0; l && at < l->names.len;) {
			char name[320];
			const char *s = l->names.data + at;
			at += strlen(s) + 1;
			int n = snprintf(name, sizeof name, "%s%s", s, suffix);
			if (n > 0 && (size_t)n < sizeof name)
				matches_add(m, MATCH_PACKAGE, form, "module", SLICE_STR(name));
		}
	}
}

/* ---- what is in one ---- */

static void add_names(struct matches *m, SEXP names, const char *type, SEXP env, enum match_form form)
{
	PROTECT(names);
	for (R_xlen_t i = 0; i < Rf_xlength(names); i++) {
		const char *s = r_text(names, i);
		bool bookkeeping = strncmp(s, ".__", 3) == 0; /* classes and tables of methods */
		struct match *x = bookkeeping ? NULL : matches_add(m, MATCH_SEARCH, form, type, SLICE_STR(s));
		if (x && env != R_NilValue) {
			x->where = env;
			x->what = Rf_installTrChar(STRING_ELT(names, i));
		}
	}
	UNPROTECT(1);
}

static void add_loaded(struct matches *m, SEXP ns, bool internal, enum match_form form)
{
	if (internal || ns == R_BaseNamespace) {
		add_names(m, look_list(ns, true), NULL, ns, form);
		return;
	}
	SEXP info = look_in(ns, Rf_install(".__NAMESPACE__."));
	SEXP exports = look_in(info, Rf_install("exports"));
	add_names(m, TYPEOF(exports) == ENVSXP ? look_list(exports, true) : R_NilValue, NULL, ns, form);
	SEXP data = look_in(info, Rf_install("lazydata"));
	add_names(m, TYPEOF(data) == ENVSXP ? look_list(data, true) : R_NilValue, "instance", R_NilValue, form);
}

static bool find_package(struct slice package, char path[4096])
{
	SEXP paths = library_paths();
	bool odd = !package.len || memchr(package.data, '/', package.len) || package.data[0] == '.';
	for (R_xlen_t i = 0; !odd && i < Rf_xlength(paths); i++) {
		struct stat st;
		int n = snprintf(path, 4096, "%s/%.*s", r_text(paths, i), (int)package.len, package.data);
		if (n > 0 && n < 4096 && stat(path, &st) == 0)
			return true;
	}
	return false;
}

void packages_exports(struct matches *m, struct slice package, bool internal, enum match_form form)
{
	SEXP ns = look_namespace(package);
	char path[4096];
	if (ns != R_NilValue) {
		add_loaded(m, ns, internal, form);
	} else if (find_package(package, path)) {
		SEXP args[2];
		args[0] = PROTECT(r_string(path, strlen(path)));
		args[1] = PROTECT(Rf_ScalarLogical(internal));
		SEXP both = PROTECT(r_call_module("package_names", 2, args));
		if (TYPEOF(both) == VECSXP && XLENGTH(both) == 2) {
			add_names(m, VECTOR_ELT(both, 0), "function", R_NilValue, form);
			add_names(m, VECTOR_ELT(both, 1), "instance", R_NilValue, form);
		}
		UNPROTECT(3);
	}
}
