/* threads.c: the threads of packages do not take the session's signals.
 *
 * A signal for a process goes to any of its threads that does not block it, and a busy machine chooses freely. R's handlers are meant for
 * R's thread: the one that R has while it waits in select() leaves by longjmp, which from another thread's stack is a crash. A
 * thread inherits what its creator blocks, so every creation of a thread in this process passes here. (httpuv's thread, and those of
 * OpenMP, block none of themselves.)
 *
 * Not under clang's sanitizers, which bring a function of this name into the program. (gcc's is in a library, which is the next.)
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ANOTHERS 1
#endif
#endif
#ifndef ANOTHERS

#include "session/session.h"

#include <dlfcn.h>
#include <errno.h>

typedef int create_fn(pthread_t *restrict, const pthread_attr_t *restrict, void *(*)(void *), void *restrict);
__attribute__((visibility("default"))) create_fn pthread_create; /* this process creates none itself: no <pthread.h> */

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*run)(void *),
		   void *restrict arg)
{
	static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
	create_fn *real = NULL;
	void *found = dlsym(RTLD_NEXT, "pthread_create");
	sigset_t block, before;
	memcpy(&real, &found, sizeof real);
	if (!real)
		return ENOSYS;
	sigemptyset(&block);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		sigaddset(&block, ours[i]);
	sigaddset(&block, LINK_INTERRUPT_SIGNAL);
	sigaddset(&block, LINK_WHERE_SIGNAL);
	sigaddset(&block, LINK_COPY_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &block, &before);
	int failed = real(thread, attributes, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

#else
typedef int threads_are_the_sanitizers_business; /* a file may not be empty */
#endif
