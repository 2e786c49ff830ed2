/* history_disk.h: the file under the history, attached as `disk` to a connection whose `main` is in memory.
 *
 * Only history.c uses this. What is here: where the file is, how it is made, upgraded, found to be
 * unusable and replaced, and which of SQLite's errors mean what.
 */
#ifndef CARRACK_HISTORY_DISK_H
#define CARRACK_HISTORY_DISK_H

#include "base/base.h"
#include "base/err.h"

#include <limits.h>
#include <sqlite3.h>
#include <sys/types.h>

struct history_disk {
	sqlite3 *db; /* the caller's */
	char path[PATH_MAX];
	bool attached;
	bool newer;      /* the file is of a newer version: never used */
	bool complained; /* trouble is logged once, until it has gone */
	bool busy;       /* the last trouble was only another process's transaction */
	bool suspect;    /* found corrupted in use: to be replaced */
	dev_t dev;       /* the file that was attached last */
	ino_t ino;
	unsigned generation; /* counts how often one was attached: it may be another file each time */
};

bool history_disk_path(struct history_disk *d, const char *path, struct err *e) MUST_CHECK;

/* Attaches the file if it is not; first lets go of one that has been deleted or replaced under us. False: not now. */
bool history_disk_attach(struct history_disk *d) MUST_CHECK;
void history_disk_detach(struct history_disk *d);

/* The first column of the first row, 0 if there is none. SQLite's code. */
int history_disk_number(struct history_disk *d, const char *sql, long long *value) MUST_CHECK;

/* To be called with SQLite's code after a statement on `disk` failed, no transaction or statement open: logs, and lets go of the
 * file unless it was only busy. */
void history_disk_failed(struct history_disk *d, int rc, const char *doing);

#endif
