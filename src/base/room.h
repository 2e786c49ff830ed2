/* room.h: how much memory the processes of this kernel may use, how much of it is used, and whether the system ended any for
 * want of it.
 *
 * Linux counts memory by control groups, which lie in a tree: a container, a unit of systemd or a batch system sets a limit somewhere
 * above the process, and the machine itself is the limit of all. What counts is the level with the least room left. Pages of files that the
 * system can take back at any time are not counted as used. Both versions of groups are read.
 *
 * Sources: the Linux kernel's Documentation/admin-guide/cgroup-v2.rst (memory.max, memory.current, memory.peak, memory.stat,
 * memory.events) and cgroup-v1/memory.rst (memory.limit_in_bytes, memory.oom_control …), proc(5) for mountinfo, cgroup, meminfo and vmstat.
 *
 * All is read below a root: CARRACK_SYSTEM_ROOT in the environment names a directory in which `proc/` and `sys/` are looked for,
 * so that tests can show any system; without it they are the system's own.
 *
 * Sizes are bytes. What cannot be read counts as not there; nothing here fails.
 */
#ifndef CARRACK_ROOM_H
#define CARRACK_ROOM_H

#include "base/base.h"

#define ROOM_PATH 1024

struct room {
	char root[256];      /* "": the system's own */
	int version;         /* of the control groups that count memory: 2, 1; 0: there are none */
	char dir[ROOM_PATH]; /* the group of this process */
	size_t top;          /* length of the part of `dir` above which there are no levels */
};

struct room_state {
	uint64_t limit; /* of the level with the least room; 0: nothing is known */
	uint64_t used;
	uint64_t peak; /* the most that was ever used there, pages of files included; 0: not known */
	bool group;    /* the level is a control group; else it is the machine, with its swap space */
};

/* Only differences mean something: they count since the group was made, or the machine started. */
struct room_counts {
	bool known; /* `killed` is: the group counts, so a process of it that was ended is seen there */
	uint64_t
	    killed;    /* processes of the group that were ended for want of memory, of the group's or the machine's */
	uint64_t full; /* how often a level of the group was at its limit */
	uint64_t anywhere; /* processes of the machine that were ended so; 0 if it does not say */
};

/* Finds the group of the calling process. */
void room_open(struct room *r);

void room_state(const struct room *r, struct room_state *s);
void room_counts(const struct room *r, struct room_counts *c);

/* What is left: limit - used, UINT64_MAX if nothing is known. */
uint64_t room_left(const struct room_state *s);

/* "1.9 GB", "300 MB": for users. */
#define ROOM_WORDS 24
const char *room_words(uint64_t bytes, char out[ROOM_WORDS]);

#endif
