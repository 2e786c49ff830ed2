/* echo-session: a session without a language, and the example of how a session is written.
 *
 * `carrack kernel` starts it when CARRACK_SESSION names it. It speaks the link (docs/link.md) through link/peer.h: read
 * this file from its end. main() opens the link, reads CONFIG, says READY, answers one REQUEST after the other and ends
 * at SHUTDOWN or with the link. What a language does with a line of a cell is done by echo-directives.c.
 *
 * Before READY it writes ECHO_START_TEXT to stdout and waits ECHO_START_MS milliseconds; with ECHO_START_FAIL it ends
 * there with that status. With ECHO_PARK a copy of it is parked before each cell (echo-park.c). Copies that serve are made when the
 * kernel asks for them, in `sleep` and where it waits for a request (echo-copy.c).
 */
#include "echo.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

struct link_peer echo_peer;
static int last_fd = STDOUT_FILENO; /* where the last text went */
static bool ending;                 /* SHUTDOWN came */
static volatile sig_atomic_t meant; /* the request that the last interrupt is for */

/* An interrupt names its request, so that one which comes late cannot hit the next request. SIGINT, which comes with
 * it, only makes blocking calls return. */
static void on_signal(int sig, siginfo_t *info, void *context)
{
	if (sig != SIGINT && info->si_code == SI_QUEUE)
		meant = info->si_value.sival_int;
}

/* It has nothing to say of where it is, and goes on. */
static void on_where(int sig)
{
}

static bool interrupted(const struct cell *c)
{
	return c && (uint32_t)meant == c->request;
}

void echo_tell(int type, uint32_t request, const char *head, const char *content, const struct slice *buffers, size_t n)
{
	struct slice rest[LINK_MAX_PARTS] = {{content, content ? strlen(content) : 0}, {"{}", 2}};
	for (size_t i = 0; i < n && i + 2 < LINK_MAX_PARTS; i++)
		rest[i + 2] = buffers[i];
	struct err e;
	if (!link_peer_call(&echo_peer, type, request, head, rest, content ? n + 2 : 0, &e))
		_exit(1);
}

void echo_send_text(int frame, uint32_t request, const char *type, const char *content)
{
	char head[128];
	snprintf(head, sizeof head, "{\"type\":\"%s\"}", type);
	echo_tell(frame, request, head, content, NULL, 0);
}

void echo_send(int frame, uint32_t request, const char *type, json_t *content)
{
	char *text = json_dumps(content, JSON_COMPACT);
	echo_send_text(frame, request, type, text ? text : "{}");
	free(text);
	json_decref(content);
}

bool echo_fail(struct cell *c, const char *ename, const char *evalue)
{
	c->error = json_pack("{s:s, s:s, s:[s]}", "ename", ename, "evalue", evalue, "traceback", evalue);
	echo_send(LINK_PUBLISH, c->request, "error", json_incref(c->error));
	return false;
}

/* Two pipes have no order between them: a rendezvous at each turn from one to the other makes it. */
bool echo_say(struct cell *c, int fd, const char *s, size_t n)
{
	if (fd != last_fd)
		echo_tell(LINK_TURN, c->request, NULL, NULL, NULL, 0);
	last_fd = fd;
	while (n) {
		ssize_t k = write(fd, s, n);
		if (k < 0 && errno != EINTR)
			_exit(1);
		if (interrupted(c))
			return echo_fail(c, "interrupt", "interrupted");
		s += k < 0 ? 0 : k;
		n -= k < 0 ? 0 : (size_t)k;
	}
	return true;
}

bool echo_say_line(struct cell *c, int fd, const char *text)
{
	struct buf b = BUF_INIT(LINK_MAX_FRAME);
	buf_puts(&b, text);
	buf_putc(&b, '\n');
	bool ok = b.failed || echo_say(c, fd, b.data, b.len);
	buf_release(&b);
	return ok;
}

/* The signal is held back except inside ppoll, so that none slips in between the look at `meant` and the wait. */
bool echo_wait(struct cell *c, int fd, long ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	sigset_t hold, before;
	sigemptyset(&hold);
	sigaddset(&hold, LINK_INTERRUPT_SIGNAL);
	sigaddset(&hold, LINK_COPY_SIGNAL);
	sigprocmask(SIG_BLOCK, &hold, &before);
	int64_t end = clock_ms() + ms;
	int ready = -1;
	errno = EINTR;
	while (!interrupted(c) && ready < 0 && errno == EINTR) {
		while (echo_copy_asked()) { /* the copy is to start with the signals open */
			sigprocmask(SIG_SETMASK, &before, NULL);
			echo_copy_turn();
			sigprocmask(SIG_BLOCK, &hold, &before);
		}
		if (fd == echo_peer.fd && link_peer_has_more(&echo_peer)) /* it came while the copy was announced */
			break;
		int64_t left = end > clock_ms() ? end - clock_ms() : 0;
		struct timespec t = {left / 1000, left % 1000 * 1000000};
		ready = ppoll(&pfd, 1, ms < 0 ? NULL : &t, &before);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return !interrupted(c);
}

bool echo_ask(struct cell *c, const char *prompt, bool password)
{
	if (!c->allow_stdin)
		return echo_fail(c, "StdinNotAllowed", "this client takes no questions");
	json_t *head = json_pack("{s:s, s:b}", "prompt", prompt, "password", password);
	char *text = json_dumps(head, JSON_COMPACT);
	echo_tell(LINK_INPUT_REQUEST, c->request, text, NULL, NULL, 0);
	free(text);
	json_decref(head);
	uint32_t question = link_peer_last_seq(&echo_peer);
	while (!ending && !interrupted(c)) {
		struct link_frame f;
		enum link_took took = link_peer_next(&echo_peer, &f, NULL);
		if (took == LINK_BROKEN)
			_exit(1);
		if (took == LINK_MORE)
			echo_wait(c, echo_peer.fd, -1);
		ending = ending || (took == LINK_FRAME && f.type == LINK_SHUTDOWN);
		if (took != LINK_FRAME || f.type != LINK_INPUT || f.request != question)
			continue;
		json_t *answer = link_frame_json(&f, 0, NULL);
		bool ok = echo_say_line(c, STDOUT_FILENO, json_string_or(answer, "value", ""));
		json_decref(answer);
		return ok;
	}
	echo_tell(LINK_INPUT_CANCEL, c->request, NULL, NULL, NULL, 0);
	return echo_fail(c, "interrupt", "interrupted while waiting for input");
}

/* Each user expression is its own value. */
static json_t *user_expressions(const json_t *content)
{
	json_t *given = json_object(), *value;
	const char *name;
	json_object_foreach(json_object_get(content, "user_expressions"), name, value) json_object_set_new(
	    given, name, json_pack("{s:s, s:{s:O}, s:{}}", "status", "ok", "data", "text/plain", value, "metadata"));
	return given;
}

/* Runs the cell line by line until one fails. The execution_count of the reply is the kernel's business. */
static void execute(const struct link_frame *f, const json_t *head, const json_t *content)
{
	struct cell c = {.request = f->request,
			 .count = json_int_or(head, "execution_count", 0),
			 .silent = json_bool_or(head, "silent", false),
			 .allow_stdin = json_bool_or(head, "allow_stdin", false),
			 .buffers = f->part + 3,
			 .n_buffers = f->n > 3 ? f->n - 3 : 0};
	char *code = strdup(json_string_or(content, "code", "")), *rest = code;
	bool ok = true;
	for (char *line; ok && (line = strsep(&rest, "\n"));)
		ok = interrupted(&c) ? echo_fail(&c, "interrupt", "interrupted") : echo_directive(&c, line);
	free(code);
	if (ok) {
		echo_send(LINK_REPLY, c.request, "execute_reply",
			  json_pack("{s:s, s:[], s:o}", "status", "ok", "payload", "user_expressions",
				    user_expressions(content)));
	} else {
		json_object_set_new(c.error, "status", json_string("error"));
		echo_send(LINK_REPLY, c.request, "execute_reply", c.error);
	}
}

/* Comms (messaging spec, "Custom Messages"). One target is known, `echo`; its comms, and those that a cell has opened, send back
 * whatever they are sent. */
static void comm(const struct link_frame *f, const char *type, json_t *content)
{
	struct err e;
	if (!strcmp(type, "comm_open") && strcmp(json_string_or(content, "target_name", ""), "echo") != 0)
		echo_send(LINK_PUBLISH, f->request, "comm_close",
			  json_pack("{s:s, s:{}}", "comm_id", json_string_or(content, "comm_id", ""), "data"));
	if (!strcmp(type, "comm_msg") &&
	    !link_peer_call(&echo_peer, LINK_PUBLISH, f->request, "{\"type\":\"comm_msg\"}", f->part + 1, f->n - 1, &e))
		_exit(1);
	echo_tell(LINK_REPLY, f->request, NULL, NULL, NULL, 0);
}

/* What is asked apart from execution. Every REQUEST gets its REPLY; one without a type sends nothing to the client. */
static void answer(const struct link_frame *f, const char *type, json_t *content)
{
	const char *code = json_string_or(content, "code", "");
	if (!strcmp(type, "is_complete_request")) {
		bool open = *code && code[strlen(code) - 1] == '\\';
		json_t *reply = json_pack("{s:s}", "status", open ? "incomplete" : "complete");
		if (open)
			json_object_set_new(reply, "indent", json_string(""));
		echo_send(LINK_REPLY, f->request, "is_complete_reply", reply);
	} else if (!strcmp(type, "complete_request")) {
		const json_t *given = json_object_get(content, "code");
		json_int_t end = (json_int_t)utf8_count(code, json_string_length(given));
		json_int_t at = json_int_or(content, "cursor_pos", end);
		if (at < 0 || at > end)
			at = end;
		echo_send(LINK_REPLY, f->request, "complete_reply",
			  json_pack("{s:s, s:[], s:I, s:I, s:o}", "status", "ok", "matches", "cursor_start", at,
				    "cursor_end", at, "metadata",
				    echo_is_copy ? json_pack("{s:b}", "copy", 1) : json_object()));
	} else if (!strcmp(type, "inspect_request")) {
		echo_send(LINK_REPLY, f->request, "inspect_reply",
			  json_pack("{s:s, s:b, s:{}, s:{}}", "status", "ok", "found", 0, "data", "metadata"));
	} else if (!strncmp(type, "comm_", 5)) {
		comm(f, type, content);
	} else {
		echo_tell(LINK_REPLY, f->request, NULL, NULL, NULL, 0);
	}
}

/* Whether a copy may answer it: completion and the like, and comm messages whose data say `"look": true`. */
static bool only_looks(const char *type, const json_t *content)
{
	return strncmp(type, "comm_", 5) != 0 || json_bool_or(json_object_get(content, "data"), "look", false);
}

/* A frame is good only until the next call on the peer: the request is copied before it is acted upon. */
static void handle(const struct link_frame *came)
{
	static struct link_frame f;
	struct link_reader copy;
	link_reader_init(&copy);
	struct err e;
	if (!link_encode(&copy.in, came->type, came->seq, came->request, came->part, came->n, &e) ||
	    link_take(&copy, &f, &e) != LINK_FRAME)
		_exit(1);
	json_t *head = link_frame_json(&f, 0, &e), *content = link_frame_json(&f, 1, &e);
	const char *type = json_string_or(head, "type", "");
	/* In the copy that is woken the request is the one that its session died of. */
	bool woken = !strcmp(type, "execute_request") && echo_park();
	if (json_bool_or(head, "look", false) && !only_looks(type, content))
		echo_tell(LINK_PASS, f.request, NULL, NULL, NULL, 0);
	else if (!woken && !strcmp(type, "execute_request"))
		execute(&f, head, content);
	else if (!woken)
		answer(&f, type, content);
	json_decref(head);
	json_decref(content);
	link_reader_release(&copy);
}

void echo_end(int status)
{
	char head[32];
	snprintf(head, sizeof head, "{\"status\":%d}", status);
	echo_tell(LINK_EXIT, 0, head, NULL, NULL, 0);
	exit(status);
}

/* CONFIG is the kernel's first frame; READY, with what kernel_info is to say of the language, opens for requests. */
static bool start(struct err *e)
{
	struct link_frame f;
	if (!link_peer_open(&echo_peer, e) || link_peer_wait(&echo_peer, &f, e) != LINK_FRAME)
		return false;
	if (f.type != LINK_CONFIG)
		return err_set(e, "the kernel sent %s where CONFIG was due", link_type_name(f.type));
	const char *text = getenv("ECHO_START_TEXT"), *ms = getenv("ECHO_START_MS"),
		   *failure = getenv("ECHO_START_FAIL");
	if (text)
		puts(text); /* C's own buffer: the peer flushes it before the next frame */
	if (ms)
		poll(NULL, 0, (int)strtol(ms, NULL, 10));
	if (failure) {
		fprintf(stderr, "echo-session: told not to start\n");
		exit((int)strtol(failure, NULL, 10));
	}
	echo_tell(LINK_READY, 0, "{\"language_version\":\"0\",\"banner\":\"echo\",\"copies\":true}", NULL, NULL, 0);
	return true;
}

void echo_forget(void)
{
	meant = 0;
}

void echo_loop(void)
{
	struct link_frame f;
	struct err e;
	while (!ending) {
		enum link_took took = link_peer_next(&echo_peer, &f, &e);
		if (took == LINK_BROKEN)
			exit(1);
		if (took == LINK_MORE)
			echo_wait(NULL, echo_peer.fd, -1);
		else if (f.type == LINK_REQUEST)
			handle(&f);
		else
			ending = f.type == LINK_SHUTDOWN;
	}
	echo_end(0);
}

int main(void)
{
	struct sigaction on = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	sigaction(SIGINT, &on, NULL);
	sigaction(LINK_INTERRUPT_SIGNAL, &on, NULL);
	signal(LINK_WHERE_SIGNAL, on_where);
	signal(SIGCHLD, SIG_IGN);
	echo_copy_init();
	struct err e;
	if (!start(&e)) {
		fprintf(stderr, "echo-session: %s\n", e.msg);
		return 1;
	}
	echo_loop();
}
