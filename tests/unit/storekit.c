/* SPDX-License-Identifier: ISC */
/*
 * storekit.c - a database, accounts and items for the tests of store. What it makes is signed
 * with real keys; failures end the test.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/storekit.h"

struct sdb *kit_db;
static char dir[64];
static uint64_t size;

const char *
kit_dir(void)
{
	return dir;
}

void
kit_reopen(void)
{
	const char *why = "";

	sdb_close(kit_db);
	kit_db = sdb_open(dir, size, &why);
	ck_assert_msg(kit_db != NULL, "%s", why);
}

void
kit_open(uint64_t map_size)
{
	snprintf(dir, sizeof(dir), "/tmp/check-store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	size = map_size;
	kit_db = NULL;
	kit_reopen();
}

void
kit_close(void)
{
	static const char *const files[] = {"data.mdb", "lock.mdb"};
	char path[128];

	sdb_close(kit_db);
	kit_db = NULL;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

void
kit_commit(void)
{
	ck_assert_int_eq(sdb_commit(kit_db), SDB_OK);
}

/* --- users ---------------------------------------------------------------------------------- */

void
kit_user(struct kit_user *u, const char *address)
{
	u->address = address;
	kit_key(&u->identity);
	kit_key(&u->list);
	kit_key(&u->device);
	ck_assert_int_eq(trust_device_id(u->device.pub, u->id), 0);
	buf_init(&u->listkey, 8192);
	buf_init(&u->devlist, 16384);
	buf_init(&u->prekey, 8192);
	kit_listkey(&u->listkey, address, &u->identity, &u->list, 1);
	kit_devlist(&u->devlist, address, &u->list, 1, 1, NULL, &u->device, 1);
	kit_prekey(&u->prekey, address, &u->device, u->device.pub);
}

void
kit_join(struct kit_user *u, const char *address)
{
	struct trust_account ta;

	kit_user(u, address);
	ck_assert_uint_eq(trust_account(span_str(address), buf_span(&u->listkey),
			      buf_span(&u->devlist), &ta),
	    CODE_DONE);
	ck_assert_int_eq(
	    devlist_first(kit_db, span_str(address), &ta, buf_span(&u->listkey),
		buf_span(&u->devlist), buf_span(&u->prekey), KIT_NOW),
	    SDB_OK);
}

void
kit_user_clear(struct kit_user *u)
{
	buf_clear(&u->listkey);
	buf_clear(&u->devlist);
	buf_clear(&u->prekey);
}

void
kit_consent(struct buf *out, const struct kit_user *u, const char *to, const char *typ,
    enum consent_how how)
{
	struct s_consent c = {
	    .from = span_str(u->address), .to = span_str(to), .time = KIT_NOW};

	memcpy(c.device, u->id, sizeof(c.device));
	if (strcmp(typ, TYP_REVOKE) != 0) {
		c.listkey = buf_span(&u->listkey);
		c.devlist = buf_span(&u->devlist);
		obj_set(&s_consent_def, &c, 5);
		obj_set(&s_consent_def, &c, 6);
	}
	if (strcmp(typ, TYP_REQUEST) == 0) {
		c.how = how;
		obj_set(&s_consent_def, &c, 7);
	}
	if (how == HOW_TICKET) {
		c.ticket = span_str("sixteen bytes...");
		obj_set(&s_consent_def, &c, 8);
	}
	kit_sign(out, &s_consent_def, &c, typ, &u->device);
}

void
kit_befriend(struct kit_user *owner, struct kit_user *other)
{
	struct consent_act act = {.now = KIT_NOW};
	struct buf b;

	buf_init(&b, 32768);
	kit_consent(&b, owner, other->address, TYP_GRANT, 0);
	ck_assert_uint_eq(consent_open(buf_span(&b), NULL, &act), CODE_DONE);
	ck_assert_uint_eq(consent_make(kit_db, &act), CODE_DONE);
	buf_clear(&b);
}

/* --- items ---------------------------------------------------------------------------------- */

void
kit_item(struct kit_item *it, const struct kit_user *from, bool peer, const char *to)
{
	const char *domain = strchr(from->address, '#') + 1;

	memset(it, 0, sizeof(*it));
	buf_init(&it->outer, 1024);
	buf_init(&it->body, 65536);
	buf_init(&it->stanzas, 65536);
	mid_make(it->mid, KIT_NOW);
	buf_put(&it->body, "sealed", 6);
	it->to.account = span_str(to);
	it->admit = (struct admit){.from = peer ? ADMIT_PEER : ADMIT_DEVICE,
	    .name = span_str(peer ? domain : from->address),
	    .device = from->id,
	    .domain = span_str(KIT_DOMAIN),
	    .now = KIT_NOW,
	    .retention = 86400000,
	    .mailbox_max = 1 << 20,
	    .limits = {.per_sender = 3,
		.per_domain = 5,
		.policy = CONF_CONSENT_EVERYONE,
		.own_domain = span_str(KIT_DOMAIN)}};
	it->admit.put.kind = ITEM_MESSAGE;
	it->admit.outer.fmt = it->admit.outer.suite = 1;
	it->admit.outer.from = span_str(from->address);
	memcpy(it->admit.outer.device, from->id, 16);
}

void
kit_stanza(struct kit_item *it, const uint8_t device[16], uint8_t fill)
{
	struct p_stanza s;

	memset(&s, fill, sizeof(s));
	memcpy(s.device, device, sizeof(s.device));
	ck_assert_int_eq(obj_encode(&p_stanza_def, &s, &it->stanzas), WIRE_OK);
	it->count++;
}

void
kit_item_clear(struct kit_item *it)
{
	buf_clear(&it->outer);
	buf_clear(&it->body);
	buf_clear(&it->stanzas);
}

unsigned
kit_deliver(struct kit_item *it, bool *stored)
{
	struct admit *a = &it->admit;
	struct buf list;
	unsigned code;

	buf_reset(&it->outer);
	memcpy(a->outer.mid, it->mid, sizeof(it->mid));
	if (a->put.kind == ITEM_OBJECT)
		a->outer.fmt = a->outer.suite = 0;
	ck_assert_int_eq(obj_encode(&p_outer_def, &a->outer, &it->outer), WIRE_OK);
	a->put.outer = buf_span(&it->outer);
	a->put.body = buf_span(&it->body);
	it->to.stanzas.raw = buf_span(&it->stanzas);
	it->to.stanzas.count = it->count;
	buf_init(&list, 65536);
	ck_assert_int_eq(obj_encode(&p_recipient_def, &it->to, &list), WIRE_OK);
	a->put.to.raw = buf_span(&list);
	a->put.to.count = 1;
	*stored = false;
	code = admit_check(a);
	if (code == CODE_DONE)
		code = admit_to(kit_db, a, &it->to, stored);
	buf_clear(&list);
	return code;
}
