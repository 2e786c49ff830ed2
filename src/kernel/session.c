/* session.c: the session process: started, watched, buried, started again.
 *
 * The two pipes are made once and outlive the sessions, so that a child which outlives its session can still be heard.
 */
#include "base/clock.h"
#include "base/log.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_SIZE (1 << 20)

bool session_init(struct kernel *k, struct err *e)
{
	struct session *s = &k->session;
	wire_init(&k->main, &k->pub);
	buf_init(&s->start_text, BUF_MAX_SMALL);
	s->parked.link = s->older.link = -1;
	s->report = memfd_create("carrack-report", MFD_CLOEXEC);
	if (s->report < 0)
		return err_errno(e, "memfd_create");
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* a parked process becomes our child when its session dies */
	for (int i = 0; i < 2; i++) {
		if (pipe2(s->pipe[i], O_CLOEXEC) < 0)
			return err_errno(e, "pipe");
		fcntl(s->pipe[i][1], F_SETPIPE_SZ,
		      PIPE_SIZE); /* refused where the user's share is spent: smaller works */
		k->main.pipe[i] = s->pipe[i][0];
	}
	return true;
}

/* In the child, between fork and exec: only what is safe there. */
static void become_session(const struct session_environ *env, const struct session *s, int link, int null)
{
	sigset_t none;
	sigemptyset(&none);
	setpgid(0, 0);
	memory_score();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(null, 0) < 0 || dup2(s->pipe[0][1], 1) < 0 || dup2(s->pipe[1][1], 2) < 0 ||
	    fcntl(link, F_SETFD, 0) < 0 || fcntl(s->report, F_SETFD, 0) < 0)
		_exit(126);
	/* What is ignored here, by us or by whoever started us in the background, is not to be ignored by R's children: an
	 * interrupt would not end them. */
	static const int usual[] = {SIGPIPE, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGXFSZ};
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		signal(usual[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(env->argv[0], env->argv, env->envp);
	dprintf(2, "cannot run %s: %s\n", env->argv[0], strerror(errno));
	_exit(127);
}

static void send_config(struct kernel *k)
{
	const struct kernel_options *o = k->options;
	struct buf head = BUF_INIT(BUF_MAX_SMALL);
	buf_putc(&head, '{');
	jx_key_string(&head, "version", CARRACK_VERSION);
	jx_key_string(&head, "mode", session_mode_name(o->mode));
	jx_key(&head, "args");
	buf_putc(&head, '[');
	for (size_t i = 0; i < o->n_r_args; i++) {
		if (i)
			buf_putc(&head, ',');
		jx_cstring(&head, o->r_args[i]);
	}
	buf_putc(&head, ']');
	if (o->startup_file)
		jx_key_string(&head, "startup_file", o->startup_file);
	jx_key(&head, "repos");
	buf_putc(&head, '{');
	jx_key_string(&head, "kind", repos_kind_name(o->repos.kind));
	if (o->repos.value)
		jx_key_string(&head, "value", o->repos.value);
	buf_putc(&head, '}');
	jx_key_int(&head, "restarts", k->session.starts - 1);
	jx_key_bool(&head, "snapshots", o->snapshots);
	buf_putc(&head, '}');
	struct slice part = {head.data, head.len};
	link_send(&k->main, LINK_CONFIG, 0, &part, 1);
	buf_release(&head);
}

static bool spawn(struct kernel *k, struct err *e)
{
	struct session *s = &k->session;
	struct session_environ env = {0};
	int ends[2] = {-1, -1}, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool ok = null >= 0 || err_errno(e, "/dev/null");
	ok = ok && (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 || err_errno(e, "socketpair"));
	ok = ok && environ_make(&env, k, ends[1], e);
	if (ok) {
		pid_t pid = fork();
		if (pid == 0)
			become_session(&env, s, ends[1], null);
		ok = pid > 0 || err_errno(e, "fork");
		s->pid = pid > 0 ? pid : 0;
	}
	environ_free(&env);
	if (null >= 0)
		close(null);
	if (ends[1] >= 0)
		close(ends[1]);
	if (!ok) {
		if (ends[0] >= 0)
			close(ends[0]);
		return false;
	}
	setpgid(s->pid, s->pid); /* on both sides: whoever comes first */
	k->main.link = ends[0];
	return true;
}

void session_fresh_link(struct kernel *k)
{
	struct session *s = &k->session;
	wire_reset(&k->main);
	s->broken[0] = '\0';
	s->abandoned = s->undo = false;
	buf_clear(&s->start_text);
}

void session_start(struct kernel *k)
{
	struct session *s = &k->session;
	struct err e = {0};
	const char *other = getenv("CARRACK_SESSION");
	bool found = (other && *other) || rhome_find(&k->rhome, k->options->r_home, &e);
	snprintf(s->version, sizeof s->version, "%s", k->rhome.version);
	temp_remove(k);
	session_fresh_link(k);
	s->refused = found && !spawn(k, &e);
	if (found && !s->refused) {
		s->state = SESSION_STARTING;
		s->starts++;
		send_config(k);
		log_info("session %d started", (int)s->pid);
		return;
	}
	s->state = SESSION_NONE;
	snprintf(s->why, sizeof s->why, "R cannot be started: %.900s", e.msg);
	log_error("%s", s->why);
}

void session_kill(struct kernel *k, const char *why)
{
	struct session *s = &k->session;
	log_error("the session is ended: %s", why);
	snprintf(s->broken, sizeof s->broken, "%s", why);
	wire_close(&k->main);
	if (s->pid > 0)
		kill(s->pid, SIGKILL);
}

void session_reap(struct kernel *k)
{
	struct session *s = &k->session;
	struct session_end end = {0};
	bool ours = false;
	pid_t pid;
	/* As a subreaper we also inherit what R's children left behind. */
	while ((pid = wait4(-1, &end.status, WNOHANG, &end.usage)) > 0)
		if (pid == s->pid) {
			ours = true;
			break;
		}
	if (!ours)
		return;
	link_read_rest(k, &k->main); /* what it said before it died counts */
	pipes_drain(k, &k->main);
	pub_flush(&k->pub, true);
	stdin_cancel(&k->main);
	wire_close(&k->main);
	session_ended(k, &end);
	session_reap(k);
}

/* As its subreaper the kernel has the children of a session that died. They end like those of one that lives (death.c); what is to
 * outlive the kernel has a session of its own or was started with nohup. */
static void hang_up_orphans(void)
{
	char path[64];
	int pid;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1) {
		pid_t group = getpgid(pid);
		if (group > 1 && group != getpgrp() && getsid(pid) == getsid(0))
			kill(-group, SIGHUP);
	}
	if (f)
		fclose(f);
}

void session_release(struct kernel *k)
{
	struct session *s = &k->session;
	if (s->pid > 0) {
		kill(-s->pid, SIGKILL);
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, WNOHANG); /* one that does not even end now is not waited for */
	}
	wire_release(&k->main);
	park_let_go(k);
	hang_up_orphans();
	temp_remove(k);
	if (s->report >= 0)
		close(s->report);
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++)
			if (s->pipe[i][j] > 0)
				close(s->pipe[i][j]);
	buf_release(&s->start_text);
}
