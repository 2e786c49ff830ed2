#include "kernel/rhome.h"

#include <dirent.h>

#define ASK_LIMIT_MS 5000
#define SCRIPT_MAX ((size_t)1 << 20)

#ifdef __APPLE__
#define LIBR "libR.dylib"
#else
#define LIBR "libR.so"
#endif

/* Appends a clause to the source once the rule is known. */
static void set_source(struct rhome *r, const char *rule, const char *detail)
{
	if (detail)
		snprintf(r->source, sizeof r->source, "%s (%s)", rule, detail);
	else
		snprintf(r->source, sizeof r->source, "%s", rule);
}

/* Reads "4.2.2" (and no more than that is looked at of "4.2.2-x"). */
static bool parse_version(const char *s, int *major, int *minor, int *patch)
{
	int *parts[] = {major, minor, patch};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *end;
		if (*s < '0' || *s > '9')
			return false;
		long n = strtol(s, &end, 10);
		if (n > 9999 || (i < 2 && *end != '.'))
			return false;
		*parts[i] = (int)n;
		s = end + 1;
	}
	return true;
}

static bool read_version(struct rhome *r, struct err *e)
{
	char path[KN_PATH];
	struct buf text = BUF_INIT(BUF_MAX_SMALL);
	bool ok = kn_path(path, "%s/library/base/DESCRIPTION", r->path) && kn_file_read(path, SCRIPT_MAX / 2, &text, e);
	const char *line = ok ? text.data : NULL;
	while (line && strncmp(line, "Version:", 8) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (ok && line) {
		line += 8;
		line += strspn(line, " \t");
		snprintf(r->version, sizeof r->version, "%.*s", (int)strcspn(line, "\r\n \t"), line);
	}
	if (ok && (!line || !parse_version(r->version, &r->major, &r->minor, &r->patch)))
		ok = err_set(e, "%s has no line `Version: x.y.z`; is this R complete?", path);
	buf_release(&text);
	return ok;
}

static bool older_than(const struct rhome *r, int major, int minor, int patch)
{
	if (r->major != major)
		return r->major < major;
	if (r->minor != minor)
		return r->minor < minor;
	return r->patch < patch;
}

static bool check_parts(struct rhome *r, struct err *e)
{
	char part[KN_PATH];
	if (!kn_is_dir(r->path))
		return err_set(e, "%s is not a directory; expected R's home, as `R RHOME` prints it", r->path);
	if (!kn_path(part, "%s/bin/R", r->path) || !kn_is_executable(part))
		return err_set(e, "%s has no program bin/R; expected R's home, as `R RHOME` prints it", r->path);
	if (!kn_path(part, "%s/etc/ldpaths", r->path) || !kn_is_file(part))
		return err_set(e, "%s has no etc/ldpaths, which R's own start needs; install this R again", r->path);
	if (!read_version(r, e))
		return false;
	int major = 0, minor = 0, patch = 0;
	if (!parse_version(RHOME_OLDEST, &major, &minor, &patch) || older_than(r, major, minor, patch))
		return err_set(e,
			       "R %s in %s is too old; Carrack needs R " RHOME_OLDEST " or later (name another R with "
			       "--r-home or R_HOME)",
			       r->version, r->path);
	if (!kn_path(r->libr, "%s/lib/" LIBR, r->path) || !kn_is_file(r->libr))
		return err_set(e,
			       "R %s in %s has no shared library lib/" LIBR ": it was built without --enable-R-shlib; "
			       "install an R that has it (those of Debian, Fedora, conda, rig and CRAN do)",
			       r->version, r->path);
	return true;
}

bool rhome_check(struct rhome *r, struct err *e)
{
	char real[KN_PATH];
	r->version[0] = r->libr[0] = '\0';
	r->major = r->minor = r->patch = 0;
	if (!kn_path_absolute(real, r->path))
		return err_set(e, "the path %s is too long", r->path);
	memcpy(r->path, real, sizeof real);
	for (size_t n = strlen(r->path); n > 1 && r->path[n - 1] == '/'; n--)
		r->path[n - 1] = '\0';
	return check_parts(r, e);
}

/* True if the home ends in lib/R and lib64/R beside it holds an R too, or the other way round. */
static bool has_twin(const char *home)
{
	static const char *const ends[][2] = {{"/lib/R", "/lib64/R"}, {"/lib64/R", "/lib/R"}};
	char twin[KN_PATH];
	size_t n = strlen(home);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t k = strlen(ends[i][0]);
		if (n > k && strcmp(home + n - k, ends[i][0]) == 0)
			return kn_path(twin, "%.*s%s/bin/exec/R", (int)(n - k), home, ends[i][1]) &&
			       kn_is_executable(twin);
	}
	return false;
}

/* The home that R's front-end script names, or "": a line `R_HOME_DIR=/some/dir`. Where the script chooses between lib and
 * lib64 when it runs (`libnn`) and both hold an R, only running it tells. */
static void home_in_script(const char *script, char out[KN_PATH])
{
	static const char key[] = "\nR_HOME_DIR=";
	char program[KN_PATH];
	struct buf text = BUF_INIT(SCRIPT_MAX + 65536);
	out[0] = '\0';
	if (kn_file_read(script, SCRIPT_MAX, &text, NULL) && text.len > 2 && memcmp(text.data, "#!", 2) == 0) {
		const char *line = strstr(text.data, key);
		line = line ? line + sizeof key - 1 : "";
		char end = *line == '"' || *line == '\'' ? *line++ : '\n';
		size_t n = strcspn(line, "\"'\n");
		bool plain = line[0] == '/' && strcspn(line, "$`\\") >= n && line[n] == end;
		if (!plain || !kn_path(out, "%.*s", (int)n, line) || (strstr(text.data, "libnn") && has_twin(out)) ||
		    !kn_path(program, "%s/bin/R", out) || !kn_is_executable(program))
			out[0] = '\0';
	}
	buf_release(&text);
}

/* What `R RHOME` prints. Its last line: a warning about R_HOME can come before it. */
static bool ask_r(const char *program, char out[KN_PATH], struct err *e)
{
	static const char *const without[] = {"R_HOME", NULL};
	const char *argv[] = {program, "RHOME", NULL};
	struct kn_ran ran;
	if (!kn_run(&ran, argv, NULL, without, ASK_LIMIT_MS, e))
		return false;
	size_t n = ran.out.len;
	while (n && strchr("\r\n", ran.out.data[n - 1]))
		ran.out.data[--n] = '\0';
	const char *line = n ? strrchr(ran.out.data, '\n') : "";
	line = line ? line + 1 : ran.out.data;
	bool ok = !ran.timed_out && ran.status == 0 && line[0] == '/' && kn_path(out, "%s", line);
	if (ran.timed_out)
		err_set(e, "`%s RHOME` gave no answer within %d s", program, ASK_LIMIT_MS / 1000);
	else if (!ok)
		err_set(e, "`%s RHOME` should print R's home, printed '%.200s'", program, line);
	kn_ran_release(&ran);
	return ok;
}

/* The newest of dir/NAME/lib/R, where NAME is a version (Posit's builds live so). */
static bool newest_under(const char *dir, char out[KN_PATH])
{
	DIR *d = opendir(dir);
	struct rhome best = {.major = -1}, candidate;
	struct dirent *entry;
	while (d && (entry = readdir(d))) {
		candidate = (struct rhome){0};
		if (entry->d_name[0] == '.' || !kn_path(candidate.path, "%s/%s/lib/R", dir, entry->d_name) ||
		    !rhome_check(&candidate, NULL))
			continue;
		if (older_than(&best, candidate.major, candidate.minor, candidate.patch))
			best = candidate;
	}
	if (d)
		closedir(d);
	return best.major >= 0 && kn_path(out, "%s", best.path);
}

static bool usual_place(char out[KN_PATH])
{
	static const char *const places[] = {
	    "/usr/lib/R",         "/usr/lib64/R",         "/usr/local/lib/R",
	    "/usr/local/lib64/R", "/opt/R/current/lib/R", "/Library/Frameworks/R.framework/Resources",
	};
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (kn_is_dir(places[i]) && kn_path(out, "%s", places[i]))
			return true;
	return newest_under("/opt/R", out);
}

/* Applies the rules; r->path and r->source are set when it returns true. */
static bool locate(struct rhome *r, const char *asked, struct err *e)
{
	const char *env = getenv("R_HOME"), *conda = getenv("CONDA_PREFIX");
	char program[KN_PATH];
	struct err why = {0};
	if (asked) {
		set_source(r, "--r-home", NULL);
		return kn_path(r->path, "%s", asked) || err_set(e, "the path is too long");
	}
	if (env && *env) {
		set_source(r, "R_HOME", NULL);
		return kn_path(r->path, "%s", env) || err_set(e, "the path is too long");
	}
	if (conda && *conda && kn_path(r->path, "%s/lib/R", conda) && kn_is_dir(r->path)) {
		set_source(r, "CONDA_PREFIX", conda);
		return true;
	}
	bool on_path = kn_on_path("R", program);
	if (on_path) {
		set_source(r, "R on PATH", program);
		home_in_script(program, r->path);
		if (r->path[0] || ask_r(program, r->path, &why))
			return true;
	}
	if (usual_place(r->path)) {
		set_source(r, "the usual places", NULL);
		return true;
	}
	if (on_path)
		return err_set(e, "%s", why.msg);
	return err_set(e, "there is no R: R_HOME is not set, no `R` is on PATH, and the usual places have none; "
			  "install R " RHOME_OLDEST " or later, or name its home with --r-home or R_HOME");
}

bool rhome_find(struct rhome *r, const char *asked, struct err *e)
{
	*r = (struct rhome){0};
	if (!locate(r, asked, e))
		return r->source[0] ? err_context(e, "%s", r->source) : false;
	return rhome_check(r, e) || err_context(e, "%s", r->source);
}
