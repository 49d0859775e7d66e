/* SPDX-License-Identifier: ISC */
/*
 * body.c - bodies of mailbox entries, in a table of the database.
 *
 * Apart from the entries, so that walks over a mailbox (skipping, trimming, expiry) touch no
 * large pages. Called by mailbox.c only. Fails as the database does.
 */
#include "store/body.h"

static void
row_key(struct skey *k, struct span address, uint64_t seq)
{
	skey_local(k, address);
	skey_u64(k, seq);
}

enum sdb_result
body_put(struct sdb *db, struct span address, uint64_t seq, struct span body)
{
	struct skey k;

	row_key(&k, address, seq);
	return sdb_put(db, SDB_BODY, skey_span(&k), &body, 1);
}

enum sdb_result
body_get(struct sdb *db, struct span address, uint64_t seq, struct span *body)
{
	struct skey k;

	row_key(&k, address, seq);
	return sdb_get(db, SDB_BODY, skey_span(&k), body);
}

enum sdb_result
body_del(struct sdb *db, struct span address, uint64_t seq)
{
	struct skey k;

	row_key(&k, address, seq);
	return sdb_del(db, SDB_BODY, skey_span(&k));
}
