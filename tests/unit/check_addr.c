/* SPDX-License-Identifier: ISC */
/*
 * check_addr.c - tests of wire/addr.
 *
 * What must hold: normal form is accepted and nothing else, with the limits met at their
 * edges; "@" is read but never written; two addresses are equal only byte for byte.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/addr.h"

#define L63 "a23456789012345678901234567890123456789012345678901234567890123"
#define L61 "a234567890123456789012345678901234567890123456789012345678901"

static const struct {
	const char *text;
	bool ok;
} cases[] = {
    {"alice#im.alpha.test", true},
    {"alice@im.alpha.test", true},
    {"a#b", true},
    {"a.b-c_d+e=f#im.alpha.test", true},
    {"j\xc3\xbcrgen#im.alpha.test", true},
    {"\xe5\xbc\xa0\xe4\xbc\x9f#im.alpha.test", true},
    {"alice#xn--bcher-kva.test", true},
    {"alice#1.2.3.a4", true},
    {L63 "4#im.alpha.test", true},
    {L63 "45#im.alpha.test", false},
    {"alice#" L63 ".test", true},
    {"alice#" L63 "4.test", false},
    {"alice#" L63 "." L63 "." L63 "." L61, true},
    {"alice#" L63 "." L63 "." L63 "." L61 "2", false},
    {"", false},
    {"alice", false},
    {"#im.alpha.test", false},
    {"alice#", false},
    {"Alice#im.alpha.test", false},
    {"alice#Im.alpha.test", false},
    {"alice#im.alpha.test.", false},
    {"alice#.im.alpha.test", false},
    {"alice#im..test", false},
    {"alice#im_x.test", false},
    {"alice#-im.test", false},
    {"alice#im-.test", false},
    {"alice#i-m.test", true},
    {"alice#ab--c.test", false},
    {"alice#xn--.test", false},
    {"alice#im.alpha.test:443", false},
    {"alice#127.0.0.1", false},
    {"alice#[::1]", false},
    {"alice#b\xc3\xbc"
     "cher.test",
	false},
    {"alice#bob#im.alpha.test", false},
    {"alice@bob#im.alpha.test", false},
    {"alice#bob@im.alpha.test", false},
    {"al ice#im.alpha.test", false},
    {"al/ice#im.alpha.test", false},
    {"al:ice#im.alpha.test", false},
    {"al\"ice#im.alpha.test", false},
    {"al<ice#im.alpha.test", false},
    {"al>ice#im.alpha.test", false},
    {"al\\ice#im.alpha.test", false},
    {"al\tice#im.alpha.test", false},
    {"al\x7fice#im.alpha.test", false},
    {"al\xc2\x85ice#im.alpha.test", false}, /* U+0085 */
    {"al\xc2\x9fice#im.alpha.test", false}, /* U+009F */
    {"al\xc2\xb7ice#im.alpha.test", true},  /* U+00B7 */
    {"al\xffice#im.alpha.test", false},
    {"al\xc0\xaf#im.alpha.test", false},
    {"alice#im.alpha.test\n", false},
};

START_TEST(test_parse)
{
	const char *why = NULL;
	struct addr a;
	bool ok = addr_parse(span_str(cases[_i].text), &a, &why);

	ck_assert_msg(ok == cases[_i].ok, "%s", cases[_i].text);
	ck_assert_msg(ok == (why == NULL), "%s", cases[_i].text);
	ck_assert(addr_parse(span_str(cases[_i].text), &a, NULL) == ok);
}
END_TEST

START_TEST(test_nul)
{
	struct addr a;

	ck_assert(!addr_parse(span_of("al\0ce#b.test", 12), &a, NULL));
	ck_assert(!addr_parse(span_of("alice#b\0test", 12), &a, NULL));
	ck_assert(!addr_parse(span_of(NULL, 0), &a, NULL));
}
END_TEST

START_TEST(test_parts)
{
	char text[ADDR_TEXT_SIZE];
	struct addr a, b;

	ck_assert(addr_parse(span_str("alice@im.alpha.test"), &a, NULL));
	ck_assert(span_eq(a.local, span_str("alice")));
	ck_assert(span_eq(a.domain, span_str("im.alpha.test")));
	addr_print(&a, text);
	ck_assert_str_eq(text, "alice#im.alpha.test");
	ck_assert(addr_parse_wire(span_str(text), &b) && addr_eq(&a, &b));
	ck_assert(!addr_parse_wire(span_str("alice@im.alpha.test"), &b));
	a.local = span_str("Alice");
	addr_print(&a, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_longest)
{
	static const char domain[] = L63 "." L63 "." L63 "." L61;
	struct addr a = {span_str(L63 "4"), span_str(domain)};
	char text[ADDR_TEXT_SIZE];

	ck_assert_uint_eq(strlen(domain), ADDR_DOMAIN_MAX);
	addr_print(&a, text);
	ck_assert_uint_eq(strlen(text), ADDR_MAX);
	ck_assert(addr_parse(span_str(text), &a, NULL));
}
END_TEST

START_TEST(test_order)
{
	static const char *const sorted[] = {"bob#im.alpha.test", "alice#im.beta.test",
	    "alice2#im.beta.test", "bob#im.beta.test", "alice#im.beta.test2"};
	struct addr a, b;

	for (int i = 0; i < 5; i++) {
		for (int j = 0; j < 5; j++) {
			int c;

			ck_assert(addr_parse(span_str(sorted[i]), &a, NULL));
			ck_assert(addr_parse(span_str(sorted[j]), &b, NULL));
			c = addr_cmp(&a, &b);
			ck_assert_int_eq((c > 0) - (c < 0), (i > j) - (i < j));
			ck_assert(addr_eq(&a, &b) == (i == j));
		}
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("addr");
	TCase *t = tcase_create("addr");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, test_parse, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_nul);
	tcase_add_test(t, test_parts);
	tcase_add_test(t, test_longest);
	tcase_add_test(t, test_order);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
