/* SPDX-License-Identifier: ISC */
/*
 * acct.h - rows of accounts and of their devices.
 *
 * An account row is made by registration or by an operator's invitation, and outlives the
 * account as a tombstone: names are never given twice. All functions take whole addresses of
 * our own domain in normal form.
 */
#ifndef STORE_ACCT_H
#define STORE_ACCT_H

#include "store/sdb.h"

enum acct_state {
	ACCT_LIVE = 1,
	ACCT_GONE = 2,   /* tombstone */
	ACCT_INVITED = 3 /* reserved for whoever has the invitation */
};

struct acct {
	uint8_t state; /* enum acct_state */
	uint64_t created;
	uint8_t identity[32];
	uint64_t head;  /* newest seq of the mailbox */
	uint64_t items; /* in the mailbox now */
	uint64_t bytes;
};

enum sdb_result acct_get(struct sdb *, struct span address, struct acct *);
enum sdb_result acct_put(struct sdb *, struct span address, const struct acct *);
/* As acct_get, but SDB_NONE unless the account is live. */
enum sdb_result acct_live(struct sdb *, struct span address, struct acct *);
/* "live", "gone", "invited". */
const char *acct_state_name(uint8_t state);
/* Decodes the value of a row met in a walk; false if it has another shape. */
bool acct_decode(struct span value, struct acct *);
/* Removes all rows of a table that begin with this account, at most max of them. */
enum sdb_result acct_clear(struct sdb *, enum sdb_table, struct span address, size_t max);

struct device {
	uint8_t id[16];
	uint64_t birth; /* head of the mailbox when it came */
	uint64_t cursor;
	uint64_t added, seen; /* ms; seen 0: never */
};

enum sdb_result device_get(
    struct sdb *, struct span address, const uint8_t id[16], struct device *);
enum sdb_result device_put(struct sdb *, struct span address, const struct device *);
enum sdb_result device_del(struct sdb *, struct span address, const uint8_t id[16]);
/* Walks the devices of an account. */
void device_walk(struct sdb_walk *, struct sdb *, struct span address);
bool device_next(struct sdb_walk *, struct device *);
/* The lowest cursor of all devices: what is at or below it all have. fallback if none. */
uint64_t device_low(struct sdb *, struct span address, uint64_t fallback);

#endif
