/* SPDX-License-Identifier: ISC */
/*
 * check_relay_carry.c - what depends on time and size in relay/carry.c: items that nothing
 * becomes of, and how much goes out at once. The rest is in check_relay_process.c.
 *
 * There is no process here: proc_channel() below knows no neighbour, so nothing is reported.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "ipc/proc.h"
#include "relay/carry.h"

#define BOB "bob#im.beta.test"

struct channel *
proc_channel(enum role role)
{
	(void)role;
	return NULL;
}

static void
add_item(struct carry *c, uint64_t qid, uint64_t now)
{
	struct p_outer outer = {
	    .fmt = 1, .suite = 1, .from = span_str("al#im.alpha.test")};
	struct p_recipient to = {.account = span_str(BOB)};
	struct p_put put = {
	    .kind = ITEM_MESSAGE, .body = span_str("sealed"), .to.count = 1};
	struct m_send send = {.qid = qid};
	struct buf o, list, p;

	buf_init(&o, 1024);
	buf_init(&list, 1024);
	buf_init(&p, 4096);
	ck_assert_int_eq(obj_encode(&p_outer_def, &outer, &o), WIRE_OK);
	ck_assert_int_eq(obj_encode(&p_recipient_def, &to, &list), WIRE_OK);
	put.outer = buf_span(&o);
	put.to.raw = buf_span(&list);
	ck_assert_int_eq(obj_encode(&p_put_def, &put, &p), WIRE_OK);
	send.put = buf_span(&p);
	ck_assert(carry_item(c, &send, now));
	buf_clear(&o);
	buf_clear(&list);
	buf_clear(&p);
}

/* The peer answers the put with this id. */
static const char *
answer(struct carry *c, uint64_t id, uint64_t now)
{
	struct p_outcome o = {.account = span_str(BOB), .code = CODE_DONE};
	struct p_result result = {.outcomes.count = 1};
	struct wframe frame = {.type = FRAME_RESULT, .id = id};
	struct buf list, b;
	const char *wrong;

	buf_init(&list, 1024);
	buf_init(&b, 1024);
	ck_assert_int_eq(obj_encode(&p_outcome_def, &o, &list), WIRE_OK);
	result.outcomes.raw = buf_span(&list);
	ck_assert_int_eq(obj_encode(&p_result_def, &result, &b), WIRE_OK);
	frame.body = buf_span(&b);
	wrong = carry_result(c, &frame, now);
	buf_clear(&list);
	buf_clear(&b);
	return wrong;
}

/* The id of the first frame that goes out now; 0 if none does. */
static uint64_t
write_one(struct carry *c)
{
	struct wframe frame = {.id = 0};
	struct wframe_iter it;
	struct buf b;

	buf_init(&b, PROTO_MESSAGE_MAX);
	if (carry_write(c, &b)) {
		wframe_init(&it, buf_span(&b));
		ck_assert(wframe_next(&it, &frame));
	}
	buf_clear(&b);
	return frame.id;
}

START_TEST(stalled)
{
	struct carry c;
	uint64_t id, now = 5000000;

	carry_init(&c);
	carry_window(&c, 1, 1000);
	ck_assert(!carry_stalled(&c, now));
	/* In flight without a result. */
	add_item(&c, 1, now);
	id = write_one(&c);
	ck_assert_uint_ne(id, 0);
	add_item(&c, 2, now + CARRY_STALL_MS - 1);
	ck_assert(!carry_stalled(&c, now + CARRY_STALL_MS - 1));
	ck_assert(carry_stalled(&c, now + CARRY_STALL_MS));
	/* A result is progress; what waits has its time from then on. */
	now += CARRY_STALL_MS;
	ck_assert_ptr_null(answer(&c, id, now));
	ck_assert(!carry_stalled(&c, now + CARRY_STALL_MS - 1));
	/* No window is no way out. */
	carry_window(&c, 0, 0);
	ck_assert_uint_eq(write_one(&c), 0);
	ck_assert(carry_stalled(&c, now + CARRY_STALL_MS));
	carry_fail(&c, CODE_TIMEOUT, "");
	ck_assert(carry_idle(&c));
	ck_assert(!carry_stalled(&c, now + CARRY_STALL_MS));
	/* What comes after a long rest is not late at once. */
	now += 10 * CARRY_STALL_MS;
	add_item(&c, 3, now);
	ck_assert(!carry_stalled(&c, now + 1));
	carry_fail(&c, CODE_TIMEOUT, "");
}
END_TEST

START_TEST(only_once)
{
	struct carry c;
	uint64_t id;

	carry_init(&c);
	carry_window(&c, 9, 10000);
	add_item(&c, 1, 0);
	id = write_one(&c);
	ck_assert_ptr_nonnull(answer(&c, id + 1, 0));
	ck_assert_ptr_null(answer(&c, id, 0));
	ck_assert_ptr_nonnull(answer(&c, id, 0));
	ck_assert_uint_eq(c.flying_items, 0);
	ck_assert_uint_eq(c.flying_bytes, 0);
	carry_fail(&c, CODE_TIMEOUT, "");
}
END_TEST

/* However many requests wait, a message keeps its size, and none is left out. */
START_TEST(many_requests)
{
	static uint8_t text[30000];
	struct p_req req = {.method = span_str("keys.get")};
	struct wframe_iter it;
	struct wframe frame;
	size_t sent = 0, n = 60;
	struct carry c;
	struct buf a, b;

	carry_init(&c);
	buf_init(&a, MSG_REQ_MAX);
	buf_init(&b, MSG_REQ_MAX);
	cbor_put_map(&a, 1);
	cbor_put_uint(&a, 9);
	cbor_put_bstr(&a, span_of(text, sizeof(text)));
	req.args = buf_span(&a);
	ck_assert_int_eq(obj_encode(&p_req_def, &req, &b), WIRE_OK);
	for (size_t i = 0; i < n; i++)
		ck_assert(carry_query(&c, i + 1, buf_span(&b), 0));
	buf_clear(&a);
	buf_clear(&b);
	buf_init(&b, PROTO_MESSAGE_MAX);
	while (carry_write(&c, &b)) {
		ck_assert(!buf_failed(&b));
		ck_assert_uint_le(b.n, CARRY_BATCH + 64);
		wframe_init(&it, buf_span(&b));
		while (wframe_next(&it, &frame))
			sent++;
		buf_reset(&b);
	}
	ck_assert_uint_eq(sent, n);
	buf_clear(&b);
	carry_fail(&c, CODE_TIMEOUT, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay_carry");
	TCase *tc = tcase_create("carry");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, stalled);
	tcase_add_test(tc, only_once);
	tcase_add_test(tc, many_requests);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
