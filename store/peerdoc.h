/* SPDX-License-Identifier: ISC */
/*
 * peerdoc.h - pinned documents of other domains: rows, and whether a new one is to be trusted.
 */
#ifndef STORE_PEERDOC_H
#define STORE_PEERDOC_H

#include "crypto/trust.h"
#include "store/sdb.h"

enum peerdoc_state {
	PEERDOC_OK = 0,
	PEERDOC_ROOT_CHANGED = 1 /* somebody shows a root that was not announced */
};

struct peerdoc {
	uint8_t pin[SHA_SIZE];   /* of the root key that we trust */
	uint64_t fetched, seen;  /* ms */
	uint8_t state;           /* enum peerdoc_state */
	uint8_t other[SHA_SIZE]; /* ROOT_CHANGED: the pin of the other root */
	uint8_t bytes[PROTO_OBJECT_MAX];
	struct span document; /* in bytes */
};

enum sdb_result peerdoc_get(struct sdb *, struct span domain, struct peerdoc *);
enum sdb_result peerdoc_put(struct sdb *, struct span domain, const struct peerdoc *);
bool peerdoc_decode(struct span value, struct peerdoc *);
/* Takes a copy of the document; false if it is too large. */
bool peerdoc_set(struct peerdoc *, struct span document);

#define PEERDOC_TEXT 400
/* Judges a document that was fetched and verified (new): old is what we have (NULL: nothing),
 * pin the configured one (NULL: none), webpki whether it came over a valid certificate.
 * CODE_DONE, or why not, with a text for the operator. */
unsigned peerdoc_judge(const struct peerdoc *old, const uint8_t *pin, bool webpki,
    const struct trust_domain *new, uint64_t now, char text[PEERDOC_TEXT]);

#endif
