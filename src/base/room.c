#include "base/room.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_MAX 65536 /* mountinfo of a machine with many containers is long; the rest are a few KB */
#define LEVELS_MAX 32

/* How the two versions call things. */
static const struct names {
	const char *limit, *used, *peak, *reclaimable[3];
	const char *events, *killed;  /* file and key */
	const char *full_file, *full; /* NULL: the file is the number */
} names[] = {
    {.limit = NULL},
    {"memory.limit_in_bytes",
     "memory.usage_in_bytes",
     "memory.max_usage_in_bytes",
     {"total_active_file", "total_inactive_file"},
     "memory.oom_control",
     "oom_kill",
     "memory.failcnt",
     NULL},
    {"memory.max",
     "memory.current",
     "memory.peak",
     {"active_file", "inactive_file", "slab_reclaimable"},
     "memory.events",
     "oom_kill",
     "memory.events",
     "oom"},
};

/* The whole of a small file, NUL-terminated, or NULL. The text is good until the next call. */
static const char *text_of(const char *dir, const char *name)
{
	static char text[FILE_MAX];
	char path[ROOM_PATH + 300];
	size_t len = 0;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while (len < sizeof text - 1) {
		ssize_t n = read(fd, text + len, sizeof text - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	text[len] = '\0';
	return len ? text : NULL;
}

/* The number after `key` at the beginning of a line; without a key the one that the text is. False also for "max". */
static bool number_in(const char *text, const char *key, uint64_t *out)
{
	size_t n = key ? strlen(key) : 0;
	while (text && key && (strncmp(text, key, n) != 0 || (text[n] != ' ' && text[n] != ':'))) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (!text)
		return false;
	const char *digits = text + n + strspn(text + n, ": \t");
	char *end;
	if (*digits < '0' || *digits > '9')
		return false;
	*out = strtoull(digits, &end, 10);
	return true;
}

static uint64_t number_of(const char *dir, const char *name, const char *key)
{
	uint64_t v = 0;
	return number_in(text_of(dir, name), key, &v) ? v : 0;
}

static bool has_word(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list, *end = list + len; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t k = (size_t)((comma ? comma : end) - p);
		if (k == n && memcmp(p, word, n) == 0)
			return true;
		p += k + 1;
	}
	return false;
}

/* ---- which group ---- */

/* The path of this process in the tree of a version, from lines `number:controllers:path`. */
static bool find_group(const char *lines, int version, char *out, size_t max)
{
	while (lines && *lines) {
		const char *first = strchr(lines, ':'), *second = first ? strchr(first + 1, ':') : NULL;
		if (!second)
			return false;
		size_t words = (size_t)(second - first - 1);
		if (version == 2 ? words == 0 && lines[0] == '0' : has_word(first + 1, words, "memory")) {
			snprintf(out, max, "%.*s", (int)strcspn(second + 1, "\n"), second + 1);
			return true;
		}
		lines = strchr(lines, '\n');
		lines = lines ? lines + 1 : NULL;
	}
	return false;
}

struct mount {
	char root[512], point[512];
};

/* The mount of a version's tree: `id parent device ROOT POINT options … - TYPE source OPTIONS`. */
static bool find_mount(const char *lines, int version, struct mount *m)
{
	char line[2048], type[32], options[512];
	while (lines && *lines) {
		snprintf(line, sizeof line, "%.*s", (int)strcspn(lines, "\n"), lines);
		const char *dash = strstr(line, " - ");
		if (dash && sscanf(line, "%*s %*s %*s %511s %511s", m->root, m->point) == 2 &&
		    sscanf(dash + 3, "%31s %*s %511s", type, options) == 2 &&
		    (version == 2 ? strcmp(type, "cgroup2") == 0
				  : strcmp(type, "cgroup") == 0 && has_word(options, strlen(options), "memory")))
			return true;
		lines = strchr(lines, '\n');
		lines = lines ? lines + 1 : NULL;
	}
	return false;
}

/* In a container the tree may begin at its own group, or the mount show a part of it. */
static void place(struct room *r, const char *path, const struct mount *m)
{
	size_t skip = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
	bool inside = strncmp(path, m->root, skip) == 0 && (path[skip] == '/' || !path[skip]) && !strstr(path, "/..");
	path = inside && strcmp(path + skip, "/") != 0 ? path + skip : "";
	r->top = (size_t)snprintf(r->dir, sizeof r->dir, "%s%s", r->root, m->point);
	if (r->top + strlen(path) < sizeof r->dir)
		snprintf(r->dir + r->top, sizeof r->dir - r->top, "%s", path);
	else
		r->version = 0;
}

void room_open(struct room *r)
{
	const char *root = getenv("CARRACK_SYSTEM_ROOT");
	*r = (struct room){.version = 0};
	snprintf(r->root, sizeof r->root, "%s", root ? root : "");
	/* Where both versions are in use, memory is counted by the first: only then has it the controller. */
	for (int version = 1; version <= 2 && !r->version; version++) {
		char path[ROOM_PATH];
		struct mount m;
		if (find_group(text_of(r->root, "proc/self/cgroup"), version, path, sizeof path) &&
		    find_mount(text_of(r->root, "proc/self/mountinfo"), version, &m)) {
			r->version = version;
			place(r, path, &m);
		}
	}
}

/* ---- its levels ---- */

/* Calls fn for the group and each above it. */
static void each_level(const struct room *r, void (*fn)(const struct names *n, const char *dir, void *data), void *data)
{
	char dir[ROOM_PATH];
	memcpy(dir, r->dir, sizeof dir);
	for (int i = 0; r->version && i < LEVELS_MAX; i++) {
		fn(&names[r->version], dir, data);
		char *slash = strrchr(dir, '/');
		if (!slash || (size_t)(slash - dir) < r->top)
			return;
		*slash = '\0';
	}
}

static void take_tighter(struct room_state *s, const struct room_state *other)
{
	if (!s->limit || room_left(other) < room_left(s))
		*s = *other;
}

static void look_at_level(const struct names *n, const char *dir, void *data)
{
	struct room_state *s = data, level = {.group = true};
	if (!number_in(text_of(dir, n->limit), NULL, &level.limit) || level.limit == 0 ||
	    level.limit >= (uint64_t)1 << 60)
		return;
	level.used = number_of(dir, n->used, NULL);
	level.peak = number_of(dir, n->peak, NULL);
	const char *stat = text_of(dir, "memory.stat");
	uint64_t files = 0, v;
	for (size_t i = 0; i < ARRAY_LEN(n->reclaimable) && n->reclaimable[i]; i++)
		files += number_in(stat, n->reclaimable[i], &v) ? v : 0;
	level.used -= files < level.used ? files : level.used;
	take_tighter(s, &level);
}

static void look_at_machine(const struct room *r, struct room_state *s)
{
	const char *text = text_of(r->root, "proc/meminfo");
	uint64_t total, available, swap = 0, swap_free = 0;
	if (!number_in(text, "MemTotal", &total) || !number_in(text, "MemAvailable", &available))
		return;
	number_in(text, "SwapTotal", &swap);
	number_in(text, "SwapFree", &swap_free);
	struct room_state machine = {.limit = (total + swap) << 10};
	machine.used = machine.limit - ((available + swap_free) << 10);
	if (available + swap_free <= total + swap)
		take_tighter(s, &machine);
}

void room_state(const struct room *r, struct room_state *s)
{
	*s = (struct room_state){.limit = 0};
	look_at_machine(r, s);
	each_level(r, look_at_level, s);
}

uint64_t room_left(const struct room_state *s)
{
	return !s->limit ? UINT64_MAX : s->used < s->limit ? s->limit - s->used : 0;
}

static void count_full(const struct names *n, const char *dir, void *data)
{
	*(uint64_t *)data += number_of(dir, n->full_file, n->full);
}

void room_counts(const struct room *r, struct room_counts *c)
{
	*c = (struct room_counts){.known = false};
	if (r->version)
		c->known = number_in(text_of(r->dir, names[r->version].events), names[r->version].killed, &c->killed);
	each_level(r, count_full, &c->full);
	c->anywhere = number_of(r->root, "proc/vmstat", "oom_kill");
}

const char *room_words(uint64_t bytes, char out[ROOM_WORDS])
{
	double mb = (double)bytes / (1 << 20);
	if (mb >= 1024)
		snprintf(out, ROOM_WORDS, "%.1f GB", mb / 1024);
	else
		snprintf(out, ROOM_WORDS, mb >= 100 ? "%.0f MB" : "%.1f MB", mb);
	return out;
}
