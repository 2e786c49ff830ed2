#include "kernel/access.h"

#include "base/log.h"

#include <sys/stat.h>
#include <unistd.h>

#define PEOPLE_FROM 1000 /* login.defs(5): UID_MIN and UID_MAX */
#define PEOPLE_TO 60000

static bool is_loopback(const char *ip)
{
	return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "localhost") == 0 || strcmp(ip, "::1") == 0 ||
	       strcmp(ip, "[::1]") == 0;
}

/* passwd(5): name:password:uid:gid:comment:home:shell */
static bool is_another_person(const char *line)
{
	unsigned long uid;
	if (sscanf(line, "%*[^:]:%*[^:]:%lu:", &uid) < 1)
		return false;
	const char *shell = strrchr(line, ':');
	return uid >= PEOPLE_FROM && uid <= PEOPLE_TO && uid != geteuid() && !strstr(shell, "nologin") &&
	       !strstr(shell, "/false");
}

static bool others_have_accounts(void)
{
	const char *root = getenv("CARRACK_SYSTEM_ROOT");
	char path[4096], line[1024];
	bool found = false;
	snprintf(path, sizeof path, "%s/etc/passwd", root ? root : "");
	FILE *f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof line, f))
		found = is_another_person(line);
	if (f)
		fclose(f);
	return found;
}

enum access access_of(const struct jp_connection *c)
{
	if (c->ipc || c->curve)
		return ACCESS_OWN;
	if (!is_loopback(c->ip))
		return ACCESS_NETWORK;
	return others_have_accounts() ? ACCESS_MACHINE : ACCESS_OWN;
}

void access_warn(const struct jp_connection *c, const char *connection_file, bool to_stderr)
{
	static const char network[] = "TCP is open to other machines without encryption: whoever reaches this one can "
				      "hear what this kernel publishes. "
				      "Use a client that knows JEP 145, an ssh tunnel, or the transport ipc";
	struct stat st;
	enum access who = access_of(c);
	if (who == ACCESS_NETWORK)
		log_warn("%s", network);
	if (who == ACCESS_NETWORK && to_stderr)
		fprintf(stderr, "carrack: %s\n", network);
	if (who == ACCESS_MACHINE)
		log_warn(
		    "TCP is open without encryption, and others have accounts on this machine: they can hear what this "
		    "kernel publishes. The transport ipc keeps them out, and so does a client that knows JEP 145");
	if (stat(connection_file, &st) == 0 && (st.st_mode & 077) != 0)
		log_warn("the connection file, which holds the key, can be read or written by others (mode %03o)",
			 (unsigned)st.st_mode & 0777);
}
