/* kernelspec.h: reading, writing and removing Jupyter's description of a kernel, DATA_DIR/kernels/NAME/kernel.json.
 *
 * Format: jupyter_client, "Kernel specs". Jupyter compares names without regard to case and writes them in lower case;
 * so do we. Ours are recognised by the program they start: one called `carrack`.
 */
#ifndef CARRACK_KERNELSPEC_H
#define CARRACK_KERNELSPEC_H

#include "kernel/files.h"

#include <jansson.h>

#define KERNELSPEC_NAME "carrack"
#define KERNELSPEC_NAME_MAX 100

/* Writes the name in lower case to out. False for a name that is not of [A-Za-z0-9._-] or begins with a dot. */
bool kernelspec_name(const char *name, char out[KERNELSPEC_NAME_MAX + 1], struct err *e) MUST_CHECK;

struct kernelspec_new {
	const char *program; /* absolute path of carrack */
	const char *display_name;
	const char *mode;   /* session mode, by name */
	const char *r_home; /* absolute, or NULL: found when the kernel starts */
	json_t *env;        /* an object of strings; borrowed */
};

/* The text of kernel.json, appended. */
bool kernelspec_text(const struct kernelspec_new *k, struct buf *out, struct err *e) MUST_CHECK;

/* Writes `dir` (…/kernels/NAME): the logos, then kernel.json, each whole or not at all. A kernelspec of ours that is there is
 * replaced; one of another kernel is refused. */
bool kernelspec_write(const char *dir, const struct kernelspec_new *k, struct err *e) MUST_CHECK;

/* Removes what kernelspec_write wrote, and the directory if nothing else is in it (*left says whether something was). Refuses
 * a kernelspec of another kernel. */
bool kernelspec_remove(const char *dir, bool *left, struct err *e) MUST_CHECK;

/* What is in a kernelspec, for looking at. */
struct kernelspec_seen {
	json_t *json;      /* owned */
	const char *argv0; /* "" if there is none */
	const char *display_name, *language;
	bool ours;
};

/* False and *e if there is no kernel.json or it cannot be read. */
bool kernelspec_read(const char *dir, struct kernelspec_seen *k, struct err *e) MUST_CHECK;
void kernelspec_seen_release(struct kernelspec_seen *k);

/* Whether dir/kernel.json exists. */
bool kernelspec_exists(const char *dir);

#endif
