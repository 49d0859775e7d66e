/* SPDX-License-Identifier: ISC */
/*
 * aead.h - authenticated encryption in one call, 12-byte nonce, 16-byte tag at the end.
 *
 * The numbers of the algorithms are those of RFC 9180, 7.3. Output is appended to a
 * bounded buffer; on failure nothing is appended. Both calls return 0 or -1.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/buf.h"

#define AEAD_NONCE_SIZE 12
#define AEAD_TAG_SIZE 16
#define AEAD_KEY_MAX 32
#define AEAD_TEXT_MAX ((size_t)16 << 20) /* longest plaintext, and longest aad */

enum aead_alg { AEAD_AES_128_GCM = 1, AEAD_AES_256_GCM = 2, AEAD_CHACHA20_POLY1305 = 3 };

/* 16 or 32; 0 for an unknown algorithm. */
size_t aead_key_size(enum aead_alg);
/* Appends the ciphertext of plain.n + AEAD_TAG_SIZE bytes. A nonce is used once per key.
 * */
int aead_seal(enum aead_alg, struct span key, const uint8_t nonce[AEAD_NONCE_SIZE],
    struct span aad, struct span plain, struct buf *out);
/* Checks the tag and appends the plaintext; -1 if anything was altered. Nothing of an
 * unauthentic plaintext stays behind. out must not hold cipher or aad. */
int aead_open(enum aead_alg, struct span key, const uint8_t nonce[AEAD_NONCE_SIZE],
    struct span aad, struct span cipher, struct buf *out);

#endif
