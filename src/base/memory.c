#include "base/memory.h"

#include "base/log.h"

#include <jansson.h>
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#define STEP_MS 25

/* A message of text is made, sent and freed; to get its pages from the system and to give them back each time is a tenth of what a flood
 * costs. Blocks up to KEEP_BLOCKS bytes are taken from memory of the process, of which up to KEEP_FREE bytes may be unused. */
#define KEEP_BLOCKS (1 << 20)
#define KEEP_FREE (4 << 20)

static struct {
	bool on;
	void *reserve;
} guard;

void mem_guard(void)
{
	guard.on = true;
	json_set_alloc_funcs(mem_alloc, free);
	mallopt(M_MMAP_THRESHOLD, KEEP_BLOCKS);
	mallopt(M_TRIM_THRESHOLD, KEEP_FREE);
	mem_refill();
}

void mem_unguard(void)
{
	guard.on = false;
	free(guard.reserve);
	guard.reserve = NULL;
}

void mem_trim(void)
{
	malloc_trim(0);
}

void mem_refill(void)
{
	if (guard.on && !guard.reserve)
		guard.reserve = malloc(MEM_RESERVE);
}

/* Without stdio and without the log's buffer, which would ask for memory. */
static void __attribute__((noreturn)) give_up(void)
{
	static const char text[] = "carrack: out of memory: the kernel ends, as it could not answer what it is asked\n";
	int fds[] = {log_fd(), STDERR_FILENO};
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (i == 0 || fds[i] != fds[0])
			(void)!write(fds[i], text, sizeof text - 1);
	_exit(1);
}

bool mem_again(int *tries)
{
	if (!guard.on)
		return false;
	if (guard.reserve) {
		free(guard.reserve);
		guard.reserve = NULL;
	} else if (*tries * STEP_MS < MEM_PATIENCE_MS) {
		poll(NULL, 0, STEP_MS);
	} else {
		give_up();
	}
	++*tries;
	return true;
}

void *mem_realloc(void *p, size_t n)
{
	void *got;
	for (int tries = 0; !(got = realloc(p, n)) && n && n <= MEM_SMALL && mem_again(&tries);)
		continue;
	return got;
}

void *mem_alloc(size_t n)
{
	return mem_realloc(NULL, n ? n : 1);
}

void *mem_calloc(size_t n, size_t size)
{
	void *got;
	for (int tries = 0; !(got = calloc(n, size)) && size && n <= MEM_SMALL / size && mem_again(&tries);)
		continue;
	return got;
}

char *mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = mem_alloc(n);
	return copy ? memcpy(copy, s, n) : NULL;
}
