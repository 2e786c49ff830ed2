/* fuzz_connection.c: any bytes as a connection or registration file. */
#include "fuzz.h"

#include "base/utf8.h"
#include "jupyter/connection.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct jp_connection c;
	struct err e = {0};
	char endpoint[JP_ENDPOINT_MAX], signature[JP_SIGNATURE_LEN + 1];
	struct slice part = {(const char *)data, n};
	if (!jp_connection_parse(&c, (const char *)data, n, "file", &e)) {
		FUZZ_CHECK(strncmp(e.msg, "file", 4) == 0);
		FUZZ_CHECK(utf8_valid(e.msg, strlen(e.msg)));
		return 0;
	}
	FUZZ_CHECK(strlen(c.ip) < sizeof c.ip && strlen(c.kernel_id) < sizeof c.kernel_id);
	for (int i = 0; i < JP_CHANNELS; i++) {
		FUZZ_CHECK(c.port[i] >= 0 && c.port[i] <= 65535);
		jp_endpoint(&c, c.port[i], endpoint);
		FUZZ_CHECK(strlen(endpoint) < sizeof endpoint - 1); /* nothing was cut off */
		FUZZ_CHECK(strstr(endpoint, c.ip));
	}
	jp_sign(&c.key, &part, 1, signature);
	FUZZ_CHECK(strlen(signature) == (c.key.on ? JP_SIGNATURE_LEN : 0));
	FUZZ_CHECK(jp_verify(&c.key, SLICE_STR(signature), &part, 1));
	return 0;
}
