#include "session/survive.h"

#include "base/clock.h"
#include "rapi/exec.h"
#include "rapi/value.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>

#define MAX_FILES 256
#define PAUSE_SOFT 1 /* omp.h: omp_pause_soft. The pool is ended, what was set stays */

struct position {
	int fd;
	dev_t device;
	ino_t file;
	off_t at;
};

static struct position files[MAX_FILES];
static size_t n_files;
static bool pool_paused;  /* there is no OpenMP, or it has let its threads go */
static bool answered;     /* a request, since it was woken */
static bool without_them; /* this was a copy, and had to do without the session's threads */

static void *library_function(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

/* OpenMP 5.0, omp_pause_resource_all: 0 if it was done. GNU's library would else wait for ever, in the copy, for threads that a fork does
 * not take along. OpenBLAS does the same by itself at a fork, but its threads are not to be counted as lost before. */
static void let_pools_go(void)
{
	int (*pause)(int) = (int (*)(int))(uintptr_t)library_function("omp_pause_resource_all");
	void (*blas)(void) = (void (*)(void))(uintptr_t)library_function("blas_thread_shutdown_");
	pool_paused = pause ? pause(PAUSE_SOFT) == 0 : !library_function("omp_set_num_threads");
	if (blas)
		blas();
}

/* Only of files that are read alone: what was written stays written, and more of it comes after. */
static void note_positions(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	n_files = 0;
	while (d && (e = readdir(d)) && n_files < MAX_FILES) {
		int fd = (int)strtol(e->d_name, NULL, 10);
		struct stat st;
		if (e->d_name[0] == '.' || fd <= 2 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		    (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
			continue;
		files[n_files++] = (struct position){fd, st.st_dev, st.st_ino, lseek(fd, 0, SEEK_CUR)};
	}
	if (d)
		closedir(d);
}

static void restore_positions(void)
{
	for (size_t i = 0; i < n_files; i++) {
		struct stat st;
		if (files[i].at >= 0 && fstat(files[i].fd, &st) == 0 && st.st_dev == files[i].device &&
		    st.st_ino == files[i].file)
			lseek(files[i].fd, files[i].at, SEEK_SET);
	}
}

void ss_survive_fork(void)
{
	let_pools_go();
	note_positions();
}

void ss_survive_woken(void)
{
	void (*set)(int) = (void (*)(int))(uintptr_t)library_function("omp_set_num_threads");
	if (set && !pool_paused)
		set(1); /* with one thread there is no pool to wait for */
	restore_positions();
	ss.replied = answered = false;
	without_them = true;
}

static void ask_due(void *data)
{
	*(int *)data = Rf_asInteger(r_call_module("later_due", 0, NULL));
}

int ss_survive_due_in(void)
{
	int ms = -1;
	/* Not before the user has seen that it goes on: a planned call may be what ended R. */
	answered = answered || ss.replied;
	if (!without_them || ss.copy || !answered || !r_toplevel_exec(ask_due, &ms))
		return -1;
	return ms;
}

void ss_survive_serve(void)
{
	if (without_them && ss_survive_due_in() == 0)
		r_call_module("later_run", 0, NULL);
}
