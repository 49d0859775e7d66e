/* SPDX-License-Identifier: ISC */
/*
 * check_base_text.c - tests of base/text, base/clock and base/role.
 *
 * What must hold: each value has one spelling and every other is refused; what is encoded
 * decodes to itself; dates agree with gmtime(3); the table of roles agrees with itself.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/role.h"
#include "base/text.h"

START_TEST(test_hex)
{
	uint8_t out[3];
	char text[7];

	hex_encode(span_of("\x00\xa5\xff", 3), text);
	ck_assert_str_eq(text, "00a5ff");
	ck_assert(hex_decode("00A5fF", out, 3));
	ck_assert_mem_eq(out, "\x00\xa5\xff", 3);
	ck_assert(!hex_decode("00a5f", out, 3));
	ck_assert(!hex_decode("00a5ff0", out, 3));
	ck_assert(!hex_decode("00a5fg", out, 3));
	ck_assert(!hex_decode("", out, 1));
	ck_assert(hex_decode("", out, 0));
}
END_TEST

START_TEST(test_id32)
{
	static const uint64_t some[] = {
	    0, 1, 31, 32, UINT64_C(1) << 60, UINT64_MAX - 1, UINT64_MAX};
	char text[14], last[14] = "";
	uint64_t v;

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		id32_encode(some[i], text);
		ck_assert_uint_eq(strlen(text), 13);
		ck_assert_int_gt(strcmp(text, last), 0);
		memcpy(last, text, sizeof(last));
		ck_assert(id32_decode(text, &v));
		ck_assert(v == some[i]);
	}
	ck_assert_str_eq(text, "hzzzzzzzzzzzz");
	ck_assert(!id32_decode("j000000000000", &v));
	ck_assert(!id32_decode("000000000000", &v));
	ck_assert(!id32_decode("00000000000000", &v));
	ck_assert(!id32_decode("000000000000a", &v));
	ck_assert(!id32_decode("000000000000Z", &v));
}
END_TEST

START_TEST(test_b64url)
{
	static const struct {
		const char *bytes, *text;
	} v[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"},
	    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
	    {"\xfb\xff", "-_8"}};
	uint8_t out[8];
	char text[16];
	size_t n;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		b64url_encode(span_str(v[i].bytes), text);
		ck_assert_str_eq(text, v[i].text);
		ck_assert(b64url_decode(span_str(text), out, sizeof(out), &n));
		ck_assert(span_eq(span_of(out, n), span_str(v[i].bytes)));
	}
	ck_assert(!b64url_decode(span_str("Zm9vYmFy"), out, 5, &n));
	ck_assert(!b64url_decode(span_str("Zh"), out, 8, &n)); /* stray bits */
	ck_assert(!b64url_decode(span_str("Zm9"), out, 8, &n));
	ck_assert(!b64url_decode(span_str("Zg=="), out, 8, &n));
	ck_assert(!b64url_decode(span_str("Zm9vY"), out, 8, &n));
	ck_assert(!b64url_decode(span_str("+_8"), out, 8, &n));
	ck_assert(!b64url_decode(span_of("Z\0", 2), out, 8, &n));
}
END_TEST

START_TEST(test_num)
{
	static const char *const bad[] = {"", "+1", "-1", " 1", "1 ", "01", "00", "0x1",
	    "1a", "18446744073709551616", "99999999999999999999"};
	uint64_t v;

	ck_assert(num_parse("0", 0, 10, &v) && v == 0);
	ck_assert(
	    num_parse("18446744073709551615", 0, UINT64_MAX, &v) && v == UINT64_MAX);
	ck_assert(num_parse("5", 5, 5, &v) && v == 5);
	ck_assert(!num_parse("4", 5, 6, &v));
	ck_assert(!num_parse("7", 5, 6, &v));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!num_parse(bad[i], 0, UINT64_MAX, &v), "\"%s\"", bad[i]);
}
END_TEST

START_TEST(test_utf8)
{
	static const char *const good[] = {"", "abc", "\xc2\x80", "\xdf\xbf",
	    "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
	    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2",
	    "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe1\x80", "\xe1\x80\x41",
	    "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "ok\xfe"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(utf8_valid(span_str(good[i])), "good %zu", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!utf8_valid(span_str(bad[i])), "bad %zu", i);
	ck_assert(utf8_valid(span_of("a\0b", 3)));
	ck_assert_uint_eq(utf8_step(span_str("\xe4\xbd\xa0x")), 3);
	ck_assert_uint_eq(utf8_step(span_of(NULL, 0)), 0);
}
END_TEST

START_TEST(test_copy)
{
	char out[4];

	ck_assert(text_copy(out, sizeof(out), span_str("abc")));
	ck_assert_str_eq(out, "abc");
	ck_assert(!text_copy(out, sizeof(out), span_str("abcd")));
	ck_assert_str_eq(out, "");
	ck_assert(!text_copy(out, sizeof(out), span_of("a\0", 2)));
	ck_assert(text_copy(out, sizeof(out), span_of(NULL, 0)));
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(test_random)
{
	unsigned seen[6] = {0};

	ck_assert(random_u64() != random_u64());
	ck_assert_uint_eq(random_below(1), 0);
	for (int i = 0; i < 6000; i++)
		seen[random_below(6)]++;
	for (int i = 0; i < 6; i++)
		ck_assert_uint_gt(seen[i], 500);
}
END_TEST

START_TEST(test_clock_runs)
{
	uint64_t us = clock_mono_us(), wall = clock_wall_ms();

	ck_assert(clock_mono_us() >= us);
	ck_assert(clock_mono_ms() >= us / 1000);
	ck_assert(wall / 1000 + 5 > (uint64_t)time(NULL));
	ck_assert(wall / 1000 < (uint64_t)time(NULL) + 5);
	clock_fake(5000, 77);
	ck_assert(
	    clock_mono_ms() == 5 && clock_mono_us() == 5000 && clock_wall_ms() == 77);
}
END_TEST

START_TEST(test_clock_format)
{
	char got[32], want[32];
	uint64_t s;
	struct tm tm;
	time_t t;

	ck_assert(clock_format(UINT64_C(1795417200123), got, sizeof(got)));
	ck_assert_str_eq(got, "2026-11-23T07:00:00.123Z");
	/* Steps of about 48 days, to the last year that can be shown. */
	for (s = 0; s < UINT64_C(253402300800); s += 4136711) {
		t = (time_t)s;
		ck_assert_ptr_nonnull(gmtime_r(&t, &tm));
		ck_assert_uint_gt(
		    strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000Z", &tm), 0);
		ck_assert(clock_format(s * 1000, got, sizeof(got)));
		ck_assert_str_eq(got, want);
	}
	ck_assert(clock_format(UINT64_C(253402300799999), got, 25));
	ck_assert_str_eq(got, "9999-12-31T23:59:59.999Z");
	ck_assert(!clock_format(UINT64_C(253402300800000), got, sizeof(got)));
	ck_assert(!clock_format(0, got, 24));
	ck_assert(!clock_format(UINT64_MAX, got, sizeof(got)));
}
END_TEST

START_TEST(test_roles)
{
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		ck_assert_uint_eq(role_by_name(role_name((enum role)r)), r);
		ck_assert_uint_gt(strlen(role_program((enum role)r)), 4);
		ck_assert_uint_gt(strlen(role_user((enum role)r)), 3);
	}
	ck_assert_uint_eq(role_by_name("emsg"), ROLE_COUNT);
	ck_assert_str_eq(role_name(ROLE_COUNT), "?");
	ck_assert_str_eq(role_program(ROLE_QUEUE), "emsg-queue");
	ck_assert_str_eq(role_user(ROLE_CONTROL), "_emsgctl");
}
END_TEST

START_TEST(utf8_commanding)
{
	static const char *const command[] = {"\n", "\x1b", "\x7f", "\xc2\x9b",
	    "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\xa8", "\xd8\x9c"};
	static const char *const plain[] = {
	    " ", "~", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"};
	uint32_t code;

	for (size_t i = 0; i < sizeof(command) / sizeof(command[0]); i++)
		ck_assert(utf8_commands(span_str(command[i]), &code));
	ck_assert_uint_eq(code, 0x61c);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		ck_assert(!utf8_commands(span_str(plain[i]), &code));
	ck_assert_uint_eq(code, 0x1f600);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base text");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, test_hex);
	tcase_add_test(t, utf8_commanding);
	tcase_add_test(t, test_id32);
	tcase_add_test(t, test_b64url);
	tcase_add_test(t, test_num);
	tcase_add_test(t, test_utf8);
	tcase_add_test(t, test_copy);
	tcase_add_test(t, test_random);
	tcase_add_test(t, test_clock_runs);
	tcase_add_test(t, test_clock_format);
	tcase_add_test(t, test_roles);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
