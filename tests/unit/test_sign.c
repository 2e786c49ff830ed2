#include "jupyter/sign.h"
#include "unit.h"

static const char *sign(const char *key, size_t n, const struct slice *parts, size_t count)
{
	static char out[JP_SIGNATURE_LEN + 1];
	struct jp_key k;
	CHECK(jp_key_set(&k, key, n, NULL));
	jp_sign(&k, parts, count, out);
	return out;
}

/* RFC 4231, the HMAC-SHA-256 test cases 1 to 4, 6 and 7 (5 is of a truncated one). */
TEST(vectors_of_the_standard)
{
	char key[131], data[50];
	struct slice part = SLICE_STR("Hi There");
	memset(key, 0x0b, sizeof key);
	CHECK_STR(sign(key, 20, &part, 1), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	part = SLICE_STR("what do ya want for nothing?");
	CHECK_STR(sign("Jefe", 4, &part, 1), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	memset(data, 0xdd, sizeof data);
	part = (struct slice){data, 50};
	CHECK_STR(sign(key, 20, &part, 1), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	part = SLICE_STR("Test Using Larger Than Block-Size Key - Hash Key First");
	CHECK_STR(sign(key, 131, &part, 1), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	part = SLICE_STR("This is a test using a larger than block-size key and a larger than block-size data. The key "
			 "needs to be hashed before being used by the HMAC algorithm.");
	CHECK_STR(sign(key, 131, &part, 1), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
	for (int i = 0; i < 25; i++)
		key[i] = (char)(i + 1);
	memset(data, 0xcd, sizeof data);
	part = (struct slice){data, 50};
	CHECK_STR(sign(key, 25, &part, 1), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

/* What Python's hmac module gives for the key and the four parts. */
TEST(a_message_as_jupyter_signs_it)
{
	static const struct slice four[4] = {{"{\"msg_id\":\"1\"}", 14},
					     {"{}", 2},
					     {"{}", 2},
					     {"{\"code\":\"\303\251\"}", 13}};
	CHECK_STR(sign("a0436f6c-1916-498b-8eb9-e81ab9368e84", 36, four, 4),
		  "da3f46b669d2a2b3c73c46356594e4e5b73e9ce1cbb1abaff6adf36809a4d531");
}

TEST(parts_are_joined_without_a_seam)
{
	struct slice whole = SLICE_STR("what do ya want for nothing?");
	struct slice split[4] = {{whole.data, 5},
				 {whole.data + 5, 0},
				 {whole.data + 5, 1},
				 {whole.data + 6, whole.len - 6}};
	CHECK_STR(sign("Jefe", 4, split, 4), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(verifying)
{
	struct jp_key k;
	struct slice part = SLICE_STR("what do ya want for nothing?");
	char right[] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
	CHECK(jp_key_set(&k, "Jefe", 4, NULL));
	CHECK(jp_verify(&k, SLICE_STR(right), &part, 1));
	CHECK(jp_verify(&k, SLICE_STR(right), &part, 1)); /* the key's state is not used up */
	for (size_t i = 0; i < strlen(right); i++) {
		char wrong[sizeof right];
		memcpy(wrong, right, sizeof right);
		wrong[i] ^= 1;
		CHECK(!jp_verify(&k, SLICE_STR(wrong), &part, 1));
	}
	for (size_t n = 0; n < strlen(right); n++)
		CHECK(!jp_verify(&k, (struct slice){right, n}, &part, 1));
	CHECK(!jp_verify(&k, (struct slice){right, sizeof right}, &part, 1)); /* with the NUL: 65 bytes */
	CHECK(!jp_verify(&k, (struct slice){NULL, 0}, &part, 1));
	part.len--;
	CHECK(!jp_verify(&k, SLICE_STR(right), &part, 1));
}

TEST(no_key_means_unsigned)
{
	struct jp_key k;
	struct slice part = SLICE_STR("x");
	char out[JP_SIGNATURE_LEN + 1] = "?";
	CHECK(jp_key_set(&k, "", 0, NULL));
	CHECK(!k.on);
	jp_sign(&k, &part, 1, out);
	CHECK_STR(out, "");
	CHECK(jp_verify(&k, SLICE_STR(""), &part, 1));
	CHECK(jp_verify(&k, SLICE_STR("whatever"), &part, 1));
}

static bool first(struct jp_replay *r, unsigned i)
{
	char signature[JP_SIGNATURE_LEN + 1];
	snprintf(signature, sizeof signature, "%016x%048x", i * 2654435761u, i);
	return jp_replay_first(r, SLICE_STR(signature));
}

TEST(a_replay_is_noticed_within_the_memory)
{
	struct jp_replay *r = jp_replay_new();
	enum { N = JP_REPLAY_MEMORY };
	for (unsigned i = 0; i < 3 * N; i++) {
		if (!first(r, i))
			CHECK_INT(i, -1);
		if (i >= N - 1 && first(r, i - (N - 1))) /* the oldest that is still remembered */
			CHECK_INT(i, -2);
	}
	CHECK(!first(r, 3 * N - 1));
	CHECK(first(r, 2 * N - 1)); /* forgotten just now */
	CHECK(jp_replay_first(r, SLICE_STR("")));
	CHECK(jp_replay_first(r, SLICE_STR("")));
	jp_replay_free(r);
	jp_replay_free(NULL);
}

UNIT_MAIN
