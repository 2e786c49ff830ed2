/* doctor.c: `carrack doctor`. */
#include "kernel/doctor.h"

#include "kernel/args.h"
#include "kernel/commands.h"
#include "kernel/dirs.h"
#include "kernel/kernelspec.h"

#include <dirent.h>
#include <langinfo.h>
#include <locale.h>
#include <sys/statvfs.h>

#define TMP_LEAST_MB 64
#define SHM_LEAST_MB 16

void doctor_section(const char *title)
{
	printf("\n%s\n", title);
}

void doctor_line(const char *label, const char *fmt, ...)
{
	va_list ap;
	printf("  %-18s ", label);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout); /* what comes next may take seconds */
}

void doctor_problem(struct doctor *d, const char *to_do, const char *fmt, ...)
{
	va_list ap;
	printf("  PROBLEM            ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n    to do:           %s\n", to_do);
	fflush(stdout);
	d->problems++;
}

static void check_r(struct doctor *d, const char *r_home)
{
	struct err e = {0};
	doctor_section("R");
	d->have_r = rhome_find(&d->r, r_home, &e);
	if (!d->have_r) {
		doctor_problem(d,
			       "install R " RHOME_OLDEST " or later, or name a working one with --r-home DIR or R_HOME",
			       "%s", e.msg);
		return;
	}
	doctor_line("home", "%s", d->r.path);
	doctor_line("found by", "%s", d->r.source);
	doctor_line("version", "%s", d->r.version);
	doctor_line("shared library", "%s", d->r.libr);
}

/* One kernelspec: where it is, what it starts. Returns whether it is ours. */
static bool check_kernelspec(struct doctor *d, const char *dir, const char *name)
{
	struct err e = {0};
	struct kernelspec_seen k;
	char program[KN_PATH], to_do[KN_PATH + 64];
	if (!kernelspec_read(dir, &k, &e)) {
		doctor_line(name, "%s", e.msg);
		return false;
	}
	bool found = k.argv0[0] == '/' ? kn_is_executable(k.argv0) : kn_on_path(k.argv0, program);
	doctor_line(name, "%s", dir);
	doctor_line("", "starts %s%s", k.argv0, found ? "" : ", which is not there");
	if (k.ours && !found) {
		snprintf(to_do, sizeof to_do, "`carrack install --name %s`, or `carrack uninstall --name %s`", name,
			 name);
		doctor_problem(d, to_do, "the kernelspec '%s' starts a program that is not there", name);
	}
	const json_t *argv = json_object_get(k.json, "argv");
	for (size_t i = 0; k.ours && i + 1 < json_array_size(argv); i++) {
		const char *option = json_string_value(json_array_get(argv, i));
		const char *home = json_string_value(json_array_get(argv, i + 1));
		struct rhome r = {0};
		if (!option || strcmp(option, "--r-home") != 0 || !home || !kn_path(r.path, "%s", home))
			continue;
		if (rhome_check(&r, &e)) {
			doctor_line("", "with R %s in %s", r.version, r.path);
			continue;
		}
		snprintf(to_do, sizeof to_do, "`carrack install --name %s --r-home DIR` with another R", name);
		doctor_problem(d, to_do, "the R of the kernelspec '%s': %s", name, e.msg);
	}
	bool ours = k.ours;
	kernelspec_seen_release(&k);
	return ours;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void check_kernelspecs(struct doctor *d)
{
	struct err e = {0};
	struct jupyter_path path;
	int ours = 0;
	doctor_section("Kernelspecs");
	if (!jupyter_path_list(&path, &e)) {
		doctor_problem(d, "free memory", "%s", e.msg);
		return;
	}
	for (size_t i = 0; i < path.n; i++) {
		char kernels[KN_PATH], dir[KN_PATH];
		struct dirent **list = NULL;
		int n = kn_path(kernels, "%s/kernels", path.dir[i].path) ? scandir(kernels, &list, NULL, by_name) : 0;
		for (int j = 0; j < n; j++) {
			const char *name = list[j]->d_name;
			if (kn_path(dir, "%s/%s", kernels, name) && kernelspec_exists(dir))
				ours += check_kernelspec(d, dir, name);
			free(list[j]);
		}
		free(list);
	}
	if (!ours)
		doctor_problem(d, "carrack install", "no kernelspec starts Carrack, so Jupyter does not show it");
	doctor_section("Where Jupyter looks for them");
	for (size_t i = 0; i < path.n; i++)
		doctor_line(path.dir[i].why, "%s/kernels", path.dir[i].path);
	jupyter_path_release(&path);
}

static void check_room(struct doctor *d, const char *dir, unsigned long long least_mb, const char *to_do)
{
	struct statvfs s;
	if (statvfs(dir, &s) != 0) {
		doctor_line(dir, "not there");
		return;
	}
	unsigned long long mb = (unsigned long long)s.f_bavail * s.f_frsize >> 20;
	doctor_line(dir, "%llu MB free%s", mb, s.f_flag & ST_NOEXEC ? ", mounted noexec" : "");
	if (mb < least_mb)
		doctor_problem(d, to_do, "%s has only %llu MB free", dir, mb);
}

static void check_system(struct doctor *d)
{
	char program[KN_PATH];
	const char *tmp = getenv("TMPDIR");
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	doctor_section("System");
	if (kn_on_path("jupyter", program))
		doctor_line("jupyter", "%s", program);
	else
		doctor_line(
		    "jupyter",
		    "not on PATH; if it is not installed either: pip install jupyterlab, or your system's package");
	doctor_line("locale", "%s, %s%s", setlocale(LC_CTYPE, NULL), nl_langinfo(CODESET),
		    utf8 ? "" : "; the session is given C.UTF-8 instead");
	check_room(d, tmp && *tmp ? tmp : "/tmp", TMP_LEAST_MB,
		   "remove files there, or set TMPDIR to another directory");
	check_room(d, "/dev/shm", SHM_LEAST_MB, "give the container more shared memory (docker run --shm-size)");
}

static void check_all(struct doctor *d, const char *r_home)
{
	struct err e = {0};
	char self[KN_PATH];
	printf("carrack " CARRACK_VERSION "  %s\n", kn_self(self, &e) ? self : "");
	check_r(d, r_home);
	doctor_check_session(d);
	check_kernelspecs(d);
	check_system(d);
	if (d->problems)
		printf("\n%d problem%s found; the line after each says what to do.\n", d->problems,
		       d->problems == 1 ? "" : "s");
	else
		printf("\nAll is well.\n");
}

int cmd_doctor(int argc, char **argv)
{
	enum { R_HOME, HELP };
	static const struct arg table[] = {{"--r-home", "DIR", R_HOME}, {"--help", NULL, HELP}, {"-h", NULL, HELP}};
	struct arg_reader r = {.argc = argc, .argv = argv, .table = table, .n = ARRAY_LEN(table)};
	struct doctor d = {0};
	struct err e = {0};
	const char *value = NULL, *r_home = NULL;
	int id = 0;
	for (enum arg_got got; (got = arg_next(&r, &id, &value, &e)) != ARG_END;) {
		if (got == ARG_WORD || got == ARG_REST)
			err_set(&e, "expected options only, got '%s'", argv[r.at - 1]);
		if (got != ARG_OPTION)
			return usage_error("doctor", &e);
		if (id == HELP)
			return cmd_help("doctor");
		r_home = value;
	}
	setlocale(LC_CTYPE, ""); /* as the kernel does: the session's locale is chosen from it */
	check_all(&d, r_home);
	return d.problems ? EXIT_FAILED : EXIT_DONE;
}
