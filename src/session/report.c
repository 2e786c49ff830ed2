#include "session/report.h"

#include "rapi/exec.h"
#include "rapi/frames.h"
#include "rapi/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define STACK_SIZE (256 << 10)
#define MAX_CALLS 40
#define CONTEXT_PART 320 /* the call is in the first bytes of a context, behind a sigjmp_buf; R 4.2: at 256 */

static int report_fd = -1;

/* R's stack of contexts. Its structure is not part of any interface; its first member is the next context, and where the call is
 * kept was found out by looking for one that is known. */
extern void *R_GlobalContext __attribute__((weak));
static size_t call_at;

static SEXP known_call;

SEXP ss_report_probe(void)
{
	char *context = &R_GlobalContext ? R_GlobalContext : NULL;
	for (int depth = 0; context && depth < 4 && !call_at; depth++) {
		for (size_t at = sizeof(void *); at < CONTEXT_PART; at += sizeof(void *)) {
			if (*(void **)(void *)(context + at) == (void *)known_call) {
				call_at = at;
				break;
			}
		}
		context = *(char **)(void *)context;
	}
	return R_NilValue;
}

void ss_report_find_calls(void)
{
	SEXP probe = Rf_eval(Rf_install("probe_contexts"), r_kept(R_KEEP_MODULES));
	known_call = PROTECT(Rf_lang1(probe));
	Rf_eval(known_call, R_BaseEnv);
	UNPROTECT(1);
}

static void put(const char *s, size_t n)
{
	(void)!write(report_fd, s, n);
}

static void put_frames(int skip)
{
	void *pcs[R_FRAMES_MAX];
	size_t n = r_frames_take(pcs, R_FRAMES_MAX);
	for (size_t i = (size_t)skip; i < n; i++) {
		char line[320] = "C: ";
		size_t len = 3 + r_frames_line(line + 3, sizeof line - 4, i - (size_t)skip, pcs[i]);
		line[len++] = '\n';
		put(line, len);
	}
}

/* The name of the function that a call calls, as far as it has one. */
static const char *call_name(SEXP call)
{
	if (TYPEOF(call) != LANGSXP)
		return NULL;
	SEXP fun = CAR(call);
	if (TYPEOF(fun) == LANGSXP && CDR(fun) != R_NilValue && TYPEOF(CADR(CDR(fun))) == SYMSXP)
		fun = CADR(CDR(fun)); /* pkg::name, x$name */
	return TYPEOF(fun) == SYMSXP ? CHAR(PRINTNAME(fun)) : "(a function without a name)";
}

/* R's memory may be what is damaged: this comes last, and a second fault in it ends the process with what was said before. */
static void put_calls(void)
{
	char *context = call_at ? R_GlobalContext : NULL;
	for (int n = 0; context && n < MAX_CALLS; n++) {
		char *next = *(char **)(void *)context;
		SEXP call = *(SEXP *)(void *)(context + call_at);
		const char *name = next && call ? call_name(call) : NULL;
		if (name) {
			put("R: ", 3);
			put(name, strnlen(name, 200));
			put("()\n", 3);
		}
		context = next;
	}
}

/* A copy of the session is not the kernel's child: nobody else can tell the kernel what ended it. */
static void put_signal(int sig)
{
	static const struct {
		int sig;
		const char *name;
	} names[] = {{SIGSEGV, "signal 11 (Segmentation fault)\n"},
		     {SIGBUS, "signal 7 (Bus error)\n"},
		     {SIGILL, "signal 4 (Illegal instruction)\n"},
		     {SIGFPE, "signal 8 (Floating point exception)\n"},
		     {SIGABRT, "signal 6 (Aborted)\n"},
		     {SIGSYS, "signal 31 (Bad system call)\n"}};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].sig == sig)
			put(names[i].name, strlen(names[i].name));
}

static void report(int skip, int sig)
{
	(void)!ftruncate(report_fd, 0);
	lseek(report_fd, 0, SEEK_SET);
	if (ss.copy)
		put_signal(sig);
	put_frames(skip);
	put_calls();
}

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};

/* A fault while the report is written (a stack that was overwritten cannot be walked) is not what ended R: the first one is. */
static void on_fatal(int sig)
{
	static volatile sig_atomic_t first;
	bool again = first != 0;
	if (!again)
		first = sig;
	if (!again && !r_in_child()) {
		ss_console_rescue();
		if (report_fd >= 0)
			report(2, sig);
	}
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		signal(fatal[i], SIG_DFL);
	raise(first);
}

static void on_where(int sig)
{
	int saved = errno;
	if (report_fd >= 0 && !r_in_child())
		report(2, sig);
	errno = saved;
}

static void take_descriptor(void)
{
	const char *s = getenv(LINK_ENV_REPORT);
	char *end;
	long fd = s ? strtol(s, &end, 10) : -1;
	if (s && !*end && fd > 2 && fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0)
		report_fd = (int)fd;
	unsetenv(LINK_ENV_REPORT);
}

void ss_report_init(void)
{
	static char stack[STACK_SIZE];
	if (report_fd < 0) {
		take_descriptor();
		r_frames_init();
	}
	/* A stack of its own: the most frequent fault is the end of the usual one. */
	sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
	struct sigaction sa = {.sa_handler = on_fatal, .sa_flags = SA_ONSTACK | SA_NODEFER};
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		sigaction(fatal[i], &sa, NULL);
	sa = (struct sigaction){.sa_handler = on_where, .sa_flags = SA_RESTART};
	sigaction(LINK_WHERE_SIGNAL, &sa, NULL);
}

void ss_report_to(int fd)
{
	close(report_fd);
	report_fd = fd;
}
