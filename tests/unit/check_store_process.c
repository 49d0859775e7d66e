/* SPDX-License-Identifier: ISC */
/*
 * check_store_process.c - the real emsg-store, caged and on a real disk, with this test at the
 * other ends of its channels: proofs, handles, items, pushes, fates, and kills between.
 *
 * The test says what master, listener, queue, relay and control would say and reads what they
 * would read; the bytes are made and judged by the table of messages.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/trust.h"
#include "tests/unit/storeproc.h"
#include "wire/ctl.h"

static struct kit_key root, sign_key;

/* --- tests ---------------------------------------------------------------------------------- */

static void
setup(void)
{
	buf_init(&sp_bytes, MSG_PAYLOAD_MAX);
	kit_key(&sp_identity);
	kit_key(&sp_list);
	kit_key(&sp_device);
	kit_key(&root);
	kit_key(&sign_key);
	ck_assert_int_eq(trust_device_id(sp_device.pub, sp_device_id), 0);
	memcpy(sp_dir + strlen(sp_dir) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(sp_dir));
	sp_inject = NULL;
	sp_run();
	ck_assert_uint_eq(sp_register_alice(), CODE_DONE);
}

static void
teardown(void)
{
	static const char *const files[] = {"data.mdb", "lock.mdb"};
	char path[128];

	sp_end_run(SIGKILL);
	buf_clear(&sp_bytes);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", sp_dir, files[i]);
		unlink(path);
	}
	rmdir(sp_dir);
}

static void
refused(unsigned code)
{
	sp_hear(ROLE_LISTENER, MSG_LOGIN_RES);
	ck_assert_uint_eq(sp_got.login.code, code);
	ck_assert_uint_eq(sp_got.login.handle, 0);
}

START_TEST(proofs)
{
	uint8_t nonce[32], made_up[32] = {7};

	sp_ask_nonce(nonce);
	sp_prove(nonce, "im.beta.test", true, &sp_device);
	refused(CODE_WRONG_DOMAIN);
	sp_prove(nonce, "im.alpha.test", true, &sp_device);
	refused(CODE_NONCE);
	sp_prove(made_up, "im.alpha.test", true, &sp_device);
	refused(CODE_NONCE);
	sp_ask_nonce(nonce);
	sp_prove(nonce, "im.alpha.test", false, &sp_device);
	refused(CODE_NOT_AUTHORISED);
	sp_ask_nonce(nonce);
	sp_prove(nonce, "im.alpha.test", true, &sp_list);
	refused(CODE_BAD_SIGNATURE);
	ck_assert_uint_eq(sp_register_alice(), CODE_NAME_TAKEN);
	sp_silence(ROLE_QUEUE);
}
END_TEST

/* Listener hears of a handle only after queue has it; a new queue hears of all; no handle
 * comes twice, not even after a kill. */
START_TEST(handles)
{
	uint8_t nonce[32];
	struct m_handle end = {0};
	uint64_t first, second;

	sp_ask_nonce(nonce);
	sp_prove(nonce, "im.alpha.test", true, &sp_device);
	sp_silence(ROLE_LISTENER);
	first = sp_queue_notes();
	sp_hear(ROLE_LISTENER, MSG_LOGIN_RES);
	sp_send_peer(ROLE_QUEUE);
	ck_assert_uint_eq(sp_queue_notes(), first);
	end.handle = first;
	sp_say(ROLE_LISTENER, MSG_LINK_END, 0, &end);
	sp_hear(ROLE_QUEUE, MSG_HANDLE_DEL);
	second = sp_log_in();
	ck_assert_uint_gt(second, first);
	sp_kill_and_run();
	ck_assert_uint_gt(sp_log_in(), second);
}
END_TEST

/* Queue has no room for the handle: the link is told to come back. */
START_TEST(no_room)
{
	struct m_handle full = {.code = CODE_LIMIT};
	uint8_t nonce[32];

	sp_ask_nonce(nonce);
	sp_prove(nonce, "im.alpha.test", true, &sp_device);
	sp_hear(ROLE_QUEUE, MSG_HANDLE_ADD);
	full.handle = sp_got.add.handle;
	sp_say(ROLE_QUEUE, MSG_HANDLE_OK, sp_id, &full);
	refused(CODE_BUSY);
	sp_hear(ROLE_QUEUE, MSG_HANDLE_DEL);
	sp_log_in();
}
END_TEST

/* The older link of a device ends when it proves itself again. */
START_TEST(one_link)
{
	uint64_t first = sp_log_in();
	uint8_t nonce[32];

	sp_ask_nonce(nonce);
	sp_prove(nonce, "im.alpha.test", true, &sp_device);
	sp_hear(ROLE_LISTENER, MSG_REVOKE);
	ck_assert_uint_eq(sp_got.handle.handle, first);
	sp_hear(ROLE_QUEUE, MSG_HANDLE_DEL);
	ck_assert_uint_eq(sp_got.handle.handle, first);
}
END_TEST

START_TEST(items)
{
	uint64_t handle = sp_log_in();
	uint8_t mid[16], next[16];

	mid_make(mid, clock_wall_ms());
	mid_make(next, clock_wall_ms());
	sp_put(handle + 1, 20, mid);
	ck_assert_uint_eq(sp_outcome(20), CODE_UNKNOWN_HANDLE);
	sp_put(handle, 21, mid);
	ck_assert_uint_eq(sp_outcome(21), CODE_DONE);
	sp_put(handle, 22, next);
	ck_assert_uint_eq(sp_outcome(22), CODE_DONE);
	sp_silence(ROLE_LISTENER);
	sp_grant_credit(handle, 1);
	ck_assert_uint_eq(sp_pushed(handle, ITEM_MESSAGE), 1);
	sp_silence(ROLE_LISTENER);
	sp_done(handle, 5);
	sp_silence(ROLE_LISTENER);
	sp_done(handle, 1);
	ck_assert_uint_eq(sp_pushed(handle, ITEM_MESSAGE), 2);
	sp_kill_and_run();
	handle = sp_log_in();
	sp_grant_credit(handle, 10);
	ck_assert_uint_eq(sp_pushed(handle, ITEM_MESSAGE), 2);
	sp_put(handle, 23, mid);
	ck_assert_uint_eq(sp_outcome(23), CODE_KNOWN);
	sp_silence(ROLE_LISTENER);
}
END_TEST

/* Killed wherever it was: the repeat makes it one, and what was answered is there. */
START_TEST(kills)
{
	uint64_t handle = sp_log_in(), code;
	uint8_t mid[16];

	for (unsigned i = 0; i < 8; i++) {
		mid_make(mid, clock_wall_ms());
		sp_put(handle, 30, mid);
		usleep(i * 300);
		sp_kill_and_run();
		handle = sp_log_in();
		sp_put(handle, 31, mid);
		code = sp_outcome(31);
		ck_assert(code == CODE_DONE || code == CODE_KNOWN);
		sp_grant_credit(handle, 10);
		sp_done(handle, sp_pushed(handle, ITEM_MESSAGE));
		sp_silence(ROLE_LISTENER);
	}
}
END_TEST

/* A failed sync ends the process; nobody was told that anything was stored. The first sync of
 * a run counts its start. strace calls getpid in the place of the sync, which the cage allows. */
START_TEST(failed_sync)
{
	uint64_t handle;
	uint8_t mid[16];

	if (access("/usr/bin/strace", X_OK) != 0)
		return;
	sp_end_run(SIGKILL);
	sp_inject = "inject=fdatasync:error=EIO:syscall=getpid:when=2";
	sp_run();
	handle = sp_log_in();
	mid_make(mid, clock_wall_ms());
	sp_put(handle, 40, mid);
	ck_assert_uint_eq(sp_outcome(40), CODE_STORAGE);
	ck_assert_uint_eq(sp_next_message(ROLE_LISTENER, WAIT_MS), 0);
	ck_assert_int_eq(sp_end_run(0), 1);
	sp_inject = NULL;
	sp_run();
}
END_TEST

START_TEST(fates)
{
	struct m_fate m = {.state = FATE_ARRIVED, .code = CODE_DONE, .time = 1};
	uint64_t handle = sp_log_in();

	m.account = span_str(ALICE);
	m.recipient = span_str("bob#im.beta.test");
	memcpy(m.device, sp_device_id, 16);
	sp_grant_credit(handle, 10);
	sp_say(ROLE_QUEUE, MSG_FATE, 50, &m);
	sp_hear(ROLE_QUEUE, MSG_FATE_OK);
	ck_assert_uint_eq(sp_id, 50);
	sp_pushed(handle, ITEM_FATES);
	sp_say(ROLE_QUEUE, MSG_FATE, 51, &m);
	sp_hear(ROLE_QUEUE, MSG_FATE_OK);
	sp_silence(ROLE_LISTENER);
	m.account = span_str("nobody#im.alpha.test");
	sp_say(ROLE_QUEUE, MSG_FATE, 52, &m);
	sp_hear(ROLE_QUEUE, MSG_FATE_OK);
}
END_TEST

/* --- servers -------------------------------------------------------------------------------- */

static void
make_document(struct buf *out, const struct kit_key *by)
{
	uint64_t now = clock_wall_ms();
	struct s_domain doc = {.seq = 1,
	    .issued = now,
	    .expires = now + 1000000,
	    .version_min = 1,
	    .version_max = 1};

	kit_domain(out, &doc, BETA, by, &sign_key, now - 1000, now + 1000000);
}

/* The other server's proof over a fresh nonce. */
static void
prove_peer(struct span document)
{
	struct s_peer says = {.side = SIDE_DIALLER,
	    .dialler = span_str(BETA),
	    .acceptor = span_str("im.alpha.test"),
	    .time = clock_wall_ms()};
	struct p_auth_s2s auth = {.version = 1};
	struct m_peer_auth m = {.link = 9};
	struct buf proof, b;

	buf_init(&proof, 2048);
	buf_init(&b, 4096);
	sp_ask_nonce(m.nonce);
	memcpy(says.nonce_acceptor, m.nonce, 32);
	ck_assert_int_eq(sha_of(document, says.document), 0);
	kit_sign(&proof, &s_peer_def, &says, TYP_PEER, &sign_key);
	auth.proof = buf_span(&proof);
	ck_assert_int_eq(obj_encode(&p_auth_s2s_def, &auth, &b), WIRE_OK);
	m.auth = buf_span(&b);
	sp_say(ROLE_LISTENER, MSG_PEER_AUTH, 60, &m);
	buf_clear(&proof);
	buf_clear(&b);
}

static void
give_document(struct span document, bool webpki)
{
	struct m_doc m = {.code = CODE_DONE,
	    .webpki = webpki,
	    .domain = span_str(BETA),
	    .document = document};

	sp_hear(ROLE_RELAY, MSG_DOC_FETCH);
	ck_assert(span_eq(sp_got.domain.domain, span_str(BETA)));
	sp_say(ROLE_RELAY, MSG_DOC, sp_id, &m);
}

static void
peer_refused(unsigned code, const char *text)
{
	sp_hear(ROLE_LISTENER, MSG_PEER_AUTH_RES);
	ck_assert_uint_eq(sp_got.peer.code, code);
	ck_assert_uint_eq(sp_got.peer.handle, 0);
	ck_assert_uint_ge(sp_got.peer.text.n, strlen(text));
	ck_assert_mem_eq(sp_got.peer.text.p, text, strlen(text));
}

START_TEST(servers)
{
	struct buf doc;

	buf_init(&doc, 16384);
	make_document(&doc, &root);
	prove_peer(buf_span(&doc));
	give_document(buf_span(&doc), true);
	sp_queue_notes();
	sp_hear(ROLE_LISTENER, MSG_PEER_AUTH_RES);
	ck_assert_uint_eq(sp_got.peer.code, CODE_DONE);
	ck_assert(span_eq(sp_got.peer.domain, span_str(BETA)));
	/* Now the document is known: no second fetch, not even after a restart. */
	sp_kill_and_run();
	prove_peer(buf_span(&doc));
	sp_queue_notes();
	sp_hear(ROLE_LISTENER, MSG_PEER_AUTH_RES);
	ck_assert_uint_eq(sp_got.peer.code, CODE_DONE);
	/* Another root that nobody announced. */
	sp_kill_and_run();
	kit_key(&sign_key);
	make_document(&doc, &sp_identity);
	prove_peer(buf_span(&doc));
	give_document(buf_span(&doc), true);
	peer_refused(CODE_ROOT_CHANGED, "the root key of im.beta.test is ");
	buf_clear(&doc);
}
END_TEST

START_TEST(server_without_trust)
{
	struct buf doc;

	buf_init(&doc, 16384);
	make_document(&doc, &root);
	prove_peer(buf_span(&doc));
	give_document(buf_span(&doc), false);
	peer_refused(CODE_BAD_DOCUMENT, "the certificate of im.beta.test is not valid");
	/* Too early for another fetch: the reason is still that, not the pause. */
	prove_peer(buf_span(&doc));
	peer_refused(CODE_BAD_DOCUMENT, "the certificate of im.beta.test is not valid");
	buf_clear(&doc);
}
END_TEST

/* --- the operator --------------------------------------------------------------------------- */

START_TEST(operator)
{
	struct ctl_invite_args args = {.account = span_str("carol#im.alpha.test")};
	struct ctl_name name = {.name = span_str(ALICE)};
	struct m_ctl_ask ask = {.command = CTL_USER_ADD};
	struct ctl_invite row;
	uint64_t handle = sp_log_in();
	struct buf b;

	buf_init(&b, 1024);
	obj_set(&ctl_invite_args_def, &args, 1);
	ck_assert_int_eq(obj_encode(&ctl_invite_args_def, &args, &b), WIRE_OK);
	ask.args = buf_span(&b);
	sp_say(ROLE_CONTROL, MSG_CTL_ASK, 70, &ask);
	sp_hear(ROLE_CONTROL, MSG_CTL_ROW);
	ck_assert_int_eq(obj_decode(&ctl_invite_def, sp_got.row.row, &row), WIRE_OK);
	ck_assert_mem_eq(row.invite.p, "emsg:invite:", 12);
	sp_hear(ROLE_CONTROL, MSG_CTL_END);
	ck_assert_uint_eq(sp_got.end.code, CODE_DONE);
	buf_reset(&b);
	ck_assert_int_eq(obj_encode(&ctl_name_def, &name, &b), WIRE_OK);
	ask = (struct m_ctl_ask){.command = CTL_USER_DEL, .args = buf_span(&b)};
	sp_say(ROLE_CONTROL, MSG_CTL_ASK, 71, &ask);
	sp_hear(ROLE_CONTROL, MSG_CTL_END);
	ck_assert_uint_eq(sp_got.end.code, CODE_DONE);
	sp_hear(ROLE_LISTENER, MSG_REVOKE);
	ck_assert_uint_eq(sp_got.handle.handle, handle);
	ck_assert_uint_eq(sp_register_alice(), CODE_NAME_TAKEN);
	buf_clear(&b);
}
END_TEST

/* An account that goes while queue has not noted its link yet: the link does not come up. */
START_TEST(gone_before_noted)
{
	struct ctl_name name = {.name = span_str(ALICE)};
	struct m_ctl_ask ask = {.command = CTL_USER_DEL};
	uint8_t nonce[32], mid[16];
	struct m_handle ok = {0};
	uint64_t asked;
	struct buf b;

	buf_init(&b, 1024);
	sp_ask_nonce(nonce);
	sp_prove(nonce, "im.alpha.test", true, &sp_device);
	sp_hear(ROLE_QUEUE, MSG_HANDLE_ADD);
	ok.handle = sp_got.add.handle;
	asked = sp_id;
	ck_assert_int_eq(obj_encode(&ctl_name_def, &name, &b), WIRE_OK);
	ask.args = buf_span(&b);
	sp_say(ROLE_CONTROL, MSG_CTL_ASK, 72, &ask);
	sp_hear(ROLE_CONTROL, MSG_CTL_END);
	sp_say(ROLE_QUEUE, MSG_HANDLE_OK, asked, &ok);
	sp_hear(ROLE_LISTENER, MSG_LOGIN_RES);
	sp_hear(ROLE_LISTENER, MSG_REVOKE);
	ck_assert_uint_eq(sp_got.handle.handle, ok.handle);
	mid_make(mid, clock_wall_ms());
	sp_put(ok.handle, 73, mid);
	ck_assert_uint_eq(sp_outcome(73), CODE_UNKNOWN_HANDLE);
	buf_clear(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store_process");
	TCase *t = tcase_create("process");
	SRunner *r;
	int failed;

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, proofs);
	tcase_add_test(t, handles);
	tcase_add_test(t, no_room);
	tcase_add_test(t, one_link);
	tcase_add_test(t, items);
	tcase_add_test(t, kills);
	tcase_add_test(t, failed_sync);
	tcase_add_test(t, fates);
	tcase_add_test(t, servers);
	tcase_add_test(t, server_without_trust);
	tcase_add_test(t, operator);
	tcase_add_test(t, gone_before_noted);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
