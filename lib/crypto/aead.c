/* SPDX-License-Identifier: ISC */
/*
 * aead.c - AES-GCM and ChaCha20-Poly1305 on OpenSSL's EVP interface.
 *
 * Owns nothing between calls: one context per call, freed (and thereby wiped) at the end.
 * Called by hpke.c and by the client for sealed messages and its database. Both
 * directions write into room reserved in the caller's buffer and commit it only on
 * success, so plaintext that does not authenticate is wiped and never seen. Fails on a
 * wrong key length, an input beyond AEAD_TEXT_MAX (EVP counts in int), a full buffer, a
 * wrong tag; all are -1.
 */
#include "config.h"

#include "crypto/aead.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"

static const EVP_CIPHER *
cipher_of(enum aead_alg alg)
{
	switch (alg) {
	case AEAD_AES_128_GCM:
		return EVP_aes_128_gcm();
	case AEAD_AES_256_GCM:
		return EVP_aes_256_gcm();
	case AEAD_CHACHA20_POLY1305:
		return EVP_chacha20_poly1305();
	}
	return NULL;
}

size_t
aead_key_size(enum aead_alg alg)
{
	switch (alg) {
	case AEAD_AES_128_GCM:
		return 16;
	case AEAD_AES_256_GCM:
	case AEAD_CHACHA20_POLY1305:
		return 32;
	}
	return 0;
}

/* A context with key, nonce and aad set; NULL on failure. */
static EVP_CIPHER_CTX *
start(enum aead_alg alg, struct span key, const uint8_t *nonce, struct span aad, int seal)
{
	EVP_CIPHER_CTX *ctx;
	int n = 0;

	if (key.n == 0 || key.n != aead_key_size(alg) || aad.n > AEAD_TEXT_MAX)
		return NULL;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx != NULL &&
	    EVP_CipherInit_ex(ctx, cipher_of(alg), NULL, key.p, nonce, seal) == 1 &&
	    (aad.n == 0 || EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.n) == 1))
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

/* Runs the text through; an empty one is skipped, since EVP would take its NULL for aad.
 * */
static bool
run(EVP_CIPHER_CTX *ctx, struct span in, uint8_t *out)
{
	int n = 0;

	return in.n == 0 ||
	    (EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.n) == 1 && (size_t)n == in.n);
}

static bool
seal_into(EVP_CIPHER_CTX *ctx, struct span plain, uint8_t *out)
{
	uint8_t none[AEAD_TAG_SIZE];
	int n = 0;

	return run(ctx, plain, out) && EVP_CipherFinal_ex(ctx, none, &n) == 1 && n == 0 &&
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, out + plain.n) == 1;
}

static bool
open_into(EVP_CIPHER_CTX *ctx, struct span text, const uint8_t *tag, uint8_t *out)
{
	uint8_t copy[AEAD_TAG_SIZE], none[AEAD_TAG_SIZE];
	int n = 0;

	memcpy(copy, tag, sizeof(copy));
	return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_SIZE, copy) ==
	    1 &&
	    run(ctx, text, out) && EVP_CipherFinal_ex(ctx, none, &n) == 1 && n == 0;
}

int
aead_seal(enum aead_alg alg, struct span key, const uint8_t nonce[AEAD_NONCE_SIZE],
    struct span aad, struct span plain, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t *room = NULL;
	bool ok;

	if (plain.n <= AEAD_TEXT_MAX)
		ctx = start(alg, key, nonce, aad, 1);
	if (ctx != NULL)
		room = buf_reserve(out, plain.n + AEAD_TAG_SIZE);
	ok = room != NULL && seal_into(ctx, plain, room);
	EVP_CIPHER_CTX_free(ctx);
	if (!ok) {
		ERR_clear_error();
		return -1;
	}
	buf_advance(out, plain.n + AEAD_TAG_SIZE);
	return 0;
}

int
aead_open(enum aead_alg alg, struct span key, const uint8_t nonce[AEAD_NONCE_SIZE],
    struct span aad, struct span cipher, struct buf *out)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t nothing, *room = NULL;
	struct span text;
	bool ok;

	if (cipher.n < AEAD_TAG_SIZE || cipher.n - AEAD_TAG_SIZE > AEAD_TEXT_MAX)
		return -1;
	text = span_of(cipher.p, cipher.n - AEAD_TAG_SIZE);
	ctx = start(alg, key, nonce, aad, 0);
	if (ctx != NULL)
		room = text.n == 0 ? &nothing : buf_reserve(out, text.n);
	ok = room != NULL && open_into(ctx, text, cipher.p + text.n, room);
	EVP_CIPHER_CTX_free(ctx);
	if (!ok) {
		if (room != NULL && text.n > 0)
			wipe(room, text.n);
		ERR_clear_error();
		return -1;
	}
	if (text.n > 0)
		buf_advance(out, text.n);
	return 0;
}
