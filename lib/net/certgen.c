/* SPDX-License-Identifier: ISC */
/*
 * certgen.c - makes a self-signed ECDSA P-256 certificate.
 *
 * P-256 and not Ed25519, because browsers do not take Ed25519 certificates. The certificate
 * is an end certificate (not a CA) for TLS servers and clients, with a random serial and its
 * names in subjectAltName.
 * Owns nothing after it returns; the caller wipes the key text. Called by emsgctl setup and by
 * tests. Fails with -1 and a static text.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "net/certgen.h"

#define BACKDATE_SECONDS 3600L
#define DAY_SECONDS 86400L
#define NAME_MAX_BYTES 253
#define CN_MAX_BYTES 64 /* ub-common-name */
#define SERIAL_LEN 16

/* Subject and issuer; a name too long for a common name leaves them empty. */
static int
put_subject(X509 *cert, const char *name)
{
	X509_NAME *subject = X509_NAME_new();
	int ok = subject != NULL;

	if (ok && strlen(name) <= CN_MAX_BYTES)
		ok = X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
		    (const unsigned char *)name, -1, -1, 0);
	ok = ok == 1 && X509_set_subject_name(cert, subject) == 1 &&
	    X509_set_issuer_name(cert, subject) == 1;
	X509_NAME_free(subject);
	return ok ? 0 : -1;
}

static int
put_serial(X509 *cert)
{
	unsigned char raw[SERIAL_LEN];
	BIGNUM *n;
	int ok;

	random_bytes(raw, sizeof(raw));
	raw[0] = (unsigned char)((raw[0] & 0x3f) | 0x40);
	if ((n = BN_bin2bn(raw, sizeof(raw), NULL)) == NULL)
		return -1;
	ok = BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
	BN_free(n);
	return ok ? 0 : -1;
}

static int
put_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int ok;

	if (ext == NULL)
		return -1;
	ok = X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return ok == 1 ? 0 : -1;
}

/* A name goes into OpenSSL's "DNS:a,DNS:b" syntax: nothing but host characters. */
static bool
name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_BYTES &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n;
}

static int
put_names(X509 *cert, const char *const *names, size_t n)
{
	struct buf b;
	size_t i;
	int rc;

	buf_init(&b, CERTGEN_NAMES_MAX * (NAME_MAX_BYTES + 5));
	for (i = 0; i < n; i++) {
		buf_put_span(&b, span_str(i == 0 ? "DNS:" : ",DNS:"));
		buf_put_span(&b, span_str(names[i]));
	}
	buf_put_u8(&b, 0);
	rc = put_extension(cert, NID_subject_alt_name, (const char *)b.p);
	buf_clear(&b);
	return rc;
}

static int
fill(X509 *cert, EVP_PKEY *key, const char *const *names, size_t n, unsigned days)
{
	if (X509_set_version(cert, X509_VERSION_3) != 1 || put_serial(cert) < 0 ||
	    X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATE_SECONDS) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY_SECONDS) == NULL ||
	    X509_set_pubkey(cert, key) != 1 || put_subject(cert, names[0]) < 0)
		return -1;
	if (put_names(cert, names, n) < 0 ||
	    put_extension(cert, NID_basic_constraints, "critical,CA:FALSE") < 0 ||
	    put_extension(cert, NID_key_usage, "critical,digitalSignature") < 0 ||
	    put_extension(cert, NID_ext_key_usage, "serverAuth,clientAuth") < 0)
		return -1;
	return X509_sign(cert, key, EVP_sha256()) > 0 ? 0 : -1;
}

/* Appends what was written to a memory BIO and frees it. */
static int
drain(BIO *bio, int ok, struct buf *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	if (ok == 1 && n > 0)
		buf_put(out, p, (size_t)n);
	BIO_free(bio);
	return ok == 1 && n > 0 && !buf_failed(out) ? 0 : -1;
}

static int
write_pem(X509 *cert, EVP_PKEY *key, struct buf *cert_pem, struct buf *key_pem)
{
	BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_secmem());
	int rc = -1;

	if (c == NULL || k == NULL) {
		BIO_free(c);
		BIO_free(k);
		return -1;
	}
	rc = drain(c, PEM_write_bio_X509(c, cert), cert_pem);
	if (drain(k, PEM_write_bio_PKCS8PrivateKey(k, key, NULL, NULL, 0, NULL, NULL),
		key_pem) < 0)
		rc = -1;
	return rc;
}

int
certgen_self_signed(const char *const *names, size_t n, unsigned days,
    struct buf *cert_pem, struct buf *key_pem, const char **err)
{
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	size_t i;
	int rc = -1;

	*err = "bad name or lifetime for a certificate";
	if (n == 0 || n > CERTGEN_NAMES_MAX || days == 0 || days > CERTGEN_DAYS_MAX)
		return -1;
	for (i = 0; i < n; i++)
		if (!name_ok(names[i]))
			return -1;
	*err = "cannot make a certificate";
	if ((key = EVP_EC_gen("P-256")) != NULL && (cert = X509_new()) != NULL &&
	    fill(cert, key, names, n, days) == 0)
		rc = write_pem(cert, key, cert_pem, key_pem);
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}
