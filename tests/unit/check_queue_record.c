/* SPDX-License-Identifier: ISC */
/*
 * check_queue_record.c - the journal's records: every field there and back, every byte that
 * is spoiled noticed, every length that is cut refused.
 */
#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "queue/crc32c.h"
#include "queue/record.h"

#define SALT 0x1122334455667788ULL

START_TEST(crc_known)
{
	uint8_t zeros[32] = {0}, ones[32];

	/* RFC 3720 appendix B.4. */
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283U);
	ck_assert_uint_eq(crc32c(0, zeros, 32), 0x8a9136aaU);
	memset(ones, 0xff, sizeof(ones));
	ck_assert_uint_eq(crc32c(0, ones, 32), 0x62a8ab43U);
	/* In two steps as in one. */
	ck_assert_uint_eq(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283U);
}
END_TEST

static void
fill_msg(struct record_msg *m, uint8_t *body, size_t n)
{
	memset(m, 0, sizeof(*m));
	m->qid = 0x10000000007ULL;
	m->accepted = 1795417200000ULL;
	m->expires = m->accepted + 432000000;
	memset(m->mid, 0x5a, sizeof(m->mid));
	memset(m->device, 0xa5, sizeof(m->device));
	m->kind = 1;
	m->sender = span_str("alice#im.alpha.test");
	m->conv = span_str("0123456789abcdef");
	m->domain = span_str("im.beta.test");
	m->nrcpts = 2;
	m->rcpts[0] = span_str("bob#im.beta.test");
	m->rcpts[1] = span_str("carol#im.beta.test");
	memset(body, 'b', n);
	m->body = span_of(body, n);
}

START_TEST(msg_round_trip)
{
	struct record_msg a, b;
	uint8_t body[300];
	struct buf buf;

	fill_msg(&a, body, sizeof(body));
	buf_init(&buf, RECORD_MAX);
	ck_assert(record_put_msg(&buf, &a));
	ck_assert(record_get_msg(buf_span(&buf), &b));
	ck_assert_uint_eq(b.qid, a.qid);
	ck_assert_uint_eq(b.accepted, a.accepted);
	ck_assert_uint_eq(b.expires, a.expires);
	ck_assert_mem_eq(b.mid, a.mid, 16);
	ck_assert_mem_eq(b.device, a.device, 16);
	ck_assert_uint_eq(b.kind, 1);
	ck_assert(span_eq(a.sender, b.sender) && span_eq(a.conv, b.conv));
	ck_assert(span_eq(a.domain, b.domain) && span_eq(a.body, b.body));
	ck_assert_uint_eq(b.nrcpts, 2);
	ck_assert(span_eq(a.rcpts[0], b.rcpts[0]) && span_eq(a.rcpts[1], b.rcpts[1]));
	for (size_t n = 0; n < buf.n; n++)
		ck_assert(!record_get_msg(span_of(buf.p, n), &b));
	buf_put_u8(&buf, 0);
	ck_assert(!record_get_msg(buf_span(&buf), &b));
	buf_clear(&buf);
}
END_TEST

START_TEST(msg_limits)
{
	struct record_msg *m = xcalloc(1, sizeof(*m)), *got = xcalloc(1, sizeof(*got));
	char name[RECORD_NAME_MAX + 2];
	uint8_t body[8];
	struct buf buf;

	fill_msg(m, body, sizeof(body));
	buf_init(&buf, RECORD_MAX);
	m->nrcpts = 0;
	ck_assert(!record_put_msg(&buf, m));
	m->nrcpts = RECORD_RCPTS_MAX + 1;
	ck_assert(!record_put_msg(&buf, m));
	/* A name that is too long is written (the writer is ours) and refused in reading. */
	memset(name, 'x', sizeof(name));
	m->nrcpts = 1;
	m->rcpts[0] = span_of(name, RECORD_NAME_MAX);
	buf_reset(&buf);
	ck_assert(record_put_msg(&buf, m) && record_get_msg(buf_span(&buf), got));
	m->rcpts[0] = span_of(name, RECORD_NAME_MAX + 1);
	buf_reset(&buf);
	ck_assert(record_put_msg(&buf, m) && !record_get_msg(buf_span(&buf), got));
	buf_clear(&buf);
	free(m);
	free(got);
}
END_TEST

START_TEST(attempt_round_trip)
{
	struct record_attempt *a = xcalloc(1, sizeof(*a)), *b = xcalloc(1, sizeof(*b));
	struct buf buf;

	a->qid = 9;
	a->when = 10;
	a->code = 430;
	a->tries = 12;
	a->held = true;
	a->trouble = span_str("no route");
	a->nresults = 2;
	a->results[0] = (struct record_result){0, RECORD_ACCEPTED, 200, span_str("ok")};
	a->results[1] = (struct record_result){7, RECORD_FAILED, 520, span_str("no")};
	buf_init(&buf, RECORD_MAX);
	ck_assert(record_put_attempt(&buf, a));
	ck_assert(record_get_attempt(buf_span(&buf), b));
	ck_assert_uint_eq(b->tries, 12);
	ck_assert(b->held);
	ck_assert_uint_eq(b->code, 430);
	ck_assert(span_eq(b->trouble, span_str("no route")));
	ck_assert_uint_eq(b->nresults, 2);
	ck_assert_uint_eq(b->results[1].index, 7);
	ck_assert_int_eq(b->results[1].state, RECORD_FAILED);
	ck_assert_uint_eq(b->results[1].code, 520);
	ck_assert(span_eq(b->results[1].text, span_str("no")));
	for (size_t n = 0; n < buf.n; n++)
		ck_assert(!record_get_attempt(span_of(buf.p, n), b));
	buf_reset(&buf);
	a->results[1].index = RECORD_RCPTS_MAX;
	ck_assert(record_put_attempt(&buf, a));
	ck_assert(!record_get_attempt(buf_span(&buf), b));
	buf_clear(&buf);
	free(a);
	free(b);
}
END_TEST

START_TEST(frame_spoiled)
{
	struct record r = {.type = RECORD_DONE, .lsn = 77, .salt = SALT}, got;
	struct buf buf;

	r.payload = span_str("twenty-one bytes here");
	buf_init(&buf, RECORD_MAX);
	ck_assert(record_put(&buf, &r));
	ck_assert_uint_eq(buf.n % RECORD_ALIGN, 0);
	ck_assert_uint_eq(buf.n, record_size(r.payload.n));
	ck_assert_ptr_null(record_get(buf_span(&buf), SALT, &got));
	ck_assert_uint_eq(got.lsn, 77);
	ck_assert_int_eq(got.type, RECORD_DONE);
	ck_assert(span_eq(got.payload, r.payload));
	ck_assert_uint_eq(got.size, buf.n);
	ck_assert_ptr_nonnull(record_get(buf_span(&buf), SALT + 1, &got));
	for (size_t n = 0; n < buf.n; n++)
		ck_assert_ptr_nonnull(record_get(span_of(buf.p, n), SALT, &got));
	/* Each bit of header and payload; the padding carries nothing. */
	for (size_t i = 0; i < (RECORD_HEADER + r.payload.n) * 8; i++) {
		buf.p[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_ptr_nonnull(record_get(buf_span(&buf), SALT, &got));
		buf.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ck_assert_ptr_null(record_get(buf_span(&buf), SALT, &got));
	buf_clear(&buf);
}
END_TEST

START_TEST(frame_limits)
{
	struct record r = {.type = RECORD_MSG};
	struct buf buf;
	uint8_t *big = xcalloc(1, RECORD_MAX);

	buf_init(&buf, 2 * RECORD_MAX);
	r.payload = span_of(big, RECORD_MAX - RECORD_HEADER);
	ck_assert(record_put(&buf, &r));
	r.payload = span_of(big, RECORD_MAX - RECORD_HEADER + 1);
	ck_assert(!record_put(&buf, &r));
	r.type = RECORD_TYPE_COUNT;
	r.payload = span_str("x");
	buf_reset(&buf);
	ck_assert(record_put(&buf, &r));
	ck_assert_str_eq(record_get(buf_span(&buf), 0, &r), "unknown type");
	ck_assert_str_eq(record_type_name(RECORD_TYPE_COUNT), "?");
	ck_assert_str_eq(record_type_name(RECORD_BOUNCED), "BOUNCED");
	buf_clear(&buf);
	free(big);
}
END_TEST

START_TEST(mark_and_start)
{
	struct record_start s = {5, 6, 7}, t;
	uint64_t qid, when;
	struct buf buf;

	buf_init(&buf, 100);
	ck_assert(record_put_mark(&buf, 3, 4));
	ck_assert(record_get_mark(buf_span(&buf), &qid, &when));
	ck_assert(qid == 3 && when == 4);
	ck_assert(!record_get_mark(span_of(buf.p, buf.n - 1), &qid, &when));
	buf_reset(&buf);
	ck_assert(record_put_start(&buf, &s));
	ck_assert(record_get_start(buf_span(&buf), &t));
	ck_assert(t.number == 5 && t.when == 6 && t.cut == 7);
	buf_reset(&buf);
	s.number = RECORD_START_MAX + 1;
	ck_assert(record_put_start(&buf, &s));
	ck_assert(!record_get_start(buf_span(&buf), &t));
	buf_clear(&buf);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue record");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, crc_known);
	tcase_add_test(t, msg_round_trip);
	tcase_add_test(t, msg_limits);
	tcase_add_test(t, attempt_round_trip);
	tcase_add_test(t, frame_spoiled);
	tcase_add_test(t, frame_limits);
	tcase_add_test(t, mark_and_start);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
