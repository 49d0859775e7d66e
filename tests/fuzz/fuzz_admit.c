/* SPDX-License-Identifier: ISC */
/*
 * fuzz_admit.c - fuzz target: items and consent objects that store judges.
 *
 * A database has two accounts of ours, alice and bob; alice is a contact of bob and of carol,
 * who is elsewhere. The input is a series of items: a byte says who brings it and its kind,
 * then come the outer header, the recipients and the body, which may be an object that is
 * signed here (signer.h). Some bodies are objects that a device has made and published itself
 * (consent.put), or newer keys of a contact. All that an input changes is given up at its end. What must hold:
 * an item is stored exactly if the mailbox says so; the same item is not stored twice; nobody
 * but a contact leaves a message; a sender is of the domain that brings the item.
 */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "fuzz/signer.h"
#include "store/admit.h"

#define NOW 1800000000000ULL
#define OURS "im.alpha.test"
#define THEIRS "im.beta.test"
#define ALICE "alice#im.alpha.test"
#define BOB "bob#im.alpha.test"
#define CAROL "carol#im.beta.test"
#define MAP_SIZE (64U << 20)
#define ROOM 65536
#define ITEMS_MAX 8

#define FROM_PEER 0x01   /* the server of THEIRS, else a device */
#define FROM_BOB 0x02    /* the device is bob's, else alice's */
#define KIND_OBJECT 0x04 /* a consent object, else a message */
#define POLICY_TICKET 0x08
#define OWN_OBJECT 0x10 /* the device publishes the body */
#define NEWER_KEYS 0x20 /* recipients and body are certificate and list of carol */

/* Keys: identity, list, device. */
enum { KEYS_ALICE = 1, KEYS_BOB = 4, KEYS_CAROL = 7 };

struct user {
	const char *address;
	uint8_t keys;
	uint8_t id[PROTO_DEVICE_SIZE];
	struct buf listkey, devlist, prekey;
};

static struct user alice = {.address = ALICE, .keys = KEYS_ALICE};
static struct user bob = {.address = BOB, .keys = KEYS_BOB};
static struct user carol = {.address = CAROL, .keys = KEYS_CAROL};
static struct sdb *db;

/* --- the world ---------------------------------------------------------------------------- */

static void
make_list(struct user *u, const uint8_t key[32])
{
	struct s_device device = {.name = span_str("phone"), .added = NOW};
	struct s_devlist list = {
	    .account = span_str(u->address), .generation = 1, .seq = 1, .time = NOW};
	struct buf b;

	memcpy(device.key, key, sizeof(device.key));
	memcpy(device.id, u->id, sizeof(device.id));
	buf_init(&b, ROOM);
	fuzz_check(obj_encode(&s_device_def, &device, &b) == WIRE_OK);
	list.devices.raw = buf_span(&b);
	list.devices.count = 1;
	signer_sign(&u->devlist, &s_devlist_def, &list, TYP_DEVLIST, u->keys + 1);
	buf_clear(&b);
}

static void
make_prekey(struct user *u)
{
	struct s_prekey prekey = {.account = span_str(u->address), .time = NOW};
	struct s_suite suite = {.fmt = 1, .suite = 1};
	struct buf b;

	memcpy(prekey.device, u->id, sizeof(prekey.device));
	prekey.key[0] = u->keys;
	buf_init(&b, ROOM);
	fuzz_check(obj_encode(&s_suite_def, &suite, &b) == WIRE_OK);
	prekey.suites.raw = buf_span(&b);
	prekey.suites.count = 1;
	signer_sign(&u->prekey, &s_prekey_def, &prekey, TYP_PREKEY, u->keys + 2);
	buf_clear(&b);
}

static void
make_user(struct user *u)
{
	struct s_listkey cert = {
	    .account = span_str(u->address), .generation = 1, .time = NOW};
	uint8_t seed[32], key[32];

	buf_init(&u->listkey, ROOM);
	buf_init(&u->devlist, ROOM);
	buf_init(&u->prekey, ROOM);
	signer_key(u->keys, seed, cert.identity);
	signer_key(u->keys + 1, seed, cert.key);
	signer_key(u->keys + 2, seed, key);
	fuzz_check(trust_device_id(key, u->id) == 0);
	signer_sign(&u->listkey, &s_listkey_def, &cert, TYP_LISTKEY, u->keys);
	make_list(u, key);
	make_prekey(u);
}

static void
join(struct user *u)
{
	struct trust_account ta;

	fuzz_check(trust_account(span_str(u->address), buf_span(&u->listkey),
		       buf_span(&u->devlist), &ta) == CODE_DONE);
	fuzz_check(devlist_first(db, span_str(u->address), &ta, buf_span(&u->listkey),
		       buf_span(&u->devlist), buf_span(&u->prekey), NOW) == SDB_OK);
}

/* Makes owner's row for other full. */
static void
befriend(struct user *owner, const struct user *other)
{
	struct s_consent grant = {.from = span_str(owner->address),
	    .to = span_str(other->address),
	    .time = NOW,
	    .listkey = buf_span(&owner->listkey),
	    .devlist = buf_span(&owner->devlist)};
	struct consent_act act = {.now = NOW};
	struct buf b;

	memcpy(grant.device, owner->id, sizeof(grant.device));
	obj_set(&s_consent_def, &grant, 5);
	obj_set(&s_consent_def, &grant, 6);
	buf_init(&b, ROOM);
	signer_sign(&b, &s_consent_def, &grant, TYP_GRANT, owner->keys + 2);
	fuzz_check(consent_open(buf_span(&b), NULL, &act) == CODE_DONE);
	fuzz_check(consent_make(db, &act) == CODE_DONE);
	buf_clear(&b);
}

/* The files go at once; the database needs only what is open. */
static void
open_db(void)
{
	static const char *const files[] = {"data.mdb", "lock.mdb"};
	char dir[] = "/tmp/fuzz-admit.XXXXXX", path[64];
	const char *why;

	fuzz_check(mkdtemp(dir) != NULL);
	fuzz_check((db = sdb_open(dir, MAP_SIZE, &why)) != NULL);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

static void
set_up(void)
{
	open_db();
	make_user(&alice);
	make_user(&bob);
	make_user(&carol);
	join(&alice);
	join(&bob);
	befriend(&alice, &bob);
	befriend(&alice, &carol);
	fuzz_check(sdb_commit(db) == SDB_OK);
}

/* --- items -------------------------------------------------------------------------------- */

static struct span
piece(struct cur *c)
{
	size_t n = cur_u16(c);

	return cur_bytes(c, n < c->n ? n : c->n);
}

static struct admit
judge(uint8_t how)
{
	const struct user *u = (how & FROM_BOB) != 0 ? &bob : &alice;
	bool peer = (how & FROM_PEER) != 0;

	return (struct admit){.from = peer ? ADMIT_PEER : ADMIT_DEVICE,
	    .name = span_str(peer ? THEIRS : u->address),
	    .device = u->id,
	    .domain = span_str(OURS),
	    .now = NOW,
	    .retention = 86400000,
	    .mailbox_max = 2048,
	    .limits = {.per_sender = 2,
		.per_domain = 3,
		.policy = (how & POLICY_TICKET) != 0 ? CONF_CONSENT_TICKET
						     : CONF_CONSENT_EVERYONE,
		.own_domain = span_str(OURS)}};
}

/* Entries in the mailbox of an address of ours. */
static uint64_t
entries(struct span address)
{
	struct acct a = {.state = 0};

	return acct_get(db, address, &a) == SDB_OK ? a.items : 0;
}

static void
check_sender(const struct admit *d)
{
	struct addr from;

	fuzz_check(addr_parse_wire(d->outer.from, &from));
	if (d->from == ADMIT_PEER)
		fuzz_check(span_eq(from.domain, d->name));
	else
		fuzz_check(span_eq(d->outer.from, d->name));
}

static void
deliver(const struct admit *d, const struct p_recipient *to)
{
	uint64_t before = entries(to->account);
	bool stored = false, again = false, self, contact;
	unsigned code = admit_to(db, d, to, &stored);

	fuzz_check(code_symbol(code) != NULL && code != CODE_STORAGE);
	fuzz_check(entries(to->account) == before + stored);
	if (!stored)
		return;
	fuzz_check(code_class(code) == CODE_OK);
	self = span_eq(d->outer.from, to->account);
	contact = consent_state(db, to->account, d->outer.from, NOW) == CONSENT_FULL;
	fuzz_check(d->put.kind != ITEM_MESSAGE || self || contact);
	(void)admit_to(db, d, to, &again);
	fuzz_check(!again);
}

/* The device's own act, as sreq.c has it done. */
static void
publish(const struct admit *d, struct span object)
{
	struct consent_act act = {.now = NOW};
	struct devlist own;
	struct addr to;

	fuzz_check(devlist_get(db, d->name, &own) == SDB_OK);
	if (consent_open(object, &own, &act) != CODE_DONE ||
	    !span_eq(act.object.from, d->name) ||
	    memcmp(act.object.device, d->device, PROTO_DEVICE_SIZE) != 0 ||
	    memcmp(act.maker.cert.identity, own.trust.cert.identity, 32) != 0 ||
	    !addr_parse_wire(act.object.to, &to) || span_eq(act.object.to, d->name))
		return;
	fuzz_check(consent_make(db, &act) != CODE_STORAGE);
	if (strcmp(act.typ, TYP_REVOKE) == 0)
		fuzz_check(
		    consent_state(db, d->name, act.object.to, NOW) != CONSENT_FULL);
}

/* What a device is told of its rows; old requests go. */
static void
tend(void)
{
	struct c_consent_row row;
	struct c_consent_rows rows;
	struct obj_iter it;
	struct skey at;
	struct buf out;

	buf_init(&out, ROOM);
	fuzz_check(consent_list(db, span_str(ALICE), NOW, &out));
	fuzz_check(obj_decode(&c_consent_rows_def, buf_span(&out), &rows) == WIRE_OK);
	obj_iter_init(&it, &rows.rows);
	while (obj_next(&it, &c_consent_row_def, &row))
		fuzz_check(consent_state(db, span_str(ALICE), row.account, NOW) ==
		    (int)row.state);
	buf_clear(&out);
	skey_init(&at);
	consent_sweep(db, NOW + NOW, ITEMS_MAX, &at);
}

/* An item as it comes from listener. */
static void
handle_put(struct admit *d, const struct p_put *put)
{
	struct p_recipient to;
	struct obj_iter it;
	struct buf whole;

	buf_init(&whole, 4 * ROOM);
	if (obj_encode(&p_put_def, put, &whole) == WIRE_OK &&
	    obj_decode(&p_put_def, buf_span(&whole), &d->put) == WIRE_OK &&
	    admit_check(d) == CODE_DONE) {
		check_sender(d);
		obj_iter_init(&it, &d->put.to);
		while (obj_next(&it, &p_recipient_def, &to))
			deliver(d, &to);
	}
	buf_clear(&whole);
}

/* One item of the input, or what stands in its place. */
static void
handle_item(struct cur *c)
{
	uint8_t how = cur_u8(c);
	struct p_put put = {
	    .kind = (how & KIND_OBJECT) != 0 ? ITEM_OBJECT : ITEM_MESSAGE};
	struct admit d = judge(how);
	struct buf body;

	buf_init(&body, ROOM);
	put.outer = piece(c);
	put.to.count = cur_u8(c);
	put.to.raw = piece(c);
	signer_read(c, &body);
	put.body = buf_span(&body);
	if ((how & NEWER_KEYS) != 0)
		fuzz_check(consent_refresh(db, span_str(ALICE), span_str(CAROL),
			       put.to.raw, put.body) != SDB_FAULT);
	else if ((how & (OWN_OBJECT | FROM_PEER)) == OWN_OBJECT)
		publish(&d, put.body);
	else
		handle_put(&d, &put);
	buf_clear(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cur c;

	if (n == 0 || n > ROOM)
		return 0;
	if (db == NULL)
		set_up();
	cur_init(&c, span_of(p, n));
	for (int i = 0; i < ITEMS_MAX && c.n > 0; i++)
		handle_item(&c);
	tend();
	if (sdb_dirty(db))
		sdb_abort(db);
	return 0;
}
