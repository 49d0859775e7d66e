/* SPDX-License-Identifier: ISC */
/*
 * seen.c - dedupe keys of items and of fates.
 *
 * A key begins with the mid, and a mid with its time: rows lie in order of age, so that the
 * sweep takes them from the front. Then half of a hash over account, sender and delivering
 * domain, then the hash of the item. A row holds 32 bytes for each stanza: device and half of
 * the stanza's hash. Called by admit.c and fate.c; owns nothing. Any fault of hash or
 * database is SEEN_FAULT, which becomes a temporary "storage".
 */
#include "base/buf.h"
#include "store/bounds.h"
#include "store/seen.h"

#define HALF 16
#define ROW (PROTO_DEVICE_SIZE + HALF)
#define ROWS_MAX (PROTO_STANZAS_MAX * STORE_SEEN_STANZAS * ROW)
#define STANZAS_BYTES (PROTO_STANZAS_MAX * 128)

/* mid, and half of the hash of the names (each with its length in front). */
static int
who_key(struct skey *k, const uint8_t mid[16], const struct span *names, size_t n)
{
	uint8_t hash[SHA_SIZE];
	struct skey all;

	skey_init(&all);
	for (size_t i = 0; i < n; i++) {
		if (all.n + names[i].n + 2 > SDB_KEY_MAX)
			return -1;
		skey_text(&all, names[i]);
	}
	if (sha_of(skey_span(&all), hash) == -1)
		return -1;
	skey_init(k);
	skey_bytes(k, mid, MID_SIZE);
	skey_bytes(k, hash, HALF);
	return 0;
}

/* As who_key for an item, whose three names may be longer than a key: hashed one by one. */
static int
item_key(const struct seen_item *item, struct skey *k)
{
	struct span names[] = {item->account, item->sender, item->via};
	uint8_t hash[3][SHA_SIZE];
	struct span hashes[3];

	for (size_t i = 0; i < 3; i++) {
		if (sha_of(names[i], hash[i]) == -1)
			return -1;
		hashes[i] = span_of(hash[i], SHA_SIZE);
	}
	return who_key(k, item->mid, hashes, 3);
}

/* How many rows begin with this key, counted to a limit. */
static size_t
count_variants(struct sdb *db, const struct skey *prefix, size_t limit)
{
	struct span key, value;
	struct sdb_walk w;
	size_t n = 0;

	sdb_walk_init(&w, db, SDB_SEEN, prefix);
	while (n < limit && sdb_walk_next(&w, &key, &value))
		n++;
	return n;
}

/* Adds a stanza to the rows if it is not there and its device has not too many. */
static bool
add_stanza(struct buf *rows, const struct p_stanza *stanza, const uint8_t hash[SHA_SIZE])
{
	unsigned of_device = 0;

	for (size_t i = 0; i + ROW <= rows->n; i += ROW) {
		const uint8_t *row = rows->p + i;

		if (memcmp(row, stanza->device, PROTO_DEVICE_SIZE) != 0)
			continue;
		if (memcmp(row + PROTO_DEVICE_SIZE, hash, HALF) == 0)
			return false;
		of_device++;
	}
	if (of_device >= STORE_SEEN_STANZAS)
		return false;
	buf_put(rows, stanza->device, PROTO_DEVICE_SIZE);
	buf_put(rows, hash, HALF);
	return !buf_failed(rows);
}

/* Sorts out the stanzas that are not in s->rows yet. */
static int
find_fresh(const struct obj_list *stanzas, struct seen_state *s)
{
	uint8_t hash[SHA_SIZE];
	struct p_stanza stanza;
	struct obj_iter it;
	size_t at;

	obj_iter_init(&it, stanzas);
	while (obj_next(&it, &p_stanza_def, &stanza)) {
		at = s->fresh_raw.n;
		if (obj_encode(&p_stanza_def, &stanza, &s->fresh_raw) != WIRE_OK ||
		    buf_failed(&s->fresh_raw) ||
		    sha_of(span_of(s->fresh_raw.p + at, s->fresh_raw.n - at), hash) == -1)
			return -1;
		if (add_stanza(&s->rows, &stanza, hash))
			s->fresh.count++;
		else
			s->fresh_raw.n = at;
	}
	s->fresh.raw = buf_span(&s->fresh_raw);
	return 0;
}

/* The hash that tells items of one mid apart. */
static int
hash_item(const struct seen_item *item, struct skey *k)
{
	struct span parts[] = {item->outer, item->body};
	uint8_t hash[SHA_SIZE];

	if (sha_spans(parts, 2, hash) == -1)
		return -1;
	skey_bytes(k, hash, sizeof(hash));
	return 0;
}

enum seen
seen_judge(struct sdb *db, const struct seen_item *item, const struct obj_list *stanzas,
    struct seen_state *s)
{
	struct skey prefix;
	struct span value;
	enum sdb_result res;

	buf_init(&s->rows, ROWS_MAX);
	buf_init(&s->fresh_raw, STANZAS_BYTES);
	s->fresh = (struct obj_list){.count = 0};
	if (item_key(item, &prefix) == -1)
		return SEEN_FAULT;
	s->key = prefix;
	if (hash_item(item, &s->key) == -1)
		return SEEN_FAULT;
	res = sdb_get(db, SDB_SEEN, skey_span(&s->key), &value);
	if (res == SDB_FAULT)
		return SEEN_FAULT;
	if (res == SDB_OK)
		buf_put_span(&s->rows, value);
	else if (count_variants(db, &prefix, STORE_SEEN_VARIANTS) >= STORE_SEEN_VARIANTS)
		return SEEN_FULL;
	if (find_fresh(stanzas, s) == -1)
		return SEEN_FAULT;
	if (res == SDB_NONE)
		return SEEN_NEW;
	return s->fresh.count > 0 ? SEEN_MORE : SEEN_REPEAT;
}

enum sdb_result
seen_note(struct sdb *db, const struct seen_state *s)
{
	struct span rows = buf_span(&s->rows);

	return sdb_put(db, SDB_SEEN, skey_span(&s->key), &rows, 1);
}

void
seen_clear(struct seen_state *s)
{
	buf_clear(&s->rows);
	buf_clear(&s->fresh_raw);
}

/* --- fates ---------------------------------------------------------------------------------- */

enum sdb_result
seen_fate(struct sdb *db, const struct seen_fate *fate)
{
	struct span value, nothing = span_of(NULL, 0);
	uint8_t hash[2][SHA_SIZE];
	struct span names[3] = {span_of(hash[0], SHA_SIZE), span_of(hash[1], SHA_SIZE),
	    span_of(fate->device, PROTO_DEVICE_SIZE)};
	enum sdb_result res;
	struct skey k;

	if (sha_of(fate->account, hash[0]) == -1 ||
	    sha_of(fate->recipient, hash[1]) == -1 ||
	    who_key(&k, fate->mid, names, 3) == -1)
		return SDB_FAULT;
	skey_bytes(&k, &fate->state, 1);
	res = sdb_get(db, SDB_TOLD, skey_span(&k), &value);
	if (res != SDB_NONE)
		return res == SDB_OK ? SDB_NONE : res;
	return sdb_put(db, SDB_TOLD, skey_span(&k), &nothing, 1);
}

/* --- the sweep ------------------------------------------------------------------------------ */

static size_t
expire_table(struct sdb *db, enum sdb_table table, uint64_t now, size_t max)
{
	struct span key, value;
	struct sdb_walk w;
	struct skey none;
	size_t n = 0;

	skey_init(&none);
	sdb_walk_init(&w, db, table, &none);
	while (n < max && sdb_walk_next(&w, &key, &value)) {
		if (key.n < MID_SIZE || mid_time_ms(key.p) + STORE_SEEN_LIFE_MS > now)
			break;
		if (sdb_walk_del(&w) != SDB_OK)
			break;
		n++;
	}
	return n;
}

size_t
seen_expire(struct sdb *db, uint64_t now, size_t max)
{
	return expire_table(db, SDB_SEEN, now, max) +
	    expire_table(db, SDB_TOLD, now, max);
}
