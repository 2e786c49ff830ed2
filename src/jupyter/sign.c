#include "jupyter/sign.h"

bool jp_key_set(struct jp_key *key, const char *bytes, size_t n, struct err *e)
{
	if (sodium_init() < 0)
		return err_set(e, "libsodium cannot be initialised (no source of random numbers?)");
	key->on = n > 0;
	if (key->on)
		hmac_sha256_set_key(&key->mac, n, (const uint8_t *)bytes);
	return true;
}

void jp_sign(const struct jp_key *key, const struct slice parts[], size_t n, char out[JP_SIGNATURE_LEN + 1])
{
	out[0] = '\0';
	if (!key->on)
		return;
	struct hmac_sha256_ctx mac = key->mac;
	uint8_t digest[SHA256_DIGEST_SIZE];
	for (size_t i = 0; i < n; i++)
		hmac_sha256_update(&mac, parts[i].len, (const uint8_t *)parts[i].data);
	hmac_sha256_digest(&mac, sizeof digest, digest);
	sodium_bin2hex(out, JP_SIGNATURE_LEN + 1, digest, sizeof digest);
}

bool jp_verify(const struct jp_key *key, struct slice signature, const struct slice parts[], size_t n)
{
	if (!key->on)
		return true;
	char right[JP_SIGNATURE_LEN + 1];
	jp_sign(key, parts, n, right);
	return signature.len == JP_SIGNATURE_LEN && sodium_memcmp(right, signature.data, JP_SIGNATURE_LEN) == 0;
}

/* A ring of the signatures' first 16 bytes in order of arrival, and a hash table over the ring. The digest is
 * uniformly distributed, so its own first bytes are the hash; chains are short at half load. */
#define TABLE (2 * JP_REPLAY_MEMORY)

struct jp_replay {
	char ring[JP_REPLAY_MEMORY][16];
	size_t used, next;
	int32_t head[TABLE];             /* index into ring, -1 for none */
	int32_t chain[JP_REPLAY_MEMORY]; /* next in the same bucket */
};

struct jp_replay *jp_replay_new(void)
{
	struct jp_replay *r = calloc(1, sizeof *r);
	if (r)
		memset(r->head, 0xff, sizeof r->head);
	return r;
}

void jp_replay_free(struct jp_replay *r)
{
	free(r);
}

static size_t bucket(const char *s)
{
	uint64_t h = 1469598103934665603u;
	for (int i = 0; i < 16; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	return (size_t)(h >> 20) % TABLE;
}

static void forget(struct jp_replay *r, int32_t which)
{
	int32_t *at = &r->head[bucket(r->ring[which])];
	while (*at != which)
		at = &r->chain[*at];
	*at = r->chain[which];
}

bool jp_replay_first(struct jp_replay *r, struct slice signature)
{
	if (signature.len < 16)
		return true; /* unsigned: nothing to remember */
	size_t b = bucket(signature.data);
	for (int32_t i = r->head[b]; i >= 0; i = r->chain[i])
		if (memcmp(r->ring[i], signature.data, 16) == 0)
			return false;
	if (r->used == JP_REPLAY_MEMORY)
		forget(r, (int32_t)r->next);
	else
		r->used++;
	memcpy(r->ring[r->next], signature.data, 16);
	r->chain[r->next] = r->head[b];
	r->head[b] = (int32_t)r->next;
	r->next = (r->next + 1) % JP_REPLAY_MEMORY;
	return true;
}
