/* fuzz_wire.c: a kernel process between a client and a session that both say anything.
 *
 * The whole of src/kernel and the publisher run; in place of the sockets (jupyter/sockets.c) and of the system calls around
 * processes stands world.c. The input is a list of steps: a message on a channel, bytes or a frame from the session, text in
 * its pipes, its death, time that passes. After the last step the kernel is told to end.
 *
 * What must hold, whatever the input: nothing reads or writes where it must not and nothing is leaked (sanitizers); all that goes
 * out is JSON in UTF-8; each accepted request gets one busy and one idle, and at most one reply between them; what is
 * published lies in its parent's window or belongs to the last cell; the kernel ends when told to.
 */
#include "fuzz.h"

#include "world.h"

#include "base/log.h"
#include "jupyter/flow.h"

#include <fcntl.h>
#include <unistd.h>

static struct kernel kernel;
static struct kernel_options options = {.snapshots = true};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	setenv("CARRACK_SESSION", "/bin/false", 1);
	unsetenv("CARRACK_LOG");
	if (!log_open("fuzz", "/dev/null", LOG_DEBUG, NULL) || !flow_init(NULL))
		abort();
	/* In memory only, and for all inputs together: nothing of an answer depends on what is in it. */
	kernel.history = history_open("/dev/null/history.sqlite", NULL);
	return 0;
}

static void begin(struct kernel *k)
{
	struct history *history = k->history;
	*k = (struct kernel){.options = &options, .history = history, .parent = -1, .signals = -1};
	k->queue.last = &k->queue.first;
	k->main.link = -1;
	world_begin(k);
	if (!session_init(k, NULL))
		abort();
	session_start(k);
	pub_init(&k->pub, &k->sockets);
}

static void end(struct kernel *k)
{
	if (!k->done)
		stop_begin(k, NULL, false);
	for (int i = 0; i < 4 && !k->done; i++) {
		world_session_dies(k, 9);
		if (k->stop.lingering && !k->done)
			stop_step(k); /* the half second after q() is over */
	}
	FUZZ_CHECK(k->done);
	FUZZ_CHECK(!k->queue.first);
	world_end(k);
	session_release(k);
	comm_release(k);
	pub_release(&k->pub);
}

static void messages(struct kernel *k, struct fuzz_input *in, enum jp_channel channel)
{
	world_message(in, channel);
	if (channel == JP_STDIN)
		stdin_receive(k);
	else
		requests_receive(k, channel);
}

static void text(struct kernel *k, struct fuzz_input *in, int which)
{
	size_t n;
	const char *s = fuzz_bytes(in, &n);
	if (write(k->session.pipe[which][1], s, n) != (ssize_t)n)
		abort();
	if (fuzz_byte(in) & 1)
		k->flood = pipes_read(k, &k->main);
}

static void time_passes(struct kernel *k, uint8_t what)
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

static void step(struct kernel *k, struct fuzz_input *in)
{
	uint8_t what = fuzz_byte(in);
	switch (what % 12) {
	case 0:
	case 1: messages(k, in, JP_SHELL); break;
	case 2: messages(k, in, JP_CONTROL); break;
	case 3: messages(k, in, JP_STDIN); break;
	case 4:
	case 5:
	case 6: world_frame(k, in); break;
	case 7: world_bytes(k, in); break;
	case 8: text(k, in, 0); break;
	case 9: text(k, in, 1); break;
	case 10: world_session_dies(k, fuzz_byte(in)); break;
	case 11: time_passes(k, fuzz_byte(in)); break;
	}
	if (k->session.pid > 0 && k->main.link < 0 && !k->done)
		world_session_dies(k, 9); /* it was killed, or its link was closed: then it is killed */
	if (!k->done)
		requests_next(k);
	world_hears(k);
}

/* As many descriptors are open after an input as before it. */
static int open_descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = {data, data + n};
	int before = open_descriptors();
	begin(&kernel);
	for (int i = 0; i < 200 && in.at < in.end && !kernel.done; i++)
		step(&kernel, &in);
	end(&kernel);
	FUZZ_CHECK(open_descriptors() == before);
	return 0;
}
