/* connection.h: where a kernel listens and how it signs; Jupyter's connection and registration files.
 *
 * A connection file names five ports; a registration file (JEP 66) names one port to which the kernel reports
 * the five that it chose itself. Both are JSON and are told apart by their keys. Unknown keys are ignored.
 */
#ifndef CARRACK_CONNECTION_H
#define CARRACK_CONNECTION_H

#include "base/err.h"
#include "jupyter/sign.h"

enum jp_channel { JP_SHELL, JP_CONTROL, JP_STDIN, JP_IOPUB, JP_HB, JP_CHANNELS };

/* The channel's name as in the files: "shell" for shell_port. */
extern const char *const jp_channel_names[JP_CHANNELS];

struct jp_connection {
	bool ipc;              /* transport: tcp or ipc */
	char ip[256];          /* tcp: an address, or `*`; ipc: the path that the ports are appended to */
	int port[JP_CHANNELS]; /* tcp: 0 until bound where the kernel chooses; ipc: a number in the path */
	int registration_port; /* 0 unless this came from a registration file */
	char kernel_id[128];   /* registration files may name the kernel; else "" */
	struct jp_key key;
	bool curve;            /* CurveZMQ (JEP 145): clients must know the public key, everything is encrypted */
	char curve_public[41]; /* Z85 */
	char curve_secret[41];
};

/* Reads a connection or registration file. Errors name the file, the key and what was expected. */
bool jp_connection_read(struct jp_connection *c, const char *path, struct err *e) MUST_CHECK;

/* The same from text in memory; `name` is for errors. */
bool jp_connection_parse(struct jp_connection *c, const char *text, size_t n, const char *name,
			 struct err *e) MUST_CHECK;

#define JP_ENDPOINT_MAX 320
/* ZeroMQ's endpoint for a port: `tcp://ip:port`, or `ipc://path-port` (jupyter_client's form). Port 0 on tcp is `*`. */
void jp_endpoint(const struct jp_connection *c, int port, char out[JP_ENDPOINT_MAX]);

#endif
