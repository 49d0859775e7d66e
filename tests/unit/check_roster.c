/* SPDX-License-Identifier: ISC */
/*
 * check_roster.c - which prekeys of a contact are used: the newest that its own devices signed,
 * whatever a server answers later.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "libemsg/keys.h"
#include "libemsg/roster.h"
#include "personkit.h"

#define ALICE "alice#im.alpha.test"
#define DAY_MS (24ULL * 3600 * 1000)

static struct person alice, mallory; /* mallory: alice's address, other keys */
static uint64_t now;

static void
setup(void)
{
	now = clock_wall_ms();
	person_make(&alice, ALICE);
	person_make(&mallory, ALICE);
}

static void
teardown(void)
{
	person_clear(&alice);
	person_clear(&mallory);
}

/* A prekey as a list of one; *bytes owns it. */
static void
one(struct person *p, uint64_t time, struct obj_list *list, struct buf *bytes)
{
	struct row_prekey prekey;
	struct buf object;

	buf_init(bytes, 2 * SOBJ_PREKEY_MAX);
	buf_init(&object, SOBJ_PREKEY_MAX);
	ck_assert_int_eq(keys_prekey(&p->self, time, &prekey, &object), 0);
	cbor_put_bstr(bytes, buf_span(&object));
	list->raw = buf_span(bytes);
	list->count = 1;
	buf_clear(&object);
}

/* What is used of one prekey that we had and one that came: 0 none, 1 the first, 2 the second. */
static int
used(struct person *first, uint64_t had_time, struct person *second, uint64_t got_time)
{
	struct buf had_bytes, got_bytes, out;
	struct trust_account ta;
	struct obj_list had, got;
	int which = 0;

	one(first, had_time, &had, &had_bytes);
	one(second, got_time, &got, &got_bytes);
	ck_assert_int_eq(trust_account(span_str(ALICE), buf_span(&alice.listkey),
			     buf_span(&alice.devlist), &ta),
	    CODE_DONE);
	buf_init(&out, ROW_KEYS_MAX);
	if (roster_newest(&ta, &had, &got, now, &out) == 1)
		which = span_eq(buf_span(&out), had.raw) ? 1
		    : span_eq(buf_span(&out), got.raw)   ? 2
							 : -1;
	buf_clear(&had_bytes);
	buf_clear(&got_bytes);
	buf_clear(&out);
	return which;
}

START_TEST(the_newest_is_used)
{
	ck_assert_int_eq(used(&alice, now - DAY_MS, &alice, now), 2);
	ck_assert_int_eq(used(&alice, now, &alice, now - DAY_MS), 1);
}
END_TEST

START_TEST(foreign_keys_are_not_used)
{
	ck_assert_int_eq(used(&alice, now - DAY_MS, &mallory, now), 1);
	ck_assert_int_eq(used(&mallory, now, &alice, now - DAY_MS), 2);
	ck_assert_int_eq(used(&mallory, now, &mallory, now), 0);
}
END_TEST

START_TEST(a_key_from_the_future_gives_way)
{
	ck_assert_int_eq(used(&alice, now + DAY_MS, &alice, now), 2);
	ck_assert_int_eq(used(&alice, now, &alice, now + DAY_MS), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("roster");
	TCase *tc = tcase_create("roster");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_newest_is_used);
	tcase_add_test(tc, foreign_keys_are_not_used);
	tcase_add_test(tc, a_key_from_the_future_gives_way);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
