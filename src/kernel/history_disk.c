#include "kernel/history_disk.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define APPLICATION_ID 0x43524b48 /* "CRKH", in the file's header */

/* upgrades[i] makes version i + 1 out of version i; PRAGMA user_version says which a file has. */
static const char *const upgrades[] = {
    "CREATE TABLE disk.sessions (session INTEGER PRIMARY KEY AUTOINCREMENT, started TEXT NOT NULL);"
    "CREATE TABLE disk.lines (session INTEGER NOT NULL, line INTEGER NOT NULL, source TEXT NOT NULL,"
    " PRIMARY KEY (session, line));"
    "CREATE TABLE disk.outputs (session INTEGER NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY (session, line));",
};

static bool data_dir(char *to, size_t size, struct err *e)
{
	const char *dir = getenv("CARRACK_DATA_DIR"), *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n;
	if (dir && *dir) {
		n = snprintf(to, size, "%s", dir);
	} else if (xdg && *xdg == '/') { /* a relative one is to be ignored (XDG base directory specification) */
		n = snprintf(to, size, "%s/carrack", xdg);
	} else {
		struct passwd *pw = home && *home ? NULL : getpwuid(getuid());
		if (pw)
			home = pw->pw_dir;
		if (!home || !*home)
			return err_set(e, "there is no home directory for the history: set HOME or CARRACK_DATA_DIR");
		n = snprintf(to, size, "%s/.local/share/carrack", home);
	}
	return n < (int)size || err_set(e, "the data directory's name is over %zu bytes", size);
}

bool history_disk_path(struct history_disk *d, const char *path, struct err *e)
{
	char dir[PATH_MAX] = "";
	if (!path && !data_dir(dir, sizeof dir, e))
		return false;
	const char *name = path ? path : dir;
	/* SQLite takes a name that begins with `file:` or `:` for something else. */
	int n =
	    snprintf(d->path, sizeof d->path, "%s%s%s", *name == '/' ? "" : "./", name, path ? "" : "/history.sqlite");
	return n < PATH_MAX || err_set(e, "the history file's name is over %d bytes", PATH_MAX);
}

/* Makes the directories above the file that are missing. Errors show when the file is opened. */
static void make_dirs(const char *path)
{
	char dir[PATH_MAX];
	snprintf(dir, sizeof dir, "%s", path);
	for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(dir, 0700);
		*p = '/';
	}
}

/* Write-ahead logging shares memory between processes, which a network file system cannot give. */
static bool on_network(int fd)
{
	static const unsigned long network[] = {
	    NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,         SMB2_SUPER_MAGIC,      CIFS_SUPER_MAGIC,
	    AFS_SUPER_MAGIC,  CODA_SUPER_MAGIC,        CEPH_SUPER_MAGIC,      V9FS_MAGIC,
	    FUSE_SUPER_MAGIC, 0x0BD00BD0 /* Lustre */, 0x47504653 /* GPFS */, 0x19830326 /* BeeGFS */,
	};
	struct statfs fs;
	if (fstatfs(fd, &fs) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(network); i++)
		if ((unsigned long)fs.f_type == network[i])
			return true;
	return false;
}

int history_disk_number(struct history_disk *d, const char *sql, long long *value)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(d->db, sql, -1, &s, NULL);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(s);
		*value = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
		rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
	}
	int end = sqlite3_finalize(s);
	return rc == SQLITE_OK ? end : rc;
}

static int read_identity(struct history_disk *d, long long *id, long long *version, long long *tables)
{
	int rc = history_disk_number(d, "PRAGMA disk.application_id", id);
	if (rc == SQLITE_OK)
		rc = history_disk_number(d, "PRAGMA disk.user_version", version);
	if (rc == SQLITE_OK)
		rc = history_disk_number(d, "SELECT count(*) FROM disk.sqlite_schema", tables);
	return rc;
}

/* Which version the file has, 0 for an empty one. SQLITE_NOTADB if it is somebody else's database. To be called in a
 * transaction: another kernel may be making the file. */
static int identify(struct history_disk *d, long long *version)
{
	long long id = 0, tables = 0;
	int rc = read_identity(d, &id, version, &tables);
	if (rc != SQLITE_OK)
		return rc;
	if (tables ? id != APPLICATION_ID || *version < 1 : id || *version)
		return SQLITE_NOTADB;
	d->newer = *version > (long long)ARRAY_LEN(upgrades);
	return d->newer ? SQLITE_ERROR : SQLITE_OK;
}

static int upgrade_from(struct history_disk *d, long long version)
{
	char end[128];
	int rc = SQLITE_OK;
	for (size_t i = (size_t)version; rc == SQLITE_OK && i < ARRAY_LEN(upgrades); i++)
		rc = sqlite3_exec(d->db, upgrades[i], NULL, NULL, NULL);
	snprintf(end, sizeof end, "PRAGMA disk.application_id = %d; PRAGMA disk.user_version = %zu;", APPLICATION_ID,
		 ARRAY_LEN(upgrades));
	return rc == SQLITE_OK ? sqlite3_exec(d->db, end, NULL, NULL, NULL) : rc;
}

/* Runs `begin`, identify and, if the version is not the newest and `make` is set, the upgrades. */
static int in_transaction(struct history_disk *d, const char *begin, bool make, long long *version)
{
	int rc = sqlite3_exec(d->db, begin, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = identify(d, version);
	if (rc == SQLITE_OK && make)
		rc = upgrade_from(d, *version);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL);
	if (!sqlite3_get_autocommit(d->db))
		sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* Looks before it touches: another program's file stays as it is. */
static int prepare_file(struct history_disk *d, bool network)
{
	long long version;
	int rc = in_transaction(d, "BEGIN", false, &version);
	/* A commit of write-ahead logging does not sync; only the checkpoint does. It happens when the last
	 * kernel closes the file, and in the poll loop only to keep the log from growing past 64 MiB. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(d->db,
				  network ? "PRAGMA disk.journal_mode = TRUNCATE; PRAGMA disk.synchronous = NORMAL"
					  : "PRAGMA disk.journal_mode = WAL; PRAGMA disk.synchronous = NORMAL;"
					    "PRAGMA disk.wal_autocheckpoint = 16384",
				  NULL, NULL, NULL);
	if (rc == SQLITE_OK && version < (long long)ARRAY_LEN(upgrades))
		rc = in_transaction(d, "BEGIN IMMEDIATE", true, &version);
	return rc;
}

static int attach(struct history_disk *d)
{
	make_dirs(d->path);
	/* Made here and not by SQLite for its mode, which the files beside it inherit. */
	int fd = open(d->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return SQLITE_CANTOPEN;
	}
	bool network = on_network(fd);
	close(fd);
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(d->db, "ATTACH DATABASE ?1 AS disk", -1, &s, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(s, 1, d->path, -1, SQLITE_STATIC);
		sqlite3_step(s);
	}
	rc = sqlite3_finalize(s);
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	if (rc != SQLITE_OK)
		return rc;
	d->attached = true;
	rc = prepare_file(d, network);
	if (rc == SQLITE_OK)
		d->generation++;
	else
		history_disk_detach(d);
	return rc;
}

void history_disk_detach(struct history_disk *d)
{
	if (d->attached)
		sqlite3_exec(d->db, "DETACH DATABASE disk", NULL, NULL, NULL);
	d->attached = false;
}

/* The file and what belongs to it get another name. Kernels that find the same file bad at the same time take
 * turns by a lock on the directory, and the later ones see by the inode that it has been done. */
static void set_aside(struct history_disk *d)
{
	char dir[PATH_MAX], when[CLOCK_ISO_LEN], from[PATH_MAX + 8], to[PATH_MAX + 64];
	snprintf(dir, sizeof dir, "%s", d->path);
	*(strrchr(dir, '/') + 1) = '\0'; /* a path has one: history_disk_path */
	clock_iso8601(when);
	int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (lock >= 0 && flock(lock, LOCK_EX) == 0 && stat(d->path, &st) == 0 && st.st_dev == d->dev &&
	    st.st_ino == d->ino) {
		static const char *const parts[] = {"-wal", "-shm", "-journal", ""}; /* the name itself last */
		bool ok = false;
		for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
			snprintf(from, sizeof from, "%s%s", d->path, parts[i]);
			snprintf(to, sizeof to, "%s.aside-%s%s", d->path, when, parts[i]);
			ok = rename(from, to) == 0;
		}
		if (ok)
			log_warn("the history file was not usable and has been renamed to %s; a new one is begun", to);
		else
			log_warn("the history file %s is not usable and cannot be renamed: %s", d->path,
				 strerror(errno));
	}
	if (lock >= 0)
		close(lock);
}

static bool is_gone(const struct history_disk *d)
{
	struct stat st;
	return stat(d->path, &st) != 0 || st.st_dev != d->dev || st.st_ino != d->ino;
}

static bool is_corrupted(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

bool history_disk_attach(struct history_disk *d)
{
	if (d->attached && is_gone(d))
		history_disk_detach(d);
	if (d->attached)
		return true;
	if (d->newer)
		return false;
	int rc = SQLITE_NOTADB;
	for (int attempt = 0; attempt < 2 && is_corrupted(rc); attempt++) {
		if (d->suspect)
			set_aside(d);
		rc = attach(d);
		d->suspect = is_corrupted(rc);
	}
	if (rc != SQLITE_OK)
		history_disk_failed(d, rc, "open");
	return d->attached;
}

void history_disk_failed(struct history_disk *d, int rc, const char *doing)
{
	/* DBMOVED: renamed or deleted since the last look; the next one will see it. */
	d->busy = (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED || rc == SQLITE_READONLY_DBMOVED;
	if (d->busy) {
		log_debug("the history file is busy, tried again later");
		return;
	}
	d->suspect = is_corrupted(rc);
	history_disk_detach(d);
	if (d->complained)
		return;
	d->complained = true;
	if (d->newer)
		log_warn(
		    "the history file %s is of a newer version of Carrack; this kernel keeps its history in memory",
		    d->path);
	else
		log_warn("cannot %s the history file %s (%s); the history is kept in memory", doing, d->path,
			 sqlite3_errstr(rc));
}
