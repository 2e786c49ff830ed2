/* ends.h: descriptors on their way over a link, and those that belong to a copy which serves (docs/link.md, "Copies that serve").
 *
 * Used by both ends: the kernel makes them for a copy of the parked process, the session for a copy of itself. Nothing waits, nothing keeps
 * memory; what is said of errno is true of it.
 */
#ifndef CARRACK_LINK_ENDS_H
#define CARRACK_LINK_ENDS_H

#include "base/base.h"

#include <sys/types.h>

#define LINK_ENDS 4
enum { LINK_END_LINK, LINK_END_OUT, LINK_END_ERR, LINK_END_REPORT };

/* Makes a link, two pipes and a report descriptor: the kernel's ends, which read the pipes, and the copy's. False and errno: what there is
 * then is there all the same, the rest is -1. */
bool link_ends_make(int kernel[LINK_ENDS], int copy[LINK_ENDS]) MUST_CHECK;

/* Closes those that are not -1. */
void link_ends_close(const int fd[LINK_ENDS]);

/* Sends bytes, and with the first of them the descriptors, LINK_ENDS at most. As sendmsg, but signals do not end it. */
ssize_t link_send_fds(int link, const void *bytes, size_t n, const int *fds, size_t n_fds, int flags);

/* As recvmsg; the descriptors that came with the bytes, close-on-exec, are the caller's. Those above LINK_ENDS are closed by the system. */
ssize_t link_receive_fds(int link, void *to, size_t max, int fds[LINK_ENDS], size_t *n_fds, int flags);

#endif
