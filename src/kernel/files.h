/* files.h: paths, small files, and programs that are run for a moment. What install, doctor and rhome share. */
#ifndef CARRACK_FILES_H
#define CARRACK_FILES_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

#define KN_PATH 4096 /* bytes of a path, NUL included; PATH_MAX is not there on every system */

/* Formats a path into out. False (and out empty) if it is longer than KN_PATH. */
bool kn_path(char out[KN_PATH], const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same path made absolute with the working directory in front; symbolic links stay as they are. */
bool kn_path_absolute(char out[KN_PATH], const char *path);

/* The part after the last '/', the whole if there is none. */
const char *kn_path_base(const char *path);

bool kn_is_dir(const char *path);
bool kn_is_file(const char *path);       /* a regular file, links followed */
bool kn_is_executable(const char *path); /* a regular file that this user may execute */

/* Appends the file's contents. A file over `max` bytes is an error. */
bool kn_file_read(const char *path, size_t max, struct buf *out, struct err *e) MUST_CHECK;

/* Writes the file whole or not at all: a temporary file beside it, mode 0644, then rename. */
bool kn_file_write(const char *path, const void *bytes, size_t n, struct err *e) MUST_CHECK;

/* Makes the directory and those above it that are missing. */
bool kn_dirs_make(const char *path, struct err *e) MUST_CHECK;

/* The home directory: HOME, else the password database, else "/". */
bool kn_home(char out[KN_PATH]);

/* This program's own path, links resolved. */
bool kn_self(char out[KN_PATH], struct err *e) MUST_CHECK;

/* The first executable `name` on PATH. */
bool kn_on_path(const char *name, char out[KN_PATH]);

/* The program that is the session: CARRACK_SESSION if set (*custom is true then), else carrack-session beside this program,
 * else ../libexec/carrack/carrack-session. *e names the places that were looked at. */
bool kn_session_program(char out[KN_PATH], bool *custom, struct err *e) MUST_CHECK;

/* Starts argv[0] (a path) in a process group of its own, signals as they are by default, 0 from `input` (a path; NULL:
 * /dev/null), 1 and 2 to `out`. The descriptor `keep` is open in it under the same number; -1: none. The caller reaps it. */
bool kn_spawn(pid_t *pid, char *const *argv, char *const *envp, const char *input, int out, int keep,
	      struct err *e) MUST_CHECK;

/* A program that was run to its end. */
struct kn_ran {
	struct buf out; /* what it wrote to 1 and 2, the last 64 KiB at least */
	int status;     /* as of waitpid */
	bool timed_out; /* it was killed, with its process group, because the time was over */
	int64_t took_ms;
};

/* Runs argv[0] (a path) with stdin from `input` (a path; NULL: /dev/null) for at most limit_ms. False only if it could not be
 * started. Environment variables in `without` (NULL-terminated, may be NULL) are taken out. Release with kn_ran_release. */
bool kn_run(struct kn_ran *r, const char *const *argv, const char *input, const char *const *without, int limit_ms,
	    struct err *e) MUST_CHECK;
void kn_ran_release(struct kn_ran *r);

#endif
