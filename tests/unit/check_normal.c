/* SPDX-License-Identifier: ISC */
/*
 * check_normal.c - addresses as people type them: what becomes of them, what is refused; and
 * invitations as text.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "libemsg/invite.h"
#include "libemsg/normal.h"

static const struct {
	const char *typed, *normal;
} good[] = {
    {"alice#im.alpha.test", "alice#im.alpha.test"},
    {"alice@im.alpha.test", "alice#im.alpha.test"},
    {"emsg:alice@im.alpha.test", "alice#im.alpha.test"},
    {"ALICE#IM.Alpha.TEST", "alice#im.alpha.test"},
    {"al.ice-x_y+z#im.alpha.test", "al.ice-x_y+z#im.alpha.test"},
    {"J\xc3\xbcrgen#im.alpha.test", "j\xc3\xbcrgen#im.alpha.test"},
    /* u and combining diaeresis become one character (NFC) */
    {"Ju\xcc\x88rgen#im.alpha.test", "j\xc3\xbcrgen#im.alpha.test"},
    /* full-width letters are mapped */
    {"\xef\xbd\x81\xef\xbc\xa2#im.alpha.test", "ab#im.alpha.test"},
    {"stra\xc3\x9f"
     "e#im.alpha.test",
	"stra\xc3\x9f"
	"e#im.alpha.test"},
    {"\xe7\x8e\x8b\xe8\x8a\xb3#im.alpha.test", "\xe7\x8e\x8b\xe8\x8a\xb3#im.alpha.test"},
    {"\xd7\x90\xd7\x91#im.alpha.test", "\xd7\x90\xd7\x91#im.alpha.test"},
    {"bob#b\xc3\xbc"
     "cher.example",
	"bob#xn--bcher-kva.example"},
    {"bob#B\xc3\x9c"
     "CHER.example",
	"bob#xn--bcher-kva.example"},
    {"bob#xn--bcher-kva.example", "bob#xn--bcher-kva.example"},
    {"bob#fa\xc3\x9f.example", "bob#xn--fa-hia.example"},
    {"bob#localhost", "bob#localhost"},
};

static const char *const bad[] = {
    "",
    "alice",
    "#im.alpha.test",
    "alice#",
    "al ice#im.alpha.test",
    "a#b#im.alpha.test",
    "a/b#im.alpha.test",
    "a:b#im.alpha.test",
    "a\"b#im.alpha.test",
    "a<b#im.alpha.test",
    "a\\b#im.alpha.test",
    "alice#im..test",
    "alice#-im.test",
    "alice#im.alpha.test.",
    "alice#im_x.test",
    "alice#1.2.3.4",
    "alice#im alpha.test",
    "\xff#im.alpha.test",         /* not UTF-8 */
    "a\x01#im.alpha.test",        /* control */
    "\xe2\x99\xa5#im.alpha.test", /* a symbol */
    "a\xe2\x80\x8d"
    "b#im.alpha.test",            /* zero width joiner */
    "\xe2\x85\xa3#im.alpha.test", /* roman numeral four: compatibility */
    "\xcc\x88"
    "a#im.alpha.test",         /* begins with a combining mark */
    "a\xd7\x90#im.alpha.test", /* left to right, then right to left */
    "\xd7\x90"
    "a#im.alpha.test",
    "\xd7\x90\xd9\xa1#im.alpha.test", /* Arabic-Indic digit needs its context */
    "0123456789012345678901234567890123456789012345678901234567890123456#im.alpha.test",
};

START_TEST(becomes)
{
	char out[ADDR_TEXT_SIZE];
	const char *why = "";

	ck_assert_msg(normal_address(span_str(good[_i].typed), out, &why), "%s: %s",
	    good[_i].typed, why);
	ck_assert_str_eq(out, good[_i].normal);
}
END_TEST

/* Normal stays normal, and is what servers take. */
START_TEST(stays)
{
	char out[ADDR_TEXT_SIZE];
	struct addr addr;
	const char *why;

	ck_assert(normal_address(span_str(good[_i].normal), out, &why));
	ck_assert_str_eq(out, good[_i].normal);
	ck_assert(addr_parse_wire(span_str(out), &addr));
}
END_TEST

START_TEST(refused)
{
	char out[ADDR_TEXT_SIZE];
	const char *why = NULL;

	ck_assert_msg(
	    !normal_address(span_str(bad[_i]), out, &why), "%s -> %s", bad[_i], out);
	ck_assert_ptr_nonnull(why);
}
END_TEST

/* --- invitations -------------------------------------------------------------------------- */

static struct i_invite
invitation(void)
{
	struct i_invite invite = {.kind = INVITE_ACCOUNT,
	    .domain = span_str("im.alpha.test"),
	    .expires = 1234567890123};

	memset(invite.token, 0x5a, sizeof(invite.token));
	return invite;
}

static bool
parses(const char *text, struct i_invite *invite, const char **why)
{
	static struct buf store;
	static bool made;

	if (made)
		buf_clear(&store);
	made = true;
	buf_init(&store, INVITE_BYTES_MAX);
	return invite_parse(span_str(text), &store, invite, why);
}

START_TEST(invite_round_trip)
{
	struct i_invite invite = invitation(), back;
	char text[INVITE_TEXT_SIZE], wrapped[INVITE_TEXT_SIZE + 16];
	const char *why;

	invite.port = 7443;
	invite.host = span_str("127.0.0.1");
	obj_set(&i_invite_def, &invite, 3);
	obj_set(&i_invite_def, &invite, 4);
	ck_assert_int_eq(invite_print(&invite, text, sizeof(text)), 0);
	ck_assert_msg(parses(text, &back, &why), "%s", why);
	ck_assert(span_eq(back.domain, invite.domain) && span_eq(back.host, invite.host));
	ck_assert_uint_eq(back.port, 7443);
	ck_assert_mem_eq(back.token, invite.token, 16);
	snprintf(wrapped, sizeof(wrapped), " \n%.20s\n  %s \r\n", text, text + 20);
	ck_assert_msg(parses(wrapped, &back, &why), "%s", why);
}
END_TEST

START_TEST(invite_refused)
{
	struct i_invite invite = invitation(), back;
	char text[INVITE_TEXT_SIZE];
	const char *why = NULL;

	ck_assert(!parses("", &back, &why));
	ck_assert(!parses("emsg:invite:", &back, &why));
	ck_assert(!parses("emsg:invite:AAAA", &back, &why));
	ck_assert(!parses("emsg:invite:!!!!", &back, &why));
	ck_assert_int_eq(invite_print(&invite, text, sizeof(text)), 0);
	text[strlen(text) - 1] ^= 1;
	text[strlen(text) - 3] = '\0';
	ck_assert(!parses(text, &back, &why));
	invite.kind = INVITE_DEVICE; /* without secret and identity */
	ck_assert_int_eq(invite_print(&invite, text, sizeof(text)), 0);
	ck_assert(!parses(text, &back, &why));
	invite.kind = 9;
	ck_assert_int_eq(invite_print(&invite, text, sizeof(text)), 0);
	ck_assert(!parses(text, &back, &why));
	ck_assert_ptr_nonnull(why);
	ck_assert_int_eq(invite_print(&invite, text, 20), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("normal");
	TCase *tc = tcase_create("normal");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, becomes, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, stays, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, invite_round_trip);
	tcase_add_test(tc, invite_refused);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
