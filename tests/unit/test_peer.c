#include "link/peer.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>

/* The kernel's end is a child process that plays a part; the test is the session. */

static int other; /* the kernel's end */
static struct link_frame f;
static struct link_reader reader;
static uint32_t kernel_seq;

static void say(int type, uint32_t request, const char *head)
{
	struct buf b = BUF_INIT(BUF_MAX_SMALL);
	struct slice part = {head, head ? strlen(head) : 0};
	if (!link_encode(&b, type, ++kernel_seq, request, &part, head ? 1 : 0, NULL) ||
	    write(other, b.data, b.len) != (ssize_t)b.len)
		_exit(2);
	buf_release(&b);
}

/* The next frame of the session, false at its end. */
static bool hear(void)
{
	for (;;) {
		enum link_took took = link_take(&reader, &f, NULL);
		if (took != LINK_MORE)
			return took == LINK_FRAME;
		char *to = buf_room(&reader.in, 4096);
		ssize_t n = read(other, to, 4096);
		if (n <= 0)
			return false;
		buf_added(&reader.in, (size_t)n);
	}
}

static void acknowledge(void)
{
	if (!hear())
		_exit(3);
	say(LINK_ACK, f.seq, NULL);
}

/* Starts the part and opens the peer. */
static pid_t begin(struct link_peer *p, void (*part)(void))
{
	int fd[2];
	char number[20];
	struct err e = {0};
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[0]);
		other = fd[1];
		link_reader_init(&reader);
		part();
		_exit(0);
	}
	close(fd[1]);
	snprintf(number, sizeof number, "%d", fd[0]);
	setenv(LINK_ENV_FD, number, 1);
	if (!CHECK(link_peer_open(p, &e)))
		fprintf(stderr, "    %s\n", e.msg);
	return pid;
}

static void end(struct link_peer *p, pid_t pid)
{
	int status = -1;
	link_peer_close(p);
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

static void checks_hello(void)
{
	char want[64];
	snprintf(want, sizeof want, "{\"link\":1,\"pid\":%d}", (int)getppid());
	acknowledge();
	if (f.type != LINK_HELLO || f.seq != 1 || f.request != 0 || f.n != 1 || f.part[0].len != strlen(want) ||
	    memcmp(f.part[0].data, want, strlen(want)) != 0)
		_exit(4);
	if (hear())
		_exit(5);
}

TEST(hello_and_the_environment)
{
	struct link_peer p;
	pid_t pid = begin(&p, checks_hello);
	CHECK(!getenv(LINK_ENV_FD));
	CHECK_INT(fcntl(p.fd, F_GETFD), FD_CLOEXEC);
	CHECK_INT(link_peer_last_seq(&p), 1);
	end(&p, pid);
	CHECK_INT(p.fd, -1);
	link_peer_close(&p); /* twice is legal */
}

TEST(no_link_is_an_error_that_says_so)
{
	static const char *const bad[] = {NULL, "", "x", "1", "-1", "4x", "900", "99999999999999999999"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct link_peer p;
		struct err e = {0};
		bad[i] ? setenv(LINK_ENV_FD, bad[i], 1) : unsetenv(LINK_ENV_FD);
		CHECK(!link_peer_open(&p, &e));
		CHECK_HAS(e.msg, LINK_ENV_FD);
		CHECK(!link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, &e));
		CHECK_INT(link_peer_next(&p, &f, &e), LINK_BROKEN);
		link_peer_close(&p);
	}
}

static void interleaves(void)
{
	acknowledge();
	say(LINK_CONFIG, 0, "{\"a\":1}");
	if (!hear())
		_exit(3);
	uint32_t seq = f.seq;
	say(LINK_REQUEST, 11, "{\"first\":1}");
	say(LINK_ACK, seq + 100, NULL); /* of no frame that was sent */
	say(LINK_INPUT, 5, "{\"second\":2}");
	say(LINK_ACK, seq, NULL);
	say(LINK_SHUTDOWN, 0, "{\"third\":3}");
	if (hear())
		_exit(5);
}

static void next_is(struct link_peer *p, int type, uint32_t request, const char *head)
{
	struct err e = {0};
	CHECK_INT(link_peer_wait(p, &f, &e), LINK_FRAME);
	CHECK_INT(f.type, type);
	CHECK_INT(f.request, request);
	struct slice part = link_frame_part(&f, 0);
	CHECK_MEM(part.data, part.len, head, strlen(head));
}

TEST(frames_that_came_before_the_ack_are_kept_in_order)
{
	struct link_peer p;
	pid_t pid = begin(&p, interleaves);
	CHECK(link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, NULL));
	next_is(&p, LINK_CONFIG, 0, "{\"a\":1}");
	next_is(&p, LINK_REQUEST, 11, "{\"first\":1}");
	next_is(&p, LINK_ACK, 102, "");
	next_is(&p, LINK_INPUT, 5, "{\"second\":2}");
	next_is(&p, LINK_SHUTDOWN, 0, "{\"third\":3}");
	CHECK_INT(link_peer_next(&p, &f, NULL), LINK_MORE);
	end(&p, pid);
}

static void floods(void)
{
	acknowledge();
	for (int i = 0; i < 500; i++) {
		char head[40];
		snprintf(head, sizeof head, "{\"i\":%d}", i);
		if (i % 10 == 3) {
			if (!hear())
				_exit(3);
			say(LINK_INPUT, 0, head);
			say(LINK_ACK, f.seq, NULL);
		} else {
			say(LINK_INPUT, 0, head);
		}
	}
	if (hear())
		_exit(5);
}

TEST(calls_and_reads_mixed_keep_the_order)
{
	struct link_peer p;
	pid_t pid = begin(&p, floods);
	srandom(7);
	int calls = 0, i = 0;
	while (i < 500) {
		if (calls < 50 && random() % 10 < 3) {
			CHECK(link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, NULL));
			calls++;
		}
		enum link_took took = link_peer_next(&p, &f, NULL);
		if (took == LINK_MORE && calls < 50 && i >= calls * 10 + 3) {
			CHECK(link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, NULL));
			calls++;
		}
		if (took == LINK_BROKEN)
			break;
		if (took != LINK_FRAME)
			continue;
		json_t *v = link_frame_json(&f, 0, NULL);
		CHECK_INT(json_int_or(v, "i", -1), i);
		json_decref(v);
		i++;
	}
	CHECK_INT(i, 500);
	end(&p, pid);
}

static void checks_parts(void)
{
	acknowledge();
	acknowledge();
	if (f.type != LINK_PUBLISH || f.request != 6 || f.seq != 2 || f.n != 3 || f.part[0].len != 7 ||
	    f.part[1].len != 0 || f.part[2].len != 300000)
		_exit(4);
	acknowledge();
	if (f.n != 2 || f.part[0].len != 2 || memcmp(f.part[0].data, "{}", 2) != 0)
		_exit(5);
	acknowledge();
	if (f.n != 0 || f.type != LINK_TURN)
		_exit(6);
}

TEST(a_call_sends_its_parts)
{
	struct link_peer p;
	static char big[300000]; /* more than the socket holds */
	pid_t pid = begin(&p, checks_parts);
	struct slice rest[2] = {{"", 0}, {big, sizeof big}};
	CHECK(link_peer_call(&p, LINK_PUBLISH, 6, "{\"a\":1}", rest, 2, NULL));
	CHECK(link_peer_call(&p, LINK_PUBLISH, 6, NULL, rest, 1, NULL));
	CHECK(link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, NULL));
	end(&p, pid);
}

TEST(a_frame_over_the_ceiling_is_refused_and_the_link_lives)
{
	struct link_peer p;
	struct err e = {0};
	static struct slice rest[LINK_MAX_PARTS];
	pid_t pid = begin(&p, checks_hello);
	for (size_t i = 0; i < LINK_MAX_PARTS; i++)
		rest[i] = (struct slice){"", 0};
	CHECK(!link_peer_call(&p, LINK_PUBLISH, 0, "{}", rest, LINK_MAX_PARTS, &e));
	CHECK_HAS(e.msg, "parts");
	rest[0].len = LINK_MAX_FRAME;
	CHECK(!link_peer_call(&p, LINK_PUBLISH, 0, "{}", rest, 1, &e));
	CHECK_INT(link_peer_last_seq(&p), 1);
	CHECK(p.fd >= 0);
	end(&p, pid);
}

static void leaves(void)
{
	acknowledge();
	say(LINK_REQUEST, 1, "{}");
	hear(); /* goes without an ACK */
}

TEST(the_end_of_the_kernel_ends_a_call)
{
	struct link_peer p;
	struct err e = {0};
	signal(SIGPIPE, SIG_IGN);
	pid_t pid = begin(&p, leaves);
	CHECK(!link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, &e));
	CHECK_HAS(e.msg, "gone");
	CHECK_INT(p.fd, -1);
	CHECK(!link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, &e));
	CHECK_INT(link_peer_next(&p, &f, &e), LINK_BROKEN);
	end(&p, pid);
}

static void leaves_a_frame(void)
{
	acknowledge();
	say(LINK_REQUEST, 1, "{}");
}

TEST(the_end_of_the_kernel_ends_a_wait)
{
	struct link_peer p;
	struct err e = {0};
	pid_t pid = begin(&p, leaves_a_frame);
	next_is(&p, LINK_REQUEST, 1, "{}"); /* what it said before is heard */
	CHECK_INT(link_peer_wait(&p, &f, &e), LINK_BROKEN);
	CHECK_HAS(e.msg, "gone");
	end(&p, pid);
}

static void says_rubbish(void)
{
	acknowledge();
	hear();
	if (write(other, "this is no frame at all", 23) != 23)
		_exit(2);
	if (hear())
		_exit(3);
}

TEST(rubbish_ends_the_link)
{
	struct link_peer p;
	struct err e = {0};
	pid_t pid = begin(&p, says_rubbish);
	CHECK(!link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, &e));
	CHECK_INT(p.fd, -1);
	end(&p, pid);
}

static void checks_one_turn(void)
{
	acknowledge();
	acknowledge();
	if (f.type != LINK_TURN || f.seq != 2 || hear())
		_exit(4); /* the child wrote nothing and did not close the parent's end */
}

TEST(a_forked_child_has_no_link)
{
	struct link_peer p;
	pid_t pid = begin(&p, checks_one_turn);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		struct err e = {0};
		CHECK(!link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, &e));
		CHECK_HAS(e.msg, "no link");
		CHECK_INT(link_peer_next(&p, &f, &e), LINK_BROKEN);
		CHECK_INT(link_peer_wait(&p, &f, &e), LINK_BROKEN);
		link_peer_close(&p);
		_exit(unit_failures);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
	CHECK(link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, NULL));
	end(&p, pid);
}

static void waits_a_while(void)
{
	acknowledge();
	if (!hear())
		_exit(3);
	usleep(100000);
	say(LINK_ACK, f.seq, NULL);
	usleep(100000);
	say(LINK_INPUT, 0, "{}");
	if (hear())
		_exit(5);
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	ticks++;
}

TEST(signals_do_not_end_a_wait)
{
	struct link_peer p;
	struct sigaction action = {.sa_handler = tick}; /* without SA_RESTART */
	pid_t pid = begin(&p, waits_a_while);
	sigaction(SIGUSR1, &action, NULL);
	fflush(NULL);
	pid_t pest = fork();
	if (pest == 0) {
		while (kill(getppid(), SIGUSR1) == 0)
			usleep(500);
		_exit(0);
	}
	CHECK(link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, NULL));
	next_is(&p, LINK_INPUT, 0, "{}");
	CHECK(ticks > 10);
	kill(pest, SIGKILL);
	waitpid(pest, NULL, 0);
	end(&p, pid);
}

static int hooks;

static void hook(void)
{
	hooks++;
}

TEST(text_is_flushed_before_a_frame)
{
	struct link_peer p;
	int text[2];
	char got[20] = "";
	pid_t pid = begin(&p, checks_one_turn);
	CHECK_INT(pipe(text), 0);
	int saved = dup(1);
	dup2(text[1], 1);
	setvbuf(stdout, NULL, _IOFBF, 4096);
	p.before_frame = hook;
	printf("text");
	CHECK(link_peer_call(&p, LINK_TURN, 0, NULL, NULL, 0, NULL));
	fcntl(text[0], F_SETFL, O_NONBLOCK);
	CHECK_INT(read(text[0], got, sizeof got), 4);
	CHECK_STR(got, "text");
	CHECK_INT(hooks, 1);
	dup2(saved, 1);
	end(&p, pid);
}

UNIT_MAIN
