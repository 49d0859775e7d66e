/* SPDX-License-Identifier: ISC */
/*
 * check_queue_spool.c - items through journal, compaction and restarts, on a real directory:
 * whatever was noted of an item is known again afterwards.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "queue/spool.h"
#include "wire/code.h"

#define BIG 50000

static char dir[] = "/tmp/check-spool.XXXXXX";
static int spool_fd;
static struct spool *spool;
static uint8_t body[BIG];

static void
reopen(void)
{
	const char *why;

	spool_close(spool);
	spool = spool_open(&diskio_real, spool_fd, SEGMENT_SIZE_MIN, &why);
	ck_assert_msg(spool != NULL, "%s", why);
}

static void
setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	spool_fd = open(dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(spool_fd, 0);
	reopen();
}

static bool
remove_name(void *arg, const char *name)
{
	(void)unlinkat(*(int *)arg, name, 0);
	return true;
}

static void
teardown(void)
{
	int seg = openat(spool_fd, "seg", O_RDONLY | O_DIRECTORY);

	spool_close(spool);
	spool = NULL;
	diskio_real.list(NULL, seg, remove_name, &seg);
	close(seg);
	unlinkat(spool_fd, "seg", AT_REMOVEDIR);
	unlinkat(spool_fd, "LOCK", 0);
	close(spool_fd);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct item *
add(size_t n)
{
	struct record_msg m = {.accepted = 1000, .expires = 9000, .kind = 1, .nrcpts = 2};
	enum journal_err err;
	struct item *it;

	m.sender = span_str("alice#im.alpha.test");
	m.domain = span_str("im.beta.test");
	m.rcpts[0] = span_str("bob#im.beta.test");
	m.rcpts[1] = span_str("carol#im.beta.test");
	m.body = span_of(body, n);
	it = spool_add(spool, &m, &err);
	ck_assert_ptr_nonnull(it);
	return it;
}

/* Lets so many large items come and go; the spool is ticked as the process does it. */
static void
traffic(int n)
{
	bool again;

	while (n-- > 0) {
		ck_assert_int_eq(spool_done(spool, add(BIG), 1), JOURNAL_OK);
		ck_assert_int_eq(spool_commit(spool), JOURNAL_OK);
		do
			ck_assert_int_eq(spool_tick(spool, 1, &again), JOURNAL_OK);
		while (again);
	}
}

static size_t
segments(void)
{
	struct journal_figures f;

	journal_figures(spool_journal(spool), &f);
	return (size_t)f.segments;
}

/* What was noted of the item in carried(). */
static void
check_noted(uint64_t qid, const char *when)
{
	struct item *it = spool_find(spool, qid);
	struct record_msg m;
	struct buf b;

	ck_assert_msg(it != NULL, "%s", when);
	ck_assert_uint_eq(it->tries, 3);
	ck_assert_uint_eq(it->last, 2000);
	ck_assert_uint_eq(it->code, CODE_PEER_UNREACHABLE);
	ck_assert_str_eq(it->error, "no route");
	ck_assert(it->held);
	ck_assert_int_eq(it->rcpts[0].state, RECORD_ACCEPTED);
	ck_assert_int_eq(it->rcpts[0].fate, ITEM_FATE_OWED);
	ck_assert_int_eq(it->rcpts[1].state, RECORD_PENDING);
	ck_assert_uint_eq(it->rcpts[1].code, CODE_TRY_LATER);
	ck_assert_str_eq(it->rcpts[1].text, "later");
	buf_init(&b, RECORD_MAX);
	ck_assert(spool_read(spool, it, &b, &m));
	ck_assert(span_eq(m.body, span_of(body, 300)));
	ck_assert(span_eq(m.rcpts[1], span_str("carol#im.beta.test")));
	buf_clear(&b);
}

START_TEST(carried)
{
	struct item *it = add(300);
	uint64_t qid = it->qid;
	struct segment *first = it->loc.seg;

	it->tries = 3;
	it->last = 2000;
	item_result(it, 0, RECORD_ACCEPTED, CODE_DONE, span_str("there"), 2000);
	item_result(it, 1, RECORD_PENDING, CODE_TRY_LATER, span_str("later"), 2000);
	item_trouble(it, CODE_PEER_UNREACHABLE, span_str("no route"));
	ck_assert_int_eq(spool_note(spool, it, false), JOURNAL_OK);
	ck_assert_int_eq(spool_mark(spool, it, RECORD_HOLD, 2000), JOURNAL_OK);
	check_noted(qid, "at first");
	traffic(60);
	/* It stood in the way of its segment and was carried forward. */
	ck_assert_uint_le(segments(), 5);
	ck_assert(spool_find(spool, qid)->loc.seg != first ||
	    spool_find(spool, qid)->loc.offset > SEGMENT_FIRST);
	check_noted(qid, "carried");
	for (int i = 0; i < 4; i++) {
		reopen();
		ck_assert_uint_eq(spool_count(spool), 1);
		check_noted(qid, "opened again");
		traffic(15);
	}
	ck_assert_uint_le(segments(), 6);
}
END_TEST

START_TEST(marks)
{
	uint64_t dropped, released, done, bounced;
	struct item *it;

	dropped = (it = add(10))->qid;
	ck_assert_int_eq(spool_mark(spool, it, RECORD_DROP, 5), JOURNAL_OK);
	released = (it = add(10))->qid;
	ck_assert_int_eq(spool_mark(spool, it, RECORD_HOLD, 5), JOURNAL_OK);
	ck_assert_int_eq(spool_mark(spool, it, RECORD_RELEASE, 6), JOURNAL_OK);
	done = (it = add(10))->qid;
	ck_assert_int_eq(spool_done(spool, it, 5), JOURNAL_OK);
	bounced = (it = add(10))->qid;
	item_result(it, 1, RECORD_FAILED, CODE_EXPIRED, span_str("too old"), 7);
	ck_assert_int_eq(spool_note(spool, it, true), JOURNAL_OK);
	ck_assert_int_eq(spool_commit(spool), JOURNAL_OK);
	reopen();
	ck_assert_uint_eq(spool_count(spool), 3);
	ck_assert_ptr_null(spool_find(spool, done));
	ck_assert(!spool_find(spool, released)->held);
	it = spool_find(spool, dropped);
	ck_assert_uint_eq(spool_count_of(spool, span_str(it->sender)), 3);
	ck_assert_uint_eq(spool_count_of(spool, span_str("nobody#im.alpha.test")), 0);
	ck_assert_uint_eq(item_count(it, RECORD_FAILED), 2);
	ck_assert_uint_eq(it->rcpts[0].code, CODE_DROPPED);
	it = spool_find(spool, bounced);
	ck_assert_int_eq(it->rcpts[0].state, RECORD_PENDING);
	ck_assert_uint_eq(it->rcpts[1].code, CODE_EXPIRED);
	/* It was never tried. Its fate is not older than the item all the same. */
	ck_assert_uint_ge(it->rcpts[1].when, it->accepted);
	ck_assert_uint_gt(it->rcpts[1].when, 0);
	/* A fate that is final stays. */
	ck_assert(!item_result(it, 1, RECORD_ACCEPTED, CODE_DONE, span_str(""), 8));
	/* qids grow from start to start. */
	ck_assert_uint_gt(add(10)->qid, bounced);
}
END_TEST

/* What a peer says is cut between two characters. */
START_TEST(texts)
{
	char text[2 * RECORD_TEXT_MAX + 2] = "a";
	struct item *it = add(10);

	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	item_result(it, 0, RECORD_FAILED, CODE_NOT_ACCEPTED, span_str(text), 7);
	item_trouble(it, CODE_NOT_ACCEPTED, span_str(text));
	ck_assert_uint_eq(strlen(it->rcpts[0].text), RECORD_TEXT_MAX - 1);
	ck_assert(utf8_valid(span_str(it->rcpts[0].text)));
	ck_assert(utf8_valid(span_str(it->error)));
}
END_TEST

START_TEST(one_writer)
{
	const char *why = NULL;

	ck_assert_ptr_null(spool_open(&diskio_real, spool_fd, SEGMENT_SIZE_MIN, &why));
	ck_assert_int_eq(errno, EWOULDBLOCK);
	ck_assert_str_eq(why, "another queue has the spool");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue spool");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, carried);
	tcase_add_test(t, marks);
	tcase_add_test(t, texts);
	tcase_add_test(t, one_writer);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
