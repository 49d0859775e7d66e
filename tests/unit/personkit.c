/* SPDX-License-Identifier: ISC */
/*
 * personkit.c - people for the tests of libemsg: accounts made of keys only.
 *
 * A person has an identity, a device, a list and a prekey, as a client would have published
 * them, but no database and no server. Owns nothing; persons belong to the test. Fails the test
 * that called it.
 */
#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "crypto/ed25519.h"
#include "libemsg/keys.h"
#include "personkit.h"

void
person_make(struct person *p, const char *account)
{
	memset(p, 0, sizeof(*p));
	p->self.account = span_str(account);
	p->self.name = span_str("test");
	p->self.port = 443;
	p->self.receipts = true;
	buf_init(&p->listkey, SOBJ_LISTKEY_MAX);
	buf_init(&p->devlist, SOBJ_DEVLIST_MAX);
	buf_init(&p->prekey_bytes, SOBJ_PREKEY_MAX);
	ck_assert_int_eq(keys_make_account(&p->self), 0);
	ck_assert_int_eq(keys_listkey(&p->self, 1, clock_wall_ms(), &p->listkey), 0);
	ck_assert_int_eq(keys_first_list(&p->self, clock_wall_ms(), &p->devlist), 0);
	ck_assert_int_eq(
	    keys_prekey(&p->self, clock_wall_ms(), &p->prekey, &p->prekey_bytes), 0);
}

void
person_add_device(struct person *p, struct row_self *device)
{
	struct s_device entry = {.name = span_str("more"), .added = clock_wall_ms()};
	struct buf next;

	*device = p->self;
	ck_assert_int_eq(keys_make_device(device), 0);
	memcpy(entry.id, device->device, sizeof(entry.id));
	ed25519_public(device->device_seed, entry.key);
	buf_init(&next, SOBJ_DEVLIST_MAX);
	ck_assert_int_eq(keys_list_with(&p->self, buf_span(&p->devlist), &entry,
			     clock_wall_ms(), &next),
	    0);
	buf_clear(&p->devlist);
	p->devlist = next;
}

void
person_clear(struct person *p)
{
	buf_clear(&p->listkey);
	buf_clear(&p->devlist);
	buf_clear(&p->prekey_bytes);
}
