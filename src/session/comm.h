/* comm.h: comms, the session's half. The kernel process keeps the registry (comm_info); here is who answers.
 *
 * A comm belongs to a target. Targets in C are listed in comm_targets (src/comms/targets.c, the layer above); a target
 * that R code has registered (modules/comm.R) is served by comm_r.c. A client opens a comm with a target's name; a name
 * that nobody knows is answered with comm_close.
 *
 * A comm_msg of a client to a target in C is a request or an event (docs/comms.md): a request has an `id`, names a method of
 * the target's table, and gets exactly one comm_msg back: its result, or an error. Whatever happens in a handler (an
 * error of R, any jump) becomes that error; nothing else is harmed.
 */
#ifndef CARRACK_SESSION_COMM_H
#define CARRACK_SESSION_COMM_H

#include "base/slice.h"
#include "link/peer.h"
#include "rapi/rapi.h"

/* JSON-RPC 2.0, "Error object". */
#define SS_COMM_BAD_REQUEST (-32600)
#define SS_COMM_NO_METHOD (-32601)
#define SS_COMM_BAD_PARAMS (-32602)
#define SS_COMM_FAILED (-32603)

struct ss_comm {
	char *id;
	const struct ss_comm_target *target;
	void *state; /* the target's */
	struct ss_comm *next;
};

/* A message of a client. All of it is a copy that lives as long as the request. */
struct ss_comm_message {
	const char *type;
	json_t *content, *metadata; /* objects */
	json_t *data;               /* content's, NULL if there is none */
	const struct slice *buffers;
	size_t n_buffers;
};

/* A method appends its result, a JSON value, to *result. Runs in the sandbox and may jump: an error is the answer then
 * (ss_comm_fail says which). What it has appended is thrown away. */
struct ss_comm_method {
	const char *name;
	const char *reply; /* the `method` of the answer */
	void (*call)(struct ss_comm *c, const json_t *params, struct buf *result);
	int limit_ms; /* how long it may take; 0: R_LIMIT_MS */
	bool event;   /* it may come as an event, too; then nothing is answered */
	bool looks; /* it changes nothing that anybody would miss: a copy of the session may answer while a cell runs */
};

struct ss_comm_target {
	const char *name;
	/* False refuses the comm and says why. NULL: nothing to do. Does not jump. */
	bool (*open)(struct ss_comm *c, const struct ss_comm_message *m, struct err *e);
	/* After a successful open, in the sandbox: first events. May jump. NULL: none. */
	void (*opened)(struct ss_comm *c);
	const struct ss_comm_method *methods; /* ends with a name of NULL */
	/* Takes every comm_msg as it is, in place of `methods`. Does not jump. */
	void (*message)(struct ss_comm *c, const struct ss_comm_message *m);
	/* Gives `state` back. `m` is NULL if it is not the client who closes. Does not jump. */
	void (*close)(struct ss_comm *c, const struct ss_comm_message *m);
	/* A request may have changed things: called before its reply, and where R's debugger asks for input. In the sandbox, may jump. */
	void (*settle)(struct ss_comm *c);
	/* A cell is about to run. Does not jump. */
	void (*begin)(struct ss_comm *c);
	bool
	    again; /* a client's comm_open may be repeated in a session that does not have the comm: nothing but the client's side
		     * would be missing */
};

extern const struct ss_comm_target *const comm_targets[]; /* ends with NULL */

/* ---- answering requests of the kernel ---- */

/* Copies what else is needed out of the frame of the request that comes next. */
void ss_comm_take(const struct link_frame *f);
void ss_comm_open(const json_t *head, const json_t *content);
void ss_comm_msg(const json_t *head, const json_t *content);
void ss_comm_close(const json_t *head, const json_t *content);

/* True if the message only looks: it is for a method that does. */
bool ss_comm_looks(const json_t *content);

/* In a copy that is the session now: what the client has open (docs/link.md, "WAKE"), and what this process has, become one. Does not jump. */
void ss_comm_woken(const json_t *comms);

/* Tells all comms that a cell is about to run. Does not jump. */
void ss_comm_begin(void);

/* Tells all comms that things may have changed. Nothing is done if no comm is open that wants to know. Does not jump. */
void ss_comm_settle(void);

/* The same where R's debugger is about to ask for input. */
void ss_comm_settle_at_browser(void);

/* ---- for targets ---- */

/* Ends a method with this error. Jumps. */
void ss_comm_fail(int code, const char *fmt, ...) PRINTF_LIKE(2, 3) __attribute__((noreturn));

/* PUBLISH comm_msg with data {"method": …, "params": …}; `params` is JSON text. Releases params. Does not jump. */
void ss_comm_event(struct ss_comm *c, const char *method, struct buf *params);

/* Sends comm_close with data {"reason": …}, or {} for NULL, and forgets the comm. Does not jump. */
void ss_comm_end(struct ss_comm *c, const char *reason);

/* The environment that the user works in: that of the function in which R's debugger asks, or the workspace. Does not jump. */
SEXP ss_comm_environment(void);

struct ss_comm *ss_comm_find(const char *id);
/* The comm of a target that was opened last; NULL if none is open. */
struct ss_comm *ss_comm_newest(const char *target);

/* Registers a comm. NULL without memory. */
struct ss_comm *ss_comm_new(const char *id, const struct ss_comm_target *target);
/* Forgets it, without a message. `m` as in `close` above. */
void ss_comm_drop(struct ss_comm *c, const struct ss_comm_message *m);

/* PUBLISH of any comm message. The three are JSON objects (text); target only for comm_open, else NULL. Does not jump. */
void ss_comm_publish(const char *type, const char *id, const char *target, struct slice data, struct slice metadata,
		     const struct slice *buffers, size_t n_buffers);

/* Runs fn(data) in the sandbox. False and *e if it jumped; the log has the full report, with `asked` in it. Does not jump. */
bool ss_comm_run(const char *asked, void (*fn)(void *), void *data, struct err *e) MUST_CHECK;

/* For R code. ss_comm_r_open: has a client opened the target in C? ss_comm_r_event sends the comm of that target that was opened
 * last an event, whose params are a list with names; FALSE if there is none. They may jump. */
SEXP ss_comm_r_open(SEXP target);
SEXP ss_comm_r_event(SEXP target, SEXP method, SEXP params);

/* input.c: asks the client that runs the cell, on stdin, for what the target's contract lets R ask, and waits for the answer, which is
 * the value. An error if no client has the comm open, if nobody can be asked, or if the answer is an error. May jump. */
SEXP ss_comm_r_ask(SEXP target, SEXP method, SEXP params);

/* ---- comm_r.c: comms of R code ---- */

extern const struct ss_comm_target ss_comm_r_target;
bool ss_comm_r_knows(const char *target);                                                     /* does not jump */
SEXP ss_comm_r_send(SEXP type, SEXP id, SEXP target, SEXP data, SEXP metadata, SEXP buffers); /* called from R */
SEXP ss_comm_r_uuid(void);                                                                    /* called from R */

#endif
