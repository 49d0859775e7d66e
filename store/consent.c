/* SPDX-License-Identifier: ISC */
/*
 * consent.c - who may reach whom.
 *
 * A row (owner, other) holds a state, its time, and the other's certificate and device list
 * as they came with his request or grant. A second table counts pending requests by sender
 * and by sending domain, whether or not the one asked exists. The functions below are the
 * rows of the table in doc/protocol.md section 10. Called by admit.c (items) and sreq.c
 * (requests of the owner). Owns nothing; refusals are reply codes.
 */
#include "base/buf.h"
#include "crypto/cose.h"
#include "store/bounds.h"
#include "store/consent.h"

#define ROW_BYTES (SOBJ_LISTKEY_MAX + SOBJ_DEVLIST_MAX + 64)

static const struct span nothing;

/* --- rows ----------------------------------------------------------------------------------- */

static void
row_key(struct skey *k, struct span owner, struct span other)
{
	skey_local(k, owner);
	skey_bytes(k, other.p, other.n);
}

struct row {
	uint8_t state;
	uint64_t since;
	struct span listkey, devlist; /* borrowed from the database */
};

static bool
row_decode(struct span value, struct row *row)
{
	struct cur c;

	cur_init(&c, value);
	row->state = cur_u8(&c);
	row->since = cur_u64(&c);
	row->listkey = cur_bytes(&c, cur_u16(&c));
	row->devlist = cur_bytes(&c, cur_u16(&c));
	return cur_done(&c);
}

static bool
row_over(const struct row *row, uint64_t now)
{
	return row->state == CONSENT_ASKED && row->since + STORE_ASKED_MS <= now;
}

static enum sdb_result
row_get(struct sdb *db, struct span owner, struct span other, struct row *row)
{
	enum sdb_result res;
	struct span value;
	struct skey k;

	row_key(&k, owner, other);
	res = sdb_get(db, SDB_CONSENT, skey_span(&k), &value);
	if (res == SDB_OK && !row_decode(value, row))
		return SDB_FAULT;
	return res;
}

static enum sdb_result
row_put(struct sdb *db, struct span owner, struct span other, const struct row *row)
{
	enum sdb_result res;
	struct span value;
	struct skey k;
	struct buf b;

	buf_init(&b, ROW_BYTES);
	buf_put_u8(&b, row->state);
	buf_put_u64(&b, row->since);
	buf_put_u16(&b, (uint16_t)row->listkey.n);
	buf_put_span(&b, row->listkey);
	buf_put_u16(&b, (uint16_t)row->devlist.n);
	buf_put_span(&b, row->devlist);
	value = buf_span(&b);
	row_key(&k, owner, other);
	res = buf_failed(&b) ? SDB_FAULT
			     : sdb_put(db, SDB_CONSENT, skey_span(&k), &value, 1);
	buf_clear(&b);
	return res;
}

static enum sdb_result
row_del(struct sdb *db, struct span owner, struct span other)
{
	struct skey k;

	row_key(&k, owner, other);
	return sdb_del(db, SDB_CONSENT, skey_span(&k));
}

int
consent_state(struct sdb *db, struct span owner, struct span other, uint64_t now)
{
	struct row row;

	switch (row_get(db, owner, other, &row)) {
	case SDB_OK:
		return row_over(&row, now) ? CONSENT_NONE : row.state;
	case SDB_NONE:
		return CONSENT_NONE;
	default:
		return -1;
	}
}

enum sdb_result
consent_keys(struct sdb *db, struct span owner, struct span other, struct devlist *keys)
{
	struct row row;
	enum sdb_result res = row_get(db, owner, other, &row);

	if (res != SDB_OK)
		return res;
	if (row.listkey.n == 0 || row.devlist.n == 0)
		return SDB_NONE;
	return devlist_open(keys, row.listkey, row.devlist) ? SDB_OK : SDB_FAULT;
}

/* Whether an account has as many rows as it may. Those whose time is over go on the way. */
static bool
rows_full(struct sdb *db, struct span owner, uint64_t now)
{
	struct span other, value;
	struct sdb_walk w;
	struct row row;
	struct skey k;
	size_t n = 0;

	skey_local(&k, owner);
	sdb_walk_init(&w, db, SDB_CONSENT, &k);
	while (n < STORE_CONSENT_ROWS && sdb_walk_next(&w, &other, &value)) {
		if (row_decode(value, &row) && row_over(&row, now))
			sdb_walk_del(&w);
		else
			n++;
	}
	return n >= STORE_CONSENT_ROWS;
}

/* Newer: a higher generation, or a higher seq in the same one. */
static bool
newer(const struct s_devlist *new, const struct s_devlist *old)
{
	if (new->generation != old->generation)
		return new->generation > old->generation;
	return new->seq > old->seq;
}

enum sdb_result
consent_refresh(struct sdb *db, struct span owner, struct span other, struct span listkey,
    struct span devlist)
{
	struct trust_account ta;
	struct devlist old;
	struct row row;
	enum sdb_result res = consent_keys(db, owner, other, &old);

	if (res != SDB_OK)
		return res;
	if (trust_account(other, listkey, devlist, &ta) != CODE_DONE ||
	    memcmp(ta.cert.identity, old.trust.cert.identity, 32) != 0 ||
	    !newer(&ta.list, &old.trust.list))
		return SDB_OK;
	res = row_get(db, owner, other, &row);
	row.listkey = listkey;
	row.devlist = devlist;
	return res == SDB_OK ? row_put(db, owner, other, &row) : res;
}

/* --- pending requests by sender and domain -------------------------------------------------- */

/* Sender's domain, local part, and (if not empty) the local part of the one asked. */
static bool
asking_key(struct skey *k, struct span sender, struct span target, bool whole_domain)
{
	struct addr from, to;

	if (!addr_parse_wire(sender, &from))
		return false;
	skey_init(k);
	skey_text(k, from.domain);
	if (!whole_domain)
		skey_text(k, from.local);
	if (target.n == 0)
		return true;
	if (!addr_parse_wire(target, &to))
		return false;
	skey_text(k, to.local);
	return true;
}

static bool
asking_live(struct span value, uint64_t now)
{
	struct cur c;
	uint64_t since;

	cur_init(&c, value);
	since = cur_u64(&c);
	return cur_done(&c) && since + STORE_ASKED_MS > now;
}

/* How many requests are pending under a prefix, counted to a limit. */
static uint64_t
asking_count(struct sdb *db, const struct skey *prefix, uint64_t now, uint64_t limit)
{
	struct span key, value;
	struct sdb_walk w;
	uint64_t n = 0;

	sdb_walk_init(&w, db, SDB_ASKING, prefix);
	while (n < limit && sdb_walk_next(&w, &key, &value))
		n += asking_live(value, now) ? 1 : 0;
	return n;
}

/* Counts one more request, unless it is there or there are too many. */
static unsigned
asking_add(
    struct sdb *db, const struct consent_act *act, const struct consent_limits *lim)
{
	struct span from = act->object.from, to = act->object.to, value;
	struct skey one, sender, domain;
	struct addr a;
	struct buf b;
	unsigned code;

	if (!asking_key(&one, from, to, false) ||
	    !asking_key(&sender, from, nothing, false) ||
	    !asking_key(&domain, from, nothing, true) || !addr_parse_wire(from, &a))
		return CODE_MALFORMED;
	if (sdb_get(db, SDB_ASKING, skey_span(&one), &value) == SDB_OK &&
	    asking_live(value, act->now))
		return CODE_DONE;
	if (asking_count(db, &sender, act->now, lim->per_sender) >= lim->per_sender)
		return CODE_LIMIT;
	if (!span_eq(a.domain, lim->own_domain) &&
	    asking_count(db, &domain, act->now, lim->per_domain) >= lim->per_domain)
		return CODE_LIMIT;
	buf_init(&b, 8);
	buf_put_u64(&b, act->now);
	value = buf_span(&b);
	code = sdb_put(db, SDB_ASKING, skey_span(&one), &value, 1) == SDB_OK
	    ? CODE_DONE
	    : CODE_STORAGE;
	buf_clear(&b);
	return code;
}

static enum sdb_result
asking_del(struct sdb *db, struct span sender, struct span target)
{
	struct skey k;

	if (!asking_key(&k, sender, target, false))
		return SDB_OK;
	return sdb_del(db, SDB_ASKING, skey_span(&k));
}

void
consent_sweep(struct sdb *db, uint64_t now, size_t max, struct skey *at)
{
	struct span key, value;
	struct sdb_walk w;
	struct skey none;

	skey_init(&none);
	sdb_walk_init(&w, db, SDB_ASKING, &none);
	sdb_walk_from(&w, at);
	for (size_t i = 0; i < max; i++) {
		if (!sdb_walk_next(&w, &key, &value)) {
			skey_init(at);
			return;
		}
		if (!asking_live(value, now))
			sdb_walk_del(&w);
	}
	*at = w.at;
}

/* --- objects -------------------------------------------------------------------------------- */

const char *
consent_typ(struct span object)
{
	static const char *const typs[] = {TYP_REQUEST, TYP_GRANT, TYP_REVOKE};
	struct cose_sign1 sign1;

	if (cose_sign1_parse(object, &sign1) != COSE_OK)
		return NULL;
	for (size_t i = 0; i < 3; i++)
		if (span_eq(sign1.typ, span_str(typs[i])))
			return typs[i];
	return NULL;
}

/* Reads a revocation that cannot be verified. */
static unsigned
read_only(struct span object, struct consent_act *act)
{
	struct cose_sign1 sign1;

	act->unverified = true;
	if (cose_sign1_parse(object, &sign1) != COSE_OK ||
	    obj_decode(&s_consent_def, sign1.payload, &act->object) != WIRE_OK ||
	    obj_has(&s_consent_def, &act->object, 5) ||
	    obj_has(&s_consent_def, &act->object, 6))
		return CODE_MALFORMED;
	return CODE_DONE;
}

unsigned
consent_open(struct span object, const struct devlist *known, struct consent_act *act)
{
	struct cose_sign1 sign1;
	bool revoke;

	act->unverified = false;
	if (cose_sign1_parse(object, &sign1) != COSE_OK)
		return CODE_MALFORMED;
	act->typ = consent_typ(object);
	if (act->typ == NULL)
		return CODE_UNSUPPORTED;
	revoke = strcmp(act->typ, TYP_REVOKE) == 0;
	if (revoke && known == NULL)
		return read_only(object, act);
	if (revoke)
		act->maker = known->trust;
	return trust_consent(object, act->typ, &act->maker, &act->object);
}

static unsigned
done_if(enum sdb_result res)
{
	return res == SDB_OK ? CODE_DONE : CODE_STORAGE;
}

unsigned
consent_make(struct sdb *db, const struct consent_act *act)
{
	struct span from = act->object.from, to = act->object.to;
	struct row row = {.state = CONSENT_ASKED, .since = act->now};
	enum sdb_result res;
	struct devlist keys;
	int state = consent_state(db, from, to, act->now);

	if (state == -1)
		return CODE_STORAGE;
	if (strcmp(act->typ, TYP_REQUEST) == 0) {
		if (state != CONSENT_NONE)
			return CODE_DONE;
		return rows_full(db, from, act->now)
		    ? CODE_LIMIT
		    : done_if(row_put(db, from, to, &row));
	}
	if (strcmp(act->typ, TYP_GRANT) == 0 && state == CONSENT_NONE &&
	    rows_full(db, from, act->now))
		return CODE_LIMIT;
	res = asking_del(db, to, from);
	if (res != SDB_OK)
		return CODE_STORAGE;
	if (strcmp(act->typ, TYP_REVOKE) == 0)
		return done_if(row_del(db, from, to));
	row.state = CONSENT_FULL;
	res = consent_keys(db, from, to, &keys);
	if (res == SDB_OK) {
		row.listkey = keys.listkey;
		row.devlist = keys.devlist;
	}
	return res == SDB_FAULT ? CODE_STORAGE : done_if(row_put(db, from, to, &row));
}

/* --- items ---------------------------------------------------------------------------------- */

/* The row that a request or grant leaves behind: this state, with the maker's keys. */
static enum sdb_result
note(struct sdb *db, const struct consent_act *act, enum consent_state state)
{
	struct row row = {.state = (uint8_t)state,
	    .since = act->now,
	    .listkey = act->object.listkey,
	    .devlist = act->object.devlist};

	return row_put(db, act->object.to, act->object.from, &row);
}

static bool
policy_lets(const struct consent_act *act, const struct consent_limits *lim)
{
	if (lim->policy == CONF_CONSENT_TICKET)
		return act->object.how == HOW_TICKET &&
		    obj_has(&s_consent_def, &act->object, 8);
	return lim->policy == CONF_CONSENT_EVERYONE;
}

static unsigned
receive_request(struct sdb *db, const struct consent_act *act, bool alive,
    const struct consent_limits *lim, int state, bool *deliver)
{
	unsigned code;

	if (state == CONSENT_PENDING || state == CONSENT_FULL || state == CONSENT_BLOCKED)
		return CODE_RECEIVED;
	code = asking_add(db, act, lim);
	if (code != CODE_DONE)
		return code;
	if (!alive ||
	    (state == CONSENT_NONE &&
		(!policy_lets(act, lim) || rows_full(db, act->object.to, act->now))))
		return CODE_RECEIVED;
	if (note(db, act, CONSENT_PENDING) != SDB_OK)
		return CODE_STORAGE;
	*deliver = true;
	return CODE_RECEIVED;
}

static unsigned
receive_grant(
    struct sdb *db, const struct consent_act *act, bool alive, int state, bool *deliver)
{
	if (!alive || (state != CONSENT_ASKED && state != CONSENT_FULL))
		return CODE_NOT_ACCEPTED;
	if (state == CONSENT_ASKED && note(db, act, CONSENT_FULL) != SDB_OK)
		return CODE_STORAGE;
	if (state == CONSENT_FULL &&
	    consent_refresh(db, act->object.to, act->object.from, act->object.listkey,
		act->object.devlist) == SDB_FAULT)
		return CODE_STORAGE;
	*deliver = true;
	return CODE_DONE;
}

static unsigned
receive_revoke(
    struct sdb *db, const struct consent_act *act, bool alive, int state, bool *deliver)
{
	if (act->unverified && state != CONSENT_ASKED)
		return CODE_RECEIVED;
	/* A pending row stays, and so it stays counted: else who asks and revokes in turn
	 * could fill the rows of everybody. */
	if (!alive || (state != CONSENT_ASKED && state != CONSENT_FULL))
		return CODE_RECEIVED;
	if (row_del(db, act->object.to, act->object.from) != SDB_OK)
		return CODE_STORAGE;
	*deliver = true;
	return CODE_RECEIVED;
}

unsigned
consent_receive(struct sdb *db, const struct consent_act *act, bool alive,
    const struct consent_limits *lim, bool *deliver)
{
	int state = consent_state(db, act->object.to, act->object.from, act->now);

	*deliver = false;
	if (state == -1)
		return CODE_STORAGE;
	if (strcmp(act->typ, TYP_REQUEST) == 0)
		return receive_request(db, act, alive, lim, state, deliver);
	if (strcmp(act->typ, TYP_GRANT) == 0)
		return receive_grant(db, act, alive, state, deliver);
	return receive_revoke(db, act, alive, state, deliver);
}

/* --- consent.list --------------------------------------------------------------------------- */

bool
consent_list(struct sdb *db, struct span owner, uint64_t now, struct buf *out)
{
	struct c_consent_rows rows = {.has = 0};
	struct span other, value;
	struct sdb_walk w;
	struct skey k;
	struct buf b;
	struct row row;
	bool ok;

	skey_local(&k, owner);
	sdb_walk_init(&w, db, SDB_CONSENT, &k);
	buf_init(&b, STORE_CONSENT_BYTES);
	while (rows.rows.count < 1024 && sdb_walk_next(&w, &other, &value)) {
		struct c_consent_row one = {.account = other};
		size_t before = b.n;

		if (!row_decode(value, &row) || row_over(&row, now))
			continue;
		one.state = row.state;
		one.since = row.since;
		if (obj_encode(&c_consent_row_def, &one, &b) != WIRE_OK ||
		    buf_failed(&b)) {
			b.n = before;
			break;
		}
		rows.rows.count++;
	}
	b.failed = false;
	rows.rows.raw = buf_span(&b);
	obj_set(&c_consent_rows_def, &rows, 1);
	ok = obj_encode(&c_consent_rows_def, &rows, out) == WIRE_OK && !buf_failed(out);
	buf_clear(&b);
	return ok;
}
