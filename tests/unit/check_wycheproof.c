/* SPDX-License-Identifier: ISC */
/*
 * check_wycheproof.c - the Wycheproof vectors against our wrappers of the primitives.
 *
 * They try what implementations got wrong before: signatures with S >= L, points of small order
 * and on the twist, truncated and altered tags, edge cases of counters. Each file's count is
 * asserted whole: every vector is either passed or of a size that our interface cannot express
 * (nonces other than 12 bytes, AES-192), and both are printed.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "crypto/aead.h"
#include "crypto/ed25519.h"
#include "crypto/hkdf.h"
#include "crypto/x25519.h"
#include "vecfile.h"

#define TEXT_MAX 65536

enum outcome { PASSED, SKIPPED };

/* Runs one file through "one", which fails the test itself, and counts. */
static void
run_file(const char *name, enum outcome (*one)(struct vecfile *))
{
	struct vecfile v;
	char path[64];
	unsigned long total = 0, count[2] = {0};

	snprintf(path, sizeof(path), "wycheproof/%s", name);
	vecfile_open(&v, path);
	while (vecfile_next(&v)) {
		total = vecfile_number(&v, "numberOfTests");
		count[one(&v)]++;
	}
	vecfile_close(&v);
	printf("%s: %lu passed, %lu of other sizes skipped\n", path, count[PASSED],
	    count[SKIPPED]);
	ck_assert_uint_gt(count[PASSED], 0);
	ck_assert_uint_eq(count[PASSED] + count[SKIPPED], total);
}

#define EXPECT(v, what)                                                                  \
	ck_assert_msg(what, "vector %s: %s", vecfile_text(v, "tcId"), #what)

static enum outcome
one_ed25519(struct vecfile *v)
{
	int rc = ed25519_verify(vecfile_bytes(v, "publicKey.pk"), vecfile_bytes(v, "msg"),
	    vecfile_bytes(v, "sig"));

	EXPECT(v, (rc == 0) == vecfile_is(v, "result", "valid"));
	return PASSED;
}

START_TEST(test_ed25519)
{
	run_file("ed25519_test", one_ed25519);
}
END_TEST

/* "acceptable" marks what RFC 7748 lets implementations choose; ours refuses exactly the
 * all-zero secrets and computes all others. */
static enum outcome
one_x25519(struct vecfile *v)
{
	static const uint8_t zero[X25519_SIZE];
	uint8_t priv[X25519_SIZE], pub[X25519_SIZE], out[X25519_SIZE];
	struct span shared = vecfile_bytes(v, "shared");
	bool is_zero = span_eq(shared, span_of(zero, sizeof(zero)));

	vecfile_copy(v, "private", priv, sizeof(priv));
	vecfile_copy(v, "public", pub, sizeof(pub));
	EXPECT(v, (x25519_shared(priv, pub, out) == 0) == !is_zero);
	EXPECT(v, span_eq(span_of(out, sizeof(out)), shared));
	return PASSED;
}

START_TEST(test_x25519)
{
	run_file("x25519_test", one_x25519);
}
END_TEST

/* Opens, and seals if the vector is valid. */
static enum outcome
one_aead(struct vecfile *v, enum aead_alg alg)
{
	struct span key = vecfile_bytes(v, "key"), aad = vecfile_bytes(v, "aad");
	struct span msg = vecfile_bytes(v, "msg");
	bool valid = vecfile_is(v, "result", "valid");
	uint8_t nonce[AEAD_NONCE_SIZE];
	struct buf ct, out;

	vecfile_copy(v, "iv", nonce, sizeof(nonce));
	buf_init(&ct, TEXT_MAX);
	buf_init(&out, msg.n + AEAD_TAG_SIZE);
	buf_put_span(&ct, vecfile_bytes(v, "ct"));
	buf_put_span(&ct, vecfile_bytes(v, "tag"));
	EXPECT(v, (aead_open(alg, key, nonce, aad, buf_span(&ct), &out) == 0) == valid);
	EXPECT(v, valid ? span_eq(buf_span(&out), msg) : out.n == 0);
	if (valid) {
		buf_reset(&out);
		EXPECT(v, aead_seal(alg, key, nonce, aad, msg, &out) == 0);
		EXPECT(v, span_eq(buf_span(&out), buf_span(&ct)));
	}
	buf_clear(&ct);
	buf_clear(&out);
	return PASSED;
}

static enum outcome
one_aes_gcm(struct vecfile *v)
{
	unsigned long size = vecfile_number(v, "keySize");

	if (vecfile_number(v, "ivSize") != 96 || size == 192)
		return SKIPPED;
	return one_aead(v, size == 128 ? AEAD_AES_128_GCM : AEAD_AES_256_GCM);
}

static enum outcome
one_chacha(struct vecfile *v)
{
	if (vecfile_number(v, "ivSize") != 96)
		return SKIPPED;
	return one_aead(v, AEAD_CHACHA20_POLY1305);
}

START_TEST(test_aead)
{
	run_file("aes_gcm_test", one_aes_gcm);
	run_file("chacha20_poly1305_test", one_chacha);
}
END_TEST

static enum outcome
one_hkdf(struct vecfile *v)
{
	static uint8_t out[HKDF_MAX + 1];
	size_t size = vecfile_number(v, "size");
	bool valid = vecfile_is(v, "result", "valid");
	int rc;

	ck_assert_uint_le(size, sizeof(out));
	rc = hkdf_derive(vecfile_bytes(v, "salt"), vecfile_bytes(v, "ikm"),
	    vecfile_bytes(v, "info"), out, size);
	EXPECT(v, (rc == 0) == valid);
	EXPECT(v, !valid || span_eq(span_of(out, size), vecfile_bytes(v, "okm")));
	return PASSED;
}

static enum outcome
one_hmac(struct vecfile *v)
{
	struct span msg = vecfile_bytes(v, "msg"), tag = vecfile_bytes(v, "tag");
	uint8_t out[SHA_SIZE];

	EXPECT(v, sha_hmac(vecfile_bytes(v, "key"), &msg, 1, out) == 0);
	ck_assert_uint_le(tag.n, sizeof(out));
	EXPECT(
	    v, sha_equal(span_of(out, tag.n), tag) == vecfile_is(v, "result", "valid"));
	return PASSED;
}

START_TEST(test_hashes)
{
	run_file("hkdf_sha256_test", one_hkdf);
	run_file("hmac_sha256_test", one_hmac);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("wycheproof");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_ed25519);
	tcase_add_test(t, test_x25519);
	tcase_add_test(t, test_aead);
	tcase_add_test(t, test_hashes);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
