/* echo-directives: the "language" of echo-session. Each line of a cell is a directive, so that a test can have anything
 * happen in a session; a line that is none is its own value.
 *
 *     out TEXT, err TEXT   a line on stdout, on stderr       sleep MS             wait; an interrupt ends it
 *     raw HEX              these bytes on stdout             hang                 wait for ever, deaf to signals
 *     turn                 the bare rendezvous               child MS TEXT        a child writes TEXT after MS ms
 *     flood N              N lines, each a write(2)          input, password TEXT ask, and `out` the answer
 *     big N                N bytes in one write(2)           error ENAME TEXT     end the cell with this error
 *     result TEXT          execute_result                    quit STATUS          end in good order, as q() does
 *     display JSON         display_data                      exitnow STATUS       end without a word
 *     update JSON          update_display_data               crash, kill9         end by SIGABRT, by SIGKILL
 *     comm JSON            comm_open                         badframe             garbage on the link
 *     publish TYPE JSON    any message                       badjson, badtype     what nobody may PUBLISH
 *     buffers              the request's buffers again       log LEVEL TEXT       a line for the kernel's log
 *     env NAME             `out` the variable's value        trap                 ignore SIGTERM and SIGHUP
 *     unlink               close the link, and hang          undo                 back to before the last cell
 *     setenv NAME VALUE    what `env` says from then on
 *     keep TEXT, kept      state of the session: set it, and `out` it
 *     displays N SIZE      N times display_data of SIZE bytes
 *     pour                 lines on stdout for ever, deaf to signals
 */
#include "echo.h"

#include <signal.h>
#include <unistd.h>

static bool do_out(struct cell *c, const char *arg)
{
	return echo_say_line(c, STDOUT_FILENO, arg);
}

static bool do_err(struct cell *c, const char *arg)
{
	return echo_say_line(c, STDERR_FILENO, arg);
}

static bool do_raw(struct cell *c, const char *arg)
{
	struct buf b = BUF_INIT(LINK_MAX_FRAME);
	for (unsigned byte; sscanf(arg, "%2x", &byte) == 1; arg += 2)
		buf_putc(&b, (char)byte);
	bool ok = !b.data || echo_say(c, STDOUT_FILENO, b.data, b.len);
	buf_release(&b);
	return ok;
}

static bool do_turn(struct cell *c, const char *arg)
{
	echo_tell(LINK_TURN, c->request, NULL, NULL, NULL, 0);
	return true;
}

static bool do_flood(struct cell *c, const char *arg)
{
	char line[32];
	bool ok = true;
	for (long i = 0, n = strtol(arg, NULL, 10); ok && i < n; i++)
		ok = echo_say(c, STDOUT_FILENO, line, (size_t)snprintf(line, sizeof line, "%ld\n", i));
	return ok;
}

/* Lines of 79 letters, each line of the letter after the one before. */
static bool do_big(struct cell *c, const char *arg)
{
	size_t n = strtoul(arg, NULL, 10);
	char *s = malloc(n + 1);
	for (size_t i = 0; s && i < n; i++)
		s[i] = i % 80 == 79 || i + 1 == n ? '\n' : (char)('a' + i / 80 % 26);
	bool ok = !s || echo_say(c, STDOUT_FILENO, s, n);
	free(s);
	return ok;
}

static bool do_result(struct cell *c, const char *arg)
{
	if (!c->silent)
		echo_send(LINK_PUBLISH, c->request, "execute_result",
			  json_pack("{s:I, s:{s:s}, s:{}}", "execution_count", c->count, "data", "text/plain", arg,
				    "metadata"));
	return true;
}

static bool do_display(struct cell *c, const char *arg)
{
	echo_send_text(LINK_PUBLISH, c->request, "display_data", arg);
	return true;
}

static bool do_displays(struct cell *c, const char *arg)
{
	char *rest = NULL;
	long n = strtol(arg, &rest, 10);
	size_t bytes = strtoul(rest, NULL, 10);
	struct buf text = BUF_INIT(LINK_MAX_FRAME), json = BUF_INIT(LINK_MAX_FRAME);
	bool ok = buf_room(&text, bytes) != NULL;
	for (long i = 0; ok && i < n; i++) {
		memset(text.data, 'a' + (int)(i % 26), bytes);
		buf_clear(&json);
		buf_puts(&json, "{\"data\":{");
		jx_key(&json, "text/plain");
		jx_string(&json, text.data, bytes);
		buf_puts(&json, "},\"metadata\":{}}");
		do_display(c, json.data);
		ok = echo_wait(c, -1, 0) || echo_fail(c, "interrupt", "interrupted");
	}
	buf_release(&text);
	buf_release(&json);
	return ok;
}

static bool do_update(struct cell *c, const char *arg)
{
	echo_send_text(LINK_PUBLISH, c->request, "update_display_data", arg);
	return true;
}

static bool do_comm(struct cell *c, const char *arg)
{
	echo_send_text(LINK_PUBLISH, c->request, "comm_open", arg);
	return true;
}

static bool do_publish(struct cell *c, const char *arg)
{
	char type[64] = "";
	int at = 0;
	if (sscanf(arg, "%63s %n", type, &at) == 1)
		echo_send_text(LINK_PUBLISH, c->request, type, arg + at);
	return true;
}

static bool do_badjson(struct cell *c, const char *arg)
{
	return do_display(c, "{\"data\": nonsense");
}

static bool do_badtype(struct cell *c, const char *arg)
{
	return do_publish(c, "status {\"execution_state\": \"idle\"}");
}

static bool do_buffers(struct cell *c, const char *arg)
{
	echo_tell(LINK_PUBLISH, c->request, "{\"type\":\"display_data\"}",
		  "{\"data\":{\"text/plain\":\"buffers\"},\"metadata\":{}}", c->buffers, c->n_buffers);
	return true;
}

static bool do_sleep(struct cell *c, const char *arg)
{
	return echo_wait(c, -1, strtol(arg, NULL, 10)) || echo_fail(c, "interrupt", "interrupted");
}

static bool do_hang(struct cell *c, const char *arg)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	while (pause() < 0)
		continue;
	return true;
}

static bool do_pour(struct cell *c, const char *arg)
{
	static char lines[80 * 1000];
	sigset_t all;
	memset(lines, 'o', sizeof lines);
	for (size_t i = 79; i < sizeof lines; i += 80)
		lines[i] = '\n';
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	while (write(STDOUT_FILENO, lines, sizeof lines) > 0)
		continue;
	_exit(1);
}

/* The child outlives the cell and, if that comes first, the session. It holds copies of the link and of both pipes, as
 * a forked child of R's does; the peer keeps it off the link. */
static bool do_child(struct cell *c, const char *arg)
{
	char *text = NULL;
	long ms = strtol(arg, &text, 10);
	text += *text == ' ';
	if (fork() != 0)
		return true;
	signal(SIGINT, SIG_DFL);
	usleep((useconds_t)ms * 1000);
	bool ok = dprintf(STDOUT_FILENO, "%s\n", text) > 0;
	_exit(ok ? 0 : 1);
}

static bool do_input(struct cell *c, const char *arg)
{
	return echo_ask(c, arg, false);
}

static bool do_password(struct cell *c, const char *arg)
{
	return echo_ask(c, arg, true);
}

static bool do_error(struct cell *c, const char *arg)
{
	char ename[64] = "error";
	int at = 0;
	sscanf(arg, "%63s %n", ename, &at);
	return echo_fail(c, ename, arg + at);
}

static bool do_quit(struct cell *c, const char *arg)
{
	echo_end((int)strtol(arg, NULL, 10));
}

static bool do_exitnow(struct cell *c, const char *arg)
{
	_exit((int)strtol(arg, NULL, 10));
}

static bool do_crash(struct cell *c, const char *arg)
{
	abort();
}

static bool do_kill9(struct cell *c, const char *arg)
{
	return kill(getpid(), SIGKILL) == 0;
}

/* Stays alive after it: it is the kernel that has to notice. */
static bool do_badframe(struct cell *c, const char *arg)
{
	static const char garbage[] = "this is no frame at all";
	if (write(echo_peer.fd, garbage, sizeof garbage) < 0)
		_exit(1);
	return do_hang(c, arg);
}

/* A session that closes its end and lives on, which a library that closes all descriptors can make of any. */
static bool do_unlink(struct cell *c, const char *arg)
{
	close(echo_peer.fd);
	return do_hang(c, arg);
}

static bool do_env(struct cell *c, const char *arg)
{
	const char *value = getenv(arg);
	return do_out(c, value ? value : "(unset)");
}

static bool do_setenv(struct cell *c, const char *arg)
{
	char name[64] = "";
	int at = 0;
	return sscanf(arg, "%63s %n", name, &at) == 1 && setenv(name, arg + at, 1) == 0;
}

static bool do_log(struct cell *c, const char *arg)
{
	char level[16] = "info";
	int at = 0;
	sscanf(arg, "%15s %n", level, &at);
	json_t *entry = json_pack("{s:s, s:s}", "level", level, "text", arg + at);
	char *head = json_dumps(entry, JSON_COMPACT);
	echo_tell(LINK_LOG, 0, head, NULL, NULL, 0);
	free(head);
	json_decref(entry);
	return true;
}

static bool do_trap(struct cell *c, const char *arg)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	return true;
}

static char kept[64];

static bool do_keep(struct cell *c, const char *arg)
{
	snprintf(kept, sizeof kept, "%s", arg);
	return true;
}

static bool do_kept(struct cell *c, const char *arg)
{
	return do_out(c, kept);
}

static bool do_undo(struct cell *c, const char *arg)
{
	echo_tell(LINK_UNDO, c->request, NULL, NULL, NULL, 0);
	return echo_fail(c, "error", "there is no copy");
}

static const struct {
	const char *name;
	bool (*run)(struct cell *c, const char *arg);
} directives[] = {
    {"out", do_out},           {"err", do_err},           {"raw", do_raw},           {"turn", do_turn},
    {"flood", do_flood},       {"big", do_big},           {"result", do_result},     {"display", do_display},
    {"update", do_update},     {"comm", do_comm},         {"publish", do_publish},   {"badjson", do_badjson},
    {"badtype", do_badtype},   {"buffers", do_buffers},   {"sleep", do_sleep},       {"hang", do_hang},
    {"child", do_child},       {"input", do_input},       {"password", do_password}, {"error", do_error},
    {"quit", do_quit},         {"exitnow", do_exitnow},   {"crash", do_crash},       {"kill9", do_kill9},
    {"badframe", do_badframe}, {"env", do_env},           {"log", do_log},           {"trap", do_trap},
    {"unlink", do_unlink},     {"keep", do_keep},         {"kept", do_kept},         {"undo", do_undo},
    {"pour", do_pour},         {"displays", do_displays}, {"setenv", do_setenv},
};

bool echo_directive(struct cell *c, const char *line)
{
	size_t word = strcspn(line, " ");
	for (size_t i = 0; i < ARRAY_LEN(directives); i++)
		if (strlen(directives[i].name) == word && memcmp(line, directives[i].name, word) == 0)
			return directives[i].run(c, line + word + (line[word] == ' '));
	return !*line || do_result(c, line);
}
