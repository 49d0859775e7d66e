/* SPDX-License-Identifier: ISC */
/*
 * check_inbox.c - what a server may push at a client, without one: consent, pinned keys, lists
 * that go back, forgeries before the true message, repeats, keys that come late, receipts and
 * fates. Bob is the account under test, alice and eve are made of keys only.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/trust.h"
#include "crypto/x25519.h"
#include "libemsg/compose.h"
#include "libemsg/inbox.h"
#include "libemsg/keys.h"
#include "libemsg/mimi.h"
#include "libemsg/roster.h"
#include "personkit.h"

#define ALICE "alice#im.alpha.test"
#define BOB "bob#im.beta.test"

static struct person alice, bob, mallory; /* mallory: alice's address, other keys */
static struct emsg *e;
static char dir[64];
static const struct span none = {NULL, 0};

static void
setup(void)
{
	struct row_list list = {.fetched = clock_wall_ms()};
	struct buf value;
	const char *why;

	person_make(&alice, ALICE);
	person_make(&mallory, ALICE);
	person_make(&bob, BOB);
	snprintf(dir, sizeof(dir), "/tmp/check_inbox.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	e = session_new(dir, homes_create(dir, NULL, &why), false);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(session_save_self(e, &bob.self), 0);
	list.listkey = buf_span(&bob.listkey);
	list.devlist = buf_span(&bob.devlist);
	ck_assert_int_eq(roster_own_put(e, &list), 0);
	buf_init(&value, 4096);
	obj_encode(&row_prekey_def, &bob.prekey, &value);
	ck_assert_int_eq(dbase_put(e->db, DB_PREKEY, span_of(bob.prekey.id, 8), none, 1,
			     clock_wall_ms(), buf_span(&value)),
	    0);
	buf_clear(&value);
}

static void
teardown(void)
{
	struct person *all[] = {&alice, &bob, &mallory};

	emsg_close(e);
	homes_unmake(dir);
	for (size_t i = 0; i < 3; i++)
		person_clear(all[i]);
}

/* --- what a server pushes ------------------------------------------------------------------ */

static uint64_t seq, counter = 1; /* counter: signed into the next message */

static void
push(struct p_push *p)
{
	struct buf body;

	p->seq = ++seq;
	p->time = clock_wall_ms();
	buf_init(&body, DBASE_VALUE_MAX);
	ck_assert_int_eq(obj_encode(&p_push_def, p, &body), WIRE_OK);
	ck_assert_int_eq(inbox_on_push(e, buf_span(&body)), 0);
	ck_assert_int_eq(inbox_settle(e), 0);
	buf_clear(&body);
}

static void
push_object(struct person *by, const char *typ, const char *from)
{
	struct p_outer outer = {.from = span_str(from)};
	struct p_push p = {.kind = ITEM_OBJECT};
	struct buf head, object;

	buf_init(&head, 1024);
	buf_init(&object, PROTO_OBJECT_MAX);
	mid_make(outer.mid, clock_wall_ms());
	memcpy(outer.device, by->self.device, 16);
	obj_encode(&p_outer_def, &outer, &head);
	ck_assert_int_eq(keys_consent(&by->self, typ, span_str(BOB), clock_wall_ms(),
			     buf_span(&by->listkey), buf_span(&by->devlist), &object),
	    0);
	p.outer = buf_span(&head);
	p.body = buf_span(&object);
	obj_set(&p_push_def, &p, 3);
	push(&p);
	buf_clear(&head);
	buf_clear(&object);
}

/* A message to bob, by a device of the person, as it comes out of the server. */
static void
push_message(struct person *by, const struct row_self *device, const uint8_t mid[16],
    const char *type, struct span content)
{
	struct seal_device to_bob = {.id = {0}};
	struct seal_recipient to = {.account = span_str(BOB), .devices = &to_bob, .n = 1};
	struct seal_message m = {.from = device->account,
	    .device_seed = device->device_seed,
	    .counter = counter,
	    .time = clock_wall_ms(),
	    .type = span_str(type),
	    .content = content,
	    .to = &to,
	    .n = 1};
	struct p_push p = {.kind = ITEM_MESSAGE};
	struct p_recipient recipient;
	struct p_put put;
	struct obj_iter it;
	struct buf bytes;

	memcpy(m.mid, mid, 16);
	memcpy(m.device, device->device, 16);
	memcpy(to_bob.id, bob.self.device, 16);
	memcpy(to_bob.prekey_id, bob.prekey.id, 8);
	x25519_public(bob.prekey.priv, to_bob.prekey);
	roster_head(device->account, buf_span(&by->devlist), &m.own);
	roster_head(span_str(BOB), buf_span(&bob.devlist), &to.head);
	buf_init(&bytes, SEAL_PUT_MAX);
	ck_assert_int_eq(seal_make(&m, NULL, &bytes), 0);
	ck_assert_int_eq(obj_decode(&p_put_def, buf_span(&bytes), &put), WIRE_OK);
	obj_iter_init(&it, &put.to);
	ck_assert(obj_next(&it, &p_recipient_def, &recipient));
	p.outer = put.outer;
	p.body = put.body;
	p.stanzas = recipient.stanzas;
	obj_set(&p_push_def, &p, 3);
	obj_set(&p_push_def, &p, 5);
	push(&p);
	buf_clear(&bytes);
}

static void
push_bytes(struct person *by, const struct row_self *device, uint8_t n, struct span text)
{
	uint8_t mid[16], salt[MIMI_SALT_SIZE] = {n};
	struct buf content;

	mid_make(mid, clock_wall_ms());
	memset(mid + 9, 0, 7);
	memcpy(mid, "\x01\x92\xf0\xc1\x00\x00\x70\x00\x80", 9);
	mid[15] = n;
	buf_init(&content, 65536);
	mimi_text(span_str("emsg:alice@im.alpha.test"), span_str("emsg:bob@im.beta.test"),
	    salt, text, &content);
	push_message(by, device, mid, MIMI_TYPE_CONTENT, buf_span(&content));
	buf_clear(&content);
}

static void
push_text(struct person *by, const struct row_self *device, uint8_t n, const char *text)
{
	push_bytes(by, device, n, span_str(text));
}

/* --- what bob has ------------------------------------------------------------------------- */

static void
expect_alice(int64_t state, bool alarm)
{
	struct contact c;

	contact_get(e, span_str(ALICE), &c);
	ck_assert_int_eq(c.state, state);
	ck_assert_int_eq(contact_has_alarm(&c), alarm);
	contact_clear(&c);
}

static void
on_text(void *arg, const struct emsg_text *t)
{
	char *texts = arg;

	snprintf(texts + strlen(texts), 200 - strlen(texts), "%s|", t->text);
}

static void
expect_texts(const char *expected)
{
	char texts[200] = "";

	ck_assert_int_eq(emsg_receive(e, on_text, texts, NULL), EMSG_OK);
	ck_assert_str_eq(texts, expected);
}

static void
befriend(void)
{
	uint64_t work;

	push_object(&alice, TYP_REQUEST, ALICE);
	ck_assert_int_eq(emsg_contact_grant(e, ALICE, &work), EMSG_OK);
	expect_alice(CONSENT_FULL, false);
}

/* An answer of the server about a person's keys. */
static void
answer_keys(struct person *p)
{
	struct c_keys keys = {
	    .listkey = buf_span(&p->listkey), .devlist = buf_span(&p->devlist)};

	ck_assert_int_eq(roster_on_keys(e, span_str(ALICE), &keys), 0);
	ck_assert_int_eq(inbox_retry(e, span_str(ALICE)), 0);
}

/* --- consent ------------------------------------------------------------------------------ */

START_TEST(request_waits_for_the_user)
{
	push_object(&alice, TYP_REQUEST, ALICE);
	expect_alice(CONSENT_PENDING, false);
}
END_TEST

START_TEST(grant_without_request_is_nothing)
{
	push_object(&alice, TYP_GRANT, ALICE);
	expect_alice(ROSTER_NONE, false);
}
END_TEST

START_TEST(grant_after_request)
{
	uint64_t work;

	ck_assert_int_eq(emsg_contact_ask(e, ALICE, &work), EMSG_OK);
	expect_alice(CONSENT_ASKED, false);
	push_object(&alice, TYP_GRANT, ALICE);
	expect_alice(CONSENT_FULL, false);
}
END_TEST

START_TEST(both_asked)
{
	uint64_t work;

	ck_assert_int_eq(emsg_contact_ask(e, ALICE, &work), EMSG_OK);
	push_object(&alice, TYP_REQUEST, ALICE);
	expect_alice(CONSENT_FULL, false);
	ck_assert_int_eq(dbase_count(e->db, DB_JOB, JOB_WAITING), 2);
}
END_TEST

START_TEST(revocation)
{
	befriend();
	push_object(&mallory, TYP_REVOKE, ALICE);
	expect_alice(CONSENT_FULL, false);
	push_object(&alice, TYP_REVOKE, ALICE);
	expect_alice(ROSTER_NONE, false);
}
END_TEST

START_TEST(object_under_another_name)
{
	push_object(&alice, TYP_REQUEST, "eve#im.alpha.test");
	expect_alice(ROSTER_NONE, false);
	ck_assert_int_eq(dbase_count(e->db, DB_CONTACT, -1), 0);
}
END_TEST

/* --- keys --------------------------------------------------------------------------------- */

START_TEST(changed_identity_raises_the_alarm)
{
	char mid[EMSG_MID_SIZE], number[72], other[72];
	uint64_t work;
	bool changed;

	befriend();
	ck_assert_int_eq(emsg_verify(e, ALICE, number, &changed), EMSG_OK);
	ck_assert(!changed);
	answer_keys(&mallory);
	expect_alice(CONSENT_FULL, true);
	ck_assert_int_eq(emsg_send(e, ALICE, "x", 1, mid, &work), EMSG_REFUSED);
	push_text(&mallory, &mallory.self, 1, "forged");
	expect_texts("");
	ck_assert_int_eq(emsg_verify(e, ALICE, other, &changed), EMSG_OK);
	ck_assert(changed);
	ck_assert_str_ne(number, other);
	ck_assert_int_eq(emsg_verify_mark(e, ALICE), EMSG_OK);
	expect_alice(CONSENT_FULL, false);
	ck_assert_int_eq(emsg_send(e, ALICE, "x", 1, mid, &work), EMSG_OK);
}
END_TEST

START_TEST(only_a_number_that_was_shown_can_be_marked)
{
	char number[72];
	bool changed;

	befriend();
	ck_assert_int_eq(emsg_verify_mark(e, ALICE), EMSG_REFUSED);
	ck_assert_int_eq(emsg_verify(e, ALICE, number, &changed), EMSG_OK);
	answer_keys(&mallory); /* between the look and the mark */
	ck_assert_int_eq(emsg_verify_mark(e, ALICE), EMSG_REFUSED);
	expect_alice(CONSENT_FULL, true);
}
END_TEST

/* What another device of bob's says about alice: state and key. */
static void
push_copy(const struct row_self *laptop, uint64_t n, int64_t state, struct person *p)
{
	struct row_contact row = {.account = span_str(ALICE),
	    .listkey = buf_span(&p->listkey),
	    .devlist = buf_span(&p->devlist)};
	struct buf bytes, content;
	uint8_t mid[16];

	memcpy(row.identity, p->self.identity, sizeof(row.identity));
	obj_set(&row_contact_def, &row, CONTACT_IDENTITY);
	obj_set(&row_contact_def, &row, CONTACT_LISTKEY);
	obj_set(&row_contact_def, &row, CONTACT_DEVLIST);
	buf_init(&bytes, 65536);
	buf_init(&content, 65536);
	obj_encode(&row_contact_def, &row, &bytes);
	cbor_put_map(&content, 1);
	cbor_put_uint(&content, 1);
	cbor_put_array(&content, 1);
	cbor_put_map(&content, 2);
	cbor_put_uint(&content, 1);
	cbor_put_uint(&content, (uint64_t)state);
	cbor_put_uint(&content, 2);
	cbor_put_bstr(&content, buf_span(&bytes));
	mid_make(mid, clock_wall_ms());
	counter = n;
	push_message(&bob, laptop, mid, ROSTER_TYPE, buf_span(&content));
	counter = 1;
	buf_clear(&bytes);
	buf_clear(&content);
}

START_TEST(what_own_devices_said_does_not_come_back)
{
	struct row_list list = {.fetched = clock_wall_ms()};
	struct row_self laptop;

	person_add_device(&bob, &laptop);
	list.listkey = buf_span(&bob.listkey);
	list.devlist = buf_span(&bob.devlist);
	ck_assert_int_eq(roster_own_put(e, &list), 0);
	push_copy(&laptop, 1, CONSENT_FULL, &mallory);
	expect_alice(CONSENT_FULL, false);
	push_copy(&laptop, 2, CONSENT_BLOCKED, &alice);
	expect_alice(CONSENT_BLOCKED, false);
	push_copy(&laptop, 1, CONSENT_FULL, &mallory); /* the server again */
	expect_alice(CONSENT_BLOCKED, false);
	push_copy(&laptop, 3, CONSENT_FULL, &alice);
	push_text(&alice, &alice.self, 1, "true");
	expect_texts("true|");
}
END_TEST

START_TEST(lists_do_not_go_back)
{
	struct row_self laptop;
	struct buf old;

	befriend();
	buf_init(&old, SOBJ_DEVLIST_MAX);
	buf_put_span(&old, buf_span(&alice.devlist));
	person_add_device(&alice, &laptop);
	answer_keys(&alice);
	push_text(&alice, &laptop, 1, "from the laptop");
	expect_texts("from the laptop|");
	buf_reset(&alice.devlist);
	buf_put_span(&alice.devlist, buf_span(&old));
	answer_keys(&alice);
	push_text(&alice, &laptop, 2, "still there");
	expect_texts("still there|");
	buf_clear(&old);
}
END_TEST

/* --- messages ----------------------------------------------------------------------------- */

START_TEST(shown_once)
{
	befriend();
	push_text(&alice, &alice.self, 1, "one");
	push_text(&alice, &alice.self, 1, "one");
	push_text(&alice, &alice.self, 2, "two");
	expect_texts("one|two|");
	expect_texts("");
	push_text(&alice, &alice.self, 1, "one");
	expect_texts("");
}
END_TEST

static void
on_bytes(void *arg, const struct emsg_text *t)
{
	buf_put(arg, t->text, t->text_n);
}

START_TEST(a_zero_byte_is_part_of_a_text)
{
	char text[1000] = "ends here?";
	struct buf shown;

	memset(text + 500, 'x', 500);
	befriend();
	push_bytes(&alice, &alice.self, 1, span_of(text, sizeof(text)));
	buf_init(&shown, 4096);
	ck_assert_int_eq(emsg_receive(e, on_bytes, &shown, NULL), EMSG_OK);
	ck_assert(span_eq(buf_span(&shown), span_of(text, sizeof(text))));
	buf_clear(&shown);
}
END_TEST

START_TEST(forgery_does_not_swallow_the_true_one)
{
	struct row_self forger = mallory.self;

	befriend();
	/* Alice's device id over another key: the signature fails. */
	memcpy(forger.device, alice.self.device, 16);
	push_text(&mallory, &forger, 1, "forged");
	expect_texts("");
	push_text(&alice, &alice.self, 1, "true");
	expect_texts("true|");
}
END_TEST

START_TEST(unknown_device_waits_for_the_list)
{
	struct row_self laptop;

	befriend();
	person_add_device(&alice, &laptop);
	push_text(&alice, &laptop, 1, "early");
	expect_texts("");
	ck_assert_int_eq(dbase_count(e->db, DB_HELD, -1), 1);
	answer_keys(&alice);
	expect_texts("early|");
	ck_assert_int_eq(dbase_count(e->db, DB_HELD, -1), 0);
}
END_TEST

START_TEST(what_never_verifies_is_dropped)
{
	befriend();
	push_text(&mallory, &mallory.self, 1, "forged");
	for (int i = 0; i < 4; i++)
		answer_keys(&alice);
	expect_texts("");
	ck_assert_int_eq(dbase_count(e->db, DB_HELD, -1), 0);
}
END_TEST

START_TEST(strangers_are_not_shown)
{
	uint64_t work;

	push_text(&alice, &alice.self, 1, "before asking");
	push_object(&alice, TYP_REQUEST, ALICE);
	push_text(&alice, &alice.self, 2, "before the grant");
	expect_texts("");
	ck_assert_int_eq(emsg_contact_grant(e, ALICE, &work), EMSG_OK);
	expect_texts("before asking|before the grant|");
	ck_assert_int_eq(emsg_contact_remove(e, ALICE, &work), EMSG_OK);
	push_text(&alice, &alice.self, 3, "after the end");
	expect_texts("");
}
END_TEST

START_TEST(what_cannot_be_opened_is_counted)
{
	struct emsg_status s;

	befriend();
	emsg_get_status(e, &s);
	ck_assert_uint_eq(s.lost, 0);
	ck_assert_int_eq(dbase_del(e->db, DB_PREKEY, span_of(bob.prekey.id, 8)), 0);
	push_text(&alice, &alice.self, 1, "too late");
	expect_texts("");
	emsg_get_status(e, &s);
	ck_assert_uint_eq(s.lost, 1);
	ck_assert_str_eq(s.lost_why, "sealed to a key that is gone");
}
END_TEST

START_TEST(a_wrong_clock_does_not_last)
{
	char mid[EMSG_MID_SIZE];
	uint8_t first[16], second[16];
	uint64_t work;

	befriend();
	e->clock_offset = 365LL * 24 * 3600 * 1000;
	ck_assert_int_eq(emsg_send(e, ALICE, "x", 1, mid, &work), EMSG_OK);
	mid_parse(mid, first);
	e->clock_offset = 0;
	ck_assert_int_eq(emsg_send(e, ALICE, "x", 1, mid, &work), EMSG_OK);
	mid_parse(mid, second);
	ck_assert_uint_gt(mid_time_ms(first), clock_wall_ms() + 3600 * 1000);
	ck_assert_uint_le(mid_time_ms(second), clock_wall_ms());
	e->clock_offset = -60 * 1000;
	ck_assert_int_eq(emsg_send(e, ALICE, "x", 1, mid, &work), EMSG_OK);
	mid_parse(mid, first);
	ck_assert_uint_eq(mid_time_ms(first), mid_time_ms(second) + 1);
}
END_TEST

/* --- receipts and fates -------------------------------------------------------------------- */

START_TEST(receipts_are_due)
{
	befriend();
	push_text(&alice, &alice.self, 1, "one");
	ck_assert_int_eq(dbase_count(e->db, DB_RECEIPT, -1), 1);
	expect_texts("one|");
	ck_assert_int_eq(dbase_count(e->db, DB_RECEIPT, -1), 2);
	ck_assert_int_eq(inbox_send_receipts(e), 0);
	ck_assert_int_eq(dbase_count(e->db, DB_RECEIPT, -1), 0);
	ck_assert_int_eq(emsg_set_receipts(e, false), EMSG_OK);
	push_text(&alice, &alice.self, 2, "two");
	ck_assert_int_eq(dbase_count(e->db, DB_RECEIPT, -1), 0);
}
END_TEST

static void
on_fate(void *arg, const struct emsg_fate *f)
{
	snprintf(arg, 32, "%s", f->state);
}

static void
expect_fate(const char *mid, const char *expected)
{
	char state[32] = "";

	emsg_fates(e, mid, 0, on_fate, state);
	ck_assert_str_eq(state, expected);
}

static void
push_fate_of(const char *account, const char *mid, enum fate_state state, uint64_t time)
{
	struct p_fate fate = {.account = span_str(account),
	    .state = state,
	    .code = CODE_DONE,
	    .time = time};
	struct p_push p = {.kind = ITEM_FATES};
	struct p_fates fates = {.has = 0};
	struct buf one, all;

	buf_init(&one, 1024);
	buf_init(&all, 1024);
	mid_parse(mid, fate.mid);
	obj_encode(&p_fate_def, &fate, &one);
	fates.fates.raw = buf_span(&one);
	fates.fates.count = 1;
	obj_encode(&p_fates_def, &fates, &all);
	p.body = buf_span(&all);
	push(&p);
	buf_clear(&one);
	buf_clear(&all);
}

static void
push_fate(const char *mid, enum fate_state state, uint64_t time)
{
	push_fate_of(ALICE, mid, state, time);
}

/* What alice's device says about a message of bob's. */
static void
push_receipt(const char *mid, enum mimi_status status)
{
	uint8_t own[16], bytes[16 + ADDR_MAX];
	struct mimi_report report = {.status = status};
	struct row_message row;
	struct buf value, content;

	mid_parse(mid, bytes);
	memcpy(bytes + 16, BOB, strlen(BOB));
	buf_init(&value, 65536);
	buf_init(&content, 1024);
	ck_assert_int_eq(
	    dbase_get(e->db, DB_MESSAGE, span_of(bytes, 16 + strlen(BOB)), &value, NULL),
	    1);
	obj_decode(&row_message_def, buf_span(&value), &row);
	memcpy(report.id, row.name, sizeof(report.id));
	mimi_status_put(&report, 1, &content);
	mid_make(own, clock_wall_ms());
	push_message(&alice, &alice.self, own, MIMI_TYPE_STATUS, buf_span(&content));
	buf_clear(&value);
	buf_clear(&content);
}

START_TEST(later_truth_corrects_earlier)
{
	char mid[EMSG_MID_SIZE];
	uint64_t work;

	befriend();
	ck_assert_int_eq(emsg_send(e, ALICE, "x", 1, mid, &work), EMSG_OK);
	push_fate(mid, FATE_ACCEPTED, 210); /* our clock is ahead of the server's */
	expect_fate(mid, "accepted");
	push_fate(mid, FATE_FAILED, 200);
	expect_fate(mid, "failed");
	push_fate(mid, FATE_ARRIVED, 150);
	expect_fate(mid, "failed");
	push_fate(mid, FATE_ARRIVED, 300);
	expect_fate(mid, "arrived");
	push_fate(mid, FATE_ACCEPTED, 400);
	expect_fate(mid, "arrived");
	push_fate(mid, FATE_READ, 500); /* no server can say that */
	expect_fate(mid, "arrived");
	push_receipt(mid, MIMI_READ);
	expect_fate(mid, "read");
	push_receipt(mid, MIMI_DELIVERED);
	expect_fate(mid, "read");
	push_fate(mid, FATE_FAILED, clock_wall_ms() + 1000);
	expect_fate(mid, "read");
}
END_TEST

START_TEST(fates_of_others_are_ignored)
{
	char mid[EMSG_MID_SIZE];
	uint64_t work;

	befriend();
	push_fate("0192f0c1000070008000000000000001", FATE_ARRIVED, 100);
	ck_assert_int_eq(dbase_count(e->db, DB_FATE, -1), 0);
	ck_assert_int_eq(emsg_send(e, ALICE, "x", 1, mid, &work), EMSG_OK);
	push_fate_of("eve#im.alpha.test", mid, FATE_ARRIVED, 100);
	ck_assert_int_eq(dbase_count(e->db, DB_FATE, -1), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inbox");
	TCase *tc = tcase_create("inbox");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, request_waits_for_the_user);
	tcase_add_test(tc, grant_without_request_is_nothing);
	tcase_add_test(tc, grant_after_request);
	tcase_add_test(tc, both_asked);
	tcase_add_test(tc, revocation);
	tcase_add_test(tc, object_under_another_name);
	tcase_add_test(tc, changed_identity_raises_the_alarm);
	tcase_add_test(tc, only_a_number_that_was_shown_can_be_marked);
	tcase_add_test(tc, what_own_devices_said_does_not_come_back);
	tcase_add_test(tc, lists_do_not_go_back);
	tcase_add_test(tc, shown_once);
	tcase_add_test(tc, a_zero_byte_is_part_of_a_text);
	tcase_add_test(tc, forgery_does_not_swallow_the_true_one);
	tcase_add_test(tc, unknown_device_waits_for_the_list);
	tcase_add_test(tc, what_never_verifies_is_dropped);
	tcase_add_test(tc, strangers_are_not_shown);
	tcase_add_test(tc, what_cannot_be_opened_is_counted);
	tcase_add_test(tc, a_wrong_clock_does_not_last);
	tcase_add_test(tc, receipts_are_due);
	tcase_add_test(tc, later_truth_corrects_earlier);
	tcase_add_test(tc, fates_of_others_are_ignored);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
