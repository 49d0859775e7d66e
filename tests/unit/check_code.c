/* SPDX-License-Identifier: ISC */
/*
 * check_code.c - tests of wire/code.
 *
 * What must hold: numbers ascend, symbols are unique and well formed, the class agrees with
 * the hundreds (which is how an unknown number is judged), every row is found both ways.
 */
#include "config.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/code.h"

static bool
symbol_formed(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 24 && strspn(s, "abcdefghijklmnopqrstuvwxyz-") == n &&
	    s[0] != '-' && s[n - 1] != '-';
}

START_TEST(test_table)
{
	const struct code_row *row;
	unsigned last = 0;
	size_t i;

	for (i = 0; (row = code_at(i)) != NULL; i++) {
		ck_assert_uint_gt(row->code, last);
		last = row->code;
		ck_assert(symbol_formed(row->symbol));
		ck_assert_uint_gt(strlen(row->text), 5);
		ck_assert_uint_lt(strlen(row->text), 60);
		ck_assert_ptr_eq(code_find(row->code), row);
		ck_assert_ptr_eq(code_by_symbol(row->symbol), row);
		ck_assert_int_eq(code_class(row->code), row->class);
		ck_assert_int_eq(code_class(row->code / 100 * 100 + 99), row->class);
		ck_assert_str_eq(code_symbol(row->code), row->symbol);
	}
	ck_assert_uint_ge(i, 35);
}
END_TEST

START_TEST(test_lookup)
{
	ck_assert_str_eq(code_symbol(CODE_ACCEPTED), "accepted");
	ck_assert_str_eq(code_symbol(CODE_NOT_ACCEPTED), "not-accepted");
	ck_assert_str_eq(code_symbol(CODE_PEER_UNREACHABLE), "peer-unreachable");
	ck_assert_ptr_null(code_find(0));
	ck_assert_ptr_null(code_find(UINT64_C(0x1000000c8)));
	ck_assert_ptr_null(code_by_symbol("nothing"));
	ck_assert_str_eq(code_symbol(999), "?");
	ck_assert_int_eq(code_class(299), CODE_OK);
	ck_assert_int_eq(code_class(499), CODE_TEMPORARY);
	ck_assert_int_eq(code_class(399), CODE_PERMANENT);
	ck_assert_int_eq(code_class(UINT64_MAX), CODE_PERMANENT);
	ck_assert_str_eq(code_class_name(CODE_OK), "ok");
	ck_assert_str_eq(code_class_name(CODE_TEMPORARY), "temporary");
	ck_assert_str_eq(code_class_name(CODE_PERMANENT), "permanent");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("code");
	TCase *t = tcase_create("code");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, test_table);
	tcase_add_test(t, test_lookup);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
