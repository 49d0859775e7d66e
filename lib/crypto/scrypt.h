/* SPDX-License-Identifier: ISC */
/*
 * scrypt.h - a key from a passphrase (scrypt, RFC 7914).
 *
 * Used by the client to wrap the key of its database. The cost travels with what it
 * protects, so it is judged here: no file can ask for more than SCRYPT_MEM_MAX.
 */
#ifndef CRYPTO_SCRYPT_H
#define CRYPTO_SCRYPT_H

#include "base/span.h"

#define SCRYPT_SALT_SIZE 16                  /* what new wraps use */
#define SCRYPT_OUT_MAX 64                    /* longest key */
#define SCRYPT_MEM_MAX ((uint64_t)256 << 20) /* 128 * N * r is at most this */
#define SCRYPT_P_MAX 16

struct scrypt_cost {
	uint64_t n; /* CPU and memory: a power of two, 2 and up */
	uint32_t r; /* block size */
	uint32_t p; /* passes, up to SCRYPT_P_MAX */
};

/* N = 2^17, r = 8, p = 1: 128 MiB and about 0.3 s. */
extern const struct scrypt_cost scrypt_default;

/* True if the cost is well-formed and within the limits above. */
bool scrypt_cost_ok(const struct scrypt_cost *);
/* Derives size bytes (1..SCRYPT_OUT_MAX); 0, or -1 (cost refused or no memory; out is
 * zeroed). The caller wipes pass and out. */
int scrypt_derive(struct span pass, struct span salt, const struct scrypt_cost *,
    uint8_t *out, size_t size);

#endif
