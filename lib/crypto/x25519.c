/* SPDX-License-Identifier: ISC */
/*
 * x25519.c - X25519 on OpenSSL's EVP interface.
 *
 * Owns nothing between calls; a key object lives for one call and OpenSSL wipes it when
 * it is freed. Called by hpke.c and, for prekeys, by the client; no server process does.
 * OpenSSL refuses an all-zero shared secret by itself; it is looked for once more here,
 * because RFC 9180 demands it of us whatever the library does. Errors are -1 with zeroed
 * output; OpenSSL's error queue is cleared, because a later SSL call would read it as
 * its own.
 */
#include "config.h"

#include "crypto/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "base/text.h"
#include "crypto/sha.h"

static EVP_PKEY *
private_key(const uint8_t priv[X25519_SIZE])
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, priv, X25519_SIZE);
}

int
x25519_keygen(uint8_t priv[X25519_SIZE], uint8_t pub[X25519_SIZE])
{
	random_bytes(priv, X25519_SIZE);
	if (x25519_public(priv, pub) == 0)
		return 0;
	wipe(priv, X25519_SIZE);
	return -1;
}

int
x25519_public(const uint8_t priv[X25519_SIZE], uint8_t pub[X25519_SIZE])
{
	EVP_PKEY *key = private_key(priv);
	size_t n = X25519_SIZE;
	bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, pub, &n) == 1 &&
	    n == X25519_SIZE;

	EVP_PKEY_free(key);
	if (!ok)
		ERR_clear_error();
	return ok ? 0 : -1;
}

static bool
derive(EVP_PKEY *own, EVP_PKEY *other, uint8_t out[X25519_SIZE])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t n = X25519_SIZE;
	bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, other) == 1 &&
	    EVP_PKEY_derive(ctx, out, &n) == 1 && n == X25519_SIZE;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

int
x25519_shared(const uint8_t priv[X25519_SIZE], const uint8_t pub[X25519_SIZE],
    uint8_t out[X25519_SIZE])
{
	static const uint8_t zero[X25519_SIZE];
	EVP_PKEY *own = private_key(priv);
	EVP_PKEY *other =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, pub, X25519_SIZE);
	bool ok = own != NULL && other != NULL && derive(own, other, out) &&
	    !sha_equal(span_of(out, X25519_SIZE), span_of(zero, X25519_SIZE));

	EVP_PKEY_free(own);
	EVP_PKEY_free(other);
	if (!ok) {
		wipe(out, X25519_SIZE);
		ERR_clear_error();
	}
	return ok ? 0 : -1;
}
