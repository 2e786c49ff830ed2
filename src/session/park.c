#include "session/park.h"
#include "session/comm.h"
#include "session/copy.h"
#include "session/fork.h"
#include "session/survive.h"
#include "session/warm.h"

#include "base/clock.h"
#include "rapi/exec.h"
#include "rapi/value.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE_MS 40       /* a cell is over for so long before an idle copy is made */
#define DEAR_MS 50       /* a fork that takes longer is not made while a cell waits */
#define TOO_DEAR_MS 1000 /* nor, above this, while idle */
#define AGAIN_MS 60000   /* so long a measured cost counts */
#define SHARE 20         /* of a burst of messages, not more than one part in so many goes into copies */
#define RETRY_MS 10000   /* after a fork that failed, or was not made for want of memory */
#define REAP_MS 200      /* so long after a new copy the one that it replaces has ended */
#define MAX_LOST 16
#define MAX_OLD 8

static struct {
	bool on, changed;
	bool by_code; /* of a cell or an event source, not only by messages to comms */
	int64_t changed_at, retry_at;
	int64_t reap_at; /* when one that was replaced will have ended; 0: it was looked after */
	double fork_ms;  /* of the last fork */
	int64_t forked_at;
	pid_t old[MAX_OLD]; /* copies of before, to be reaped */
	size_t n_old;
	pid_t current;
} park;

void ss_park_init(bool on)
{
	park.on = on;
	ss_park_changed();
}

void ss_park_off(void)
{
	park.on = false;
	park.n_old = 0;
	park.current = 0;
}

double ss_park_ms(void)
{
	return park.fork_ms;
}

void ss_park_changed(void)
{
	park.changed = park.by_code = true;
	park.changed_at = clock_ms();
}

/* ---- whether ---- */

static bool user_wants(void)
{
	SEXP v = Rf_GetOption1(Rf_install("carrack.snapshots"));
	return !(TYPEOF(v) == LGLSXP && XLENGTH(v) == 1 && LOGICAL(v)[0] == FALSE);
}

static bool wanted(double dear)
{
	/* The machine may have been slow for a moment: what was dear is measured again. */
	bool cheap = park.fork_ms <= dear || clock_ms() - park.forked_at > AGAIN_MS;
	return park.on && park.changed && cheap && clock_ms() >= park.retry_at && user_wants();
}

/* ---- what the copy does not have ---- */

struct lost {
	char text[MAX_LOST][200];
	size_t n;
};

static void PRINTF_LIKE(2, 3) lose(struct lost *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (l->n < MAX_LOST)
		vsnprintf(l->text[l->n++], sizeof l->text[0], fmt, ap);
	va_end(ap);
}

static int threads_before; /* in the copy: how many threads the session had besides R's */

static void count_threads(struct lost *l)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	int n = 0;
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	threads_before = n - 1;
	if (n < 2)
		return;
	lose(l, "%d background threads of packages (such as later and httpuv have): what they did has stopped", n - 1);
}

static void count_one(int fd, void *data)
{
	++*(int *)data;
}

/* The port at which a TCP socket waits for connections; 0 for anything else. */
static int listens_at(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = {.any.sa_family = AF_UNSPEC};
	socklen_t n = sizeof a, m = sizeof(int);
	int listening = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &m) != 0 || !listening ||
	    getsockname(fd, &a.any, &n) != 0)
		return 0;
	return a.any.sa_family == AF_INET    ? ntohs(a.v4.sin_port)
	       : a.any.sa_family == AF_INET6 ? ntohs(a.v6.sin6_port)
					     : 0;
}

static void name_server(int fd, void *data)
{
	int port = listens_at(fd);
	if (port)
		lose(data, "what was served at port %d: it does not answer any longer", port);
}

static void count_foreign(struct lost *l)
{
	int n = -2; /* the two ends of the copy's link */
	size_t before = l->n;
	ss_fork_each_foreign(false, count_one, &n);
	ss_fork_each_foreign(false, name_server, l);
	n -= (int)(l->n - before);
	if (n < 1)
		return;
	lose(l, "%d pipes or sockets to other processes: they are closed", n);
}

/* ---- the copy ---- */

static void tell_modules(void *data)
{
	SEXP arg = PROTECT(Rf_ScalarInteger(threads_before));
	r_call_module("session_woken", 1, &arg);
	UNPROTECT(1);
}

/* Until it is woken; meanwhile it may be asked for copies that serve. Returns the head of WAKE, or NULL. */
static json_t *wait_to_be_woken(int link)
{
	static struct link_frame f;
	static struct link_reader r;
	int fds[LINK_ENDS];
	struct err e;
	link_reader_init(&r);
	for (;;) {
		char bytes[4096];
		ssize_t n = ss_copy_receive(link, bytes, sizeof bytes, fds);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0); /* let go */
		buf_put(&r.in, bytes, (size_t)n);
		if (link_take(&r, &f, &e) != LINK_FRAME)
			continue;
		if (f.type == LINK_WAKE)
			break;
		if (f.type == LINK_SERVE)
			ss_copy_of_parked(fds);
	}
	json_t *head = link_frame_json(&f, 0, &e);
	link_reader_release(&r);
	return head;
}

/* The copy's life. Returns when it is the session. */
static void be_parked(int link)
{
	char score[16];
	setpgid(0, 0);
	close(ss.link.fd);
	ss.link.fd = link; /* so that it is not taken for a foreign one */
	ss_fork_oom_read(score, sizeof score);
	ss_fork_oom_score("1000");
	ss_fork_cut(false);
	ss_copy_forget();
	json_t *woken = wait_to_be_woken(link);
	ss_fork_oom_score(score);
	ss_fork_adopt(link);
	ss_survive_woken();
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	ss_request_end();
	park.n_old = 0;
	park.current = 0;
	park.retry_at = park.reap_at = 0;
	ss_park_changed();
	if (!r_try_exec(tell_modules, NULL))
		ss_log("warn", "after the crash: %s", R_curErrorBuf());
	if (json_object_get(woken, "comms"))
		ss_comm_woken(json_object_get(woken, "comms"));
	json_decref(woken);
	ss_send(LINK_READY, "{}", NULL, 0);
}

static void reap_old(void)
{
	size_t kept = 0;
	for (size_t i = 0; i < park.n_old; i++)
		if (waitpid(park.old[i], NULL, WNOHANG) == 0)
			park.old[kept++] = park.old[i];
	park.n_old = kept;
	park.reap_at = 0;
}

static void tell_kernel(pid_t pid, double ms, const struct lost *l, int link)
{
	struct buf head = BUF_INIT(BUF_MAX_SMALL);
	struct err e = {0};
	buf_printf(&head, "{\"pid\":%d,\"ms\":%.3f,\"lost\":[", (int)pid, ms);
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_putc(&head, ',');
		jx_cstring(&head, l->text[i]);
	}
	buf_puts(&head, "]}");
	bool told = link_peer_call_with(&ss.link, LINK_PARKED, 0, head.data, NULL, 0, &link, 1, &e);
	buf_release(&head);
	close(link);
	if (!told)
		ss_link_gone();
}

/* True in the copy, when it was woken. */
static bool make_copy(void)
{
	int ends[2];
	struct lost l = {.n = 0};
	park.retry_at = clock_ms() + RETRY_MS;
	if (!ss_fork_memory_suffices() || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	reap_old();
	ss_survive_fork();
	count_threads(&l);
	count_foreign(&l);
	fflush(NULL);
	int64_t before = clock_ns();
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		be_parked(ends[1]);
		return true;
	}
	park.forked_at = clock_ms();
	park.fork_ms = (double)(clock_ns() - before) / 1e6;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return false;
	}
	if (park.current && park.n_old < MAX_OLD)
		park.old[park.n_old++] = park.current;
	park.current = pid;
	park.changed = park.by_code = false;
	park.retry_at = 0;
	park.reap_at = park.n_old ? clock_ms() + REAP_MS : 0;
	tell_kernel(pid, park.fork_ms, &l, ends[0]);
	return false;
}

bool ss_park_before_cell(void)
{
	return wanted(DEAR_MS) && make_copy();
}

bool ss_park_before_message(void)
{
	bool burst = !park.by_code && (double)(clock_ms() - park.forked_at) < park.fork_ms * SHARE;
	if (!burst && wanted(DEAR_MS) && make_copy())
		return true;
	park.changed = true;
	park.changed_at = clock_ms();
	return false;
}

/* 0: no copy is due. */
static int64_t copy_at(void)
{
	if (!park.on || !park.changed)
		return 0;
	int64_t at = park.changed_at + IDLE_MS;
	return at < park.retry_at ? park.retry_at : at;
}

int ss_park_due_in(void)
{
	int64_t now = clock_ms(), at = copy_at();
	if (park.reap_at && (!at || park.reap_at < at))
		at = park.reap_at;
	if (!at)
		return -1;
	return at <= now ? 0 : (int)(at - now);
}

void ss_park_idle(void)
{
	if (park.reap_at && park.reap_at <= clock_ms())
		reap_old();
	if (!copy_at() || copy_at() > clock_ms())
		return;
	if (!wanted(TOO_DEAR_MS)) {
		park.retry_at = clock_ms() + RETRY_MS;
		return;
	}
	ss_warm_note(park.current != 0);
	if (!make_copy() && !park.changed)
		ss_warm_now();
}

const char *ss_park_undo(void)
{
	if (ss.copy)
		return "this is a subshell: what it does changes nothing in the session";
	if (park.on)
		ss_send(LINK_UNDO, "{}", NULL, 0);
	return "there is no copy of the session from before the last cell (none was made, see the option "
	       "carrack.snapshots, or it was ended)";
}
