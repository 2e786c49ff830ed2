/* reply.c: what the session says over the link. */
#include "session/comm.h"
#include "session/cost.h"
#include "session/session.h"

bool ss_send(int type, const char *head, const struct slice *rest, size_t n)
{
	struct err e = {0};
	if (getpid() != ss.link.owner || link_peer_call(&ss.link, type, ss.request, head, rest, n, &e))
		return true;
	if (ss.link.fd < 0)
		ss_link_gone();
	return false;
}

void ss_send_failed(const char *msg_type)
{
	ss_log("error", "a %s is larger than a message may be, or memory is short", msg_type);
	ss_console_say(
	    "A message (%s) is larger than a message may be (1 GB, 1,000 buffers), or memory is short: it was "
	    "not sent.",
	    msg_type);
}

/* What is said instead of content over the ceiling. NULL: nothing of this type can be. */
static const char *instead_of(int type, const char *msg_type)
{
	if (type == LINK_REPLY)
		return "{\"status\":\"error\",\"ename\":\"error\",\"evalue\":\"the reply was too "
		       "large\",\"traceback\":[]}";
	if (strcmp(msg_type, "error") == 0)
		return "{\"ename\":\"error\",\"evalue\":\"an error whose text is larger than a message may be\","
		       "\"traceback\":[\"an error whose text is larger than a message may be\"]}";
	return NULL;
}

static void send_message(int type, const char *msg_type, struct buf *content)
{
	char head[96];
	snprintf(head, sizeof head, "{\"type\":\"%s\"}", msg_type);
	struct buf metadata = BUF_INIT(BUF_MAX_SMALL);
	if (strcmp(msg_type, "execute_reply") == 0)
		ss_cost_put(&metadata);
	else
		buf_puts(&metadata, "{}");
	struct slice rest[] = {{content->data, content->len}, {metadata.data, metadata.len}};
	if (content->failed || !ss_send(type, head, rest, ARRAY_LEN(rest))) {
		const char *instead = instead_of(type, msg_type);
		rest[0] = (struct slice){instead, instead ? strlen(instead) : 0};
		ss_send_failed(msg_type);
		if (instead)
			ss_send(type, head, rest, ARRAY_LEN(rest));
	}
	buf_release(&metadata);
	buf_release(content);
}

void ss_publish(const char *msg_type, struct buf *content)
{
	ss_console_release();
	send_message(LINK_PUBLISH, msg_type, content);
}

void ss_reply(const char *msg_type, struct buf *content)
{
	if (!ss.replied && strcmp(msg_type, "execute_reply") == 0)
		ss_comm_settle();
	if (!ss.replied)
		send_message(LINK_REPLY, msg_type, content);
	ss.replied = true;
	buf_release(content);
}

void ss_log(const char *level, const char *fmt, ...)
{
	struct buf text = BUF_INIT(BUF_MAX_SMALL), head = BUF_INIT(BUF_MAX_SMALL);
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	buf_putc(&head, '{');
	jx_key_string(&head, "level", level);
	jx_key_string(&head, "text", text.data ? text.data : "");
	buf_putc(&head, '}');
	if (!head.failed)
		ss_send(LINK_LOG, head.data, NULL, 0);
	buf_release(&text);
	buf_release(&head);
}
