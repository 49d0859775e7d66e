/* SPDX-License-Identifier: ISC */
/*
 * ed25519.h - signatures with Ed25519 (RFC 8032, the pure variant).
 *
 * A private key is its 32-byte seed. The caller owns and wipes seeds. All return 0 or -1.
 */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "base/buf.h"

#define ED25519_SEED_SIZE 32
#define ED25519_PUBLIC_SIZE 32
#define ED25519_SIG_SIZE 64
#define ED25519_PEM_MAX 4096 /* a longer key file is refused */

/* A new key from the system's random source. */
int ed25519_keygen(uint8_t seed[ED25519_SEED_SIZE], uint8_t pub[ED25519_PUBLIC_SIZE]);
/* The public key of a seed. */
int ed25519_public(
    const uint8_t seed[ED25519_SEED_SIZE], uint8_t pub[ED25519_PUBLIC_SIZE]);
int ed25519_sign(const uint8_t seed[ED25519_SEED_SIZE], struct span msg,
    uint8_t sig[ED25519_SIG_SIZE]);
/* 0 only if sig is a signature of msg by pub. Spans of other lengths, keys that are not
 * ed25519_public_ok() and S >= L (RFC 8032, 5.1.7) are refused. */
int ed25519_verify(struct span pub, struct span msg, struct span sig);
/* True for 32 bytes that encode y < p canonically and no point of small order: under such
 * a point anybody can sign anything. Whether a point has this y is found by verifying. */
bool ed25519_public_ok(struct span pub);
/* Appends the seed as a PKCS#8 PEM block (RFC 8410, 7), unencrypted. Use buf_wipe() on
 * it. */
int ed25519_pem_write(const uint8_t seed[ED25519_SEED_SIZE], struct buf *out);
/* Reads the first private key of a PEM file; -1 if it is encrypted or not Ed25519. */
int ed25519_pem_read(struct span pem, uint8_t seed[ED25519_SEED_SIZE]);

#endif
