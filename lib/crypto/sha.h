/* SPDX-License-Identifier: ISC */
/*
 * sha.h - SHA-256, HMAC-SHA-256 and comparison in constant time.
 *
 * All return 0, or -1 when OpenSSL fails (out of memory or SHA-256 switched off); the
 * output is then undefined. Inputs are lists of spans, hashed as if they were one string.
 */
#ifndef CRYPTO_SHA_H
#define CRYPTO_SHA_H

#include "base/span.h"

#define SHA_SIZE 32 /* bytes of a SHA-256 digest or tag */

/* SHA-256 of one span. */
int sha_of(struct span, uint8_t out[SHA_SIZE]);
/* SHA-256 of n spans, one after the other. */
int sha_spans(const struct span *, size_t n, uint8_t out[SHA_SIZE]);
/* HMAC-SHA-256 (RFC 2104) over n spans; the key may have any length, 0 as well. */
int sha_hmac(struct span key, const struct span *, size_t n, uint8_t out[SHA_SIZE]);
/* Equality in time that depends on the lengths only; for secrets, tags and tokens. */
bool sha_equal(struct span, struct span);

#endif
