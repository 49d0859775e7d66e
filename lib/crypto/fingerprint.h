/* SPDX-License-Identifier: ISC */
/*
 * fingerprint.h - what people compare: thumbprints of keys and the 60-digit number.
 *
 * The verification number of two identity keys is the same on both sides. With A and B
 * the raw public keys, A <= B bytewise:
 *
 *   h(0) = SHA-256("emsg-verify-v1" || 0x00 || A || B)
 *   h(i) = SHA-256(h(i-1) || A || B),  i = 1 .. 5200
 *   number = h(5200) as a big-endian integer, modulo 10^60; 60 decimal digits
 *
 * 10^60 is 199.3 bits; the repetition makes a search for a look-alike 5,200 times dearer.
 * Keys are 32 raw bytes. All return 0, or -1 when OpenSSL fails.
 */
#ifndef CRYPTO_FINGERPRINT_H
#define CRYPTO_FINGERPRINT_H

#include "crypto/ed25519.h"
#include "crypto/sha.h"

#define FINGERPRINT_TEXT_SIZE 40   /* 8 groups of 4 hex digits, blanks, terminator */
#define FINGERPRINT_NUMBER_SIZE 72 /* 12 groups of 5 digits, blanks, terminator */
#define FINGERPRINT_ROUNDS 5200

/* The thumbprint (key id) of a public key: SHA-256 of its raw 32 bytes. */
int fingerprint_of(const uint8_t pub[ED25519_PUBLIC_SIZE], uint8_t out[SHA_SIZE]);
/* The short form of a thumbprint, its first 16 bytes: "21fe 31df a154 a261 ...". */
void fingerprint_text(
    const uint8_t thumbprint[SHA_SIZE], char out[FINGERPRINT_TEXT_SIZE]);
/* The verification number: "12345 67890 ...", 12 groups. The order of the keys is free.
 * */
int fingerprint_number(const uint8_t a[ED25519_PUBLIC_SIZE],
    const uint8_t b[ED25519_PUBLIC_SIZE], char out[FINGERPRINT_NUMBER_SIZE]);

#endif
