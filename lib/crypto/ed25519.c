/* SPDX-License-Identifier: ISC */
/*
 * ed25519.c - Ed25519 keys and signatures on OpenSSL's EVP interface.
 *
 * Owns nothing between calls; a key object lives for one call and OpenSSL wipes it when
 * it is freed. Called by keyd (the only process with seeds), store (which verifies every
 * proof), relay, the client and cose.c. OpenSSL checks S < L and the group equation
 * without cofactor; what it does not check is the public key: a point of small order
 * makes one signature fit almost every message, so such keys are refused here, and so are
 * keys with y >= p, which would be second names for a key. Errors are -1 and nothing
 * else; OpenSSL's error queue is cleared, because a later SSL call would read it as its
 * own.
 */
#include "config.h"

#include "crypto/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "base/text.h"

/* The y of the points of small order: orders 4, 1, 8, 8, 2. The sign bit is masked. */
static const uint8_t small_order[][ED25519_PUBLIC_SIZE] = {
    {0x00},
    {0x01},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
	0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02,
	0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
	0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd,
	0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0x7f},
};

/* y < p = 2^255 - 19, for a little-endian y whose sign bit is already clear. */
static bool
is_canonical(const uint8_t y[ED25519_PUBLIC_SIZE])
{
	if (y[ED25519_PUBLIC_SIZE - 1] != 0x7f || y[0] < 0xed)
		return true;
	for (size_t i = 1; i < ED25519_PUBLIC_SIZE - 1; i++) {
		if (y[i] != 0xff)
			return true;
	}
	return false;
}

bool
ed25519_public_ok(struct span pub)
{
	uint8_t y[ED25519_PUBLIC_SIZE];

	if (pub.n != sizeof(y))
		return false;
	memcpy(y, pub.p, sizeof(y));
	y[sizeof(y) - 1] &= 0x7f;
	if (!is_canonical(y))
		return false;
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++) {
		if (memcmp(y, small_order[i], sizeof(y)) == 0)
			return false;
	}
	return true;
}

static EVP_PKEY *
private_key(const uint8_t seed[ED25519_SEED_SIZE])
{
	return EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_SIZE);
}

int
ed25519_keygen(uint8_t seed[ED25519_SEED_SIZE], uint8_t pub[ED25519_PUBLIC_SIZE])
{
	random_bytes(seed, ED25519_SEED_SIZE);
	if (ed25519_public(seed, pub) == 0)
		return 0;
	wipe(seed, ED25519_SEED_SIZE);
	return -1;
}

int
ed25519_public(const uint8_t seed[ED25519_SEED_SIZE], uint8_t pub[ED25519_PUBLIC_SIZE])
{
	EVP_PKEY *key = private_key(seed);
	size_t n = ED25519_PUBLIC_SIZE;
	bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, pub, &n) == 1 &&
	    n == ED25519_PUBLIC_SIZE;

	EVP_PKEY_free(key);
	if (!ok)
		ERR_clear_error();
	return ok ? 0 : -1;
}

int
ed25519_sign(
    const uint8_t seed[ED25519_SEED_SIZE], struct span msg, uint8_t sig[ED25519_SIG_SIZE])
{
	EVP_PKEY *key = private_key(seed);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = ED25519_SIG_SIZE;
	bool ok = key != NULL && ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, msg.p, msg.n) == 1 && n == ED25519_SIG_SIZE;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	if (!ok)
		ERR_clear_error();
	return ok ? 0 : -1;
}

int
ed25519_verify(struct span pub, struct span msg, struct span sig)
{
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
	bool ok;

	if (!ed25519_public_ok(pub) || sig.n != ED25519_SIG_SIZE)
		return -1;
	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub.p, pub.n);
	ctx = EVP_MD_CTX_new();
	ok = key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	if (!ok)
		ERR_clear_error();
	return ok ? 0 : -1;
}
