/* kernel.h: the state of the kernel process, and who does what with it.
 *
 * One thread, one poll loop, nothing blocks. The files around this header each own one concern:
 *
 *   kernel.c    start, the loop, end                     loop.c      what to wait for, and what woke us
 *   requests.c  the table of message types, the queue    execute.c   execute requests: counts, abort, errors
 *   session.c   the session process, its start           death.c     its end, and what is said about it
 *   park.c      the copy that takes its place            where.c     a cell that does not stop
 *   link.c      bytes from and to a session              frames.c    the table of a session's frames
 *   queue.c     whose turn it is                         subshell.c  subshells
 *   copy.c      copies that serve: their life            look.c      what they are asked
 *   stdin.c     questions to clients                         stop.c      interrupt and shutdown
 *   info.c      kernel_info                              comms.c     the comm registry
 *   environ.c   the session's environment                history.c   the input history
 *   memory.c    memory that gets short
 */
#ifndef CARRACK_KERNEL_H
#define CARRACK_KERNEL_H

#include "jupyter/peers.h"
#include "jupyter/publisher.h"
#include "kernel/history.h"
#include "kernel/memory.h"
#include "kernel/options.h"
#include "kernel/rhome.h"
#include "link/ends.h"
#include "link/link.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#define KN_QUEUE_MAX 10000 /* requests that wait; beyond that they stay in ZeroMQ */

/* One request of a client, from its arrival to its idle. */
struct request {
	struct jp_message *msg; /* owned */
	enum jp_channel channel;
	struct pub_window window;
	const struct request_type *type;
	struct subshell *subshell;  /* that it was sent to; NULL: the main shell */
	struct request_queue *home; /* where it waits or has waited */
	struct wire *with;          /* who has it: the session or a copy; NULL: nobody */
	struct publisher *pub;      /* on which its window is */
	const char *comm;           /* comm messages: which, in msg */
	uint64_t order;             /* of arrival */
	int64_t came;
	bool looking;       /* a copy was asked whether it can answer; the request has kept its place */
	bool passed;        /* ... and could not: it waits for the session */
	uint32_t id;        /* on the link; 0 while it is with nobody */
	long count;         /* execute_request: its execution_count */
	uint64_t published; /* bytes that its publisher had published when it began */
	bool silent, store_history, allow_stdin, stop_on_error;
	bool interrupted; /* the user asked for it to be */
	struct request *next;
};

struct request_queue {
	struct request *first, **last;
	size_t n;
};

enum session_state {
	SESSION_NONE,     /* there is no process, and none will be started by itself */
	SESSION_STARTING, /* started, READY has not come */
	SESSION_READY,
	SESSION_LEAVING, /* EXIT has come, or it is being stopped */
};

/* A copy of the session that waits to take its place (docs/link.md, "Parked processes"). */
struct parked {
	pid_t pid;
	int link;     /* -1: there is none */
	json_t *lost; /* for users: what it does not have; an array of strings */
	long cells;   /* what the execution counter was after the last cell that had ended by then */
	uint32_t ran; /* cells that it had run by then, the silent ones too */
};

/* A link and the two pipes that go with it: the session's, or those of a copy that serves. */
struct wire {
	int link;    /* -1: none */
	int pipe[2]; /* the ends to be read of its stdout and stderr; -1: none. The session's are its own, see below */
	struct link_reader in;
	struct buf out;
	size_t out_done; /* bytes of `out` that are written */
	uint32_t seq, requests;
	int passed[8]; /* descriptors that came with frames that were not acted upon yet */
	size_t n_passed;
	struct publisher *pub;   /* its text and windows */
	struct request *running; /* the one that is with it */
	int64_t running_since;
	struct input {
		uint32_t frame;         /* seq of the INPUT_REQUEST that waits, 0: none */
		char id[JP_MAX_ID + 1]; /* msg_id of our input_request */
		json_t *question;       /* what was asked, for another try and for who answers; owned */
		int64_t again_at;       /* when it is tried again; 0: not */
	} input;
	struct where {
		enum { WHERE_NONE, WHERE_SENT, WHERE_WAIT, WHERE_ASKED, WHERE_TOLD } step;
		int64_t at;       /* when the next step is due; 0: none is */
	} where;                  /* the cell that runs was interrupted, and does not stop */
	struct copy *copy;        /* whose it is; NULL: the session's */
	struct flow_block *block; /* in which the frame lies that is acted upon, if it is a large one */
};

struct session {
	enum session_state state;
	pid_t pid;         /* and process group; 0: none */
	int pipe[2][2];    /* [stdout, stderr][read, write]; the same for all sessions of this kernel */
	uint32_t ran;      /* cells that it was given, the silent ones too */
	int failed_starts; /* in a row: deaths before READY, and while idle before it has answered anything */
	int starts;
	bool copies;      /* it makes copies that serve */
	char version[64]; /* of the language, from READY or R's own files */
	char banner[1024];
	char why[1024];   /* SESSION_NONE: why there is none, for users */
	bool refused;     /* ... because the system refused a process or a descriptor: it is tried again when asked */
	char broken[256]; /* what it did against the link's rules, if that is why it was killed */
	bool abandoned;   /* the user gave the running cell up */
	bool undo;        /* it asked to be replaced by the parked one, */
	uint32_t undo_in; /* in this request; 0: outside of any */
	bool waking;      /* STARTING is the waking of a parked one */
	struct parked parked;  /* the newest: from before the running cell, or after the last one */
	struct parked older;   /* from before the cell before that, for carrack.undo() */
	int report;            /* memfd: what it says of itself when it dies */
	char temp_dir[1024];   /* R's temporary directory; empty: not known */
	struct buf start_text; /* what it wrote before READY, for the error message */
};

/* Who asked for the end, and how far it has got. */
struct stopping {
	bool on;
	bool restart;
	int step;              /* of the ladder in stop.c */
	int64_t next_at;       /* when the next step is due */
	int status;            /* the kernel's exit status */
	bool own_will;         /* R left by itself: q() */
	bool lingering;        /* ... and is gone; the kernel stays a moment */
	bool sending;          /* all is said; what clients have not taken yet is waited for ... */
	int64_t until;         /* ... until then, */
	bool hurry;            /* or until somebody asks a second time */
	struct request *asked; /* the shutdown requests to answer */
};

/* The copies that serve, and what is being done to have one. */
struct copies {
	struct copy *first;
	struct copy *dying;  /* ended; their processes may not be gone yet */
	struct copy *looker; /* the one that only looks; NULL: none */
	int64_t asked_at;    /* when the session was asked to make one that has not come; 0: it was not */
	int64_t parked_at;   /* when the parked process was asked last */
	int64_t refused_at;  /* when the session said that it cannot, and why; 0: it did not */
	char refused[256];
	int64_t reap_at; /* when it is looked whether those that have ended are gone; 0: none has */
	int64_t at;      /* when something is due; 0: nothing is */
};

struct kernel {
	const struct kernel_options *options;
	struct jp_connection connection;
	struct jp_sockets sockets;
	struct publisher pub;
	struct session session;
	struct rhome rhome;
	struct history *history;
	struct memory memory;
	struct comm_table *comms;
	struct wire main; /* the session's */
	struct request_queue queue;
	struct subshell *subshells; /* in the order of their making */
	struct copies copies;
	size_t queued;      /* requests in all queues */
	uint64_t order;     /* requests that have come */
	bool subshell_last; /* the session's last request was a subshell's */
	struct stopping stop;
	long count;  /* execution counter */
	int signals; /* signalfd */
	int parent;  /* pidfd of the process that we end with, -1: none */
	pid_t parent_pid;
	int64_t text_at; /* when gathered text is published, 0: there is none; the pipes are left alone until then, */
	bool flood;      /* unless they had so much that they would fill up */
	int64_t history_at;
	struct jp_peers peers; /* what the clients take, while the session waits for one of them */
	int64_t look_at;       /* when they are looked at again; 0: nobody waits */
	int64_t where_at; /* when it is looked again at interrupted cells that have not stopped; 0: there are none */
	bool done;
};

/* kernel.c: serves until told to end; returns the exit status of the process. */
int cmd_kernel(struct kernel_options *o);

/* loop.c */
bool loop_init(struct kernel *k, struct err *e) MUST_CHECK;
void loop_turn(struct kernel *k);

/* requests.c */
void requests_receive(struct kernel *k, enum jp_channel channel); /* some of those that have come */
void requests_receive_all(struct kernel *k);                      /* on shell, what has come until now */
void requests_next(struct kernel *k); /* gives the session and its copies their next requests, as they can take them */
void request_give(struct kernel *k, struct wire *w, struct request *r, bool look);
void request_open(struct kernel *k, struct request *r); /* the window of one that a copy answers */
void request_give_back(struct kernel *k,
		       struct request *r);   /* of a copy that did not answer: it waits for the session */
bool request_looks(const struct request *r); /* may be of a kind that only looks */
bool request_is(const struct request *r, const char *type);
void request_reply(struct kernel *k, struct request *r, const char *type, struct buf *content, struct slice metadata,
		   const struct slice *buffers, size_t n_buffers);
void request_done(struct kernel *k, struct request *r); /* idle; frees r */
void request_free(struct request *r);
bool request_is_cell(const struct request *r); /* an execute request, shown or silent */

/* queue.c */
void queue_push(struct kernel *k, struct request *r); /* into its home */
void queue_remove(struct kernel *k, struct request *r);
struct request *queue_pop_any(struct kernel *k); /* the first of any queue; NULL: all are empty */
struct request *queue_next(struct kernel *k);    /* whose turn it is with the session, taken out; NULL: nobody's */
struct request *queue_look(struct kernel *k, int64_t now, int64_t *at); /* what a copy may be asked; *at: when there
									 * may be more */

/* subshell.c: subshells (JEP 91). One that was sent code has a process of its own, a copy of the session. */
struct subshell {
	char id[37];
	struct request_queue queue;
	long count;        /* execution counter */
	struct copy *copy; /* NULL: none yet, or it has ended */
	struct subshell *next;
};
bool subshell_create(struct kernel *k, struct request *r, struct buf *content);
bool subshell_delete(struct kernel *k, struct request *r, struct buf *content);
bool subshell_list(struct kernel *k, struct request *r, struct buf *content);
bool subshell_interrupt(struct kernel *k, const char *id, struct buf *content);
/* Finds whose it is. False: the subshell does not exist, and the request was answered. */
bool subshell_route(struct kernel *k, struct request *r);
/* True if the subshell's own process is to answer it, which may have to be made first. */
bool subshell_own(const struct request *r);
void subshells_release(struct kernel *k);

/* copy.c: a copy of the session that serves (docs/link.md, "Copies that serve"). It is another process: what it is asked to run
 * changes nothing in the session. */
#define COPIES_MAX 16  /* subshells that have one */
#define COPIES_MOST 24 /* with those that look, and those that are ending */
struct copy {
	struct wire wire;
	struct publisher pub;
	pid_t pid;              /* and process group; 0 until HELLO */
	struct subshell *owner; /* NULL: it looks, for everybody */
	int report;             /* memfd, as the session's */
	int64_t made_at;
	double ms;  /* what the fork took */
	bool ready; /* HELLO has come */
	bool stale; /* not to be asked again */
	bool over;  /* it has ended; freed at the end of the turn */
	struct copy *next;
};
void copy_took(struct kernel *k, const json_t *head);                        /* SERVING of the session */
void copy_ask(struct kernel *k, int64_t now);                                /* asks the session for one */
void copy_ask_parked(struct kernel *k, struct subshell *owner, int64_t now); /* ... and the parked process */
void copy_ready(struct kernel *k, struct copy *c, pid_t pid);
void copy_let_go(struct kernel *k, struct copy *c); /* nothing is with it */
void copy_died(struct kernel *k, struct copy *c);
void copy_broken(struct kernel *k, struct copy *c, const char *why);
/* Ends it; what is with it gets this error. */
void copy_end(struct kernel *k, struct copy *c, const char *ename, const char *evalue, const struct buf *report);
void copies_end(struct kernel *k, const char *ename, const char *evalue); /* all; and what was asked for is forgotten */
void copies_stale(struct kernel *k); /* the session has ended a request: what looks has an old state */
void copies_interrupt(struct kernel *k, const struct subshell *only); /* those of all subshells, or of one */
void copies_bury(struct kernel *k);                                   /* at the end of a turn */
void copies_release(struct kernel *k);

/* look.c: what copies are for. */
void copies_turn(struct kernel *k); /* gives them what they can answer; asks for those that are needed */
void copy_passed(struct kernel *k, struct copy *c, uint32_t request); /* PASS */

/* temp.c: R's temporary directory, which a session that is killed leaves behind. */
void temp_found(struct kernel *k, const char *dir); /* where it is, as the session says */
void temp_remove(struct kernel *k);                 /* nobody has it any longer */

/* execute.c */
bool execute_prepare(struct kernel *k, struct request *r);
bool execute_refuse(struct kernel *k, struct request *r); /* true: it is no cell, and was answered with an error */
void execute_start(struct kernel *k, struct request *r, struct buf *head);
void execute_finish(struct kernel *k, struct request *r, struct slice content, struct slice metadata);
void execute_fail(struct kernel *k, struct request *r, const char *ename, const char *evalue, const char *const *lines,
		  size_t n_lines); /* error, error reply, idle; frees r */

/* session.c */
bool session_init(struct kernel *k, struct err *e) MUST_CHECK;
void session_start(struct kernel *k);
void session_reap(struct kernel *k); /* after SIGCHLD */
void session_kill(struct kernel *k, const char *why);
void session_release(struct kernel *k);

void session_fresh_link(struct kernel *k); /* forgets all that belonged to the link before */

/* death.c: the session's process is gone. What is said about it, and who follows. */
struct session_end {
	int status; /* of wait4 */
	struct rusage usage;
};
void session_ended(struct kernel *k, const struct session_end *end);

/* park.c */
void park_took(struct kernel *k, const json_t *head, int link);
bool park_wake(struct kernel *k);   /* false: there is none, or it is dead */
void park_choose(struct kernel *k); /* where the newest is dead, the older one is to be woken */
bool park_undo(struct kernel *k);   /* chooses the newest from before the last cell; false: there is none */
void park_let_go(struct kernel *k);
unsigned park_behind(const struct kernel *k); /* cells that have ended since the copy was made */

/* where.c: a cell that does not stop when it is interrupted */
bool where_interrupted(struct kernel *k, struct wire *w); /* true: the user gives the cell up */
void where_due(struct kernel *k);
void where_done(struct wire *w);
size_t where_report(int fd, struct buf *out); /* takes the report of a session; the number of lines */

/* link.c */
void wire_init(struct wire *w, struct publisher *pub);
void wire_reset(struct wire *w);   /* forgets all that belonged to the link before */
void wire_release(struct wire *w); /* but not the pipes */
void wire_close(struct wire *w);
int wire_passed(struct wire *w); /* the next descriptor that came; -1: none */
bool link_send(struct wire *w, int type, uint32_t request, const struct slice *parts, size_t n);
void link_flush(struct wire *w);
void link_read(struct kernel *k, struct wire *w);      /* frames that have come */
void link_read_rest(struct kernel *k, struct wire *w); /* to the last byte: who sent it is dead */
void pipes_drain(struct kernel *k, struct wire *w);    /* what is in both pipes now */
bool pipes_read(struct kernel *k, struct wire *w);     /* the same when they woke us; true if there was much */

/* frames.c */
void frame_act(struct kernel *k, struct wire *w, const struct link_frame *f);
void wire_broken(struct kernel *k, struct wire *w, const char *why); /* who is at its other end does what must not be */

/* stdin.c */
bool stdin_ask(struct kernel *k, struct wire *w, uint32_t frame, const json_t *head);
void stdin_receive(struct kernel *k);
void stdin_again(struct kernel *k, struct wire *w);
void stdin_cancel(struct wire *w);
void stdin_comm_leaves(struct kernel *k, const char *comm); /* nobody answers for this comm any more */

/* stop.c */
void stop_interrupt(struct kernel *k);
void stop_begin(struct kernel *k, struct request *asked, bool restart);
void stop_step(struct kernel *k);
void stop_session_gone(struct kernel *k);
void stop_hurry(struct kernel *k); /* the end was asked for before: clients are not waited for */

/* info.c and comms.c: handlers of requests; comms.c also keeps the registry. */
bool info_reply(struct kernel *k, struct request *r, struct buf *content);
bool comm_info_reply(struct kernel *k, struct request *r, struct buf *content);
bool comm_known(const struct kernel *k, const char *id);
void comm_opened(struct kernel *k, const char *id, const char *target);
void comm_closed(struct kernel *k, const char *id);
void comm_leaves(struct kernel *k, const char *id);      /* a client has sent comm_close, which waits for its turn */
bool comm_stays(const struct kernel *k, const char *id); /* it is open, and no comm_close is waiting */
void comm_taken(struct kernel *k, const char *id);       /* the session has it */
/* ... after a client's comm_open; `again`: that may be said to another session, too */
void comm_answered(struct kernel *k, const struct request *r, bool again);
void comms_lost(struct kernel *k);                        /* closes what the session had, and tells the clients */
void comms_for_woken(struct kernel *k, struct buf *head); /* adds what is open, for WAKE */
void comm_release(struct kernel *k);

/* environ.c: the session's argv and environment, NULL-terminated; freed with environ_free. */
struct session_environ {
	char **argv, **envp;
};
bool environ_make(struct session_environ *s, const struct kernel *k, int link_fd, struct err *e) MUST_CHECK;
void environ_free(struct session_environ *s);

#endif
