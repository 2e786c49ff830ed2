/* control.h: what a test tells the two libraries that are preloaded into the processes under test, and what they count.
 *
 * The test makes a file of this form, names it in CARRACK_FAULTS and changes it while the processes run (faultlib.py has the
 * same layout). Each process maps it. A process that is neither `carrack` nor a session is left alone.
 *
 *   libfaults.so   the session's end at a given frame of the link; calls of the system that are refused; the clock; slow links
 *   libmemory.so   malloc and its kin refused, in the kernel process; apart because AddressSanitizer has its own
 */
#ifndef CARRACK_FAULTS_CONTROL_H
#define CARRACK_FAULTS_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum fault_role { ROLE_NONE, ROLE_KERNEL, ROLE_SESSION };

enum fault_call {
	CALL_ALLOC,  /* malloc, calloc, realloc of the kernel's own thread */
	CALL_FORK,   /* fork, posix_spawn */
	CALL_SOCKET, /* socket, socketpair, accept4 */
	CALL_PIPE,   /* pipe2, pipe */
	CALL_EVENT,  /* eventfd, memfd_create, signalfd, epoll_create1 */
	CALL_OPEN,   /* open, openat, fopen */
	CALL_WRITE,  /* write, pwrite to a regular file */
	CALL_N
};

/* How the session ends. */
enum fault_how { HOW_KILL, HOW_EXIT, HOW_CLOSE, HOW_GARBAGE, HOW_STALL };

/* Where in the frame: before it, after its header, in its middle, when it was written. */
enum fault_cut { CUT_BEFORE, CUT_HEADER, CUT_HALF, CUT_AFTER };

struct fault_control {
	/* The end of the session. */
	_Atomic uint32_t at;       /* at which frame, counted as `sent` or `received` are; 0: never */
	_Atomic uint32_t from;     /* 0: frames of the session, 1: frames of the kernel (CUT_AFTER only) */
	_Atomic uint32_t cut, how; /* enum fault_cut, enum fault_how */
	_Atomic uint32_t again;    /* the one that follows ends so many frames later, in the same way; 0: it does not */
	_Atomic uint32_t fired;    /* how many have ended */
	/* What sessions did since the test set these to 0. */
	_Atomic uint32_t sent;      /* frames that were written whole */
	_Atomic uint32_t received;  /* frames that were read whole */
	_Atomic uint32_t published; /* of those sent: PUBLISH of what is no comm */
	_Atomic uint32_t replied;   /* of those sent: REPLY */
	_Atomic uint32_t text[2];   /* bytes on stdout and stderr */
	/* Calls that are refused. */
	_Atomic uint32_t call;  /* enum fault_call */
	_Atomic uint32_t who;   /* enum fault_role */
	_Atomic uint32_t nth;   /* the first that is refused, counted from 1 as `calls` is; 0: none */
	_Atomic uint32_t times; /* how many in a row */
	_Atomic uint32_t error; /* errno */
	_Atomic uint32_t calls[CALL_N];
	/* The rest. */
	_Atomic uint32_t slow;  /* links and pipes carry one byte at a time */
	_Atomic uint32_t storm; /* microseconds between two SIGALRM; read when a process starts */
	_Atomic int32_t shift;  /* seconds that the wall clock is wrong by */
};

/* NULL in a process that is left alone. */
struct fault_control *fault_control(enum fault_role *role);

/* Counts a call; true if it is to be refused: errno is set then. */
bool fault_refused(enum fault_call call);

#endif
