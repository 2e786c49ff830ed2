/* main.c: starts R as R starts, and answers the kernel's requests one after the other. */
#include "session/copy.h"
#include "session/cost.h"
#include "session/display.h"
#include "session/park.h"
#include "session/print.h"
#include "session/report.h"

#include "rapi/exec.h"
#include "rapi/keep.h"
#include "rapi/sandbox.h"
#include "rapi/value.h"
#include "session/task.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct session ss = {.link = {.fd = -1}};

#define MAX_ARGS 4096

/* --no-readline: the terminal library, and its history file, are not for us. */
static const char *const first_args[] = {"--quiet", "--no-save", "--no-restore-data", "--no-readline"};

static enum ss_mode mode_from(const char *name)
{
	if (!strcmp(name, "console"))
		return SS_CONSOLE;
	return strcmp(name, "background") ? SS_NOTEBOOK : SS_BACKGROUND;
}

/* R keeps pointers into the arguments: they are never freed. */
static int make_args(char *program, const json_t *config, char **args)
{
	int n = 0;
	size_t i;
	json_t *arg;
	args[n++] = program;
	for (i = 0; i < ARRAY_LEN(first_args); i++)
		args[n++] = strdup(first_args[i]);
	json_array_foreach(json_object_get(config, "args"), i, arg)
	{
		if (json_is_string(arg) && n < MAX_ARGS)
			args[n++] = strdup(json_string_value(arg));
	}
	args[n] = NULL;
	return n;
}

static void set_hooks(void)
{
	R_Interactive = TRUE;
	R_Outputfile = NULL;
	R_Consolefile = NULL;
	ptr_R_WriteConsole = NULL;
	ptr_R_WriteConsoleEx = ss_console_write_ex;
	ptr_R_ReadConsole = ss_read_console;
	ptr_R_Busy = r_busy;
	ptr_R_CleanUp = ss_clean_up;
	ptr_R_Suicide = ss_suicide;
	ss_view_init();
}

/* R's own reading of Renviron, the profiles and .First happens in here, with our console in place. */
static void start_r(char *program, const json_t *config)
{
	static char *args[MAX_ARGS + 1];
	int n = make_args(program, config, args);
	R_running_as_main_program = 1;
	R_SignalHandlers = 0;
	Rf_initialize_R(n, args);
	set_hooks();
	ss_signals_init();
	ss_copy_init();
	ss_report_init();
	setup_Rmainloop();
	R_ReplDLLinit();
}

/* A broken R_HOME would end R before anybody can be told. */
static void check_home(void)
{
	const char *home = getenv("R_HOME");
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/library/base/R/base", home ? home : "");
	if (home && stat(path, &st) == 0)
		return;
	ss_console_say("R cannot be started: %s is %s, and there is no %s", "R_HOME", home ? home : "not set", path);
	ss_log("error", "R_HOME is %s, and there is no %s", home ? home : "not set", path);
	_exit(2);
}

static void load_modules(void *data)
{
	r_keep_init();
	r_sandbox_init(&ss_interrupts, ss_task_stuck);
	ss_modules_load();
	ss_print_init();
	ss_task_init();
}

static void set_up(void *data)
{
	r_call_module("set_options", 0, NULL);
	ss_report_find_calls();
	ss_cost_init();
}

static void set_repos(void *data)
{
	const json_t *repos = json_object_get(data, "repos");
	const char *kind = json_string_or(repos, "kind", "none"), *value = json_string_or(repos, "value", "");
	SEXP args[2];
	args[0] = PROTECT(r_string(kind, strlen(kind)));
	args[1] = PROTECT(r_string(value, strlen(value)));
	r_call_module("set_repos", 2, args);
	UNPROTECT(2);
}

static void run_startup_file(void *data)
{
	const char *file = json_string_or(data, "startup_file", NULL);
	if (!file)
		return;
	SEXP arg = PROTECT(r_string(file, strlen(file)));
	r_call_module("run_startup_file", 1, &arg);
	UNPROTECT(1);
}

static void get_language(void *data)
{
	r_keep(R_KEEP_SCRATCH, r_call_module("language", 0, NULL));
}

/* What language() of modules/startup.R gives. */
enum { VERSION, BANNER, LOCALE_NOT_UTF8, TOO_OLD };

static void say_ready(void *data)
{
	SEXP language = r_kept(R_KEEP_SCRATCH);
	struct buf head = BUF_INIT(BUF_MAX_SMALL);
	const char *version = r_text(language, VERSION), *locale = r_text(language, LOCALE_NOT_UTF8);
	if (*r_text(language, TOO_OLD)) {
		ss_console_say("this is R %s; R 4.2.0 or later is needed", version);
		ss_log("error", "this is R %s; R 4.2.0 or later is needed", version);
		ss_clean_up(SA_NOSAVE, 2, 0);
	}
	if (*locale)
		ss_log("warn", "R's locale (LC_CTYPE %s) is not UTF-8: letters beyond ASCII will be shown escaped",
		       locale);
	buf_putc(&head, '{');
	jx_key_string(&head, "language_version", version);
	jx_key_string(&head, "banner", r_text(language, BANNER));
	if (R_TempDir)
		jx_key_string(&head, "temp_dir", R_TempDir);
	jx_key_bool(&head, "copies", true);
	buf_putc(&head, '}');
	ss_send(LINK_READY, head.data, NULL, 0);
	buf_release(&head);
}

static void make_ready(json_t *config)
{
	/* The modules are ours: if they fail, nothing works. The rest fails by itself, visibly. */
	if (!r_toplevel_exec(load_modules, NULL) || !r_toplevel_exec(get_language, NULL)) {
		ss_log("error", "the session's own R code cannot be loaded");
		ss_clean_up(SA_NOSAVE, 2, 0);
	}
	r_toplevel_exec(set_up, NULL);
	r_toplevel_exec(set_repos, config);
	r_toplevel_exec(run_startup_file, config);
	r_print_warnings();
	ss_park_init(json_bool_or(config, "snapshots", false));
	r_toplevel_exec(say_ready, NULL);
	r_keep(R_KEEP_SCRATCH, R_NilValue);
}

void ss_loop(void)
{
	static struct link_frame f; /* large */
	struct err e = {0};
	while (!ss.shutdown) {
		switch (link_peer_next(&ss.link, &f, &e)) {
		case LINK_BROKEN: ss_link_gone();
		case LINK_MORE: ss_wait(false); break;
		case LINK_FRAME:
			if (f.type == LINK_REQUEST)
				ss_request(&f);
			ss.shutdown = ss.shutdown || f.type == LINK_SHUTDOWN;
			break;
		}
	}
	ss_end(0);
	_exit(0);
}

static json_t *open_link(struct err *e)
{
	static struct link_frame f;
	if (!link_peer_open(&ss.link, e))
		return NULL;
	ss_console_init();
	if (link_peer_wait(&ss.link, &f, e) != LINK_FRAME)
		return NULL;
	if (f.type == LINK_CONFIG)
		return link_frame_json(&f, 0, e);
	err_set(e, "the kernel sent %s where CONFIG was due", link_type_name(f.type));
	return NULL;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("carrack-session %s\n", CARRACK_VERSION);
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* R is not there yet: nothing is left behind */
	r_host_init(ss_child_end);
	ss_report_init();
	json_t *config = argc > 1 ? open_link(&e) : NULL;
	if (!config) {
		fprintf(stderr, "carrack-session: %s\n",
			argc > 1 ? e.msg : "started by `carrack kernel`, through R's front end; not by hand");
		return 1;
	}
	ss.mode = mode_from(json_string_or(config, "mode", "notebook"));
	check_home();
	start_r(argv[1], config);
	make_ready(config);
	json_decref(config);
	ss_loop();
	return 0;
}
