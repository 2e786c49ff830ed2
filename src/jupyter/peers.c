#include "jupyter/peers.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct jp_peer {
	ino_t socket;   /* which connection: numbers of descriptors are used again */
	uint64_t taken; /* TCP: bytes acknowledged */
	int there;      /* bytes that the system holds for it */
	int64_t since;  /* when it last took something, or had nothing to take; ms */
};

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* The channel whose connection this descriptor is, -1 if it is none. */
static int channel_of(int fd, const struct jp_connection *c)
{
	union address here, there;
	socklen_t n = sizeof here, m = sizeof there;
	memset(&here, 0, sizeof here);
	if (getsockname(fd, &here.any, &n) < 0 || getpeername(fd, &there.any, &m) < 0)
		return -1;
	int port = here.any.sa_family == AF_INET    ? ntohs(here.in.sin_port)
		   : here.any.sa_family == AF_INET6 ? ntohs(here.in6.sin6_port)
						    : 0;
	for (int i = 0; i < JP_CHANNELS; i++) {
		char endpoint[JP_ENDPOINT_MAX];
		jp_endpoint(c, c->port[i], endpoint);
		if (c->ipc && here.any.sa_family == AF_UNIX &&
		    strncmp(here.un.sun_path, endpoint + strlen("ipc://"), sizeof here.un.sun_path) == 0)
			return i;
		if (!c->ipc && port && port == c->port[i])
			return i;
	}
	return -1;
}

/* Who it is, for the log. */
static const char *name_of(int fd, char *out, size_t max)
{
	union address a;
	socklen_t n = sizeof a;
	char ip[INET6_ADDRSTRLEN] = "?";
	struct ucred who;
	socklen_t m = sizeof who;
	memset(&a, 0, sizeof a);
	if (getpeername(fd, &a.any, &n) < 0)
		snprintf(out, max, "somebody");
	else if (a.any.sa_family == AF_UNIX && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &m) == 0)
		snprintf(out, max, "process %d", (int)who.pid);
	else if (a.any.sa_family == AF_INET6)
		snprintf(out, max, "[%s]:%d", inet_ntop(AF_INET6, &a.in6.sin6_addr, ip, sizeof ip),
			 ntohs(a.in6.sin6_port));
	else
		snprintf(out, max, "%s:%d", inet_ntop(AF_INET, &a.in.sin_addr, ip, sizeof ip), ntohs(a.in.sin_port));
	return out;
}

static bool measure(int fd, struct jp_peer *p)
{
	struct stat st;
	struct tcp_info info;
	socklen_t n = sizeof info;
	memset(&info, 0, sizeof info);
	if (fstat(fd, &st) < 0 || ioctl(fd, SIOCOUTQ, &p->there) < 0)
		return false;
	p->socket = st.st_ino;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0)
		p->taken = info.tcpi_bytes_acked;
	return true;
}

/* What is known of it from before goes on; its clock starts anew if it took something. A TCP queue also changes when
 * ZeroMQ adds to it, so there only what was acknowledged counts. */
static void compare(const struct jp_peers *before, struct jp_peer *p, bool tcp, int64_t now)
{
	p->since = now;
	for (size_t i = 0; i < before->n; i++) {
		const struct jp_peer *b = &before->list[i];
		if (b->socket == p->socket && p->there && b->taken == p->taken && (tcp || b->there == p->there))
			p->since = b->since;
	}
}

/* Looks at one descriptor, which is ours for so long, whatever ZeroMQ's own thread does with its own meanwhile. */
static void look_at(int fd, const struct jp_peers *before, struct jp_peers *now, const struct jp_connection *c,
		    int64_t now_ms, int64_t patience_ms)
{
	struct jp_peer p = {0}, *more;
	int channel = channel_of(fd, c);
	char name[64];
	if (channel < 0 || !measure(fd, &p) || !p.there)
		return;
	compare(before, &p, !c->ipc, now_ms);
	if (now_ms - p.since >= patience_ms) {
		log_warn("a client (%s, on %s) has taken nothing for %lld s while others waited for it: it is let go, "
			 "and loses what it has not read",
			 name_of(fd, name, sizeof name), jp_channel_names[channel],
			 (long long)(now_ms - p.since) / 1000);
		shutdown(fd, SHUT_RDWR);
		return;
	}
	more = realloc(now->list, (now->n + 1) * sizeof *more);
	if (!more)
		return; /* its clock starts with the next look */
	now->list = more;
	now->list[now->n++] = p;
}

size_t jp_peers_look(struct jp_peers *p, const struct jp_connection *c, int64_t now_ms, int64_t patience_ms)
{
	struct jp_peers now = {0};
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		char *end;
		long n = strtol(entry->d_name, &end, 10);
		int fd = *end || end == entry->d_name || n == dirfd(dir) ? -1 : fcntl((int)n, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			continue;
		look_at(fd, p, &now, c, now_ms, patience_ms);
		close(fd);
	}
	if (dir)
		closedir(dir);
	jp_peers_forget(p);
	*p = now;
	return p->n;
}

void jp_peers_forget(struct jp_peers *p)
{
	free(p->list);
	*p = (struct jp_peers){0};
}
