/* SPDX-License-Identifier: ISC */
/*
 * check_queue_sched.c - the scheduler by itself: order, windows, back-off, turns, expiry.
 * Time and chance are numbers here.
 */
#include <check.h>
#include <stdlib.h>

#include "queue/sched.h"

#define HALF 0x80000000U /* the middle of the spread: exactly the nominal wait */
#define DAY (24ULL * 3600 * 1000)

static const struct backoff_limits limits = {5000, 3600000};
static struct sched *s;
static struct sched_put put;

static void
setup(void)
{
	s = sched_new(&limits);
}

static void
teardown(void)
{
	sched_free(s);
}

static struct sched_item *
add(uint64_t now, uint64_t qid, const char *dest, const char *key)
{
	return sched_add(s, now, qid, span_str(dest), span_str(key), now + 5 * DAY);
}

/* The next put must be this one. */
static struct sched_item *
expect(uint64_t now, uint64_t qid, bool restart)
{
	ck_assert_int_eq(sched_next(s, now, true, &put), SCHED_PUT);
	ck_assert_uint_eq(put.qid, qid);
	ck_assert_int_eq(put.restart, restart);
	return put.item;
}

static void
expect_none(uint64_t now)
{
	ck_assert_int_eq(sched_next(s, now, true, &put), SCHED_NONE);
}

START_TEST(backoff_doubles)
{
	ck_assert_uint_eq(backoff_ms(&limits, 0, HALF), 0);
	ck_assert_uint_eq(backoff_ms(&limits, 1, HALF), 5000);
	ck_assert_uint_eq(backoff_ms(&limits, 2, HALF), 10000);
	ck_assert_uint_eq(backoff_ms(&limits, 4, HALF), 40000);
	ck_assert_uint_eq(backoff_ms(&limits, 1, 0), 3750);
	ck_assert_uint_le(backoff_ms(&limits, 1, UINT32_MAX), 6250);
	ck_assert_uint_ge(backoff_ms(&limits, 1, UINT32_MAX), 6249);
	ck_assert_uint_eq(backoff_ms(&limits, 20, UINT32_MAX), 3600000);
	ck_assert_uint_eq(backoff_ms(&limits, UINT32_MAX, 0), 2700000);
}
END_TEST

START_TEST(order_in_a_fifo)
{
	struct sched_item *a, *b;

	for (uint64_t i = 1; i <= 4; i++)
		add(0, i, "im.beta.test", "alice/1");
	a = expect(0, 1, false);
	b = expect(0, 2, false);
	expect(0, 3, false);
	sched_result(s, 0, b, SCHED_FINISHED, 0);
	sched_result(s, 0, a, SCHED_FINISHED, 0);
	expect(0, 4, false);
	expect_none(0);
	ck_assert_uint_eq(sched_count(s), 2);
}
END_TEST

START_TEST(turns)
{
	/* A thousand of one sender do not stand before one of another. */
	for (uint64_t i = 1; i <= 1000; i++)
		add(0, i, "im.beta.test", "alice/1");
	add(0, 2000, "im.beta.test", "bob/1");
	add(0, 3000, "im.gamma.test", "alice/1");
	expect(0, 1, false);
	expect(0, 3000, false);
	expect(0, 2000, false);
	expect(0, 2, false);
}
END_TEST

START_TEST(window_grows_and_falls)
{
	struct sched_item *flying[SCHED_WINDOW_FIRST * 2];
	int n;

	for (uint64_t i = 1; i <= 200; i++)
		add(0, i, "im.beta.test", "alice/1");
	for (n = 0; sched_next(s, 0, true, &put) == SCHED_PUT; n++)
		flying[n] = put.item;
	ck_assert_int_eq(n, SCHED_WINDOW_FIRST);
	ck_assert_uint_eq(sched_due(s), 5 * DAY); /* only an answer opens it */
	/* Each answer makes room for itself and for one more. */
	sched_result(s, 0, flying[0], SCHED_FINISHED, 0);
	flying[n++] = expect(0, 17, false);
	flying[n++] = expect(0, 18, false);
	expect_none(0);
	/* The link dies: all come back, and one goes first when the wait is over. */
	for (int i = 1; i < n; i++)
		sched_result(s, 0, flying[i], SCHED_LOST, HALF);
	sched_down(s, 0, span_str("im.beta.test"), false, HALF);
	expect_none(0);
	expect_none(4999);
	expect(5000, 2, false);
	expect_none(5000);
}
END_TEST

START_TEST(one_timer_for_a_dead_domain)
{
	uint64_t now = 0, waits[] = {5000, 10000, 20000, 40000};
	struct sched_item *it;

	for (uint64_t i = 1; i <= 5000; i++)
		add(0, i, "dead.test", i % 2 ? "alice/1" : "bob/1");
	add(0, 9999, "im.beta.test", "alice/1");
	sched_retry_dest(s, 0, span_str("dead.test"));
	for (size_t i = 0; i < 4; i++) {
		do {
			ck_assert_int_eq(sched_next(s, now, true, &put), SCHED_PUT);
			it = put.item;
		} while (put.qid == 9999);
		sched_result(s, now, it, SCHED_LOST, HALF);
		while (sched_next(s, now, true, &put) == SCHED_PUT)
			if (put.qid != 9999)
				sched_result(s, now, put.item, SCHED_LOST, HALF);
		ck_assert_uint_eq(sched_due(s), now + waits[i]);
		now += waits[i];
	}
	/* A sign of life, and it goes at once. */
	sched_result(
	    s, now, (sched_next(s, now, true, &put), put.item), SCHED_LOST, HALF);
	expect_none(now);
	sched_alive(s, now, span_str("dead.test"), 100);
	ck_assert_int_eq(sched_next(s, now, true, &put), SCHED_PUT);
}
END_TEST

START_TEST(refusal_begins_again)
{
	struct sched_item *a, *b, *c;

	for (uint64_t i = 1; i <= 4; i++)
		add(0, i, "im.beta.test", "alice/1");
	add(0, 10, "im.beta.test", "bob/1");
	a = expect(0, 1, false);
	expect(0, 10, false);
	b = expect(0, 2, false);
	c = expect(0, 3, false);
	sched_result(s, 0, a, SCHED_TEMPORARY, HALF);
	sched_result(s, 0, b, SCHED_AFTER, HALF);
	/* Nothing of this FIFO while it waits; nor before all of the pass are back. */
	expect_none(0);
	expect_none(5000);
	sched_result(s, 5000, c, SCHED_AFTER, HALF);
	a = expect(5000, 1, true);
	expect(5000, 2, false);
	expect(5000, 3, false);
	expect(5000, 4, false);
	/* The second wait is longer. */
	sched_result(s, 5000, a, SCHED_TEMPORARY, HALF);
	sched_recall(s, 5000);
	ck_assert_uint_eq(sched_due(s), 0); /* bob's came back and may go */
	expect(5000, 10, false);
	ck_assert_uint_eq(sched_due(s), 15000);
	expect(15000, 1, true);
}
END_TEST

START_TEST(refused_for_an_hour_goes_alone)
{
	struct sched_item *a, *other;
	uint64_t now = 0;

	add(0, 1, "im.beta.test", "alice/1");
	add(0, 2, "im.beta.test", "alice/1");
	while (now < SCHED_ALONE_MS) {
		a = expect(now, 1, now != 0);
		ck_assert_int_eq(sched_next(s, now, true, &put), SCHED_PUT);
		ck_assert_uint_eq(put.qid, 2);
		sched_result(s, now, a, SCHED_TEMPORARY, HALF);
		sched_result(s, now, put.item, SCHED_AFTER, HALF);
		now = sched_due(s);
	}
	/* Others to that domain pass meanwhile. */
	add(now - 1, 50, "im.beta.test", "bob/1");
	other = expect(now - 1, 50, false);
	sched_result(s, now - 1, other, SCHED_FINISHED, 0);
	a = expect(now, 1, true);
	sched_result(s, now, a, SCHED_TEMPORARY, HALF);
	expect(now, 2, true);
	expect_none(now);
	ck_assert_uint_eq(sched_count(s), 2);
}
END_TEST

/* One link after the other dies with the same item alone in flight. */
START_TEST(poison)
{
	struct span dest = span_str("im.beta.test");
	struct sched_item *bad, *other;
	uint64_t now = 0;

	add(0, 1, "im.beta.test", "alice/1");
	for (int i = 0; i < SCHED_POISON + 1; i++) {
		sched_alive(s, now, dest, 0);
		if (i == 2) {
			/* Others pass meanwhile. */
			other = expect(now, 50, false);
			sched_result(s, now, other, SCHED_FINISHED, 0);
			add(now, 2, "im.beta.test", "alice/1");
		}
		bad = expect(now, 1, false);
		if (i == 1)
			add(now, 50, "im.beta.test", "bob/1");
		sched_result(s, now, bad, SCHED_LOST, HALF);
		/* A link that ended in order does not count. */
		sched_down(s, now, dest, i == 0, HALF);
		now += 4000000;
	}
	/* Now its FIFO goes on without it, and it waits for the longest time. */
	sched_alive(s, now - 3000000, dest, 0);
	other = expect(now - 3000000, 2, true);
	sched_result(s, now - 3000000, other, SCHED_FINISHED, 0);
	expect_none(now - 3000000);
	expect(now, 1, true);
	ck_assert_uint_eq(sched_count(s), 1);
}
END_TEST

START_TEST(expiry)
{
	struct sched_item *a;

	add(0, 1, "im.beta.test", "alice/1");
	add(0, 2, "im.beta.test", "alice/1");
	a = add(0, 3, "im.beta.test", "alice/1");
	sched_hold(s, 0, a);
	expect(0, 1, false);
	a = expect(0, 2, false);
	expect_none(0);
	sched_result(s, 0, a, SCHED_FINISHED, 0);
	expect_none(5 * DAY - 1);
	/* The one in flight gets a little longer; the held one has no end. */
	expect_none(5 * DAY);
	sched_recall(s, 5 * DAY);
	/* Time passes whether anything can be sent or not. */
	ck_assert_int_eq(sched_next(s, 5 * DAY + 60000, false, &put), SCHED_EXPIRE);
	ck_assert_uint_eq(put.qid, 1);
	sched_remove(s, 5 * DAY + 60000, put.item);
	expect_none(50 * DAY);
	ck_assert_uint_eq(sched_count(s), 1);
}
END_TEST

START_TEST(hold_and_release)
{
	struct sched_item *a = add(0, 1, "im.beta.test", "alice/1");
	struct sched_info info;

	add(0, 2, "im.beta.test", "alice/1");
	sched_hold(s, 0, a);
	sched_info(a, &info);
	ck_assert_int_eq(info.state, SCHED_HELD);
	ck_assert_uint_eq(info.next, SCHED_NEVER);
	expect(0, 2, false);
	expect_none(0);
	sched_release(s, 0, a);
	expect(0, 1, false);
	/* Held in flight: its answer comes and counts. */
	sched_hold(s, 0, a);
	sched_result(s, 0, a, SCHED_TEMPORARY, HALF);
	sched_info(a, &info);
	ck_assert_int_eq(info.state, SCHED_HELD);
	sched_result(s, 0, a, SCHED_FINISHED, 0);
	ck_assert_uint_eq(sched_count(s), 1);
}
END_TEST

START_TEST(retry_by_hand)
{
	struct sched_item *a = add(0, 1, "im.beta.test", "alice/1");

	expect(0, 1, false);
	sched_result(s, 0, a, SCHED_LOST, HALF);
	expect_none(0);
	sched_retry(s, 1, a);
	expect(1, 1, false);
	sched_result(s, 1, a, SCHED_TEMPORARY, HALF);
	expect_none(1);
	ck_assert(!sched_retry_dest(s, 1, span_str("im.gamma.test")));
	ck_assert(sched_retry_dest(s, 1, span_str("im.beta.test")));
	expect(1, 1, true);
}
END_TEST

/* Random events for a long time: nothing is lost, nothing is in flight twice. */
START_TEST(random_events)
{
	static const char *const dests[] = {"a.test", "b.test", "c.test"};
	static const char *const keys[] = {"k1", "k2", "k3", "k4"};
	struct sched_item *flying[2000];
	size_t nflying = 0, added = 0, gone = 0;
	uint64_t now = 0;
	unsigned seed = 1;

	for (int step = 0; step < 60000; step++) {
		seed = seed * 1103515245U + 12345U;
		unsigned roll = seed >> 16;

		if (roll % 3 == 0 && added < 1500)
			add(now, ++added, dests[roll / 3 % 3], keys[roll / 9 % 4]);
		else if (nflying > 0) {
			size_t i = roll / 3 % nflying;
			enum sched_verdict v = (enum sched_verdict)(roll / 7 % 8);

			if (v > SCHED_LOST)
				v = SCHED_FINISHED;
			gone += v == SCHED_FINISHED;
			sched_result(s, now, flying[i], v, seed);
			flying[i] = flying[--nflying];
		}
		while (sched_next(s, now, true, &put) == SCHED_PUT) {
			for (size_t i = 0; i < nflying; i++)
				ck_assert_ptr_ne(flying[i], put.item);
			flying[nflying++] = put.item;
		}
		if (nflying == 0 && sched_due(s) != SCHED_NEVER && sched_due(s) > now)
			now = sched_due(s);
		ck_assert_uint_eq(sched_count(s), added - gone);
	}
	ck_assert_uint_eq(added, 1500);
	ck_assert_uint_eq(gone, 1500);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("queue sched");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, backoff_doubles);
	tcase_add_test(t, order_in_a_fifo);
	tcase_add_test(t, turns);
	tcase_add_test(t, window_grows_and_falls);
	tcase_add_test(t, one_timer_for_a_dead_domain);
	tcase_add_test(t, refusal_begins_again);
	tcase_add_test(t, refused_for_an_hour_goes_alone);
	tcase_add_test(t, poison);
	tcase_add_test(t, expiry);
	tcase_add_test(t, hold_and_release);
	tcase_add_test(t, retry_by_hand);
	tcase_add_test(t, random_events);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
