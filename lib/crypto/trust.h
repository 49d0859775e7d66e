/* SPDX-License-Identifier: ISC */
/*
 * trust.h - verifying signed objects: who speaks for a domain, for an account, for a device.
 *
 * Shared by store (which judges all proofs), keyd (its own document) and clients. Everything
 * is verified over the bytes received; structs borrow from them. Functions return a reply
 * code of wire/code.h: CODE_DONE, or why not. No state, no I/O, no clock: now is passed in,
 * in milliseconds.
 */
#ifndef CRYPTO_TRUST_H
#define CRYPTO_TRUST_H

#include "crypto/sha.h"
#include "wire/sobj.h"

/* How far a proof's time may be from ours. */
#define TRUST_SKEW_MS (10ULL * 60 * 1000)

struct trust_domain {
	struct s_domain doc;
	uint8_t hash[SHA_SIZE]; /* of the document */
	uint8_t pin[SHA_SIZE];  /* of the root key */
};
/* Opens a domain document (doc/protocol.md 5.8): signed by the root key that it names, of that
 * domain, issued not in the future, not expired, valid for at most SOBJ_DOC_DAYS. Whether the
 * root is the right one is for the caller: compare pin. */
unsigned trust_domain(
    struct span document, struct span domain, uint64_t now, struct trust_domain *);
/* Verifies an object of this typ by any key of the document that may sign now. */
unsigned trust_by_domain(const struct trust_domain *, struct span object, const char *typ,
    uint64_t now, struct span *payload);
/* Verifies a peer proof (5.9): by the document, for this side, these names, nonces, exporter
 * and document hash, with a time near now. */
struct trust_peer {
	enum peer_side side;
	struct span dialler, acceptor;
	const uint8_t *nonce_dialler, *nonce_acceptor, *exporter; /* 32 bytes each */
};
unsigned trust_peer(const struct trust_domain *, struct span proof,
    const struct trust_peer *, uint64_t now);
/* Verifies a server proof (5.10). */
unsigned trust_server(const struct trust_domain *, struct span proof,
    const uint8_t nonce[32], const uint8_t exporter[32], uint64_t now);

struct trust_account {
	struct s_listkey cert;
	struct s_devlist list;
	uint8_t head[SHA_SIZE]; /* hash of the device list */
};
/* Opens certificate and device list of an account (5.1, 5.2): the certificate is signed by the
 * identity key it names, the list by the certified key, both of this account and generation;
 * device ids belong to their keys and none occurs twice. Whether the identity is the right one
 * is for the caller: compare cert.identity. */
unsigned trust_account(struct span account, struct span listkey, struct span devlist,
    struct trust_account *);
/* A device of the list by id; false if it is not there. */
bool trust_device(const struct trust_account *, const uint8_t id[16], struct s_device *);
/* Verifies an object by a device of the list. */
unsigned trust_by_device(const struct trust_account *, const uint8_t device[16],
    struct span object, const char *typ, struct span *payload);
/* Opens a prekey (5.3): of this account, signed by a device of the list. */
unsigned trust_prekey(
    const struct trust_account *, struct span object, struct s_prekey *);
/* Opens a consent object (5.7) of the given typ. Of request and grant the list inside is opened
 * into *maker; for a revocation *maker must already hold the maker's list. */
unsigned trust_consent(
    struct span object, const char *typ, struct trust_account *maker, struct s_consent *);
/* The id of a device and of a prekey, from their public keys. */
int trust_device_id(const uint8_t key[32], uint8_t id[PROTO_DEVICE_SIZE]);
int trust_prekey_id(const uint8_t key[32], uint8_t id[PROTO_PREKEY_ID_SIZE]);

#endif
