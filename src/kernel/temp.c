/* temp.c: R's temporary directory. R removes it when it ends, unless it is killed. Then a copy that goes on needs it; without one, and when
 * the kernel ends, it is removed from here: by a program of its own, because there may be much in it. */
#include "base/log.h"
#include "kernel/files.h"
#include "kernel/kernel.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

/* The session says where it is, and may be damaged: only what R makes, and what is ours alone, is ever removed. */
static bool is_of_r(const char *dir)
{
	const char *name = strrchr(dir, '/');
	struct stat st;
	return dir[0] == '/' && name && strncmp(name, "/Rtmp", 5) == 0 && strlen(name) == 11 && !strstr(dir, "/../") &&
	       lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

void temp_found(struct kernel *k, const char *dir)
{
	if (*dir && strlen(dir) < sizeof k->session.temp_dir)
		snprintf(k->session.temp_dir, sizeof k->session.temp_dir, "%s", dir);
}

void temp_remove(struct kernel *k)
{
	char dir[sizeof k->session.temp_dir];
	char *argv[] = {(char[]){"/bin/rm"}, (char[]){"-rf"}, (char[]){"--"}, dir, NULL};
	struct err e = {0};
	pid_t pid;
	memcpy(dir, k->session.temp_dir, sizeof dir);
	k->session.temp_dir[0] = '\0';
	if (!*dir || !is_of_r(dir))
		return;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0 || !kn_spawn(&pid, argv, environ, NULL, null, -1, &e))
		log_warn("R's temporary directory is left behind: %s", e.msg);
	if (null >= 0)
		close(null);
}
