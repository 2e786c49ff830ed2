/* fuzz_session.c: a whole session with R in it, and a client that says anything about comms and code.
 *
 * R is started once, as the session starts it. The input is a list of requests: comms are opened, written to and closed, for the targets
 * in C and for R code (workspace.R); code is completed, inspected and judged at any place; JSON becomes R's values and JSON again. No
 * code of the input is ever evaluated. In place of the kernel stands peer.c.
 *
 * What must hold: each request has one reply of its type; all that is said is JSON in UTF-8 and of a comm that is open; each
 * request to a target in C has one answer; what is to be replaced lies in the code; what JSON became in R is written as the same JSON.
 */
#include "peer.h"

#include "base/utf8.h"
#include "rapi/exec.h"
#include "rapi/json.h"
#include "rapi/keep.h"
#include "rapi/value.h"
#include "session/session.h"
#include "session/task.h"

#include <unistd.h>

/* What is allocated in R stays there for the next input: R's own memory is nobody's leak. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libR.so\nleak:libc.so\nleak:methods.so\n";
}

/* ── the workspace ── */

static SEXP workspace; /* the expressions of workspace.R */
static R_xlen_t n_variables;

static void parse_workspace(void *data)
{
	static const char path[] = FUZZ_DIR "/workspace.R";
	ParseStatus status;
	SEXP name = PROTECT(r_string(path, sizeof path - 1));
	SEXP lines = PROTECT(r_call_in(R_BaseEnv, "readLines", 1, &name));
	workspace = R_ParseVector(lines, -1, &status, R_NilValue);
	FUZZ_CHECK(status == PARSE_OK);
	R_PreserveObject(workspace);
	UNPROTECT(2);
}

/* What would evaluate the input, or start a server, is taken out. */
static void take_out(void *data)
{
	static const char *const names[] = {"ui_evaluate", "help_opened", "help_show_topic", "help_show_vignette"};
	SEXP modules = r_kept(R_KEEP_MODULES), instead = Rf_findFun(Rf_install("identity"), R_BaseEnv);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		SEXP name = Rf_install(names[i]);
		FUZZ_CHECK(Rf_findVarInFrame(modules, name) != R_UnboundValue);
		R_unLockBinding(name, modules);
		Rf_defineVar(name, instead, modules);
	}
}

static void fill_workspace(void *data)
{
	for (R_xlen_t i = 0; i < XLENGTH(workspace); i++)
		Rf_eval(VECTOR_ELT(workspace, i), R_GlobalEnv);
	n_variables = Rf_xlength(R_GlobalEnv);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	setenv("R_HOME", FUZZ_R_HOME, 0);
	setenv("R_DEFAULT_PACKAGES", "methods,stats,utils", 0);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("R_LIBS_USER", "", 1);
	peer_start(
	    "{\"mode\":\"notebook\",\"args\":[\"--vanilla\"],\"repos\":{\"kind\":\"none\"},\"snapshots\":false}");
	atexit(ss_remove_temp_dir);
	FUZZ_CHECK(r_toplevel_exec(take_out, NULL));
	FUZZ_CHECK(r_toplevel_exec(parse_workspace, NULL) && r_toplevel_exec(fill_workspace, NULL));
	return 0;
}

/* ── requests ── */

static void ask(const char *type, const char *reply, struct buf *content, const struct slice *rest, size_t n)
{
	struct slice parts[8];
	struct buf head = BUF_INIT(BUF_MAX_SMALL);
	buf_putc(&head, '{');
	jx_key_string(&head, "type", type);
	jx_key_string(&head, "msg_id", "m");
	jx_key_bool(&head, "silent", true); /* nobody reads R's text */
	buf_putc(&head, '}');
	parts[0] = SLICE_BUF(&head);
	parts[1] = content->data ? SLICE_BUF(content) : SLICE_STR("");
	if (n)
		memcpy(parts + 2, rest, n * sizeof *rest);
	peer_ask(parts, n + 2, reply);
	buf_release(&head);
}

/* ── comms ── */

static const char *const ids[] = {"a", "b", "c", "", "\xc3\xa9"};
static const char *const targets[] = {"positron.variables", "echo", "fails", "restless", "nobody", "positron.ui"};
static const char *const datas[] = {
    "{}",
    "{\"id\":1,\"method\":\"list\"}",
    "{\"id\":1,\"method\":\"list\",\"params\":{}}",
    "{\"id\":\"x\",\"method\":\"clear\",\"params\":{\"include_hidden_objects\":true}}",
    "{\"id\":2,\"method\":\"delete\",\"params\":{\"names\":[\"one\",\"active\",\"none such\"]}}",
    "{\"id\":2,\"method\":\"nonsense\"}",
    "{\"id\":2}",
    "{\"method\":\"inspect\"}",
    "{\"stay\":true,\"why\":\"because\"}",
    "{\"id\":1,\"method\":\"call_method\",\"params\":{\"method\":\"setConsoleWidth\",\"params\":[80]}}",
    "{\"id\":1,\"method\":\"call_method\",\"params\":{\"method\":\"get_attached_packages\",\"params\":[]}}",
    "{\"method\":\"did_change_plots_render_settings\",\"params\":{\"settings\":{\"size\":{},\"pixel_ratio\":1}}}",
};
static const char *const methods[] = {"inspect", "clipboard_format", "view", "query_table_summary", "delete"};
static const char *const names[] = {
    "one",         "many",          "text",          "odd",    "latin",          "numbers", "complexes",   "raws",
    "nothing",     "factors",       "broken_factor", "dates",  "times",          "data",    "broken_data", "no_names",
    "matrix",      "array",         "empty_matrix",  "list",   "pairs",          "call",    "formula",     "f",
    "environment", "methods_class", "promise",       "active", "strange $ name", "\\",      ".hidden",     "deep",
    "wide",        ".Last.value",   "comms",
};

static void put_text(struct buf *b, const char *key, struct fuzz_input *in)
{
	size_t n;
	const char *s = fuzz_bytes(in, &n);
	if (key)
		jx_key(b, key);
	jx_string(b, s, n);
}

/* {"id":3,"method":…,"params":{"path":[…],…}}: a request to the variables that means something. */
static void put_method(struct buf *b, struct fuzz_input *in)
{
	uint8_t what = fuzz_byte(in), depth = fuzz_byte(in) % 8;
	buf_puts(b, "{\"id\":3");
	jx_key_string(b, "method", methods[what % ARRAY_LEN(methods)]);
	buf_puts(b, ",\"params\":{");
	jx_key(b, what & 0x80 ? "names" : "path");
	buf_putc(b, '[');
	for (int i = 0; i < depth; i++) {
		uint8_t name = fuzz_byte(in);
		if (i)
			buf_putc(b, ',');
		if (name < ARRAY_LEN(names))
			jx_cstring(b, names[name]);
		else if (name < 128)
			buf_printf(b, "\"%d\"", name - 60);
		else
			put_text(b, NULL, in);
	}
	buf_putc(b, ']');
	jx_key_string(b, "format", what & 0x40 ? "text/html" : "text/plain");
	jx_key_raw(b, "query_types", what & 0x20 ? "[\"summary_stats\"]" : "[]", what & 0x20 ? 17 : 2);
	buf_puts(b, "}}");
}

static void put_data(struct buf *b, struct fuzz_input *in)
{
	uint8_t which = fuzz_byte(in);
	size_t n;
	jx_key(b, "data");
	if (which < ARRAY_LEN(datas)) {
		buf_puts(b, datas[which]);
	} else if (which < 128) {
		put_method(b, in);
	} else { /* whatever it is: also the end of the object, or nothing that is JSON */
		const char *s = fuzz_bytes(in, &n);
		buf_put(b, s, n);
	}
}

static bool in_c[ARRAY_LEN(ids)]; /* those whose target is in C */

static void comm(struct fuzz_input *in, const char *type)
{
	uint8_t which = fuzz_byte(in) % ARRAY_LEN(ids), target = fuzz_byte(in), buffers = fuzz_byte(in);
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	struct slice rest[4];
	bool open = strcmp(type, "comm_open") == 0, close = strcmp(type, "comm_close") == 0;
	if (open == peer_comm_is_open(ids[which]))
		return; /* the kernel tells a session of comms that are open, and of each once */
	buf_putc(&content, '{');
	jx_key_string(&content, "comm_id", ids[which]);
	jx_key_string(&content, "target_name", targets[target % ARRAY_LEN(targets)]);
	put_data(&content, in);
	buf_putc(&content, '}');
	for (int i = 0; i < 4; i++)
		rest[i] = (struct slice){"", 0};
	if (buffers & 1)
		rest[0].data = fuzz_bytes(in, &rest[0].len);
	if (buffers & 2)
		rest[1].data = fuzz_bytes(in, &rest[1].len);
	/* The kernel passes nothing on that is no object, nor another id than the one that it has looked at. */
	json_t *sent = json_object_from(content.data, content.len, "content", NULL);
	if (sent && strcmp(json_string_or(sent, "comm_id", ""), ids[which]) == 0) {
		if (open) {
			peer_comm_opened(ids[which]);
			in_c[which] = strncmp(json_string_or(sent, "target_name", ""), "positron.", 9) == 0;
		} else if (close) {
			peer_comm_closed(ids[which]);
		}
		int due = !open && !close && json_object_get(json_object_get(sent, "data"), "id");
		ask(type, "", &content, rest, buffers % 5);
		FUZZ_CHECK(!in_c[which] || peer_answers() == due);
	}
	json_decref(sent);
	buf_release(&content);
}

static void close_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct buf content = BUF_INIT(BUF_MAX_SMALL);
		if (!peer_comm_is_open(ids[i]))
			continue;
		peer_comm_closed(ids[i]);
		buf_putc(&content, '{');
		jx_key_string(&content, "comm_id", ids[i]);
		buf_putc(&content, '}');
		ask("comm_close", "", &content, NULL, 0);
		buf_release(&content);
	}
	FUZZ_CHECK(!peer_some_comm());
}

/* ── code ── */

static void check_code_reply(const char *type, const struct buf *content)
{
	json_t *reply = json_loads(peer_reply(), 0, NULL),
	       *asked = json_loadb(content->data, content->len, JSON_ALLOW_NUL, NULL);
	const json_t *code = json_object_get(asked, "code");
	const char *status = json_string_or(reply, "status", "");
	size_t n = utf8_count(json_string_value(code), json_string_length(code));
	FUZZ_CHECK(reply && asked);
	if (strcmp(type, "complete_request") == 0) {
		json_int_t from = json_int_or(reply, "cursor_start", -1), to = json_int_or(reply, "cursor_end", -1);
		FUZZ_CHECK(strcmp(status, "ok") == 0 && json_is_array(json_object_get(reply, "matches")));
		FUZZ_CHECK(from >= 0 && from <= to && to <= (json_int_t)n);
	} else if (strcmp(type, "inspect_request") == 0) {
		bool found = json_bool_or(reply, "found", false);
		FUZZ_CHECK(strcmp(status, "ok") == 0 && json_is_boolean(json_object_get(reply, "found")));
		FUZZ_CHECK(found == (json_object_size(json_object_get(reply, "data")) > 0));
	} else {
		FUZZ_CHECK(strcmp(status, "complete") == 0 || strcmp(status, "incomplete") == 0 ||
			   strcmp(status, "invalid") == 0);
		FUZZ_CHECK((strcmp(status, "incomplete") == 0) == json_is_string(json_object_get(reply, "indent")));
	}
	json_decref(reply);
	json_decref(asked);
}

static void code(struct fuzz_input *in, const char *type, const char *reply)
{
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	uint8_t detail = fuzz_byte(in), at = fuzz_byte(in);
	buf_putc(&content, '{');
	put_text(&content, "code", in);
	jx_key_int(&content, "cursor_pos", detail & 0x80 ? at : (detail & 0x40 ? -1LL : 100000LL));
	jx_key_int(&content, "detail_level", detail & 1);
	buf_putc(&content, '}');
	ask(type, reply, &content, NULL, 0);
	check_code_reply(type, &content);
	buf_release(&content);
}

/* ── JSON and R's values ── */

struct turn {
	const json_t *from;
	struct buf *to;
};

static void there_and_back(void *data)
{
	struct turn *t = data;
	SEXP value = PROTECT(r_json_read(t->from));
	r_json_write(t->to, value);
	UNPROTECT(1);
}

/* From the second writing on nothing changes any more: a `-0.0` has become a 0, a key "" its number. */
static void json(struct fuzz_input *in)
{
	size_t n;
	const char *s = fuzz_bytes(in, &n);
	json_t *v = json_loadb(s, n, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	struct buf text[3] = {BUF_INIT(BUF_MAX_SMALL), BUF_INIT(BUF_MAX_SMALL), BUF_INIT(BUF_MAX_SMALL)};
	for (int i = 0; i < 3 && v; i++) {
		struct turn t = {v, &text[i]};
		bool written = r_toplevel_exec(there_and_back, &t);
		json_decref(v);
		v = written ? json_loadb(text[i].data, text[i].len, JSON_DECODE_ANY, NULL) : NULL;
		FUZZ_CHECK(v || !written);
		FUZZ_CHECK(written || n > 1000); /* what is nested too deep */
	}
	if (v)
		FUZZ_CHECK(text[1].len == text[2].len && memcmp(text[1].data, text[2].data, text[1].len) == 0);
	json_decref(v);
	for (int i = 0; i < 3; i++)
		buf_release(&text[i]);
}

/* ── the input ── */

/* A request of any other type, and contents that are no object. Not execute_request: code of the input is not evaluated. */
static void other(struct fuzz_input *in)
{
	static const char *const types[] = {"complete_request", "inspect_request", "is_complete_request", "comm_msg"};
	static const char *const replies[] = {"complete_reply", "inspect_reply", "is_complete_reply", ""};
	uint8_t which = fuzz_byte(in) % ARRAY_LEN(types);
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	size_t n;
	const char *s = fuzz_bytes(in, &n);
	buf_put(&content, s, n);
	ask(types[which], replies[which], &content, NULL, 0);
	json_t *object = json_object_from(s, n, "content", NULL);
	ask("other_request", object || !n ? "other_reply" : "", &content, NULL, 0);
	json_decref(object);
	ask("other", "", &content, NULL, 0);
	buf_release(&content);
}

static void step(struct fuzz_input *in)
{
	switch (fuzz_byte(in) % 10) {
	case 0: comm(in, "comm_open"); break;
	case 1:
	case 2:
	case 3: comm(in, "comm_msg"); break;
	case 4: comm(in, "comm_close"); break;
	case 5: code(in, "complete_request", "complete_reply"); break;
	case 6: code(in, "inspect_request", "inspect_reply"); break;
	case 7: code(in, "is_complete_request", "is_complete_reply"); break;
	case 8: json(in); break;
	case 9: other(in); break;
	}
	if (ss_task_waiting())
		ss_task_idle();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = {data, data + n};
	for (int i = 0; i < 30 && in.at < in.end; i++)
		step(&in);
	close_all();
	if (Rf_xlength(R_GlobalEnv) != n_variables)
		FUZZ_CHECK(r_toplevel_exec(fill_workspace, NULL));
	return 0;
}
