/* SPDX-License-Identifier: ISC */
/*
 * token.c - one-time tokens: invitations and slots for new devices.
 *
 * A row lies under SHA-256 of the token, so whoever reads the database cannot use one. An
 * invitation goes when it is redeemed, in the transaction that makes the account; a slot takes
 * one blob and stays until its time is over, because the new device asks again until it is in
 * the list. Called by sreq.c and sctl.c. Owns nothing.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/bounds.h"
#include "store/token.h"

#define ROW_BYTES 4096

static bool
decode(struct span value, struct token *t)
{
	struct cur c;

	cur_init(&c, value);
	t->kind = cur_u8(&c);
	t->expires = cur_u64(&c);
	t->account = cur_bytes(&c, cur_u16(&c));
	t->blob = cur_bytes(&c, cur_u16(&c));
	return cur_done(&c);
}

enum sdb_result
token_get(struct sdb *db, const uint8_t hash[SHA_SIZE], uint64_t now, struct token *t)
{
	struct span value;
	enum sdb_result res = sdb_get(db, SDB_TOKEN, span_of(hash, SHA_SIZE), &value);

	if (res != SDB_OK)
		return res;
	if (!decode(value, t))
		return SDB_FAULT;
	return t->expires > now ? SDB_OK : SDB_NONE;
}

enum sdb_result
token_put(struct sdb *db, const uint8_t hash[SHA_SIZE], const struct token *t)
{
	enum sdb_result res;
	struct span row;
	struct buf b;

	buf_init(&b, ROW_BYTES);
	buf_put_u8(&b, t->kind);
	buf_put_u64(&b, t->expires);
	buf_put_u16(&b, (uint16_t)t->account.n);
	buf_put_span(&b, t->account);
	buf_put_u16(&b, (uint16_t)t->blob.n);
	buf_put_span(&b, t->blob);
	row = buf_span(&b);
	res = buf_failed(&b) ? SDB_FAULT
			     : sdb_put(db, SDB_TOKEN, span_of(hash, SHA_SIZE), &row, 1);
	buf_clear(&b);
	return res;
}

enum sdb_result
token_del(struct sdb *db, const uint8_t hash[SHA_SIZE])
{
	return sdb_del(db, SDB_TOKEN, span_of(hash, SHA_SIZE));
}

/* Where the hashes of an account's slots are, newest first. */
static void
slots_key(struct skey *k, struct span account)
{
	skey_init(k);
	skey_text(k, span_str("slots"));
	skey_bytes(k, account.p, account.n);
}

/* Adds a hash to the account's list of open slots; what falls out at its end is deleted. */
static enum sdb_result
rotate(struct sdb *db, struct span account, const uint8_t hash[SHA_SIZE])
{
	uint8_t list[(STORE_ENROL_SLOTS + 1) * SHA_SIZE];
	enum sdb_result res;
	struct span value, row;
	struct skey k;
	size_t n = SHA_SIZE;

	memcpy(list, hash, SHA_SIZE);
	slots_key(&k, account);
	res = sdb_get(db, SDB_META, skey_span(&k), &value);
	if (res == SDB_OK && value.n <= STORE_ENROL_SLOTS * SHA_SIZE) {
		memcpy(list + n, value.p, value.n);
		n += value.n;
	}
	if (n > STORE_ENROL_SLOTS * SHA_SIZE) {
		n -= SHA_SIZE;
		if (token_del(db, list + n) != SDB_OK)
			return SDB_FAULT;
	}
	row = span_of(list, n);
	return sdb_put(db, SDB_META, skey_span(&k), &row, 1);
}

enum sdb_result
token_slot(struct sdb *db, const uint8_t hash[SHA_SIZE], struct span account,
    uint64_t expires, uint64_t now)
{
	struct token t = {.kind = TOKEN_ENROL, .expires = expires, .account = account},
		     old;
	enum sdb_result res = token_get(db, hash, now, &old);

	if (res != SDB_NONE)
		return res == SDB_OK ? SDB_NONE : res;
	res = rotate(db, account, hash);
	return res == SDB_OK ? token_put(db, hash, &t) : res;
}

enum sdb_result
token_close(struct sdb *db, struct span account)
{
	uint8_t list[STORE_ENROL_SLOTS * SHA_SIZE];
	enum sdb_result res;
	struct span value;
	struct skey k;
	size_t n;

	slots_key(&k, account);
	res = sdb_get(db, SDB_META, skey_span(&k), &value);
	if (res != SDB_OK || value.n > sizeof(list))
		return res == SDB_NONE ? SDB_OK : SDB_FAULT;
	n = value.n;
	memcpy(list, value.p, n);
	for (size_t i = 0; i + SHA_SIZE <= n && res == SDB_OK; i += SHA_SIZE)
		res = token_del(db, list + i);
	return res == SDB_OK ? sdb_del(db, SDB_META, skey_span(&k)) : res;
}

enum sdb_result
token_invite(struct sdb *db, struct span account, uint64_t expires, uint8_t token[16])
{
	struct token row = {.kind = TOKEN_INVITE, .expires = expires, .account = account};
	uint8_t hash[SHA_SIZE];

	random_bytes(token, 16);
	if (sha_of(span_of(token, 16), hash) == -1)
		return SDB_FAULT;
	return token_put(db, hash, &row);
}

unsigned
token_redeem(struct sdb *db, const uint8_t token[16], struct span account, uint64_t now)
{
	uint8_t hash[SHA_SIZE];
	enum sdb_result res;
	struct token t;

	if (sha_of(span_of(token, 16), hash) == -1)
		return CODE_STORAGE;
	res = token_get(db, hash, now, &t);
	if (res == SDB_FAULT)
		return CODE_STORAGE;
	if (res == SDB_NONE || t.kind != TOKEN_INVITE ||
	    (t.account.n > 0 && !span_eq(t.account, account)))
		return CODE_BAD_TOKEN;
	return token_del(db, hash) == SDB_OK ? CODE_DONE : CODE_STORAGE;
}

void
token_sweep(struct sdb *db, uint64_t now, size_t max, struct skey *at)
{
	struct span key, value;
	struct sdb_walk w;
	struct skey none;
	struct token t;

	skey_init(&none);
	sdb_walk_init(&w, db, SDB_TOKEN, &none);
	sdb_walk_from(&w, at);
	for (size_t i = 0; i < max; i++) {
		if (!sdb_walk_next(&w, &key, &value)) {
			skey_init(at);
			return;
		}
		if (!decode(value, &t) || t.expires <= now)
			sdb_walk_del(&w);
	}
	*at = w.at;
}
