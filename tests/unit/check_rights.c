/* SPDX-License-Identifier: ISC */
/*
 * check_rights.c - tests of control/rights and control/asks: who may give which command, for
 * every command there is, and that requests end once.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "control/asks.h"
#include "control/rights.h"

/* Every command, the least right, and whether it is logged as a change. Written out here a
 * second time on purpose: who loosens wire/ctl.c must loosen this as well. */
static const struct {
	const char *name;
	enum ctl_right right;
	bool change;
} golden[] = {
    {"status", CTL_VIEW, false},
    {"reload", CTL_ADMIN, true},
    {"stop", CTL_ROOT, true},
    {"user add", CTL_ADMIN, true},
    {"user list", CTL_ADMIN, false},
    {"user show", CTL_ADMIN, false},
    {"user del", CTL_ADMIN, true},
    {"invite create", CTL_ADMIN, true},
    {"domain", CTL_VIEW, false},
    {"key list", CTL_ADMIN, false},
    {"key show", CTL_ADMIN, false},
    {"peer list", CTL_VIEW, false},
    {"list", CTL_VIEW, false},
    {"show", CTL_VIEW, false},
    {"retry", CTL_VIEW, true},
    {"drop", CTL_ADMIN, true},
};

START_TEST(every_command)
{
	size_t n = 0;

	for (; ctl_at(n) != NULL; n++) {
		const struct ctl *ctl = ctl_at(n);

		ck_assert_uint_lt(n, sizeof(golden) / sizeof(golden[0]));
		ck_assert_str_eq(ctl->name, golden[n].name);
		ck_assert_int_eq(rights_is_change(ctl), golden[n].change);
		for (enum ctl_right r = CTL_VIEW; r <= CTL_ROOT; r++)
			ck_assert_int_eq(rights_allow(r, ctl), r >= golden[n].right);
	}
	ck_assert_uint_eq(n, sizeof(golden) / sizeof(golden[0]));
}
END_TEST

START_TEST(origins)
{
	struct rights_origin o = {.uid = 1000, .own_uid = 1000};

	ck_assert_int_eq(rights_of(&o), CTL_VIEW);
	o.admin_socket = true;
	ck_assert_int_eq(rights_of(&o), CTL_ADMIN);
	o.one_directory = true;
	ck_assert_int_eq(rights_of(&o), CTL_ROOT);
	o.uid = 1001;
	ck_assert_int_eq(rights_of(&o), CTL_ADMIN);
	o = (struct rights_origin){.uid = 0, .own_uid = 999};
	ck_assert_int_eq(rights_of(&o), CTL_ROOT);
}
END_TEST

START_TEST(requests)
{
	struct caller a = {.uid = 1}, b = {.uid = 2};
	const struct ctl *list = ctl_find(CTL_QUEUE_LIST),
			 *users = ctl_find(CTL_USER_LIST);
	struct ask *one = asks_put(&a, 7, list, 100), *two = asks_put(&b, 7, users, 200);

	ck_assert_uint_ne(one->id, two->id);
	ck_assert_ptr_eq(asks_find(one->id, ROLE_QUEUE), one);
	ck_assert_ptr_null(asks_find(one->id, ROLE_STORE));
	ck_assert_ptr_eq(asks_of_caller(&b), two);
	ck_assert_ptr_eq(asks_to(ROLE_STORE), two);
	ck_assert_ptr_null(asks_to(ROLE_KEYD));
	ck_assert_ptr_null(asks_due(99));
	ck_assert_ptr_eq(asks_due(100), one);
	ck_assert_uint_eq(a.asks, 1);
	asks_end(one);
	ck_assert_uint_eq(a.asks, 0);
	ck_assert_ptr_null(asks_due(199));
	asks_end(two);
	ck_assert_uint_eq(asks_count(), 0);
}
END_TEST

START_TEST(no_more)
{
	struct caller a = {.uid = 1};
	const struct ctl *list = ctl_find(CTL_QUEUE_LIST);

	for (size_t i = 0; i < ASKS_MAX; i++)
		ck_assert_ptr_nonnull(asks_put(&a, i, list, i));
	ck_assert_ptr_null(asks_put(&a, 0, list, 0));
	while (asks_count() > 0)
		asks_end(asks_of_caller(&a));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rights");
	TCase *tc = tcase_create("rights");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, every_command);
	tcase_add_test(tc, origins);
	tcase_add_test(tc, requests);
	tcase_add_test(tc, no_more);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
