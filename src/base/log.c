#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
	const char *who;
	int fd;
	bool own;
	enum log_level level;
} log_state = {"carrack", 2, false, LOG_WARN};

static void level_from_env(void)
{
	const char *s = getenv("CARRACK_LOG");
	for (size_t i = 0; s && i < ARRAY_LEN(level_names); i++)
		if (strcasecmp(s, level_names[i]) == 0)
			log_state.level = (enum log_level)i;
}

bool log_open(const char *who, const char *path, enum log_level level, struct err *e)
{
	log_state.who = who;
	log_state.level = level;
	level_from_env();
	if (!path)
		return true;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "cannot open the log file %s", path);
	log_close();
	log_state.fd = fd;
	log_state.own = true;
	return true;
}

void log_close(void)
{
	if (log_state.own)
		close(log_state.fd);
	log_state.fd = 2;
	log_state.own = false;
}

int log_fd(void)
{
	return log_state.fd;
}

bool log_enabled(enum log_level level)
{
	return level <= log_state.level;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	if (!log_enabled(level))
		return;
	int saved = errno;
	char when[CLOCK_ISO_LEN], text[4096];
	clock_iso8601(when);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	struct buf line = BUF_INIT(BUF_MAX_SMALL);
	buf_printf(&line, "%s %s[%d] %s: ", when, log_state.who, (int)getpid(), level_names[level]);
	utf8_put_escaped(&line, text, strlen(text));
	buf_putc(&line, '\n');
	for (size_t done = 0; !line.failed && done < line.len;) {
		ssize_t n = write(log_state.fd, line.data + done, line.len - done);
		if (n <= 0 && errno != EINTR)
			break; /* a full disk or a closed terminal must not stop the kernel */
		done += n > 0 ? (size_t)n : 0;
	}
	buf_release(&line);
	errno = saved;
}
