/* SPDX-License-Identifier: ISC */
/*
 * check_queue_spoil.c - the journal's recovery from torn tails (normal) and from spoiled bytes
 * (quarantined), on a disk in memory (memdisk.c).
 *
 * Torn: the end of the last batch, which nobody was answered for. Spoiled: anything before it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "spoolkit.h"

/* Makes a journal whose last batch has records at known places, then cuts it everywhere. */
START_TEST(torn_at_every_byte)
{
	struct memdisk image;
	struct memdisk_file *f;
	struct journal_loc first, last;
	char name[SEGMENT_NAME_SIZE];
	int junk = _i; /* what stands behind the cut: zeros, ones, noise */

	for (uint32_t i = 0; i < 4; i++)
		ck_assert_int_eq(kit_put(i, 40), JOURNAL_OK);
	kit_commit();
	ck_assert_int_eq(kit_put(4, 40), JOURNAL_OK);
	kit_end(0);
	ck_assert_int_eq(kit_put(5, 40), JOURNAL_OK);
	kit_commit();
	first = items[4].loc;
	last = items[5].loc;
	segment_name(first.seg->slot, name);
	memdisk_copy(&image, &disk, false);
	kit_stop();
	for (uint64_t cut = first.offset; cut <= last.offset + last.size; cut++) {
		kit_replace_disk(&image);
		f = memdisk_find(&disk, name);
		if (junk == 2)
			random_bytes(f->cache + cut, (size_t)(SIZE - cut));
		else
			memset(
			    f->cache + cut, junk == 0 ? 0 : 0xff, (size_t)(SIZE - cut));
		for (int again = 0; again < 2; again++) {
			kit_start();
			/* The batch before was answered for. */
			ck_assert(items[1].live && items[2].live && items[3].live);
			/* Whole records count (the padding behind them does not), broken
			 * ones do not, and none behind a broken one does. */
			ck_assert(!items[4].live || cut + 8 > first.offset + first.size);
			ck_assert(items[4].live || cut < first.offset + first.size);
			ck_assert(!items[5].live || (items[4].live && !items[0].live));
			ck_assert_uint_eq(spoiled, 0);
			kit_crash(true);
		}
	}
	memdisk_clear(&image);
	kit_replace_disk(&image);
	kit_start();
}
END_TEST

START_TEST(spoiled_in_the_middle)
{
	struct memdisk image;
	struct journal_loc bad;
	char name[SEGMENT_NAME_SIZE];

	for (uint32_t i = 0; i < 9; i++) {
		ck_assert_int_eq(kit_put(i, BODY), JOURNAL_OK);
		if (i % 3 == 2)
			kit_commit();
	}
	segment_name(items[0].loc.seg->slot, name);
	bad = items[4].loc; /* the middle of the second of three batches */
	memdisk_copy(&image, &disk, false);
	kit_stop();
	for (uint64_t at = bad.offset; at < bad.offset + bad.size - RECORD_ALIGN;
	     at += 7) {
		kit_replace_disk(&image);
		kit_spoil(name, at, 0x40);
		kit_start();
		ck_assert_uint_eq(kit_count_live(), 8);
		ck_assert(!items[4].live && items[5].live && items[8].live);
		ck_assert_uint_eq(spoiled, 1);
		/* And what is good was carried over: the next start finds no fault. */
		kit_crash(true);
		kit_start();
		ck_assert_uint_eq(kit_count_live(), 8);
		kit_stop();
	}
	memdisk_clear(&image);
	kit_start();
}
END_TEST

START_TEST(spoiled_in_an_old_segment)
{
	struct journal_loc bad;
	char name[SEGMENT_NAME_SIZE];
	uint32_t n = 0;

	while (n < 3 || items[n - 1].loc.seg == items[0].loc.seg) {
		ck_assert_int_eq(kit_put(n, 50000), JOURNAL_OK);
		kit_commit();
		n++;
	}
	ck_assert_int_eq(kit_put(n, 100), JOURNAL_OK);
	kit_commit();
	/* The last record of a segment that another follows is missed, too. */
	bad = items[n - 2].loc;
	segment_name(bad.seg->slot, name);
	kit_stop();
	kit_spoil(name, bad.offset + 100, 1);
	kit_spoil(name, items[1].loc.offset + 5, 1);
	kit_start();
	ck_assert_uint_eq(spoiled, 2);
	ck_assert_uint_eq(kit_count_live(), n + 1 - 2);
	ck_assert(!items[n - 2].live && !items[1].live && items[n].live && items[2].live);
}
END_TEST

START_TEST(head_spoiled)
{
	struct memdisk_file *f;
	char name[SEGMENT_NAME_SIZE];

	for (uint32_t i = 0; i < 5; i++)
		ck_assert_int_eq(kit_put(i, BODY), JOURNAL_OK);
	kit_commit();
	segment_name(items[0].loc.seg->slot, name);
	kit_stop();
	f = memdisk_find(&disk, name);
	f->cache[20] ^= 1;
	kit_start();
	ck_assert_uint_eq(kit_count_live(), 5); /* salvaged by its first record */
	segment_name(items[0].loc.seg->slot, name);
	kit_stop();
	f = memdisk_find(&disk, name);
	memset(f->cache, 0x77, SEGMENT_FIRST + RECORD_HEADER);
	kit_start();
	ck_assert_uint_eq(spoiled, 1); /* set aside under another name */
	ck_assert_ptr_null(memdisk_find(&disk, name));
	ck_assert_int_eq(kit_put(9, BODY), JOURNAL_OK);
	kit_commit();
}
END_TEST

START_TEST(old_bytes_behind_a_torn_tail)
{
	struct memdisk_file *f;
	char name[SEGMENT_NAME_SIZE];
	struct journal_loc torn;
	bool again;

	for (uint32_t i = 0; i < 30; i++) {
		ck_assert_int_eq(kit_put(i, 50000), JOURNAL_OK);
		kit_end(i);
		kit_commit();
		ck_assert_int_eq(journal_tick(j, 0, &again), JOURNAL_OK);
	}
	/* In a segment that was full of records of the same size once. */
	ck_assert_int_eq(kit_put(31, 50000), JOURNAL_OK);
	kit_commit();
	ck_assert_int_eq(kit_put(32, 50000), JOURNAL_OK);
	kit_commit();
	torn = items[32].loc;
	segment_name(torn.seg->slot, name);
	kit_stop();
	f = memdisk_find(&disk, name);
	f->cache[torn.offset + 200] ^= 1;
	kit_start();
	ck_assert_uint_eq(spoiled, 0);
	ck_assert_uint_eq(kit_count_live(), items[31].live ? 1 : 0);
	ck_assert(items[31].live && !items[32].live);
}
END_TEST

START_TEST(hole_in_the_last_batch)
{
	char name[SEGMENT_NAME_SIZE];

	for (uint32_t i = 0; i < 6; i++) {
		ck_assert_int_eq(kit_put(i, BODY), JOURNAL_OK);
		if (i == 2)
			kit_commit();
	}
	kit_commit();
	segment_name(items[0].loc.seg->slot, name);
	kit_spoil(name, items[4].loc.offset + 50, 1);
	kit_crash(false);
	kit_start();
	/* It may have been torn, so nobody was answered: what is behind it does not count,
	 * and it is no damage. */
	ck_assert(items[2].live && items[3].live && !items[4].live && !items[5].live);
	ck_assert_uint_eq(spoiled, 0);
	kit_crash(true);
	kit_start();
	ck_assert_uint_eq(kit_count_live(), 4);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue spoil");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, kit_setup, kit_teardown);
	tcase_add_loop_test(t, torn_at_every_byte, 0, 3);
	tcase_add_test(t, spoiled_in_the_middle);
	tcase_add_test(t, spoiled_in_an_old_segment);
	tcase_add_test(t, head_spoiled);
	tcase_add_test(t, old_bytes_behind_a_torn_tail);
	tcase_add_test(t, hole_in_the_last_batch);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
