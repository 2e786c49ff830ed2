/* install.c: `carrack install` and `carrack uninstall`. */
#include "kernel/args.h"
#include "kernel/commands.h"
#include "kernel/dirs.h"
#include "kernel/kernelspec.h"
#include "kernel/options.h"
#include "kernel/rhome.h"

#include <errno.h>

enum { USER, SYS_PREFIX, PREFIX, NAME, DISPLAY_NAME, R_HOME, ENV, MODE, HELP };

static const struct arg install_table[] = {
    {"--user", NULL, USER},
    {"--sys-prefix", NULL, SYS_PREFIX},
    {"--prefix", "DIR", PREFIX},
    {"--name", "NAME", NAME},
    {"--display-name", "TEXT", DISPLAY_NAME},
    {"--r-home", "DIR", R_HOME},
    {"--env", "NAME=VALUE", ENV},
    {"--session-mode", "console|notebook|background", MODE},
    {"--help", NULL, HELP},
    {"-h", NULL, HELP},
};

static const struct arg uninstall_table[] = {
    {"--user", NULL, USER},      {"--sys-prefix", NULL, SYS_PREFIX},
    {"--prefix", "DIR", PREFIX}, {"--name", "NAME", NAME},
    {"--help", NULL, HELP},      {"-h", NULL, HELP},
};

struct install_request {
	int where; /* USER, SYS_PREFIX, PREFIX, or -1 if the command line says nothing */
	const char *prefix, *display_name, *r_home;
	char name[KERNELSPEC_NAME_MAX + 1];
	enum session_mode mode;
	json_t *env;
	bool help;
};

static bool take_env(struct install_request *q, const char *value, struct err *e)
{
	static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	size_t n = strspn(value, legal);
	char name[256];
	if (n == 0 || n >= sizeof name || value[n] != '=' || (value[0] >= '0' && value[0] <= '9'))
		return err_set(e, "--env: expected NAME=VALUE, got '%s'", value);
	snprintf(name, sizeof name, "%.*s", (int)n, value);
	return json_object_set_new(q->env, name, json_string(value + n + 1)) == 0 ||
	       err_set(e, "--env: the value of %s is not valid UTF-8", name);
}

static bool take(struct install_request *q, int id, const char *value, struct err *e)
{
	switch (id) {
	case USER:
	case SYS_PREFIX:
	case PREFIX:
		if (q->where >= 0)
			return err_set(e, "expected only one of --user, --sys-prefix and --prefix");
		q->where = id;
		q->prefix = value;
		return true;
	case NAME: return kernelspec_name(value, q->name, e);
	case DISPLAY_NAME: q->display_name = value; return true;
	case R_HOME: q->r_home = value; return true;
	case ENV: return take_env(q, value, e);
	case MODE: return session_mode_from(value, &q->mode, e);
	default: q->help = true; return true;
	}
}

/* q->env must be released whatever the outcome. */
static bool parse(struct install_request *q, const struct arg *table, size_t n, int argc, char **argv, struct err *e)
{
	struct arg_reader r = {.argc = argc, .argv = argv, .table = table, .n = n};
	*q = (struct install_request){.where = -1,
				      .display_name = "R (Carrack)",
				      .name = KERNELSPEC_NAME,
				      .mode = MODE_NOTEBOOK,
				      .env = json_object()};
	const char *value = NULL;
	int id = 0;
	for (;;) {
		switch (arg_next(&r, &id, &value, e)) {
		case ARG_ERROR: return false;
		case ARG_OPTION:
			if (!take(q, id, value, e))
				return false;
			break;
		case ARG_WORD: return err_set(e, "expected options only, got '%s'", value);
		case ARG_REST: return err_set(e, "expected options only, got '--'");
		case ARG_END: return true;
		}
	}
}

/* The data directory that the flags name; `where` -1 means the user's. */
static bool data_dir(const struct install_request *q, char out[KN_PATH], struct err *e)
{
	char prefix[KN_PATH];
	if (q->where < 0 || q->where == USER)
		return jupyter_data_dir(out, e);
	if (q->where == SYS_PREFIX && !jupyter_env_prefix(prefix, e))
		return false;
	if (q->where == PREFIX && !kn_path_absolute(prefix, q->prefix))
		return err_set(e, "the prefix is too long");
	return kn_path(out, "%s/share/jupyter", prefix) || err_set(e, "the prefix is too long");
}

static int failed(const char *command, const struct err *e, bool may_use_user)
{
	fprintf(stderr, "carrack %s: %s\n", command, e->msg);
	if (may_use_user && (e->code == EACCES || e->code == EPERM || e->code == EROFS))
		fprintf(stderr, "To do: use --user, or run the command as a user who may write there.\n");
	return EXIT_FAILED;
}

/* What the user should know before the first start. */
static void say_what_starts(const struct install_request *q, const char *data)
{
	struct err e = {0};
	struct rhome r;
	struct jupyter_path path;
	char program[KN_PATH];
	bool custom, searched = false;
	if (rhome_find(&r, q->r_home, &e))
		printf("It starts R %s in %s (found by: %s).\n", r.version, r.path, r.source);
	else
		printf("Warning: no R that it could start was found now: %s\n", e.msg);
	if (!kn_session_program(program, &custom, &e))
		printf("Warning: %s\n", e.msg);
	if (jupyter_path_list(&path, NULL)) {
		for (size_t i = 0; i < path.n; i++)
			searched = searched || strcmp(path.dir[i].path, data) == 0;
		if (!searched)
			printf("Jupyter looks there if its Python has that prefix, or with JUPYTER_PATH=%s\n", data);
		jupyter_path_release(&path);
	}
}

static int install(const struct install_request *q)
{
	struct err e = {0};
	struct rhome r;
	char data[KN_PATH], dir[KN_PATH], program[KN_PATH];
	if (q->r_home && !rhome_find(&r, q->r_home, &e))
		return failed("install", &e, false);
	if (!data_dir(q, data, &e) || !kn_self(program, &e))
		return failed("install", &e, false);
	if (!kn_path(dir, "%s/kernels/%s", data, q->name)) {
		err_set(&e, "the path %s is too long", data);
		return failed("install", &e, false);
	}
	struct kernelspec_new k = {
	    .program = program,
	    .display_name = q->display_name,
	    .mode = session_mode_name(q->mode),
	    .r_home = q->r_home ? r.path : NULL,
	    .env = q->env,
	};
	if (!kernelspec_write(dir, &k, &e))
		return failed("install", &e, q->where > USER);
	printf("Installed the kernelspec '%s' (%s) in %s\n", q->name, q->display_name, dir);
	say_what_starts(q, data);
	printf("Next: jupyter lab, or: jupyter console --kernel %s\n", q->name);
	return EXIT_DONE;
}

int cmd_install(int argc, char **argv)
{
	struct install_request q;
	struct err e = {0};
	int status;
	if (!parse(&q, install_table, ARRAY_LEN(install_table), argc, argv, &e))
		status = usage_error("install", &e);
	else if (q.help)
		status = cmd_help("install");
	else
		status = install(&q);
	json_decref(q.env);
	return status;
}

/* Removes kernels/NAME from one data directory if it is there and ours; counts what it did. */
static void uninstall_from(const struct install_request *q, const char *data, int *removed, int *refused)
{
	struct err e = {0};
	char dir[KN_PATH];
	bool left = false;
	if (!kn_path(dir, "%s/kernels/%s", data, q->name) || !kernelspec_exists(dir))
		return;
	if (!kernelspec_remove(dir, &left, &e)) {
		failed("uninstall", &e, false);
		++*refused;
		return;
	}
	++*removed;
	printf("Removed the kernelspec '%s' from %s\n", q->name, dir);
	if (left)
		printf("Other files are in that directory, so it stays.\n");
}

static int uninstall(const struct install_request *q)
{
	struct err e = {0};
	struct jupyter_path path = {0};
	char data[KN_PATH];
	int removed = 0, refused = 0;
	if (q->where >= 0) {
		if (!data_dir(q, data, &e))
			return failed("uninstall", &e, false);
		uninstall_from(q, data, &removed, &refused);
	} else if (!jupyter_path_list(&path, &e)) {
		return failed("uninstall", &e, false);
	}
	for (size_t i = 0; i < path.n; i++)
		uninstall_from(q, path.dir[i].path, &removed, &refused);
	if (!removed && !refused) {
		err_set(&e, "there is no kernelspec '%s' in %s; `carrack doctor` lists those that are there", q->name,
			q->where >= 0 ? data : "any directory of Jupyter");
		failed("uninstall", &e, false);
	}
	jupyter_path_release(&path);
	return removed && !refused ? EXIT_DONE : EXIT_FAILED;
}

int cmd_uninstall(int argc, char **argv)
{
	struct install_request q;
	struct err e = {0};
	int status;
	if (!parse(&q, uninstall_table, ARRAY_LEN(uninstall_table), argc, argv, &e))
		status = usage_error("uninstall", &e);
	else if (q.help)
		status = cmd_help("uninstall");
	else
		status = uninstall(&q);
	json_decref(q.env);
	return status;
}
