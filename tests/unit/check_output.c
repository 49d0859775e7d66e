/* SPDX-License-Identifier: ISC */
/*
 * check_output.c - tests of cli/output and cli/account: each form of a row to the byte, text
 * that would command a terminal, and invitations.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "cli/account.h"
#include "cli/output.h"
#include "wire/ctl.h"

static char *printed;
static size_t nprinted;

/* Prints two users, the second with odd bytes in its name. */
static char *
print_users(enum output_form form, bool heads)
{
	struct ctl_user u = {.account = span_str("alice#im.alpha.test"),
	    .state = span_str("active"),
	    .created_at = 1700000000123,
	    .devices = 2};
	FILE *f = open_memstream(&printed, &nprinted);
	struct output *o = output_new(f, form, heads);

	output_object(o, &ctl_user_def, &u);
	u.account = span_of("b\x1b[31m\"\\\xff\tz", 11);
	u.items = 18446744073709551615U;
	output_object(o, &ctl_user_def, &u);
	output_free(o);
	ck_assert_int_eq(fclose(f), 0);
	return printed;
}

START_TEST(forms)
{
	char *text = print_users(OUTPUT_JSON, true);

	ck_assert_str_eq(text,
	    "{\"v\":1,\"account\":\"alice#im.alpha.test\",\"state\":\"active\","
	    "\"created_at\":\"2023-11-14T22:13:20.123Z\",\"devices\":2,\"items\":0,"
	    "\"bytes\":0}\n"
	    "{\"v\":1,\"account\":\"b\\u001b[31m\\\"\\\\\\ufffd\\u0009z\",\"state\":"
	    "\"active\",\"created_at\":\"2023-11-14T22:13:20.123Z\",\"devices\":2,"
	    "\"items\":18446744073709551615,\"bytes\":0}\n");
	free(text);
	text = print_users(OUTPUT_TABS, true);
	ck_assert_str_eq(text,
	    "account\tstate\tcreated_at\tdevices\titems\tbytes\n"
	    "alice#im.alpha.test\tactive\t2023-11-14T22:13:20.123Z\t2\t0\t0\n"
	    "b\\x1b[31m\"\\\\xff\\x09z\tactive\t2023-11-14T22:13:20.123Z\t2\t"
	    "18446744073709551615\t0\n");
	free(text);
	text = print_users(OUTPUT_TABS, false);
	ck_assert_int_eq(strncmp(text, "alice", 5), 0);
	free(text);
}
END_TEST

START_TEST(tables)
{
	char *text = print_users(OUTPUT_TABLE, true);

	ck_assert_str_eq(text,
	    "account               state   created_at                devices  items      "
	    " "
	    "     "
	    "     bytes\n"
	    "alice#im.alpha.test   active  2023-11-14T22:13:20.123Z  2        0          "
	    " "
	    "     "
	    "     0\n"
	    "b\\x1b[31m\"\\\\xff\\x09z  active  2023-11-14T22:13:20.123Z  2        "
	    "18446744073709551615  0\n");
	free(text);
	text = print_users(OUTPUT_RECORD, true);
	ck_assert_int_eq(strncmp(text,
			     "account     alice#im.alpha.test\n"
			     "state       active\n",
			     51),
	    0);
	free(text);
}
END_TEST

/* Absent members: left out in JSON, a hyphen elsewhere; figures are an object. */
START_TEST(absent)
{
	struct ctl_process p = {
	    .name = span_str("queue"), .state = span_str("ready"), .restarts = 1};
	FILE *f = open_memstream(&printed, &nprinted);
	struct output *o = output_new(f, OUTPUT_TABS, false);

	p.figures = span_str("items=3\nlate=0\n");
	output_object(o, &ctl_process_def, &p);
	output_free(o);
	obj_set(&ctl_process_def, &p, 9);
	for (enum output_form form = OUTPUT_JSON; form <= OUTPUT_TABS;
	     form += OUTPUT_TABS) {
		o = output_new(f, form, false);
		output_object(o, &ctl_process_def, &p);
		output_free(o);
	}
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(printed,
	    "queue\tready\t-\t-\t-\t1\t-\t-\t-\n"
	    "{\"v\":1,\"name\":\"queue\",\"state\":\"ready\",\"restarts\":1,"
	    "\"figures\":{\"items\":3,\"late\":0}}\n"
	    "queue\tready\t-\t-\t-\t1\t-\t-\titems=3 late=0\n");
	free(printed);
}
END_TEST

START_TEST(bad_row)
{
	FILE *f = open_memstream(&printed, &nprinted);
	struct output *o = output_new(f, OUTPUT_JSON, true);

	ck_assert(!output_row(o, &ctl_user_def, span_str("\xa1\x01")));
	ck_assert(!output_row(o, &ctl_user_def, span_of("\xa0", 1)));
	output_free(o);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(printed, "");
	free(printed);
}
END_TEST

START_TEST(names)
{
	char out[ADDR_TEXT_SIZE];
	const char *why = NULL;

	ck_assert(account_normal("Alice", "im.alpha.test", out, &why));
	ck_assert_str_eq(out, "alice#im.alpha.test");
	ck_assert(account_normal("bob@IM.beta.test", NULL, out, &why));
	ck_assert_str_eq(out, "bob#im.beta.test");
	ck_assert(!account_normal("alice", NULL, out, &why));
	ck_assert_str_eq(why, "the domain is missing");
	ck_assert(!account_normal("a b", "im.alpha.test", out, &why));
	ck_assert_ptr_nonnull(why);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("output");
	TCase *tc = tcase_create("output");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, forms);
	tcase_add_test(tc, tables);
	tcase_add_test(tc, absent);
	tcase_add_test(tc, bad_row);
	tcase_add_test(tc, names);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
