/* SPDX-License-Identifier: ISC */
/*
 * dbase.c - the local database of one account.
 *
 * One SQLite file with two tables: "meta" keeps the vault's blob, "rec" everything else. What
 * is secret or tells about people is sealed before SQLite sees it, and rows are found by the
 * HMAC of their key, so neither the file, its log nor its free pages hold an address or a text
 * in the clear. A value is bound to its kind and key: rows cannot be swapped. Several programs
 * may have the file open; each write is a transaction that is durable when it ends.
 *
 * Owns the SQLite handle and the working keys. Called by everything in libemsg that remembers.
 * Fails with -1; dbase_error() says why.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/sha.h"
#include "dbase.h"

#define BUSY_MS 10000 /* how long to wait for another program's transaction */
#define COUNTER_SIZE 8

struct dbase {
	sqlite3 *db; /* owned */
	struct vault vault;
	unsigned depth;      /* of begins */
	const char *altered; /* text if a value did not open */
};

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
    "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS rec(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " key BLOB NOT NULL, grp BLOB NOT NULL, state INTEGER NOT NULL,"
    " ord INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE(kind, key));"
    "CREATE INDEX IF NOT EXISTS rec_ord ON rec(kind, state, ord);"
    "CREATE INDEX IF NOT EXISTS rec_grp ON rec(kind, grp, ord);";

struct dbase *
dbase_open(const char *path, bool create, const char **why)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW;
	struct dbase *d = xcalloc(1, sizeof(*d));

	*why = "the local data cannot be opened";
	if (create)
		flags |= SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(path, &d->db, flags, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(d->db, BUSY_MS) == SQLITE_OK &&
	    sqlite3_exec(d->db, schema, NULL, NULL, NULL) == SQLITE_OK)
		return d;
	dbase_close(d);
	return NULL;
}

void
dbase_close(struct dbase *d)
{
	if (d == NULL)
		return;
	sqlite3_close(d->db);
	vault_wipe(&d->vault);
	free(d);
}

const char *
dbase_error(const struct dbase *d)
{
	return d->altered != NULL ? d->altered : sqlite3_errmsg(d->db);
}

void
dbase_unlock(struct dbase *d, const struct vault *vault)
{
	d->vault = *vault;
}

/* --- statements --------------------------------------------------------------------------- */

static sqlite3_stmt *
prepare(struct dbase *d, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(d->db, sql, -1, &st, NULL) != SQLITE_OK)
		return NULL;
	return st;
}

/* Binds bytes; they must live until the statement ends. Empty is an empty blob, not NULL. */
static void
bind(sqlite3_stmt *st, int i, struct span s)
{
	sqlite3_bind_blob(
	    st, i, s.n == 0 ? "" : (const void *)s.p, (int)s.n, SQLITE_STATIC);
}

/* Runs a statement that gives no row, and frees it. */
static int
finish(sqlite3_stmt *st)
{
	int rc = st == NULL ? SQLITE_ERROR : sqlite3_step(st);

	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -1;
}

static struct span
column(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	return span_of(p, (size_t)sqlite3_column_bytes(st, i));
}

int
dbase_blob_get(struct dbase *d, struct buf *out)
{
	sqlite3_stmt *st = prepare(d, "SELECT value FROM meta WHERE name = 'vault'");
	int rc = st == NULL ? SQLITE_ERROR : sqlite3_step(st);

	if (rc == SQLITE_ROW)
		buf_put_span(out, column(st, 0));
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

int
dbase_blob_put(struct dbase *d, struct span blob)
{
	sqlite3_stmt *st = prepare(d,
	    "INSERT INTO meta VALUES('vault', ?) ON CONFLICT DO UPDATE SET value = ?1");

	if (st != NULL)
		bind(st, 1, blob);
	return finish(st);
}

/* --- transactions ------------------------------------------------------------------------- */

int
dbase_begin(struct dbase *d)
{
	if (d->depth == 0 && finish(prepare(d, "BEGIN IMMEDIATE")) < 0)
		return -1;
	d->depth++;
	return 0;
}

int
dbase_commit(struct dbase *d)
{
	if (d->depth > 1) {
		d->depth--;
		return 0;
	}
	if (d->depth == 0)
		return -1;
	d->depth = 0;
	if (finish(prepare(d, "COMMIT")) == 0)
		return 0;
	finish(prepare(d, "ROLLBACK"));
	return -1;
}

void
dbase_rollback(struct dbase *d)
{
	if (d->depth > 0)
		finish(prepare(d, "ROLLBACK"));
	d->depth = 0;
}

/* --- sealing ------------------------------------------------------------------------------ */

/* What a key or group is called in the file. */
static int
blind(struct dbase *d, char what, enum dbase_kind kind, struct span key,
    uint8_t out[SHA_SIZE])
{
	uint8_t head[2] = {(uint8_t)what, (uint8_t)kind};
	struct span parts[2] = {span_of(head, sizeof(head)), key};

	return sha_hmac(span_of(d->vault.index, VAULT_KEY_SIZE), parts, 2, out);
}

static struct span
value_aad(enum dbase_kind kind, const uint8_t key[SHA_SIZE], uint8_t out[1 + SHA_SIZE])
{
	out[0] = (uint8_t)kind;
	memcpy(out + 1, key, SHA_SIZE);
	return span_of(out, 1 + SHA_SIZE);
}

static int
seal_value(struct dbase *d, enum dbase_kind kind, const uint8_t key[SHA_SIZE],
    struct span value, struct buf *out)
{
	uint8_t nonce[AEAD_NONCE_SIZE], aad[1 + SHA_SIZE];

	random_bytes(nonce, sizeof(nonce));
	buf_put(out, nonce, sizeof(nonce));
	return aead_seal(AEAD_AES_256_GCM, span_of(d->vault.seal, VAULT_KEY_SIZE), nonce,
	    value_aad(kind, key, aad), value, out);
}

static int
open_value(struct dbase *d, enum dbase_kind kind, struct span key, struct span sealed,
    struct buf *out)
{
	uint8_t aad[1 + SHA_SIZE], nonce[AEAD_NONCE_SIZE];

	d->altered = NULL;
	if (key.n == SHA_SIZE && sealed.n >= AEAD_NONCE_SIZE) {
		memcpy(nonce, sealed.p, sizeof(nonce));
		if (aead_open(AEAD_AES_256_GCM, span_of(d->vault.seal, VAULT_KEY_SIZE),
			nonce, value_aad(kind, key.p, aad),
			span_of(sealed.p + AEAD_NONCE_SIZE, sealed.n - AEAD_NONCE_SIZE),
			out) == 0)
			return 0;
	}
	d->altered = "the local data is damaged: a value does not open";
	return -1;
}

/* --- rows --------------------------------------------------------------------------------- */

static const char put_sql[] =
    "INSERT INTO rec(kind, key, grp, state, ord, value) VALUES(?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(kind, key) DO UPDATE SET grp = ?3, state = ?4, ord = ?5, value = ?6";

int
dbase_put(struct dbase *d, enum dbase_kind kind, struct span key, struct span group,
    int64_t state, uint64_t order, struct span value)
{
	uint8_t name[SHA_SIZE], grp[SHA_SIZE];
	sqlite3_stmt *st = NULL;
	struct buf sealed;
	int rc = -1;

	buf_init(&sealed, DBASE_VALUE_MAX + 64);
	if (value.n <= DBASE_VALUE_MAX && blind(d, 'k', kind, key, name) == 0 &&
	    blind(d, 'g', kind, group, grp) == 0 &&
	    seal_value(d, kind, name, value, &sealed) == 0 &&
	    (st = prepare(d, put_sql)) != NULL) {
		sqlite3_bind_int(st, 1, (int)kind);
		bind(st, 2, span_of(name, sizeof(name)));
		bind(st, 3, span_of(grp, sizeof(grp)));
		sqlite3_bind_int64(st, 4, state);
		sqlite3_bind_int64(st, 5, (sqlite3_int64)order);
		bind(st, 6, buf_span(&sealed));
		rc = finish(st);
	}
	buf_clear(&sealed);
	return rc;
}

/* Finds a row by key: a stepped statement (state, value), or NULL. *rc is 1, 0 or -1. */
static sqlite3_stmt *
find(struct dbase *d, enum dbase_kind kind, const uint8_t name[SHA_SIZE], int *rc)
{
	sqlite3_stmt *st =
	    prepare(d, "SELECT state, value FROM rec WHERE kind = ? AND key = ?");
	int step = SQLITE_ERROR;

	if (st != NULL) {
		sqlite3_bind_int(st, 1, (int)kind);
		bind(st, 2, span_of(name, SHA_SIZE));
		step = sqlite3_step(st);
	}
	*rc = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : -1;
	if (*rc == 1)
		return st;
	sqlite3_finalize(st);
	return NULL;
}

int
dbase_get(struct dbase *d, enum dbase_kind kind, struct span key, struct buf *value,
    int64_t *state)
{
	uint8_t name[SHA_SIZE];
	sqlite3_stmt *st;
	int rc;

	if (blind(d, 'k', kind, key, name) < 0)
		return -1;
	if ((st = find(d, kind, name, &rc)) == NULL)
		return rc;
	if (state != NULL)
		*state = sqlite3_column_int64(st, 0);
	if (open_value(d, kind, span_of(name, sizeof(name)), column(st, 1), value) < 0)
		rc = -1;
	sqlite3_finalize(st);
	return rc;
}

int
dbase_del(struct dbase *d, enum dbase_kind kind, struct span key)
{
	sqlite3_stmt *st = prepare(d, "DELETE FROM rec WHERE kind = ? AND key = ?");
	uint8_t name[SHA_SIZE];

	if (st == NULL)
		return -1;
	if (blind(d, 'k', kind, key, name) == 0) {
		sqlite3_bind_int(st, 1, (int)kind);
		bind(st, 2, span_of(name, sizeof(name)));
	}
	return finish(st);
}

int
dbase_shift(struct dbase *d, int64_t id, int64_t from, int64_t to)
{
	sqlite3_stmt *st =
	    prepare(d, "UPDATE rec SET state = ? WHERE id = ? AND state = ?");

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, to);
	sqlite3_bind_int64(st, 2, id);
	sqlite3_bind_int64(st, 3, from);
	if (finish(st) < 0)
		return -1;
	return sqlite3_changes(d->db) > 0;
}

int64_t
dbase_count(struct dbase *d, enum dbase_kind kind, int64_t state)
{
	sqlite3_stmt *st = prepare(
	    d, "SELECT count(*) FROM rec WHERE kind = ?1 AND (?2 = -1 OR state = ?2)");
	int64_t n = -1;

	if (st == NULL)
		return -1;
	sqlite3_bind_int(st, 1, (int)kind);
	sqlite3_bind_int64(st, 2, state);
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* --- walks -------------------------------------------------------------------------------- */

struct ids {
	int64_t *id; /* owned */
	size_t n, size;
};

#define WALK_SQL                                                                         \
	"SELECT id FROM rec WHERE kind = ?1 AND (?2 = -1 OR state = ?2)"                 \
	" AND (?3 = x'' OR grp = ?3) AND (?4 = 0 OR ord <= ?4) ORDER BY "
static const char walk_newest[] = WALK_SQL "ord DESC, id DESC LIMIT ?5";
static const char walk_oldest[] = WALK_SQL "ord, id LIMIT ?5";

static sqlite3_stmt *
walk_start(struct dbase *d, const struct dbase_filter *f, uint8_t grp[SHA_SIZE])
{
	size_t limit = f->limit == 0 ? DBASE_WALK_MAX : f->limit;
	sqlite3_stmt *st;

	if (f->group.n != 0 && blind(d, 'g', f->kind, f->group, grp) < 0)
		return NULL;
	if ((st = prepare(d, f->oldest ? walk_oldest : walk_newest)) == NULL)
		return NULL;
	sqlite3_bind_int(st, 1, (int)f->kind);
	sqlite3_bind_int64(st, 2, f->state);
	bind(st, 3, span_of(grp, f->group.n == 0 ? 0 : SHA_SIZE));
	sqlite3_bind_int64(st, 4, (sqlite3_int64)f->order_max);
	sqlite3_bind_int64(st, 5, (sqlite3_int64)limit);
	return st;
}

/* The rows of a walk, as SQLite orders them. */
static int
walk_ids(struct dbase *d, const struct dbase_filter *f, struct ids *ids)
{
	uint8_t grp[SHA_SIZE];
	sqlite3_stmt *st = walk_start(d, f, grp);
	int rc = SQLITE_ERROR;

	while (st != NULL && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (ids->n == ids->size) {
			ids->size = ids->size == 0 ? 64 : ids->size * 2;
			ids->id = xreallocarray(ids->id, ids->size, sizeof(*ids->id));
		}
		ids->id[ids->n++] = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* Reads one row into *row and *value; 1 there, 0 gone meanwhile. */
static int
read_row(struct dbase *d, enum dbase_kind kind, int64_t id, struct dbase_row *row,
    struct buf *value)
{
	sqlite3_stmt *st =
	    prepare(d, "SELECT state, ord, key, value FROM rec WHERE id = ?");
	int rc = -1, step;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, id);
	if ((step = sqlite3_step(st)) == SQLITE_ROW) {
		row->id = id;
		row->state = sqlite3_column_int64(st, 0);
		row->order = (uint64_t)sqlite3_column_int64(st, 1);
		if (open_value(d, kind, column(st, 2), column(st, 3), value) == 0)
			rc = 1;
		row->value = buf_span(value);
	} else if (step == SQLITE_DONE) {
		rc = 0;
	}
	sqlite3_finalize(st);
	return rc;
}

int
dbase_walk(struct dbase *d, const struct dbase_filter *f, dbase_fn *fn, void *arg)
{
	struct ids ids = {NULL, 0, 0};
	struct dbase_row row;
	struct buf value;
	size_t i;
	int rc;

	buf_init(&value, DBASE_VALUE_MAX);
	rc = walk_ids(d, f, &ids);
	for (i = 0; rc == 0 && i < ids.n; i++) {
		buf_reset(&value);
		rc = read_row(
		    d, f->kind, ids.id[f->oldest ? i : ids.n - 1 - i], &row, &value);
		if (rc == 1)
			rc = fn(arg, &row);
	}
	buf_wipe(&value);
	free(ids.id);
	return rc;
}

/* --- numbers ------------------------------------------------------------------------------ */

uint64_t
dbase_next(struct dbase *d, struct span name, uint64_t floor)
{
	struct span none = {NULL, 0};
	struct buf value;
	struct cur cur;
	uint64_t n = 0;

	if (dbase_begin(d) < 0)
		return 0;
	buf_init(&value, COUNTER_SIZE);
	if (dbase_get(d, DB_COUNTER, name, &value, NULL) >= 0) {
		cur_init(&cur, buf_span(&value));
		n = value.n == COUNTER_SIZE ? cur_u64(&cur) + 1 : 1;
		if (n < floor)
			n = floor;
		buf_reset(&value);
		buf_put_u64(&value, n);
		if (dbase_put(d, DB_COUNTER, name, none, 0, 0, buf_span(&value)) < 0)
			n = 0;
	}
	buf_clear(&value);
	if (n == 0)
		dbase_rollback(d);
	else if (dbase_commit(d) < 0)
		n = 0;
	return n;
}

uint64_t
dbase_version(struct dbase *d)
{
	sqlite3_stmt *st = prepare(d, "PRAGMA data_version");
	uint64_t n = 0;

	if (st != NULL && sqlite3_step(st) == SQLITE_ROW)
		n = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}
