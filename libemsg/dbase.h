/* SPDX-License-Identifier: ISC */
/*
 * dbase.h - the local database of one account: rows with sealed values.
 *
 * Every row has a kind, a key, a group, a state, an order and a value. Value is sealed
 * (AES-256-GCM, bound to kind and key); key and group are stored as HMAC only; kind, state and
 * order lie open. Functions return -1 when SQLite fails (dbase_error()) or a value was altered.
 */
#ifndef LIBEMSG_DBASE_H
#define LIBEMSG_DBASE_H

#include "base/buf.h"
#include "vault.h"

#define DBASE_VALUE_MAX ((size_t)1 << 20) /* bytes of one value */
#define DBASE_WALK_MAX 1000000            /* rows of one walk */

enum dbase_kind {
	DB_SELF = 1, /* key "self": the account and its keys; "list": its device list */
	DB_PREKEY,   /* key: id. state: 1 current, 0 older */
	DB_CONTACT,  /* key: address. state: enum consent_state */
	DB_MESSAGE,  /* key: from, mid. group: peer. state: enum message_state */
	DB_JOB,      /* key: its number. state: enum job_state */
	DB_FATE,     /* key: mid, account. group: mid. state: enum fate_state */
	DB_HELD,     /* key: hash. group: sender. What cannot be judged yet */
	DB_RECEIPT,  /* key: message id, status. group: peer. To be sent */
	DB_NAME,     /* key: mimi-content message id. value: mid */
	DB_INVITE,   /* key: token hash. Devices that may come */
	DB_COUNTER,  /* key: name. A number that only grows */
	DB_NOTE      /* key: name. Small things to remember */
};

struct dbase;

struct dbase_row {
	int64_t id;
	int64_t state;
	uint64_t order;
	struct span value; /* borrowed until the callback returns */
};

/* Opens the file, or makes it if create; NULL and *why (static). */
struct dbase *dbase_open(const char *path, bool create, const char **why);
/* NULL-safe; wipes the keys. */
void dbase_close(struct dbase *);
const char *dbase_error(const struct dbase *);
/* The vault's blob, stored open. 1 there, 0 none. */
int dbase_blob_get(struct dbase *, struct buf *out);
int dbase_blob_put(struct dbase *, struct span);
/* Copies the keys; nothing below works before. */
void dbase_unlock(struct dbase *, const struct vault *);

/* Transactions; begin waits for other programs. Nested begins count. */
int dbase_begin(struct dbase *);
int dbase_commit(struct dbase *);
void dbase_rollback(struct dbase *);

/* Writes a row over the one with this kind and key. group may be empty. */
int dbase_put(struct dbase *, enum dbase_kind, struct span key, struct span group,
    int64_t state, uint64_t order, struct span value);
/* Appends the value; state may be NULL. 1 found, 0 not. */
int dbase_get(
    struct dbase *, enum dbase_kind, struct span key, struct buf *value, int64_t *state);
int dbase_del(struct dbase *, enum dbase_kind, struct span key);
/* Changes the state if it is the given one: 1 changed, 0 not. */
int dbase_shift(struct dbase *, int64_t id, int64_t from, int64_t to);
/* How many rows of that kind and state (-1: any). */
int64_t dbase_count(struct dbase *, enum dbase_kind, int64_t state);

struct dbase_filter {
	enum dbase_kind kind;
	struct span group;  /* empty: any */
	int64_t state;      /* -1: any */
	uint64_t order_max; /* 0: any; else only rows up to it */
	size_t limit;       /* 0: all; else the newest in order */
	bool oldest;        /* with a limit: the oldest instead */
};
/* Calls fn for the rows, ascending in order; it may change rows. fn returns 0 to go on, else
 * the walk ends with that. */
typedef int dbase_fn(void *arg, const struct dbase_row *);
int dbase_walk(struct dbase *, const struct dbase_filter *, dbase_fn *, void *arg);
/* Adds 1 to a named number and returns it, from 1; 0 when SQLite fails. At least floor. */
uint64_t dbase_next(struct dbase *, struct span name, uint64_t floor);
/* Changes when another program has written. */
uint64_t dbase_version(struct dbase *);

#endif
