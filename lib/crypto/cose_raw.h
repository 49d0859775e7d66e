/* SPDX-License-Identifier: ISC */
/*
 * cose_raw.h - COSE_Sign1 as RFC 9052 has it, before EMSG's profile narrows it.
 *
 * Internal to cose.c, and used by its tests, which hold it against the examples of the
 * COSE working group: those carry alg -8 and headers that the profile refuses. Nobody
 * else includes this file.
 */
#ifndef CRYPTO_COSE_RAW_H
#define CRYPTO_COSE_RAW_H

#include "crypto/cose.h"

struct cose_raw {
	struct span header; /* content of the protected bstr; all these borrow */
	struct span typ;    /* header 16, empty if absent */
	struct span payload;
	struct span signature;
	int64_t alg; /* header 1, 0 (reserved) if absent */
	bool extra;  /* other headers, protected or not, are there */
};

/* Takes one tagged COSE_Sign1 with attached payload apart; deterministic CBOR only. */
enum cose_error cose_raw_parse(struct span bytes, struct cose_raw *);
/* Appends the Sig_structure over a protected header as received. 0 or -1. */
int cose_raw_tbs(
    struct span header, struct span external_aad, struct span payload, struct buf *out);
/* Verifies an Ed25519 signature; COSE_ALG unless the object names exactly this alg. */
enum cose_error cose_raw_check(
    const struct cose_raw *, int64_t alg, struct span external_aad, struct span pub);

#endif
