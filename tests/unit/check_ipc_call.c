/* SPDX-License-Identifier: ISC */
/*
 * check_ipc_call.c - tests of channel_call(): the answer is found among other messages, which
 * are handled afterwards in their order; silence, a closed channel and nonsense end the call.
 *
 * "us" is listener, "them" is the bare frame that plays keyd. What they say is written before
 * the call, so that nothing here depends on a second thread.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "ipc/msgs.h"

#define FIRST_CALL ((1ULL << 63) | 1)
#define WAIT_MS 50

static struct event_base *base;
static struct channel *us;
static struct frame *them;
static char heard[512]; /* first bytes of the documents, in order */
static unsigned ended;
static int nested; /* errno of a call made inside a handler */

static const struct m_tls_sign question = {.content = {(const uint8_t *)"x", 1}};

static void
on_message(struct channel *ch, struct channel_msg *in, void *arg)
{
	const struct m_doc_own *doc = in->body;
	struct channel_msg answer;
	size_t n = strlen(heard);

	(void)arg;
	ck_assert_int_eq(in->type, MSG_DOC_OWN);
	ck_assert_uint_lt(n + 1, sizeof(heard));
	heard[n] = (char)doc->document.p[0];
	ck_assert_int_eq(channel_call(ch, MSG_TLS_SIGN, &question, 1, &answer), -1);
	nested = errno;
}

static void
on_closed(struct channel *ch, enum channel_end end, const char *detail, void *arg)
{
	(void)ch, (void)end, (void)detail, (void)arg;
	ended++;
}

static const struct channel_ops ops = {on_message, NULL, on_closed};

static void
drop_line(const char *line)
{
	(void)line;
}

static void
setup(void)
{
	int pair[2];

	log_capture(drop_line);
	base = event_base_new();
	ck_assert_int_eq(fd_pair(pair, 1 << 20), 0);
	us = channel_new(base, pair[0], ROLE_LISTENER, ROLE_KEYD, &ops, NULL);
	them = frame_new(pair[1], &frame_default_limits);
	memset(heard, 0, sizeof(heard));
	ended = 0;
	nested = 0;
}

static void
teardown(void)
{
	channel_free(us);
	frame_free(them);
	event_base_free(base);
}

static void
they_say(uint16_t type, uint64_t id, const void *m)
{
	struct buf b;

	buf_init(&b, MSG_PAYLOAD_MAX);
	ck_assert_int_eq(payload_put(msg_find(type)->fields, m, &b), 0);
	ck_assert_int_eq(frame_queue(them, type, 0, id, buf_span(&b), -1), 0);
	(void)frame_write(them);
	buf_clear(&b);
}

static void
they_sign(uint64_t id, const char *bytes)
{
	struct m_signed m = {.code = 202, .bytes = span_str(bytes)};

	they_say(MSG_SIGNED, id, &m);
}

static void
they_tell(const char *document)
{
	struct m_doc_own m = {.document = span_str(document)};

	they_say(MSG_DOC_OWN, 0, &m);
}

static void
turns(int n)
{
	while (n-- > 0)
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static int
call(struct channel_msg *answer)
{
	return channel_call(us, MSG_TLS_SIGN, &question, WAIT_MS, answer);
}

START_TEST(test_answer)
{
	const struct m_signed *res;
	struct channel_msg answer;
	struct frame_msg asked;

	they_sign(FIRST_CALL, "sig");
	ck_assert_int_eq(call(&answer), 0);
	ck_assert_int_eq(answer.type, MSG_SIGNED);
	res = answer.body;
	ck_assert(span_eq(res->bytes, span_str("sig")));
	ck_assert_int_eq(frame_read(them), FRAME_OK);
	ck_assert_int_eq(frame_next(them, &asked), FRAME_OK);
	ck_assert_int_eq(asked.type, MSG_TLS_SIGN);
	ck_assert_uint_eq(asked.id, FIRST_CALL);
}
END_TEST

/* What came before and behind the answer is handled from the loop, in order. */
START_TEST(test_order)
{
	struct channel_msg answer;

	they_tell("a");
	they_tell("b");
	they_sign(FIRST_CALL, "one");
	they_tell("c");
	they_sign(FIRST_CALL + 1, "two");
	they_tell("d");
	ck_assert_int_eq(call(&answer), 0);
	ck_assert_int_eq(call(&answer), 0);
	ck_assert(
	    span_eq(((const struct m_signed *)answer.body)->bytes, span_str("two")));
	ck_assert_str_eq(heard, "");
	turns(4);
	ck_assert_str_eq(heard, "abcd");
	ck_assert_int_eq(nested, EBUSY);
	ck_assert_uint_eq(ended, 0);
}
END_TEST

START_TEST(test_silence)
{
	struct channel_msg answer;

	they_tell("a");
	ck_assert_int_eq(call(&answer), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert(channel_alive(us));
	turns(2);
	ck_assert_str_eq(heard, "a");
	they_sign(FIRST_CALL + 1, "next");
	ck_assert_int_eq(call(&answer), 0);
}
END_TEST

START_TEST(test_closed)
{
	struct channel_msg answer;

	frame_free(them);
	them = NULL;
	ck_assert_int_eq(call(&answer), -1);
	ck_assert(!channel_alive(us));
	turns(2);
	ck_assert_uint_eq(ended, 1);
}
END_TEST

/* An answer that the table forbids, a message that is none, and a flood before the answer. */
START_TEST(test_offences)
{
	struct m_tls_sign wrong = {.content = span_str("x")};
	struct channel_msg answer;

	if (_i == 0)
		they_say(MSG_TLS_SIGN, FIRST_CALL, &wrong);
	else if (_i == 1)
		ck_assert_int_eq(write(frame_fd(them), "0123456789abcdef", 16), 16);
	for (int i = 0; _i == 2 && i < 300; i++)
		they_tell("a");
	ck_assert_int_eq(call(&answer), -1);
	ck_assert_int_eq(errno, EPIPE);
	turns(2);
	ck_assert_uint_eq(ended, 1);
	ck_assert_str_eq(heard, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ipc/call");
	TCase *c = tcase_create("call");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_answer);
	tcase_add_test(c, test_order);
	tcase_add_test(c, test_silence);
	tcase_add_test(c, test_closed);
	tcase_add_loop_test(c, test_offences, 0, 3);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
