/* SPDX-License-Identifier: ISC */
/*
 * check_ipc_request.c - tests of ipc/request: every request ends exactly once.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "ipc/channel.h"
#include "ipc/request.h"

/* Channels are only compared here. */
static char place[2];
#define A ((struct channel *)(void *)&place[0])
#define B ((struct channel *)(void *)&place[1])

static struct request_table *t;
static int ends[3];  /* by enum request_end */
static int order[8]; /* of the arguments, as they ended */
static int norder;

static void
setup(void)
{
	t = request_table_new();
	norder = ends[0] = ends[1] = ends[2] = 0;
}

static void
teardown(void)
{
	request_table_free(t);
}

static void
done(enum request_end end, struct channel *from, struct channel_msg *answer, void *arg)
{
	ck_assert((answer != NULL) == (end == REQUEST_ANSWERED));
	ck_assert((from != NULL) == (end == REQUEST_ANSWERED));
	ends[end]++;
	if (norder < 8)
		order[norder++] = *(int *)arg;
}

static uint64_t
add(struct channel *ch, uint64_t due, int *arg)
{
	uint64_t id = request_add(t, ch, 0, due, (struct request_done){done, arg});

	ck_assert_uint_ne(id, 0);
	return id;
}

START_TEST(test_answer)
{
	int arg = 1;
	struct channel_msg answer = {.id = add(A, 100, &arg), .fd = -1};

	ck_assert(!request_answer(t, B, &answer)); /* another channel may not answer */
	ck_assert_uint_eq(request_count(t), 1);
	ck_assert(request_answer(t, A, &answer));
	ck_assert(!request_answer(t, A, &answer));
	request_tick(t, 1000);
	request_lost(t, A);
	ck_assert_int_eq(ends[REQUEST_ANSWERED], 1);
	ck_assert_int_eq(ends[REQUEST_LATE] + ends[REQUEST_LOST], 0);
	answer.id = 0;
	ck_assert(!request_answer(t, A, &answer));
}
END_TEST

START_TEST(test_deadlines)
{
	static const uint64_t due[] = {50, 10, 40, 10, 30, 60, 20};
	static const int want[] = {1, 3, 6, 4, 2, 0, 5};
	int args[7];

	ck_assert_uint_eq(request_next_deadline(t), UINT64_MAX);
	for (int i = 0; i < 7; i++) {
		args[i] = i;
		(void)add(A, due[i], &args[i]);
	}
	ck_assert_uint_eq(request_next_deadline(t), 10);
	request_tick(t, 9);
	ck_assert_int_eq(norder, 0);
	for (uint64_t now = 10; now <= 60; now += 10)
		request_tick(t, now);
	ck_assert_int_eq(norder, 7);
	ck_assert_int_eq(ends[REQUEST_LATE], 7);
	ck_assert((order[0] == 1 && order[1] == 3) || (order[0] == 3 && order[1] == 1));
	for (int i = 2; i < 7; i++)
		ck_assert_int_eq(order[i], want[i]);
}
END_TEST

START_TEST(test_cancel_keeps_the_heap)
{
	uint64_t ids[200];
	uint64_t last = 0;
	int arg = 0;

	for (unsigned i = 0; i < 200; i++)
		ids[i] = add(A, (i * 7919) % 1009 + 1, &arg);
	for (unsigned i = 0; i < 200; i += 3)
		ck_assert(request_cancel(t, ids[i]));
	ck_assert(!request_cancel(t, ids[0]));
	ck_assert_int_eq(norder, 0);
	while (request_count(t) > 0) {
		uint64_t next = request_next_deadline(t);

		ck_assert_uint_ge(next, last);
		last = next;
		request_tick(t, next);
	}
	ck_assert_int_eq(ends[REQUEST_LATE], 200 - 67);
}
END_TEST

START_TEST(test_lost)
{
	int arg = 0;

	for (int i = 0; i < 150; i++) {
		(void)add(A, 100, &arg);
		(void)add(B, 100, &arg);
	}
	request_lost(t, A);
	ck_assert_int_eq(ends[REQUEST_LOST], 150);
	ck_assert_uint_eq(request_count(t), 150);
	request_lost(t, A);
	ck_assert_int_eq(ends[REQUEST_LOST], 150);
}
END_TEST

static void
ask_again(
    enum request_end end, struct channel *from, struct channel_msg *answer, void *arg)
{
	(void)from;
	(void)answer;
	ends[end]++;
	if (--*(int *)arg > 0)
		(void)request_add(t, B, 0, 100, (struct request_done){ask_again, arg});
}

START_TEST(test_owner_adds_while_told)
{
	int arg = 3;

	(void)request_add(t, A, 0, 100, (struct request_done){ask_again, &arg});
	request_lost(t, A);
	ck_assert_int_eq(ends[REQUEST_LOST], 1);
	ck_assert_uint_eq(request_count(t), 1);
	request_tick(t, 100);
	ck_assert_int_eq(ends[REQUEST_LATE], 2);
	ck_assert_uint_eq(request_count(t), 0);
}
END_TEST

START_TEST(test_full)
{
	int arg = 0;
	uint64_t id = 0;

	for (int i = 0; i < REQUEST_MAX; i++)
		id = add(A, 100, &arg);
	ck_assert_uint_eq(request_add(t, A, 0, 1, (struct request_done){done, &arg}), 0);
	ck_assert(request_cancel(t, id));
	ck_assert_uint_gt(add(A, 100, &arg), id);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ipc_request");
	TCase *c = tcase_create("request");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_answer);
	tcase_add_test(c, test_deadlines);
	tcase_add_test(c, test_cancel_keeps_the_heap);
	tcase_add_test(c, test_lost);
	tcase_add_test(c, test_owner_adds_while_told);
	tcase_add_test(c, test_full);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
