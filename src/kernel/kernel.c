#include "kernel/kernel.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "jupyter/flow.h"
#include "kernel/access.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#define REGISTRATION_MS 5000

/* Descriptors 0 to 2 must exist, or the next file we open becomes one of them. */
static void standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd ? O_WRONLY : O_RDONLY);
}

/* R starts while the sockets open: its start is what a user waits for. */
static bool start(struct kernel *k, struct err *e)
{
	const struct kernel_options *o = k->options;
	if (!log_open("carrack", o->log_file, o->log_level, e) ||
	    !jp_connection_read(&k->connection, o->connection_file, e))
		return false;
	if (o->profile_file)
		log_warn("--profile: this kernel keeps no profile of itself; the option has no effect");
	if (!o->capture_streams)
		log_warn("--no-capture-streams: text of R goes to the client through the same pipes; the option has no "
			 "effect");
	if (!flow_init(e) || !loop_init(k, e) || !session_init(k, e))
		return false;
	memory_init(k);
	session_start(k);
	if (!jp_sockets_open(&k->sockets, &k->connection, e))
		return false;
	access_warn(&k->connection, o->connection_file, o->log_file != NULL);
	pub_init(&k->pub, &k->sockets);
	if (k->connection.registration_port)
		return jp_register(&k->sockets, &k->connection, REGISTRATION_MS, e);
	return true;
}

static void open_history(struct kernel *k)
{
	struct err e = {0};
	k->history = history_open(NULL, &e);
	if (!k->history)
		log_warn("no input history: %s", e.msg);
}

static void finish(struct kernel *k)
{
	subshells_release(k);
	session_release(k);
	if (k->history)
		history_close(k->history);
	comm_release(k);
	pub_release(&k->pub);
	jp_sockets_close(&k->sockets);
	jp_peers_forget(&k->peers);
	flow_release();
	memory_release(k);
	close(k->signals);
	if (k->parent >= 0)
		close(k->parent);
	log_close();
}

int cmd_kernel(struct kernel_options *o)
{
	mem_guard();
	struct kernel *k = mem_calloc(1, sizeof *k);
	struct err e = {0};
	if (!k)
		return 1;
	k->options = o;
	k->parent = k->signals = k->memory.pressure = -1;
	k->queue.last = &k->queue.first;
	k->main.link = k->session.report = k->session.parked.link = k->session.older.link = -1;
	standard_descriptors();
	setlocale(LC_CTYPE, "");
	int status = 1;
	if (start(k, &e)) {
		open_history(k);
		while (!k->done)
			loop_turn(k);
		status = k->stop.status;
	} else {
		log_error("%s", e.msg);
		if (o->log_file)
			fprintf(stderr, "carrack: %s\n", e.msg);
	}
	finish(k);
	free(k);
	mem_unguard();
	return status;
}
