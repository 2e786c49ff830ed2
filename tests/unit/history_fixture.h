/* history_fixture.h: a history in the running test's directory, and questions to it. */
#ifndef CARRACK_HISTORY_FIXTURE_H
#define CARRACK_HISTORY_FIXTURE_H

#include "base/log.h"
#include "kernel/history.h"
#include "unit.h"

#include <fcntl.h>

static char file[PATH_MAX], logfile[PATH_MAX];

static inline struct history *begin(void)
{
	struct err e;
	unit_path(file, "data/history.sqlite");
	CHECK(log_open("test", unit_path(logfile, "log"), LOG_INFO, &e));
	struct history *h = history_open(file, &e);
	CHECK(h);
	return h;
}

static inline struct history *again(struct history *h)
{
	history_close(h);
	h = history_open(file, NULL);
	CHECK(h);
	return h;
}

static inline void add(struct history *h, long line, const char *code)
{
	history_add(h, line, code, strlen(code));
}

static inline void output(struct history *h, long line, const char *text)
{
	history_output(h, line, text, strlen(text));
}

/* The answer to a request given as JSON with ' for ". Good until the next call. */
static inline const char *ask(struct history *h, const char *request)
{
	static struct buf out = BUF_INIT(BUF_MAX_MESSAGE);
	struct err e = {0};
	char json[2000];
	snprintf(json, sizeof json, "%s", request);
	for (char *p = json; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	json_t *v = json_object_from(json, strlen(json), "test", &e);
	CHECK(v);
	buf_clear(&out);
	if (!history_answer(h, v, &out, &e)) {
		buf_clear(&out);
		buf_printf(&out, "error: %s", e.msg);
	}
	json_decref(v);
	return out.data;
}

static inline const char *log_text(void)
{
	static char text[20000];
	int fd = open(logfile, O_RDONLY);
	ssize_t n = read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

static inline int count_of(const char *text, const char *what)
{
	int n = 0;
	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

#endif
