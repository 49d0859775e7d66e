/* SPDX-License-Identifier: ISC */
/*
 * cert.c - reads PEM chains and keys from memory and says what a certificate is about.
 *
 * Certificates arrive in a process as bytes (from the configuration channel or a descriptor),
 * never as a path, because the processes that use them see no file system.
 * Owns the X509 objects of a chain until cert_chain_clear(). Called by tls.c, keyprov.c, keyd
 * and emsgctl. Fails with -1 or NULL and, where there is more than one way to fail, a static
 * text. Bounded by CERT_PEM_MAX and CERT_CHAIN_MAX.
 */
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "net/cert.h"

/* One certificate from the BIO; *end if there is none left. */
static X509 *
read_one(OSSL_LIB_CTX *libctx, BIO *bio, bool *end)
{
	X509 *cert = X509_new_ex(libctx, NULL), *filled;

	*end = false;
	if (cert == NULL)
		return NULL;
	filled = PEM_read_bio_X509(bio, &cert, NULL, NULL);
	if (filled != NULL)
		return filled;
	*end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	X509_free(cert);
	return NULL;
}

int
cert_chain_read(
    OSSL_LIB_CTX *libctx, struct span pem, struct cert_chain *chain, const char **err)
{
	X509 *cert;
	BIO *bio;
	bool end;

	chain->n = 0;
	*err = "certificate chain is empty or too long";
	if (pem.n == 0 || pem.n > CERT_PEM_MAX)
		return -1;
	if ((bio = BIO_new_mem_buf(pem.p, (int)pem.n)) == NULL)
		return -1;
	while ((cert = read_one(libctx, bio, &end)) != NULL) {
		if (chain->n == CERT_CHAIN_MAX) {
			X509_free(cert);
			break;
		}
		chain->cert[chain->n++] = cert;
	}
	BIO_free(bio);
	if (cert == NULL && end && chain->n > 0)
		return 0;
	if (cert == NULL && !end)
		*err = "certificate chain is not well-formed PEM";
	cert_chain_clear(chain);
	return -1;
}

void
cert_chain_clear(struct cert_chain *chain)
{
	while (chain->n > 0)
		X509_free(chain->cert[--chain->n]);
}

/* SHA-256 of DER that OpenSSL allocated; frees it. */
static int
digest_free(unsigned char *der, int n, uint8_t out[CERT_SPKI_LEN])
{
	unsigned size = 0;
	int ok;

	if (n <= 0)
		return -1;
	ok = EVP_Digest(der, (size_t)n, out, &size, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return ok == 1 && size == CERT_SPKI_LEN ? 0 : -1;
}

int
cert_spki(const X509 *cert, uint8_t out[CERT_SPKI_LEN])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	return digest_free(der, n, out);
}

int
cert_key_spki(const EVP_PKEY *key, uint8_t out[CERT_SPKI_LEN])
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	return digest_free(der, n, out);
}

bool
cert_names(X509 *cert, const char *domain)
{
	return X509_check_host(cert, domain, 0,
		   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
		   NULL) == 1;
}

static int
seconds(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return -1;
	*out = (int64_t)timegm(&tm);
	return 0;
}

int
cert_times(const X509 *cert, int64_t *not_before, int64_t *not_after)
{
	if (seconds(X509_get0_notBefore(cert), not_before) < 0)
		return -1;
	return seconds(X509_get0_notAfter(cert), not_after);
}

/* An encrypted key must not make OpenSSL ask on the terminal. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

EVP_PKEY *
cert_key_read(OSSL_LIB_CTX *libctx, struct span pem)
{
	EVP_PKEY *key;
	BIO *bio;

	if (pem.n == 0 || pem.n > CERT_PEM_MAX)
		return NULL;
	if ((bio = BIO_new_mem_buf(pem.p, (int)pem.n)) == NULL)
		return NULL;
	key = PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase, NULL, libctx, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}
