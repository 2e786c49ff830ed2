/* access.h: who else can reach this kernel. Without the key of the connection file nobody can ask it anything, but what it publishes over
 * TCP can be heard by whoever can connect, unless it is encrypted (JEP 145). */
#ifndef CARRACK_ACCESS_H
#define CARRACK_ACCESS_H

#include "jupyter/connection.h"

enum access {
	ACCESS_OWN,     /* ipc, encryption, or a machine on which nobody else has an account */
	ACCESS_MACHINE, /* others who are on this machine */
	ACCESS_NETWORK, /* others who reach this machine */
};

/* Accounts of people are looked for in etc/passwd (below CARRACK_SYSTEM_ROOT, see base/room.h). */
enum access access_of(const struct jp_connection *c);

/* Writes warnings to the log, and to stderr if others on the network can hear; also if others can read the connection file. */
void access_warn(const struct jp_connection *c, const char *connection_file, bool to_stderr);

#endif
