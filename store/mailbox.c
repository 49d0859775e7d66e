/* SPDX-License-Identifier: ISC */
/*
 * mailbox.c - an account's mailbox.
 *
 * Rows: (account, seq) -> entry, the body apart (body.c), and an index by expiry. The account
 * row carries head, count and bytes. Called for deliveries (admit.c), fates (fate.c), pushes
 * (push.c), confirmations and the sweep (store.c). Owns nothing. Fails as the database does;
 * an entry that does not decode is passed over and goes with its time.
 */
#include "base/buf.h"
#include "store/body.h"
#include "store/bounds.h"
#include "store/mailbox.h"

#define ENTRY_OVERHEAD 256 /* bytes that an entry costs besides its content */
#define STANZA_BYTES 120   /* encoded, at most */

static void
entry_key(struct skey *k, struct span address, uint64_t seq)
{
	skey_local(k, address);
	skey_u64(k, seq);
}

static void
due_key(struct skey *k, uint64_t expires, const struct skey *entry)
{
	skey_init(k);
	skey_u64(k, expires);
	skey_bytes(k, entry->b, entry->n);
}

static uint64_t
key_u64(struct span key)
{
	struct cur c;

	cur_init(&c, key);
	return cur_u64(&c);
}

uint64_t
mailbox_size(const struct mail *m)
{
	return ENTRY_OVERHEAD + m->outer.n + m->stanzas.raw.n + m->body.n;
}

static void
encode(const struct mail *m, struct buf *b)
{
	buf_put_u8(b, (uint8_t)m->kind);
	buf_put_u64(b, m->time);
	buf_put_u64(b, m->expires);
	buf_put_u64(b, mailbox_size(m));
	buf_put(b, m->device, sizeof(m->device));
	buf_put_u8(b, (uint8_t)m->via.n);
	buf_put_span(b, m->via);
	buf_put_u16(b, (uint16_t)m->outer.n);
	buf_put_span(b, m->outer);
	buf_put_u16(b, (uint16_t)m->stanzas.count);
	buf_put_span(b, m->stanzas.raw);
}

static bool
decode(struct span value, struct mail *m, uint64_t *size)
{
	struct span device;
	struct cur c;

	cur_init(&c, value);
	m->kind = cur_u8(&c);
	m->time = cur_u64(&c);
	m->expires = cur_u64(&c);
	*size = cur_u64(&c);
	device = cur_bytes(&c, sizeof(m->device));
	m->via = cur_bytes(&c, cur_u8(&c));
	m->outer = cur_bytes(&c, cur_u16(&c));
	m->stanzas.count = cur_u16(&c);
	if (c.failed)
		return false;
	m->stanzas.raw = span_of(c.p, c.n);
	memcpy(m->device, device.p, sizeof(m->device));
	m->body = span_of(NULL, 0);
	return true;
}

enum sdb_result
mailbox_append(struct sdb *db, struct span address, const struct mail *m, uint64_t *seq)
{
	struct span row, nothing = span_of(NULL, 0);
	enum sdb_result res;
	struct skey k, due;
	struct acct a;
	struct buf b;

	if ((res = acct_live(db, address, &a)) != SDB_OK)
		return res;
	entry_key(&k, address, ++a.head);
	due_key(&due, m->expires, &k);
	a.items++;
	a.bytes += mailbox_size(m);
	buf_init(&b, PROTO_STANZAS_MAX * STANZA_BYTES + 2048);
	encode(m, &b);
	row = buf_span(&b);
	res =
	    buf_failed(&b) ? SDB_FAULT : sdb_put(db, SDB_MAILBOX, skey_span(&k), &row, 1);
	buf_clear(&b);
	if (res == SDB_OK)
		res = body_put(db, address, a.head, m->body);
	if (res == SDB_OK)
		res = sdb_put(db, SDB_DUE, skey_span(&due), &nothing, 1);
	if (res == SDB_OK)
		res = acct_put(db, address, &a);
	if (res == SDB_OK && seq != NULL)
		*seq = a.head;
	return res;
}

/* A walk over the entries behind a seq. */
static void
entries_behind(struct sdb_walk *w, struct sdb *db, struct span address, uint64_t seq)
{
	struct skey prefix, from;

	skey_local(&prefix, address);
	sdb_walk_init(w, db, SDB_MAILBOX, &prefix);
	entry_key(&from, address, seq);
	sdb_walk_from(w, &from);
}

enum sdb_result
mailbox_next(struct sdb *db, struct span address, uint64_t *at, struct mail *m)
{
	struct span key, value;
	struct sdb_walk w;
	uint64_t size;

	entries_behind(&w, db, address, *at);
	while (sdb_walk_next(&w, &key, &value)) {
		if (key.n != 8 || !decode(value, m, &size))
			continue;
		*at = key_u64(key);
		return SDB_OK;
	}
	return sdb_failed(db) ? SDB_FAULT : SDB_NONE;
}

enum sdb_result
mailbox_body(struct sdb *db, struct span address, uint64_t seq, struct mail *m)
{
	return body_get(db, address, seq, &m->body);
}

bool
mailbox_for(const struct mail *m, const uint8_t device[16], struct buf *out,
    struct obj_list *stanzas)
{
	struct p_stanza stanza;
	struct obj_iter it;
	size_t at = out->n;

	*stanzas = (struct obj_list){.count = 0};
	if (m->kind == ITEM_FATES)
		return memcmp(m->device, device, sizeof(m->device)) == 0;
	if (m->kind != ITEM_MESSAGE)
		return true;
	obj_iter_init(&it, &m->stanzas);
	while (obj_next(&it, &p_stanza_def, &stanza)) {
		if (memcmp(stanza.device, device, sizeof(stanza.device)) != 0)
			continue;
		if (obj_encode(&p_stanza_def, &stanza, out) == WIRE_OK)
			stanzas->count++;
	}
	if (stanzas->count == 0 || buf_failed(out))
		return false;
	stanzas->raw = span_of(out->p + at, out->n - at);
	return true;
}

/* --- removal -------------------------------------------------------------------------------- */

/* Removes one entry that a walk stands on, and takes it out of the account's sums. */
static enum sdb_result
remove_entry(struct sdb_walk *w, struct span address, struct span key, struct span value,
    struct acct *a)
{
	struct skey k, due;
	struct mail m;
	uint64_t size, seq = key_u64(key);
	enum sdb_result res = SDB_OK;

	entry_key(&k, address, seq);
	if (decode(value, &m, &size)) {
		due_key(&due, m.expires, &k);
		a->items -= a->items > 0 ? 1 : 0;
		a->bytes -= a->bytes > size ? size : a->bytes;
		res = sdb_del(w->db, SDB_DUE, skey_span(&due));
	}
	if (res == SDB_OK)
		res = sdb_walk_del(w);
	return res == SDB_OK ? body_del(w->db, address, seq) : res;
}

enum sdb_result
mailbox_trim(struct sdb *db, struct span address)
{
	struct span key, value;
	enum sdb_result res;
	struct sdb_walk w;
	struct acct a;
	uint64_t low;
	size_t n = 0;

	if ((res = acct_live(db, address, &a)) != SDB_OK)
		return res;
	low = device_low(db, address, a.head);
	entries_behind(&w, db, address, 0);
	while (res == SDB_OK && n < STORE_TRIM && sdb_walk_next(&w, &key, &value) &&
	    key.n == 8 && key_u64(key) <= low) {
		res = remove_entry(&w, address, key, value, &a);
		n++;
	}
	return res == SDB_OK && n > 0 ? acct_put(db, address, &a) : res;
}

enum sdb_result
mailbox_done(struct sdb *db, struct span address, const uint8_t device[16], uint64_t seq)
{
	enum sdb_result res;
	struct acct a;
	struct device d;

	if ((res = acct_live(db, address, &a)) != SDB_OK ||
	    (res = device_get(db, address, device, &d)) != SDB_OK)
		return res;
	if (seq > a.head)
		seq = a.head;
	if (seq <= d.cursor)
		return SDB_OK;
	d.cursor = seq;
	res = device_put(db, address, &d);
	return res == SDB_OK ? mailbox_trim(db, address) : res;
}

/* Removes the entry that a row of the index names: "local", 0, seq. */
static enum sdb_result
expire_one(struct sdb *db, struct span entry)
{
	struct span address, seq, value;
	struct acct a = {.items = 0};
	enum sdb_result res;
	struct sdb_walk w;

	if (entry.n < 9)
		return SDB_OK;
	address = span_of(entry.p, entry.n - 9);
	seq = span_of(entry.p + entry.n - 8, 8);
	entries_behind(&w, db, address, key_u64(seq) - 1);
	if (!sdb_walk_next(&w, &seq, &value) || seq.n != 8 ||
	    memcmp(seq.p, entry.p + entry.n - 8, 8) != 0)
		return SDB_OK;
	res = acct_get(db, address, &a);
	/* An account that cannot be read keeps no entry, and no other account's, for ever. */
	if (res == SDB_FAULT && sdb_failed(db))
		return res;
	/* Reading the account may not have moved anything: no write lies between. */
	if (remove_entry(&w, address, seq, value, &a) != SDB_OK)
		return SDB_FAULT;
	return res == SDB_OK ? acct_put(db, address, &a) : SDB_OK;
}

size_t
mailbox_expire(struct sdb *db, uint64_t now, size_t max)
{
	struct span key, value;
	struct sdb_walk w;
	struct skey none;
	size_t n = 0;

	skey_init(&none);
	sdb_walk_init(&w, db, SDB_DUE, &none);
	while (n < max && sdb_walk_next(&w, &key, &value)) {
		uint8_t copy[SDB_KEY_MAX];

		if (key.n < 8 || key_u64(key) > now)
			break;
		memcpy(copy, key.p, key.n);
		if (expire_one(db, span_of(copy + 8, key.n - 8)) != SDB_OK ||
		    sdb_walk_del(&w) != SDB_OK)
			break;
		n++;
	}
	return n;
}
