/* SPDX-License-Identifier: ISC */
/*
 * check_queue_journal.c - the journal through kills, power cuts and failing disks, on a disk
 * in memory (memdisk.c).
 *
 * The rule that every test comes back to: what journal_commit() had answered JOURNAL_OK for is
 * there after any stop, what was ended stays ended, and nothing is there that was not put.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "spoolkit.h"

START_TEST(kept_after_power_cut)
{
	for (uint32_t i = 0; i < 20; i++)
		ck_assert_int_eq(kit_put(i, BODY), JOURNAL_OK);
	kit_end(3);
	ck_assert(kit_readable(5)); /* out of the batch */
	kit_commit();
	ck_assert(kit_readable(5));                      /* out of the file */
	ck_assert_int_eq(kit_put(30, BODY), JOURNAL_OK); /* never committed */
	kit_crash(true);
	kit_start();
	ck_assert_uint_eq(kit_count_live(), 19);
	ck_assert(!items[3].live && !items[30].live && items[0].live && items[19].live);
	ck_assert(kit_readable(19));
	ck_assert_uint_eq(spoiled, 0);
}
END_TEST

START_TEST(start_numbers_grow)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(journal_start(j), i + 1);
		ck_assert_int_eq(kit_put(i, 10), JOURNAL_OK);
		ck_assert(items[i].qid > last);
		ck_assert_uint_eq(items[i].qid >> RECORD_START_SHIFT, i + 1);
		last = items[i].qid;
		/* Not even the qid of an item that was never kept is given again. */
		if (i % 2 == 0)
			kit_commit();
		kit_crash(true);
		kit_start();
	}
	ck_assert_uint_eq(kit_count_live(), 3);
}
END_TEST

START_TEST(segments_are_used_again)
{
	struct segment *first = NULL;
	struct journal_figures f;
	uint64_t salt = 0;
	uint32_t n = 0;
	bool again;

	/* Ten times the bytes of a segment go through, each item ended soon. */
	for (int round = 0; round < 110; round++) {
		n = (uint32_t)round;
		ck_assert_int_eq(kit_put(n, 50000), JOURNAL_OK);
		if (first == NULL) {
			first = items[0].loc.seg;
			salt = first->head.salt;
		}
		if (n >= 3)
			kit_end(n - 3);
		kit_commit();
		do
			ck_assert_int_eq(journal_tick(j, 0, &again), JOURNAL_OK);
		while (again);
	}
	journal_figures(j, &f);
	ck_assert_uint_le(f.segments, 4);
	ck_assert_uint_ne(first->head.salt, salt);
	ck_assert_uint_eq(f.live_items, 3);
	/* Old bytes with old salts lie behind the tail now; none may come back to life. */
	kit_crash(false);
	kit_start();
	ck_assert_uint_eq(kit_count_live(), 3);
	ck_assert(items[n].live && items[n - 2].live);
	ck_assert_uint_eq(spoiled, 0);
}
END_TEST

START_TEST(failed_sync_is_final)
{
	unsigned syncs;

	ck_assert_int_eq(kit_put(1, BODY), JOURNAL_OK);
	kit_commit();
	ck_assert_int_eq(kit_put(2, BODY), JOURNAL_OK);
	disk.fail_sync = disk.syncs + 1;
	ck_assert_int_eq(journal_commit(j), JOURNAL_BROKEN);
	/* Not again, and nothing else either: the cache lies now. */
	syncs = disk.syncs + disk.writes;
	ck_assert_int_eq(journal_commit(j), JOURNAL_BROKEN);
	ck_assert_int_eq(kit_put(3, BODY), JOURNAL_BROKEN);
	ck_assert(!journal_accepts(j));
	ck_assert_uint_eq(disk.syncs + disk.writes, syncs);
	/* The process ends and recovers: what is only in the cache goes to a new segment and
	 * is durable before anybody is served. */
	kit_crash(false);
	kit_start();
	ck_assert(items[1].live && items[2].live);
	kit_crash(true);
	kit_start();
	ck_assert(items[1].live && items[2].live);
}
END_TEST

/* The same, and the recovery is killed at each of its syncs before one succeeds. */
START_TEST(failed_sync_and_failed_recovery)
{
	for (unsigned n = 1; n < 8; n++) {
		ck_assert_int_eq(kit_put(1, BODY), JOURNAL_OK);
		kit_commit();
		ck_assert_int_eq(kit_put(2, BODY), JOURNAL_OK);
		disk.fail_sync = disk.syncs + 1;
		ck_assert_int_eq(journal_commit(j), JOURNAL_BROKEN);
		kit_crash(false);
		disk.fail_sync = disk.syncs + n;
		if (kit_try_start())
			ck_assert_uint_gt(n, 3);
		kit_crash(false);
		kit_start();
		ck_assert(items[1].live && items[2].live);
		kit_crash(true);
		kit_start();
		ck_assert(items[1].live && items[2].live);
		kit_teardown();
		kit_setup();
	}
}
END_TEST

START_TEST(starts_make_no_segments)
{
	struct journal_figures f;
	bool again;

	for (uint32_t i = 0; i < 20; i++) {
		ck_assert_int_eq(kit_put(i, BODY), JOURNAL_OK);
		if (i > 2)
			kit_end(i - 2);
		kit_commit();
		if (i % 2 == 0)
			ck_assert_int_eq(journal_tick(j, 0, &again), JOURNAL_OK);
		kit_crash(true);
		kit_start();
	}
	journal_figures(j, &f);
	ck_assert_uint_le(f.segments, 3);
	ck_assert_uint_eq(kit_count_live(), 3);
}
END_TEST

/* Two recoveries fail, each at any of its syncs, and then the power goes. */
START_TEST(acknowledged_through_failed_recoveries)
{
	for (unsigned n = 1; n < 7; n++) {
		for (unsigned m = 1; m < 7; m++) {
			ck_assert_int_eq(kit_put(1, BODY), JOURNAL_OK);
			kit_commit();
			kit_crash(false);
			disk.fail_sync = disk.syncs + n;
			kit_try_start();
			kit_crash(false);
			disk.fail_sync = disk.syncs + m;
			kit_try_start();
			kit_crash(true);
			kit_start();
			ck_assert_msg(items[1].live && kit_readable(1), "%u, %u", n, m);
			kit_teardown();
			kit_setup();
		}
	}
}
END_TEST

START_TEST(live_item_keeps_its_segment)
{
	bool again;

	ck_assert_int_eq(kit_put(0, 50000), JOURNAL_OK);
	for (uint32_t n = 1; n < 80; n++) {
		ck_assert_int_eq(kit_put(n, 50000), JOURNAL_OK);
		kit_end(n);
		kit_commit();
		do
			ck_assert_int_eq(journal_tick(j, 0, &again), JOURNAL_OK);
		while (again);
	}
	ck_assert(kit_readable(0));
	kit_crash(true);
	kit_start();
	ck_assert_uint_eq(kit_count_live(), 1);
	ck_assert(items[0].live && kit_readable(0));
}
END_TEST

START_TEST(failed_write_is_final)
{
	ck_assert_int_eq(kit_put(1, BODY), JOURNAL_OK);
	disk.fail_write = disk.writes + 1;
	ck_assert_int_eq(journal_commit(j), JOURNAL_BROKEN);
	ck_assert_int_eq(journal_commit(j), JOURNAL_BROKEN);
	kit_crash(true);
	kit_start();
	ck_assert_uint_eq(kit_count_live(), 0);
}
END_TEST

/* Every write and every sync of a recovery fails in turn, with a power cut after it. */
START_TEST(recovery_fails_anywhere)
{
	struct memdisk image;
	bool finished = false;
	unsigned n;

	for (uint32_t i = 0; i < 8; i++)
		ck_assert_int_eq(kit_put(i, BODY), JOURNAL_OK);
	kit_end(2);
	kit_commit();
	memdisk_copy(&image, &disk, true);
	kit_stop();
	for (n = 1; !finished; n++) {
		kit_replace_disk(&image);
		if (_i == 0)
			disk.fail_sync = n;
		else
			disk.fail_write = n;
		finished = kit_try_start();
		if (!finished) {
			kit_crash(true);
			kit_start();
		}
		ck_assert_uint_eq(kit_count_live(), 7);
		kit_stop();
	}
	ck_assert_uint_gt(n, 3);
	kit_replace_disk(&image);
	memdisk_clear(&image);
	kit_start();
}
END_TEST

START_TEST(full_disk_is_not_the_end)
{
	uint32_t n = 0;
	bool again;

	ck_assert_int_eq(journal_tick(j, 1, &again), JOURNAL_OK);
	disk.full = true;
	while (journal_accepts(j)) {
		ck_assert_int_eq(kit_put(n++, 20000), JOURNAL_OK);
		kit_commit();
		ck_assert_int_eq(journal_tick(j, 1, &again), JOURNAL_OK);
		ck_assert_uint_lt(n, 100);
	}
	/* The ends of all that was accepted still find room, and make room. */
	for (uint32_t i = 0; i < n; i++)
		kit_end(i);
	kit_commit();
	disk.full = false;
	do
		ck_assert_int_eq(
		    journal_tick(j, JOURNAL_ENOSPC_WAIT_MS + 2, &again), JOURNAL_OK);
	while (again);
	ck_assert(journal_accepts(j));
}
END_TEST

static void
compact(void)
{
	struct segment *seg;
	struct journal_loc to;
	struct record r;
	struct buf b;

	buf_init(&b, RECORD_MAX);
	while ((seg = journal_sparse(j)) != NULL) {
		for (size_t i = 0; i < ITEMS; i++) {
			if (!items[i].live || items[i].loc.seg != seg)
				continue;
			ck_assert_int_eq(
			    journal_read(j, items[i].loc, &b, &r), JOURNAL_OK);
			ck_assert_int_eq(
			    journal_append(j, RECORD_MSG, r.payload, &to), JOURNAL_OK);
			journal_release(j, items[i].loc);
			journal_retain(j, to);
			items[i].loc = to;
		}
	}
	buf_clear(&b);
}

/* Random work with a power cut after every so many steps, checked against a model. */
START_TEST(random_work)
{
	static bool acked[ITEMS], ended[ITEMS];
	uint32_t next = 0, oldest = 0;
	bool again;

	memset(acked, 0, sizeof(acked));
	memset(ended, 0, sizeof(ended));
	for (int step = 0; step < 400 && next < ITEMS - 20; step++) {
		for (uint32_t i = random_below(12); i > 0; i--)
			ck_assert_int_eq(
			    kit_put(next++, 100 + random_below(20000)), JOURNAL_OK);
		for (uint32_t i = 0; i < 6 && oldest + 8 < next; i++, oldest++) {
			if (items[oldest].live && random_below(50) != 0) {
				kit_end(oldest);
				ended[oldest] = true;
			}
		}
		compact();
		kit_commit();
		for (uint32_t i = 0; i < next; i++)
			acked[i] = acked[i] || items[i].live;
		ck_assert_int_eq(journal_tick(j, 0, &again), JOURNAL_OK);
		if (random_below(10) != 0)
			continue;
		if (random_below(2) == 0)
			ck_assert_int_eq(kit_put(ITEMS - 1, 5000), JOURNAL_OK);
		kit_crash(random_below(2) == 0);
		kit_start();
		for (uint32_t i = 0; i < next; i++)
			ck_assert_msg(items[i].live == (acked[i] && !ended[i]),
			    "item %u in step %d: %d", i, step, items[i].live);
		if (items[ITEMS - 1].live)
			kit_end(ITEMS - 1);
		ck_assert_uint_eq(spoiled, 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue journal");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, kit_setup, kit_teardown);
	tcase_add_test(t, kept_after_power_cut);
	tcase_add_test(t, start_numbers_grow);
	tcase_add_test(t, segments_are_used_again);
	tcase_add_test(t, failed_sync_is_final);
	tcase_add_test(t, failed_sync_and_failed_recovery);
	tcase_add_test(t, acknowledged_through_failed_recoveries);
	tcase_add_test(t, live_item_keeps_its_segment);
	tcase_add_test(t, starts_make_no_segments);
	tcase_add_test(t, failed_write_is_final);
	tcase_add_loop_test(t, recovery_fails_anywhere, 0, 2);
	tcase_add_test(t, full_disk_is_not_the_end);
	tcase_add_test(t, random_work);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
