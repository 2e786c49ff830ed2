#include "kernel/access.h"
#include "unit.h"

#include <sys/stat.h>

static void passwd(const char *text)
{
	char path[PATH_MAX];
	mkdir(unit_path(path, "etc"), 0700);
	FILE *f = fopen(unit_path(path, "etc/passwd"), "we");
	if (CHECK(f != NULL)) {
		fputs(text, f);
		fclose(f);
	}
	setenv("CARRACK_SYSTEM_ROOT", unit_dir, 1);
}

static struct jp_connection at(const char *ip)
{
	static struct jp_connection c;
	memset(&c, 0, sizeof c);
	snprintf(c.ip, sizeof c.ip, "%s", ip);
	return c;
}

#define SYSTEM "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"

TEST(the_network_hears_what_is_open_to_it)
{
	static const char *const open[] = {"*", "0.0.0.0", "192.168.1.5", "::", "10.0.0.1", "myhost"};
	passwd(SYSTEM);
	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		struct jp_connection c = at(open[i]);
		CHECK_INT(access_of(&c), ACCESS_NETWORK);
		c.curve = true;
		CHECK_INT(access_of(&c), ACCESS_OWN);
	}
}

TEST(loopback_is_for_those_who_are_here)
{
	static const char *const local[] = {"127.0.0.1", "127.1.2.3", "localhost", "::1"};
	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		struct jp_connection c = at(local[i]);
		passwd(SYSTEM "games:x:1005:60::/usr/games:/usr/sbin/nologin\nx:x:1006:60::/:/bin/false\n");
		CHECK_INT(access_of(&c), ACCESS_OWN);
		passwd(SYSTEM "ann:x:1001:1001:Ann:/home/ann:/bin/bash\n");
		CHECK_INT(access_of(&c), geteuid() == 1001 ? ACCESS_OWN : ACCESS_MACHINE);
		c.curve = true;
		CHECK_INT(access_of(&c), ACCESS_OWN);
		c.curve = false;
		c.ipc = true;
		CHECK_INT(access_of(&c), ACCESS_OWN);
	}
}

TEST(one_user_alone)
{
	char line[200];
	struct jp_connection c = at("127.0.0.1");
	snprintf(line, sizeof line, SYSTEM "me:x:%u:100::/home/me:/bin/sh\n", (unsigned)geteuid());
	passwd(line);
	CHECK_INT(access_of(&c), ACCESS_OWN);
	passwd("");
	CHECK_INT(access_of(&c), ACCESS_OWN);
	passwd("garbage\n::::\n:x:9999999999999999999999:\n");
	CHECK_INT(access_of(&c), ACCESS_OWN);
}

UNIT_MAIN
