#include "jupyter/message.h"

#include "base/memory.h"

void jp_message_init(struct jp_message *m)
{
	*m = (struct jp_message){0};
	buf_init(&m->bytes, JP_MAX_MESSAGE);
}

bool jp_message_add(struct jp_message *m, const void *bytes, size_t n, struct err *e)
{
	if (m->n >= JP_MAX_PARTS)
		return err_set(e, "a message has at most %d parts", JP_MAX_PARTS);
	if (m->n % 16 == 0) {
		struct slice *p = mem_realloc(m->part, (m->n + 16) * sizeof *p);
		if (!p)
			return err_set(e, "no memory for a message");
		m->part = p;
	}
	/* The buffer may still move: offsets for now, pointers when all parts are there. */
	m->part[m->n++] = (struct slice){(const char *)m->bytes.len, n};
	buf_put(&m->bytes, bytes, n);
	return m->bytes.failed ? err_set(e, "a message is at most %zu bytes", JP_MAX_MESSAGE) : true;
}

static bool find_delimiter(struct jp_message *m, struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		m->part[i].data = (m->bytes.data ? m->bytes.data : "") + (size_t)m->part[i].data;
	}
	for (size_t i = 0; i < m->n; i++) {
		if (m->part[i].len == strlen(JP_DELIMITER) &&
		    memcmp(m->part[i].data, JP_DELIMITER, m->part[i].len) == 0) {
			m->n_ids = i;
			return true;
		}
	}
	return err_set(e, "a message of %zu parts without the delimiter " JP_DELIMITER, m->n);
}

static bool read_ids(struct jp_message *m, struct err *e)
{
	m->id = json_string_value(json_object_get(m->header, "msg_id"));
	m->type = json_string_value(json_object_get(m->header, "msg_type"));
	if (!m->id || !m->type)
		return err_set(e, "the header must have `msg_id` and `msg_type`, both strings");
	if (!*m->type || strlen(m->id) > JP_MAX_ID || strlen(m->type) > JP_MAX_ID)
		return err_set(e, "`msg_id` and `msg_type` may have up to %d bytes", JP_MAX_ID);
	return true;
}

bool jp_message_parse(struct jp_message *m, const struct jp_key *key, struct err *e)
{
	if (!find_delimiter(m, e))
		return false;
	size_t at = m->n_ids + 1;
	if (m->n < at + 5)
		return err_set(e, "a message needs a signature and four parts after " JP_DELIMITER ", this one has %zu",
			       m->n - at);
	m->signature = m->part[at];
	const struct slice *four = &m->part[at + 1];
	if (!jp_verify(key, m->signature, four, 4))
		return err_set(e, "a message with a wrong signature");
	m->header_text = four[0];
	m->metadata_text = four[2];
	m->content_text = four[3];
	m->buffers = &m->part[at + 5];
	m->n_buffers = m->n - (at + 5);
	return (m->header = json_object_from(four[0].data, four[0].len, "header", e)) &&
	       (m->parent = json_object_from(four[1].data, four[1].len, "parent_header", e)) &&
	       (m->metadata = json_object_from(four[2].data, four[2].len, "metadata", e)) &&
	       (m->content = json_object_from(four[3].data, four[3].len, "content", e)) && read_ids(m, e);
}

void jp_message_release(struct jp_message *m)
{
	buf_release(&m->bytes);
	free(m->part);
	json_decref(m->header);
	json_decref(m->parent);
	json_decref(m->metadata);
	json_decref(m->content);
	jp_message_init(m);
}

struct jp_message *jp_message_move(struct jp_message *m)
{
	struct jp_message *to = mem_alloc(sizeof *to);
	if (!to)
		return NULL;
	*to = *m;
	jp_message_init(m);
	return to;
}

void jp_message_free(struct jp_message *m)
{
	if (!m)
		return;
	jp_message_release(m);
	free(m);
}
