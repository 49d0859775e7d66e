/* SPDX-License-Identifier: ISC */
/*
 * check_fingerprint.c - tests of crypto/fingerprint.
 *
 * The expected numbers were computed with this Python, which shares nothing with the C code:
 *
 *   a, b = sorted([a, b])
 *   h = sha256(b"emsg-verify-v1\0" + a + b).digest()
 *   for _ in range(5200): h = sha256(h + a + b).digest()
 *   "%060d" % (int.from_bytes(h, "big") % 10**60)
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "crypto/fingerprint.h"

static uint8_t up[ED25519_PUBLIC_SIZE];   /* 0, 1, 2 ... */
static uint8_t down[ED25519_PUBLIC_SIZE]; /* 255, 254, ... */

static void
setup(void)
{
	for (size_t i = 0; i < sizeof(up); i++) {
		up[i] = (uint8_t)i;
		down[i] = (uint8_t)(255 - i);
	}
}

static const char *
number(const uint8_t *a, const uint8_t *b)
{
	static char out[FINGERPRINT_NUMBER_SIZE];

	memset(out, '#', sizeof(out));
	ck_assert_int_eq(fingerprint_number(a, b, out), 0);
	return out;
}

START_TEST(test_number)
{
	uint8_t six[ED25519_PUBLIC_SIZE], zero[ED25519_PUBLIC_SIZE] = {0};

	memset(six, 6, sizeof(six));
	ck_assert_str_eq(number(up, down),
	    "50422 24633 37661 74691 84432 30848 22999 63081 96628 48174 64490 01186");
	ck_assert_str_eq(number(down, up),
	    "50422 24633 37661 74691 84432 30848 22999 63081 96628 48174 64490 01186");
	ck_assert_str_eq(number(zero, zero),
	    "05227 96902 44042 94466 87228 43091 07616 98658 88122 32162 31218 57114");
	ck_assert_str_eq(number(six, down),
	    "04253 90356 35141 82408 82468 20477 59161 22971 18467 88055 10752 96413");
}
END_TEST

START_TEST(test_thumbprint)
{
	uint8_t thumbprint[SHA_SIZE];
	char text[FINGERPRINT_TEXT_SIZE];

	ck_assert_int_eq(fingerprint_of(up, thumbprint), 0);
	ck_assert_mem_eq(thumbprint, "\x63\x0d\xcd\x29\x66\xc4\x33\x66", 8);
	fingerprint_text(thumbprint, text);
	ck_assert_str_eq(text, "630d cd29 66c4 3366 9112 5448 bbb2 5b4f");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fingerprint");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_number);
	tcase_add_test(t, test_thumbprint);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
