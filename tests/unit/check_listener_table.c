/* SPDX-License-Identifier: ISC */
/*
 * check_listener_table.c - tests of the table of frames and states, compared with the text of
 * the protocol written down once more, and of the limits of connections.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>

#include "listener/inbound.h"
#include "listener/inlimits.h"

/* Which frames may come, by state: N new, G greeted, P proving, I in, A again, E ending. */
static const struct {
	enum frame_type type;
	const char *c2s, *s2s;
} expected[] = {
    {FRAME_HELLO, "", ""},
    {FRAME_AUTH, "GA", "GA"},
    {FRAME_WELCOME, "", ""},
    {FRAME_PUT, "IA", "IA"},
    {FRAME_RESULT, "", ""},
    {FRAME_PUSH, "", ""},
    {FRAME_DONE, "IA", ""},
    {FRAME_CREDIT, "IA", ""},
    {FRAME_REQ, "GPIA", "IA"},
    {FRAME_RES, "", ""},
    {FRAME_EVENT, "IA", "IA"},
    {FRAME_BYE, "NGPIA", "NGPIA"},
};

START_TEST(test_table)
{
	static const char letters[INLINK_STATES + 1] = "NGPIAE";
	const char *c2s = expected[_i].c2s, *s2s = expected[_i].s2s;
	uint64_t type = expected[_i].type;

	for (int state = 0; state < INLINK_STATES; state++) {
		ck_assert_int_eq(
		    inbound_handler(INLINK_C2S, (enum inlink_state)state, type) != NULL,
		    strchr(c2s, letters[state]) != NULL);
		ck_assert_int_eq(
		    inbound_handler(INLINK_S2S, (enum inlink_state)state, type) != NULL,
		    strchr(s2s, letters[state]) != NULL);
		ck_assert_ptr_null(
		    inbound_handler(INLINK_C2S, (enum inlink_state)state, type + 12));
	}
}
END_TEST

static void
key_of(const char *text, uint8_t key[INLIMITS_KEY])
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(7)};

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		inlimits_key((const struct sockaddr *)&in, key);
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
		inlimits_key((const struct sockaddr *)&in6, key);
	}
}

static bool
same_key(const char *a, const char *b)
{
	uint8_t one[INLIMITS_KEY], two[INLIMITS_KEY];

	key_of(a, one);
	key_of(b, two);
	return memcmp(one, two, sizeof(one)) == 0;
}

START_TEST(test_keys)
{
	ck_assert(same_key("192.0.2.1", "192.0.2.1"));
	ck_assert(!same_key("192.0.2.1", "192.0.2.2"));
	ck_assert(same_key("192.0.2.1", "::ffff:192.0.2.1"));
	ck_assert(same_key("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	ck_assert(!same_key("2001:db8:1:2::1", "2001:db8:1:3::1"));
}
END_TEST

START_TEST(test_limits)
{
	static const struct inlimits limits = {
	    .connections = 4, .unauthenticated = 3, .per_address = 2};
	uint8_t a[INLIMITS_KEY], b[INLIMITS_KEY], c[INLIMITS_KEY];

	key_of("192.0.2.1", a);
	key_of("192.0.2.2", b);
	key_of("2001:db8::1", c);
	inlimits_set(&limits);
	ck_assert_ptr_null(inlimits_enter(a));
	ck_assert_ptr_null(inlimits_enter(a));
	ck_assert_str_eq(inlimits_enter(a), "connections_per_address");
	ck_assert_ptr_null(inlimits_enter(b));
	ck_assert_str_eq(inlimits_enter(b), "unauthenticated");
	inlimits_proved();
	ck_assert_ptr_null(inlimits_enter(c));
	ck_assert_str_eq(inlimits_enter(c), "connections");
	ck_assert_uint_eq(inlimits_count(), 4);
	ck_assert_uint_eq(inlimits_unproved(), 3);
	inlimits_leave(a, true);
	ck_assert_uint_eq(inlimits_unproved(), 3);
	ck_assert_str_eq(inlimits_enter(a), "unauthenticated");
	inlimits_leave(c, false);
	ck_assert_ptr_null(inlimits_enter(a));
	inlimits_leave(a, false);
	inlimits_leave(a, false);
	inlimits_leave(b, false);
	ck_assert_uint_eq(inlimits_count(), 0);
	ck_assert_uint_eq(inlimits_unproved(), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("listener/table");
	TCase *c = tcase_create("table");
	SRunner *r;
	int failed;

	tcase_add_loop_test(
	    c, test_table, 0, (int)(sizeof(expected) / sizeof(expected[0])));
	tcase_add_test(c, test_keys);
	tcase_add_test(c, test_limits);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
