/* SPDX-License-Identifier: ISC */
/*
 * devlist.h - certificate and device list of our own accounts, and their prekeys.
 *
 * What is stored was verified when it came; it is opened here without verifying again.
 */
#ifndef STORE_DEVLIST_H
#define STORE_DEVLIST_H

#include "crypto/trust.h"
#include "store/acct.h"

/* Copies of a certificate and a list, and what they say (borrowing from the copies). */
struct devlist {
	uint8_t bytes[SOBJ_LISTKEY_MAX + SOBJ_DEVLIST_MAX];
	struct span listkey, devlist; /* in bytes */
	struct trust_account trust;
};

/* Fills d from the two objects, unverified; false if they do not decode. */
bool devlist_open(struct devlist *, struct span listkey, struct span devlist);
/* The account's current ones. */
enum sdb_result devlist_get(struct sdb *, struct span address, struct devlist *);
enum sdb_result devlist_put(
    struct sdb *, struct span address, struct span listkey, struct span devlist);
/* Writes the rows of a new account: list, device, prekey. Everything was verified. */
enum sdb_result devlist_first(struct sdb *, struct span address,
    const struct trust_account *, struct span listkey, struct span devlist,
    struct span prekey, uint64_t now);
/* What list.put asks (doc/protocol.md section 7). */
struct devlist_change {
	struct span address;
	const uint8_t *caller; /* device that asks */
	const uint8_t *expect; /* 32 bytes */
	struct span listkey;   /* empty: as before */
	struct span devlist;
	struct span prekey; /* empty: none */
	uint64_t now;
	/* Out: devices that are no longer in the list. */
	uint8_t gone[SOBJ_DEVICES_MAX][16];
	size_t ngone;
};
/* Carries it out, or returns why not (wire/code.h). */
unsigned devlist_change(struct sdb *, struct devlist_change *);

/* Keeps the newest prekey of a device; verified before. */
enum sdb_result prekey_put(
    struct sdb *, struct span address, const uint8_t device[16], struct span object);
enum sdb_result prekey_del(struct sdb *, struct span address, const uint8_t device[16]);
/* Appends the result of keys.get (struct c_keys). Code: CODE_DONE, CODE_UNKNOWN_ACCOUNT or
 * CODE_STORAGE. */
struct buf;
unsigned prekey_answer(struct sdb *, struct span address, struct buf *out);

#endif
