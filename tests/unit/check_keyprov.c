/* SPDX-License-Identifier: ISC */
/*
 * check_keyprov.c - handshakes with a private key that OpenSSL does not have.
 *
 * The server's key object comes from keyprov; the signature is made by a callback with the
 * real key, which plays keyd. So a handshake that succeeds proves the provider, and one that
 * succeeds without the callback having run would prove that the key had leaked.
 */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <check.h>

#include "net/cert.h"
#include "net/certgen.h"
#include "net/keyprov.h"
#include "netpair.h"

#define STEPS_MAX 20
#define PREFIX_LEN 64

static const char context_text[] = "TLS 1.3, server CertificateVerify";

/* What plays keyd. */
struct signer {
	EVP_PKEY *key;
	uint8_t id[KEYPROV_ID_LEN];
	int calls;
	bool refuse;
	bool garble;
};

static bool
well_formed(struct span tbs)
{
	size_t i;

	if (tbs.n != PREFIX_LEN + sizeof(context_text) + 32 &&
	    tbs.n != PREFIX_LEN + sizeof(context_text) + 48)
		return false;
	for (i = 0; i < PREFIX_LEN; i++)
		if (tbs.p[i] != ' ')
			return false;
	return memcmp(tbs.p + PREFIX_LEN, context_text, sizeof(context_text)) == 0;
}

static int
sign(void *arg, const uint8_t id[KEYPROV_ID_LEN], struct span tbs, struct buf *sig)
{
	struct signer *s = arg;
	unsigned char out[KEYPROV_SIG_MAX];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = sizeof(out);

	s->calls++;
	ck_assert(well_formed(tbs));
	ck_assert_mem_eq(id, s->id, KEYPROV_ID_LEN);
	ck_assert_int_eq(
	    EVP_DigestSignInit(ctx, NULL,
		EVP_PKEY_is_a(s->key, "EC") ? EVP_sha256() : NULL, NULL, s->key),
	    1);
	ck_assert_int_eq(EVP_DigestSign(ctx, out, &n, tbs.p, tbs.n), 1);
	EVP_MD_CTX_free(ctx);
	if (s->garble)
		out[n - 1] ^= 1;
	buf_put(sig, out, n);
	return s->refuse ? -1 : 0;
}

/* Both sides over a BIO pair; true if both got through. */
static bool
shake(struct netpair *np, const char *name, enum tls_verify verify)
{
	SSL *s = tls_server_ssl(np->server),
	    *c = tls_client_ssl(np->client, name, verify);
	uint8_t a[TLS_EXPORT_LEN], b[TLS_EXPORT_LEN], spki[TLS_SPKI_LEN];
	BIO *left, *right;
	int i, sr = 0, cr = 0;

	ck_assert_int_eq(BIO_new_bio_pair(&left, 0, &right, 0), 1);
	SSL_set_bio(s, left, left);
	SSL_set_bio(c, right, right);
	for (i = 0; i < STEPS_MAX && (sr != 1 || cr != 1); i++) {
		cr = SSL_do_handshake(c);
		sr = SSL_do_handshake(s);
	}
	if (sr == 1 && cr == 1) {
		ck_assert_str_eq(tls_domain(s), name);
		ck_assert(tls_ready(s) && tls_ready(c) && tls_verified(c));
		ck_assert_int_eq(tls_peer_spki(c, spki), 0);
		ck_assert_int_eq(tls_export(s, "EXPORTER-emsg-v1-test", a), 0);
		ck_assert_int_eq(tls_export(c, "EXPORTER-emsg-v1-test", b), 0);
		ck_assert_mem_eq(a, b, sizeof(a));
	}
	SSL_free(s);
	SSL_free(c);
	ERR_clear_error();
	return sr == 1 && cr == 1;
}

static EVP_PKEY *
host(struct netpair *np, struct keyprov *kp)
{
	const char *err = NULL;
	EVP_PKEY *key = keyprov_key(kp, buf_span(&np->cert_pem), &err);
	int rc;

	ck_assert_msg(key != NULL, "%s", err);
	rc = tls_server_add(
	    np->server, NETPAIR_DOMAIN, buf_span(&np->cert_pem), key, &err);
	ck_assert_msg(rc == 0, "%s", err);
	return key;
}

/* Puts an Ed25519 key and its certificate in the place of the P-256 one. */
static void
become_ed25519(struct netpair *np)
{
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	X509_EXTENSION *ext;
	const char *err;
	char *pem;
	long n;

	EVP_PKEY_free(np->key);
	np->key = EVP_PKEY_Q_keygen(tls_libctx(np->tls), NULL, "ED25519");
	ck_assert_ptr_nonnull(np->key);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, np->key);
	ext =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" NETPAIR_DOMAIN);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	ck_assert_int_gt(X509_sign(cert, np->key, NULL), 0);
	ck_assert_int_eq(PEM_write_bio_X509(bio, cert), 1);
	n = BIO_get_mem_data(bio, &pem);
	buf_reset(&np->cert_pem);
	buf_put(&np->cert_pem, pem, (size_t)n);
	tls_client_free(np->client);
	np->client = tls_client_new(np->tls, buf_span(&np->cert_pem), &err);
	BIO_free(bio);
	X509_free(cert);
}

static struct keyprov *
make(struct netpair *np, struct signer *s)
{
	struct keyprov *kp;

	netpair_init_bare(np);
	memset(s, 0, sizeof(*s));
	s->key = np->key;
	ck_assert_int_eq(cert_key_spki(np->key, s->id), 0);
	kp = keyprov_new(np->tls, sign, s);
	ck_assert_ptr_nonnull(kp);
	return kp;
}

static void
unmake(struct netpair *np, struct keyprov *kp, EVP_PKEY *key)
{
	EVP_PKEY_free(key);
	tls_server_free(np->server);
	np->server = NULL;
	keyprov_free(kp);
	netpair_clear(np);
}

START_TEST(handshake_asks_the_signer)
{
	struct netpair np;
	struct signer s;
	struct keyprov *kp = make(&np, &s);
	EVP_PKEY *key = host(&np, kp);
	int i;

	for (i = 1; i <= 3; i++) {
		ck_assert(shake(&np, NETPAIR_DOMAIN, TLS_VERIFY_CHAIN));
		ck_assert_int_eq(s.calls, i);
	}
	unmake(&np, kp, key);
}
END_TEST

START_TEST(ed25519_works_as_well)
{
	struct netpair np;
	struct signer s;
	struct keyprov *kp = make(&np, &s);
	EVP_PKEY *key;

	become_ed25519(&np);
	s.key = np.key;
	ck_assert_int_eq(cert_key_spki(np.key, s.id), 0);
	key = host(&np, kp);
	ck_assert(shake(&np, NETPAIR_DOMAIN, TLS_VERIFY_CHAIN));
	ck_assert_int_eq(s.calls, 1);
	unmake(&np, kp, key);
}
END_TEST

START_TEST(a_refusal_or_a_wrong_signature_ends_the_handshake)
{
	struct netpair np;
	struct signer s;
	struct keyprov *kp = make(&np, &s);
	EVP_PKEY *key = host(&np, kp);

	s.refuse = true;
	ck_assert(!shake(&np, NETPAIR_DOMAIN, TLS_VERIFY_CHAIN));
	s.refuse = false;
	s.garble = true;
	ck_assert(!shake(&np, NETPAIR_DOMAIN, TLS_VERIFY_LATER));
	s.garble = false;
	ck_assert(shake(&np, NETPAIR_DOMAIN, TLS_VERIFY_CHAIN));
	ck_assert_int_eq(s.calls, 3);
	unmake(&np, kp, key);
}
END_TEST

START_TEST(private_half_is_not_there)
{
	struct netpair np;
	struct signer s;
	struct keyprov *kp = make(&np, &s);
	EVP_PKEY *key = host(&np, kp);
	OSSL_PARAM *params = NULL;
	BIGNUM *priv = NULL;
	unsigned char *der = NULL;

	ck_assert_int_ne(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &priv), 1);
	ck_assert_int_ne(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
	ck_assert_int_le(i2d_PrivateKey(key, &der), 0);
	ck_assert_int_eq(EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &params), 1);
	ck_assert_ptr_null(OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_PRIV_KEY));
	OSSL_PARAM_free(params);
	ck_assert_int_eq(EVP_PKEY_eq(key, np.key), 1);
	ck_assert_int_eq(EVP_PKEY_get_bits(key), 256);
	ERR_clear_error();
	unmake(&np, kp, key);
}
END_TEST

/* Other work with EC keys in the same library context stays with the default provider. */
START_TEST(others_keep_the_default_provider)
{
	struct netpair np;
	struct signer s;
	struct keyprov *kp = make(&np, &s);
	EVP_PKEY *other = EVP_PKEY_Q_keygen(tls_libctx(np.tls), NULL, "EC", "P-256");
	EVP_KEYMGMT *mgmt = EVP_KEYMGMT_fetch(tls_libctx(np.tls), "EC", NULL);

	ck_assert_ptr_nonnull(other);
	ck_assert_str_eq(
	    OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(mgmt)), "default");
	EVP_KEYMGMT_free(mgmt);
	EVP_PKEY_free(other);
	unmake(&np, kp, NULL);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_refused)
{
	const char *names[] = {"im.beta.test"}, *err = NULL;
	struct buf cert, secret;
	struct netpair np;
	struct signer s;
	struct keyprov *kp = make(&np, &s);
	EVP_PKEY *key = keyprov_key(kp, buf_span(&np.cert_pem), &err);

	buf_init(&cert, 8192);
	buf_init(&secret, 8192);
	ck_assert_int_eq(certgen_self_signed(names, 1, 1, &cert, &secret, &err), 0);
	ck_assert_int_eq(
	    tls_server_add(np.server, "im.beta.test", buf_span(&cert), key, &err), -1);
	ck_assert_str_eq(err, "private key does not belong to the certificate");
	ck_assert_ptr_null(keyprov_key(kp, span_str("no certificate"), &err));
	buf_clear(&cert);
	buf_wipe(&secret);
	ERR_clear_error();
	unmake(&np, kp, key);
}
END_TEST

START_TEST(names_and_trust_are_checked)
{
	struct netpair np;
	struct tls_client *none;
	const char *err = NULL;

	netpair_init(&np);
	ck_assert(shake(&np, NETPAIR_DOMAIN, TLS_VERIFY_CHAIN));
	ck_assert(!shake(&np, "im.beta.test", TLS_VERIFY_CHAIN));
	none = tls_client_new(np.tls, span_of(NULL, 0), &err);
	ck_assert_ptr_nonnull(none);
	tls_client_free(np.client);
	np.client = none;
	ck_assert(!shake(&np, NETPAIR_DOMAIN, TLS_VERIFY_CHAIN));
	netpair_clear(&np);
}
END_TEST

/* A client of ordinary OpenSSL, to be bent away from the profile. */
static bool
bent_shake(struct netpair *np, int max_version, const char *sni, const char *alpn)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *s = tls_server_ssl(np->server), *c;
	BIO *left, *right;
	int i, sr = 0, cr = 0;

	ck_assert_int_eq(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
	c = SSL_new(ctx);
	SSL_set_connect_state(c);
	if (sni != NULL) {
		char name[64];

		snprintf(name, sizeof(name), "%s", sni);
		ck_assert_int_eq(SSL_set_tlsext_host_name(c, name), 1);
	}
	if (alpn != NULL)
		SSL_set_alpn_protos(
		    c, (const unsigned char *)alpn, (unsigned)strlen(alpn));
	ck_assert_int_eq(BIO_new_bio_pair(&left, 0, &right, 0), 1);
	SSL_set_bio(s, left, left);
	SSL_set_bio(c, right, right);
	for (i = 0; i < STEPS_MAX && (sr != 1 || cr != 1); i++) {
		cr = SSL_do_handshake(c);
		sr = SSL_do_handshake(s);
	}
	SSL_free(s);
	SSL_free(c);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return sr == 1 && cr == 1;
}

START_TEST(the_profile_is_strict)
{
	struct netpair np;

	netpair_init(&np);
	ck_assert(bent_shake(&np, TLS1_3_VERSION, NETPAIR_DOMAIN, "\x08http/1.1"));
	ck_assert(bent_shake(&np, TLS1_3_VERSION, NETPAIR_DOMAIN, "\x02h2\x08http/1.1"));
	ck_assert(!bent_shake(&np, TLS1_2_VERSION, NETPAIR_DOMAIN, "\x08http/1.1"));
	ck_assert(!bent_shake(&np, TLS1_3_VERSION, NETPAIR_DOMAIN, "\x02h2"));
	ck_assert(!bent_shake(&np, TLS1_3_VERSION, NETPAIR_DOMAIN, NULL));
	ck_assert(!bent_shake(&np, TLS1_3_VERSION, NULL, "\x08http/1.1"));
	ck_assert(!bent_shake(&np, TLS1_3_VERSION, "im.gamma.test", "\x08http/1.1"));
	netpair_clear(&np);
}
END_TEST

/* A reload drops the server context; what was accepted from it goes on. */
START_TEST(connections_outlive_their_context)
{
	struct netpair np;
	SSL *s, *c;
	BIO *left, *right;
	int i, sr = 0;

	netpair_init(&np);
	s = tls_server_ssl(np.server);
	c = tls_client_ssl(np.client, NETPAIR_DOMAIN, TLS_VERIFY_CHAIN);
	tls_server_free(np.server);
	np.server = NULL;
	ck_assert_int_eq(BIO_new_bio_pair(&left, 0, &right, 0), 1);
	SSL_set_bio(s, left, left);
	SSL_set_bio(c, right, right);
	for (i = 0; i < STEPS_MAX && sr != 1; i++) {
		SSL_do_handshake(c);
		sr = SSL_do_handshake(s);
	}
	ck_assert_int_eq(sr, 1);
	ck_assert_str_eq(tls_domain(s), NETPAIR_DOMAIN);
	SSL_free(s);
	SSL_free(c);
	netpair_clear(&np);
}
END_TEST

START_TEST(certificates_tell_names_and_dates)
{
	struct netpair np;
	struct cert_chain chain;
	const char *err = NULL;
	int64_t from, to;
	uint8_t a[CERT_SPKI_LEN], b[CERT_SPKI_LEN];

	netpair_init_bare(&np);
	ck_assert_int_eq(cert_chain_read(NULL, buf_span(&np.cert_pem), &chain, &err), 0);
	ck_assert_uint_eq(chain.n, 1);
	ck_assert(cert_names(chain.cert[0], "im.beta.test"));
	ck_assert(!cert_names(chain.cert[0], "beta.test"));
	ck_assert_int_eq(cert_times(chain.cert[0], &from, &to), 0);
	ck_assert_int_eq(to - from, 30 * 86400 + 3600);
	ck_assert_int_eq(cert_spki(chain.cert[0], a), 0);
	ck_assert_int_eq(cert_key_spki(np.key, b), 0);
	ck_assert_mem_eq(a, b, sizeof(a));
	cert_chain_clear(&chain);
	np.cert_pem.p[60] = '!';
	ck_assert_int_eq(cert_chain_read(NULL, buf_span(&np.cert_pem), &chain, &err), -1);
	ck_assert_int_eq(certgen_self_signed((const char *const[]){"a,DNS:b"}, 1, 1,
			     &np.cert_pem, &np.key_pem, &err),
	    -1);
	netpair_clear(&np);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keyprov");
	TCase *t = tcase_create("keyprov");
	SRunner *r;
	int failed;

	tcase_add_test(t, handshake_asks_the_signer);
	tcase_add_test(t, ed25519_works_as_well);
	tcase_add_test(t, a_refusal_or_a_wrong_signature_ends_the_handshake);
	tcase_add_test(t, private_half_is_not_there);
	tcase_add_test(t, others_keep_the_default_provider);
	tcase_add_test(t, a_key_of_another_certificate_is_refused);
	tcase_add_test(t, names_and_trust_are_checked);
	tcase_add_test(t, the_profile_is_strict);
	tcase_add_test(t, connections_outlive_their_context);
	tcase_add_test(t, certificates_tell_names_and_dates);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
