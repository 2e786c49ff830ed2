/* memory.c: memory that is refused to the kernel process. Threads of ZeroMQ are spared, and so is everything before the
 * kernel's own code runs; what of it the main thread asks for inside of libraries is not. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool refused(void)
{
	enum fault_role role;
	return fault_control(&role) && role == ROLE_KERNEL && syscall(SYS_gettid) == getpid() &&
	       fault_refused(CALL_ALLOC);
}

void *malloc(size_t n)
{
	return refused() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return refused() ? NULL : __libc_realloc(p, n);
}
