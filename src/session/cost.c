#include "session/cost.h"
#include "session/session.h"

#include "base/clock.h"
#include "base/json.h"

#include <sys/resource.h>

struct spent {
	double clock, self, children; /* milliseconds */
	double peak_mb;
};

static struct spent begun;

static double cpu_ms(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e3 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e3;
}

static struct spent spent_now(void)
{
	struct rusage self = {0}, children = {0};
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return (struct spent){(double)clock_ns() / 1e6, cpu_ms(&self), cpu_ms(&children),
			      (double)self.ru_maxrss / 1024};
}

void ss_cost_begin(void)
{
	begun = spent_now();
}

void ss_cost_put(struct buf *metadata)
{
	struct spent now = spent_now();
	buf_printf(metadata,
		   "{\"carrack\":{\"elapsed_ms\":%.3f,\"cpu_ms\":%.3f,\"children_cpu_ms\":%.3f,\"peak_mb\":%.1f%s}}",
		   now.clock - begun.clock, now.self - begun.self, now.children - begun.children, now.peak_mb,
		   ss.copy ? ",\"subshell\":\"a copy of the session: what is assigned here stays in this subshell\""
			   : "");
}
