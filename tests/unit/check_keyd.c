/* SPDX-License-Identifier: ISC */
/*
 * check_keyd.c - tests of keyd's ring and statements: what belongs together is taken, what
 * does not is refused with a reason, and nothing but a typed statement is ever signed.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/cose.h"
#include "keyd/signing.h"
#include "objkit.h"

#define NOW 1800000000000ULL
#define DAY 86400000ULL
#define ALPHA "im.alpha.test"
#define BETA "im.beta.test"

static struct kit_key root, sign_key, other;
static struct keyring *ring;
static struct buf doc, pem, out;
static EVP_PKEY *tls_key;

/* A private key as PEM, as an operator's file would hold it. */
static void
tls_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long n;

	ck_assert_int_eq(
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_get_mem_data(bio, &bytes);
	buf_reset(&pem);
	buf_put(&pem, bytes, (size_t)n);
	BIO_free(bio);
}

static void
add_sign(const struct kit_key *key)
{
	buf_reset(&pem);
	ck_assert_int_eq(ed25519_pem_write(key->seed, &pem), 0);
	ck_assert_ptr_null(
	    keyring_add_sign(ring, buf_span(&pem), span_str("domain-sign.pem")));
}

static void
add_document(uint64_t from, uint64_t until)
{
	struct s_domain s = {.seq = 1, .issued = NOW - DAY, .expires = NOW + DAY};

	kit_domain(&doc, &s, ALPHA, &root, &sign_key, from, until);
	ck_assert_ptr_null(keyring_add_document(ring, buf_span(&doc)));
}

static void
setup(void)
{
	kit_key(&root);
	kit_key(&sign_key);
	kit_key(&other);
	buf_init(&doc, PROTO_OBJECT_MAX);
	buf_init(&pem, 8192);
	buf_init(&out, SIGNING_MAX);
	ring = keyring_new();
	tls_key = EVP_EC_gen("P-256");
	tls_pem(tls_key);
	ck_assert_ptr_null(keyring_add_tls(ring, buf_span(&pem), span_str("tls.pem")));
}

static void
teardown(void)
{
	keyring_free(ring);
	EVP_PKEY_free(tls_key);
	buf_clear(&doc);
	buf_clear(&pem);
	buf_clear(&out);
}

static void
complete_ring(void)
{
	add_sign(&sign_key);
	add_document(NOW - DAY, NOW + DAY);
	ck_assert_ptr_null(keyring_complete(ring, ALPHA, NOW));
}

START_TEST(ring_that_belongs_together)
{
	complete_ring();
	ck_assert_mem_eq(keyring_signer(ring, NOW)->pub, sign_key.pub, 32);
	ck_assert_ptr_null(keyring_signer(ring, NOW + DAY));
}
END_TEST

START_TEST(ring_of_another_domain)
{
	add_sign(&sign_key);
	add_document(NOW - DAY, NOW + DAY);
	ck_assert_str_eq(keyring_complete(ring, BETA, NOW),
	    "the domain document is of another domain");
}
END_TEST

START_TEST(ring_with_a_key_that_is_not_listed)
{
	add_sign(&other);
	add_document(NOW - DAY, NOW + DAY);
	ck_assert_str_eq(keyring_complete(ring, ALPHA, NOW),
	    "the domain document lists none of the signing keys");
}
END_TEST

START_TEST(ring_that_has_expired)
{
	add_sign(&sign_key);
	add_document(NOW - DAY, NOW);
	ck_assert_str_eq(
	    keyring_complete(ring, ALPHA, NOW), "no signing key may sign now");
	ck_assert_str_eq(
	    keyring_complete(ring, ALPHA, NOW + DAY), "the domain document has expired");
}
END_TEST

START_TEST(ring_takes_no_rubbish)
{
	struct span rubbish = span_str("-----BEGIN PRIVATE KEY-----\nAAAA\n");
	EVP_PKEY *rsa = EVP_RSA_gen(1024);

	ck_assert_ptr_nonnull(keyring_add_tls(ring, rubbish, span_str("x")));
	ck_assert_ptr_nonnull(keyring_add_sign(ring, rubbish, span_str("x")));
	tls_pem(rsa);
	ck_assert_ptr_nonnull(keyring_add_tls(ring, buf_span(&pem), span_str("x")));
	EVP_PKEY_free(rsa);
	add_sign(&sign_key);
	ck_assert_ptr_null(keyring_add_document(ring, rubbish));
	ck_assert_ptr_nonnull(keyring_complete(ring, ALPHA, NOW));
}
END_TEST

/* A well-formed CertificateVerify content around a hash of n bytes. */
static size_t
verify_content(uint8_t *content, size_t n)
{
	static const char text[] = "TLS 1.3, server CertificateVerify";

	memset(content, 0x20, 64);
	memcpy(content + 64, text, sizeof(text));
	memset(content + 64 + sizeof(text), 0xab, n);
	return 64 + sizeof(text) + n;
}

START_TEST(tls_signs_only_certificate_verify)
{
	uint8_t content[256], id[32];
	size_t n = verify_content(content, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	complete_ring();
	memcpy(id, ring->tls[0].id, sizeof(id));
	ck_assert_uint_eq(signing_tls(ring, id, span_of(content, n), &out), CODE_DONE);
	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, tls_key), 1);
	ck_assert_int_eq(EVP_DigestVerify(ctx, out.p, out.n, content, n), 1);
	EVP_MD_CTX_free(ctx);
	buf_reset(&out);
	for (size_t i = 0; i < n - 32; i++) {
		content[i] ^= 1;
		ck_assert_uint_eq(signing_tls(ring, id, span_of(content, n), &out),
		    CODE_NOT_AUTHORISED);
		content[i] ^= 1;
	}
	for (size_t len = 0; len <= sizeof(content); len++) {
		bool good = len == n || len == n + 16;

		verify_content(content, 48);
		ck_assert_uint_eq(signing_tls(ring, id, span_of(content, len), &out),
		    good ? CODE_DONE : CODE_NOT_AUTHORISED);
		buf_reset(&out);
	}
	id[0] ^= 1;
	ck_assert_uint_eq(
	    signing_tls(ring, id, span_of(content, n), &out), CODE_NOT_FOUND);
}
END_TEST

START_TEST(proofs_say_what_we_fill_in)
{
	struct m_prove ask = {.peer = span_str(BETA),
	    .nonce_dialler = {1},
	    .nonce_acceptor = {2},
	    .exporter = {3}};
	struct trust_peer want = {SIDE_DIALLER, span_str(ALPHA), span_str(BETA),
	    ask.nonce_dialler, ask.nonce_acceptor, ask.exporter};

	complete_ring();
	ck_assert_uint_eq(signing_peer(ring, SIDE_DIALLER, &ask, NOW, &out), CODE_DONE);
	ck_assert_uint_eq(
	    trust_peer(&ring->domain, buf_span(&out), &want, NOW), CODE_DONE);
	buf_reset(&out);
	want = (struct trust_peer){SIDE_ACCEPTOR, span_str(BETA), span_str(ALPHA),
	    ask.nonce_dialler, ask.nonce_acceptor, ask.exporter};
	ck_assert_uint_eq(signing_peer(ring, SIDE_ACCEPTOR, &ask, NOW, &out), CODE_DONE);
	ck_assert_uint_eq(
	    trust_peer(&ring->domain, buf_span(&out), &want, NOW), CODE_DONE);
	buf_reset(&out);
	ck_assert_uint_eq(signing_server(ring, &ask, NOW, &out), CODE_DONE);
	ck_assert_uint_eq(trust_server(&ring->domain, buf_span(&out), ask.nonce_dialler,
			      ask.exporter, NOW),
	    CODE_DONE);
	/* We never prove ourselves to ourselves, nor to what is not a domain. */
	ask.peer = span_str(ALPHA);
	ck_assert_uint_eq(
	    signing_peer(ring, SIDE_DIALLER, &ask, NOW, &out), CODE_WRONG_DOMAIN);
	ask.peer = span_str("im.beta.test\n");
	ck_assert_uint_eq(
	    signing_peer(ring, SIDE_DIALLER, &ask, NOW, &out), CODE_WRONG_DOMAIN);
	ask.peer = span_str(BETA);
	ck_assert_uint_eq(
	    signing_peer(ring, SIDE_DIALLER, &ask, NOW + DAY, &out), CODE_EXPIRED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keyd");
	TCase *tc = tcase_create("keys");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ring_that_belongs_together);
	tcase_add_test(tc, ring_of_another_domain);
	tcase_add_test(tc, ring_with_a_key_that_is_not_listed);
	tcase_add_test(tc, ring_that_has_expired);
	tcase_add_test(tc, ring_takes_no_rubbish);
	tcase_add_test(tc, tls_signs_only_certificate_verify);
	tcase_add_test(tc, proofs_say_what_we_fill_in);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
