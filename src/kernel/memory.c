#include "kernel/memory.h"

#include "base/clock.h"
#include "base/log.h"
#include "kernel/kernel.h"

#include <fcntl.h>
#include <unistd.h>

#define FIRST_MS 100 /* most cells are over by then */
#define LEAST_MS 20
#define LEAST_ALONE_MS 250 /* with no copies to let go, only the user's warning depends on it */
#define MOST_MS 2000
#define COUNT_MS 3000            /* a kill is counted before its process is gone: what is this old was another's */
#define FAST ((uint64_t)4 << 20) /* bytes a millisecond: nobody fills memory faster */

#define WARN_ABOVE 0.9 /* of the limit */
#define CALM_BELOW 0.8
#define LITTLE_LEAST ((uint64_t)64 << 20) /* little is left: a twentieth of the limit, within these bounds */
#define LITTLE_MOST ((uint64_t)1 << 30)
#define PRESSED 4 /* so many times as much is little, while processes wait for memory */

/* ---- whom the memory killer takes ---- */

/* proc(5), oom_score_adj: -1000 never … 1000 first; a unit is a thousandth of all memory. Who has not the right to, cannot make it less. */
#define SCORE "/proc/self/oom_score_adj"
#define KERNEL_LESS 500
#define SESSION_MORE 20 /* where the kernel cannot have less: enough for one to be larger than a kernel that is busy */

static char session_score[24];

static bool write_score(const char *text)
{
	int fd = open(SCORE, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static void set_scores(void)
{
	char text[16] = "", own[24];
	int fd = open(SCORE, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	if (!*text)
		return;
	long now = strtol(text, NULL, 10), more = now + SESSION_MORE;
	long less = now - KERNEL_LESS < -999 ? -999 : now - KERNEL_LESS;
	snprintf(own, sizeof own, "%ld", less);
	snprintf(session_score, sizeof session_score, "%ld", write_score(own) ? now : more > 1000 ? 1000 : more);
}

void memory_score(void)
{
	if (*session_score)
		write_score(session_score);
}

/* Told when all processes together have waited a tenth of a second within a second or, as it is for those without privileges, two.
 * Who waits in a container with a limit counts for the machine, too. */
static int open_pressure(const struct room *r)
{
	static const char *const triggers[] = {"some 100000 1000000", "some 100000 2000000"};
	char path[sizeof r->root + 32];
	snprintf(path, sizeof path, "%s/proc/pressure/memory", r->root);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	for (size_t i = 0; fd >= 0 && i < ARRAY_LEN(triggers); i++)
		if (write(fd, triggers[i], strlen(triggers[i]) + 1) > 0)
			return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

void memory_init(struct kernel *k)
{
	struct memory *m = &k->memory;
	room_open(&m->room);
	room_counts(&m->room, &m->last);
	m->before = m->last;
	m->pressure = open_pressure(&m->room);
	log_debug("memory pressure is %s", m->pressure < 0 ? "looked for" : "told by the system");
	set_scores();
}

void memory_release(struct kernel *k)
{
	if (k->memory.pressure >= 0)
		close(k->memory.pressure);
	k->memory.pressure = -1;
}

/* ---- while a cell runs ---- */

void memory_cell_began(struct kernel *k)
{
	int64_t at = clock_ms() + FIRST_MS;
	if (!k->memory.at || k->memory.at > at)
		k->memory.at = at;
}

static const char *whose(const struct room_state *s)
{
	return s->group ? "the memory limit of this control group (container, service or job)"
			: "this machine's memory";
}

static void warn_user(struct kernel *k, const struct room_state *s)
{
	char used[ROOM_WORDS], limit[ROOM_WORDS], text[400];
	bool is_short = (double)s->used > WARN_ABOVE * (double)s->limit;
	if ((double)s->used < CALM_BELOW * (double)s->limit)
		k->memory.warned = false;
	if (!is_short || k->memory.warned || !k->main.running || k->main.running->silent)
		return;
	k->memory.warned = true;
	int n = snprintf(text, sizeof text,
			 "Memory is getting short: %s of %s are used, which is %s. If it is used up, the system "
			 "ends R. rm() and gc() give back what is not needed.\n",
			 room_words(s->used, used), room_words(s->limit, limit), whose(s));
	pub_text(&k->pub, PUB_STDERR, text, (size_t)n);
	pub_flush(&k->pub, false);
	log_warn("%.*s", n - 1, text);
}

static bool anything_runs(const struct kernel *k)
{
	const struct copy *c = k->copies.first;
	while (c && !c->wire.running)
		c = c->next;
	return k->main.running || c;
}

/* The one that only looks, while nothing is with it. */
static struct copy *idle_looker(const struct kernel *k)
{
	struct copy *c = k->copies.looker;
	return c && c->ready && !c->over && !c->wire.running ? c : NULL;
}

static bool has_copies(const struct kernel *k)
{
	return k->session.parked.link >= 0 || k->session.older.link >= 0 || idle_looker(k);
}

static uint64_t little_of(const struct room_state *s)
{
	uint64_t little = s->limit / 20;
	return little < LITTLE_LEAST ? LITTLE_LEAST : little > LITTLE_MOST ? LITTLE_MOST : little;
}

static void relieve(struct kernel *k, const struct room_state *s, uint64_t left, uint64_t little)
{
	if (left >= little || !has_copies(k))
		return;
	char words[ROOM_WORDS];
	log_warn("only %s of %s are left: the parked copies are let go", room_words(left, words), whose(s));
	park_let_go(k);
	if (idle_looker(k))
		copy_let_go(k, idle_looker(k));
	k->memory.let_go = true;
}

void memory_due(struct kernel *k)
{
	struct memory *m = &k->memory;
	struct room_state s;
	if (clock_ms() - m->counted_at >= COUNT_MS) {
		m->before = m->last;
		room_counts(&m->room, &m->last);
		m->counted_at = clock_ms();
	}
	room_state(&m->room, &s);
	uint64_t left = room_left(&s);
	warn_user(k, &s);
	relieve(k, &s, left, little_of(&s));
	uint64_t least = has_copies(k) ? LEAST_MS : LEAST_ALONE_MS, ms = left / FAST;
	ms = ms < least ? least : ms > MOST_MS ? MOST_MS : ms;
	bool idly = m->pressure < 0 && has_copies(k);
	m->at = anything_runs(k) ? clock_ms() + (int64_t)ms : idly ? clock_ms() + MEMORY_IDLE_MS : 0;
}

/* ---- while nothing runs ---- */

void memory_parked(struct kernel *k)
{
	if (!k->memory.at && k->memory.pressure < 0)
		k->memory.at = clock_ms() + MEMORY_IDLE_MS;
}

bool memory_watches(const struct kernel *k)
{
	return k->memory.pressure >= 0 && has_copies(k);
}

/* Processes wait for memory: what is left may be less than it seems, as files that are in use count as left. */
void memory_pressed(struct kernel *k, bool failed)
{
	struct room_state s;
	if (failed) {
		memory_release(k);
		memory_parked(k);
		return;
	}
	room_state(&k->memory.room, &s);
	relieve(k, &s, room_left(&s), PRESSED * little_of(&s));
}

/* ---- afterwards ---- */

void memory_peak(const struct kernel *k, const struct rusage *usage, char *out, size_t max)
{
	char peak[ROOM_WORDS], limit[ROOM_WORDS];
	struct room_state s;
	room_state(&k->memory.room, &s);
	room_words((uint64_t)usage->ru_maxrss << 10, peak);
	if (s.limit)
		snprintf(out, max, "%s of %s", peak, room_words(s.limit, limit));
	else
		snprintf(out, max, "%s", peak);
}

/* The reason is the group's limit if a level of the group was full meanwhile, else the machine's. */
static void for_want_of_memory(const struct room_state *s, bool full, const char *peak, char *out, size_t max)
{
	char limit[ROOM_WORDS], most[ROOM_WORDS], group[64] = "";
	if (s->group && s->peak)
		snprintf(group, sizeof group, ", all of the group %s", room_words(s->peak, most));
	if (full && s->group)
		snprintf(out, max,
			 ": the system's memory killer took it, because the memory limit of its control group "
			 "(container, service or job), %s, was reached; R had used %s at most%s",
			 room_words(s->limit, limit), peak, group);
	else
		snprintf(out, max,
			 ": the system's memory killer took it, because the machine's memory was used up; R had used "
			 "%s at most",
			 peak);
}

void memory_verdict(const struct kernel *k, const struct rusage *usage, char *out, size_t max)
{
	const struct memory *m = &k->memory;
	struct room_counts now;
	struct room_state s;
	char peak[ROOM_WORDS];
	room_counts(&m->room, &now);
	room_state(&m->room, &s);
	room_words((uint64_t)usage->ru_maxrss << 10, peak);
	if (now.known && now.killed > m->before.killed)
		for_want_of_memory(&s, now.full > m->before.full, peak, out, max);
	else if (now.known)
		snprintf(
		    out, max,
		    ", by another process: the system's memory killer was not at work here; R had used %s of memory "
		    "at most",
		    peak);
	else if (now.anywhere > m->before.anywhere)
		snprintf(
		    out, max,
		    ": probably by the system's memory killer, which was at work on this machine; R had used %s of "
		    "memory at most",
		    peak);
	else
		snprintf(out, max, ": by somebody's kill, or because memory was short; R had used %s at most", peak);
}
