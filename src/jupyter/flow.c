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

static void sent(void *data, void *hint)
{
	size_t n = (size_t)hint;
	size_t left = atomic_fetch_sub(&flow.bytes, n) - n;
	free(data);
	if (left <= FLOW_LOW && atomic_exchange(&flow.waiting, false))
		eventfd_write(flow.fd, 1);
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
