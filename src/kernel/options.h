/* options.h: what `carrack kernel` was asked to do.
 *
 * Two forms lead here: `carrack kernel CONNECTION_FILE …`, and the form without a command word that starts with an
 * option, `carrack --connection_file FILE …`, which is how ark is started. They take the same options.
 *
 * All strings point into argv or are constants: there is nothing to free, and argv must stay as it is.
 */
#ifndef CARRACK_OPTIONS_H
#define CARRACK_OPTIONS_H

#include "base/log.h"

enum session_mode { MODE_CONSOLE, MODE_NOTEBOOK, MODE_BACKGROUND };

/* Where the `repos` option of R comes from. The names are those of the link's CONFIG frame (docs/link.md). */
enum repos_kind {
	REPOS_AUTO,      /* a repos.conf of the user or the system if there is one, else CRAN's cloud */
	REPOS_RSTUDIO,   /* --default-repos rstudio */
	REPOS_POSIT_PPM, /* --default-repos posit-ppm */
	REPOS_NONE,      /* --default-repos none: R's own value is left alone */
	REPOS_CONF_FILE, /* --repos-conf FILE; value is the path */
	REPOS_PPM_URL,   /* --default-ppm-repo URL; value is the URL: scheme, host, repository, snapshot */
	REPOS_CRAN_URL,  /* --default-cran-repo URL; value is the URL */
};

struct kernel_options {
	const char *connection_file; /* set, unless `install` or `version` */
	enum session_mode mode;      /* console unless said otherwise */
	const char *startup_file;    /* an R file to run at start, or NULL */
	const char *log_file;        /* NULL: descriptor 2 */
	enum log_level log_level;    /* warn unless said otherwise; CARRACK_LOG goes before it (base/log.h) */
	const char *profile_file; /* accepted because ark has it; the kernel says in its log that it keeps no profile */
	bool capture_streams; /* false: accepted as ark does, without effect: the text of R itself takes these pipes */
	int patience; /* seconds (--patience) that a client is waited for which takes nothing; 120 unless said otherwise */
	bool snapshots; /* false (--no-snapshots): the session parks no copies of itself */
	struct {
		enum repos_kind kind;
		const char *value; /* for the last three kinds, otherwise NULL */
	} repos;
	const char *r_home;  /* --r-home, or NULL: rhome.h finds it */
	char *const *r_args; /* what followed `--`: arguments for R */
	size_t n_r_args;
	bool install; /* ark's form only: --install, write the kernelspec and end */
	bool version; /* --version, print it and end */
	bool help;    /* --help, print it and end */
};

/* "console", "notebook" or "background". */
const char *session_mode_name(enum session_mode mode);

/* False and the three names in *e if `name` is not one of them. */
bool session_mode_from(const char *name, enum session_mode *mode, struct err *e) MUST_CHECK;

/* "auto", "rstudio", "posit-ppm", "none", "conf-file", "ppm-url", "cran-url". */
const char *repos_kind_name(enum repos_kind kind);

/* Reads argv[0..argc), the words after `carrack kernel`, or after `carrack` in ark's form. *e says what was expected. */
bool kernel_options_parse(struct kernel_options *o, int argc, char **argv, struct err *e) MUST_CHECK;

#endif
