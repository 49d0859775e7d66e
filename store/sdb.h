/* SPDX-License-Identifier: ISC */
/*
 * sdb.h - the store's database: tables of byte strings, one write transaction a turn.
 *
 * The only user of LMDB in this process; no LMDB type is visible here. The first sdb_put or
 * sdb_del of a turn opens the write transaction, sdb_commit ends it. Reads see what was
 * written in the same turn. Values carry a format number and a checksum; one that fails its
 * check is SDB_FAULT, is reported, and is moved to the table of corrupt rows when a walk meets
 * it. Spans that come out are borrowed until the next write or commit.
 */
#ifndef STORE_SDB_H
#define STORE_SDB_H

#include "base/span.h"

enum sdb_table {
	SDB_META,
	SDB_ACCOUNT, /* local -> account */
	SDB_LIST,    /* local -> certificate, device list */
	SDB_PREKEY,  /* local, device -> signed prekey */
	SDB_DEVICE,  /* local, device -> cursor */
	SDB_CONSENT, /* local, other address -> row */
	SDB_ASKING,  /* sender's domain, local; target -> time of the request */
	SDB_MAILBOX, /* local, seq -> entry */
	SDB_BODY,    /* local, seq -> body */
	SDB_DUE,     /* time; local, seq -> nothing: when entries expire */
	SDB_SEEN,    /* mid, who, hash -> stanzas seen */
	SDB_TOLD,    /* mid, who, state -> nothing: fates that were told */
	SDB_TOKEN,   /* hash -> invitation or enrolment */
	SDB_PEER,    /* domain -> pinned document */
	SDB_STATE,   /* local -> version, state object */
	SDB_CORRUPT, /* table, key -> value as found */
	SDB_TABLES
};

enum sdb_result {
	SDB_OK = 0,
	SDB_NONE = 1,   /* no such row */
	SDB_FAULT = -1, /* the row is bad, or the turn has failed: answer "storage" */
	SDB_BROKEN = -2 /* sdb_commit only: the disk failed, the process must end */
};

struct sdb;

/* Opens (or makes) the database in this directory, which must exist. After the drop of
 * privileges and never twice in one process. NULL: *why says what, in static text. */
struct sdb *sdb_open(const char *dir, uint64_t map_size, const char **why);
/* Forgets an open transaction and closes. NULL-safe. */
void sdb_close(struct sdb *);

enum sdb_result sdb_get(
    struct sdb *, enum sdb_table, struct span key, struct span *value);
/* Writes the parts, one after the other, as the value of key. A failure fails the turn. */
enum sdb_result sdb_put(
    struct sdb *, enum sdb_table, struct span key, const struct span *parts, size_t n);
/* SDB_OK also if there was no such row. */
enum sdb_result sdb_del(struct sdb *, enum sdb_table, struct span key);

/* True if a write of this turn failed: sdb_commit() will refuse the whole turn. */
bool sdb_failed(const struct sdb *);
/* True if there is something to commit. */
bool sdb_dirty(const struct sdb *);
/* Ends the turn. SDB_OK: all of it is durable. SDB_FAULT: nothing of it is there (no room,
 * no memory, a write failed). */
enum sdb_result sdb_commit(struct sdb *);
/* Gives up what was written in this turn. */
void sdb_abort(struct sdb *);
/* Once a minute: clears reader slots of dead processes. Pages in use of those there are. */
void sdb_tend(struct sdb *);
void sdb_room(struct sdb *, uint64_t *used, uint64_t *all);
/* About once a second, behind a commit: looks how much can still be written. */
void sdb_measure(struct sdb *);
/* True if only the reserve is left: what removes may still be written, what adds should be
 * refused for now. Removing needs room, too; without a reserve a full database stays full. */
bool sdb_low(const struct sdb *);
/* How many rows a table has. */
uint64_t sdb_rows(struct sdb *, enum sdb_table);
/* "mailbox": for logs. */
const char *sdb_table_name(enum sdb_table);

#define SDB_KEY_MAX 511 /* bytes */

/* A key under construction; parts of variable length end with a zero byte. */
struct skey {
	uint8_t b[SDB_KEY_MAX];
	size_t n;
};
/* Starts with the local part of an address (all of it if there is no '#') and a zero. */
void skey_local(struct skey *, struct span address);
void skey_init(struct skey *);
void skey_bytes(struct skey *, const void *, size_t);
void skey_text(struct skey *, struct span);
void skey_u64(struct skey *, uint64_t);
struct span skey_span(const struct skey *);

/* A walk over the keys with a prefix, ascending. Rows may be written and deleted during it.
 * Bad rows are set aside and passed over. */
struct sdb_walk {
	struct sdb *db;
	enum sdb_table table;
	struct skey at; /* the next key is this one or behind it */
	size_t prefix;
	bool behind; /* at itself was seen */
};
void sdb_walk_init(
    struct sdb_walk *, struct sdb *, enum sdb_table, const struct skey *prefix);
/* Starts behind prefix + from instead. */
void sdb_walk_from(struct sdb_walk *, const struct skey *);
/* False at the end and after a fault of the database. key without the prefix. */
bool sdb_walk_next(struct sdb_walk *, struct span *key, struct span *value);
/* Deletes the row that was just returned. */
enum sdb_result sdb_walk_del(struct sdb_walk *);

#endif
