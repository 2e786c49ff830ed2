#include "peer.h"

#include "base/utf8.h"
#include "session/session.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sys/prctl.h>

#define STANDARD_SIGNALS 32

int session_main(int argc, char **argv);

static jmp_buf started;
static struct link_reader config_reader;
static json_t *comms; /* the ids of those that are open */

static struct {
	uint32_t request;
	int replies, answers;
	char type[96];
	struct buf content;
} heard;

/* ── what the session says ── */

static json_t *object_in(const struct slice *rest, size_t n, size_t i)
{
	FUZZ_CHECK(i < n);
	FUZZ_CHECK(utf8_valid(rest[i].data ? rest[i].data : "", rest[i].len));
	json_t *v = json_object_from(rest[i].data, rest[i].len, "part", NULL);
	FUZZ_CHECK(v);
	return v;
}

static void check_comm(const char *type, const json_t *content)
{
	const char *id = json_string_or(content, "comm_id", NULL);
	const json_t *data = json_object_get(content, "data");
	FUZZ_CHECK(id && json_is_object(data));
	if (strcmp(type, "comm_open") == 0) {
		FUZZ_CHECK(!peer_comm_is_open(id));
		FUZZ_CHECK(json_is_string(json_object_get(content, "target_name")));
		peer_comm_opened(id);
		return;
	}
	/* Who writes to a comm that the session does not know is told that it is closed. */
	FUZZ_CHECK(peer_comm_is_open(id) || strcmp(type, "comm_close") == 0);
	if (strcmp(type, "comm_close") == 0)
		peer_comm_closed(id);
	else if (!json_object_get(data, "params") &&
		 (json_object_get(data, "result") || json_object_get(data, "error")))
		heard.answers++;
}

static void published(const json_t *head, const struct slice *rest, size_t n)
{
	const char *type = json_string_or(head, "type", "");
	json_t *content = object_in(rest, n, 0);
	if (rest[1].len)
		json_decref(object_in(rest, n, 1));
	if (strncmp(type, "comm_", 5) == 0)
		check_comm(type, content);
	else
		FUZZ_CHECK(strcmp(type, "display_data") == 0 || strcmp(type, "error") == 0);
	json_decref(content);
}

static void replied(const json_t *head, uint32_t request, const struct slice *rest, size_t n)
{
	FUZZ_CHECK(request == heard.request && request);
	FUZZ_CHECK(heard.replies++ == 0);
	snprintf(heard.type, sizeof heard.type, "%s", json_string_or(head, "type", "?"));
	json_decref(object_in(rest, n, 0));
	buf_clear(&heard.content);
	buf_put(&heard.content, rest[0].data, rest[0].len);
}

bool link_peer_call_with(struct link_peer *p, int type, uint32_t request, const char *head, const struct slice *rest,
			 size_t n_rest, const int *fds, size_t n_fds, struct err *e)
{
	FUZZ_CHECK(getpid() == p->owner && n_rest < LINK_MAX_PARTS);
	if (p->before_frame)
		p->before_frame();
	p->seq++;
	FUZZ_CHECK(utf8_valid(head ? head : "", head ? strlen(head) : 0));
	json_t *object = json_object_from(head ? head : "{}", head ? strlen(head) : 2, "head", NULL);
	FUZZ_CHECK(object);
	if (type == LINK_PUBLISH)
		published(object, rest, n_rest);
	else if (type == LINK_REPLY)
		replied(object, request, rest, n_rest);
	else
		FUZZ_CHECK(type == LINK_LOG || type == LINK_TURN || type == LINK_HELLO || type == LINK_READY);
	json_decref(object);
	return true;
}

bool link_peer_call(struct link_peer *p, int type, uint32_t request, const char *head, const struct slice *rest,
		    size_t n_rest, struct err *e)
{
	return link_peer_call_with(p, type, request, head, rest, n_rest, NULL, 0, e);
}

bool link_peer_note(struct link_peer *p, int type, const char *head, size_t n)
{
	return false;
}

uint32_t link_peer_last_seq(const struct link_peer *p)
{
	return p->seq;
}

bool link_peer_has_more(const struct link_peer *p)
{
	return false;
}

/* ── the start ── */

bool link_peer_open(struct link_peer *p, struct err *e)
{
	*p = (struct link_peer){.fd = open("/dev/null", O_RDONLY | O_CLOEXEC), .owner = getpid()};
	return p->fd >= 0;
}

void link_peer_close(struct link_peer *p)
{
}

void link_peer_adopt(struct link_peer *p, int fd)
{
	abort(); /* no copies are made */
}

enum link_took link_peer_wait(struct link_peer *p, struct link_frame *f, struct err *e)
{
	return link_take(&config_reader, f, e);
}

/* The session wants its first request: it has started. */
enum link_took link_peer_next(struct link_peer *p, struct link_frame *f, struct err *e)
{
	longjmp(started, 1);
}

/* The session's signal handlers would stand in the sanitizers' and libFuzzer's way. */
void peer_start(const char *config)
{
	static char program[] = "carrack-session", r[] = "R";
	static char *argv[] = {program, r, NULL};
	static struct sigaction before[STANDARD_SIGNALS];
	static stack_t stack;
	struct slice head = SLICE_STR(config);
	for (int sig = 1; sig < STANDARD_SIGNALS; sig++)
		sigaction(sig, NULL, &before[sig]);
	sigaltstack(NULL, &stack);
	link_reader_init(&config_reader);
	buf_init(&heard.content, BUF_MAX_MESSAGE);
	comms = json_object();
	FUZZ_CHECK(link_encode(&config_reader.in, LINK_CONFIG, 1, 0, &head, 1, NULL));
	if (!setjmp(started)) {
		session_main(2, argv);
		abort(); /* R does not start */
	}
	for (int sig = 1; sig < STANDARD_SIGNALS; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &before[sig], NULL);
	sigaltstack(&stack, NULL);
	prctl(PR_SET_PDEATHSIG, 0);
	link_reader_release(&config_reader);
}

/* ── requests ── */

void peer_ask(const struct slice *parts, size_t n, const char *reply)
{
	static struct link_frame f; /* large */
	f.type = LINK_REQUEST;
	f.request = ++heard.request;
	f.n = n;
	memcpy(f.part, parts, n * sizeof *parts);
	heard.replies = heard.answers = 0;
	ss_request(&f);
	FUZZ_CHECK(heard.replies == 1);
	FUZZ_CHECK(strcmp(heard.type, reply) == 0);
	FUZZ_CHECK(ss.request == 0);
}

const char *peer_reply(void)
{
	return heard.content.data;
}

int peer_answers(void)
{
	return heard.answers;
}

void peer_comm_opened(const char *id)
{
	json_object_set_new(comms, id, json_true());
}

void peer_comm_closed(const char *id)
{
	json_object_del(comms, id);
}

bool peer_comm_is_open(const char *id)
{
	return json_object_get(comms, id) != NULL;
}

const char *peer_some_comm(void)
{
	return json_object_iter_key(json_object_iter(comms));
}
