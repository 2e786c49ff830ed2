/* pingpong: a bare ZeroMQ ROUTER that sends back what it gets, nothing else. The floor of a round trip.
 *
 *     pingpong ENDPOINT
 */
#include <stdio.h>
#include <zmq.h>

int main(int argc, char **argv)
{
	void *context = zmq_ctx_new();
	void *socket = context ? zmq_socket(context, ZMQ_ROUTER) : NULL;
	if (argc != 2 || !socket || zmq_bind(socket, argv[1])) {
		fprintf(stderr, "pingpong: cannot bind %s: %s\n", argc == 2 ? argv[1] : "(no endpoint)",
			zmq_strerror(zmq_errno()));
		return 1;
	}
	for (;;) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		if (zmq_msg_recv(&part, socket, 0) < 0)
			return 1;
		int more = zmq_msg_more(&part);
		if (zmq_msg_send(&part, socket, more ? ZMQ_SNDMORE : 0) < 0)
			return 1;
	}
}
