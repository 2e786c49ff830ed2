/* unit.h: a small runner for unit tests, one file of tests a program.
 *
 *     TEST(a_name_that_says_what_holds) { CHECK_INT(f(1), 2); }
 *     UNIT_MAIN
 *
 * Every test runs in a child process of its own, leader of its process group, with an alarm: a crash, an exit or a
 * hang is that test's failure, and what it left running is killed. A failed check says where, and both
 * values, and the test goes on. The last line is `N passed, N failed`, and the exit status says the same.
 * Arguments are the names of the tests to run; `--here NAME` runs one in this process, for a debugger.
 */
#ifndef CARRACK_UNIT_H
#define CARRACK_UNIT_H

#include "base/base.h"

#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT_SECONDS 30

struct unit_test {
	const char *name;
	void (*run)(void);
	struct unit_test *next;
};

static struct unit_test *unit_first, **unit_last = &unit_first;
static int unit_failures; /* of the test that runs */
static char unit_dir[PATH_MAX];

#define TEST(test)                                                     \
	static void test(void);                                        \
	static struct unit_test unit_##test = {#test, test, NULL};     \
	__attribute__((constructor)) static void unit_add_##test(void) \
	{                                                              \
		*unit_last = &unit_##test;                             \
		unit_last = &unit_##test.next;                         \
	}                                                              \
	static void test(void)

/* Bytes as a reader can see them, cut where they get long. The result is good for four calls. */
static inline const char *unit_show(const char *s, size_t n)
{
	static char ring[4][400];
	static int next;
	char *to = ring[next = (next + 1) % 4], *end = to + sizeof ring[0] - 8;
	if (!s)
		return "NULL";
	char *p = to;
	*p++ = '"';
	for (size_t i = 0; i < n && p < end; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c < 0x7f)
			*p++ = (char)c;
		else
			p += snprintf(p, 5, "\\x%02x", c);
	}
	snprintf(p, 5, "%s", p < end ? "\"" : "\"…");
	return to;
}

static inline bool unit_fail(const char *file, int line, const char *what)
{
	unit_failures++;
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	return false;
}

static inline bool unit_true(const char *file, int line, const char *text, bool holds)
{
	return holds || unit_fail(file, line, text);
}

static inline bool unit_int(const char *file, int line, const char *text, long long got, long long want)
{
	if (got == want)
		return true;
	unit_fail(file, line, text);
	fprintf(stderr, "    got  %lld (%#llx)\n    want %lld (%#llx)\n", got, (unsigned long long)got, want,
		(unsigned long long)want);
	return false;
}

static inline bool unit_bytes(const char *file, int line, const char *text, const char *got, size_t n, const char *want,
			      size_t m)
{
	if (got && want ? n == m && (n == 0 || memcmp(got, want, n) == 0) : got == want)
		return true;
	unit_fail(file, line, text);
	fprintf(stderr, "    got  %s (%zu bytes)\n    want %s (%zu bytes)\n", unit_show(got, n), n, unit_show(want, m),
		m);
	return false;
}

static inline bool unit_string(const char *file, int line, const char *text, const char *got, const char *want)
{
	return unit_bytes(file, line, text, got, got ? strlen(got) : 0, want, want ? strlen(want) : 0);
}

static inline bool unit_contains(const char *file, int line, const char *text, const char *got, const char *want)
{
	if (got && strstr(got, want))
		return true;
	unit_fail(file, line, text);
	fprintf(stderr, "    got  %s\n    want something with \"%s\"\n", got ? got : "NULL", want);
	return false;
}

/* All give whether they held. */
#define CHECK(c) unit_true(__FILE__, __LINE__, "not true: " #c, c)
#define CHECK_INT(got, want) unit_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))
#define CHECK_STR(got, want) unit_string(__FILE__, __LINE__, #got, got, want)
#define CHECK_MEM(got, n, want, m) unit_bytes(__FILE__, __LINE__, #got, got, n, want, m)
#define CHECK_HAS(got, want) unit_contains(__FILE__, __LINE__, #got, got, want)

static inline int unit_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

/* The path of `name` in the running test's own directory, which is empty at first and removed when it ends. */
static inline const char *unit_path(char to[PATH_MAX], const char *name)
{
	snprintf(to, PATH_MAX, "%.3000s/%.1000s", unit_dir, name);
	return to;
}

/* Runs one test in a child. True if it passed. */
static inline bool unit_run(const struct unit_test *t)
{
	snprintf(unit_dir, sizeof unit_dir, "%.3000s/carrack-unit-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(unit_dir)) {
		perror(unit_dir);
		return false;
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		alarm(UNIT_SECONDS);
		t->run();
		fflush(NULL);
		_exit(unit_failures ? 1 : 0);
	}
	siginfo_t info = {0};
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0)
		continue;
	kill(-pid, SIGKILL); /* while the child is unreaped its number cannot be another's */
	waitpid(pid, NULL, 0);
	nftw(unit_dir, unit_remove, 16, FTW_DEPTH | FTW_PHYS);
	bool ok = info.si_code == CLD_EXITED && info.si_status == 0;
	if (info.si_code != CLD_EXITED)
		printf("FAIL %s: %s\n", t->name, info.si_status == SIGALRM ? "hangs" : strsignal(info.si_status));
	else
		printf("%s %s\n", ok ? "ok  " : "FAIL", t->name);
	return ok;
}

static inline bool unit_wanted(const struct unit_test *t, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], t->name) == 0)
			return true;
	return argc == 1;
}

static inline int unit_main(int argc, char **argv)
{
	int passed = 0, failed = 0;
	bool here = argc == 3 && strcmp(argv[1], "--here") == 0;
	for (struct unit_test *t = unit_first; t; t = t->next) {
		if (!unit_wanted(t, argc, argv))
			continue;
		if (here) {
			snprintf(unit_dir, sizeof unit_dir, "/tmp");
			t->run();
			passed += !unit_failures;
			failed += !!unit_failures;
		} else if (unit_run(t)) {
			passed++;
		} else {
			failed++;
		}
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed;
}

#define UNIT_MAIN                             \
	int main(int argc, char **argv)       \
	{                                     \
		return unit_main(argc, argv); \
	}

#endif
