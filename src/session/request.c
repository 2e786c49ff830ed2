/* request.c: which function answers which request. */
#include "session/comm.h"
#include "session/complete.h"
#include "session/cost.h"
#include "session/display.h"
#include "session/park.h"

static const struct {
	const char *type, *reply;
	void (*answer)(const json_t *head, const json_t *content);
} answers[] = {
    {"execute_request", "execute_reply", ss_execute},
    {"is_complete_request", "is_complete_reply", ss_is_complete},
    {"complete_request", "complete_reply", ss_complete},
    {"inspect_request", "inspect_reply", ss_inspect},
    {"comm_open", "", ss_comm_open},
    {"comm_msg", "", ss_comm_msg},
    {"comm_close", "", ss_comm_close},
};

/* `x_request` is answered by `x_reply`; what is not called a request has no reply on the wire ("" says so to the kernel). */
static void not_implemented(const char *type)
{
	char reply[96] = "";
	size_t n = strlen(type), tail = strlen("_request");
	if (n > tail && n < 64 && strcmp(type + n - tail, "_request") == 0)
		snprintf(reply, sizeof reply, "%.*s_reply", (int)(n - tail), type);
	struct buf content = BUF_INIT(BUF_MAX_SMALL), evalue = BUF_INIT(BUF_MAX_SMALL);
	buf_printf(&evalue, "this session does not answer a request of type %.64s", type);
	buf_puts(&content, "{\"status\":\"error\",");
	ss_condition_write(&content, "NotImplemented", evalue.data, "");
	buf_putc(&content, '}');
	buf_release(&evalue);
	ss_reply(reply, &content);
}

static void unreadable(const char *type, const struct err *e)
{
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	buf_puts(&content, "{\"status\":\"error\",");
	ss_condition_write(&content, "RequestError", e->msg, e->msg);
	buf_putc(&content, '}');
	ss_reply(type, &content);
}

/* Whether a copy may answer in place of the session: nothing of what the session has is changed by it. */
static bool only_looks(const char *type, const json_t *content)
{
	static const char *const looks[] = {"is_complete_request", "complete_request", "inspect_request"};
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		if (strcmp(type, looks[i]) == 0)
			return true;
	return strcmp(type, "comm_msg") == 0 && ss_comm_looks(content);
}

void ss_request(const struct link_frame *f)
{
	struct err e = {0};
	/* The frame's memory is reused by the next frame that is sent: everything is copied out of it here. */
	uint32_t number = f->request;
	json_t *head = link_frame_json(f, 0, &e), *content = head ? link_frame_json(f, 1, &e) : NULL;
	const char *type = json_string_or(head, "type", "");
	size_t i = 0;
	while (i < ARRAY_LEN(answers) && strcmp(answers[i].type, type) != 0)
		i++;
	bool cell = content && strcmp(type, "execute_request") == 0;
	if (cell)
		ss_cell_begin(f, content);
	if (cell && ss_park_before_cell())
		goto done; /* this is the copy, woken: the request was the dead session's */
	if (strncmp(type, "comm_", 5) == 0) {
		ss_comm_take(f);
		if (!only_looks(type, content) && ss_park_before_message())
			goto done; /* the same */
	}
	ss_request_begin(number);
	ss.looks = json_bool_or(head, "look", false);
	if (ss.looks && !only_looks(type, content)) {
		ss_send(LINK_PASS, NULL, NULL, 0);
		ss_request_end();
		goto done;
	}
	ss_cost_begin();
	ss.silent = json_bool_or(head, "silent", false);
	ss.allow_stdin = json_bool_or(head, "allow_stdin", false);
	ss.count = json_int_or(head, "execution_count", 0);
	if (!content)
		unreadable(i < ARRAY_LEN(answers) ? answers[i].reply : "", &e);
	else if (i < ARRAY_LEN(answers))
		answers[i].answer(head, content);
	else
		not_implemented(type);
	ss_request_end();
done:
	json_decref(head);
	json_decref(content);
}
