/* run.c: kn_run of files.h. */
#include "kernel/files.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEEP_MAX ((size_t)256 << 10)
#define KEEP_LEAST ((size_t)64 << 10)

extern char **environ;

/* The environment without some variables: an array on the heap whose strings are environ's. */
static char **env_without(const char *const *without)
{
	size_t n = 0;
	while (environ[n])
		n++;
	char **env = calloc(n + 1, sizeof *env);
	size_t kept = 0;
	for (size_t i = 0; env && i < n; i++) {
		bool drop = false;
		for (size_t j = 0; without && without[j] && !drop; j++) {
			size_t k = strlen(without[j]);
			drop = strncmp(environ[i], without[j], k) == 0 && environ[i][k] == '=';
		}
		if (!drop)
			env[kept++] = environ[i];
	}
	return env;
}

bool kn_spawn(pid_t *pid, char *const *argv, char *const *envp, const char *input, int out, int keep, struct err *e)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	/* The kernel blocks signals that it reads from a descriptor; a program it starts must not inherit that. */
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int rc = posix_spawn_file_actions_init(&fa);
	if (rc == 0 && (rc = posix_spawnattr_init(&at)) != 0)
		posix_spawn_file_actions_destroy(&fa);
	if (rc == 0) {
		posix_spawn_file_actions_addopen(&fa, 0, input ? input : "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&fa, out, 1);
		posix_spawn_file_actions_adddup2(&fa, out, 2);
		if (keep >= 0) /* onto itself: that takes close-on-exec away */
			posix_spawn_file_actions_adddup2(&fa, keep, keep);
		posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
		posix_spawnattr_setpgroup(&at, 0);
		posix_spawnattr_setsigmask(&at, &none);
		posix_spawnattr_setsigdefault(&at, &all);
		rc = posix_spawn(pid, argv[0], &fa, &at, argv, envp);
		posix_spawnattr_destroy(&at);
		posix_spawn_file_actions_destroy(&fa);
	}
	errno = rc;
	return rc == 0 || err_errno(e, "cannot run %s", argv[0]);
}

/* True if the program has ended. Where SIGCHLD is ignored there is no status to be had: that counts as ended too. */
static bool has_ended(pid_t pid, int *status)
{
	return waitpid(pid, status, WNOHANG) != 0;
}

/* Reads until the pipe ends, the program has ended, or the time is over. A grandchild may hold the pipe for
 * ever, so the program's own end is looked for too. */
static void collect(struct kn_ran *r, pid_t pid, int fd, int64_t until)
{
	bool ended = false;
	for (int64_t left; (left = until - clock_ms()) > 0;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, ended ? 0 : left > 50 ? 50 : (int)left) > 0) {
			char *to = buf_room(&r->out, 4096);
			ssize_t n = to ? read(fd, to, 4096) : 0;
			if (n == 0 || (n < 0 && errno != EINTR))
				break;
			buf_added(&r->out, n > 0 ? (size_t)n : 0);
			if (r->out.len > KEEP_MAX)
				buf_consume(&r->out, r->out.len - KEEP_LEAST);
		} else if (ended) {
			break;
		} else {
			ended = has_ended(pid, &r->status);
		}
	}
	while (!ended && clock_ms() < until) {
		ended = has_ended(pid, &r->status);
		if (!ended)
			poll(NULL, 0, 2);
	}
	r->timed_out = !ended;
	if (!ended) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, &r->status, 0) < 0 && errno == EINTR)
			;
	}
}

bool kn_run(struct kn_ran *r, const char *const *argv, const char *input, const char *const *without, int limit_ms,
	    struct err *e)
{
	*r = (struct kn_ran){.out = BUF_INIT(KEEP_MAX + 65536)};
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(e, "cannot run %s", argv[0]);
	char **env = env_without(without);
	int64_t start = clock_ms();
	pid_t pid = -1;
	/* posix_spawn writes to neither array; its prototype is older than const. */
	bool ok = env ? kn_spawn(&pid, (char *const *)(uintptr_t)argv, env, input, fds[1], -1, e)
		      : err_set(e, "out of memory");
	close(fds[1]);
	free(env);
	if (ok)
		collect(r, pid, fds[0], start + limit_ms);
	close(fds[0]);
	r->took_ms = clock_ms() - start;
	return ok;
}

void kn_ran_release(struct kn_ran *r)
{
	buf_release(&r->out);
}
