/* sign.h: message signatures (messaging spec, "The Wire Protocol") and the memory of those already seen.
 *
 * A signature is the hex HMAC-SHA256 over the four JSON parts, in order; buffers are not signed. An empty key
 * turns signing off: the signature is then empty and is not checked.
 *
 * Every byte of text passes through the hash, which is most of what a flood costs: it is nettle's, which uses the
 * processor's instructions for SHA-256 where there are any (five times as fast as libsodium's).
 */
#ifndef CARRACK_SIGN_H
#define CARRACK_SIGN_H

#include "base/err.h"
#include "base/slice.h"

#include <nettle/hmac.h>
#include <sodium.h>

#define JP_SIGNATURE_LEN (2 * SHA256_DIGEST_SIZE)

struct jp_key {
	bool on;                    /* false: an empty key, nothing is signed */
	struct hmac_sha256_ctx mac; /* with the key in it; copied for each message */
};

/* Any length of key is legal (HMAC hashes long ones). n = 0 turns signing off. */
bool jp_key_set(struct jp_key *key, const char *bytes, size_t n, struct err *e) MUST_CHECK;

/* Writes the signature of the four parts, NUL-terminated; "" if signing is off. */
void jp_sign(const struct jp_key *key, const struct slice parts[], size_t n, char out[JP_SIGNATURE_LEN + 1]);

/* True if `signature` is the right one. Takes the same time wherever it differs. */
bool jp_verify(const struct jp_key *key, struct slice signature, const struct slice parts[], size_t n) MUST_CHECK;

/* The last JP_REPLAY_MEMORY signatures. A message whose signature is among them is a replay. */
#define JP_REPLAY_MEMORY 16384
struct jp_replay;
struct jp_replay *jp_replay_new(void);
void jp_replay_free(struct jp_replay *r);
/* Remembers the signature; false if it was seen before (it is then not remembered again). */
bool jp_replay_first(struct jp_replay *r, struct slice signature) MUST_CHECK;

#endif
