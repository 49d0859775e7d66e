/* SPDX-License-Identifier: ISC */
/*
 * sdb.c - the store's database over LMDB.
 *
 * Owns the environment, one handle per table, and at most one transaction: a read
 * transaction until the first write of a turn, then a write transaction until the commit.
 * Called by the modules that know what the rows mean. LMDB runs with its default, safe
 * flags; MDB_NOTLS only because all transactions are ours and short.
 *
 * A failed write (no room, no memory) fails the turn: later writes are refused and the commit
 * gives all of it up, so no half of an act becomes durable. A failed sync is never tried
 * again: SDB_BROKEN, and the process ends. A value that fails its check is reported once per
 * meeting and set aside; it never ends the process.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <lmdb.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/sdb.h"

#define READERS 64
#define VALUE_VERSION 1
#define VALUE_HEAD 5        /* version, checksum */
#define RESERVE_SHARE 32    /* this part of the pages is kept for what removes */
#define RESERVE_PAGES 1024u /* or so many, if that is more */
#define FREE_DBI 0          /* LMDB's own list of pages that were given back */

struct sdb {
	MDB_env *env;
	MDB_dbi dbi[SDB_TABLES];
	MDB_txn *read, *write; /* at most one is open */
	bool failed;
	bool low; /* only the reserve is left */
};

static const char *const names[SDB_TABLES] = {"meta", "account", "list", "prekey",
    "device", "consent", "asking", "mailbox", "body", "due", "seen", "told", "token",
    "peer", "state", "corrupt"};

const char *
sdb_table_name(enum sdb_table table)
{
	return table < SDB_TABLES ? names[table] : "?";
}

/* --- opening ------------------------------------------------------------------------------ */

static int
open_tables(struct sdb *db)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(db->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < SDB_TABLES && rc == 0; i++)
		rc = mdb_dbi_open(txn, names[i], MDB_CREATE, &db->dbi[i]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

static int
open_env(struct sdb *db, const char *dir, uint64_t map_size)
{
	int rc = mdb_env_create(&db->env), dead;

	if (rc == 0)
		rc = mdb_env_set_mapsize(db->env, (size_t)map_size);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(db->env, SDB_TABLES);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(db->env, READERS);
	if (rc == 0)
		rc = mdb_env_open(db->env, dir, MDB_NOTLS, S_IRUSR | S_IWUSR);
	if (rc == 0)
		rc = mdb_reader_check(db->env, &dead);
	return rc == 0 ? open_tables(db) : rc;
}

struct sdb *
sdb_open(const char *dir, uint64_t map_size, const char **why)
{
	struct sdb *db = xcalloc(1, sizeof(*db));
	int rc = open_env(db, dir, map_size);

	if (rc == 0)
		return db;
	*why = mdb_strerror(rc);
	sdb_close(db);
	return NULL;
}

void
sdb_close(struct sdb *db)
{
	if (db == NULL)
		return;
	sdb_abort(db);
	if (db->env != NULL)
		mdb_env_close(db->env);
	free(db);
}

void
sdb_tend(struct sdb *db)
{
	int dead = 0;

	if (mdb_reader_check(db->env, &dead) == 0 && dead > 0)
		log_info("store.readers", "cleared=%d", dead);
}

void
sdb_room(struct sdb *db, uint64_t *used, uint64_t *all)
{
	MDB_envinfo info;
	MDB_stat stat;

	*used = *all = 0;
	if (mdb_env_info(db->env, &info) != 0 || mdb_env_stat(db->env, &stat) != 0)
		return;
	*used = info.me_last_pgno + 1;
	*all = info.me_mapsize / stat.ms_psize;
}

/* --- transactions --------------------------------------------------------------------------- */

static void
end_read(struct sdb *db)
{
	if (db->read != NULL)
		mdb_txn_abort(db->read);
	db->read = NULL;
}

static enum sdb_result
fail(struct sdb *db, const char *what, int rc)
{
	log_error("store.write", "act=%s error=%s", what, log_str(mdb_strerror(rc)));
	db->failed = true;
	db->low |= rc == MDB_MAP_FULL;
	return SDB_FAULT;
}

/* The transaction to read in, or NULL. */
static MDB_txn *
reading(struct sdb *db)
{
	int rc;

	if (db->write != NULL)
		return db->failed ? NULL : db->write;
	if (db->read != NULL)
		return db->read;
	rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &db->read);
	if (rc == 0)
		return db->read;
	log_error("store.read", "error=%s", log_str(mdb_strerror(rc)));
	db->read = NULL;
	return NULL;
}

static MDB_txn *
writing(struct sdb *db)
{
	int rc;

	if (db->failed)
		return NULL;
	if (db->write != NULL)
		return db->write;
	end_read(db);
	rc = mdb_txn_begin(db->env, NULL, 0, &db->write);
	if (rc == 0)
		return db->write;
	db->write = NULL;
	fail(db, "begin", rc);
	return NULL;
}

bool
sdb_failed(const struct sdb *db)
{
	return db->failed;
}

bool
sdb_dirty(const struct sdb *db)
{
	return db->write != NULL || db->failed;
}

void
sdb_abort(struct sdb *db)
{
	end_read(db);
	if (db->write != NULL)
		mdb_txn_abort(db->write);
	db->write = NULL;
	db->failed = false;
}

enum sdb_result
sdb_commit(struct sdb *db)
{
	int rc;

	if (db->write == NULL || db->failed) {
		bool failed = db->failed;

		sdb_abort(db);
		return failed ? SDB_FAULT : SDB_OK;
	}
	rc = mdb_txn_commit(db->write);
	db->write = NULL;
	if (rc == 0)
		return SDB_OK;
	log_error("store.commit", "error=%s", log_str(mdb_strerror(rc)));
	return rc == MDB_MAP_FULL || rc == ENOSPC || rc == ENOMEM || rc == MDB_TXN_FULL ||
		rc == MDB_BAD_TXN
	    ? SDB_FAULT
	    : SDB_BROKEN;
}

/* --- room ----------------------------------------------------------------------------------- */

/* Pages that were given back and can be used again, counted to a limit. */
static uint64_t
given_back(struct sdb *db, uint64_t limit)
{
	MDB_txn *txn = reading(db);
	MDB_cursor *cursor;
	MDB_val k, v;
	uint64_t n = 0;
	size_t pages;

	if (txn == NULL || mdb_cursor_open(txn, FREE_DBI, &cursor) != 0)
		return 0;
	/* A row is a list of pages, their number in front. */
	while (n < limit && mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0 &&
	    v.mv_size >= sizeof(pages)) {
		memcpy(&pages, v.mv_data, sizeof(pages));
		n += pages;
	}
	mdb_cursor_close(cursor);
	return n;
}

void
sdb_measure(struct sdb *db)
{
	uint64_t used, all, reserve, fresh;
	bool low;

	if (db->write != NULL)
		return;
	sdb_room(db, &used, &all);
	fresh = all > used ? all - used : 0;
	reserve =
	    all / RESERVE_SHARE > RESERVE_PAGES ? all / RESERVE_SHARE : RESERVE_PAGES;
	low = fresh < reserve && fresh + given_back(db, reserve) < reserve;
	if (low != db->low)
		log_warn("store.room", "low=%s pages=%llu pages_max=%llu",
		    low ? "yes" : "no", (unsigned long long)used,
		    (unsigned long long)all);
	db->low = low;
}

bool
sdb_low(const struct sdb *db)
{
	return db->low;
}

uint64_t
sdb_rows(struct sdb *db, enum sdb_table table)
{
	MDB_txn *txn = reading(db);
	MDB_stat stat;

	if (txn == NULL || mdb_stat(txn, db->dbi[table], &stat) != 0)
		return 0;
	return stat.ms_entries;
}

/* --- rows ----------------------------------------------------------------------------------- */

static MDB_val
val_of(struct span s)
{
	/* LMDB takes keys as "void *" but only reads them. */
	MDB_val v = {.mv_size = s.n, .mv_data = (void *)(uintptr_t)s.p};

	return v;
}

static uint32_t
checksum(enum sdb_table table, struct span key, struct span payload)
{
	static const uint8_t zero[16];
	uint64_t a = siphash(zero, key), b = siphash(zero, payload);

	return (uint32_t)(a * 31 + b + (uint64_t)table) ^ (uint32_t)(b >> 32);
}

/* Takes the head off a value. SDB_FAULT if it does not check. */
static enum sdb_result
open_value(enum sdb_table table, struct span key, const MDB_val *v, struct span *value)
{
	const uint8_t *p = v->mv_data;
	uint32_t sum;

	if (v->mv_size >= VALUE_HEAD && p[0] == VALUE_VERSION) {
		sum = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 |
		    (uint32_t)p[4];
		*value = span_of(p + VALUE_HEAD, v->mv_size - VALUE_HEAD);
		if (sum == checksum(table, key, *value))
			return SDB_OK;
	}
	log_error("store.corrupt", "table=%s key=%s", names[table], log_hex(key));
	return SDB_FAULT;
}

enum sdb_result
sdb_get(struct sdb *db, enum sdb_table table, struct span key, struct span *value)
{
	MDB_txn *txn = reading(db);
	MDB_val k = val_of(key), v;
	int rc;

	if (txn == NULL)
		return SDB_FAULT;
	rc = mdb_get(txn, db->dbi[table], &k, &v);
	if (rc == MDB_NOTFOUND)
		return SDB_NONE;
	if (rc == 0)
		return open_value(table, key, &v, value);
	log_error("store.read", "error=%s", log_str(mdb_strerror(rc)));
	return SDB_FAULT;
}

static enum sdb_result
put_raw(struct sdb *db, enum sdb_table table, struct span key, size_t n, uint8_t **room)
{
	MDB_txn *txn = writing(db);
	MDB_val k = val_of(key), v = {.mv_size = n, .mv_data = NULL};
	int rc;

	if (txn == NULL)
		return SDB_FAULT;
	rc = mdb_put(txn, db->dbi[table], &k, &v, MDB_RESERVE);
	if (rc != 0)
		return fail(db, "put", rc);
	*room = v.mv_data;
	return SDB_OK;
}

enum sdb_result
sdb_put(struct sdb *db, enum sdb_table table, struct span key, const struct span *parts,
    size_t n)
{
	size_t total = VALUE_HEAD, at = VALUE_HEAD;
	enum sdb_result res;
	uint8_t *p = NULL;
	uint32_t sum;

	for (size_t i = 0; i < n; i++)
		total += parts[i].n;
	if ((res = put_raw(db, table, key, total, &p)) != SDB_OK)
		return res;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].n > 0)
			memcpy(p + at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	sum = checksum(table, key, span_of(p + VALUE_HEAD, total - VALUE_HEAD));
	p[0] = VALUE_VERSION;
	for (int i = 0; i < 4; i++)
		p[1 + i] = (uint8_t)(sum >> (24 - 8 * i));
	return SDB_OK;
}

enum sdb_result
sdb_del(struct sdb *db, enum sdb_table table, struct span key)
{
	MDB_txn *txn = writing(db);
	MDB_val k = val_of(key);
	int rc;

	if (txn == NULL)
		return SDB_FAULT;
	rc = mdb_del(txn, db->dbi[table], &k, NULL);
	return rc == 0 || rc == MDB_NOTFOUND ? SDB_OK : fail(db, "delete", rc);
}

/* --- keys ----------------------------------------------------------------------------------- */

void
skey_init(struct skey *k)
{
	k->n = 0;
}

void
skey_bytes(struct skey *k, const void *p, size_t n)
{
	if (n > SDB_KEY_MAX - k->n)
		panic("a key of more than %d bytes", SDB_KEY_MAX);
	if (n > 0)
		memcpy(k->b + k->n, p, n);
	k->n += n;
}

void
skey_text(struct skey *k, struct span text)
{
	skey_bytes(k, text.p, text.n);
	skey_bytes(k, "", 1);
}

void
skey_local(struct skey *k, struct span address)
{
	const uint8_t *hash = address.n == 0 ? NULL : memchr(address.p, '#', address.n);

	skey_init(k);
	if (hash != NULL)
		address.n = (size_t)(hash - address.p);
	skey_text(k, address);
}

void
skey_u64(struct skey *k, uint64_t v)
{
	uint8_t b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	skey_bytes(k, b, sizeof(b));
}

struct span
skey_span(const struct skey *k)
{
	return span_of(k->b, k->n);
}

/* --- walks ---------------------------------------------------------------------------------- */

void
sdb_walk_init(
    struct sdb_walk *w, struct sdb *db, enum sdb_table table, const struct skey *prefix)
{
	w->db = db;
	w->table = table;
	w->at = *prefix;
	w->prefix = prefix->n;
	w->behind = false;
}

void
sdb_walk_from(struct sdb_walk *w, const struct skey *from)
{
	w->at = *from;
	w->behind = true;
}

/* Finds the first row at or behind w->at, in *k and *v as they lie. */
static int
walk_seek(struct sdb_walk *w, MDB_txn *txn, MDB_val *k, MDB_val *v)
{
	struct span at = skey_span(&w->at);
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, w->db->dbi[w->table], &cursor);

	if (rc != 0)
		return rc;
	*k = val_of(at);
	/* An empty key is not a key for LMDB: it means the beginning. */
	rc = mdb_cursor_get(cursor, k, v, at.n == 0 ? MDB_FIRST : MDB_SET_RANGE);
	if (rc == 0 && w->behind && span_eq(at, span_of(k->mv_data, k->mv_size)))
		rc = mdb_cursor_get(cursor, k, v, MDB_NEXT);
	mdb_cursor_close(cursor);
	return rc;
}

/* Moves a bad row to the table of corrupt ones, as found. */
static void
set_aside(struct sdb_walk *w, const MDB_val *v)
{
	uint8_t *copy = xmemdup(v->mv_data, v->mv_size), *room;
	struct skey key;

	skey_init(&key);
	skey_text(&key, span_str(names[w->table]));
	skey_bytes(
	    &key, w->at.b, w->at.n < SDB_KEY_MAX - key.n ? w->at.n : SDB_KEY_MAX - key.n);
	if (put_raw(w->db, SDB_CORRUPT, skey_span(&key), v->mv_size, &room) == SDB_OK) {
		memcpy(room, copy, v->mv_size);
		sdb_del(w->db, w->table, skey_span(&w->at));
	}
	free(copy);
}

bool
sdb_walk_next(struct sdb_walk *w, struct span *key, struct span *value)
{
	for (;;) {
		MDB_txn *txn = reading(w->db);
		MDB_val k, v;

		if (txn == NULL || walk_seek(w, txn, &k, &v) != 0 ||
		    k.mv_size < w->prefix || k.mv_size > SDB_KEY_MAX ||
		    memcmp(k.mv_data, w->at.b, w->prefix) != 0)
			return false;
		memcpy(w->at.b, k.mv_data, k.mv_size);
		w->at.n = k.mv_size;
		w->behind = true;
		*key = span_of(w->at.b + w->prefix, w->at.n - w->prefix);
		if (open_value(w->table, skey_span(&w->at), &v, value) == SDB_OK)
			return true;
		set_aside(w, &v);
	}
}

enum sdb_result
sdb_walk_del(struct sdb_walk *w)
{
	return sdb_del(w->db, w->table, skey_span(&w->at));
}
