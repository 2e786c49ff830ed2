/* comms.c: which comms are open. The registry is here and not in R, so that comm_info answers while R computes. */
#include "base/memory.h"
#include "kernel/kernel.h"

/* Object of comm_id → target_name. jansson's hash table is the registry. */
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

bool comm_known(const struct kernel *k, const char *id)
{
	return k->comms && json_object_get(k->comms->open, id);
}

void comm_opened(struct kernel *k, const char *id, const char *target)
{
	json_object_set_new(table(k), id, json_string(target));
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

json_t *comm_snapshot(struct kernel *k)
{
	return json_deep_copy(table(k));
}

void comm_restore(struct kernel *k, json_t *before)
{
	const char *id;
	json_t *target;
	void *next;
	json_object_foreach_safe(table(k), next, id, target)
	{
		if (json_object_get(before, id))
			continue;
		publish_close(k, id);
		json_object_del(k->comms->leaving, id);
		json_object_del(k->comms->open, id);
	}
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
	json_t *target;
	buf_puts(content, "{\"status\":\"ok\",\"comms\":{");
	json_object_foreach(table(k), id, target)
	{
		if (*wanted && strcmp(wanted, json_string_value(target)) != 0)
			continue;
		jx_key(content, id);
		buf_putc(content, '{');
		jx_key_string(content, "target_name", json_string_value(target));
		buf_putc(content, '}');
	}
	buf_puts(content, "}}");
	return true;
}
