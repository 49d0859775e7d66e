/* SPDX-License-Identifier: ISC */
/*
 * check_listener_split.c - tests of listener/split: every recipient goes one way or is
 * answered, what the item is does not change, and faults have their codes.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>

#include "listener/split.h"

#define NOW 1800000000000ULL

static struct split_rules rules;
static struct buf put, scratch;
static struct split split;
static const char *why;

static void
setup(void)
{
	rules = (struct split_rules){.domain = "im.alpha.test",
	    .item_max = PROTO_ITEM_MAX,
	    .recipients_max = PROTO_RECIPIENTS_MAX,
	    .now = NOW};
	buf_init(&put, PROTO_MESSAGE_MAX);
	buf_init(&scratch, PROTO_MESSAGE_MAX);
}

static void
teardown(void)
{
	buf_clear(&put);
	buf_clear(&scratch);
}

/* What a device would send; the tests change it before encode(). */
struct draft {
	struct p_put put;
	struct p_outer outer;
	const char *to[PROTO_RECIPIENTS_MAX];
	size_t n;
	bool stanzas;
};

static struct draft
draft_new(void)
{
	struct draft d = {.put = {.kind = ITEM_MESSAGE, .body = span_str("sealed")},
	    .outer = {.fmt = 1, .suite = 1, .from = span_str("alice#im.alpha.test")},
	    .to = {"bob#im.alpha.test", "dave#im.beta.test", "carol#im.alpha.test"},
	    .n = 3,
	    .stanzas = true};

	mid_make(d.outer.mid, NOW);
	return d;
}

static void
encode(struct draft *d)
{
	struct p_stanza stanza = {.has = 0};
	struct p_recipient to = {.has = 0};
	struct buf outer, list, stanzas;

	buf_init(&outer, 1024);
	buf_init(&list, PROTO_MESSAGE_MAX);
	buf_init(&stanzas, 1024);
	ck_assert_int_eq(obj_encode(&p_outer_def, &d->outer, &outer), WIRE_OK);
	ck_assert_int_eq(obj_encode(&p_stanza_def, &stanza, &stanzas), WIRE_OK);
	if (d->stanzas)
		to.stanzas = (struct obj_list){buf_span(&stanzas), 1};
	for (size_t i = 0; i < d->n; i++) {
		to.account = span_str(d->to[i]);
		ck_assert_int_eq(obj_encode(&p_recipient_def, &to, &list), WIRE_OK);
	}
	d->put.outer = buf_span(&outer);
	d->put.to = (struct obj_list){buf_span(&list), d->n};
	buf_reset(&put);
	ck_assert_int_eq(obj_encode(&p_put_def, &d->put, &put), WIRE_OK);
	buf_clear(&outer);
	buf_clear(&list);
	buf_clear(&stanzas);
}

static uint16_t
judge(struct draft *d)
{
	uint16_t code;

	encode(d);
	code = split_put(&split, buf_span(&put), &rules, &why);
	ck_assert_uint_eq(code, 0);
	code = split.code;
	split_clear(&split);
	return code;
}

/* The put of a part has these recipients in order, and the rest as it was. */
static void
check_part(const struct split_part *part, const char *const *want, size_t n)
{
	struct p_recipient to;
	struct obj_iter it;
	struct p_put got;
	struct span body = split_body(&split, part, &scratch);

	ck_assert_uint_eq(part->n, n);
	ck_assert_int_eq(obj_decode(&p_put_def, body, &got), WIRE_OK);
	ck_assert(span_eq(got.outer, split.put.outer));
	ck_assert(span_eq(got.body, split.put.body));
	ck_assert_uint_eq(got.kind, split.put.kind);
	ck_assert_uint_eq(got.to.count, n);
	obj_iter_init(&it, &got.to);
	for (size_t i = 0; i < n; i++) {
		ck_assert(obj_next(&it, &p_recipient_def, &to));
		ck_assert(span_eq(to.account, span_str(want[i])));
		ck_assert_uint_eq(to.stanzas.count, 1);
	}
}

START_TEST(test_both_ways)
{
	static const char *const ours[] = {"bob#im.alpha.test", "carol#im.alpha.test"};
	static const char *const others[] = {"dave#im.beta.test"};
	struct draft d = draft_new();

	encode(&d);
	ck_assert_uint_eq(split_put(&split, buf_span(&put), &rules, &why), 0);
	ck_assert_uint_eq(split.code, 0);
	ck_assert_uint_eq(split.all.n, 3);
	check_part(&split.local, ours, 2);
	check_part(&split.remote, others, 1);
	split_clear(&split);
}
END_TEST

START_TEST(test_one_way)
{
	struct draft d = draft_new();

	d.n = 1;
	encode(&d);
	ck_assert_uint_eq(split_put(&split, buf_span(&put), &rules, &why), 0);
	ck_assert_uint_eq(split.remote.n, 0);
	ck_assert_ptr_eq(split_body(&split, &split.local, &scratch).p, put.p);
	split_clear(&split);
}
END_TEST

START_TEST(test_whole_item)
{
	struct draft d = draft_new();

	ck_assert_uint_eq(judge(&d), 0);
	d.to[2] = d.to[0];
	ck_assert_uint_eq(judge(&d), CODE_MALFORMED);
	d.to[2] = "Carol#im.alpha.test";
	ck_assert_uint_eq(judge(&d), CODE_MALFORMED);
	d.to[2] = "carol@im.alpha.test";
	ck_assert_uint_eq(judge(&d), CODE_MALFORMED);
	d = draft_new();
	d.put.kind = 3;
	ck_assert_uint_eq(judge(&d), CODE_UNSUPPORTED);
	d = draft_new();
	d.outer.mid[6] = 0x40;
	ck_assert_uint_eq(judge(&d), CODE_MALFORMED);
	d = draft_new();
	rules.recipients_max = 2;
	ck_assert_uint_eq(judge(&d), CODE_LIMIT);
	rules.item_max = put.n - 1;
	ck_assert_uint_eq(judge(&d), CODE_TOO_LARGE);
}
END_TEST

/* A put that travels on grows by the order of its link; so much room must be left. */
START_TEST(test_room_for_order)
{
	static uint8_t body[PROTO_ITEM_MAX];
	struct draft d = draft_new();

	encode(&d);
	d.put.body = span_of(body, PROTO_ITEM_MAX - PROTO_ORDER_SIZE - put.n);
	encode(&d);
	d.put.body.n -= put.n - (PROTO_ITEM_MAX - PROTO_ORDER_SIZE);
	ck_assert_uint_eq(judge(&d), 0);
	ck_assert_uint_eq(put.n, PROTO_ITEM_MAX - PROTO_ORDER_SIZE);
	d.put.body.n++;
	ck_assert_uint_eq(judge(&d), CODE_TOO_LARGE);
	/* Nothing is added to what stays here. */
	d.to[1] = "dave#im.alpha.test";
	ck_assert_uint_eq(judge(&d), 0);
	/* What relay adds fits. */
	d.to[1] = "dave#im.beta.test";
	d.put.body.n--;
	d.put.fifo = UINT64_MAX;
	d.put.restart = true;
	obj_set(&p_put_def, &d.put, 5);
	obj_set(&p_put_def, &d.put, 6);
	encode(&d);
	ck_assert_uint_eq(put.n, PROTO_ITEM_MAX);
}
END_TEST

START_TEST(test_clock)
{
	static const struct {
		int64_t age;
		bool peer;
		uint16_t code;
	} cases[] = {{-600000, false, 0}, {-600001, false, CODE_CLOCK},
	    {4LL * 86400000, false, 0}, {4LL * 86400000 + 1, false, CODE_CLOCK},
	    {4LL * 86400000 + 1, true, 0}, {20LL * 86400000 + 1, true, CODE_CLOCK}};
	struct draft d = draft_new();

	mid_make(d.outer.mid, (uint64_t)((int64_t)NOW - cases[_i].age));
	rules.peer = cases[_i].peer;
	ck_assert_uint_eq(judge(&d), cases[_i].code);
}
END_TEST

START_TEST(test_objects)
{
	struct draft d = draft_new();

	d.put.kind = ITEM_OBJECT;
	ck_assert_uint_eq(judge(&d), CODE_MALFORMED);
	d.outer.fmt = d.outer.suite = 0;
	ck_assert_uint_eq(judge(&d), CODE_MALFORMED);
	d.stanzas = false;
	ck_assert_uint_eq(judge(&d), 0);
	obj_set(&p_outer_def, &d.outer, 6);
	ck_assert_uint_eq(judge(&d), CODE_MALFORMED);
}
END_TEST

/* Order is for links between servers. */
START_TEST(test_fifo)
{
	struct draft d = draft_new();

	obj_set(&p_put_def, &d.put, 5);
	ck_assert_uint_eq(judge(&d), CODE_MALFORMED);
	rules.peer = true;
	ck_assert_uint_eq(judge(&d), 0);
}
END_TEST

START_TEST(test_result)
{
	struct p_outcome outcome;
	struct draft d = draft_new();
	struct p_result result;
	struct obj_iter it;

	encode(&d);
	ck_assert_uint_eq(split_put(&split, buf_span(&put), &rules, &why), 0);
	ck_assert_int_eq(
	    split_result(&scratch, buf_span(&split.all.accounts), CODE_CLOCK, NOW), 0);
	ck_assert_int_eq(obj_decode(&p_result_def, buf_span(&scratch), &result), WIRE_OK);
	ck_assert(obj_has(&p_result_def, &result, 2));
	ck_assert_uint_eq(result.time, NOW);
	ck_assert_uint_eq(result.outcomes.count, 3);
	obj_iter_init(&it, &result.outcomes);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(obj_next(&it, &p_outcome_def, &outcome));
		ck_assert(span_eq(outcome.account, span_str(d.to[i])));
		ck_assert_uint_eq(outcome.code, CODE_CLOCK);
	}
	buf_reset(&scratch);
	ck_assert_int_eq(
	    split_result(&scratch, buf_span(&split.all.accounts), CODE_BUSY, NOW), 0);
	ck_assert_int_eq(obj_decode(&p_result_def, buf_span(&scratch), &result), WIRE_OK);
	ck_assert(!obj_has(&p_result_def, &result, 2));
	ck_assert_int_eq(split_result(&scratch, span_str("?"), CODE_BUSY, NOW), -1);
	split_clear(&split);
}
END_TEST

/* A hundred recipients with the longest addresses are all answered. */
START_TEST(test_largest_result)
{
	static char names[PROTO_RECIPIENTS_MAX][ADDR_MAX + 1];
	struct draft d = draft_new();
	struct p_result result;

	d.n = PROTO_RECIPIENTS_MAX;
	for (size_t i = 0; i < d.n; i++) {
		memset(names[i], 'a', ADDR_MAX);
		for (size_t at = ADDR_LOCAL_MAX; at < ADDR_MAX; at += 1 + ADDR_LABEL_MAX)
			names[i][at] = at == ADDR_LOCAL_MAX ? '#' : '.';
		names[i][0] = (char)('a' + i / 26);
		names[i][1] = (char)('a' + i % 26);
		d.to[i] = names[i];
	}
	encode(&d);
	ck_assert_uint_eq(split_put(&split, buf_span(&put), &rules, &why), 0);
	ck_assert_uint_eq(split.code, 0);
	ck_assert_uint_eq(split.remote.n, d.n);
	ck_assert_int_eq(split_result(&scratch, buf_span(&split.remote.accounts),
			     CODE_PEER_UNREACHABLE, NOW),
	    0);
	ck_assert_int_eq(obj_decode(&p_result_def, buf_span(&scratch), &result), WIRE_OK);
	ck_assert_uint_eq(result.outcomes.count, d.n);
	split_clear(&split);
}
END_TEST

/* {-1: 0, ...}: nobody may guess what it means, but the recipients are told. Keys below zero
 * come last in the canonical order, so the map is made longer by one at its end. */
START_TEST(test_unknown_member)
{
	struct draft d = draft_new();

	encode(&d);
	ck_assert_uint_eq(put.p[0], 0xa4);
	put.p[0] = 0xa5;
	buf_put(&put, "\x20\x00", 2);
	ck_assert_uint_eq(split_put(&split, buf_span(&put), &rules, &why), 0);
	ck_assert_uint_eq(split.code, CODE_UNSUPPORTED);
	ck_assert_uint_eq(split.all.n, 3);
	split_clear(&split);
	put.p[0] = 0xa4; /* bytes are left over */
	ck_assert_uint_eq(
	    split_put(&split, buf_span(&put), &rules, &why), CODE_MALFORMED);
	split_clear(&split);
	ck_assert_uint_eq(
	    split_put(&split, span_of("\xa1\x20\x00", 3), &rules, &why), CODE_MALFORMED);
	split_clear(&split);
}
END_TEST

/* Larger than any body may be: the recipients are told. More recipients than a result has room
 * for: the link ends. */
START_TEST(test_beyond_limits)
{
	struct p_recipient to = {.account = span_str("bob#im.alpha.test")};
	struct buf raw, list;

	buf_init(&raw, PROTO_MESSAGE_MAX);
	buf_init(&list, PROTO_MESSAGE_MAX);
	ck_assert_int_eq(obj_encode(&p_recipient_def, &to, &list), WIRE_OK);
	for (int i = 0; i < 2; i++) {
		buf_reset(&raw);
		cbor_put_map(&raw, 4);
		cbor_put_uint(&raw, 1);
		cbor_put_uint(&raw, ITEM_MESSAGE);
		cbor_put_uint(&raw, 2);
		cbor_put_bstr(&raw, span_str("outer"));
		cbor_put_uint(&raw, 3);
		if (i == 0) {
			buf_put_u8(&raw, 0x5a);
			buf_put_u32(&raw, PROTO_ITEM_MAX + 1);
			for (size_t n = 0; n <= PROTO_ITEM_MAX; n++)
				buf_put_u8(&raw, 'x');
		} else {
			cbor_put_bstr(&raw, span_str("sealed"));
		}
		cbor_put_uint(&raw, 4);
		cbor_put_array(&raw, i == 0 ? 1 : PROTO_RECIPIENTS_MAX + 1);
		for (size_t n = i == 0 ? PROTO_RECIPIENTS_MAX : 0;
		     n <= PROTO_RECIPIENTS_MAX; n++)
			buf_put_span(&raw, buf_span(&list));
		ck_assert(!buf_failed(&raw));
		ck_assert_uint_eq(split_put(&split, buf_span(&raw), &rules, &why),
		    i == 0 ? 0 : CODE_LIMIT);
		ck_assert(i == 1 || split.code == CODE_TOO_LARGE);
		ck_assert(i == 1 || split.all.n == 1);
		split_clear(&split);
	}
	buf_clear(&raw);
	buf_clear(&list);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("listener/split");
	TCase *c = tcase_create("split");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_both_ways);
	tcase_add_test(c, test_one_way);
	tcase_add_test(c, test_whole_item);
	tcase_add_test(c, test_room_for_order);
	tcase_add_loop_test(c, test_clock, 0, 6);
	tcase_add_test(c, test_objects);
	tcase_add_test(c, test_fifo);
	tcase_add_test(c, test_result);
	tcase_add_test(c, test_largest_result);
	tcase_add_test(c, test_unknown_member);
	tcase_add_test(c, test_beyond_limits);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
