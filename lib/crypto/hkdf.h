/* SPDX-License-Identifier: ISC */
/*
 * hkdf.h - HKDF with SHA-256 (RFC 5869).
 *
 * The caller wipes what it gets. All return 0, or -1 (length refused, or OpenSSL failed);
 * on failure the output is zeroed.
 */
#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include "crypto/sha.h"

#define HKDF_MAX (255 * SHA_SIZE) /* longest output of one expansion */
#define HKDF_PARTS 8              /* most spans in one info */

/* Extract (2.2): prk = HMAC(salt, ikm); ikm is n spans, one after the other. An empty
 * salt means 32 zero bytes, as the RFC says. */
int hkdf_extract(
    struct span salt, const struct span *ikm, size_t n, uint8_t prk[SHA_SIZE]);
/* Expand (2.3): size bytes (1..HKDF_MAX) to out; info is n spans (at most HKDF_PARTS). */
int hkdf_expand(const uint8_t prk[SHA_SIZE], const struct span *info, size_t n,
    uint8_t *out, size_t size);
/* Both in one, with single spans. */
int hkdf_derive(
    struct span salt, struct span ikm, struct span info, uint8_t *out, size_t size);

#endif
