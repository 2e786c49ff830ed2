/* dirs.h: Jupyter's data directories, by Jupyter's own rules (jupyter_core.paths).
 *
 * A kernelspec NAME is the directory kernels/NAME in one of them. Jupyter writes to one (the user's) and reads from a list.
 */
#ifndef CARRACK_DIRS_H
#define CARRACK_DIRS_H

#include "kernel/files.h"

/* The user's: JUPYTER_DATA_DIR, else XDG_DATA_HOME/jupyter, else ~/.local/share/jupyter (macOS: ~/Library/Jupyter). */
bool jupyter_data_dir(char out[KN_PATH], struct err *e) MUST_CHECK;

/* The environment's prefix: of CONDA_PREFIX and VIRTUAL_ENV the one that is set, if both are the one whose bin comes first
 * on PATH; /usr/local if neither. */
bool jupyter_env_prefix(char out[KN_PATH], struct err *e) MUST_CHECK;

#define JUPYTER_PATH_MAX 64

struct jupyter_path {
	size_t n;
	struct jupyter_dir {
		char *path;      /* without kernels/ */
		const char *why; /* "JUPYTER_PATH", "user", "environment", "system" */
	} dir[JUPYTER_PATH_MAX];
};

/* All directories that Jupyter reads, in its order, each once: JUPYTER_PATH (a list), the user's, Python's user base, the
 * environment's (before the user's if JUPYTER_PREFER_ENV_PATH says so), that of the `jupyter` on PATH, the system's. */
bool jupyter_path_list(struct jupyter_path *p, struct err *e) MUST_CHECK;
void jupyter_path_release(struct jupyter_path *p);

#endif
