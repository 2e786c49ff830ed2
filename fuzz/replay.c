/* replay.c: runs a fuzz target on files and on all files of directories, where there is no libFuzzer.
 *
 *     fuzz_link_replay fuzz/corpus/link
 *
 * A failure ends the process by a signal, with the name of the file before it.
 */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static char name[PATH_MAX];
static size_t count;

static void tell(int sig)
{
	/* What a signal handler may do is write. */
	static const char before[] = "fails on ";
	(void)!write(2, before, sizeof before - 1);
	(void)!write(2, name, strlen(name));
	(void)!write(2, "\n", 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

static bool replay_file(void)
{
	FILE *f = fopen(name, "rbe");
	if (!f) {
		perror(name);
		return false;
	}
	/* A block of exactly the input's size, so that a sanitizer sees a read behind it. */
	fseek(f, 0, SEEK_END);
	long size = ftell(f);
	uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
	rewind(f);
	bool ok = data && size >= 0 && fread(data, 1, (size_t)size, f) == (size_t)size;
	fclose(f);
	if (ok)
		LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	count++;
	return ok;
}

static bool replay(const char *path)
{
	struct stat st;
	DIR *dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	if (!dir) {
		snprintf(name, sizeof name, "%s", path);
		return replay_file();
	}
	bool ok = true;
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%.3800s/%s", path, entry->d_name);
		ok = replay_file() && ok;
	}
	closedir(dir);
	return ok;
}

int main(int argc, char **argv)
{
	static const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		signal(deadly[i], tell);
	alarm(300);
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		ok = replay(argv[i]) && ok;
	printf("%zu inputs replayed\n", count);
	return ok && count ? 0 : 1;
}
