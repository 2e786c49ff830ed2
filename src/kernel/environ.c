/* environ.c: how a session is called and with which environment.
 *
 * R's own front-end script makes the environment: `R -d DEBUGGER --debugger-args=PROGRAM` runs `DEBUGGER PROGRAM R's-binary` after
 * R_HOME, R_SHARE_DIR and the like are set and etc/ldpaths was read. So packages, BLAS and children see what they see in
 * a terminal. DEBUGGER is env(1): the script asks it for its version first, and env answers at once, while the session
 * would load R's libraries for that. The shell splits PROGRAM at blanks and expands patterns in it; a directory with such a
 * name is reached by its descriptor.
 */
#include "base/log.h"
#include "base/memory.h"
#include "kernel/kernel.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <unistd.h>

extern char **environ;

/* Through a descriptor that the script and the session inherit; opened once a kernel. */
static bool plain_path(char *path, size_t max, struct err *e)
{
	static int dir = -1;
	char *slash = strrchr(path, '/');
	if (!strpbrk(path, " \t\n*?[\\="))
		return true;
	*slash = '\0';
	if (dir < 0)
		dir = open(path, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return err_errno(e, "cannot open %s", path);
	snprintf(path, max, "/proc/self/fd/%d/carrack-session", dir);
	return true;
}

/* Variables that the session gets instead of, or besides, the kernel's own. NULL: none of that name. */
struct change {
	const char *name;
	char value[64];
	bool set;
};

static void put_change(struct change *c, size_t *n, const char *name, const char *value)
{
	c[*n].name = name;
	c[*n].set = value != NULL;
	snprintf(c[*n].value, sizeof c[*n].value, "%s", value ? value : "");
	++*n;
}

/* cron, containers and ssh often give no locale, or C: R would escape every letter beyond ASCII. */
static void choose_locale(struct change *c, size_t *n)
{
	const char *name = setlocale(LC_CTYPE, NULL), *codeset = nl_langinfo(CODESET);
	if (codeset && strcmp(codeset, "UTF-8") == 0)
		return;
	log_info("the locale (%s) is not UTF-8: the session gets C.UTF-8 for LC_CTYPE", name ? name : "none");
	if (getenv("LC_ALL")) {
		put_change(c, n, "LC_ALL", NULL);
		put_change(c, n, "LANG", getenv("LC_ALL"));
	}
	put_change(c, n, "LC_CTYPE", "C.UTF-8");
}

static const struct change *changed(const struct change *c, size_t n, const char *entry)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(c[i].name);
		if (strncmp(entry, c[i].name, len) == 0 && entry[len] == '=')
			return &c[i];
	}
	return NULL;
}

static char *join(const char *name, const char *value)
{
	size_t n = strlen(name) + strlen(value) + 2;
	char *s = mem_alloc(n);
	if (s)
		snprintf(s, n, "%s=%s", name, value);
	return s;
}

static bool make_env(struct session_environ *s, int link_fd, int report_fd)
{
	struct change c[8];
	size_t n = 0, have = 0, at = 0;
	char fd[16];
	snprintf(fd, sizeof fd, "%d", link_fd);
	put_change(c, &n, LINK_ENV_FD, fd);
	snprintf(fd, sizeof fd, "%d", report_fd);
	put_change(c, &n, LINK_ENV_REPORT, report_fd > 2 ? fd : NULL);
	put_change(c, &n, "R_HOME", NULL); /* the script knows its own, and complains of another */
	choose_locale(c, &n);
	while (environ[have])
		have++;
	s->envp = mem_calloc(have + n + 1, sizeof *s->envp);
	if (!s->envp)
		return false;
	for (size_t i = 0; i < have; i++)
		if (!changed(c, n, environ[i]) && !(s->envp[at++] = mem_strdup(environ[i])))
			return false;
	for (size_t i = 0; i < n; i++)
		if (c[i].set && !(s->envp[at++] = join(c[i].name, c[i].value)))
			return false;
	return true;
}

static bool make_argv(struct session_environ *s, const struct kernel *k, struct err *e)
{
	char session[KN_PATH], r[KN_PATH + 16], args[KN_PATH + 32];
	bool custom;
	if (!kn_session_program(session, &custom, e) || (!custom && !plain_path(session, sizeof session, e)))
		return false;
	s->argv = mem_calloc(5, sizeof *s->argv);
	if (!s->argv)
		return err_set(e, "no memory");
	if (custom) {
		s->argv[0] = mem_strdup(session);
		return s->argv[0] || err_set(e, "no memory");
	}
	snprintf(r, sizeof r, "%s/bin/R", k->rhome.path);
	snprintf(args, sizeof args, "--debugger-args=%s", session);
	const char *words[] = {r, "-d", "/usr/bin/env", args};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!(s->argv[i] = mem_strdup(words[i])))
			return err_set(e, "no memory");
	return true;
}

bool environ_make(struct session_environ *s, const struct kernel *k, int link_fd, struct err *e)
{
	if (!make_argv(s, k, e))
		return false;
	return make_env(s, link_fd, k->session.report) || err_set(e, "no memory for the session's environment");
}

void environ_free(struct session_environ *s)
{
	for (char **p = s->argv; p && *p; p++)
		free(*p);
	for (char **p = s->envp; p && *p; p++)
		free(*p);
	free(s->argv);
	free(s->envp);
	*s = (struct session_environ){0};
}
