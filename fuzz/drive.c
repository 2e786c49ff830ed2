#include "drive.h"

#include "base/log.h"
#include "jupyter/flow.h"

#include <poll.h>
#include <unistd.h>

#define DESCRIPTORS 400 /* more than are ever open */

static struct kernel_options options = {.snapshots = true};

static struct history *history;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	signal(SIGPIPE, SIG_IGN);
	setenv("CARRACK_SESSION", "/bin/false", 1);
	unsetenv("CARRACK_LOG");
	if (!log_open("fuzz", "/dev/null", LOG_DEBUG, NULL) || !flow_init(NULL))
		abort();
	/* In memory only, and for all inputs together: nothing of an answer depends on what is in it. */
	history = history_open("/dev/null/history.sqlite", NULL);
	return 0;
}

/* As many descriptors are open after an input as before it. */
static int open_descriptors(void)
{
	static struct pollfd all[DESCRIPTORS];
	int n = DESCRIPTORS;
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		all[fd].fd = fd;
	poll(all, DESCRIPTORS, 0);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		n -= (all[fd].revents & POLLNVAL) != 0;
	return n;
}

static int before;

void drive_begin(struct kernel *k)
{
	before = open_descriptors();
	*k = (struct kernel){.options = &options, .history = history, .parent = -1, .signals = -1};
	k->queue.last = &k->queue.first;
	k->main.link = -1;
	world_begin(k);
	if (!session_init(k, NULL))
		abort();
	session_start(k);
	pub_init(&k->pub, &k->sockets);
}

void drive_end(struct kernel *k)
{
	if (!k->done)
		stop_begin(k, NULL, false);
	for (int i = 0; i < 4 && !k->done; i++) {
		world_session_dies(k, 9);
		if (k->stop.lingering && !k->done)
			stop_step(k); /* the half second after q() is over */
	}
	FUZZ_CHECK(k->done);
	FUZZ_CHECK(!k->queue.first && k->queued == 0);
	world_end(k);
	subshells_release(k);
	session_release(k);
	comm_release(k);
	pub_release(&k->pub);
	FUZZ_CHECK(open_descriptors() == before);
}

void drive_receive(struct kernel *k, enum jp_channel channel)
{
	if (channel == JP_STDIN)
		stdin_receive(k);
	else
		requests_receive(k, channel);
}

void drive_text(struct kernel *k, struct fuzz_input *in, int which)
{
	size_t n;
	const char *s = fuzz_bytes(in, &n);
	if (write(k->session.pipe[which][1], s, n) != (ssize_t)n)
		abort();
	if (fuzz_byte(in) & 1)
		k->flood = pipes_read(k, &k->main);
}

void drive_time(struct kernel *k, uint8_t what)
{
	switch (what % 5) {
	case 0: pub_flush(&k->pub, false); break;
	case 1: history_flush(k->history); break;
	case 2: where_due(k); break;
	case 3: stop_interrupt(k); break;
	case 4:
		if (k->stop.on)
			stop_step(k);
		break;
	}
}
