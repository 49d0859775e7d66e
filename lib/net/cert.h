/* SPDX-License-Identifier: ISC */
/*
 * cert.h - certificates as bytes: PEM chains, fingerprints, names, dates. libcrypto only.
 */
#ifndef NET_CERT_H
#define NET_CERT_H

#include <openssl/types.h>

#include "base/span.h"

#define CERT_PEM_MAX (64UL * 1024) /* bytes of one PEM chain */
#define CERT_CHAIN_MAX 8           /* certificates in it */
#define CERT_SPKI_LEN 32

struct cert_chain {
	X509 *cert[CERT_CHAIN_MAX]; /* owned; end certificate first */
	size_t n;
};

/* Reads all certificates of a PEM text; other blocks are skipped. libctx may be NULL.
 * 0, or -1 and *err (static text). */
int cert_chain_read(
    OSSL_LIB_CTX *, struct span pem, struct cert_chain *, const char **err);
void cert_chain_clear(struct cert_chain *);
/* SHA-256 of the SubjectPublicKeyInfo: also keyprov's key id. */
int cert_spki(const X509 *, uint8_t out[CERT_SPKI_LEN]);
/* The same of a public (or private) key. */
int cert_key_spki(const EVP_PKEY *, uint8_t out[CERT_SPKI_LEN]);
/* True if the certificate is for this DNS name (wildcards as RFC 6125 has them). */
bool cert_names(X509 *, const char *domain);
/* Seconds since 1970 of notBefore and notAfter. -1 if they cannot be read. */
int cert_times(const X509 *, int64_t *not_before, int64_t *not_after);
/* A private key from PEM (PKCS#8 or SEC1, unencrypted). NULL on failure. Owned by caller. */
EVP_PKEY *cert_key_read(OSSL_LIB_CTX *, struct span pem);

#endif
