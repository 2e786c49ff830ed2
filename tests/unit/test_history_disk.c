#include "base/clock.h"
#include "history_fixture.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Far above the milliseconds that are promised, for machines that are busy; far below what waiting would take. */
#define SOON_MS 15000

static void sql(const char *statement)
{
	sqlite3 *db;
	char *why = NULL;
	CHECK_INT(sqlite3_open(file, &db), SQLITE_OK);
	CHECK_INT(sqlite3_exec(db, statement, NULL, NULL, &why), SQLITE_OK);
	if (why)
		fprintf(stderr, "%s\n", why);
	sqlite3_free(why);
	sqlite3_close(db);
}

TEST(the_files_are_private)
{
	struct history *h = begin();
	umask(0);
	add(h, 1, "x");
	history_flush(h);
	struct stat st;
	char path[PATH_MAX];
	CHECK_INT(stat(file, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK_INT(stat(unit_path(path, "data/history.sqlite-wal"), &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK_INT(stat(unit_path(path, "data"), &st), 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	history_close(h);
}

TEST(the_default_place)
{
	char path[PATH_MAX];
	struct history *h;
	const char *const names[] = {"CARRACK_DATA_DIR", "XDG_DATA_HOME", "HOME"};
	const char *const files[] = {"0/history.sqlite", "1/carrack/history.sqlite",
				     "2/.local/share/carrack/history.sqlite"};
	for (size_t i = 0; i < 3; i++)
		setenv(names[i], unit_path(path, (const char[]){(char)('0' + i), '\0'}), 1);
	for (size_t i = 0; i < 3; i++) {
		CHECK((h = history_open(NULL, NULL)) != NULL);
		add(h, 1, "x");
		history_close(h);
		CHECK_INT(access(unit_path(path, files[i]), F_OK), 0);
		setenv(names[i], i == 1 ? "relative" : "", 1);
	}
	CHECK_INT(access("relative", F_OK), -1);
}

TEST(a_timeout_says_when_to_flush)
{
	struct history *h = begin();
	add(h, 1, "x");
	int first = history_timeout(h);
	CHECK(first > 0 && first <= HISTORY_DELAY_MS);
	history_flush(h);
	CHECK_INT(history_timeout(h), -1);
	output(h, 1, "x");
	CHECK(history_timeout(h) >= 0);
	history_close(h);
}

/* A connection of another process that holds the write lock until `release` is closed. */
static pid_t hold_lock(int *release, const char *begin_sql)
{
	int ready[2], end[2];
	CHECK_INT(pipe(ready), 0);
	CHECK_INT(pipe(end), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(end[1]);
		sqlite3 *db;
		char c = 0;
		bool ok =
		    sqlite3_open(file, &db) == SQLITE_OK && sqlite3_exec(db, begin_sql, NULL, NULL, NULL) == SQLITE_OK;
		_exit(ok && write(ready[1], &c, 1) == 1 && read(end[0], &c, 1) == 0 ? 0 : 1);
	}
	char c;
	close(ready[1]);
	close(end[0]);
	CHECK_INT(read(ready[0], &c, 1), 1);
	*release = end[1];
	return pid;
}

TEST(a_busy_file_makes_nobody_wait)
{
	struct history *h = begin();
	add(h, 1, "before");
	history_flush(h);
	int release;
	pid_t pid = hold_lock(&release, "BEGIN IMMEDIATE");
	add(h, 2, "while");
	output(h, 1, "out");
	int64_t t = clock_ms();
	history_flush(h);
	CHECK(clock_ms() - t < SOON_MS);
	CHECK(history_timeout(h) > 0);
	CHECK_STR(ask(h, "{'hist_access_type':'tail','output':true}"),
		  "[[1,1,[\"before\",\"out\"]],[1,2,[\"while\",null]]]");
	CHECK(clock_ms() - t < 2 * SOON_MS);
	close(release);
	waitpid(pid, NULL, 0);
	history_flush(h);
	CHECK_INT(history_timeout(h), -1);
	CHECK_STR(log_text(), "");
	h = again(h);
	CHECK_STR(ask(h, "{'hist_access_type':'tail','output':true}"),
		  "[[1,1,[\"before\",\"out\"]],[1,2,[\"while\",null]]]");
	history_close(h);
}

TEST(a_retry_comes_later_each_time)
{
	struct history *h = begin();
	add(h, 1, "x");
	history_flush(h);
	int release, last = 0;
	hold_lock(&release, "BEGIN IMMEDIATE");
	add(h, 2, "y");
	for (int i = 0; i < 4; i++) {
		history_flush(h);
		int next = history_timeout(h);
		CHECK(next > last);
		last = next;
	}
	CHECK(last <= HISTORY_RETRY_MAX_MS);
}

TEST(kernels_at_once_share_the_file)
{
	history_close(begin());
	enum { KERNELS = 4, LINES = 60 };
	pid_t pid[KERNELS];
	for (int k = 0; k < KERNELS; k++)
		if ((pid[k] = fork()) == 0) {
			struct history *h = history_open(file, NULL);
			char code[40];
			for (long i = 1; i <= LINES; i++) {
				snprintf(code, sizeof code, "kernel%d line%ld", k, i);
				add(h, i, code);
				output(h, i, code);
				if (i % 3 == 0)
					history_flush(h);
			}
			history_close(h);
			_exit(0);
		}
	for (int k = 0; k < KERNELS; k++)
		waitpid(pid[k], NULL, 0);
	struct history *h = history_open(file, NULL);
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'search'}"), "line"), KERNELS * LINES);
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'search','unique':true,'output':true}"), "line"),
		  2 * KERNELS * LINES);
	for (int k = 0; k < KERNELS; k++) {
		char request[100];
		snprintf(request, sizeof request, "{'hist_access_type':'range','session':%d,'stop':%d}", k + 1,
			 LINES + 1);
		const char *got = ask(h, request);
		char who[20];
		snprintf(who, sizeof who, "%.7s", strstr(got, "kernel"));
		CHECK_INT(count_of(got, who), LINES); /* each session has one kernel's lines */
	}
	CHECK_STR(log_text(), "");
	history_close(h);
}

TEST(own_lines_are_newest_beside_another_kernel)
{
	struct history *h = begin();
	add(h, 1, "mine 1");
	history_flush(h);
	if (fork() == 0) {
		struct history *other = history_open(file, NULL);
		add(other, 1, "theirs");
		history_close(other);
		_exit(0);
	}
	wait(NULL);
	add(h, 2, "mine 2");
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':2}"), "[[1,1,\"mine 1\"],[1,2,\"mine 2\"]]");
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':5}"), "[[2,1,\"theirs\"],[1,1,\"mine 1\"],[1,2,\"mine 2\"]]");
	history_close(h);
}

TEST(a_killed_writer_leaves_a_good_file)
{
	history_close(begin());
	for (int round = 0; round < 25; round++) {
		int tell[2];
		CHECK_INT(pipe(tell), 0);
		pid_t pid = fork();
		if (pid == 0) {
			struct history *h = history_open(file, NULL);
			for (long i = 1;; i++) {
				add(h, i, "some input that is long enough to fill a few pages in the end");
				history_flush(h);
				if (write(tell[1], &i, sizeof i) != sizeof i)
					_exit(1);
			}
		}
		close(tell[1]);
		long told = 0, last = 0;
		while (told < 3 + round && read(tell[0], &told, sizeof told) == sizeof told)
			last = told;
		usleep((useconds_t)(round * 97 % 1500));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(tell[0], &told, sizeof told) == sizeof told)
			last = told;
		close(tell[0]);
		struct history *h = history_open(file, NULL);
		int kept = count_of(ask(h, "{'hist_access_type':'range','session':-1}"), "some input");
		CHECK(kept == last || kept == last + 1); /* what was flushed is there, and nothing in half */
		history_close(h);
	}
	sql("PRAGMA integrity_check");
	CHECK_STR(log_text(), "");
}

static bool aside_exists(void)
{
	char command[2 * PATH_MAX + 50];
	snprintf(command, sizeof command, "ls '%s'.aside-* >/dev/null 2>&1", file);
	return system(command) == 0;
}

static void write_file(const char *bytes, size_t n, long at)
{
	int fd = open(file, O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && pwrite(fd, bytes, n, at) == (ssize_t)n);
	close(fd);
}

TEST(a_file_that_is_no_database_is_set_aside)
{
	struct history *h = begin();
	mkdir(unit_path((char[PATH_MAX]){0}, "data"), 0700);
	char text[5000];
	memset(text, 't', sizeof text);
	write_file(text, sizeof text, 0);
	add(h, 1, "x");
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"x\"]]");
	CHECK(aside_exists());
	CHECK_INT(count_of(log_text(), "has been renamed"), 1);
	h = again(h);
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"x\"]]");
	CHECK_INT(count_of(log_text(), "\n"), 1);
	history_close(h);
}

TEST(another_programs_database_is_set_aside_unchanged)
{
	struct history *h = begin();
	mkdir(unit_path((char[PATH_MAX]){0}, "data"), 0700);
	sql("CREATE TABLE lines (theirs); INSERT INTO lines VALUES (1)");
	struct stat before, after;
	stat(file, &before);
	add(h, 1, "x");
	history_flush(h);
	CHECK(aside_exists());
	char command[2 * PATH_MAX + 50];
	snprintf(command, sizeof command, "mv '%s'.aside-* '%s.theirs'", file, file);
	CHECK_INT(system(command), 0);
	snprintf(command, sizeof command, "%s.theirs", file);
	CHECK_INT(stat(command, &after), 0);
	CHECK_INT(after.st_ino, before.st_ino);
	CHECK_INT(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	history_close(h);
}

TEST(a_file_that_breaks_in_use_is_replaced_and_own_lines_kept)
{
	struct history *h = begin();
	for (long i = 1; i <= 300; i++)
		add(h, i, "a line of an earlier session, to have some pages in the file");
	h = again(h);
	add(h, 1, "mine");
	CHECK_STR(ask(h, "{'hist_access_type':'tail','n':1}"), "[[2,1,\"mine\"]]");
	h = again(h); /* nothing is left in the write-ahead log or in a cache */
	struct stat st;
	stat(file, &st);
	static char junk[65536];
	memset(junk, 0xa5, sizeof junk);
	CHECK(st.st_size > 12288);
	write_file(junk, (size_t)st.st_size - 4096, 4096); /* all but the first page */
	add(h, 1, "more");
	history_flush(h);
	add(h, 2, "and more");
	history_flush(h);
	CHECK(aside_exists());
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"more\"],[1,2,\"and more\"]]");
	h = again(h);
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"more\"],[1,2,\"and more\"]]");
	CHECK_INT(count_of(log_text(), "has been renamed"), 1);
	history_close(h);
}

TEST(kernels_that_find_a_bad_file_at_once_set_it_aside_once)
{
	history_close(begin());
	mkdir(unit_path((char[PATH_MAX]){0}, "data"), 0700);
	write_file("not a database, not a database, not a database", 46, 0);
	enum { KERNELS = 6 };
	for (int k = 0; k < KERNELS; k++)
		if (fork() == 0) {
			struct history *h = history_open(file, NULL);
			for (long i = 1; i <= 5; i++) {
				add(h, i, "line");
				history_flush(h);
			}
			history_close(h);
			_exit(0);
		}
	while (wait(NULL) > 0)
		continue;
	struct history *h = history_open(file, NULL);
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'search'}"), "line"), 5 * KERNELS);
	CHECK_INT(count_of(log_text(), "has been renamed"), 1);
	history_close(h);
}

TEST(a_deleted_file_is_made_again)
{
	struct history *h = begin();
	add(h, 1, "x");
	history_flush(h);
	CHECK_INT(unlink(file), 0);
	add(h, 2, "y");
	h = again(h);
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"x\"],[1,2,\"y\"]]");
	history_close(h);
}

TEST(a_newer_file_is_left_alone)
{
	struct history *h = begin();
	add(h, 1, "x");
	h = again(h);
	sql("PRAGMA user_version = 1000");
	add(h, 1, "y");
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"y\"]]");
	history_close(h);
	CHECK(!aside_exists());
	CHECK_INT(count_of(log_text(), "newer version"), 1);
	sql("PRAGMA user_version = 1");
	h = history_open(file, NULL);
	CHECK_STR(ask(h, "{'hist_access_type':'tail'}"), "[[1,1,\"x\"]]");
	history_close(h);
}

TEST(a_disk_that_cannot_be_written_is_logged_once)
{
	struct history *h = begin();
	add(h, 1, "x");
	history_flush(h);
	h = again(h);
	if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0)) { /* root may write everywhere */
		CHECK_STR("cannot become nobody", "");
		return;
	}
	int64_t t = clock_ms();
	add(h, 1, "secret");
	for (int i = 0; i < 3; i++)
		history_flush(h);
	CHECK(history_timeout(h) > 0);
	CHECK_HAS(ask(h, "{'hist_access_type':'tail'}"), "\"secret\"");
	output(h, 1, "secret result");
	CHECK_HAS(ask(h, "{'hist_access_type':'tail','output':true}"), "\"secret result\"");
	history_close(h);
	CHECK(clock_ms() - t < 2 * SOON_MS);
	if (getuid() == 0)
		CHECK_INT(seteuid(0), 0); /* to read the log */
	CHECK_INT(count_of(log_text(), "\n"), 1);
	CHECK_HAS(log_text(), "the history is kept in memory");
	CHECK_INT(count_of(log_text(), "secret"), 0);
}

TEST(a_full_disk_is_tried_again)
{
	struct history *h = begin();
	add(h, 1, "x");
	h = again(h);
	add(h, 1, "y");
	history_flush(h);
	/* A limit on file sizes gives the error of a full disk, as far as the file's user can tell. */
	signal(SIGXFSZ, SIG_IGN);
	static char big[200000];
	memset(big, 'z', sizeof big);
	struct rlimit old, tight;
	getrlimit(RLIMIT_FSIZE, &old);
	tight = (struct rlimit){100000, old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &tight);
	history_add(h, 2, big, sizeof big);
	history_flush(h);
	CHECK(history_timeout(h) > 0);
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'range'}"), ",\""), 2);
	setrlimit(RLIMIT_FSIZE, &old);
	history_flush(h);
	CHECK_INT(history_timeout(h), -1);
	CHECK_INT(count_of(log_text(), "cannot write"), 1);
	h = again(h);
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'range','session':-1}"), ",\""), 2);
	CHECK(!aside_exists());
	history_close(h);
}

TEST(a_large_history_is_searched_in_time)
{
	struct history *h = begin();
	add(h, 1, "x");
	h = again(h);
	sql("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300000) "
	    "INSERT INTO lines SELECT 1, i + 1, 'summary(lm(y ~ x' || i || ', data = some_data_frame))' FROM c");
	int64_t t = clock_ms();
	CHECK_INT(count_of(ask(h, "{'hist_access_type':'tail','n':1000}"), "summary"), 1000);
	CHECK(clock_ms() - t < SOON_MS);
	t = clock_ms();
	ask(h, "{'hist_access_type':'search','pattern':'*nothing like this*','unique':true}");
	CHECK(clock_ms() - t < SOON_MS);
	CHECK_HAS(ask(h, "{'hist_access_type':'search','pattern':'*x300000,*','n':1}"), "x300000");
	history_close(h);
}

UNIT_MAIN
