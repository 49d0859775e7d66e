/* SPDX-License-Identifier: ISC */
/*
 * keyring.h - the server's private keys and the domain document that names them.
 *
 * A ring is filled from descriptors that the master opened, completed (checked as a whole),
 * and then only read. Key bytes never leave this process and are wiped when the ring goes.
 */
#ifndef KEYD_KEYRING_H
#define KEYD_KEYRING_H

#include <openssl/types.h>

#include "base/span.h"
#include "crypto/ed25519.h"
#include "crypto/trust.h"

#define KEYRING_KEYS_MAX 8

struct tls_key {
	uint8_t id[32]; /* SHA-256 of the SubjectPublicKeyInfo */
	EVP_PKEY *pkey; /* owned; P-256 or Ed25519 */
	char *name;     /* owned; file it came from */
};

struct sign_key {
	uint8_t seed[ED25519_SEED_SIZE];
	uint8_t pub[ED25519_PUBLIC_SIZE];
	uint64_t from, until; /* as the domain document says, ms; 0, 0: not in it */
	char *name;           /* owned */
};

struct keyring {
	struct tls_key tls[KEYRING_KEYS_MAX];
	size_t ntls;
	struct sign_key sign[KEYRING_KEYS_MAX];
	size_t nsign;
	uint8_t *document; /* owned: COSE_Sign1 */
	size_t ndocument;
	struct trust_domain domain; /* the same, opened; borrows from document */
};

struct keyring *keyring_new(void);
/* Wipes and frees. NULL-safe. */
void keyring_free(struct keyring *);
/* Adds what a file holds. NULL, or a static text that says why not. The caller wipes pem. */
const char *keyring_add_tls(struct keyring *, struct span pem, struct span name);
const char *keyring_add_sign(struct keyring *, struct span pem, struct span name);
const char *keyring_add_document(struct keyring *, struct span);
/* Checks the ring as a whole: the document is of this domain, signed by its own root key,
 * valid at now (ms), and lists one of the signing keys as usable. NULL, or why not. */
const char *keyring_complete(struct keyring *, const char *domain, uint64_t now);
/* The signing key to use at now: listed, valid, and of those the one that lasts longest.
 * NULL if there is none. */
const struct sign_key *keyring_signer(const struct keyring *, uint64_t now);
const struct tls_key *keyring_tls(const struct keyring *, const uint8_t id[32]);
struct span keyring_document(const struct keyring *);

#endif
