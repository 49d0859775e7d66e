/* SPDX-License-Identifier: ISC */
/*
 * objkit.h - signed objects for tests: domains, accounts and devices with their keys.
 */
#ifndef TESTS_OBJKIT_H
#define TESTS_OBJKIT_H

#include "base/buf.h"
#include "crypto/ed25519.h"
#include "wire/sobj.h"

struct kit_key {
	uint8_t seed[ED25519_SEED_SIZE];
	uint8_t pub[ED25519_PUBLIC_SIZE];
};
void kit_key(struct kit_key *);
/* Signs a payload under a typ; out is reset first. */
void kit_sign(struct buf *out, const struct obj_def *, const void *payload,
    const char *typ, const struct kit_key *);
/* A domain document: *doc is what goes in (root, keys and domain are filled in). */
void kit_domain(struct buf *out, struct s_domain *doc, const char *domain,
    const struct kit_key *root, const struct kit_key *sign, uint64_t from,
    uint64_t until);
void kit_listkey(struct buf *out, const char *account, const struct kit_key *identity,
    const struct kit_key *list, uint64_t generation);
/* A device list of n devices. prev may be NULL. */
void kit_devlist(struct buf *out, const char *account, const struct kit_key *list,
    uint64_t generation, uint64_t seq, const uint8_t *prev, const struct kit_key *devices,
    size_t n);
void kit_prekey(struct buf *out, const char *account, const struct kit_key *device,
    const uint8_t key[32]);

#endif
