#include "kernel/probe.h"

#include "base/clock.h"
#include "base/json.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_KEEP 4000
#define END_LIMIT_MS 5000

struct talk {
	struct probe *p;
	pid_t pid;
	int link, text;
	uint32_t seq;
	struct link_reader in;
	struct link_frame frame; /* the one that came last */
};

static bool start(struct talk *t, const struct rhome *r, struct err *e)
{
	struct kernel_options o = {.mode = MODE_NOTEBOOK, .capture_streams = true};
	struct session_environ env = {0};
	int ends[2] = {-1, -1}, pipes[2] = {-1, -1};
	/* Only the two things that environ_make looks at; the rest of a kernel is not there. */
	struct kernel *k = calloc(1, sizeof *k);
	if (!k)
		return err_set(e, "out of memory");
	k->options = &o;
	k->rhome = *r;
	bool ok = (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 || err_errno(e, "socketpair"));
	ok = ok && (pipe2(pipes, O_CLOEXEC) == 0 || err_errno(e, "pipe"));
	ok = ok && environ_make(&env, k, ends[1], e);
	ok = ok && kn_spawn(&t->pid, env.argv, env.envp, NULL, pipes[1], ends[1], e);
	environ_free(&env);
	free(k);
	t->link = ends[0];
	t->text = pipes[0];
	if (ends[1] >= 0)
		close(ends[1]);
	if (pipes[1] >= 0)
		close(pipes[1]);
	return ok;
}

static bool send_frame(struct talk *t, int type, uint32_t request, const char *head, const char *content, struct err *e)
{
	struct slice parts[2] = {{head, head ? strlen(head) : 0}, {content, content ? strlen(content) : 0}};
	struct buf out = BUF_INIT(BUF_MAX_SMALL);
	bool ok = link_encode(&out, type, ++t->seq, request, parts, content ? 2 : head ? 1 : 0, e);
	for (size_t done = 0; ok && done < out.len;) {
		ssize_t n = send(t->link, out.data + done, out.len - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		ok = n > 0 || err_errno(e, "cannot write to the session");
		done += n > 0 ? (size_t)n : 0;
	}
	buf_release(&out);
	return ok;
}

/* Takes the text that is there. It must be taken, or a session that prints much would wait for ever. */
static void take_text(struct talk *t)
{
	struct buf *b = &t->p->text;
	char *to = buf_room(b, 65536);
	ssize_t n = to ? read(t->text, to, 65536) : 0;
	if (n > 0)
		buf_added(b, (size_t)n);
	if (n == 0) {
		close(t->text);
		t->text = -1;
	}
	if (b->len > 2 * TEXT_KEEP)
		buf_consume(b, b->len - TEXT_KEEP);
}

static bool ended(struct talk *t, struct err *e)
{
	int status = 0;
	close(t->link);
	t->link = -1;
	for (int64_t until = clock_ms() + 1000; t->text >= 0 && clock_ms() < until;) {
		struct pollfd p = {.fd = t->text, .events = POLLIN};
		if (poll(&p, 1, 100) <= 0)
			break;
		take_text(t);
	}
	for (int i = 0; i < 100 && t->pid > 0; i++) {
		if (waitpid(t->pid, &status, WNOHANG) == t->pid)
			t->pid = 0;
		else
			poll(NULL, 0, 10);
	}
	if (t->pid > 0)
		return err_set(e, "the session closed its link without a word, and did not end");
	if (WIFSIGNALED(status))
		return err_set(e, "the session was ended by signal %d (%s)", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	return err_set(e, "the session ended by itself with exit status %d", WEXITSTATUS(status));
}

/* Reads what has come on the link. */
static bool read_link(struct talk *t, struct err *e)
{
	char *to = buf_room(&t->in.in, 65536);
	if (!to)
		return err_set(e, "the session sent too much");
	ssize_t n = read(t->link, to, 65536);
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return ended(t, e);
	buf_added(&t->in.in, (size_t)n);
	return true;
}

/* Waits for a frame of this type and acknowledges it, and all that come before it. */
static bool await(struct talk *t, int type, int limit_ms, const char *what, struct err *e)
{
	int64_t until = clock_ms() + limit_ms;
	for (;;) {
		enum link_took took = link_take(&t->in, &t->frame, e);
		if (took == LINK_BROKEN)
			return false;
		if (took == LINK_FRAME) {
			if (!send_frame(t, LINK_ACK, t->frame.seq, NULL, NULL, e))
				return false;
			if (t->frame.type == type)
				return true;
			continue;
		}
		int64_t left = until - clock_ms();
		struct pollfd p[2] = {{.fd = t->link, .events = POLLIN}, {.fd = t->text, .events = POLLIN}};
		if (left <= 0)
			return err_set(e, "the session %s within %d s", what, limit_ms / 1000);
		if (poll(p, 2, (int)left) <= 0)
			continue;
		if (p[1].revents)
			take_text(t);
		if (p[0].revents && !read_link(t, e))
			return false;
	}
}

static bool wait_ready(struct talk *t, int64_t began, struct err *e)
{
	static const char config[] = "{\"version\":\"" CARRACK_VERSION "\",\"mode\":\"notebook\",\"args\":[],"
				     "\"startup_file\":null,\"repos\":{\"kind\":\"none\"},\"restarts\":0}";
	if (!send_frame(t, LINK_CONFIG, 0, config, NULL, e) ||
	    !await(t, LINK_READY, PROBE_LIMIT_MS, "was not ready", e))
		return false;
	t->p->ready = true;
	t->p->ready_ms = clock_ms() - began;
	json_t *head = link_frame_json(&t->frame, 0, e);
	if (head)
		snprintf(t->p->version, sizeof t->p->version, "%s", json_string_or(head, "language_version", "?"));
	json_decref(head);
	return head != NULL;
}

static bool run_code(struct talk *t, const char *code, struct err *e)
{
	static const char head[] = "{\"type\":\"execute_request\",\"msg_id\":\"doctor\",\"execution_count\":0,"
				   "\"allow_stdin\":false,\"silent\":true,\"store_history\":false}";
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	buf_puts(&content, "{");
	jx_key_string(&content, "code", code);
	buf_puts(&content, ",\"silent\":true,\"store_history\":false,\"user_expressions\":{},\"allow_stdin\":false,"
			   "\"stop_on_error\":true}");
	bool ok = !content.failed && send_frame(t, LINK_REQUEST, 1, head, content.data, e) &&
		  await(t, LINK_REPLY, PROBE_LIMIT_MS, "gave no reply", e);
	json_t *reply = ok ? link_frame_json(&t->frame, 1, e) : NULL;
	if (reply && strcmp(json_string_or(reply, "status", ""), "ok") != 0)
		ok = err_set(e, "the session answered with an error: %.300s: %.500s",
			     json_string_or(reply, "ename", "?"), json_string_or(reply, "evalue", ""));
	t->p->ran = ok && reply;
	json_decref(reply);
	buf_release(&content);
	return t->p->ran;
}

static void stop(struct talk *t)
{
	struct err e;
	int status;
	if (t->link >= 0 && send_frame(t, LINK_SHUTDOWN, 0, "{\"restart\":false}", NULL, &e) &&
	    await(t, LINK_EXIT, END_LIMIT_MS, "did not end", &e)) {
		for (int i = 0; i < END_LIMIT_MS / 10 && t->pid > 0; i++) {
			if (waitpid(t->pid, &status, WNOHANG) == t->pid)
				t->pid = 0;
			else
				poll(NULL, 0, 10);
		}
	}
	if (t->pid > 0) {
		kill(-t->pid, SIGKILL);
		waitpid(t->pid, &status, 0);
	}
	if (t->link >= 0)
		close(t->link);
	if (t->text >= 0)
		close(t->text);
	link_reader_release(&t->in);
}

bool probe_run(struct probe *p, const struct rhome *r, const char *code, struct err *e)
{
	*p = (struct probe){.text = BUF_INIT(BUF_MAX_SMALL)};
	struct talk *t = calloc(1, sizeof *t);
	if (!t)
		return err_set(e, "out of memory");
	*t = (struct talk){.p = p, .link = -1, .text = -1};
	link_reader_init(&t->in);
	int64_t began = clock_ms();
	bool ok = start(t, r, e) && wait_ready(t, began, e) && run_code(t, code, e);
	stop(t);
	free(t);
	return ok;
}

void probe_release(struct probe *p)
{
	buf_release(&p->text);
}
