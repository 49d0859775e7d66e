/* SPDX-License-Identifier: ISC */
/*
 * check_hpke.c - tests of crypto/hpke against the vectors of RFC 9180.
 *
 * All entries with KEM 0x0020, KDF 1, mode 0 and a real AEAD run with all their encryptions:
 * keys derived, both sides set up, sealed to the same bytes, opened again. Entries of other
 * modes, of KEM 0x0010 and export-only ones are counted and skipped, since we do not have them.
 * Then what no vector shows: that anything altered is refused and leaves nothing behind.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "crypto/hpke.h"
#include "vecfile.h"

#define TEXT_MAX 1024

static bool
is_ours(struct vecfile *v)
{
	return vecfile_is(v, "mode", "0") && vecfile_is(v, "kem_id", "32") &&
	    vecfile_is(v, "kdf_id", "1") && vecfile_number(v, "aead_id") <= 3 &&
	    vecfile_is(v, "list", "encryptions");
}

static void
check_keys(struct vecfile *v, const char *ikm, const char *sk, const char *pk)
{
	uint8_t priv[X25519_SIZE], pub[X25519_SIZE];

	ck_assert_int_eq(hpke_derive(vecfile_bytes(v, ikm), priv, pub), 0);
	ck_assert(span_eq(span_of(priv, sizeof(priv)), vecfile_bytes(v, sk)));
	ck_assert(span_eq(span_of(pub, sizeof(pub)), vecfile_bytes(v, pk)));
}

static void
check_context(struct vecfile *v, const struct hpke *h)
{
	ck_assert(
	    span_eq(span_of(h->key, aead_key_size(h->alg)), vecfile_bytes(v, "key")));
	ck_assert(span_eq(
	    span_of(h->base_nonce, AEAD_NONCE_SIZE), vecfile_bytes(v, "base_nonce")));
	ck_assert_uint_eq(h->seq, 0);
}

static void
check_record(struct vecfile *v)
{
	struct hpke s, r;
	struct span info = vecfile_bytes(v, "info"), aad = vecfile_bytes(v, "aad");
	enum aead_alg alg = (enum aead_alg)vecfile_number(v, "aead_id");
	uint8_t pub[X25519_SIZE], priv[X25519_SIZE], eph[X25519_SIZE], enc[HPKE_ENC_SIZE];
	struct buf ct, pt;

	buf_init(&ct, TEXT_MAX);
	buf_init(&pt, TEXT_MAX);
	check_keys(v, "ikmR", "skRm", "pkRm");
	check_keys(v, "ikmE", "skEm", "pkEm");
	vecfile_copy(v, "pkRm", pub, sizeof(pub));
	vecfile_copy(v, "skRm", priv, sizeof(priv));
	vecfile_copy(v, "skEm", eph, sizeof(eph));
	ck_assert_int_eq(hpke_setup_sender_fixed(&s, alg, pub, info, eph, enc), 0);
	ck_assert(span_eq(span_of(enc, sizeof(enc)), vecfile_bytes(v, "enc")));
	ck_assert_int_eq(hpke_setup_receiver(&r, alg, priv, enc, info), 0);
	check_context(v, &s);
	check_context(v, &r);
	s.seq = r.seq = vecfile_number(v, "seq");
	ck_assert_int_eq(hpke_seal(&s, aad, vecfile_bytes(v, "pt"), &ct), 0);
	ck_assert(span_eq(buf_span(&ct), vecfile_bytes(v, "ct")));
	ck_assert_int_eq(hpke_open(&r, aad, buf_span(&ct), &pt), 0);
	ck_assert(span_eq(buf_span(&pt), vecfile_bytes(v, "pt")));
	ck_assert_uint_eq(s.seq, vecfile_number(v, "seq") + 1);
	ck_assert_uint_eq(r.seq, s.seq);
	buf_clear(&ct);
	buf_clear(&pt);
}

START_TEST(test_vectors)
{
	struct vecfile v;
	unsigned done[4] = {0}, skipped = 0;

	vecfile_open(&v, "hpke/rfc9180-x25519-p256-sha256");
	while (vecfile_next(&v)) {
		if (is_ours(&v)) {
			check_record(&v);
			done[vecfile_number(&v, "aead_id")]++;
		} else {
			skipped++;
		}
	}
	vecfile_close(&v);
	printf(
	    "hpke/rfc9180: AES-128-GCM %u, AES-256-GCM %u, ChaCha20-Poly1305 %u passed, "
	    "%u of other kinds skipped\n",
	    done[1], done[2], done[3], skipped);
	for (int i = 1; i <= 3; i++)
		ck_assert_uint_eq(done[i], 13);
}
END_TEST

/* A context steps through consecutive messages by itself, and a repeat does not open. */
START_TEST(test_sequence)
{
	uint8_t priv[X25519_SIZE], pub[X25519_SIZE], enc[HPKE_ENC_SIZE];
	struct span info = span_str("info"), aad = span_str("aad");
	struct hpke s, r;
	struct buf ct, pt;

	buf_init(&ct, TEXT_MAX);
	buf_init(&pt, TEXT_MAX);
	ck_assert_int_eq(x25519_keygen(priv, pub), 0);
	ck_assert_int_eq(hpke_setup_sender(&s, AEAD_AES_128_GCM, pub, info, enc), 0);
	ck_assert_int_eq(hpke_setup_receiver(&r, AEAD_AES_128_GCM, priv, enc, info), 0);
	for (int i = 0; i < 3; i++) {
		buf_reset(&ct);
		buf_reset(&pt);
		ck_assert_int_eq(hpke_seal(&s, aad, span_str("text"), &ct), 0);
		ck_assert_int_eq(hpke_open(&r, aad, buf_span(&ct), &pt), 0);
		ck_assert(span_eq(buf_span(&pt), span_str("text")));
	}
	buf_reset(&pt);
	ck_assert_int_eq(hpke_open(&r, aad, buf_span(&ct), &pt), -1);
	ck_assert_uint_eq(r.seq, 3);
	ck_assert_uint_eq(pt.n, 0);
	s.seq = UINT64_MAX;
	ck_assert_int_eq(hpke_seal(&s, aad, span_str("text"), &ct), -1);
	buf_clear(&ct);
	buf_clear(&pt);
}
END_TEST

/* Flips each bit of one input in turn; the message must not open and nothing may appear. */
static void
check_flips(const uint8_t *priv, uint8_t *enc, struct buf *ct, uint8_t *target, size_t n)
{
	struct buf pt;

	buf_init(&pt, TEXT_MAX);
	for (size_t bit = 0; bit < n * 8; bit++) {
		target[bit / 8] ^= (uint8_t)(1U << bit % 8);
		ck_assert_int_eq(hpke_open_once(AEAD_AES_128_GCM, priv, enc,
				     span_str("i"), span_str("a"), buf_span(ct), &pt),
		    -1);
		ck_assert_uint_eq(pt.n, 0);
		target[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	ck_assert_int_eq(hpke_open_once(AEAD_AES_128_GCM, priv, enc, span_str("i"),
			     span_str("a"), buf_span(ct), &pt),
	    0);
	ck_assert(span_eq(buf_span(&pt), span_str("hello")));
	buf_clear(&pt);
}

START_TEST(test_altered)
{
	uint8_t priv[X25519_SIZE], pub[X25519_SIZE], enc[HPKE_ENC_SIZE];
	struct buf ct, pt;

	buf_init(&ct, TEXT_MAX);
	buf_init(&pt, TEXT_MAX);
	ck_assert_int_eq(x25519_keygen(priv, pub), 0);
	ck_assert_int_eq(hpke_seal_once(AEAD_AES_128_GCM, pub, span_str("i"),
			     span_str("a"), span_str("hello"), enc, &ct),
	    0);
	ck_assert_uint_eq(ct.n, 5 + AEAD_TAG_SIZE);
	check_flips(priv, enc, &ct, ct.p, ct.n);
	check_flips(
	    priv, enc, &ct, enc, HPKE_ENC_SIZE - 1); /* X25519 masks the last bit */
	ck_assert_int_eq(hpke_open_once(AEAD_AES_128_GCM, priv, enc, span_str("I"),
			     span_str("a"), buf_span(&ct), &pt),
	    -1);
	ck_assert_int_eq(hpke_open_once(AEAD_AES_128_GCM, priv, enc, span_str("i"),
			     span_str("A"), buf_span(&ct), &pt),
	    -1);
	ck_assert_int_eq(hpke_open_once(AEAD_AES_256_GCM, priv, enc, span_str("i"),
			     span_str("a"), buf_span(&ct), &pt),
	    -1);
	for (size_t n = 0; n < ct.n; n++)
		ck_assert_int_eq(hpke_open_once(AEAD_AES_128_GCM, priv, enc,
				     span_str("i"), span_str("a"), span_of(ct.p, n), &pt),
		    -1);
	buf_clear(&ct);
	buf_clear(&pt);
}
END_TEST

/* Keys of small order, unknown AEADs, short key material and full buffers are refused. */
START_TEST(test_refused)
{
	static const uint8_t zero[X25519_SIZE];
	uint8_t priv[X25519_SIZE], pub[X25519_SIZE], enc[HPKE_ENC_SIZE];
	struct span none = span_of(NULL, 0);
	struct hpke h;
	struct buf small;

	buf_init(&small, 5 + AEAD_TAG_SIZE - 1);
	ck_assert_int_eq(x25519_keygen(priv, pub), 0);
	ck_assert_int_eq(hpke_setup_sender(&h, AEAD_AES_128_GCM, zero, none, enc), -1);
	ck_assert_int_eq(hpke_setup_receiver(&h, AEAD_AES_128_GCM, priv, zero, none), -1);
	ck_assert_int_eq(hpke_setup_sender(&h, (enum aead_alg)0, pub, none, enc), -1);
	ck_assert_int_eq(
	    hpke_setup_sender(&h, (enum aead_alg)0xffff, pub, none, enc), -1);
	ck_assert_int_eq(hpke_derive(span_of(zero, HPKE_IKM_MIN - 1), priv, pub), -1);
	ck_assert_int_eq(hpke_seal_once(AEAD_AES_128_GCM, pub, none, none,
			     span_str("hello"), enc, &small),
	    -1);
	ck_assert_uint_eq(small.n, 0);
	buf_clear(&small);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hpke");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_vectors);
	tcase_add_test(t, test_sequence);
	tcase_add_test(t, test_altered);
	tcase_add_test(t, test_refused);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
