/* SPDX-License-Identifier: ISC */
/*
 * sha.c - SHA-256 and HMAC-SHA-256 on OpenSSL's EVP interface.
 *
 * Owns nothing between calls: each call makes its context, feeds it the spans and frees
 * it (EVP_MD_CTX_free and EVP_MAC_CTX_free wipe the state). Everything above in
 * lib/crypto hashes through here, and so do the processes and the client for ids, tokens
 * and commitments. A call fails only when OpenSSL cannot give the algorithm or memory;
 * the caller treats that like any other refusal, nothing is logged here.
 */
#include "config.h"

#include "crypto/sha.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

int
sha_of(struct span bytes, uint8_t out[SHA_SIZE])
{
	return sha_spans(&bytes, 1, out);
}

int
sha_spans(const struct span *parts, size_t n, uint8_t out[SHA_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int size = 0;
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, &size) == 1 && size == SHA_SIZE;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

/* Sets the key. OpenSSL takes a NULL key for "keep the former one", hence the stand-in.
 * */
static bool
hmac_start(EVP_MAC_CTX *ctx, struct span key)
{
	static const uint8_t empty[1];
	char digest[] = "SHA256";
	OSSL_PARAM params[2];

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[1] = OSSL_PARAM_construct_end();
	return EVP_MAC_init(ctx, key.n == 0 ? empty : key.p, key.n, params) == 1;
}

int
sha_hmac(struct span key, const struct span *parts, size_t n, uint8_t out[SHA_SIZE])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
	size_t size = 0;
	bool ok = ctx != NULL && hmac_start(ctx, key);

	for (size_t i = 0; ok && i < n; i++)
		ok = parts[i].n == 0 || EVP_MAC_update(ctx, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_MAC_final(ctx, out, &size, SHA_SIZE) == 1 && size == SHA_SIZE;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return ok ? 0 : -1;
}

bool
sha_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
