/* SPDX-License-Identifier: ISC */
/*
 * check_relay_process.c - what the real emsg-relay sends within a peer's window, what it
 * reports of results, and that it gives back exactly what was not answered.
 *
 * relayproc.c runs it and is everybody else; here is what they say and must hear.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "tests/unit/relayproc.h"

static const char *const bob[] = {BOB, NULL};
static const char *const carol[] = {CAROL, NULL};

START_TEST(window_of_items)
{
	struct p_credit more = {.bytes = 1 << 20, .items = 3};
	uint64_t first, second;

	rp_link_up(2, 1 << 20);
	for (uint64_t qid = 2; qid <= 6; qid++)
		rp_send_item(qid, 6, false);
	first = rp_peer_hears(FRAME_PUT);
	second = rp_peer_hears(FRAME_PUT);
	ck_assert_uint_ne(first, 0);
	ck_assert_uint_lt(first, second);
	rp_peer_silence();
	/* Out of order is fine. */
	rp_peer_done(second);
	rp_queue_hears_sent(3);
	second = rp_peer_hears(FRAME_PUT);
	rp_peer_silence();
	rp_peer_say(FRAME_CREDIT, 0, &p_credit_def, &more);
	rp_peer_done(rp_peer_hears(FRAME_PUT));
	rp_queue_hears_sent(5);
	rp_peer_done(first);
	rp_peer_done(second);
	rp_peer_done(rp_peer_hears(FRAME_PUT));
	rp_queue_hears_sent(2);
	rp_queue_hears_sent(4);
	rp_queue_hears_sent(6);
	rp_silence(ROLE_QUEUE);
}
END_TEST

START_TEST(window_of_bytes)
{
	uint64_t id;

	rp_link_up(10, 20000);
	/* One may always go, whatever its size; with another one it must fit. */
	rp_send_item(2, 200000, false);
	rp_send_item(3, 12000, false);
	rp_send_item(4, 12000, false);
	id = rp_peer_hears(FRAME_PUT);
	rp_peer_silence();
	rp_peer_done(id);
	id = rp_peer_hears(FRAME_PUT);
	rp_peer_silence();
	rp_peer_done(id);
	rp_peer_done(rp_peer_hears(FRAME_PUT));
	rp_queue_hears_sent(2);
	rp_queue_hears_sent(3);
	rp_queue_hears_sent(4);
}
END_TEST

START_TEST(no_window)
{
	struct p_credit none = {.bytes = 0, .items = 0}, some = {.bytes = 1, .items = 1};

	rp_link_up(2, 1 << 20);
	rp_peer_say(FRAME_CREDIT, 0, &p_credit_def, &none);
	rp_peer_silence();
	rp_send_item(2, 6, false);
	rp_peer_silence();
	rp_peer_say(FRAME_CREDIT, 0, &p_credit_def, &some);
	rp_peer_done(rp_peer_hears(FRAME_PUT));
	rp_queue_hears_sent(2);
}
END_TEST

/* What is answered is reported, in parts; a cut link gives back the rest, once, before its end
 * is told. */
START_TEST(given_back_once)
{
	uint64_t id;

	rp_link_up(2, 1 << 20);
	rp_send_item(2, 6, true);
	rp_send_item(3, 6, true);
	rp_send_item(4, 6, false);
	id = rp_peer_hears(FRAME_PUT);
	rp_peer_result(id, CODE_DONE, bob, span_of(NULL, 0));
	rp_queue_hears_sent(2);
	rp_peer_result(id, CODE_TRY_LATER, carol, span_str("later"));
	rp_queue_hears_sent(2);
	id = rp_peer_hears(FRAME_PUT);
	rp_peer_hears(FRAME_PUT);
	rp_peer_result(id, CODE_DONE, bob, span_of(NULL, 0));
	rp_queue_hears_sent(3);
	link_free(rp_peer);
	rp_peer = NULL;
	rp_queue_hears_fail(3, CODE_PEER_UNREACHABLE);
	rp_queue_hears_fail(4, CODE_PEER_UNREACHABLE);
	rp_queue_hears_down(CODE_PEER_UNREACHABLE, false);
	/* The next item makes a new link. */
	rp_send_item(5, 6, false);
	rp_dial();
	rp_prove(2, 1 << 20);
	rp_peer_done(rp_peer_hears(FRAME_PUT));
	rp_queue_hears_sent(5);
}
END_TEST

/* What queue sent before it heard of a link's end must not go ahead of what came back. */
START_TEST(sent_too_late)
{
	rp_link_up(2, 1 << 20);
	rp_send_item(2, 6, false);
	rp_peer_hears(FRAME_PUT);
	link_free(rp_peer);
	rp_peer = NULL;
	rp_queue_hears_fail(2, CODE_PEER_UNREACHABLE);
	rp_hear(ROLE_QUEUE, MSG_PEER_DOWN);
	rp_send_item(3, 6, false);
	rp_queue_hears_fail(3, CODE_PEER_UNREACHABLE);
	rp_silence(ROLE_DIALER);
}
END_TEST

static const char *const nobody[] = {"eve#im.beta.test", NULL};
static const char *const twice[] = {BOB, BOB, NULL};
static const struct {
	uint64_t other; /* added to the id */
	const char *const *accounts;
} lies[] = {{1, bob}, {0, nobody}, {0, twice}};

/* A peer that answers for what was not asked would leave queue waiting for ever. */
START_TEST(false_results)
{
	uint64_t id;

	rp_link_up(2, 1 << 20);
	rp_send_item(2, 6, true);
	id = rp_peer_hears(FRAME_PUT);
	rp_peer_result(
	    id + lies[_i].other, CODE_DONE, lies[_i].accounts, span_of(NULL, 0));
	rp_peer_hears_bye(CODE_MALFORMED);
	rp_queue_hears_fail(2, CODE_MALFORMED);
	rp_queue_hears_down(CODE_MALFORMED, false);
}
END_TEST

/* A result that fits the protocol but no message to queue must not be lost. */
START_TEST(result_too_large)
{
	static uint8_t filler[200000];
	struct buf b, f;

	rp_link_up(2, 1 << 20);
	rp_send_item(2, 6, false);
	buf_init(&b, PROTO_MESSAGE_MAX);
	buf_init(&f, PROTO_MESSAGE_MAX);
	/* {1: [{1: BOB, 2: 202}], 9: a long byte string} */
	cbor_put_map(&b, 2);
	cbor_put_uint(&b, 1);
	cbor_put_array(&b, 1);
	cbor_put_map(&b, 2);
	cbor_put_uint(&b, 1);
	cbor_put_tstr(&b, span_str(BOB));
	cbor_put_uint(&b, 2);
	cbor_put_uint(&b, CODE_DONE);
	cbor_put_uint(&b, 9);
	cbor_put_bstr(&b, span_of(filler, sizeof(filler)));
	wframe_put(&f, FRAME_RESULT, rp_peer_hears(FRAME_PUT), buf_span(&b));
	ck_assert_int_eq(link_send(rp_peer, buf_span(&f)), 0);
	buf_clear(&b);
	buf_clear(&f);
	rp_queue_hears_fail(2, CODE_MALFORMED);
	rp_queue_hears_down(CODE_MALFORMED, false);
}
END_TEST

/* The peer lost its state: what flies keeps flying, the rest waits for the new proof. */
START_TEST(hello_again)
{
	uint64_t id;

	rp_link_up(1, 1 << 20);
	rp_send_item(2, 6, false);
	rp_send_item(3, 6, false);
	id = rp_peer_hears(FRAME_PUT);
	rp_say_hello();
	rp_peer_done(id);
	rp_queue_hears_sent(2);
	rp_prove(5, 1 << 20);
	rp_peer_done(rp_peer_hears(FRAME_PUT));
	rp_queue_hears_sent(3);
}
END_TEST

/* A new queue sends again what the old one had not heard of. */
START_TEST(queue_restarts)
{
	uint64_t id;

	rp_link_up(1, 1 << 20);
	rp_send_item(2, 6, false);
	rp_send_item(3, 6, false);
	id = rp_peer_hears(FRAME_PUT);
	rp_send_peer(ROLE_QUEUE);
	rp_send_item(2, 6, false);
	rp_peer_done(id);
	rp_queue_hears_sent(2);
	rp_peer_done(rp_peer_hears(FRAME_PUT));
	rp_queue_hears_sent(2);
	rp_silence(ROLE_QUEUE);
	rp_peer_silence();
}
END_TEST

START_TEST(requests)
{
	struct p_res res = {.code = CODE_NOT_ACCEPTED};
	struct p_bye bye = {.code = CODE_DONE};

	rp_link_up(1, 1 << 20);
	rp_send_query(70);
	rp_send_query(71);
	rp_peer_hears(FRAME_REQ);
	rp_peer_say(FRAME_RES, rp_peer_hears(FRAME_REQ), &p_res_def, &res);
	ck_assert_uint_eq(rp_store_hears_res(71), CODE_NOT_ACCEPTED);
	/* The end of the link is no answer, least of all a good one. */
	rp_peer_say(FRAME_BYE, 0, &p_bye_def, &bye);
	ck_assert_uint_eq(rp_store_hears_res(70), CODE_PEER_UNREACHABLE);
	rp_queue_hears_down(CODE_DONE, true);
}
END_TEST

START_TEST(stop_in_order)
{
	struct m_empty empty = {0};
	int status = 0;

	rp_link_up(1, 1 << 20);
	rp_send_item(2, 6, false);
	rp_peer_hears(FRAME_PUT);
	rp_say(ROLE_MASTER, MSG_STOP, 0, &empty);
	rp_queue_hears_fail(2, CODE_DONE);
	rp_hear(ROLE_QUEUE, MSG_PEER_DOWN);
	ck_assert_uint_eq(rp_got.down.orderly, 1);
	rp_peer_hears_bye(CODE_DONE);
	ck_assert_int_eq(waitpid(rp_pid, &status, 0), rp_pid);
	rp_pid = 0;
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(not_that_peer)
{
	struct m_peer_check_res no = {
	    .code = CODE_BAD_SIGNATURE, .text = span_str("not its key")};
	struct m_signed proof = {.code = CODE_DONE, .bytes = span_str("our proof")};
	struct p_welcome_s2s welcome = {
	    .proof = span_str("proof"), .credit_bytes = 1, .credit_items = 1};

	rp_send_item(2, 6, false);
	rp_dial();
	rp_hear(ROLE_KEYD, MSG_PROVE_DIAL);
	rp_say(ROLE_KEYD, MSG_SIGNED, rp_got_id, &proof);
	rp_peer_hears(FRAME_AUTH);
	rp_peer_say(FRAME_WELCOME, 0, &p_welcome_s2s_def, &welcome);
	rp_hear(ROLE_STORE, MSG_PEER_CHECK);
	/* Nothing goes out before the proof is judged. */
	rp_peer_silence();
	rp_say(ROLE_STORE, MSG_PEER_CHECK_RES, rp_got_id, &no);
	rp_queue_hears_fail(2, CODE_BAD_SIGNATURE);
	rp_queue_hears_down(CODE_BAD_SIGNATURE, false);
	rp_peer_hears_bye(CODE_BAD_SIGNATURE);
}
END_TEST

/* keyd dies while it signs, or dialer while it dials: the item comes back. */
START_TEST(neighbours_die)
{
	rp_send_item(2, 6, false);
	rp_hear(ROLE_DIALER, MSG_CONNECT);
	rp_send_peer(ROLE_DIALER);
	rp_queue_hears_fail(2, CODE_TRY_LATER);
	rp_queue_hears_down(CODE_TRY_LATER, false);
	rp_send_item(3, 6, false);
	rp_dial();
	rp_hear(ROLE_KEYD, MSG_PROVE_DIAL);
	rp_send_peer(ROLE_KEYD);
	rp_queue_hears_fail(3, CODE_TRY_LATER);
	rp_queue_hears_down(CODE_TRY_LATER, false);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay_process");
	TCase *tc = tcase_create("relay");
	SRunner *sr = srunner_create(s);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tc, rp_setup, rp_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, window_of_items);
	tcase_add_test(tc, window_of_bytes);
	tcase_add_test(tc, no_window);
	tcase_add_test(tc, given_back_once);
	tcase_add_test(tc, sent_too_late);
	tcase_add_loop_test(tc, false_results, 0, sizeof(lies) / sizeof(lies[0]));
	tcase_add_test(tc, result_too_large);
	tcase_add_test(tc, hello_again);
	tcase_add_test(tc, queue_restarts);
	tcase_add_test(tc, requests);
	tcase_add_test(tc, stop_in_order);
	tcase_add_test(tc, not_that_peer);
	tcase_add_test(tc, neighbours_die);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
