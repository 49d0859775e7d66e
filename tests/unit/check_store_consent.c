/* SPDX-License-Identifier: ISC */
/*
 * check_store_consent.c - the table of doc/protocol.md section 10, row by row and state by
 * state, and the limits of pending requests.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/bounds.h"
#include "tests/unit/storekit.h"

#define BLOCKED_VALUE                                                                    \
	"\4\0\0\0\0\0\0\0\1\0\0\0" /* state, since, two lengths: "\0" ends it */

static struct kit_user x, y;

static void
setup(void)
{
	kit_open(64 << 20);
	kit_join(&x, "xenia#im.alpha.test");
	kit_user(&y, "yuri#im.beta.test");
}

static void
teardown(void)
{
	kit_user_clear(&x);
	kit_user_clear(&y);
	kit_close();
}

static int
state(uint64_t now)
{
	return consent_state(kit_db, span_str(x.address), span_str(y.address), now);
}

/* X's own device makes an object to Y. */
static unsigned
make(const char *typ)
{
	struct consent_act act = {.now = KIT_NOW};
	struct devlist own;
	unsigned code;
	struct buf b;

	buf_init(&b, 32768);
	kit_consent(&b, &x, y.address, typ, HOW_OPEN);
	ck_assert_int_eq(devlist_get(kit_db, span_str(x.address), &own), SDB_OK);
	code = consent_open(buf_span(&b), &own, &act);
	if (code == CODE_DONE)
		code = consent_make(kit_db, &act);
	buf_clear(&b);
	kit_commit();
	return code;
}

/* An object by maker arrives for an account. */
static unsigned
arrive(const struct kit_user *maker, const char *to, const char *typ, bool *stored,
    enum conf_consent policy, enum consent_how how)
{
	struct kit_item it;
	unsigned code;

	kit_item(&it, maker, true, to);
	it.admit.put.kind = ITEM_OBJECT;
	it.admit.limits.policy = policy;
	kit_consent(&it.body, maker, to, typ, how);
	code = kit_deliver(&it, stored);
	kit_commit();
	kit_item_clear(&it);
	return code;
}

static unsigned
item(const char *typ, bool *stored)
{
	return arrive(&y, x.address, typ, stored, CONF_CONSENT_EVERYONE, HOW_OPEN);
}

/* Brings X's row for Y into a state, whatever it was. */
static void
bring(int want)
{
	struct skey k;
	struct span value = span_of(BLOCKED_VALUE, 13);
	bool stored;

	make(TYP_REVOKE);
	ck_assert_int_eq(state(KIT_NOW), CONSENT_NONE);
	switch (want) {
	case CONSENT_ASKED:
		ck_assert_uint_eq(make(TYP_REQUEST), CODE_DONE);
		break;
	case CONSENT_PENDING:
		ck_assert_uint_eq(item(TYP_REQUEST, &stored), CODE_RECEIVED);
		break;
	case CONSENT_FULL:
		ck_assert_uint_eq(make(TYP_REQUEST), CODE_DONE);
		ck_assert_uint_eq(item(TYP_GRANT, &stored), CODE_DONE);
		break;
	case CONSENT_BLOCKED:
		skey_local(&k, span_str(x.address));
		skey_bytes(&k, y.address, strlen(y.address));
		ck_assert_int_eq(
		    sdb_put(kit_db, SDB_CONSENT, skey_span(&k), &value, 1), SDB_OK);
		kit_commit();
		break;
	default:
		break;
	}
	ck_assert_int_eq(state(KIT_NOW), want);
}

/* The table: event, X's row before and after, the code, whether X's mailbox gets it. */
static const struct row {
	const char *typ;
	bool made; /* by X's own device; else it arrives from Y */
	int before, after;
	unsigned code;
	bool stored;
} rows[] = {
    {TYP_REQUEST, true, CONSENT_NONE, CONSENT_ASKED, CODE_DONE, false},
    {TYP_REQUEST, true, CONSENT_ASKED, CONSENT_ASKED, CODE_DONE, false},
    {TYP_REQUEST, true, CONSENT_PENDING, CONSENT_PENDING, CODE_DONE, false},
    {TYP_REQUEST, true, CONSENT_FULL, CONSENT_FULL, CODE_DONE, false},
    {TYP_REQUEST, true, CONSENT_BLOCKED, CONSENT_BLOCKED, CODE_DONE, false},
    {TYP_GRANT, true, CONSENT_NONE, CONSENT_FULL, CODE_DONE, false},
    {TYP_GRANT, true, CONSENT_ASKED, CONSENT_FULL, CODE_DONE, false},
    {TYP_GRANT, true, CONSENT_PENDING, CONSENT_FULL, CODE_DONE, false},
    {TYP_GRANT, true, CONSENT_FULL, CONSENT_FULL, CODE_DONE, false},
    {TYP_GRANT, true, CONSENT_BLOCKED, CONSENT_FULL, CODE_DONE, false},
    {TYP_REVOKE, true, CONSENT_NONE, CONSENT_NONE, CODE_DONE, false},
    {TYP_REVOKE, true, CONSENT_ASKED, CONSENT_NONE, CODE_DONE, false},
    {TYP_REVOKE, true, CONSENT_PENDING, CONSENT_NONE, CODE_DONE, false},
    {TYP_REVOKE, true, CONSENT_FULL, CONSENT_NONE, CODE_DONE, false},
    {TYP_REVOKE, true, CONSENT_BLOCKED, CONSENT_NONE, CODE_DONE, false},
    {TYP_REQUEST, false, CONSENT_NONE, CONSENT_PENDING, CODE_RECEIVED, true},
    {TYP_REQUEST, false, CONSENT_ASKED, CONSENT_PENDING, CODE_RECEIVED, true},
    {TYP_REQUEST, false, CONSENT_PENDING, CONSENT_PENDING, CODE_RECEIVED, false},
    {TYP_REQUEST, false, CONSENT_FULL, CONSENT_FULL, CODE_RECEIVED, false},
    {TYP_REQUEST, false, CONSENT_BLOCKED, CONSENT_BLOCKED, CODE_RECEIVED, false},
    {TYP_GRANT, false, CONSENT_NONE, CONSENT_NONE, CODE_NOT_ACCEPTED, false},
    {TYP_GRANT, false, CONSENT_ASKED, CONSENT_FULL, CODE_DONE, true},
    {TYP_GRANT, false, CONSENT_PENDING, CONSENT_PENDING, CODE_NOT_ACCEPTED, false},
    {TYP_GRANT, false, CONSENT_FULL, CONSENT_FULL, CODE_DONE, true},
    {TYP_GRANT, false, CONSENT_BLOCKED, CONSENT_BLOCKED, CODE_NOT_ACCEPTED, false},
    {TYP_REVOKE, false, CONSENT_NONE, CONSENT_NONE, CODE_RECEIVED, false},
    {TYP_REVOKE, false, CONSENT_ASKED, CONSENT_NONE, CODE_RECEIVED, true},
    {TYP_REVOKE, false, CONSENT_PENDING, CONSENT_PENDING, CODE_RECEIVED, false},
    {TYP_REVOKE, false, CONSENT_FULL, CONSENT_NONE, CODE_RECEIVED, true},
    {TYP_REVOKE, false, CONSENT_BLOCKED, CONSENT_BLOCKED, CODE_RECEIVED, false},
};

START_TEST(table)
{
	const struct row *r = &rows[_i];
	bool stored = false;
	unsigned code;

	bring(r->before);
	code = r->made ? make(r->typ) : item(r->typ, &stored);
	ck_assert_uint_eq(code, r->code);
	ck_assert_int_eq(state(KIT_NOW), r->after);
	ck_assert_int_eq(stored, r->stored);
}
END_TEST

/* A sealed message passes in one state only. */
START_TEST(messages)
{
	struct kit_item it;
	bool stored;

	bring(_i);
	kit_item(&it, &y, true, x.address);
	kit_stanza(&it, x.id, 1);
	ck_assert_uint_eq(kit_deliver(&it, &stored),
	    _i == CONSENT_FULL ? CODE_DONE : CODE_NOT_ACCEPTED);
	kit_item_clear(&it);
}
END_TEST

/* A request to nobody, to one who lets nobody ask, and to one who does: the same answer. */
START_TEST(alike)
{
	bool stored;

	ck_assert_uint_eq(arrive(&y, "nobody#im.alpha.test", TYP_REQUEST, &stored,
			      CONF_CONSENT_EVERYONE, HOW_OPEN),
	    CODE_RECEIVED);
	ck_assert(!stored);
	ck_assert_uint_eq(
	    arrive(&y, x.address, TYP_REQUEST, &stored, CONF_CONSENT_NOBODY, HOW_OPEN),
	    CODE_RECEIVED);
	ck_assert(!stored);
	ck_assert_uint_eq(
	    arrive(&y, x.address, TYP_REQUEST, &stored, CONF_CONSENT_TICKET, HOW_OPEN),
	    CODE_RECEIVED);
	ck_assert(!stored);
	ck_assert_int_eq(state(KIT_NOW), CONSENT_NONE);
	ck_assert_uint_eq(
	    arrive(&y, x.address, TYP_REQUEST, &stored, CONF_CONSENT_TICKET, HOW_TICKET),
	    CODE_RECEIVED);
	ck_assert(stored);
	ck_assert_int_eq(state(KIT_NOW), CONSENT_PENDING);
}
END_TEST

/* What was asked is over after 30 days. */
START_TEST(asked_ends)
{
	bring(CONSENT_ASKED);
	ck_assert_int_eq(state(KIT_NOW + STORE_ASKED_MS - 1), CONSENT_ASKED);
	ck_assert_int_eq(state(KIT_NOW + STORE_ASKED_MS), CONSENT_NONE);
}
END_TEST

/* Three of one sender, five of one domain; targets need not exist. */
START_TEST(limits)
{
	static const char *const senders[] = {"a#im.beta.test", "b#im.beta.test"};
	unsigned want[2][4] = {{CODE_RECEIVED, CODE_RECEIVED, CODE_RECEIVED, CODE_LIMIT},
	    {CODE_RECEIVED, CODE_RECEIVED, CODE_LIMIT, CODE_LIMIT}};
	struct kit_user u;
	char to[64];
	bool stored;

	for (size_t s = 0; s < 2; s++) {
		kit_user(&u, senders[s]);
		for (size_t i = 0; i < 4; i++) {
			snprintf(to, sizeof(to), "t%zu#im.alpha.test", i);
			ck_assert_uint_eq(arrive(&u, to, TYP_REQUEST, &stored,
					      CONF_CONSENT_EVERYONE, HOW_OPEN),
			    want[s][i]);
		}
		kit_user_clear(&u);
	}
}
END_TEST

/* Who takes his requests back may not ask more people by that: the rows stay pending. */
START_TEST(revoked_counts)
{
	struct kit_user u;
	char to[64];
	bool stored;

	for (size_t i = 0; i < 4; i++) {
		snprintf(to, sizeof(to), "t%zu#im.alpha.test", i);
		kit_join(&u, to);
		ck_assert_uint_eq(
		    arrive(&y, to, TYP_REQUEST, &stored, CONF_CONSENT_EVERYONE, HOW_OPEN),
		    i < 3 ? CODE_RECEIVED : CODE_LIMIT);
		ck_assert_uint_eq(
		    arrive(&y, to, TYP_REVOKE, &stored, CONF_CONSENT_EVERYONE, HOW_OPEN),
		    CODE_RECEIVED);
		kit_user_clear(&u);
	}
}
END_TEST

/* Rows of an account are bounded, also those that its owner makes; asked ones whose time is
 * over do not count. */
START_TEST(rows_bounded)
{
	struct span value = span_of("\1\0\0\0\0\0\0\0\1\0\0\0\0", 13);
	struct skey k;
	char other[64];

	for (unsigned i = 0; i < STORE_CONSENT_ROWS; i++) {
		snprintf(other, sizeof(other), "u%u#im.beta.test", i);
		skey_local(&k, span_str(x.address));
		skey_bytes(&k, other, strlen(other));
		ck_assert_int_eq(
		    sdb_put(kit_db, SDB_CONSENT, skey_span(&k), &value, 1), SDB_OK);
	}
	kit_commit();
	ck_assert_uint_eq(make(TYP_GRANT), CODE_DONE);
	ck_assert_uint_eq(make(TYP_REVOKE), CODE_DONE);
	value = span_of("\3\0\0\0\0\0\0\0\1\0\0\0\0", 13);
	for (unsigned i = 0; i < STORE_CONSENT_ROWS; i++) {
		snprintf(other, sizeof(other), "u%u#im.beta.test", i);
		skey_local(&k, span_str(x.address));
		skey_bytes(&k, other, strlen(other));
		ck_assert_int_eq(
		    sdb_put(kit_db, SDB_CONSENT, skey_span(&k), &value, 1), SDB_OK);
	}
	kit_commit();
	ck_assert_uint_eq(make(TYP_GRANT), CODE_LIMIT);
	ck_assert_uint_eq(make(TYP_REQUEST), CODE_LIMIT);
	ck_assert_int_eq(state(KIT_NOW), CONSENT_NONE);
}
END_TEST

/* Objects that are not what they seem. */
START_TEST(forged)
{
	struct kit_user z;
	struct kit_item it;
	bool stored;

	kit_user(&z, "zoe#im.beta.test");
	kit_item(&it, &y, true, x.address);
	it.admit.put.kind = ITEM_OBJECT;
	kit_consent(&it.body, &z, x.address, TYP_REQUEST, HOW_OPEN);
	ck_assert_uint_eq(kit_deliver(&it, &stored), CODE_NOT_AUTHORISED);
	kit_consent(&it.body, &y, "other#im.alpha.test", TYP_REQUEST, HOW_OPEN);
	ck_assert_uint_eq(kit_deliver(&it, &stored), CODE_NOT_AUTHORISED);
	kit_consent(&it.body, &y, x.address, TYP_REQUEST, HOW_OPEN);
	it.body.p[it.body.n - 1] ^= 1;
	ck_assert_uint_eq(kit_deliver(&it, &stored), CODE_BAD_SIGNATURE);
	ck_assert_int_eq(state(KIT_NOW), CONSENT_NONE);
	kit_item_clear(&it);
	kit_user_clear(&z);
}
END_TEST

/* A repeat of a request that was declined meanwhile does not come up again, and is answered
 * as one that never came to anything. */
START_TEST(declined)
{
	struct kit_item it;
	bool stored;

	kit_item(&it, &y, true, x.address);
	it.admit.put.kind = ITEM_OBJECT;
	kit_consent(&it.body, &y, x.address, TYP_REQUEST, HOW_OPEN);
	ck_assert_uint_eq(kit_deliver(&it, &stored), CODE_RECEIVED);
	ck_assert(stored);
	ck_assert_uint_eq(make(TYP_REVOKE), CODE_DONE);
	ck_assert_uint_eq(kit_deliver(&it, &stored), CODE_RECEIVED);
	ck_assert(!stored);
	ck_assert_int_eq(state(KIT_NOW), CONSENT_NONE);
	kit_item_clear(&it);
}
END_TEST

START_TEST(listing)
{
	struct c_consent_rows list;
	struct c_consent_row row;
	struct obj_iter it;
	struct buf b;

	bring(CONSENT_ASKED);
	buf_init(&b, 65536);
	ck_assert(consent_list(kit_db, span_str(x.address), KIT_NOW, &b));
	ck_assert_int_eq(obj_decode(&c_consent_rows_def, buf_span(&b), &list), WIRE_OK);
	ck_assert_uint_eq(list.rows.count, 1);
	obj_iter_init(&it, &list.rows);
	ck_assert(obj_next(&it, &c_consent_row_def, &row));
	ck_assert(span_eq(row.account, span_str(y.address)));
	ck_assert_uint_eq(row.state, CONSENT_ASKED);
	buf_clear(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store_consent");
	TCase *t = tcase_create("consent");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, table, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(t, messages, CONSENT_NONE, CONSENT_BLOCKED + 1);
	tcase_add_test(t, alike);
	tcase_add_test(t, asked_ends);
	tcase_add_test(t, limits);
	tcase_add_test(t, revoked_counts);
	tcase_add_test(t, rows_bounded);
	tcase_add_test(t, forged);
	tcase_add_test(t, declined);
	tcase_add_test(t, listing);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
