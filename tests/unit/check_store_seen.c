/* SPDX-License-Identifier: ISC */
/*
 * check_store_seen.c - promise 2: what is new, what is a repeat, what is another item; and
 * what each device gets of it, until all have it or its time is up.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "store/bounds.h"
#include "store/seen.h"
#include "tests/unit/storekit.h"

static struct kit_user alice, bob;
static struct kit_item item;
static bool stored;
static const uint8_t other[16] = "another device.";

static void
setup(void)
{
	kit_open(64 << 20);
	kit_join(&alice, "alice#im.alpha.test");
	kit_join(&bob, "bob#im.alpha.test");
	kit_befriend(&bob, &alice);
	kit_commit();
	kit_item(&item, &alice, false, bob.address);
	kit_stanza(&item, bob.id, 1);
}

static void
teardown(void)
{
	kit_item_clear(&item);
	kit_user_clear(&alice);
	kit_user_clear(&bob);
	kit_close();
}

static unsigned
deliver(void)
{
	unsigned code = kit_deliver(&item, &stored);

	kit_commit();
	return code;
}

static uint64_t
head(void)
{
	struct acct a;

	ck_assert_int_eq(acct_live(kit_db, span_str(bob.address), &a), SDB_OK);
	return a.head;
}

START_TEST(repeat)
{
	ck_assert_uint_eq(deliver(), CODE_DONE);
	ck_assert(stored);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(deliver(), CODE_KNOWN);
		ck_assert(!stored);
	}
	kit_reopen();
	ck_assert_uint_eq(deliver(), CODE_KNOWN);
	ck_assert_uint_eq(head(), 1);
}
END_TEST

/* A repeat with a fresh stanza is appended with that stanza alone. */
START_TEST(new_stanza)
{
	struct mail m;
	uint64_t at = 1;

	ck_assert_uint_eq(deliver(), CODE_DONE);
	kit_stanza(&item, bob.id, 2);
	ck_assert_uint_eq(deliver(), CODE_KNOWN);
	ck_assert(stored);
	ck_assert_uint_eq(deliver(), CODE_KNOWN);
	ck_assert(!stored);
	ck_assert_uint_eq(head(), 2);
	ck_assert_int_eq(mailbox_next(kit_db, span_str(bob.address), &at, &m), SDB_OK);
	ck_assert_uint_eq(at, 2);
	ck_assert_uint_eq(m.stanzas.count, 1);
}
END_TEST

/* At most 4 stanzas a device; the fifth brings nothing, one for another device does. */
START_TEST(stanza_limit)
{
	for (uint8_t i = 2; i < 9; i++)
		kit_stanza(&item, bob.id, i);
	ck_assert_uint_eq(deliver(), CODE_DONE);
	kit_stanza(&item, bob.id, 50);
	ck_assert_uint_eq(deliver(), CODE_KNOWN);
	ck_assert(!stored);
	kit_stanza(&item, other, 50);
	ck_assert_uint_eq(deliver(), CODE_KNOWN);
	ck_assert(stored);
	ck_assert_uint_eq(head(), 2);
}
END_TEST

/* The same mid with another body is another item, up to 4; the fifth is refused. */
START_TEST(variants)
{
	for (int i = 0; i < 4; i++) {
		buf_put_u8(&item.body, (uint8_t)i);
		ck_assert_uint_eq(deliver(), CODE_DONE);
	}
	buf_put_u8(&item.body, 9);
	ck_assert_uint_eq(deliver(), CODE_MID_USED);
	ck_assert(!stored);
	item.body.n--;
	ck_assert_uint_eq(deliver(), CODE_KNOWN);
	ck_assert_uint_eq(head(), 4);
}
END_TEST

/* A forgery that another domain delivers first does not take the true one's place, nor does
 * it use up the true one's four. */
START_TEST(forged_first)
{
	struct kit_item forged;
	struct kit_user carol;
	bool taken;

	kit_user(&carol, "alice#im.beta.test");
	kit_befriend(&bob, &carol);
	for (uint8_t i = 0; i < 5; i++) {
		kit_item(&forged, &carol, true, bob.address);
		memcpy(forged.mid, item.mid, sizeof(item.mid));
		kit_stanza(&forged, bob.id, 7);
		buf_put_u8(&forged.body, i);
		ck_assert_uint_eq(
		    kit_deliver(&forged, &taken), i < 4 ? CODE_DONE : CODE_MID_USED);
		kit_commit();
		kit_item_clear(&forged);
	}
	ck_assert_uint_eq(deliver(), CODE_DONE);
	ck_assert_uint_eq(head(), 5);
	kit_user_clear(&carol);
}
END_TEST

/* What a repeat is told does not depend on what happened to the consent meanwhile. */
START_TEST(known_after_revocation)
{
	struct consent_act act = {.now = KIT_NOW};
	struct devlist own;
	struct buf b;

	ck_assert_uint_eq(deliver(), CODE_DONE);
	buf_init(&b, 32768);
	kit_consent(&b, &bob, alice.address, TYP_REVOKE, 0);
	ck_assert_int_eq(devlist_get(kit_db, span_str(bob.address), &own), SDB_OK);
	ck_assert_uint_eq(consent_open(buf_span(&b), &own, &act), CODE_DONE);
	ck_assert_uint_eq(consent_make(kit_db, &act), CODE_DONE);
	buf_clear(&b);
	ck_assert_uint_eq(deliver(), CODE_KNOWN);
	buf_put_u8(&item.body, 1);
	ck_assert_uint_eq(deliver(), CODE_NOT_ACCEPTED);
	ck_assert(!stored);
}
END_TEST

/* A turn that was given up leaves no trace: the repeat is new. */
START_TEST(given_up)
{
	ck_assert_uint_eq(kit_deliver(&item, &stored), CODE_DONE);
	sdb_abort(kit_db);
	ck_assert_uint_eq(head(), 0);
	ck_assert_uint_eq(deliver(), CODE_DONE);
	ck_assert_uint_eq(head(), 1);
}
END_TEST

/* Keys go 30 days after the time of their mid, not before. */
START_TEST(expiry)
{
	ck_assert_uint_eq(deliver(), CODE_DONE);
	ck_assert_uint_eq(seen_expire(kit_db, KIT_NOW + STORE_SEEN_LIFE_MS - 1, 10), 0);
	ck_assert_uint_eq(seen_expire(kit_db, KIT_NOW + STORE_SEEN_LIFE_MS, 10), 1);
	kit_commit();
	ck_assert_uint_eq(deliver(), CODE_DONE);
}
END_TEST

START_TEST(fates_once)
{
	struct seen_fate f = {.account = span_str(alice.address),
	    .recipient = span_str("bob#im.beta.test"),
	    .mid = item.mid,
	    .device = alice.id,
	    .state = FATE_ARRIVED};

	ck_assert_int_eq(seen_fate(kit_db, &f), SDB_OK);
	ck_assert_int_eq(seen_fate(kit_db, &f), SDB_NONE);
	f.state = FATE_FAILED;
	ck_assert_int_eq(seen_fate(kit_db, &f), SDB_OK);
	f.recipient = span_str("carol#im.beta.test");
	ck_assert_int_eq(seen_fate(kit_db, &f), SDB_OK);
	ck_assert_int_eq(seen_fate(kit_db, &f), SDB_NONE);
}
END_TEST

/* --- the item as a whole -------------------------------------------------------------------- */

START_TEST(refusals)
{
	item.admit.outer.from = span_str("bob#im.alpha.test");
	ck_assert_uint_eq(deliver(), CODE_NOT_AUTHORISED);
	item.admit.outer.from = span_str(alice.address);
	item.admit.outer.device[0] ^= 1;
	ck_assert_uint_eq(deliver(), CODE_NOT_AUTHORISED);
	item.admit.outer.device[0] ^= 1;
	item.admit.from = ADMIT_PEER;
	item.admit.name = span_str("im.beta.test");
	ck_assert_uint_eq(deliver(), CODE_WRONG_DOMAIN);
	item.admit.from = ADMIT_DEVICE;
	item.admit.name = span_str(alice.address);
	item.to.account = span_str("bob#im.beta.test");
	ck_assert_uint_eq(deliver(), CODE_WRONG_DOMAIN);
	item.to.account = span_str("Bob#im.alpha.test");
	ck_assert_uint_eq(deliver(), CODE_MALFORMED);
	item.to.account = span_str("nobody#im.alpha.test");
	ck_assert_uint_eq(deliver(), CODE_NOT_ACCEPTED);
	item.to.account = span_str(bob.address);
	item.admit.put.kind = 9;
	ck_assert_uint_eq(deliver(), CODE_UNSUPPORTED);
	item.admit.put.kind = ITEM_MESSAGE;
	item.mid[6] = 0x40;
	ck_assert_uint_eq(deliver(), CODE_MALFORMED);
	mid_make(item.mid, KIT_NOW + MID_AHEAD_MS + 1);
	ck_assert_uint_eq(deliver(), CODE_CLOCK);
	mid_make(item.mid, KIT_NOW - MID_BEHIND_SUBMIT_MS - 1);
	ck_assert_uint_eq(deliver(), CODE_CLOCK);
	mid_make(item.mid, KIT_NOW - MID_BEHIND_SUBMIT_MS);
	ck_assert_uint_eq(deliver(), CODE_DONE);
}
END_TEST

START_TEST(quota)
{
	item.admit.mailbox_max = 300;
	ck_assert_uint_eq(deliver(), CODE_QUOTA);
	item.admit.mailbox_max = 1000;
	ck_assert_uint_eq(deliver(), CODE_DONE);
	item.admit.mailbox_max = 300;
	ck_assert_uint_eq(deliver(), CODE_KNOWN);
}
END_TEST

/* One's own other devices need no consent. */
START_TEST(own_devices)
{
	struct kit_item self;

	kit_item(&self, &alice, false, alice.address);
	ck_assert_uint_eq(kit_deliver(&self, &stored), CODE_DONE);
	ck_assert(!stored);
	kit_stanza(&self, other, 3);
	ck_assert_uint_eq(kit_deliver(&self, &stored), CODE_DONE);
	ck_assert(stored);
	kit_item_clear(&self);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store_seen");
	TCase *t = tcase_create("seen");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, repeat);
	tcase_add_test(t, new_stanza);
	tcase_add_test(t, stanza_limit);
	tcase_add_test(t, variants);
	tcase_add_test(t, forged_first);
	tcase_add_test(t, known_after_revocation);
	tcase_add_test(t, given_up);
	tcase_add_test(t, expiry);
	tcase_add_test(t, fates_once);
	tcase_add_test(t, refusals);
	tcase_add_test(t, quota);
	tcase_add_test(t, own_devices);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
