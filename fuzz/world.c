#include "world.h"

#include "base/utf8.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PARENTS 256

/* What a client has heard of the requests that it sent with one header. */
struct parent {
	char *header, *type;
	size_t len;
	int received, cells, busy, idle, replies; /* cells: execute requests on shell, each of which is owed a reply */
};

static struct {
	struct kernel *kernel;
	struct parent parent[MAX_PARENTS];
	size_t n_parents;
	struct jp_message waiting[JP_CHANNELS];
	bool waits[JP_CHANNELS];
	int session; /* the session's end of the link, -1: none */
	int parked;  /* that of the copy that waits, -1: none */
	struct link_reader hears;
	pid_t next_pid, dead;
	int status;
	uint32_t seq;
	int64_t later; /* ms that the clock is fast */
	unsigned uuids;
} world;

static void forget(int *fd, int now)
{
	if (*fd >= 0)
		close(*fd);
	*fd = now;
}

/* ── the operating system ─────────────────────────────────────────────────────────────────────────────────────── */

pid_t fork(void)
{
	return ++world.next_pid;
}

/* 0, 1 and -1 are many processes, or init. */
int kill(pid_t pid, int sig)
{
	FUZZ_CHECK(pid > 1 || pid < -1);
	return 0;
}

int sigqueue(pid_t pid, int sig, const union sigval value)
{
	FUZZ_CHECK(pid > 1);
	return 0;
}

int setpgid(pid_t pid, pid_t group)
{
	return 0;
}

/* Only of the clock that the kernel waits by: the fuzzer has the other. */
int clock_gettime(clockid_t which, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, which, t);
	if (rc == 0 && which == CLOCK_MONOTONIC)
		t->tv_sec += world.later / 1000;
	return rc;
}

/* Keeps the second end, which is the session's; while there is one it is for a copy, which is given it. */
int socketpair(int domain, int type, int protocol, int ends[2])
{
	if (syscall(SYS_socketpair, domain, type, protocol, ends) != 0)
		return -1;
	if (world.kernel->session.pid > 0)
		return 0;
	forget(&world.session, dup(ends[1]));
	link_reader_release(&world.hears);
	return 0;
}

pid_t wait4(pid_t pid, int *status, int flags, struct rusage *usage)
{
	pid_t dead = world.dead;
	world.dead = 0;
	if (dead == 0) {
		errno = ECHILD;
		return -1;
	}
	*status = world.status;
	*usage = (struct rusage){.ru_maxrss = 1000};
	return dead;
}

pid_t waitpid(pid_t pid, int *status, int flags)
{
	return pid;
}

/* ── the clients ──────────────────────────────────────────────────────────────────────────────────────────────── */

static struct parent *find(struct slice header)
{
	for (size_t i = 0; i < world.n_parents; i++)
		if (world.parent[i].len == header.len && memcmp(world.parent[i].header, header.data, header.len) == 0)
			return &world.parent[i];
	return NULL;
}

static void count_received(const struct jp_message *m, enum jp_channel channel)
{
	struct parent *p = find(m->header_text);
	if (!p) {
		p = &world.parent[world.n_parents++];
		*p = (struct parent){.len = m->header_text.len};
		p->header = malloc(p->len);
		p->type = strdup(m->type);
		memcpy(p->header, m->header_text.data, p->len);
	}
	p->received++;
	p->cells += channel == JP_SHELL && strcmp(m->type, "execute_request") == 0;
}

enum jp_got jp_receive(struct jp_sockets *s, enum jp_channel channel, struct jp_message *m, struct err *e)
{
	static const struct jp_key unsigned_key;
	if (!world.waits[channel] || world.n_parents == MAX_PARENTS)
		return JP_NOTHING;
	world.waits[channel] = false;
	*m = world.waiting[channel];
	if (!jp_message_parse(m, &unsigned_key, e)) {
		jp_message_release(m);
		return JP_BAD;
	}
	if (channel != JP_STDIN)
		count_received(m, channel);
	return JP_MESSAGE;
}

static void check_object(struct slice s)
{
	FUZZ_CHECK(utf8_valid(s.data, s.len));
	json_t *v = json_object_from(s.data, s.len, "sent", NULL);
	FUZZ_CHECK(v);
	json_decref(v);
}

/* It is the cell that started last there. */
static bool is_last(const struct publisher *pub, struct slice parent)
{
	return parent.len == pub->last_len && (!pub->last || memcmp(parent.data, pub->last, pub->last_len) == 0);
}

static void check_published(const struct jp_outgoing *o, struct parent *p)
{
	if (strcmp(o->type, "status") == 0) {
		FUZZ_CHECK(p);
		if (strstr(o->content->data, "busy"))
			p->busy++;
		else
			p->idle++;
		FUZZ_CHECK(p->busy <= p->received && p->idle <= p->busy);
		return;
	}
	bool last = is_last(&world.kernel->pub, o->parent);
	for (const struct copy *c = world.kernel->copies.first; c && !last; c = c->next)
		last = is_last(&c->pub, o->parent);
	FUZZ_CHECK(last || (p && p->busy > p->idle));
}

bool jp_send(struct jp_sockets *s, enum jp_channel channel, struct jp_outgoing *o)
{
	struct parent *p = o->parent.len ? find(o->parent) : NULL;
	FUZZ_CHECK(!o->content || !o->content->failed);
	FUZZ_CHECK(o->n_ids || channel != JP_IOPUB);
	FUZZ_CHECK(o->parent.len == 0 || p);
	check_object(jp_content(o));
	if (o->metadata.len)
		check_object(o->metadata);
	if (channel == JP_IOPUB) {
		check_published(o, p);
	} else {
		FUZZ_CHECK(p && p->busy > p->idle);
		if (channel != JP_STDIN)
			p->replies++;
		FUZZ_CHECK(p->replies <= p->busy);
	}
	if (o->id_out)
		snprintf(o->id_out, JP_MAX_ID + 1, "kernel-1");
	if (o->content)
		buf_release(o->content);
	return true;
}

bool jp_sockets_open(struct jp_sockets *s, struct jp_connection *c, struct err *e)
{
	return true;
}

bool jp_register(struct jp_sockets *s, const struct jp_connection *c, int timeout_ms, struct err *e)
{
	return true;
}

void jp_sockets_close(struct jp_sockets *s)
{
}

void jp_uuid(char out[37])
{
	snprintf(out, 37, "00000000-0000-4000-8000-%012x", world.uuids++); /* counted, so that inputs can name them */
}

void jp_heartbeat(struct jp_sockets *s)
{
}

static const char *const message_types[] = {
    "execute_request",   "is_complete_request", "kernel_info_request", "comm_info_request",
    "history_request",   "complete_request",    "inspect_request",     "connect_request",
    "interrupt_request", "shutdown_request",    "comm_open",           "comm_msg",
    "comm_close",        "input_reply",         "unknown_request",     "",
};

static const char *const contents[] = {
    "{\"code\":\"1\"}",
    "{\"code\":\"1\",\"silent\":true}",
    "{\"code\":\"1\",\"stop_on_error\":false,\"store_history\":false,\"allow_stdin\":false}",
    "{}",
    "{\"comm_id\":\"c\",\"target_name\":\"t\",\"data\":{}}",
    "{\"value\":\"answer\"}",
    "{\"hist_access_type\":\"search\",\"pattern\":\"*[1]?\",\"unique\":true,\"output\":true}",
    "{\"hist_access_type\":\"tail\",\"n\":3}",
    "{\"restart\":true}",
    "{\"code\":\"a\",\"cursor_pos\":1,\"detail_level\":0}",
};

static void add(struct jp_message *m, const void *s, size_t n)
{
	struct err e;
	FUZZ_CHECK(jp_message_add(m, s, n, &e));
}

static struct jp_message *waiting(enum jp_channel channel)
{
	struct jp_message *m = &world.waiting[channel];
	if (world.waits[channel])
		jp_message_release(m);
	jp_message_init(m);
	world.waits[channel] = true;
	return m;
}

void world_put(enum jp_channel channel, const char *header, struct slice content)
{
	struct jp_message *m = waiting(channel);
	add(m, "client", 6);
	add(m, JP_DELIMITER, strlen(JP_DELIMITER));
	add(m, "", 0);
	add(m, header, strlen(header));
	add(m, "{}", 2);
	add(m, "{}", 2);
	add(m, content.data, content.len);
}

/* Parts as the input has them, which seldom are a message; or a message with a choice of types and contents. */
void world_message(struct fuzz_input *in, enum jp_channel channel)
{
	struct jp_message *m = waiting(channel);
	uint8_t how = fuzz_byte(in);
	size_t n;
	if (how & 0x80) {
		for (int i = how & 15; i > 0; i--) {
			const char *s = fuzz_bytes(in, &n);
			add(m, s, n);
		}
		return;
	}
	char header[200];
	const char *type = message_types[how % ARRAY_LEN(message_types)];
	snprintf(header, sizeof header, "{\"msg_id\":\"%d\",\"msg_type\":\"%s\"}", fuzz_byte(in), type);
	add(m, how & 0x40 ? "other" : "client", how & 0x40 ? 5 : 6);
	add(m, JP_DELIMITER, strlen(JP_DELIMITER));
	add(m, "", 0);
	const char *s = how & 0x20 ? fuzz_bytes(in, &n) : header;
	add(m, s, s == header ? strlen(header) : n);
	const char *parent = how & 0x10 ? "{\"msg_id\":\"kernel-1\"}" : "{}";
	add(m, parent, strlen(parent));
	add(m, "{}", 2);
	uint8_t which = fuzz_byte(in);
	if (which < ARRAY_LEN(contents)) {
		add(m, contents[which], strlen(contents[which]));
	} else {
		s = fuzz_bytes(in, &n);
		add(m, s, n);
	}
	if (which & 0x80)
		add(m, "buffer", 6);
}

/* ── the session ──────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *const heads[] = {
    "",
    "{}",
    "{\"link\":1,\"pid\":7}",
    "{\"language_version\":\"4.2.2\",\"banner\":\"b\"}",
    "{\"type\":\"display_data\"}",
    "{\"type\":\"execute_result\"}",
    "{\"type\":\"comm_open\"}",
    "{\"type\":\"comm_close\"}",
    "{\"type\":\"execute_reply\"}",
    "{\"prompt\":\"?\",\"password\":true}",
    "{\"status\":3}",
    "{\"level\":\"warn\",\"text\":\"t\"}",
    "{\"pid\":77,\"lost\":[\"l\"],\"ms\":1.5}",
    "{\"comm\":\"c\",\"method\":\"m\",\"params\":{\"a\":[1]}}",
};

static const char *const bodies[] = {
    "",
    "{}",
    "{\"status\":\"ok\"}",
    "{\"status\":\"error\",\"ename\":\"e\",\"evalue\":\"v\",\"traceback\":[]}",
    "{\"data\":{\"text/plain\":\"[1] 1\"},\"metadata\":{}}",
    "{\"comm_id\":\"c\",\"target_name\":\"t\",\"data\":{}}",
    "[]",
};

static struct slice choose(struct fuzz_input *in, const char *const *table, size_t count)
{
	uint8_t which = fuzz_byte(in);
	struct slice part;
	if (which < count)
		return (struct slice){table[which], strlen(table[which])};
	part.data = fuzz_bytes(in, &part.len);
	return part;
}

void world_send(int link, const char *s, size_t n, const int *fds, size_t n_fds)
{
	(void)link_send_fds(link, s, n, fds, n_fds, MSG_DONTWAIT);
}

/* The same, if asked for with a descriptor (docs/link.md, "Parked processes"), whose other end lives on or not. */
static void send_bytes(const char *s, size_t n, bool with_fd, bool lives)
{
	int pair[2] = {-1, -1};
	FUZZ_CHECK(!with_fd || syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	world_send(world.session, s, n, pair, with_fd);
	if (with_fd) {
		close(pair[0]);
		if (lives)
			forget(&world.parked, pair[1]);
		else
			close(pair[1]);
	}
}

bool world_frame_of(struct fuzz_input *in, struct buf *out, uint32_t seq, uint32_t running, uint8_t *how)
{
	struct slice part[4];
	uint8_t type = fuzz_byte(in), which = fuzz_byte(in);
	uint32_t request = which & 0x80 ? fuzz_byte(in) : running;
	size_t n = which % 5;
	for (size_t i = 0; i < n; i++)
		part[i] = i == 0 ? choose(in, heads, ARRAY_LEN(heads)) : choose(in, bodies, ARRAY_LEN(bodies));
	*how = which;
	return link_encode(out, type < 64 ? 16 + type % 16 : type, seq, request, part, n, NULL);
}

void world_frame(struct kernel *k, struct fuzz_input *in)
{
	struct buf out = BUF_INIT(BUF_MAX_SMALL);
	uint8_t how;
	bool made = world_frame_of(in, &out, world.seq + 1, k->main.running ? k->main.running->id : 0, &how);
	if (made && world.session >= 0) {
		world.seq++;
		send_bytes(out.data, out.len, how & 0x40, how & 0x20);
		link_read(k, &k->main);
	}
	buf_release(&out);
}

void world_serving(struct kernel *k, const char *head, const int *fds, size_t n_fds)
{
	struct buf out = BUF_INIT(BUF_MAX_SMALL);
	struct slice part = SLICE_STR(head);
	if (world.session >= 0 && link_encode(&out, LINK_SERVING, ++world.seq, 0, &part, 1, NULL)) {
		world_send(world.session, out.data, out.len, fds, n_fds);
		link_read(k, &k->main);
	}
	buf_release(&out);
}

void world_bytes(struct kernel *k, struct fuzz_input *in)
{
	size_t n;
	const char *s = fuzz_bytes(in, &n);
	if (world.session < 0 || n == 0)
		return;
	send_bytes(s, n, false, false);
	link_read(k, &k->main);
}

int world_parked(void)
{
	return world.parked;
}

void world_later(int64_t ms)
{
	world.later += ms;
}

void world_session_dies(struct kernel *k, int signal)
{
	if (k->session.pid <= 0)
		return;
	forget(&world.session, -1);
	world.dead = k->session.pid;
	world.status = signal % 32 ? signal % 32 : 0x300; /* as wait(2) has it: a signal, or exit(3) */
	session_reap(k);
	if (k->session.waking && world.session < 0) {
		world.session = world.parked;
		world.parked = -1;
		link_reader_release(&world.hears);
	}
}

void world_hears(struct kernel *k)
{
	static struct link_frame f;
	struct err e;
	while (world.session >= 0) {
		char *to = buf_room(&world.hears.in, 65536);
		ssize_t n = recv(world.session, to, 65536, MSG_DONTWAIT);
		if (n <= 0)
			break;
		buf_added(&world.hears.in, (size_t)n);
		enum link_took took;
		while ((took = link_take(&world.hears, &f, &e)) == LINK_FRAME)
			FUZZ_CHECK(strcmp(link_type_name(f.type), "?") != 0 && f.type < LINK_HELLO);
		FUZZ_CHECK(took == LINK_MORE);
	}
	link_flush(&k->main);
}

/* ── the beginning and the end ────────────────────────────────────────────────────────────────────────────────── */

void world_begin(struct kernel *k)
{
	memset(&world, 0, sizeof world);
	world.kernel = k;
	world.session = world.parked = -1;
	world.next_pid = 1 << 28; /* larger than the number of any process */
	link_reader_init(&world.hears);
}

void world_end(struct kernel *k)
{
	for (size_t i = 0; i < world.n_parents; i++) {
		struct parent *p = &world.parent[i];
		FUZZ_CHECK(p->busy == p->received && p->idle == p->received);
		if (strcmp(p->type, "execute_request") == 0)
			FUZZ_CHECK(p->replies == p->cells);
		free(p->header);
		free(p->type);
	}
	for (int i = 0; i < JP_CHANNELS; i++)
		if (world.waits[i])
			jp_message_release(&world.waiting[i]);
	forget(&world.session, -1);
	forget(&world.parked, -1);
	link_reader_release(&world.hears);
}
