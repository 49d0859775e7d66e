/* SPDX-License-Identifier: ISC */
/*
 * storekit.h - a database in a temporary directory, accounts with keys, and items, for the
 * tests of store. Addresses are of im.alpha.test unless a test says otherwise.
 */
#ifndef TESTS_STOREKIT_H
#define TESTS_STOREKIT_H

#include "store/admit.h"
#include "tests/unit/objkit.h"

#define KIT_NOW 1795000000000ULL
#define KIT_DOMAIN "im.alpha.test"

struct kit_user {
	const char *address;
	struct kit_key identity, list, device;
	uint8_t id[16];
	struct buf listkey, devlist, prekey;
};

extern struct sdb *kit_db;
/* Opens an empty database; kit_close() removes it. kit_reopen() closes and opens it again. */
void kit_open(uint64_t map_size);
void kit_reopen(void);
void kit_close(void);
const char *kit_dir(void);
/* Commits, which must succeed. */
void kit_commit(void);

/* Makes keys; kit_join() also makes the account. */
void kit_user(struct kit_user *, const char *address);
void kit_join(struct kit_user *, const char *address);
void kit_user_clear(struct kit_user *);
/* A consent object by this user. */
void kit_consent(struct buf *out, const struct kit_user *, const char *to,
    const char *typ, enum consent_how how);
/* Makes owner's row for other full. */
void kit_befriend(struct kit_user *owner, struct kit_user *other);

/* One item under construction, for one recipient. */
struct kit_item {
	uint8_t mid[16];
	struct admit admit;
	struct buf outer, body, stanzas;
	size_t count;
	struct p_recipient to;
};
/* From this user, by his own device (peer false) or his server. */
void kit_item(struct kit_item *, const struct kit_user *from, bool peer, const char *to);
void kit_stanza(struct kit_item *, const uint8_t device[16], uint8_t fill);
void kit_item_clear(struct kit_item *);
/* Judges and delivers: the code. */
unsigned kit_deliver(struct kit_item *, bool *stored);

#endif
