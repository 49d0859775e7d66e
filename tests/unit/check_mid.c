/* SPDX-License-Identifier: ISC */
/*
 * check_mid.c - tests of wire/mid.
 *
 * What must hold: the example of RFC 9562 reads as it says; a made id carries its time, its
 * version and fresh random bits; age is judged to the millisecond on both sides; text has
 * two spellings on input and one on output.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "wire/mid.h"

#define NOW UINT64_C(1780000000000)

/* RFC 9562 appendix A.6. */
START_TEST(test_rfc_example)
{
	uint8_t mid[MID_SIZE], again[MID_SIZE];
	char text[MID_TEXT_SIZE];

	ck_assert(mid_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", mid));
	ck_assert(mid_valid(mid));
	ck_assert(mid_time_ms(mid) == UINT64_C(0x17F22E279B0));
	mid_text(mid, text);
	ck_assert_str_eq(text, "017f22e279b07cc398c4dc0c0c07398f");
	ck_assert(mid_parse(text, again));
	ck_assert_mem_eq(mid, again, MID_SIZE);
}
END_TEST

START_TEST(test_make)
{
	uint8_t a[MID_SIZE], b[MID_SIZE];

	mid_make(a, NOW);
	mid_make(b, NOW);
	ck_assert(mid_valid(a) && mid_valid(b));
	ck_assert(mid_time_ms(a) == NOW && mid_time_ms(b) == NOW);
	ck_assert_mem_ne(a, b, MID_SIZE);
	mid_make(b, NOW + 1);
	ck_assert_int_lt(memcmp(a, b, MID_SIZE), 0);
	mid_make(a, (UINT64_C(1) << 48) - 1);
	ck_assert(mid_time_ms(a) == (UINT64_C(1) << 48) - 1);
}
END_TEST

START_TEST(test_age)
{
	uint8_t mid[MID_SIZE];

	mid_make(mid, NOW);
	ck_assert_int_eq(mid_age_check(mid, NOW, 0, 0), MID_AGE_OK);
	ck_assert_int_eq(mid_age_check(mid, NOW - 600, 600, 0), MID_AGE_OK);
	ck_assert_int_eq(mid_age_check(mid, NOW - 601, 600, 0), MID_AGE_AHEAD);
	ck_assert_int_eq(mid_age_check(mid, NOW + 600, 0, 600), MID_AGE_OK);
	ck_assert_int_eq(mid_age_check(mid, NOW + 601, 0, 600), MID_AGE_BEHIND);
	ck_assert_int_eq(mid_age_check(mid, 0, MID_AHEAD_MS, 0), MID_AGE_AHEAD);
	ck_assert_int_eq(
	    mid_age_check(mid, UINT64_MAX, 0, MID_BEHIND_LINK_MS), MID_AGE_BEHIND);
	ck_assert(MID_BEHIND_SUBMIT_MS == UINT64_C(345600000));
	mid[6] = (uint8_t)(0x40 | (mid[6] & 0x0f));
	ck_assert_int_eq(mid_age_check(mid, NOW, 0, 0), MID_AGE_INVALID);
}
END_TEST

START_TEST(test_parse)
{
	static const char *const bad[] = {"", "017f22e2",
	    "017f22e279b07cc398c4dc0c0c07398", "017f22e279b07cc398c4dc0c0c07398f0",
	    "017f22e279b07cc398c4dc0c0c07398g", "017f22e279b04cc398c4dc0c0c07398f",
	    "017f22e279b07cc3d8c4dc0c0c07398f", "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
	    "017f22e2-79b0-7cc3-98c4-dc0c0c0739-f",
	    "017f22e2-79b0-7cc3-98c4-dc0c0c07398fa",
	    "017f22e2-79b0-7cc3-98c4dc0c0c0-7398f"};
	uint8_t mid[MID_SIZE];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!mid_parse(bad[i], mid), "%s", bad[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mid");
	TCase *t = tcase_create("mid");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, test_rfc_example);
	tcase_add_test(t, test_make);
	tcase_add_test(t, test_age);
	tcase_add_test(t, test_parse);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
