#include "kernel/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

bool kn_path(char out[KN_PATH], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(out, KN_PATH, fmt, ap);
	va_end(ap);
	if (n >= 0 && n < KN_PATH)
		return true;
	out[0] = '\0';
	return false;
}

bool kn_path_absolute(char out[KN_PATH], const char *path)
{
	char cwd[KN_PATH];
	if (path[0] == '/')
		return kn_path(out, "%s", path);
	if (!getcwd(cwd, sizeof cwd))
		return kn_path(out, "%s", path);
	if (strcmp(path, ".") == 0)
		return kn_path(out, "%s", cwd);
	return kn_path(out, "%s/%s", cwd, strncmp(path, "./", 2) == 0 ? path + 2 : path);
}

const char *kn_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool kn_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool kn_is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool kn_is_executable(const char *path)
{
	return kn_is_file(path) && access(path, X_OK) == 0;
}

bool kn_file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "cannot read %s", path);
	size_t total = 0;
	ssize_t n = 0;
	bool ok = true;
	while (ok) {
		char *to = buf_room(out, 16384);
		n = to ? read(fd, to, 16384) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_added(out, (size_t)n);
		total += (size_t)n;
		ok = total <= max;
	}
	if (n < 0)
		ok = err_errno(e, "cannot read %s", path);
	else if (!ok || out->failed)
		ok = err_set(e, "%s is larger than the %zu bytes expected at most", path, max);
	close(fd);
	return ok;
}

static bool write_all(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t k = write(fd, s, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return false;
		s += k;
		n -= (size_t)k;
	}
	return true;
}

bool kn_file_write(const char *path, const void *bytes, size_t n, struct err *e)
{
	char temp[KN_PATH];
	if (!kn_path(temp, "%s.XXXXXX", path))
		return err_set(e, "the path %s is too long", path);
	int fd = mkstemp(temp);
	if (fd < 0)
		return err_errno(e, "cannot write %s", path);
	bool ok = write_all(fd, bytes, n) && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
	if (!ok)
		err_errno(e, "cannot write %s", path);
	if (close(fd) != 0 && ok)
		ok = err_errno(e, "cannot write %s", path);
	if (ok && rename(temp, path) != 0)
		ok = err_errno(e, "cannot rename %s to %s", temp, path);
	if (!ok)
		unlink(temp);
	return ok;
}

/* It may be there already, also where nothing may be made. */
static bool make_dir(const char *path, struct err *e)
{
	if (mkdir(path, 0755) == 0)
		return true;
	int code = errno;
	if (kn_is_dir(path))
		return true;
	errno = code;
	return err_errno(e, "cannot make the directory %s", path);
}

bool kn_dirs_make(const char *path, struct err *e)
{
	char part[KN_PATH];
	bool ok = kn_path(part, "%s", path) || err_set(e, "the path %s is too long", path);
	for (char *p = part + 1; ok && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		ok = make_dir(part, e);
		*p = '/';
	}
	return ok && make_dir(part, e);
}

bool kn_home(char out[KN_PATH])
{
	const char *home = getenv("HOME");
	if (home && *home)
		return kn_path(out, "%s", home);
	struct passwd *pw = getpwuid(getuid());
	return kn_path(out, "%s", pw && pw->pw_dir && *pw->pw_dir ? pw->pw_dir : "/");
}

bool kn_self(char out[KN_PATH], struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", out, KN_PATH - 1);
	if (n < 0)
		return err_errno(e, "cannot find this program's own path: is /proc mounted?");
	out[n] = '\0';
	/* Linux marks a program whose file was replaced while it ran; its successor has the same path. */
	static const char deleted[] = " (deleted)";
	size_t k = sizeof deleted - 1;
	if ((size_t)n > k && strcmp(out + n - k, deleted) == 0)
		out[(size_t)n - k] = '\0';
	return true;
}

bool kn_on_path(const char *name, char out[KN_PATH])
{
	const char *path = getenv("PATH");
	while (path) {
		size_t n = strcspn(path, ":");
		if (n && kn_path(out, "%.*s/%s", (int)n, path, name) && kn_is_executable(out))
			return true;
		path = path[n] ? path + n + 1 : NULL;
	}
	out[0] = '\0';
	return false;
}

bool kn_session_program(char out[KN_PATH], bool *custom, struct err *e)
{
	char self[KN_PATH], beside[KN_PATH], libexec[KN_PATH];
	const char *asked = getenv("CARRACK_SESSION");
	*custom = asked && *asked;
	if (*custom) {
		if (!kn_path_absolute(out, asked) || !kn_is_executable(out))
			return err_set(e, "CARRACK_SESSION is %s, which is not a program; unset it or name one", asked);
		return true;
	}
	if (!kn_self(self, e))
		return false;
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	if (!kn_path(beside, "%s/carrack-session", self) ||
	    !kn_path(libexec, "%s/../libexec/carrack/carrack-session", self))
		return err_set(e, "the path of this program is too long: %s", self);
	const char *found = kn_is_executable(beside) ? beside : kn_is_executable(libexec) ? libexec : NULL;
	if (!found)
		return err_set(
		    e,
		    "carrack-session is missing: it is neither %s nor %s; install Carrack again, or build it "
		    "with R's headers present (r-base-dev)",
		    beside, libexec);
	return kn_path(out, "%s", found);
}
