/* calls.c: calls of the system that are refused, the clock, the storm of signals. */
#include "control.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The next function of this name: libc's, or AddressSanitizer's around it. */
#define NEXT(name)                       \
	static __typeof__(&(name)) next; \
	if (!next)                       \
	next = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name)

pid_t fork(void)
{
	NEXT(fork);
	return fault_refused(CALL_FORK) ? -1 : next();
}

int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *restrict attr, char *const argv[restrict], char *const envp[restrict])
{
	NEXT(posix_spawn);
	return fault_refused(CALL_FORK) ? errno : next(pid, path, actions, attr, argv, envp);
}

int socket(int domain, int type, int protocol)
{
	NEXT(socket);
	return fault_refused(CALL_SOCKET) ? -1 : next(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
	NEXT(socketpair);
	return fault_refused(CALL_SOCKET) ? -1 : next(domain, type, protocol, fds);
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict len, int flags)
{
	NEXT(accept4);
	return fault_refused(CALL_SOCKET) ? -1 : next(fd, address, len, flags);
}

int pipe(int fds[2])
{
	NEXT(pipe);
	return fault_refused(CALL_PIPE) ? -1 : next(fds);
}

int pipe2(int fds[2], int flags)
{
	NEXT(pipe2);
	return fault_refused(CALL_PIPE) ? -1 : next(fds, flags);
}

int eventfd(unsigned count, int flags)
{
	NEXT(eventfd);
	return fault_refused(CALL_EVENT) ? -1 : next(count, flags);
}

int memfd_create(const char *name, unsigned flags)
{
	NEXT(memfd_create);
	return fault_refused(CALL_EVENT) ? -1 : next(name, flags);
}

int signalfd(int fd, const sigset_t *mask, int flags)
{
	NEXT(signalfd);
	return fault_refused(CALL_EVENT) ? -1 : next(fd, mask, flags);
}

int epoll_create1(int flags)
{
	NEXT(epoll_create1);
	return fault_refused(CALL_EVENT) ? -1 : next(flags);
}

/* With 64-bit offsets, which Meson asks for, the names below are those of open64, fopen64 and pwrite64 to the linker. The
 * third argument is there only if a file may be made. */
static bool has_mode(int flags)
{
	return flags & (O_CREAT | O_TMPFILE);
}

int open(const char *path, int flags, ...)
{
	NEXT(open);
	va_list ap;
	va_start(ap, flags);
	mode_t mode = has_mode(flags) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fault_refused(CALL_OPEN) ? -1 : next(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	NEXT(openat);
	va_list ap;
	va_start(ap, flags);
	mode_t mode = has_mode(flags) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fault_refused(CALL_OPEN) ? -1 : next(dir, path, flags, mode);
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
	NEXT(fopen);
	return fault_refused(CALL_OPEN) ? NULL : next(path, mode);
}

static bool regular(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	NEXT(pwrite);
	return regular(fd) && fault_refused(CALL_WRITE) ? -1 : next(fd, bytes, n, at);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	NEXT(clock_gettime);
	int rc = next(id, t);
	const struct fault_control *c = fault_control(NULL);
	if (rc == 0 && c && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		t->tv_sec += c->shift;
	return rc;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	NEXT(gettimeofday);
	int rc = next(t, zone);
	const struct fault_control *c = fault_control(NULL);
	if (rc == 0 && c)
		t->tv_sec += c->shift;
	return rc;
}

time_t time(time_t *out)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

static void nothing(int sig)
{
}

/* Without SA_RESTART: every call that can be interrupted is. */
static void __attribute__((constructor(102))) storm(void)
{
	const struct fault_control *c = fault_control(NULL);
	if (!c || !c->storm)
		return;
	struct itimerval every = {.it_interval = {.tv_usec = (suseconds_t)c->storm}, .it_value = {.tv_usec = 1000}};
	struct sigaction on = {.sa_handler = nothing};
	sigaction(SIGALRM, &on, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}
