#include "base/room.h"
#include "unit.h"

#include <sys/stat.h>

#define GB ((uint64_t)1 << 30)
#define MB ((uint64_t)1 << 20)

/* Writes a file of the test's system, with the directories that it needs. */
static void put(const char *name, const char *text)
{
	char path[PATH_MAX];
	unit_path(path, name);
	for (char *p = path + strlen(unit_dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	FILE *f = fopen(path, "we");
	if (!CHECK(f != NULL))
		return;
	fputs(text, f);
	fclose(f);
}

static void machine(uint64_t total_mb, uint64_t available_mb)
{
	char text[200];
	snprintf(text, sizeof text,
		 "MemTotal: %8llu kB\nMemFree: 1 kB\nMemAvailable: %8llu kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
		 (unsigned long long)total_mb << 10, (unsigned long long)available_mb << 10);
	put("proc/meminfo", text);
	put("proc/vmstat", "nr_free_pages 1\noom_kill 7\n");
}

#define V2_MOUNT                                                                                                 \
	"24 1 0:3 / /proc rw - proc proc rw\n30 24 0:26 %s /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 " \
	"rw,nsdelegate\n"
#define V1_MOUNTS                                                                    \
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"        \
	"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"       \
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" \
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"

static void groups(const char *mount, const char *mount_root, const char *cgroup)
{
	char text[2000];
	/* The format is one of the two above. */
	const char *at = strstr(mount, "%s");
	if (at)
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - mount), mount, mount_root, at + 2);
	else
		snprintf(text, sizeof text, "%s", mount);
	put("proc/self/mountinfo", text);
	put("proc/self/cgroup", cgroup);
}

static struct room room;
static struct room_state state;

static void look(void)
{
	setenv("CARRACK_SYSTEM_ROOT", unit_dir, 1);
	room_open(&room);
	room_state(&room, &state);
}

TEST(a_limit_of_the_group_itself)
{
	machine(16384, 8192);
	groups(V2_MOUNT, "/", "0::/user.slice/r.scope\n");
	put("sys/fs/cgroup/user.slice/r.scope/memory.max", "2147483648\n");
	put("sys/fs/cgroup/user.slice/r.scope/memory.current", "1610612736\n");
	put("sys/fs/cgroup/user.slice/r.scope/memory.peak", "1811939328\n");
	put("sys/fs/cgroup/user.slice/r.scope/memory.stat",
	    "anon 1\nfile 900\ninactive_file 104857600\nactive_file 209715200\n");
	put("sys/fs/cgroup/user.slice/memory.max", "max\n");
	look();
	CHECK_INT(room.version, 2);
	CHECK(state.group);
	CHECK_INT(state.limit, 2 * GB);
	CHECK_INT(state.used, 1536 * MB - 300 * MB);
	CHECK_INT(state.peak, 1728 * MB);
	CHECK_INT(room_left(&state), 2048 * MB - 1236 * MB);
}

TEST(a_limit_further_up_is_tighter)
{
	machine(16384, 8192);
	groups(V2_MOUNT, "/", "0::/a/b/c\n");
	put("sys/fs/cgroup/a/b/c/memory.max", "4294967296\n");
	put("sys/fs/cgroup/a/b/c/memory.current", "1048576\n");
	put("sys/fs/cgroup/a/memory.max", "1073741824\n");
	put("sys/fs/cgroup/a/memory.current", "1000000000\n");
	look();
	CHECK_INT(state.limit, GB);
	CHECK_INT(state.used, 1000000000);
}

TEST(the_machine_is_tighter)
{
	machine(16384, 512);
	groups(V2_MOUNT, "/", "0::/a\n");
	put("sys/fs/cgroup/a/memory.max", "8589934592\n");
	put("sys/fs/cgroup/a/memory.current", "1048576\n");
	look();
	CHECK(!state.group);
	CHECK_INT(state.limit, 16 * GB);
	CHECK_INT(room_left(&state), 512 * MB);
}

TEST(a_container_sees_its_group_as_the_root)
{
	machine(16384, 8192);
	groups(V2_MOUNT, "/", "0::/\n");
	put("sys/fs/cgroup/memory.max", "536870912\n");
	put("sys/fs/cgroup/memory.current", "268435456\n");
	put("sys/fs/cgroup/memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n");
	look();
	CHECK_INT(state.limit, 512 * MB);
	struct room_counts c;
	room_counts(&room, &c);
	CHECK(c.known);
	CHECK_INT(c.killed, 1);
	CHECK_INT(c.full, 2);
	CHECK_INT(c.anywhere, 7);
}

TEST(a_container_that_sees_the_hosts_paths)
{
	machine(16384, 8192);
	groups(V2_MOUNT, "/docker/0123", "0::/docker/0123/inner\n");
	put("sys/fs/cgroup/memory.max", "536870912\n");
	put("sys/fs/cgroup/memory.current", "1\n");
	put("sys/fs/cgroup/inner/memory.max", "268435456\n");
	put("sys/fs/cgroup/inner/memory.current", "1\n");
	look();
	CHECK_INT(state.limit, 256 * MB);
}

TEST(a_path_outside_of_what_is_mounted)
{
	machine(16384, 8192);
	groups(V2_MOUNT, "/", "0::/../other\n");
	put("sys/fs/cgroup/memory.max", "536870912\n");
	put("sys/fs/cgroup/memory.current", "1\n");
	put("sys/fs/other/memory.max", "1\n");
	look();
	CHECK_INT(state.limit, 512 * MB);
}

TEST(the_first_version)
{
	machine(16384, 8192);
	groups(V1_MOUNTS, "", "9:name=systemd:/\n4:memory:/job/7\n2:cpu,cpuacct:/\n0::/\n");
	put("sys/fs/cgroup/memory/job/7/memory.limit_in_bytes", "9223372036854771712\n");
	put("sys/fs/cgroup/memory/job/7/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
	put("sys/fs/cgroup/memory/job/7/memory.failcnt", "0\n");
	put("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1073741824\n");
	put("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "943718400\n");
	put("sys/fs/cgroup/memory/job/memory.max_usage_in_bytes", "1073741824\n");
	put("sys/fs/cgroup/memory/job/memory.stat", "cache 5\nactive_file 1\ntotal_inactive_file 104857600\n");
	put("sys/fs/cgroup/memory/job/memory.failcnt", "12\n");
	look();
	CHECK_INT(room.version, 1);
	CHECK_INT(state.limit, GB);
	CHECK_INT(state.used, 800 * MB);
	CHECK_INT(state.peak, GB);
	struct room_counts c;
	room_counts(&room, &c);
	CHECK(c.known);
	CHECK_INT(c.killed, 3);
	CHECK_INT(c.full, 12);
}

TEST(without_groups_the_machine_is_all)
{
	machine(8192, 4096);
	look();
	CHECK_INT(room.version, 0);
	CHECK_INT(state.limit, 8 * GB);
	CHECK_INT(state.used, 4 * GB);
	struct room_counts c;
	room_counts(&room, &c);
	CHECK(!c.known);
	CHECK_INT(c.anywhere, 7);
}

TEST(nothing_is_known)
{
	look();
	CHECK_INT(state.limit, 0);
	CHECK(room_left(&state) == UINT64_MAX);
	struct room_counts c;
	room_counts(&room, &c);
	CHECK(!c.known);
	CHECK_INT(c.full + c.anywhere + c.killed, 0);
}

TEST(damaged_files)
{
	static const char *const texts[] = {
	    "", "\n", "max", "-5\n", "99999999999999999999999\n", "garbage\n0::\n", ":::\n::\n0", "0::/a\n"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		groups(V2_MOUNT, "/", "0::/a\n");
		put("sys/fs/cgroup/a/memory.max", texts[i]);
		put("sys/fs/cgroup/a/memory.current", texts[i]);
		put("sys/fs/cgroup/a/memory.events", texts[i]);
		put("sys/fs/cgroup/a/memory.stat", texts[i]);
		put("proc/meminfo", texts[i]);
		look();
		CHECK_INT(state.limit, 0);
		put("proc/self/cgroup", texts[i]);
		look();
		put("proc/self/cgroup", "0::/a\n");
		put("proc/self/mountinfo", texts[i]);
		look();
		CHECK_INT(room.version, 0);
	}
}

TEST(the_systems_own)
{
	unsetenv("CARRACK_SYSTEM_ROOT");
	room_open(&room);
	room_state(&room, &state);
	CHECK(state.limit > 64 * MB);
	CHECK(state.used > 0 && state.used <= state.limit);
}

TEST(sizes_in_words)
{
	char out[ROOM_WORDS];
	CHECK_STR(room_words(2 * GB, out), "2.0 GB");
	CHECK_STR(room_words(300 * MB, out), "300 MB");
	CHECK_STR(room_words(5 * MB / 2, out), "2.5 MB");
}

UNIT_MAIN
