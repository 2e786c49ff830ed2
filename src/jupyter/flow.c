#include "jupyter/flow.h"

#include "base/memory.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct {
	atomic_size_t bytes;
	atomic_bool waiting;
	int fd;
} flow = {.fd = -1};

bool flow_init(struct err *e)
{
	flow.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return flow.fd >= 0 || err_errno(e, "eventfd");
}

void flow_release(void)
{
	close(flow.fd);
	flow.fd = -1;
}

static void uncount(size_t n)
{
	size_t left = atomic_fetch_sub(&flow.bytes, n) - n;
	if (left <= FLOW_LOW && atomic_exchange(&flow.waiting, false))
		eventfd_write(flow.fd, 1);
}

static void sent(void *data, void *hint)
{
	free(data);
	uncount((size_t)hint);
}

/* Gives back what a buffer has in reserve: it may lie here for long. */
static char *to_measure(char *data, size_t n, size_t cap)
{
	char *less = cap - n > n / 8 + 256 ? realloc(data, n + 1) : NULL;
	return less ? less : data;
}

bool flow_message(zmq_msg_t *msg, struct buf *b, size_t more, struct err *e)
{
	size_t n, cap = b->cap;
	char *data = buf_detach(b, &n);
	if (!data)
		return err_set(e, "a message over the ceiling, or no memory for it");
	data = to_measure(data, n, cap);
	size_t cost = n + more;
	atomic_fetch_add(&flow.bytes, cost);
	int tries = 0, rc;
	while ((rc = zmq_msg_init_data(msg, data, n, sent, (void *)cost)) != 0 && mem_again(&tries))
		continue;
	if (rc != 0) {
		atomic_fetch_sub(&flow.bytes, cost);
		free(data);
		return err_set(e, "no memory for a message");
	}
	return true;
}

/* ---- blocks ---- */

struct flow_block {
	char *data;
	size_t len;
	size_t cost; /* that was counted */
	atomic_size_t users;
};

struct flow_block *flow_block_new(struct buf *b)
{
	struct flow_block *block = mem_alloc(sizeof *block);
	if (!block)
		return NULL;
	*block = (struct flow_block){.cost = b->cap};
	atomic_init(&block->users, 1);
	atomic_fetch_add(&flow.bytes, block->cost);
	block->data = buf_detach(b, &block->len);
	return block;
}

void flow_block_release(struct flow_block *block)
{
	if (!block || atomic_fetch_sub(&block->users, 1) > 1)
		return;
	size_t cost = block->cost;
	free(block->data);
	free(block);
	uncount(cost);
}

bool flow_block_has(const struct flow_block *block, struct slice part)
{
	return block && part.data >= block->data && part.data + part.len <= block->data + block->len;
}

static void part_sent(void *data, void *hint)
{
	flow_block_release(hint);
}

bool flow_part(zmq_msg_t *msg, struct flow_block *block, struct slice part, size_t more, struct err *e)
{
	int tries = 0, rc;
	block->cost += more;
	atomic_fetch_add(&flow.bytes, more);
	atomic_fetch_add(&block->users, 1);
	while ((rc = zmq_msg_init_data(msg, (void *)(uintptr_t)part.data, part.len, part_sent, block)) != 0 &&
	       mem_again(&tries))
		continue;
	if (rc == 0)
		return true;
	flow_block_release(block);
	return err_set(e, "no memory for a message");
}

/* ---- the session's turn ---- */

bool flow_full(void)
{
	if (atomic_load(&flow.waiting))
		return true;
	if (atomic_load(&flow.bytes) <= FLOW_HIGH)
		return false;
	atomic_store(&flow.waiting, true);
	/* The callback may have passed FLOW_LOW between the two lines above and found nobody waiting. */
	if (atomic_load(&flow.bytes) <= FLOW_LOW && atomic_exchange(&flow.waiting, false))
		return false;
	return true;
}

int flow_fd(void)
{
	return flow.fd;
}

void flow_woken(void)
{
	eventfd_t unused;
	eventfd_read(flow.fd, &unused);
}

size_t flow_bytes(void)
{
	return atomic_load(&flow.bytes);
}
