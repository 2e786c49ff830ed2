#include "rapi/exec.h"

#include "rapi/frames.h"

#include <sys/mman.h>
#include <unistd.h>

static struct r_host {
	pid_t owner;
	void (*forked)(void);
} r_host;

static char *not_in_child; /* a page that the system empties in a forked child; NULL if it cannot */

/* R's loop while it is fed: how many lines it has still to read, and whether it is to be left. */
static int feeding;
static bool leaving;

void r_host_init(void (*forked)(void))
{
	r_host.owner = getpid();
	r_host.forked = forked;
	r_frames_init();
	char *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page != MAP_FAILED && madvise(page, 1, MADV_WIPEONFORK) == 0) {
		*page = 1;
		not_in_child = page;
	}
}

void r_host_adopt(void)
{
	r_host.owner = getpid();
	if (not_in_child)
		*not_in_child = 1;
}

/* Asked for every piece of text, so without a system call where that can be. */
bool r_in_child(void)
{
	return not_in_child ? !*(volatile char *)not_in_child : getpid() != r_host.owner;
}

bool r_toplevel_exec(void (*fn)(void *), void *data)
{
	bool returned = R_ToplevelExec(fn, data);
	if (r_in_child())
		r_host.forked();
	return returned;
}

struct boxed {
	void (*fn)(void *);
	void *data;
	bool returned;
};

static SEXP box_body(void *data)
{
	struct boxed *b = data;
	b->fn(b->data);
	b->returned = true;
	return R_NilValue;
}

static SEXP box_error(SEXP cnd, void *data)
{
	return R_NilValue;
}

static void box(void *data)
{
	R_tryCatchError(box_body, data, box_error, NULL);
}

bool r_try_exec(void (*fn)(void *), void *data)
{
	struct boxed b = {.fn = fn, .data = data};
	Rboolean before = R_interrupts_suspended;
	R_interrupts_suspended = TRUE;
	bool returned = r_toplevel_exec(box, &b);
	R_interrupts_suspended = before;
	return returned && b.returned;
}

bool r_feeding(const char **text)
{
	/* The blank line makes the loop forget the line that it was fed the last time and did not come to an end with. */
	if (feeding)
		*text = --feeding ? "\n" : "0\n";
	else
		return false;
	return true;
}

void r_busy(int which)
{
	if (!which || !leaving)
		return;
	leaving = false;
	Rf_jump_to_toplevel();
}

static void turn_of_loop(void *data)
{
	feeding = 2;
	leaving = true;
	R_ReplDLLdo1();
	R_ReplDLLdo1();
}

void r_before_expression(void)
{
	r_toplevel_exec(turn_of_loop, NULL);
	feeding = 0;
	leaving = false;
}

static void jump(void *data)
{
	Rf_jump_to_toplevel(); /* on the way R prints the warnings */
}

void r_print_warnings(void)
{
	r_toplevel_exec(jump, NULL);
}
