#include "session/fork.h"

#include "base/room.h"
#include "rapi/exec.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that this process has resident (proc(5), statm). */
static uint64_t resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* In the worst case the session writes every page that it has, and each is copied. */
bool ss_fork_memory_suffices(void)
{
	static struct room room;
	struct room_state now;
	if (!room.root[0] && !room.dir[0])
		room_open(&room);
	room_state(&room, &now);
	return room_left(&now) > resident() / 2 + ((uint64_t)64 << 20);
}

static bool leads_elsewhere(int fd)
{
	struct stat st;
	return fd > 2 && fd != ss.link.fd && fstat(fd, &st) == 0 && (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode));
}

/* A pipe of which this process has both ends leads nowhere else: packages wake themselves through such. */
static bool own_pipe(int fd)
{
	struct stat a, b;
	if (fstat(fd, &a) != 0 || !S_ISFIFO(a.st_mode))
		return false;
	int flags = fcntl(fd, F_GETFL) & O_ACCMODE;
	for (int other = 3; other < 1024; other++)
		if (other != fd && fstat(other, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev &&
		    (fcntl(other, F_GETFL) & O_ACCMODE) != flags)
			return true;
	return false;
}

void ss_fork_each_foreign(bool own, void (*fn)(int fd, void *data), void *data)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	int fds[1024];
	size_t n = 0;
	while (d && (e = readdir(d)) && n < ARRAY_LEN(fds)) {
		int fd = (int)strtol(e->d_name, NULL, 10);
		if (e->d_name[0] != '.' && leads_elsewhere(fd) && (own || !own_pipe(fd)))
			fds[n++] = fd;
	}
	if (d)
		closedir(d);
	for (size_t i = 0; i < n; i++)
		fn(fds[i], data);
}

static void remove_handler(int fd)
{
	for (InputHandler *h = R_InputHandlers; h;) {
		InputHandler *next = h->next;
		if (h->fileDescriptor == fd)
			removeInputHandler(&R_InputHandlers, h);
		h = next;
	}
}

/* In place of a descriptor that leads elsewhere: reading gives the end, writing an error. */
static void replace(int fd, void *data)
{
	int *dead = data;
	if (fd == dead[0] || fd == dead[1])
		return;
	dup3(*dead, fd, O_CLOEXEC);
	remove_handler(fd);
}

/* What is below what it was cannot be written without a right: what was there comes back at the end. */
void ss_fork_oom_read(char *to, size_t max)
{
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, to, max - 1) : 0;
	to[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

void ss_fork_oom_score(const char *value)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, value, strlen(value));
	close(fd);
}

/* libgomp waits for threads of its pool that a forked process does not have; with one thread it has no pool. */
void ss_fork_single_thread(void)
{
	void (*set)(int) = (void (*)(int))(uintptr_t)dlsym(RTLD_DEFAULT, "omp_set_num_threads");
	if (set)
		set(1);
}

void ss_fork_cut(bool own)
{
	int dead[2] = {-1, -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, dead) != 0)
		return;
	close(dead[1]);
	dead[1] = dead[0];
	ss_fork_each_foreign(own, replace, dead);
	close(dead[0]);
}

void ss_fork_adopt(int link)
{
	r_host_adopt();
	link_peer_adopt(&ss.link, link);
}
