/* doctor_session.c: R by its own front end and R as a session, side by side. */
#include "kernel/doctor.h"
#include "kernel/probe.h"

#include <sys/wait.h>
#include <unistd.h>

#define R_LIMIT_MS 30000

/* Differ between any two processes, or are the kernel's own. */
static const char *const own_variables[] = {"_",      "SHLVL", "R_SESSION_TMPDIR", "COLUMNS", "LINES", "LC_CTYPE",
					    "LC_ALL", "LANG",  "CARRACK_LINK_FD"};

/* Facts and variables whose values are R's and nobody's secret. */
static bool may_be_shown(const struct report_entry *x)
{
	return !x->variable || strncmp(x->name, "R_", 2) == 0 || strcmp(x->name, "PATH") == 0 ||
	       strcmp(x->name, "LD_LIBRARY_PATH") == 0 || strcmp(x->name, "DYLD_FALLBACK_LIBRARY_PATH") == 0;
}

/* The session turns a locale that is not UTF-8 into one that is; with that, these differ as they should. And it says that colours are
 * shown (modules/startup.R). */
static bool is_intended(const struct report *r, const struct report *session, const struct report_entry *x)
{
	const char *was = report_get(r, false, "UTF-8"), *is = report_get(session, false, "UTF-8");
	if (x->variable)
		return strcmp(x->name, "COLORTERM") == 0 && !report_get(r, true, x->name);
	bool changed = was && is && strcmp(was, "FALSE") == 0 && strcmp(is, "TRUE") == 0;
	return changed && (strcmp(x->name, "locale") == 0 || strcmp(x->name, "UTF-8") == 0);
}

static bool is_own(const struct report_entry *x)
{
	for (size_t i = 0; x->variable && i < ARRAY_LEN(own_variables); i++)
		if (strcmp(own_variables[i], x->name) == 0)
			return true;
	return false;
}

static void show_difference(const struct report_entry *x, const char *r, const char *session)
{
	doctor_line("differs", "%s%s", x->variable ? "variable " : "", x->name);
	if (!may_be_shown(x)) {
		doctor_line("", "%s",
			    !r         ? "only the session has it"
			    : !session ? "only R has it"
				       : "(value not shown)");
		return;
	}
	doctor_line("", "R:       %s", r ? r : "(not there)");
	doctor_line("", "session: %s", session ? session : "(not there)");
}

static size_t compare(const struct report *r, const struct report *session)
{
	size_t differences = 0;
	for (size_t i = 0; i < r->n + session->n; i++) {
		bool second = i >= r->n;
		const struct report_entry *x = second ? &session->entry[i - r->n] : &r->entry[i];
		const char *a = report_get(r, x->variable, x->name), *b = report_get(session, x->variable, x->name);
		/* What is in both was compared in the first round. */
		if (is_own(x) || (second && a) || (a && b && strcmp(a, b) == 0))
			continue;
		if (is_intended(r, session, x)) {
			doctor_line("by intent", "%s: R has %s, the session %s", x->name, a ? a : "none",
				    b ? b : "none");
			continue;
		}
		show_difference(x, a, b);
		differences++;
	}
	return differences;
}

static void show_facts(const struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->entry[i].variable)
			doctor_line(r->entry[i].name, "%s", *r->entry[i].value ? r->entry[i].value : "none");
}

/* What R's start does to the environment that it was given. */
static void show_added(const struct report *r)
{
	struct buf added = BUF_INIT(BUF_MAX_SMALL);
	for (size_t i = 0; i < r->n; i++) {
		const char *had = r->entry[i].variable ? getenv(r->entry[i].name) : "";
		if (!r->entry[i].variable || is_own(&r->entry[i]) || (had && strcmp(had, r->entry[i].value) == 0))
			continue;
		buf_printf(&added, "%s%s", added.len ? " " : "", r->entry[i].name);
	}
	doctor_line("sets", "%s", added.len ? added.data : "no variables");
	buf_release(&added);
}

static void show_text(const char *who, const struct buf *text)
{
	if (!text->len)
		return;
	doctor_line("", "%s wrote:", who);
	const char *line = text->len > 2000 ? text->data + text->len - 2000 : text->data;
	while (*line) {
		size_t n = strcspn(line, "\n");
		doctor_line("", "| %.*s", (int)n, line);
		line += n + (line[n] != '\0');
	}
}

/* R as a terminal has it: interactive, with its profiles; it reads the code as if it were typed. */
static bool ask_r(struct doctor *d, const char *code_file, const char *report_file, struct report *out)
{
	struct err e = {0};
	struct kn_ran ran;
	char program[KN_PATH];
	static const char *const without[] = {"R_HOME", NULL};
	const char *argv[] = {program, "--interactive", "--no-readline", "--no-echo", "--no-restore", "--no-save",
			      NULL};
	static const char to_do[] = "run `R` in a terminal and see whether it starts; look at .Rprofile and .Renviron";
	if (!kn_path(program, "%s/bin/R", d->r.path) || !kn_run(&ran, argv, code_file, without, R_LIMIT_MS, &e)) {
		doctor_problem(d, to_do, "R cannot be run: %s", e.msg);
		return false;
	}
	bool ok = !ran.timed_out && report_read(out, report_file, &e);
	if (ran.timed_out)
		doctor_problem(d, to_do, "R did not finish within %d s", R_LIMIT_MS / 1000);
	else if (!ok)
		doctor_problem(d, to_do, "R ended %s %d without a report: %s",
			       WIFSIGNALED(ran.status) ? "by signal" : "with exit status",
			       WIFSIGNALED(ran.status) ? WTERMSIG(ran.status) : WEXITSTATUS(ran.status), e.msg);
	else
		doctor_line("start", "%lld ms, from start to end", (long long)ran.took_ms);
	if (!ok)
		show_text("R", &ran.out);
	kn_ran_release(&ran);
	return ok;
}

/* The front end has its home written in it: a copied or moved R starts the one it was copied from. */
static void check_home(struct doctor *d, const struct report *r)
{
	const char *says = report_get(r, false, "R home");
	char *a = says ? realpath(says, NULL) : NULL, *b = realpath(d->r.path, NULL);
	if (a && b && strcmp(a, b) != 0)
		doctor_problem(d, "name the home that `R RHOME` prints", "%s/bin/R starts the R in %s", d->r.path,
			       says);
	free(a);
	free(b);
}

/* What profiles printed. An error in one does not stop R, but leaves the rest of the profile undone. */
static void check_start_text(struct doctor *d, const struct buf *text)
{
	show_text("At its start it", text);
	for (const char *line = text->len ? text->data : NULL; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "Error", 5) != 0)
			continue;
		doctor_problem(d, "mend the .Rprofile, Rprofile.site or .Renviron that it comes from",
			       "R's start met with an error: %.*s", (int)strcspn(line, "\n"), line);
		return;
	}
}

static bool ask_session(struct doctor *d, const char *code, const char *report_file, struct report *out)
{
	struct err e = {0};
	struct probe p;
	bool ok = probe_run(&p, &d->r, code, &e);
	if (p.ready)
		doctor_line("start", "ready after %lld ms, language version %s", (long long)p.ready_ms, p.version);
	if (!ok) {
		doctor_problem(d,
			       p.ready ? "start a kernel with CARRACK_LOG=debug and --log FILE, and read FILE"
				       : "see what the session wrote; look at .Rprofile and .Renviron",
			       "%s", e.msg);
		show_text("The session", &p.text);
	} else if (!d->other_session) {
		check_start_text(d, &p.text);
		ok = report_read(out, report_file, &e);
		if (!ok)
			doctor_problem(d, "start a kernel with CARRACK_LOG=debug and --log FILE, and read FILE",
				       "the session ran the code, but gave no report: %s", e.msg);
	}
	probe_release(&p);
	return ok;
}

static void compare_both(struct doctor *d, const char *dir, const char *code, const char *code_file, const char *from_r,
			 const char *from_session)
{
	struct report r = {0}, session = {0};
	struct err e = {0};
	char program[KN_PATH];
	bool custom, asked = false;
	if (d->have_r && !d->other_session) {
		doctor_section("R by its own front end");
		asked = ask_r(d, code_file, from_r, &r);
		if (asked) {
			show_facts(&r);
			show_added(&r);
			check_home(d, &r);
		}
	}
	doctor_section("R as a session");
	if (!kn_session_program(program, &custom, &e)) {
		doctor_problem(d, custom ? "unset CARRACK_SESSION" : "install or build Carrack again", "%s", e.msg);
	} else if (d->have_r || custom) {
		doctor_line("program", "%s%s", program, custom ? " (from CARRACK_SESSION; not compared with R)" : "");
		if (ask_session(d, code, from_session, &session) && asked) {
			size_t n = compare(&r, &session);
			if (n)
				doctor_problem(d,
					       "compare the two above; variables come from where Jupyter was started",
					       "the session differs from R in %zu thing%s", n, n == 1 ? "" : "s");
			else
				doctor_line("compared",
					    "the same as R: libraries, BLAS, locale, search path, variables");
		}
	} else {
		doctor_line("", "not tried, since there is no R");
	}
	report_release(&r);
	report_release(&session);
}

void doctor_check_session(struct doctor *d)
{
	struct err e = {0};
	char dir[KN_PATH], file[3][KN_PATH];
	static const char *const names[] = {"code.R", "r", "session"};
	const char *tmp = getenv("TMPDIR"), *other = getenv("CARRACK_SESSION");
	struct buf code[2] = {BUF_INIT(BUF_MAX_SMALL), BUF_INIT(BUF_MAX_SMALL)};
	d->other_session = other && *other;
	bool made = kn_path(dir, "%s/carrack-doctor-XXXXXX", tmp && *tmp ? tmp : "/tmp") && mkdtemp(dir);
	bool ok = made || err_errno(&e, "cannot make a directory in %s", tmp && *tmp ? tmp : "/tmp");
	for (size_t i = 0; ok && i < ARRAY_LEN(names); i++)
		ok = kn_path(file[i], "%s/%s", dir, names[i]) || err_set(&e, "the path %s is too long", dir);
	ok = ok && report_code(&code[0], file[1], &e) && report_code(&code[1], file[2], &e) &&
	     kn_file_write(file[0], code[0].data, code[0].len, &e);
	if (ok)
		compare_both(d, dir, code[1].data, file[0], file[1], file[2]);
	else
		doctor_problem(d, "make room there, or set TMPDIR to a directory that can be written", "%s", e.msg);
	for (size_t i = 0; made && i < ARRAY_LEN(names); i++)
		unlink(file[i]);
	if (made)
		rmdir(dir);
	buf_release(&code[0]);
	buf_release(&code[1]);
}
