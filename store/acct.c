/* SPDX-License-Identifier: ISC */
/*
 * acct.c - rows of accounts and of their devices.
 *
 * Fixed-size big-endian rows behind the database's own checksum. Called by nearly every other
 * module of store; owns nothing. A row that does not decode is SDB_FAULT, which callers turn
 * into a temporary "storage": an account that cannot be read is never taken for a free name.
 */
#include "base/buf.h"
#include "store/acct.h"

#define ROW_MAX 128

static void
row_key(struct skey *k, struct span address)
{
	skey_local(k, address);
}

bool
acct_decode(struct span value, struct acct *a)
{
	struct span identity;
	struct cur c;

	cur_init(&c, value);
	a->state = cur_u8(&c);
	a->created = cur_u64(&c);
	identity = cur_bytes(&c, sizeof(a->identity));
	a->head = cur_u64(&c);
	a->items = cur_u64(&c);
	a->bytes = cur_u64(&c);
	if (!cur_done(&c))
		return false;
	memcpy(a->identity, identity.p, sizeof(a->identity));
	return true;
}

enum sdb_result
acct_get(struct sdb *db, struct span address, struct acct *a)
{
	enum sdb_result res;
	struct span value;
	struct skey k;

	row_key(&k, address);
	res = sdb_get(db, SDB_ACCOUNT, skey_span(&k), &value);
	if (res != SDB_OK)
		return res;
	return acct_decode(value, a) ? SDB_OK : SDB_FAULT;
}

enum sdb_result
acct_live(struct sdb *db, struct span address, struct acct *a)
{
	enum sdb_result res = acct_get(db, address, a);

	return res == SDB_OK && a->state != ACCT_LIVE ? SDB_NONE : res;
}

/* Writes a row that was encoded into b, and frees b. */
static enum sdb_result
put_row(struct sdb *db, enum sdb_table table, const struct skey *k, struct buf *b)
{
	struct span row = buf_span(b);
	enum sdb_result res = sdb_put(db, table, skey_span(k), &row, 1);

	buf_clear(b);
	return res;
}

enum sdb_result
acct_put(struct sdb *db, struct span address, const struct acct *a)
{
	struct skey k;
	struct buf b;

	buf_init(&b, ROW_MAX);
	buf_put_u8(&b, a->state);
	buf_put_u64(&b, a->created);
	buf_put(&b, a->identity, sizeof(a->identity));
	buf_put_u64(&b, a->head);
	buf_put_u64(&b, a->items);
	buf_put_u64(&b, a->bytes);
	row_key(&k, address);
	return put_row(db, SDB_ACCOUNT, &k, &b);
}

const char *
acct_state_name(uint8_t state)
{
	switch (state) {
	case ACCT_LIVE:
		return "live";
	case ACCT_GONE:
		return "gone";
	case ACCT_INVITED:
		return "invited";
	default:
		return "?";
	}
}

enum sdb_result
acct_clear(struct sdb *db, enum sdb_table table, struct span address, size_t max)
{
	struct sdb_walk w;
	struct span key, value;
	struct skey k;

	row_key(&k, address);
	sdb_walk_init(&w, db, table, &k);
	for (size_t i = 0; i < max && sdb_walk_next(&w, &key, &value); i++)
		if (sdb_walk_del(&w) != SDB_OK)
			return SDB_FAULT;
	return sdb_failed(db) ? SDB_FAULT : SDB_OK;
}

/* --- devices -------------------------------------------------------------------------------- */

static void
device_key(struct skey *k, struct span address, const uint8_t id[16])
{
	row_key(k, address);
	skey_bytes(k, id, 16);
}

static bool
device_decode(struct span id, struct span value, struct device *d)
{
	struct cur c;

	cur_init(&c, value);
	d->birth = cur_u64(&c);
	d->cursor = cur_u64(&c);
	d->added = cur_u64(&c);
	d->seen = cur_u64(&c);
	if (!cur_done(&c) || id.n != sizeof(d->id))
		return false;
	memcpy(d->id, id.p, sizeof(d->id));
	return true;
}

enum sdb_result
device_get(struct sdb *db, struct span address, const uint8_t id[16], struct device *d)
{
	enum sdb_result res;
	struct span value;
	struct skey k;

	device_key(&k, address, id);
	res = sdb_get(db, SDB_DEVICE, skey_span(&k), &value);
	if (res != SDB_OK)
		return res;
	return device_decode(span_of(id, 16), value, d) ? SDB_OK : SDB_FAULT;
}

enum sdb_result
device_put(struct sdb *db, struct span address, const struct device *d)
{
	struct skey k;
	struct buf b;

	buf_init(&b, ROW_MAX);
	buf_put_u64(&b, d->birth);
	buf_put_u64(&b, d->cursor);
	buf_put_u64(&b, d->added);
	buf_put_u64(&b, d->seen);
	device_key(&k, address, d->id);
	return put_row(db, SDB_DEVICE, &k, &b);
}

enum sdb_result
device_del(struct sdb *db, struct span address, const uint8_t id[16])
{
	struct skey k;

	device_key(&k, address, id);
	return sdb_del(db, SDB_DEVICE, skey_span(&k));
}

void
device_walk(struct sdb_walk *w, struct sdb *db, struct span address)
{
	struct skey k;

	row_key(&k, address);
	sdb_walk_init(w, db, SDB_DEVICE, &k);
}

bool
device_next(struct sdb_walk *w, struct device *d)
{
	struct span id, value;

	while (sdb_walk_next(w, &id, &value))
		if (device_decode(id, value, d))
			return true;
	return false;
}

uint64_t
device_low(struct sdb *db, struct span address, uint64_t fallback)
{
	uint64_t low = UINT64_MAX;
	struct sdb_walk w;
	struct device d;

	device_walk(&w, db, address);
	while (device_next(&w, &d))
		if (d.cursor < low)
			low = d.cursor;
	return low == UINT64_MAX ? fallback : low;
}
