#include "kernel/options.h"

#include "kernel/args.h"

#define PATIENCE_USUAL 120
#define PATIENCE_MAX 86400

static const char *const mode_names[] = {
    [MODE_CONSOLE] = "console",
    [MODE_NOTEBOOK] = "notebook",
    [MODE_BACKGROUND] = "background",
};

static const char *const repos_names[] = {
    [REPOS_AUTO] = "auto",         [REPOS_RSTUDIO] = "rstudio",     [REPOS_POSIT_PPM] = "posit-ppm",
    [REPOS_NONE] = "none",         [REPOS_CONF_FILE] = "conf-file", [REPOS_PPM_URL] = "ppm-url",
    [REPOS_CRAN_URL] = "cran-url",
};

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

enum {
	CONNECTION_FILE,
	SESSION_MODE,
	STARTUP_FILE,
	LOG_FILE,
	LOG_LEVEL,
	PROFILE,
	NO_CAPTURE,
	NO_SNAPSHOTS,
	PATIENCE,
	DEFAULT_REPOS,
	REPOS_CONF,
	PPM_REPO,
	CRAN_REPO,
	R_HOME,
	INSTALL,
	VERSION,
	HELP,
};

static const struct arg table[] = {
    {"--connection-file", "FILE", CONNECTION_FILE},
    {"--session-mode", "console|notebook|background", SESSION_MODE},
    {"--startup-file", "FILE", STARTUP_FILE},
    {"--log", "FILE", LOG_FILE},
    {"--log-level", "error|warn|info|debug", LOG_LEVEL},
    {"--profile", "FILE", PROFILE},
    {"--no-capture-streams", NULL, NO_CAPTURE},
    {"--no-snapshots", NULL, NO_SNAPSHOTS},
    {"--patience", "SECONDS", PATIENCE},
    {"--default-repos", "rstudio|posit-ppm|none|auto", DEFAULT_REPOS},
    {"--repos-conf", "FILE", REPOS_CONF},
    {"--default-ppm-repo", "URL", PPM_REPO},
    {"--default-cran-repo", "URL", CRAN_REPO},
    {"--r-home", "DIR", R_HOME},
    {"--install", NULL, INSTALL},
    {"--version", NULL, VERSION},
    {"--help", NULL, HELP},
    {"-h", NULL, HELP},
};

/* The index of `s` in a list of names, -1 if it is not there. */
static int name_index(const char *const *names, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], s) == 0)
			return (int)i;
	return -1;
}

const char *session_mode_name(enum session_mode mode)
{
	return mode_names[mode];
}

bool session_mode_from(const char *name, enum session_mode *mode, struct err *e)
{
	int i = name_index(mode_names, ARRAY_LEN(mode_names), name);
	if (i < 0)
		return err_set(e, "--session-mode: expected console, notebook or background, got '%s'", name);
	*mode = (enum session_mode)i;
	return true;
}

const char *repos_kind_name(enum repos_kind kind)
{
	return repos_names[kind];
}

/* A Package Manager URL is scheme://host/REPOSITORY/SNAPSHOT: R's binary packages live at a path made from the two. */
static bool is_ppm_url(const char *url)
{
	const char *p = strstr(url, "://");
	p = p ? strchr(p + 3, '/') : NULL;
	int segments = 0;
	while (p && *p) {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		segments += n > 0;
		p += n;
	}
	return segments == 2;
}

static bool is_url(const char *s)
{
	return strncmp(s, "https://", 8) == 0 || strncmp(s, "http://", 7) == 0 || strncmp(s, "file://", 7) == 0;
}

static bool take_repos(struct kernel_options *o, int id, const char *value, struct err *e)
{
	if (id == DEFAULT_REPOS) {
		int i = name_index(repos_names, REPOS_CONF_FILE, value);
		if (i < 0)
			return err_set(e, "--default-repos: expected rstudio, posit-ppm, none or auto, got '%s'",
				       value);
		o->repos.kind = (enum repos_kind)i;
		return true;
	}
	const char *name = id == PPM_REPO ? "--default-ppm-repo" : "--default-cran-repo";
	if (id != REPOS_CONF && !is_url(value))
		return err_set(e, "%s: expected a URL that begins with https://, http:// or file://, got '%s'", name,
			       value);
	if (id == PPM_REPO && !is_ppm_url(value))
		return err_set(e,
			       "%s: expected a URL with a repository and a snapshot, as in "
			       "https://packagemanager.posit.co/cran/latest, got '%s'",
			       name, value);
	o->repos.kind = id == REPOS_CONF ? REPOS_CONF_FILE : id == PPM_REPO ? REPOS_PPM_URL : REPOS_CRAN_URL;
	o->repos.value = value;
	return true;
}

static bool take_patience(struct kernel_options *o, const char *value, struct err *e)
{
	char *end;
	long n = strtol(value, &end, 10);
	if (end == value || *end || n < 1 || n > PATIENCE_MAX)
		return err_set(e, "--patience: expected a number of seconds from 1 to %d, got '%s'", PATIENCE_MAX,
			       value);
	o->patience = (int)n;
	return true;
}

static bool take(struct kernel_options *o, int id, const char *value, struct err *e)
{
	int i;
	switch (id) {
	case CONNECTION_FILE: o->connection_file = value; return true;
	case SESSION_MODE: return session_mode_from(value, &o->mode, e);
	case STARTUP_FILE: o->startup_file = value; return true;
	case LOG_FILE: o->log_file = value; return true;
	case PROFILE: o->profile_file = value; return true;
	case NO_CAPTURE: o->capture_streams = false; return true;
	case NO_SNAPSHOTS: o->snapshots = false; return true;
	case PATIENCE: return take_patience(o, value, e);
	case R_HOME: o->r_home = value; return true;
	case INSTALL: o->install = true; return true;
	case VERSION: o->version = true; return true;
	case HELP: o->help = true; return true;
	case LOG_LEVEL:
		i = name_index(level_names, ARRAY_LEN(level_names), value);
		if (i < 0)
			return err_set(e, "--log-level: expected error, warn, info or debug, got '%s'", value);
		o->log_level = (enum log_level)i;
		return true;
	default: return take_repos(o, id, value, e);
	}
}

static const char *option_name(int id)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].id == id)
			return table[i].name;
	return "?";
}

static bool is_repos(int id)
{
	return id == DEFAULT_REPOS || id == REPOS_CONF || id == PPM_REPO || id == CRAN_REPO;
}

bool kernel_options_parse(struct kernel_options *o, int argc, char **argv, struct err *e)
{
	*o = (struct kernel_options){.log_level = LOG_WARN,
				     .capture_streams = true,
				     .snapshots = true,
				     .patience = PATIENCE_USUAL};
	struct arg_reader r = {.argc = argc, .argv = argv, .table = table, .n = ARRAY_LEN(table)};
	int id = 0, repos = -1;
	const char *value = NULL;
	for (;;) {
		switch (arg_next(&r, &id, &value, e)) {
		case ARG_ERROR: return false;
		case ARG_WORD:
			if (o->connection_file)
				return err_set(e, "expected one connection file and options, got also '%s'", value);
			o->connection_file = value;
			continue;
		case ARG_OPTION:
			if (id == CONNECTION_FILE && o->connection_file)
				return err_set(e, "expected one connection file, got '%s' and '%s'", o->connection_file,
					       value);
			if (is_repos(id) && repos >= 0)
				return err_set(e, "%s and %s cannot be given together; choose one", option_name(repos),
					       option_name(id));
			if (is_repos(id))
				repos = id;
			if (!take(o, id, value, e))
				return false;
			if (o->help || o->version)
				return true;
			continue;
		case ARG_REST:
			o->r_args = argv + r.at;
			o->n_r_args = (size_t)(argc - r.at);
			break;
		case ARG_END: break;
		}
		break;
	}
	if (!o->connection_file && !o->install)
		return err_set(e, "expected a connection file, as Jupyter writes it, and got none");
	return true;
}
