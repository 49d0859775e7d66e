/* SPDX-License-Identifier: ISC */
/*
 * check_ipc_channel.c - tests of ipc/channel: the table is enforced before any handler, work
 * needs credit, the end is told once and from the loop, nobody starves.
 *
 * "us" is a channel as store sees listener; "them" is the bare frame at the other end.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "ipc/msgs.h"

static struct event_base *base;
static struct channel *us;
static struct frame *them;
static unsigned handled, drained, ended;
static enum channel_end why;
static bool keep, free_in_handler, free_in_closed;

static void
on_message(struct channel *ch, struct channel_msg *in, void *arg)
{
	(void)arg;
	ck_assert_ptr_eq(ch, us);
	handled++;
	if (in->type == MSG_REQ)
		ck_assert_uint_eq(((const struct m_req *)in->body)->handle, in->id);
	if (keep)
		channel_keep_credit(ch);
	if (free_in_handler) {
		channel_free(ch);
		us = NULL;
	}
}

static void
on_drained(struct channel *ch, void *arg)
{
	(void)arg;
	ck_assert_ptr_eq(ch, us);
	drained++;
}

static void
on_closed(struct channel *ch, enum channel_end end, const char *detail, void *arg)
{
	(void)arg;
	ck_assert_ptr_eq(ch, us);
	ck_assert_ptr_nonnull(detail);
	ended++;
	why = end;
	if (free_in_closed) {
		channel_free(ch);
		us = NULL;
	}
}

static const struct channel_ops ops = {on_message, on_drained, on_closed};

static void
connect_as(enum role me, enum role peer)
{
	struct frame_limits limits = frame_default_limits;
	int pair[2];

	ck_assert_int_eq(fd_pair(pair, 4 << 20), 0);
	us = channel_new(base, pair[0], me, peer, &ops, NULL);
	limits.cap = (size_t)1 << 30;
	them = frame_new(pair[1], &limits);
}

static void
drop_line(const char *line)
{
	(void)line;
}

static void
setup(void)
{
	log_capture(drop_line);
	base = event_base_new();
	handled = drained = ended = 0;
	keep = free_in_handler = free_in_closed = false;
	connect_as(ROLE_STORE, ROLE_LISTENER);
}

static void
teardown(void)
{
	channel_free(us);
	us = NULL;
	frame_free(them);
	event_base_free(base);
}

/* One turn of the loop without waiting. */
static void
turn(void)
{
	(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
turns(int n)
{
	while (n-- > 0)
		turn();
}

static struct span
encode(struct buf *b, uint16_t type, const void *m)
{
	buf_init(b, MSG_PAYLOAD_MAX);
	ck_assert_int_eq(payload_put(msg_find(type)->fields, m, b), 0);
	return buf_span(b);
}

static void
they_say(uint16_t type, uint64_t id, const void *m, int fd)
{
	struct buf b;
	struct span s = encode(&b, type, m);

	ck_assert_int_eq(frame_queue(them, type, 0, id, s, fd), 0);
	(void)frame_write(them);
	buf_clear(&b);
}

static void
they_ask(uint64_t id)
{
	struct m_req m = {.handle = id, .req = span_str("x")};

	they_say(MSG_REQ, id, &m, -1);
}

/* The next message that came to them; credit is skipped and counted. */
static uint64_t credits;

static bool
they_hear(struct frame_msg *msg)
{
	for (;;) {
		while (frame_next(them, msg) == FRAME_AGAIN)
			if (frame_read(them) != FRAME_OK)
				return false;
		if (msg->type != 0)
			return true;
		credits += msg->id;
	}
}

START_TEST(test_both_ways)
{
	struct m_res res = {.link = 4, .res = span_str("yes")}, got;
	struct frame_msg msg;

	they_ask(77);
	turn();
	ck_assert_uint_eq(handled, 1);
	ck_assert_int_eq(channel_send(us, MSG_RES, 77, &res, -1), 0);
	ck_assert_uint_gt(channel_out_bytes(us), 0);
	turn();
	ck_assert_uint_eq(channel_out_bytes(us), 0);
	ck_assert(they_hear(&msg));
	ck_assert_uint_eq(msg.type, MSG_RES);
	ck_assert_uint_eq(msg.id, 77);
	ck_assert_int_eq(payload_get(msg_find(MSG_RES)->fields, msg.payload, &got), 0);
	ck_assert_uint_eq(got.link, 4);
	ck_assert(span_eq(got.res, span_str("yes")));
}
END_TEST

/* All that the table forbids; the handler must not run. */
START_TEST(test_offences)
{
	struct m_res res = {.link = 4, .res = span_str("yes")};
	struct m_submit submit = {.handle = 1, .put = span_str("x")};

	switch (_i) {
	case 0: /* unknown type */
		ck_assert_int_eq(frame_queue(them, 9999, 0, 0, span_str("x"), -1), 0);
		break;
	case 1: /* wrong direction */
		they_say(MSG_RES, 1, &res, -1);
		break;
	case 2: /* meant for another process */
		they_say(MSG_SUBMIT, 1, &submit, -1);
		break;
	case 3: /* payload too short */
		ck_assert_int_eq(frame_queue(them, MSG_REQ, 0, 1, span_str("x"), -1), 0);
		break;
	case 4: /* descriptor where none belongs */
		ck_assert_int_eq(
		    frame_queue(them, MSG_NONCE_ASK, 0, 1, span_of("", 1), dup(0)), 0);
		break;
	case 5: /* credit for work that we never sent */
		ck_assert_int_eq(frame_queue(them, 0, 0, 1, span_of(NULL, 0), -1), 0);
		break;
	case 6: /* credit with a payload */
		ck_assert_int_eq(frame_queue(them, 0, 0, 0, span_str("x"), -1), 0);
		break;
	default: /* broken framing */
		ck_assert_int_eq(write(frame_fd(them), "0123456789abcdef", 16), 16);
	}
	(void)frame_write(them);
	turns(3);
	ck_assert_uint_eq(handled, 0);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(why, CHANNEL_OFFENCE);
	ck_assert(!channel_alive(us));
	ck_assert_int_eq(channel_send(us, MSG_RES, 1, &res, -1), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

START_TEST(test_offence_by_owner)
{
	channel_offence(us, "a lie");
	ck_assert_uint_eq(ended, 0);
	turns(3);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(why, CHANNEL_OFFENCE);
}
END_TEST

START_TEST(test_missing_descriptor)
{
	struct m_connected m = {.addr = span_str("192.0.2.1:443")};

	teardown();
	base = event_base_new();
	connect_as(ROLE_RELAY, ROLE_DIALER);
	they_say(MSG_CONNECTED, 1, &m, dup(0));
	turn();
	ck_assert_uint_eq(handled, 1);
	they_say(MSG_CONNECTED, 1, &m, -1);
	turns(3);
	ck_assert_uint_eq(handled, 1);
	ck_assert_int_eq(why, CHANNEL_OFFENCE);
}
END_TEST

START_TEST(test_ends)
{
	if (_i == 1)
		ck_assert_int_eq(write(frame_fd(them), "abc", 3), 3);
	frame_free(them);
	them = NULL;
	free_in_closed = true;
	turns(3);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(why, _i == 0 ? CHANNEL_EOF : CHANNEL_TORN);
}
END_TEST

START_TEST(test_last_words_are_heard)
{
	struct m_res res = {.res = span_str("yes")};

	they_ask(1);
	frame_free(them);
	them = NULL;
	/* Writing fails first, but what they said still counts. */
	ck_assert_int_eq(channel_send(us, MSG_RES, 1, &res, -1), 0);
	turns(4);
	ck_assert_uint_eq(handled, 1);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(why, CHANNEL_EOF);
}
END_TEST

START_TEST(test_free_in_handler)
{
	free_in_handler = true;
	they_ask(1);
	they_ask(2);
	turns(3);
	ck_assert_uint_eq(handled, 1);
	ck_assert_uint_eq(ended, 0);
}
END_TEST

START_TEST(test_budget)
{
	for (unsigned i = 0; i < 3 * CHANNEL_BUDGET; i++)
		they_ask(i + 1);
	turn();
	ck_assert_uint_eq(handled, CHANNEL_BUDGET);
	turn();
	ck_assert_uint_eq(handled, 2 * CHANNEL_BUDGET);
	turns(2);
	ck_assert_uint_eq(handled, 3 * CHANNEL_BUDGET);
}
END_TEST

START_TEST(test_pause)
{
	they_ask(1);
	channel_pause(us, true);
	turns(2);
	ck_assert_uint_eq(handled, 0);
	channel_pause(us, false);
	turns(2);
	ck_assert_uint_eq(handled, 1);
}
END_TEST

START_TEST(test_credit_of_the_peer)
{
	struct frame_msg msg;

	credits = 0;
	keep = true;
	for (unsigned i = 0; i < CHANNEL_WINDOW; i++)
		they_ask(i + 1);
	turns(CHANNEL_WINDOW / CHANNEL_BUDGET + 2);
	ck_assert_uint_eq(handled, CHANNEL_WINDOW);
	ck_assert_uint_eq(channel_work_open(us), CHANNEL_WINDOW);
	/* Half of it is done: the peer is told, and may send as much again. */
	channel_give_credit(us, CHANNEL_WINDOW / 2);
	turns(2);
	ck_assert(!they_hear(&msg));
	ck_assert_uint_eq(credits, CHANNEL_WINDOW / 2);
	for (unsigned i = 0; i < CHANNEL_WINDOW / 2; i++)
		they_ask(i + 1);
	turns(CHANNEL_WINDOW / CHANNEL_BUDGET + 2);
	ck_assert_uint_eq(handled, CHANNEL_WINDOW * 3 / 2);
	ck_assert_uint_eq(ended, 0);
	/* One more is one too many. */
	they_ask(1);
	turns(3);
	ck_assert_uint_eq(handled, CHANNEL_WINDOW * 3 / 2);
	ck_assert_int_eq(why, CHANNEL_OFFENCE);
}
END_TEST

START_TEST(test_credit_returns_by_itself)
{
	struct frame_msg msg;
	uint64_t sent = 0;

	credits = 0;
	for (unsigned i = 0; i < 3 * CHANNEL_WINDOW; i++) {
		if (sent - credits == CHANNEL_WINDOW) {
			turns(CHANNEL_WINDOW / CHANNEL_BUDGET + 2);
			ck_assert(!they_hear(&msg));
		}
		ck_assert_uint_lt(sent - credits, CHANNEL_WINDOW);
		they_ask(++sent);
	}
	turns(CHANNEL_WINDOW / CHANNEL_BUDGET + 2);
	ck_assert_uint_eq(handled, 3 * CHANNEL_WINDOW);
	ck_assert_uint_eq(ended, 0);
}
END_TEST

START_TEST(test_our_credit)
{
	struct m_query q = {.domain = span_str("im.beta.test"), .req = span_str("x")};
	struct m_peer_check_res res = {.text = span_str("fine")};

	teardown();
	base = event_base_new();
	connect_as(ROLE_STORE, ROLE_RELAY);
	for (unsigned i = 0; i < CHANNEL_WINDOW; i++)
		ck_assert_int_eq(channel_send(us, MSG_QUERY, i, &q, -1), 0);
	ck_assert(!channel_may_work(us));
	ck_assert_int_eq(channel_send(us, MSG_QUERY, 0, &q, -1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	/* Answers never need credit. */
	ck_assert_int_eq(channel_send(us, MSG_PEER_CHECK_RES, 0, &res, -1), 0);
	turn();
	ck_assert_uint_eq(drained, 0);
	ck_assert_int_eq(frame_queue(them, 0, 0, 10, span_of(NULL, 0), -1), 0);
	ck_assert_int_eq(frame_write(them), FRAME_OK);
	turn();
	ck_assert_uint_eq(drained, 1);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(channel_send(us, MSG_QUERY, i, &q, -1), 0);
	ck_assert_int_eq(channel_send(us, MSG_QUERY, 0, &q, -1), -1);
}
END_TEST

START_TEST(test_high_water_stops_work)
{
	static uint8_t big[60000];
	struct m_query q = {
	    .domain = span_str("im.beta.test"), .req = span_of(big, 60000)};
	struct frame_msg msg;
	unsigned sent = 0;

	teardown();
	base = event_base_new();
	connect_as(ROLE_STORE, ROLE_RELAY);
	while (channel_send(us, MSG_QUERY, 1, &q, -1) == 0)
		sent++;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_gt(channel_out_bytes(us), FRAME_DEFAULT_HIGH);
	ck_assert_uint_lt(sent, 100);
	for (int i = 0; i < 200 && drained == 0; i++) {
		turn();
		(void)they_hear(&msg);
	}
	ck_assert_uint_eq(drained, 1);
	ck_assert(channel_may_work(us));
}
END_TEST

START_TEST(test_hard_cap)
{
	static uint8_t big[MSG_ITEM_MAX];
	struct m_push push = {.handle = 1, .push = span_of(big, sizeof(big))};
	unsigned sent = 0;

	while (channel_send(us, MSG_PUSH, 0, &push, -1) == 0)
		ck_assert_uint_lt(++sent, FRAME_DEFAULT_CAP / MSG_ITEM_MAX + 2);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_uint_eq(ended, 0);
	turns(3);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(why, CHANNEL_FULL);
}
END_TEST

START_TEST(test_field_out_of_bounds)
{
	struct m_res res = {.link = 4}; /* res needs one byte */

	ck_assert_int_eq(channel_send(us, MSG_RES, 1, &res, -1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert(channel_alive(us));
}
END_TEST

START_TEST(test_wrong_direction_panics)
{
	struct m_req req = {.req = span_str("x")};

	(void)channel_send(us, MSG_REQ, 1, &req, -1);
}
END_TEST

START_TEST(test_flush)
{
	static uint8_t big[MSG_ITEM_MAX];
	struct m_push push = {.handle = 1, .push = span_of(big, sizeof(big))};
	struct frame_msg msg;

	ck_assert_int_eq(channel_send(us, MSG_PUSH, 0, &push, -1), 0);
	ck_assert(channel_flush(us, 100));
	ck_assert(they_hear(&msg));
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(channel_send(us, MSG_PUSH, 0, &push, -1), 0);
	ck_assert(!channel_flush(us, 20));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ipc_channel");
	TCase *c = tcase_create("channel");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_both_ways);
	tcase_add_loop_test(c, test_offences, 0, 8);
	tcase_add_test(c, test_offence_by_owner);
	tcase_add_test(c, test_missing_descriptor);
	tcase_add_loop_test(c, test_ends, 0, 2);
	tcase_add_test(c, test_last_words_are_heard);
	tcase_add_test(c, test_free_in_handler);
	tcase_add_test(c, test_budget);
	tcase_add_test(c, test_pause);
	tcase_add_test(c, test_credit_of_the_peer);
	tcase_add_test(c, test_credit_returns_by_itself);
	tcase_add_test(c, test_our_credit);
	tcase_add_test(c, test_high_water_stops_work);
	tcase_add_test(c, test_hard_cap);
	tcase_add_test(c, test_field_out_of_bounds);
	tcase_add_test_raise_signal(c, test_wrong_direction_panics, SIGABRT);
	tcase_add_test(c, test_flush);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
