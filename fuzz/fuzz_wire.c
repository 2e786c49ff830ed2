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
#include "drive.h"

static void messages(struct kernel *k, struct fuzz_input *in, enum jp_channel channel)
{
	world_message(in, channel);
	drive_receive(k, channel);
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
	case 8: drive_text(k, in, 0); break;
	case 9: drive_text(k, in, 1); break;
	case 10: world_session_dies(k, fuzz_byte(in)); break;
	case 11: drive_time(k, fuzz_byte(in)); break;
	}
	if (k->session.pid > 0 && k->main.link < 0 && !k->done)
		world_session_dies(k, 9); /* it was killed, or its link was closed: then it is killed */
	if (!k->done)
		requests_next(k);
	world_hears(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct kernel kernel;
	struct fuzz_input in = {data, data + n};
	drive_begin(&kernel);
	for (int i = 0; i < 200 && in.at < in.end && !kernel.done; i++)
		step(&kernel, &in);
	drive_end(&kernel);
	return 0;
}
