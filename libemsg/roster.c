/* SPDX-License-Identifier: ISC */
/*
 * roster.c - contacts, their pinned keys and device lists; and our own list.
 *
 * A contact's identity key is pinned when consent is exchanged. From then on only lists under a
 * certificate of that key are taken, and never one that is older than what was seen: the
 * highest (generation, seq, head) is kept for ever, and so is the newest prekey of a device. Another identity key sets an alarm: nothing
 * is sent to that contact until the user has compared the number and said so. Everything is
 * verified before it is stored, so what is read back is only parsed.
 *
 * Owns rows of kinds contact and self/list. Called by inbox.c, jobs.c and emsg_api.c. Fails with
 * -1 (database) or a verdict.
 */
#include "base/mem.h"
#include "crypto/cose.h"
#include "crypto/trust.h"
#include "inbox.h"
#include "jobs.h"
#include "worklist.h"
#include "roster.h"

#define OWN_LIST "list"

static const struct span none = {NULL, 0};

/* --- rows --------------------------------------------------------------------------------- */

int
contact_get(struct emsg *e, struct span account, struct contact *c)
{
	int rc;

	memset(c, 0, sizeof(*c));
	buf_init(&c->bytes, DBASE_VALUE_MAX);
	rc = dbase_get(e->db, DB_CONTACT, account, &c->bytes, &c->state);
	if (rc == 1 &&
	    obj_decode(&row_contact_def, buf_span(&c->bytes), &c->row) != WIRE_OK)
		rc = -1;
	if (rc == 0) {
		c->row.account = account;
		c->row.since = session_now(e);
	}
	return rc;
}

int
contact_put(struct emsg *e, const struct contact *c)
{
	struct buf value;
	int rc = -1;

	buf_init(&value, DBASE_VALUE_MAX);
	if (obj_encode(&row_contact_def, &c->row, &value) == WIRE_OK)
		rc = dbase_put(e->db, DB_CONTACT, c->row.account, none, c->state,
		    c->row.since, buf_span(&value));
	buf_clear(&value);
	return rc;
}

void
contact_clear(struct contact *c)
{
	buf_clear(&c->bytes);
}

bool
contact_has_alarm(const struct contact *c)
{
	return obj_has(&row_contact_def, &c->row, CONTACT_ALARM);
}

void
contact_accept(struct contact *c, const uint8_t identity[32])
{
	memmove(c->row.identity, identity, sizeof(c->row.identity));
	c->row.has = 0;
	obj_set(&row_contact_def, &c->row, CONTACT_IDENTITY);
	c->row.listkey = c->row.devlist = none;
	c->row.prekeys.raw = none;
	c->row.prekeys.count = 0;
	c->row.fetched = 0;
}

int
roster_own(struct emsg *e, struct row_list *list, struct buf *bytes)
{
	int rc;

	buf_init(bytes, DBASE_VALUE_MAX);
	rc = dbase_get(e->db, DB_SELF, span_str(OWN_LIST), bytes, NULL);
	if (rc == 1 && obj_decode(&row_list_def, buf_span(bytes), list) != WIRE_OK)
		rc = -1;
	return rc;
}

int
roster_own_put(struct emsg *e, const struct row_list *list)
{
	struct buf value;
	int rc = -1;

	buf_init(&value, DBASE_VALUE_MAX);
	if (obj_encode(&row_list_def, list, &value) == WIRE_OK)
		rc = dbase_put(
		    e->db, DB_SELF, span_str(OWN_LIST), none, 0, 0, buf_span(&value));
	buf_clear(&value);
	return rc;
}

/* --- lists -------------------------------------------------------------------------------- */

static bool
parse_list(struct span devlist, struct s_devlist *list)
{
	struct cose_sign1 sign1;

	return cose_sign1_parse(devlist, &sign1) == COSE_OK &&
	    obj_decode(&s_devlist_def, sign1.payload, list) == WIRE_OK;
}

bool
roster_has_others(struct emsg *e)
{
	struct s_devlist list;
	struct row_list own;
	struct buf bytes;
	bool others = roster_own(e, &own, &bytes) == 1 &&
	    parse_list(own.devlist, &list) && list.devices.count > 1;

	buf_clear(&bytes);
	return others;
}

bool
roster_device_key(struct span devlist, const uint8_t id[16], uint8_t key[32])
{
	struct s_devlist list;
	struct s_device device;
	struct obj_iter it;

	if (!parse_list(devlist, &list))
		return false;
	obj_iter_init(&it, &list.devices);
	while (obj_next(&it, &s_device_def, &device))
		if (memcmp(device.id, id, sizeof(device.id)) == 0) {
			memcpy(key, device.key, sizeof(device.key));
			return true;
		}
	return false;
}

bool
roster_head(struct span account, struct span devlist, struct i_head *head)
{
	struct s_devlist list;

	head->has = 0;
	head->account = account;
	if (!parse_list(devlist, &list) || sha_of(devlist, head->head) < 0)
		return false;
	head->generation = list.generation;
	head->seq = list.seq;
	return true;
}

/* Prekeys that a device can be sealed to with format 1. */
static bool
takes_format(const struct s_prekey *prekey)
{
	struct s_suite suite;
	struct obj_iter it;

	obj_iter_init(&it, &prekey->suites);
	while (obj_next(&it, &s_suite_def, &suite))
		if (suite.fmt == SEAL_FORMAT && suite.suite == SEAL_SUITE)
			return true;
	return false;
}

size_t
roster_devices(struct span account, struct span listkey, struct span devlist,
    const struct obj_list *prekeys, const uint8_t *except, struct seal_device *out)
{
	struct trust_account ta;
	struct s_prekey prekey;
	struct obj_iter it;
	struct span object;
	size_t n = 0;

	if (trust_account(account, listkey, devlist, &ta) != CODE_DONE)
		return 0;
	obj_iter_init(&it, prekeys);
	while (n < SOBJ_DEVICES_MAX && obj_next_span(&it, &object)) {
		if (trust_prekey(&ta, object, &prekey) != CODE_DONE ||
		    !takes_format(&prekey) ||
		    (except != NULL && memcmp(prekey.device, except, 16) == 0))
			continue;
		memcpy(out[n].id, prekey.device, sizeof(out[n].id));
		memcpy(out[n].prekey, prekey.key, sizeof(out[n].prekey));
		if (trust_prekey_id(prekey.key, out[n].prekey_id) == 0)
			n++;
	}
	return n;
}

/* How a list stands to the one that we have: what to do with it. */
static enum roster_verdict
compare(struct span account, struct span old, struct span new)
{
	struct i_head a, b;

	if (old.n == 0)
		return ROSTER_TAKEN;
	if (!roster_head(account, old, &a) || !roster_head(account, new, &b))
		return ROSTER_BAD;
	if (b.generation != a.generation)
		return b.generation > a.generation ? ROSTER_TAKEN : ROSTER_BACK;
	if (b.seq != a.seq)
		return b.seq > a.seq ? ROSTER_TAKEN : ROSTER_BACK;
	return memcmp(a.head, b.head, sizeof(a.head)) == 0 ? ROSTER_SAME : ROSTER_BACK;
}

static void
set_identity(struct contact *c, const uint8_t identity[32])
{
	memcpy(c->row.identity, identity, sizeof(c->row.identity));
	obj_set(&row_contact_def, &c->row, CONTACT_IDENTITY);
}

enum roster_verdict
contact_take(struct contact *c, struct span listkey, struct span devlist, bool pin)
{
	enum roster_verdict verdict;
	struct trust_account ta;

	if (trust_account(c->row.account, listkey, devlist, &ta) != CODE_DONE)
		return ROSTER_BAD;
	if (!obj_has(&row_contact_def, &c->row, CONTACT_IDENTITY)) {
		if (pin)
			set_identity(c, ta.cert.identity);
	} else if (memcmp(c->row.identity, ta.cert.identity, 32) != 0) {
		memcpy(c->row.alarm, ta.cert.identity, sizeof(c->row.alarm));
		obj_set(&row_contact_def, &c->row, CONTACT_ALARM);
		return ROSTER_CHANGED;
	}
	verdict = compare(c->row.account, c->row.devlist, devlist);
	if (verdict != ROSTER_TAKEN)
		return verdict;
	c->row.listkey = listkey;
	c->row.devlist = devlist;
	obj_set(&row_contact_def, &c->row, CONTACT_LISTKEY);
	obj_set(&row_contact_def, &c->row, CONTACT_DEVLIST);
	return ROSTER_TAKEN;
}

/* --- prekeys ------------------------------------------------------------------------------ */

/* The newest prekeys found so far, one of a device. */
struct newest {
	struct span object[SOBJ_DEVICES_MAX];
	uint8_t device[SOBJ_DEVICES_MAX][16];
	uint64_t time[SOBJ_DEVICES_MAX];
	size_t n;
};

/* A time from the future says nothing about what is newer: a clock was wrong. */
static void
add_newest(struct newest *set, const struct trust_account *ta,
    const struct obj_list *prekeys, uint64_t now)
{
	struct s_prekey prekey;
	struct obj_iter it;
	struct span object;
	size_t i;

	obj_iter_init(&it, prekeys);
	while (obj_next_span(&it, &object)) {
		if (trust_prekey(ta, object, &prekey) != CODE_DONE)
			continue;
		if (prekey.time > now + TRUST_SKEW_MS)
			prekey.time = 0;
		for (i = 0; i < set->n; i++)
			if (memcmp(set->device[i], prekey.device, 16) == 0)
				break;
		if (i == SOBJ_DEVICES_MAX || (i < set->n && prekey.time < set->time[i]))
			continue;
		set->object[i] = object;
		set->time[i] = prekey.time;
		memcpy(set->device[i], prekey.device, 16);
		if (i == set->n)
			set->n++;
	}
}

size_t
roster_newest(const struct trust_account *ta, const struct obj_list *had,
    const struct obj_list *got, uint64_t now, struct buf *out)
{
	struct newest set = {.n = 0};

	add_newest(&set, ta, had, now);
	add_newest(&set, ta, got, now);
	for (size_t i = 0; i < set.n; i++)
		cbor_put_bstr(out, set.object[i]);
	return set.n;
}

/* Takes the prekeys of an answer into the contact; they live in *store. */
static void
take_prekeys(
    struct emsg *e, struct contact *c, const struct obj_list *got, struct buf *store)
{
	struct trust_account ta;

	if (trust_account(c->row.account, c->row.listkey, c->row.devlist, &ta) !=
	    CODE_DONE)
		return;
	c->row.prekeys.count =
	    roster_newest(&ta, &c->row.prekeys, got, session_now(e), store);
	c->row.prekeys.raw = buf_span(store);
}

/* --- answers to keys.get ------------------------------------------------------------------- */

static int
own_keys(struct emsg *e, const struct c_keys *keys)
{
	struct row_list list = {.listkey = keys->listkey,
	    .devlist = keys->devlist,
	    .fetched = session_now(e)};
	struct row_list old = {.has = 0};
	struct trust_account ta;
	struct buf bytes, prekeys;
	int rc = 0;

	if (trust_account(e->self.account, keys->listkey, keys->devlist, &ta) !=
		CODE_DONE ||
	    memcmp(ta.cert.identity, e->self.identity, 32) != 0)
		return 0;
	rc = roster_own(e, &old, &bytes);
	buf_init(&prekeys, ROW_KEYS_MAX);
	list.prekeys.count =
	    roster_newest(&ta, &old.prekeys, &keys->prekeys, list.fetched, &prekeys);
	list.prekeys.raw = buf_span(&prekeys);
	if (rc == 0 ||
	    (rc == 1 &&
		compare(e->self.account, old.devlist, keys->devlist) != ROSTER_BACK))
		rc = roster_own_put(e, &list);
	buf_clear(&prekeys);
	buf_clear(&bytes);
	return rc < 0 ? -1 : 0;
}

int
roster_on_keys(struct emsg *e, struct span account, const struct c_keys *keys)
{
	enum roster_verdict verdict;
	struct contact c;
	struct buf prekeys;
	int rc;

	if (span_eq(account, e->self.account))
		return own_keys(e, keys);
	buf_init(&prekeys, ROW_KEYS_MAX);
	rc = contact_get(e, account, &c);
	if (rc == 1) {
		verdict = contact_take(&c, keys->listkey, keys->devlist, true);
		if (verdict == ROSTER_TAKEN || verdict == ROSTER_SAME)
			take_prekeys(e, &c, &keys->prekeys, &prekeys);
		c.row.fetched = session_now(e);
		rc = contact_put(e, &c);
	}
	buf_clear(&prekeys);
	contact_clear(&c);
	return rc;
}

int
roster_on_event(struct emsg *e, struct span account)
{
	struct contact c;
	int rc;

	if (span_eq(account, e->self.account))
		return jobs_add_keys(e, account);
	rc = contact_get(e, account, &c);
	contact_clear(&c);
	return rc == 1 ? jobs_add_keys(e, account) : rc;
}

/* --- consent objects ----------------------------------------------------------------------- */

/* Both asked: that is consent, and the other side gets our grant. */
static int
on_request(struct emsg *e, struct contact *c, const struct s_consent *o)
{
	enum roster_verdict verdict;
	bool wanted = c->state == CONSENT_ASKED || c->row.wanted;

	if (c->state == CONSENT_BLOCKED)
		return 0;
	verdict = contact_take(c, o->listkey, o->devlist, c->state != CONSENT_FULL);
	if (verdict == ROSTER_BAD || verdict == ROSTER_BACK)
		return 0;
	if (c->state == CONSENT_FULL)
		return contact_put(e, c);
	c->state = wanted && verdict != ROSTER_CHANGED ? CONSENT_FULL : CONSENT_PENDING;
	c->row.since = session_now(e);
	if (contact_put(e, c) < 0)
		return -1;
	if (c->state != CONSENT_FULL)
		return 0;
	if (jobs_add_object(e, TYP_GRANT, o->from, NULL) < 0)
		return -1;
	return inbox_retry(e, o->from);
}

static int
on_grant(struct emsg *e, struct contact *c, const struct s_consent *o)
{
	enum roster_verdict verdict;

	if (c->state != CONSENT_FULL && !c->row.wanted)
		return 0;
	verdict = contact_take(c, o->listkey, o->devlist, true);
	if (verdict == ROSTER_BAD || verdict == ROSTER_BACK)
		return 0;
	if (c->state != CONSENT_FULL) {
		c->state = CONSENT_FULL;
		c->row.since = session_now(e);
	}
	return contact_put(e, c) < 0 ? -1 : inbox_retry(e, o->from);
}

static int
on_revoke(struct emsg *e, struct contact *c)
{
	if (c->state == CONSENT_BLOCKED)
		return 0;
	c->state = ROSTER_NONE;
	c->row.wanted = false;
	return contact_put(e, c);
}

/* Opens the object by the typ that it has; NULL if it is none of ours or not valid. */
static const char *
open_object(struct span object, const struct contact *c, struct s_consent *o)
{
	static const char *const typs[] = {TYP_REQUEST, TYP_GRANT, TYP_REVOKE};
	struct trust_account maker;
	struct cose_sign1 sign1;

	if (cose_sign1_parse(object, &sign1) != COSE_OK)
		return NULL;
	for (size_t i = 0; i < sizeof(typs) / sizeof(typs[0]); i++) {
		if (!span_eq(sign1.typ, span_str(typs[i])))
			continue;
		if (strcmp(typs[i], TYP_REVOKE) == 0 &&
		    trust_account(c->row.account, c->row.listkey, c->row.devlist,
			&maker) != CODE_DONE)
			return NULL;
		if (trust_consent(object, typs[i], &maker, o) == CODE_DONE)
			return typs[i];
	}
	return NULL;
}

static int
judge_object(struct emsg *e, struct contact *c, struct span object, struct span from)
{
	struct s_consent o;
	const char *typ = open_object(object, c, &o);

	if (typ == NULL || !span_eq(o.from, from) || !span_eq(o.to, e->self.account))
		return 0;
	if (strcmp(typ, TYP_REQUEST) == 0)
		return on_request(e, c, &o);
	if (strcmp(typ, TYP_GRANT) == 0)
		return on_grant(e, c, &o);
	return on_revoke(e, c);
}

int
roster_on_object(struct emsg *e, const struct p_push *push)
{
	struct p_outer outer;
	struct contact c;
	int rc;

	if (obj_decode(&p_outer_def, push->outer, &outer) != WIRE_OK ||
	    span_eq(outer.from, e->self.account))
		return 0;
	rc = contact_get(e, outer.from, &c);
	if (rc >= 0)
		rc = judge_object(e, &c, push->body, outer.from);
	contact_clear(&c);
	return rc;
}
