/* SPDX-License-Identifier: ISC */
/*
 * x25519.h - Diffie-Hellman with X25519 (RFC 7748).
 *
 * The caller owns and wipes private keys and shared secrets. All return 0 or -1.
 */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#include "base/span.h"

#define X25519_SIZE 32 /* of a private key, a public key and a shared secret */

/* A new key pair from the system's random source. */
int x25519_keygen(uint8_t priv[X25519_SIZE], uint8_t pub[X25519_SIZE]);
int x25519_public(const uint8_t priv[X25519_SIZE], uint8_t pub[X25519_SIZE]);
/* The shared secret. -1 (and zeros) when it would be all zero, that is, when pub is a
 * point of small order (RFC 7748, 6.1). Feed it into a key derivation, never use it as a
 * key. */
int x25519_shared(const uint8_t priv[X25519_SIZE], const uint8_t pub[X25519_SIZE],
    uint8_t out[X25519_SIZE]);

#endif
