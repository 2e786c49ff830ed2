/* fuzz_copies.c: a kernel process with a session that makes copies of itself, and subshells.
 *
 * As fuzz_wire, but that the copies which serve (docs/link.md) have links too, on which they say anything; clients make, list and delete
 * subshells and send requests to them. The session is up when the input begins. The input is a list of steps: a request to the
 * main shell or to a subshell, a copy made by the session or by the parked process, or refused; frames, bytes, text, a report
 * and the end of a copy; what fuzz_wire has; and time, which decides who is asked to look.
 *
 * What must hold is said in fuzz_wire.c. Besides: what the kernel says to a copy are frames, and no copy is left.
 */
#include "drive.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST (COPIES_MOST + 4)

/* The other ends of what a copy has. */
static struct served {
	int link, pipe[2], report; /* -1: closed */
	struct link_reader hears;
	uint32_t seq, asked; /* asked: the number of its last REQUEST */
} served[MOST];
static size_t n_served;

/* ---- copies ---- */

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void end_served(struct served *s)
{
	shut(&s->link);
	shut(&s->pipe[0]);
	shut(&s->pipe[1]);
	shut(&s->report);
	link_reader_release(&s->hears);
}

static void add_served(const int fds[LINK_ENDS])
{
	struct served *s = &served[n_served++];
	*s = (struct served){.link = fds[0], .pipe = {fds[1], fds[2]}, .report = fds[3]};
	for (int i = 0; i < 2; i++)
		fcntl(s->pipe[i], F_SETFL, O_NONBLOCK);
	link_reader_init(&s->hears);
}

/* The session says that it has made one, with all descriptors or fewer, or that it cannot. */
static void session_serves(struct kernel *k, struct fuzz_input *in)
{
	int theirs[LINK_ENDS], ours[LINK_ENDS], pair[2];
	uint8_t how = fuzz_byte(in);
	if ((how & 0xe0) == 0xe0 || n_served == MOST) {
		world_serving(k, "{\"why\":\"memory is short\"}", NULL, 0);
		return;
	}
	FUZZ_CHECK(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	theirs[0] = pair[0];
	ours[0] = pair[1];
	for (int i = 1; i <= 2; i++) {
		FUZZ_CHECK(pipe2(pair, O_CLOEXEC) == 0);
		theirs[i] = pair[0];
		ours[i] = pair[1];
	}
	FUZZ_CHECK((theirs[3] = memfd_create("report", MFD_CLOEXEC)) >= 0 && (ours[3] = dup(theirs[3])) >= 0);
	world_serving(k, how & 0x10 ? "{\"ms\":5000}" : "{\"ms\":0.5}", theirs, how & 0x80 ? how & 3 : LINK_ENDS);
	for (int i = 0; i < LINK_ENDS; i++)
		close(theirs[i]);
	add_served(ours);
}

/* The parked process makes one, if it was asked to. */
static void parked_serves(void)
{
	char bytes[256];
	int fds[LINK_ENDS];
	size_t n_fds;
	if (world_parked() < 0 || n_served == MOST ||
	    link_receive_fds(world_parked(), bytes, sizeof bytes, fds, &n_fds, MSG_DONTWAIT) <= 0 || !n_fds)
		return;
	FUZZ_CHECK(n_fds == LINK_ENDS);
	add_served(fds);
}

static void copy_frame(struct served *s, struct fuzz_input *in)
{
	struct buf out = BUF_INIT(BUF_MAX_SMALL);
	uint8_t how;
	if (world_frame_of(in, &out, s->seq + 1, s->asked, &how)) {
		int fd = how & 0x40 ? memfd_create("passed", MFD_CLOEXEC) : -1;
		s->seq++;
		world_send(s->link, out.data, out.len, &fd, fd >= 0);
		shut(&fd);
	}
	buf_release(&out);
}

/* As a copy that is well: it says that it is there, and what its answer is. */
static void copy_behaves(struct served *s, struct fuzz_input *in)
{
	static const struct {
		int type;
		bool asked;
		const char *head, *body;
	} said[] = {{LINK_HELLO, false, "{\"link\":1,\"pid\":400000000}", NULL},
		    {LINK_REPLY, true, "{\"type\":\"execute_reply\"}", "{\"status\":\"ok\"}"},
		    {LINK_REPLY, true, "{\"type\":\"complete_reply\"}", "{\"status\":\"ok\",\"matches\":[]}"},
		    {LINK_REPLY, true, "{\"type\":\"\"}", "{}"},
		    {LINK_PASS, true, NULL, NULL},
		    {LINK_PUBLISH, true, "{\"type\":\"execute_result\"}",
		     "{\"data\":{\"text/plain\":\"1\"},\"metadata\":{}}"},
		    {LINK_INPUT_REQUEST, true, "{\"prompt\":\"?\"}", NULL},
		    {LINK_EXIT, false, "{\"status\":0}", NULL}};
	struct buf out = BUF_INIT(BUF_MAX_SMALL);
	size_t i = fuzz_byte(in) % ARRAY_LEN(said);
	struct slice part[2] = {{"", 0}, {"", 0}};
	if (said[i].head)
		part[0] = SLICE_STR(said[i].head);
	if (said[i].body)
		part[1] = SLICE_STR(said[i].body);
	size_t n = said[i].body ? 2 : said[i].head ? 1 : 0;
	if (link_encode(&out, said[i].type, ++s->seq, said[i].asked ? s->asked : 0, part, n, NULL))
		world_send(s->link, out.data, out.len, NULL, 0);
	buf_release(&out);
}

static void copy_step(struct fuzz_input *in, uint8_t what)
{
	size_t n;
	const char *s;
	struct served *c = n_served ? &served[fuzz_byte(in) % n_served] : NULL;
	if (!c || c->link < 0)
		return;
	switch (what) {
	case 0: copy_frame(c, in); break;
	case 1: copy_behaves(c, in); break;
	case 2:
		s = fuzz_bytes(in, &n);
		world_send(c->link, s, n, NULL, 0);
		break;
	case 3:
		s = fuzz_bytes(in, &n);
		(void)!write(c->pipe[n & 1], s, n);
		break;
	case 4:
		s = fuzz_bytes(in, &n);
		(void)!pwrite(c->report, s, n, 0);
		end_served(c);
		break;
	}
}

/* What the kernel has said to the copies, and what it hears of them. */
static void hear_copies(struct kernel *k)
{
	static struct link_frame f;
	struct err e;
	for (struct served *s = served; s < served + n_served; s++) {
		enum link_took took = LINK_MORE;
		ssize_t n;
		while (s->link >= 0 && (n = recv(s->link, buf_room(&s->hears.in, 65536), 65536, MSG_DONTWAIT)) > 0) {
			buf_added(&s->hears.in, (size_t)n);
			while ((took = link_take(&s->hears, &f, &e)) == LINK_FRAME) {
				FUZZ_CHECK(f.type < LINK_HELLO && strcmp(link_type_name(f.type), "?") != 0);
				s->asked = f.type == LINK_REQUEST ? f.request : s->asked;
			}
			FUZZ_CHECK(took == LINK_MORE);
		}
	}
	for (struct copy *c = k->copies.first; c; c = c->next) {
		link_read(k, &c->wire);
		if (!c->over)
			pipes_read(k, &c->wire);
		link_flush(&c->wire);
	}
}

/* ---- clients ---- */

static const char *const asked[] = {"execute_request", "complete_request", "inspect_request", "is_complete_request",
				    "comm_msg",        "comm_open",        "comm_close",      "kernel_info_request"};
static const char *const controls[] = {"create_subshell_request", "delete_subshell_request", "list_subshell_request",
				       "interrupt_request",       "kernel_info_request",     "shutdown_request"};
static const char *const contents[] = {"{\"code\":\"1\"}", "{\"code\":\"1\",\"silent\":true}",
				       "{\"code\":\"a\",\"cursor_pos\":1,\"detail_level\":0}",
				       "{\"comm_id\":\"c\",\"target_name\":\"t\",\"data\":{}}", "{}"};

/* The ids of subshells are counted; the last of these is none, and is none of a string. */
static void subshell_of(struct fuzz_input *in, char *to, size_t max)
{
	uint8_t which = fuzz_byte(in);
	if (which < 32)
		snprintf(to, max, "\"00000000-0000-4000-8000-%012x\"", which);
	else
		snprintf(to, max, "%s", which < 200 ? "null" : which < 230 ? "\"none\"" : "7");
}

static void on_shell(struct kernel *k, struct fuzz_input *in)
{
	char header[300], subshell[64];
	const char *type = asked[fuzz_byte(in) % ARRAY_LEN(asked)];
	subshell_of(in, subshell, sizeof subshell);
	snprintf(header, sizeof header, "{\"msg_id\":\"%d\",\"msg_type\":\"%s\",\"subshell_id\":%s}", fuzz_byte(in),
		 type, subshell);
	const char *content = contents[fuzz_byte(in) % ARRAY_LEN(contents)];
	world_put(JP_SHELL, header, SLICE_STR(content));
	drive_receive(k, JP_SHELL);
}

static void on_control(struct kernel *k, struct fuzz_input *in)
{
	char header[300], subshell[64], content[100];
	const char *type = controls[fuzz_byte(in) % ARRAY_LEN(controls)];
	subshell_of(in, subshell, sizeof subshell);
	snprintf(header, sizeof header, "{\"msg_id\":\"c%d\",\"msg_type\":\"%s\"}", fuzz_byte(in), type);
	snprintf(content, sizeof content, "{\"subshell_id\":%s}", subshell);
	world_put(JP_CONTROL, header, SLICE_STR(content));
	drive_receive(k, JP_CONTROL);
}

static void step(struct kernel *k, struct fuzz_input *in)
{
	uint8_t what = fuzz_byte(in) % 20;
	switch (what) {
	case 0:
	case 1: on_shell(k, in); break;
	case 2: on_control(k, in); break;
	case 3:
		world_message(in, JP_STDIN);
		drive_receive(k, JP_STDIN);
		break;
	case 4:
	case 5: session_serves(k, in); break;
	case 6: parked_serves(); break;
	case 7:
	case 8: world_frame(k, in); break;
	case 9: world_bytes(k, in); break;
	case 10: drive_text(k, in, 0); break;
	case 11: world_session_dies(k, fuzz_byte(in)); break;
	case 12: drive_time(k, fuzz_byte(in)); break;
	case 13:
	case 14: world_later((int64_t)10 << fuzz_byte(in) % 12); break;
	default: copy_step(in, what - 15);
	}
	if (k->session.pid > 0 && k->main.link < 0 && !k->done)
		world_session_dies(k, 9);
	hear_copies(k);
	if (!k->done)
		requests_next(k);
	copies_bury(k);
	world_hears(k);
}

/* A session that has said it makes copies, and a copy that is parked. */
static void up(struct kernel *k)
{
	/* HELLO and a head that names a pid; READY and a head of its own, 15 bytes; PARKED with a descriptor that lives. */
	static const char frames[] = "\0\1\2"
				     "\1\1\xf0"
				     "\x0f"
				     "{\"copies\":true}"
				     "\x09\x61\x0c";
	struct fuzz_input in = {(const uint8_t *)frames, (const uint8_t *)frames + sizeof frames - 1};
	for (int i = 0; i < 3; i++)
		world_frame(k, &in);
	FUZZ_CHECK(k->session.state == SESSION_READY && k->session.copies && k->session.parked.link >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct kernel kernel;
	struct fuzz_input in = {data, data + n};
	n_served = 0;
	drive_begin(&kernel);
	up(&kernel);
	for (int i = 0; i < 200 && in.at < in.end && !kernel.done; i++)
		step(&kernel, &in);
	for (size_t i = 0; i < n_served; i++)
		end_served(&served[i]);
	drive_end(&kernel);
	return 0;
}
