/* SPDX-License-Identifier: ISC */
/*
 * seen.h - what was delivered before: promise 2, "shown exactly once".
 *
 * The key is (account, sender, mid, SHA-256 of outer || body, delivering domain); beneath it
 * the stanzas that came, by (device, prekey, SHA-256 of stanza).
 */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include "crypto/sha.h"
#include "store/sdb.h"
#include "wire/proto.h"

struct seen_item {
	struct span account, sender, via;
	const uint8_t *mid;
	struct span outer, body;
};

enum seen {
	SEEN_NEW,    /* never seen: deliver with the fresh stanzas */
	SEEN_MORE,   /* seen, but some stanzas are fresh: deliver with these */
	SEEN_REPEAT, /* nothing new */
	SEEN_FULL,   /* too many items of this mid */
	SEEN_FAULT
};

/* What seen_judge() found out, for seen_note(). */
struct seen_state {
	struct skey key;
	struct buf rows;       /* all stanzas known then; owned */
	struct buf fresh_raw;  /* owned */
	struct obj_list fresh; /* of p_stanza: those to deliver */
};

/* Judges an item with these stanzas; writes nothing. seen_clear() the state in any case. */
enum seen seen_judge(
    struct sdb *, const struct seen_item *, const struct obj_list *, struct seen_state *);
/* Remembers what seen_judge() called new or more. */
enum sdb_result seen_note(struct sdb *, const struct seen_state *);
void seen_clear(struct seen_state *);

/* A fate (mid, device of account, recipient, state): SDB_OK the first time, SDB_NONE if it
 * was told before. */
struct seen_fate {
	struct span account, recipient;
	const uint8_t *mid, *device;
	uint8_t state;
};
enum sdb_result seen_fate(struct sdb *, const struct seen_fate *);

/* Removes keys whose time is over, at most max of each kind; returns how many. */
size_t seen_expire(struct sdb *, uint64_t now, size_t max);

#endif
