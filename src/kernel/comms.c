/* comms.c: which comms are open. The registry is here and not in R, so that comm_info answers while R computes.
 *
 * A comm that a client opens is in it as soon as its comm_open has arrived, and the session hears of it when that has its turn. A session
 * that follows another (park.c, death.c) hears what is open and known to the one before; what still waits for its turn waits on.
 */
#include "base/memory.h"
#include "kernel/kernel.h"

#define AGAIN_MAX 65536 /* of a comm_open that is kept so that it can be repeated */

/* Object of comm_id → {"target_name": …}, with `known` when the session has it, and `open`, the content of the client's comm_open, if a
 * session that does not have it may be told of it again. jansson's hash table is the registry. */
struct comm_table {
	json_t *open;
	json_t *leaving; /* of these, those for which a comm_close of a client waits behind a cell */
};

static json_t *table(struct kernel *k)
{
	if (!k->comms) {
		k->comms = mem_calloc(1, sizeof *k->comms);
		if (k->comms) {
			k->comms->open = json_object();
			k->comms->leaving = json_object();
		}
	}
	return k->comms ? k->comms->open : NULL;
}

static json_t *entry(const struct kernel *k, const char *id)
{
	return k->comms ? json_object_get(k->comms->open, id) : NULL;
}

bool comm_known(const struct kernel *k, const char *id)
{
	return entry(k, id) != NULL;
}

void comm_opened(struct kernel *k, const char *id, const char *target)
{
	json_object_set_new(table(k), id, json_pack("{ss}", "target_name", target));
}

void comm_taken(struct kernel *k, const char *id)
{
	json_object_set_new(entry(k, id), "known", json_true());
}

void comm_answered(struct kernel *k, const struct request *r, bool again)
{
	const char *id = json_string_or(r->msg->content, "comm_id", "");
	comm_taken(k, id);
	if (again && r->msg->content_text.len <= AGAIN_MAX)
		json_object_set(entry(k, id), "open", r->msg->content);
}

void comm_closed(struct kernel *k, const char *id)
{
	if (!k->comms)
		return;
	json_object_del(k->comms->open, id);
	json_object_del(k->comms->leaving, id);
}

void comm_leaves(struct kernel *k, const char *id)
{
	if (comm_known(k, id))
		json_object_set_new(k->comms->leaving, id, json_true());
	stdin_comm_leaves(k, id);
}

bool comm_stays(const struct kernel *k, const char *id)
{
	return comm_known(k, id) && !json_object_get(k->comms->leaving, id);
}

static void publish_close(struct kernel *k, const char *id)
{
	struct buf content = BUF_INIT(BUF_MAX_SMALL);
	buf_putc(&content, '{');
	jx_key_string(&content, "comm_id", id);
	buf_puts(&content, ",\"data\":{}}");
	pub_message(&k->pub, NULL, "comm_close", &content);
}

/* Closes those that the session had, or, of these, those that it had not taken yet: one is, if its opening is what ended R. */
static void close_all(struct kernel *k, bool taken)
{
	const struct request *r = k->main.running;
	const char *id,
	    *opening = r && request_is(r, "comm_open") ? json_string_or(r->msg->content, "comm_id", "") : "";
	json_t *c;
	void *next;
	json_object_foreach_safe(table(k), next, id, c)
	{
		if (strcmp(id, opening) != 0 && !(taken && json_object_get(c, "known")))
			continue;
		publish_close(k, id);
		json_object_del(k->comms->leaving, id);
		json_object_del(k->comms->open, id);
	}
}

void comms_lost(struct kernel *k)
{
	close_all(k, true);
}

void comms_for_woken(struct kernel *k, struct buf *head)
{
	const char *id;
	json_t *c;
	close_all(k, false);
	jx_key(head, "comms");
	buf_putc(head, '{');
	json_object_foreach(table(k), id, c)
	{
		if (!json_object_get(c, "known"))
			continue;
		jx_key(head, id);
		jx_value(head, json_object_get(c, "open"));
	}
	buf_putc(head, '}');
}

void comm_release(struct kernel *k)
{
	if (k->comms) {
		json_decref(k->comms->open);
		json_decref(k->comms->leaving);
	}
	free(k->comms);
	k->comms = NULL;
}

bool comm_info_reply(struct kernel *k, struct request *r, struct buf *content)
{
	const char *wanted = json_string_or(r->msg->content, "target_name", "");
	const char *id;
	json_t *c;
	buf_puts(content, "{\"status\":\"ok\",\"comms\":{");
	json_object_foreach(table(k), id, c)
	{
		const char *target = json_string_or(c, "target_name", "");
		if (*wanted && strcmp(wanted, target) != 0)
			continue;
		jx_key(content, id);
		buf_putc(content, '{');
		jx_key_string(content, "target_name", target);
		buf_putc(content, '}');
	}
	buf_puts(content, "}}");
	return true;
}
