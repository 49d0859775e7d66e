/* SPDX-License-Identifier: ISC */
/*
 * devlist.c - certificate and device list of our own accounts: rows, and the rules by which
 * a new list follows an old one.
 *
 * A list is replaced by compare-and-swap on its head only; identity keys never change here.
 * Rows of devices follow from the list: a new device starts at the mailbox's present end, a
 * removed one loses cursor and prekey at once. Called by sreq.c (requests) and slogin.c.
 * Owns nothing; every refusal is a reply code.
 */
#include "base/buf.h"
#include "crypto/cose.h"
#include "store/devlist.h"

bool
devlist_open(struct devlist *d, struct span listkey, struct span devlist)
{
	struct cose_sign1 cert, list;

	if (listkey.n > SOBJ_LISTKEY_MAX || devlist.n > SOBJ_DEVLIST_MAX)
		return false;
	memcpy(d->bytes, listkey.p, listkey.n);
	memcpy(d->bytes + listkey.n, devlist.p, devlist.n);
	d->listkey = span_of(d->bytes, listkey.n);
	d->devlist = span_of(d->bytes + listkey.n, devlist.n);
	return cose_sign1_parse(d->listkey, &cert) == COSE_OK &&
	    obj_decode(&s_listkey_def, cert.payload, &d->trust.cert) == WIRE_OK &&
	    cose_sign1_parse(d->devlist, &list) == COSE_OK &&
	    obj_decode(&s_devlist_def, list.payload, &d->trust.list) == WIRE_OK &&
	    sha_of(d->devlist, d->trust.head) == 0;
}

enum sdb_result
devlist_get(struct sdb *db, struct span address, struct devlist *d)
{
	enum sdb_result res;
	struct span value, listkey;
	struct skey k;
	struct cur c;

	skey_local(&k, address);
	res = sdb_get(db, SDB_LIST, skey_span(&k), &value);
	if (res != SDB_OK)
		return res;
	cur_init(&c, value);
	listkey = cur_bytes(&c, cur_u16(&c));
	if (c.failed || !devlist_open(d, listkey, span_of(c.p, c.n)))
		return SDB_FAULT;
	return SDB_OK;
}

enum sdb_result
devlist_put(struct sdb *db, struct span address, struct span listkey, struct span devlist)
{
	uint8_t head[2] = {(uint8_t)(listkey.n >> 8), (uint8_t)listkey.n};
	struct span parts[] = {span_of(head, sizeof(head)), listkey, devlist};
	struct skey k;

	skey_local(&k, address);
	return sdb_put(db, SDB_LIST, skey_span(&k), parts, 3);
}

/* Makes the rows of the devices of a list that have none. */
static enum sdb_result
add_devices(struct sdb *db, struct span address, const struct trust_account *ta,
    uint64_t birth, uint64_t now)
{
	enum sdb_result res = SDB_OK;
	struct s_device device;
	struct device row;
	struct obj_iter it;

	obj_iter_init(&it, &ta->list.devices);
	while (res == SDB_OK && obj_next(&it, &s_device_def, &device)) {
		res = device_get(db, address, device.id, &row);
		if (res != SDB_NONE)
			continue;
		row = (struct device){.birth = birth, .cursor = birth, .added = now};
		memcpy(row.id, device.id, sizeof(row.id));
		res = device_put(db, address, &row);
	}
	return res;
}

enum sdb_result
devlist_first(struct sdb *db, struct span address, const struct trust_account *ta,
    struct span listkey, struct span devlist, struct span prekey, uint64_t now)
{
	struct acct a = {.state = ACCT_LIVE, .created = now};
	struct s_device device;
	struct obj_iter it;
	enum sdb_result res;

	memcpy(a.identity, ta->cert.identity, sizeof(a.identity));
	obj_iter_init(&it, &ta->list.devices);
	if (!obj_next(&it, &s_device_def, &device))
		return SDB_FAULT;
	res = acct_put(db, address, &a);
	if (res == SDB_OK)
		res = devlist_put(db, address, listkey, devlist);
	if (res == SDB_OK)
		res = add_devices(db, address, ta, 0, now);
	return res == SDB_OK ? prekey_put(db, address, device.id, prekey) : res;
}

/* --- list.put ------------------------------------------------------------------------------- */

/* Whether the new list may follow the present one. */
static unsigned
may_follow(const struct devlist *old, const struct trust_account *new,
    const struct devlist_change *ch)
{
	const struct s_devlist *list = &new->list;
	bool has_prev = obj_has(&s_devlist_def, list, 4);
	struct s_device self;

	if (memcmp(ch->expect, old->trust.head, SHA_SIZE) != 0)
		return CODE_CONFLICT;
	if (memcmp(new->cert.identity, old->trust.cert.identity, 32) != 0)
		return CODE_NOT_AUTHORISED;
	if (list->generation < old->trust.list.generation)
		return CODE_CONFLICT;
	if (list->generation > old->trust.list.generation)
		return list->seq == 1 && !has_prev ? CODE_DONE : CODE_MALFORMED;
	if (memcmp(new->cert.key, old->trust.cert.key, 32) != 0)
		return CODE_NOT_AUTHORISED;
	if (list->seq != old->trust.list.seq + 1 || !has_prev ||
	    memcmp(list->prev, old->trust.head, SHA_SIZE) != 0)
		return CODE_CONFLICT;
	return trust_device(new, ch->caller, &self) ? CODE_DONE : CODE_NOT_AUTHORISED;
}

/* Removes rows of devices that the new list does not have, and names them in ch. */
static enum sdb_result
drop_devices(struct sdb *db, const struct trust_account *new, struct devlist_change *ch)
{
	enum sdb_result res = SDB_OK;
	struct s_device found;
	struct sdb_walk w;
	struct device d;

	device_walk(&w, db, ch->address);
	while (ch->ngone < SOBJ_DEVICES_MAX && device_next(&w, &d))
		if (!trust_device(new, d.id, &found))
			memcpy(ch->gone[ch->ngone++], d.id, sizeof(d.id));
	for (size_t i = 0; i < ch->ngone && res == SDB_OK; i++) {
		res = device_del(db, ch->address, ch->gone[i]);
		if (res == SDB_OK)
			res = prekey_del(db, ch->address, ch->gone[i]);
	}
	return res;
}

static enum sdb_result
write_change(struct sdb *db, struct devlist_change *ch, const struct trust_account *new,
    struct span listkey, const struct s_prekey *prekey)
{
	struct acct a;
	enum sdb_result res = acct_live(db, ch->address, &a);

	if (res == SDB_OK)
		res = devlist_put(db, ch->address, listkey, ch->devlist);
	if (res == SDB_OK)
		res = drop_devices(db, new, ch);
	if (res == SDB_OK)
		res = add_devices(db, ch->address, new, a.head, ch->now);
	if (res == SDB_OK && prekey != NULL)
		res = prekey_put(db, ch->address, prekey->device, ch->prekey);
	return res;
}

unsigned
devlist_change(struct sdb *db, struct devlist_change *ch)
{
	struct trust_account new;
	struct s_prekey prekey;
	struct devlist old;
	struct span listkey;
	unsigned code;

	ch->ngone = 0;
	switch (devlist_get(db, ch->address, &old)) {
	case SDB_OK:
		break;
	case SDB_NONE:
		return CODE_UNKNOWN_ACCOUNT;
	default:
		return CODE_STORAGE;
	}
	listkey = ch->listkey.n > 0 ? ch->listkey : old.listkey;
	code = trust_account(ch->address, listkey, ch->devlist, &new);
	if (code == CODE_DONE)
		code = may_follow(&old, &new, ch);
	if (code == CODE_DONE && ch->prekey.n > 0)
		code = trust_prekey(&new, ch->prekey, &prekey);
	if (code != CODE_DONE)
		return code;
	return write_change(db, ch, &new, listkey, ch->prekey.n > 0 ? &prekey : NULL) ==
		SDB_OK
	    ? CODE_DONE
	    : CODE_STORAGE;
}
