/* SPDX-License-Identifier: ISC */
/*
 * check_supervise.c - the life of a child, with a clock that the test moves.
 *
 * What must hold: delays 0, 1, 2, 4 .. 60 s, forgotten after ten quiet minutes; nothing that
 * runs is started twice, nothing that was told to stop comes back; a configuration that
 * cannot work is not tried again; whoever does not end in time is killed.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "master/supervise.h"

static struct supervise s;
static uint64_t now;

static void
setup(void)
{
	supervise_init(&s);
	now = 1000000;
}

static enum child_action
happens(enum child_event e)
{
	return supervise_event(&s, e, now);
}

static void
become_ready(void)
{
	ck_assert_int_eq(happens(CHILD_WANTED), CHILD_SPAWN);
	ck_assert_int_eq(happens(CHILD_SAYS_READY), CHILD_NOTHING);
	ck_assert_int_eq(s.state, CHILD_READY);
}

START_TEST(test_backoff)
{
	static const uint64_t seconds[] = {0, 1, 2, 4, 8, 16, 32, 60, 60, 60};

	ck_assert_int_eq(happens(CHILD_WANTED), CHILD_SPAWN);
	for (unsigned i = 0; i < 10; i++) {
		/* Whether it had become ready makes no difference. */
		if (i % 2 == 0)
			(void)happens(CHILD_SAYS_READY);
		ck_assert_int_eq(happens(CHILD_GONE), CHILD_NOTHING);
		ck_assert_int_eq(s.state, CHILD_BACKOFF);
		ck_assert_uint_eq(s.deadline - now, seconds[i] * 1000);
		if (seconds[i] > 0) {
			now += seconds[i] * 1000 - 1;
			ck_assert(!supervise_due(&s, now));
			now++;
		}
		ck_assert(supervise_due(&s, now));
		ck_assert_int_eq(happens(CHILD_DEADLINE), CHILD_SPAWN);
	}
	ck_assert_uint_eq(s.restarts, 10);
}
END_TEST

START_TEST(test_quiet_time_forgives)
{
	become_ready();
	for (int i = 0; i < 5; i++) {
		(void)happens(CHILD_GONE);
		(void)happens(CHILD_DEADLINE);
		(void)happens(CHILD_SAYS_READY);
	}
	now += SUPERVISE_QUIET_MS - 1;
	(void)happens(CHILD_GONE);
	ck_assert_uint_eq(s.deadline - now, 16000);
	(void)happens(CHILD_DEADLINE);
	(void)happens(CHILD_SAYS_READY);
	now += SUPERVISE_QUIET_MS;
	if (_i == 1) {
		/* The same if it is we who end it. */
		ck_assert_int_eq(happens(CHILD_AT_FAULT), CHILD_KILL);
		now += 100;
	}
	(void)happens(CHILD_GONE);
	ck_assert_uint_eq(s.deadline, now);
}
END_TEST

START_TEST(test_config_error_does_not_loop)
{
	(void)happens(CHILD_WANTED);
	if (_i == 1)
		(void)happens(CHILD_SAYS_READY);
	if (_i == 2)
		ck_assert_int_eq(happens(CHILD_LEFT), CHILD_NOTHING);
	ck_assert_int_eq(happens(CHILD_GONE_CONFIG), CHILD_GIVE_UP);
	ck_assert_int_eq(s.state, CHILD_STOPPED);
	ck_assert(!supervise_due(&s, UINT64_MAX - 1));
	ck_assert_int_eq(happens(CHILD_WANTED), CHILD_SPAWN);
}
END_TEST

START_TEST(test_stop)
{
	become_ready();
	ck_assert_int_eq(happens(CHILD_UNWANTED), CHILD_ASK_STOP);
	ck_assert_int_eq(s.state, CHILD_STOPPING);
	now += SUPERVISE_STOP_MS;
	ck_assert(supervise_due(&s, now));
	ck_assert_int_eq(happens(CHILD_DEADLINE), CHILD_KILL);
	ck_assert(!supervise_due(&s, now + SUPERVISE_KILL_MS - 1));
	now += SUPERVISE_KILL_MS;
	ck_assert_int_eq(happens(CHILD_DEADLINE), CHILD_KILL);
	ck_assert_int_eq(happens(CHILD_GONE), CHILD_NOTHING);
	ck_assert_int_eq(s.state, CHILD_STOPPED);
	ck_assert(!supervise_running(&s));
}
END_TEST

START_TEST(test_slow_start_is_killed)
{
	(void)happens(CHILD_WANTED);
	now += SUPERVISE_START_MS;
	ck_assert(supervise_due(&s, now));
	ck_assert_int_eq(happens(CHILD_DEADLINE), CHILD_KILL);
	ck_assert_int_eq(happens(CHILD_AT_FAULT), CHILD_NOTHING);
	ck_assert_int_eq(happens(CHILD_SAYS_READY), CHILD_NOTHING);
	ck_assert_int_eq(s.state, CHILD_DYING);
	(void)happens(CHILD_GONE);
	ck_assert_int_eq(s.state, CHILD_BACKOFF);
}
END_TEST

START_TEST(test_left_but_not_gone)
{
	become_ready();
	ck_assert_int_eq(happens(CHILD_LEFT), CHILD_NOTHING);
	now += SUPERVISE_KILL_MS;
	ck_assert(supervise_due(&s, now));
	ck_assert_int_eq(happens(CHILD_DEADLINE), CHILD_KILL);
	(void)happens(CHILD_GONE);
	ck_assert_int_eq(s.state, CHILD_BACKOFF);
}
END_TEST

/* Every pair: the invariants hold whatever comes. */
START_TEST(test_whole_table)
{
	for (int st = 0; st < CHILD_STATES; st++) {
		for (int e = 0; e < CHILD_EVENTS; e++) {
			bool ran, runs, gone = e == CHILD_GONE || e == CHILD_GONE_CONFIG;
			enum child_action a;

			supervise_init(&s);
			s.state = (enum child_state)st;
			ran = supervise_running(&s);
			a = happens((enum child_event)e);
			runs = supervise_running(&s);
			ck_assert_ptr_nonnull(supervise_state_name(s.state));
			/* A process begins by SPAWN and ends by GONE, and in no other way. */
			ck_assert_int_eq(!ran && runs, a == CHILD_SPAWN);
			ck_assert_int_eq(ran && !runs, ran && gone);
			/* Only what runs is killed or asked. */
			if (a == CHILD_KILL || a == CHILD_ASK_STOP)
				ck_assert(ran);
			/* What was told to stop stays down until it is wanted. */
			if (st == CHILD_STOPPING || st == CHILD_STOPPED)
				ck_assert(a != CHILD_SPAWN || e == CHILD_WANTED);
			if (e == CHILD_UNWANTED)
				ck_assert(s.state == CHILD_STOPPING ||
				    s.state == CHILD_STOPPED);
			/* Nothing waits for ever but health and rest. */
			if (s.state != CHILD_READY && s.state != CHILD_STOPPED &&
			    st != (int)s.state)
				ck_assert_uint_lt(s.deadline, UINT64_MAX);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("supervise");
	TCase *c = tcase_create("supervise");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, test_backoff);
	tcase_add_loop_test(c, test_quiet_time_forgives, 0, 2);
	tcase_add_loop_test(c, test_config_error_does_not_loop, 0, 3);
	tcase_add_test(c, test_stop);
	tcase_add_test(c, test_slow_start_is_killed);
	tcase_add_test(c, test_left_but_not_gone);
	tcase_add_test(c, test_whole_table);
	suite_add_tcase(suite, c);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
