/* SPDX-License-Identifier: ISC */
/*
 * signer.h - objects of an input, signed by fixed keys so that what lies behind a signature is
 * fuzzed, too.
 */
#ifndef FUZZ_SIGNER_H
#define FUZZ_SIGNER_H

#include "base/buf.h"
#include "crypto/cose.h"
#include "wire/sobj.h"

#define SIGNER_KEYS 12 /* key 0 signs nothing */

/* The seed and public key of a number. */
void signer_key(uint8_t number, uint8_t seed[32], uint8_t pub[32]);
/* Appends the payload of that table, signed. */
void signer_sign(struct buf *out, const struct obj_def *, const void *payload,
    const char *typ, uint8_t number);
/* Reads one object and appends it: a byte for the key (0: it comes as it is), one for the typ,
 * two for the length, the payload. */
void signer_read(struct cur *, struct buf *out);

#endif
