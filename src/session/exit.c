/* exit.c: the ways in which the session ends. */
#include "session/session.h"

#include "rapi/exec.h"
#include "rapi/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The request that runs when R quits is answered first. */
static void answer_request(int status, const char *why)
{
	struct buf reply = BUF_INIT(BUF_MAX_SMALL);
	if (!ss.request || ss.replied)
		return;
	ss_condition_ended_well();
	if (status == 0 && !why) {
		/* From a subshell no client is to be told to end the kernel. */
		buf_printf(&reply, "{\"status\":\"ok\",\"payload\":[%s],\"user_expressions\":{}}",
			   ss.copy ? "" : "{\"source\":\"ask_exit\",\"keepkernel\":false}");
	} else {
		char evalue[128];
		snprintf(evalue, sizeof evalue, "R quit with status %d", status);
		buf_puts(&reply, "{\"status\":\"error\",");
		ss_condition_write(&reply, "quit", why ? why : evalue, why ? why : evalue);
		buf_putc(&reply, '}');
	}
	ss_reply("execute_reply", &reply);
}

/* What R does at its end, .Last, finalizers, files and devices, is for the session to do. What this process has buffered is written. */
static void __attribute__((noreturn)) end_copy(int status)
{
	fflush(NULL);
	_exit(status);
}

static void leave(int status, const char *why)
{
	char head[64];
	ss_console_capture_flush();
	ss_console_release();
	fflush(stdout);
	snprintf(head, sizeof head, "{\"status\":%d}", status);
	if (ss.copy) {
		/* First, so that no request of its subshell is given to it after the reply. */
		ss_send(LINK_EXIT, head, NULL, 0);
		answer_request(status, why);
		end_copy(status);
	}
	answer_request(status, why);
	ss_send(LINK_EXIT, head, NULL, 0);
	exit(status);
}

/* What R's own function of this name (Rstd_CleanUp of unix/sys-std.c) does, in its order. May jump while it asks and in .Last. */
static SA_TYPE ask_to_save(void)
{
	unsigned char yes_no_cancel[128];
	for (;;) {
		if (!ss_read_console("Save workspace image? [y/n/c]: ", yes_no_cancel, sizeof yes_no_cancel, 0))
			return SA_NOSAVE;
		switch (yes_no_cancel[0]) {
		case 'y':
		case 'Y': return SA_SAVE;
		case 'n':
		case 'N': return SA_NOSAVE;
		case 'c':
		case 'C': Rf_jump_to_toplevel();
		}
	}
}

/* R_dot_Last would make R's first top level, which is long gone, the target of an error in .Last. */
static void run_last(void)
{
	SEXP environments[] = {R_GlobalEnv, R_BaseEnv};
	const char *names[] = {".Last", ".Last.sys"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		SEXP symbol = Rf_install(names[i]), function = Rf_findVar(symbol, environments[i]);
		if (TYPEOF(function) != CLOSXP)
			continue;
		SEXP call = PROTECT(Rf_lang1(symbol));
		Rf_eval(call, R_GlobalEnv);
		UNPROTECT(1);
	}
}

static void last(void *data)
{
	run_last();
}

static void finish_r(void *data)
{
	bool all = *(bool *)data;
	R_RunExitFinalizers();
	Rf_CleanEd();
	if (all)
		Rf_KillAllDevices();
}

static void close_r(bool all)
{
	r_toplevel_exec(finish_r, &all);
	if (all)
		r_print_warnings(); /* of devices and .Last */
	R_CleanTempDir();
}

void ss_clean_up(SA_TYPE save, int status, int runs_last)
{
	if (r_in_child()) {
		fflush(NULL);
		_exit(status);
	}
	if (r_sandboxed())
		Rf_error("R cannot be quit from here: this is not the cell's own code");
	if (ss.copy)
		leave(status, NULL);
	if (save == SA_DEFAULT)
		save = SaveAction;
	if (save == SA_SAVEASK)
		save = ask_to_save();
	if (runs_last && (save == SA_SAVE || save == SA_NOSAVE))
		run_last();
	if (save == SA_SAVE && R_DirtyImage)
		R_SaveGlobalEnv();
	close_r(save != SA_SUICIDE);
	leave(status, NULL);
}

/* A death like any other, so that the report says who gave up and a copy goes on: what it has of R's temporary directory stays. */
void ss_suicide(const char *message)
{
	static bool again;
	ss_console_capture_flush();
	ss_console_release();
	ss_console_say("Fatal error: %s", message);
	if (r_in_child())
		_exit(2);
	if (!again) {
		again = true;
		ss_log("error", "R ends itself: %s", message);
	}
	abort();
}

void ss_end(int status)
{
	ss_console_capture_flush();
	if (ss.copy)
		end_copy(status);
	r_toplevel_exec(last, NULL);
	close_r(true);
	leave(status, ss.request ? "the session was shut down" : NULL);
}

void ss_link_gone(void)
{
	ss_remove_temp_dir();
	_exit(1);
}

void ss_child_end(void)
{
	fflush(NULL);
	_exit(1);
}

/* ---- the temporary directory, from a signal handler ---- */

/* What getdents64 writes (linux/dirent.h is not for programs). */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* readdir allocates, so the system call is used as it is. `fd` is closed here. */
static void empty_dir(int fd, int depth)
{
	char room[2048] __attribute__((aligned(8)));
	long n;
	while ((n = syscall(SYS_getdents64, fd, room, sizeof room)) > 0) {
		bool removed = false;
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(room + at);
			at += e->len;
			if (!strcmp(e->name, ".") || !strcmp(e->name, ".."))
				continue;
			if (unlinkat(fd, e->name, 0) == 0) {
				removed = true;
				continue;
			}
			int sub = depth ? openat(fd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
			if (sub >= 0)
				empty_dir(sub, depth - 1);
			if (unlinkat(fd, e->name, AT_REMOVEDIR) == 0)
				removed = true;
		}
		if (removed)
			lseek(fd, 0, SEEK_SET);
	}
	close(fd);
}

void ss_remove_temp_dir(void)
{
	const char *dir = ss.copy ? NULL : R_TempDir;
	int fd = dir && *dir == '/' ? open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	empty_dir(fd, 32);
	rmdir(dir);
}
