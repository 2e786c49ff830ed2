#include "kernel/dirs.h"

#include <limits.h>
#include <strings.h>

static const char *env_or_null(const char *name)
{
	const char *s = getenv(name);
	return s && *s ? s : NULL;
}

static bool too_long(struct err *e)
{
	return err_set(e, "the path of Jupyter's data directory is too long");
}

bool jupyter_data_dir(char out[KN_PATH], struct err *e)
{
	char home[KN_PATH];
	const char *dir = env_or_null("JUPYTER_DATA_DIR"), *xdg = env_or_null("XDG_DATA_HOME");
	if (dir)
		return kn_path_absolute(out, dir) || too_long(e);
	if (!kn_home(home))
		return too_long(e);
#ifdef __APPLE__
	(void)xdg;
	return kn_path(out, "%s/Library/Jupyter", home) || too_long(e);
#else
	if (xdg)
		return kn_path(out, "%s/jupyter", xdg) || too_long(e);
	return kn_path(out, "%s/.local/share/jupyter", home) || too_long(e);
#endif
}

/* Where PREFIX/bin stands on PATH, a large number if it does not. */
static size_t place_on_path(const char *prefix)
{
	const char *path = getenv("PATH");
	char bin[KN_PATH];
	if (!path || !kn_path(bin, "%s/bin", prefix))
		return SIZE_MAX;
	for (size_t i = 0;; i++) {
		size_t n = strcspn(path, ":");
		if (strlen(bin) == n && memcmp(bin, path, n) == 0)
			return i;
		if (!path[n])
			return SIZE_MAX;
		path += n + 1;
	}
}

bool jupyter_env_prefix(char out[KN_PATH], struct err *e)
{
	const char *conda = env_or_null("CONDA_PREFIX"), *venv = env_or_null("VIRTUAL_ENV");
	const char *prefix = conda ? conda : venv ? venv : "/usr/local";
	if (conda && venv && place_on_path(venv) < place_on_path(conda))
		prefix = venv;
	return kn_path_absolute(out, prefix) || too_long(e);
}

/* Adds a directory unless it is there already. A list that is full keeps what it has. */
static void add(struct jupyter_path *p, const char *why, const char *path)
{
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->dir[i].path) == n && memcmp(p->dir[i].path, path, n) == 0)
			return;
	char *copy = p->n < JUPYTER_PATH_MAX && n ? strndup(path, n) : NULL;
	if (copy)
		p->dir[p->n++] = (struct jupyter_dir){copy, why};
}

static void add_list(struct jupyter_path *p, const char *list)
{
	char one[KN_PATH];
	while (list) {
		size_t n = strcspn(list, ":");
		if (n && kn_path(one, "%.*s", (int)n, list))
			add(p, "JUPYTER_PATH", one);
		list = list[n] ? list + n + 1 : NULL;
	}
}

static void add_user(struct jupyter_path *p)
{
	char dir[KN_PATH], home[KN_PATH];
	const char *base = env_or_null("PYTHONUSERBASE");
	if (jupyter_data_dir(dir, NULL))
		add(p, "user", dir);
	if (base && kn_path(dir, "%s/share/jupyter", base))
		add(p, "user", dir);
	if (!base && kn_home(home) && kn_path(dir, "%s/.local/share/jupyter", home))
		add(p, "user", dir);
}

/* Jupyter adds the prefix of the Python that runs it. It is known from the variables of an active environment, and from
 * where the `jupyter` on PATH is installed. */
static void add_env(struct jupyter_path *p)
{
	static const char *const names[] = {"CONDA_PREFIX", "VIRTUAL_ENV"};
	char dir[KN_PATH], program[KN_PATH];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *prefix = env_or_null(names[i]);
		if (prefix && kn_path(dir, "%s/share/jupyter", prefix))
			add(p, "environment", dir);
	}
	static const char bin[] = "/bin/jupyter";
	size_t n = kn_on_path("jupyter", program) ? strlen(program) : 0, k = sizeof bin - 1;
	if (n <= k || strcmp(program + n - k, bin) != 0 || !kn_path(dir, "%.*s/share/jupyter", (int)(n - k), program))
		return;
	/* The system's own come last, in their own order. */
	if (strcmp(dir, "/usr/share/jupyter") != 0 && strcmp(dir, "/usr/local/share/jupyter") != 0)
		add(p, "environment", dir);
}

/* As jupyter_core reads a switch: set, and not one of the words for no. */
static bool env_switch(const char *name)
{
	static const char *const no[] = {"no", "n", "false", "off", "0", "0.0"};
	const char *s = getenv(name);
	for (size_t i = 0; s && i < ARRAY_LEN(no); i++)
		if (strcasecmp(s, no[i]) == 0)
			return false;
	return s != NULL;
}

bool jupyter_path_list(struct jupyter_path *p, struct err *e)
{
	*p = (struct jupyter_path){0};
	add_list(p, env_or_null("JUPYTER_PATH"));
	bool env_first = env_switch("JUPYTER_PREFER_ENV_PATH");
	if (env_first)
		add_env(p);
	add_user(p);
	if (!env_first)
		add_env(p);
	add(p, "system", "/usr/local/share/jupyter");
	add(p, "system", "/usr/share/jupyter");
	return p->n > 0 || err_set(e, "out of memory");
}

void jupyter_path_release(struct jupyter_path *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->dir[i].path);
	p->n = 0;
}
