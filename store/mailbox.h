/* SPDX-License-Identifier: ISC */
/*
 * mailbox.h - an account's mailbox: entries by ascending seq, and each device's cursor.
 *
 * An entry goes when every device has passed it or its time is up. Nobody outside may learn
 * a seq before the commit of the turn that made it.
 */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "store/acct.h"
#include "wire/proto.h"

struct mail {
	uint64_t kind; /* enum item_kind */
	uint64_t time; /* ms, of arrival */
	uint64_t expires;
	struct span via;         /* domain that delivered it; empty: this one */
	struct span outer;       /* empty for fates */
	struct obj_list stanzas; /* of p_stanza, for all devices of the account */
	uint8_t device[16];      /* ITEM_FATES: for this device only */
	struct span body;
};

/* Appends an entry to a live account's mailbox; *seq (may be NULL) is its number. */
enum sdb_result mailbox_append(
    struct sdb *, struct span address, const struct mail *, uint64_t *seq);
/* Bytes that an entry counts for in the mailbox's limit. */
uint64_t mailbox_size(const struct mail *);
/* The first entry behind seq *at, which moves to it; SDB_NONE if there is none. The body is
 * left empty: mailbox_body() gets it. Everything borrowed until the next write. */
enum sdb_result mailbox_next(
    struct sdb *, struct span address, uint64_t *at, struct mail *);
enum sdb_result mailbox_body(
    struct sdb *, struct span address, uint64_t seq, struct mail *);
/* The part of an entry that is for a device: its stanzas, appended to out. False if the
 * entry is not for it at all. */
bool mailbox_for(
    const struct mail *, const uint8_t device[16], struct buf *out, struct obj_list *);
/* The device has everything up to seq: moves its cursor (never back, never beyond head) and
 * removes what all devices have. */
enum sdb_result mailbox_done(
    struct sdb *, struct span address, const uint8_t device[16], uint64_t seq);
/* Removes what all devices have, a bounded number of entries. */
enum sdb_result mailbox_trim(struct sdb *, struct span address);
/* Removes what has expired, at most max entries of all mailboxes; returns how many. */
size_t mailbox_expire(struct sdb *, uint64_t now, size_t max);

#endif
