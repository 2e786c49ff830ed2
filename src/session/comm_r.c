/* comm_r.c: comms whose handlers are R code (modules/comm.R, docs/comms.md).
 *
 * Handlers are the user's code: they run as a cell does, with their text and errors shown, and can be interrupted.
 */
#include "session/comm.h"

#include "rapi/exec.h"
#include "rapi/json.h"
#include "rapi/keep.h"
#include "rapi/value.h"
#include "session/session.h"

#include <sys/random.h>

/* ---- from R ---- */

SEXP ss_comm_r_uuid(void)
{
	unsigned char r[16];
	char s[37];
	/* Not from R's generator: .Random.seed is the user's. */
	if (getrandom(r, sizeof r, 0) != sizeof r)
		Rf_error("no random numbers from the system");
	r[6] = (unsigned char)(0x40 | (r[6] & 0x0f)); /* RFC 4122, version 4 */
	r[8] = (unsigned char)(0x80 | (r[8] & 0x3f));
	char *at = s;
	for (int i = 0; i < 16; i++)
		at += snprintf(at, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", r[i]);
	return r_string(s, 36);
}

/* May jump. */
static size_t take_buffers(SEXP list, struct slice *parts, size_t max)
{
	R_xlen_t n = Rf_xlength(list);
	if (TYPEOF(list) != VECSXP && list != R_NilValue)
		Rf_error("`buffers` must be a list of raw vectors");
	if (n > (R_xlen_t)max)
		Rf_error("a message can have %d buffers at most", (int)max);
	for (R_xlen_t i = 0; i < n; i++) {
		SEXP raw = VECTOR_ELT(list, i);
		if (TYPEOF(raw) != RAWSXP)
			Rf_error("`buffers` must be a list of raw vectors");
		parts[i] = (struct slice){(const char *)RAW_RO(raw), (size_t)XLENGTH(raw)};
	}
	return (size_t)n;
}

/* The spec wants objects: an empty list is one. May jump. */
static void write_object(struct buf *b, SEXP x, const char *what)
{
	b->max = BUF_MAX_MESSAGE;
	buf_clear(b);
	if (Rf_xlength(x) == 0)
		buf_puts(b, "{}");
	else
		r_json_write(b, x);
	if (b->failed)
		Rf_error("`%s` is larger than a message may be", what);
	if (b->data[0] != '{')
		Rf_error("`%s` must be a list with names", what);
}

SEXP ss_comm_r_send(SEXP type_, SEXP id_, SEXP target_, SEXP data_, SEXP metadata_, SEXP buffers_)
{
	static struct buf data, metadata; /* static: a jump on the way leaves nothing behind */
	static struct slice parts[LINK_MAX_PARTS - 3];
	const char *type = r_text(type_, 0), *id = r_text(id_, 0), *target = r_text(target_, 0);
	bool open = strcmp(type, "comm_open") == 0;
	if (r_in_child())
		Rf_error("a forked process cannot use comms");
	if (ss.copy && strcmp(type, "comm_msg") != 0)
		Rf_error("a comm is opened and closed in the session itself, not in a subshell");
	if (!*id)
		Rf_error("a comm's id must be a string that is not empty");
	write_object(&data, data_, "data");
	write_object(&metadata, metadata_, "metadata");
	size_t n = take_buffers(buffers_, parts, ARRAY_LEN(parts));
	struct ss_comm *c = ss_comm_find(id);
	if (open && c)
		Rf_error("comm %s is open already", id);
	if (!open && !c)
		Rf_error("comm %s is not open", id);
	if (open && !ss_comm_new(id, &ss_comm_r_target))
		Rf_error("no memory for a comm");
	ss_console_capture_flush(); /* what was printed before is seen before */
	ss_comm_publish(type, id, open ? target : NULL, SLICE_BUF(&data), SLICE_BUF(&metadata), parts, n);
	if (strcmp(type, "comm_close") == 0)
		ss_comm_drop(c, NULL);
	buf_trim(&data, (size_t)1 << 16);
	buf_trim(&metadata, (size_t)1 << 16);
	return R_NilValue;
}

/* ---- to R ---- */

static SEXP raw_vectors(const struct ss_comm_message *m)
{
	SEXP list = PROTECT(Rf_allocVector(VECSXP, (R_xlen_t)m->n_buffers));
	for (size_t i = 0; i < m->n_buffers; i++) {
		SEXP raw = Rf_allocVector(RAWSXP, (R_xlen_t)m->buffers[i].len);
		SET_VECTOR_ELT(list, (R_xlen_t)i, raw);
		if (m->buffers[i].len)
			memcpy(RAW(raw), m->buffers[i].data, m->buffers[i].len);
	}
	UNPROTECT(1);
	return list;
}

static void call_r(void *data)
{
	const struct ss_comm_message *m = data;
	const char *id = json_string_or(m->content, "comm_id", ""),
		   *target = json_string_or(m->content, "target_name", "");
	SEXP args[6];
	args[0] = PROTECT(r_string(m->type, strlen(m->type)));
	args[1] = PROTECT(r_string(id, strlen(id)));
	args[2] = PROTECT(r_string(target, strlen(target)));
	args[3] = PROTECT(r_json_read(m->data));
	args[4] = PROTECT(r_json_read(m->metadata));
	args[5] = PROTECT(raw_vectors(m));
	r_call_module("comm_received", ARRAY_LEN(args), args);
	UNPROTECT(ARRAY_LEN(args));
}

/* False if the handler did not come to its end; R has said why, on stderr. */
static bool handle(const struct ss_comm_message *m)
{
	bool ok = r_toplevel_exec(call_r, (void *)m);
	r_print_warnings();
	if (!ok)
		ss_log("warn", "the handler of a %s (request %u) failed: %s", m->type, ss.request, R_curErrorBuf());
	return ok;
}

static bool open_r(struct ss_comm *c, const struct ss_comm_message *m, struct err *e)
{
	return handle(m) || err_set(e, "the handler of the target failed: %s", R_curErrorBuf());
}

static void message_r(struct ss_comm *c, const struct ss_comm_message *m)
{
	handle(m);
}

struct forgetting {
	const char *id;
};

static void forget_r(void *data)
{
	const char *id = ((struct forgetting *)data)->id;
	SEXP arg = PROTECT(r_string(id, strlen(id)));
	r_call_module("comm_forgotten", 1, &arg);
	UNPROTECT(1);
}

static void close_r(struct ss_comm *c, const struct ss_comm_message *m)
{
	struct forgetting f = {c->id};
	if (m)
		handle(m);
	r_try_exec(forget_r, &f);
}

const struct ss_comm_target ss_comm_r_target = {.name = "R", .open = open_r, .message = message_r, .close = close_r};

struct asking {
	const char *target;
	bool known;
};

static void ask_r(void *data)
{
	struct asking *a = data;
	SEXP arg = PROTECT(r_string(a->target, strlen(a->target)));
	a->known = Rf_asLogical(r_call_module("comm_target_known", 1, &arg)) == TRUE;
	UNPROTECT(1);
}

bool ss_comm_r_knows(const char *target)
{
	struct asking a = {target, false};
	return r_try_exec(ask_r, &a) && a.known;
}
