/* SPDX-License-Identifier: ISC */
/*
 * split.c - judges the form of a put and divides its recipients into ours and others'.
 *
 * Called by handin.c for every put. What is wrong with an item as a whole (size, number of
 * recipients, a recipient twice, the mid) is answered to each recipient with one code; only a
 * body that cannot be decoded, so that nobody can be named, ends the link. When all recipients
 * go the same way the put travels on as it came; else it is encoded anew for each way.
 * Everything is bounded by the limits of a put in the protocol. Owns no state.
 */
#include "config.h"

#include "base/map.h"
#include "listener/split.h"

#define ACCOUNTS_MAX (PROTO_RECIPIENTS_MAX * (ADDR_MAX + 3)) /* with CBOR heads */
#define SPLIT_CODE_TEXT 4 /* bytes around each outcome's members, generously */

static void
part_init(struct split_part *part)
{
	part->n = 0;
	buf_init(&part->to, PROTO_ITEM_MAX);
	buf_init(&part->accounts, ACCOUNTS_MAX);
}

static void
part_clear(struct split_part *part)
{
	buf_clear(&part->to);
	buf_clear(&part->accounts);
}

static void
part_put(struct split_part *part, struct span raw, struct span account)
{
	part->n++;
	buf_put_span(&part->to, raw);
	cbor_put_tstr(&part->accounts, account);
}

void
split_clear(struct split *s)
{
	part_clear(&s->local);
	part_clear(&s->remote);
	part_clear(&s->all);
}

/* What the outer header says about the item as a whole: 0 or a code. */
static uint16_t
judge_outer(const struct split *s, const struct split_rules *rules)
{
	struct p_outer outer;
	enum wire_err err = obj_decode(&p_outer_def, s->put.outer, &outer);
	uint64_t behind = rules->peer ? MID_BEHIND_LINK_MS : MID_BEHIND_SUBMIT_MS;

	if (err == WIRE_UNSUPPORTED)
		return CODE_UNSUPPORTED;
	if (err != WIRE_OK)
		return CODE_MALFORMED;
	if (s->put.kind == ITEM_OBJECT &&
	    (outer.fmt != 0 || outer.suite != 0 || obj_has(&p_outer_def, &outer, 6)))
		return CODE_MALFORMED;
	switch (mid_age_check(outer.mid, rules->now, MID_AHEAD_MS, behind)) {
	case MID_AGE_OK:
		return 0;
	case MID_AGE_INVALID:
		return CODE_MALFORMED;
	default:
		return CODE_CLOCK;
	}
}

static uint16_t
judge_item(const struct split *s, const struct split_rules *rules)
{
	if (s->body.n > rules->item_max)
		return CODE_TOO_LARGE;
	if (s->put.to.count > rules->recipients_max)
		return CODE_LIMIT;
	if (!rules->peer &&
	    (obj_has(&p_put_def, &s->put, 5) || obj_has(&p_put_def, &s->put, 6)))
		return CODE_MALFORMED;
	if (s->put.kind != ITEM_MESSAGE && s->put.kind != ITEM_OBJECT)
		return CODE_UNSUPPORTED;
	return judge_outer(s, rules);
}

/* Sorts one recipient in. 0, or the code for the whole item. */
static uint16_t
sort_in(
    struct split *s, struct map *seen, struct span raw, const struct split_rules *rules)
{
	struct p_recipient to;
	struct addr addr;

	if (obj_decode(&p_recipient_def, raw, &to) != WIRE_OK)
		return CODE_MALFORMED;
	if (map_put(seen, to.account, seen) != NULL)
		return CODE_MALFORMED;
	part_put(&s->all, span_of(NULL, 0), to.account);
	if (!addr_parse_wire(to.account, &addr))
		return CODE_MALFORMED;
	if (s->put.kind == ITEM_OBJECT && to.stanzas.count > 0)
		return CODE_MALFORMED;
	part_put(span_eq(addr.domain, span_str(rules->domain)) ? &s->local : &s->remote,
	    raw, to.account);
	return 0;
}

static uint16_t
sort_all(struct split *s, const struct split_rules *rules)
{
	struct map *seen = map_new();
	struct obj_iter it;
	uint16_t code = 0, one;
	struct span raw;

	obj_iter_init(&it, &s->put.to);
	while (obj_next_any(&it, &raw)) {
		one = sort_in(s, seen, raw, rules);
		if (code == 0)
			code = one;
	}
	map_free(seen);
	return code;
}

/* The recipients of a put that cannot be decoded otherwise, because it has a member that we must
 * not ignore, or one beyond its limits. False if they cannot be told. */
static bool
find_recipients(struct split *s)
{
	struct p_recipient to;
	struct obj_iter it;
	struct span raw;
	uint64_t pairs;
	struct cbor r;
	int64_t key;

	memset(&s->put, 0, sizeof(s->put));
	cbor_init(&r, s->body);
	if (!cbor_map(&r, &pairs))
		return false;
	while (pairs-- > 0 && cbor_int(&r, &key) && cbor_skip(&r, &raw)) {
		if (key != 4)
			continue;
		cbor_init(&r, raw);
		if (!cbor_array(&r, &s->put.to.count))
			return false;
		s->put.to.raw = span_of(r.p, (size_t)(r.end - r.p));
		break;
	}
	obj_iter_init(&it, &s->put.to);
	for (pairs = 0; obj_next_any(&it, &raw); pairs++)
		if (obj_decode(&p_recipient_def, raw, &to) != WIRE_OK)
			return false;
	return pairs > 0 && pairs <= PROTO_RECIPIENTS_MAX;
}

uint16_t
split_put(
    struct split *s, struct span body, const struct split_rules *rules, const char **why)
{
	enum wire_err err;
	uint16_t code;
	bool told;

	part_init(&s->local);
	part_init(&s->remote);
	part_init(&s->all);
	s->code = 0;
	s->body = body;
	err = obj_decode(&p_put_def, body, &s->put);
	told = err != WIRE_OK && find_recipients(s);
	if (told && err == WIRE_UNSUPPORTED) {
		s->code = CODE_UNSUPPORTED;
	} else if (told && err == WIRE_RANGE && body.n > PROTO_ITEM_MAX) {
		s->code = CODE_TOO_LARGE;
	} else if (err != WIRE_OK) {
		*why = "a put cannot be decoded";
		return s->put.to.count > PROTO_RECIPIENTS_MAX ? CODE_LIMIT
							      : CODE_MALFORMED;
	} else {
		s->code = judge_item(s, rules);
	}
	code = sort_all(s, rules);
	if (s->code == 0)
		s->code = code;
	/* What cannot travel on must not be accepted: the next hop adds its order. */
	if (s->code == 0 && s->remote.n > 0 && !rules->peer &&
	    body.n > PROTO_ITEM_MAX - PROTO_ORDER_SIZE)
		s->code = CODE_TOO_LARGE;
	return 0;
}

struct span
split_body(const struct split *s, const struct split_part *part, struct buf *scratch)
{
	struct p_put put = s->put;

	if (part->n == s->put.to.count)
		return s->body;
	put.to.raw = buf_span(&part->to);
	put.to.count = part->n;
	buf_reset(scratch);
	if (obj_encode(&p_put_def, &put, scratch) != WIRE_OK || buf_failed(scratch))
		return span_of(NULL, 0);
	return buf_span(scratch);
}

int
split_result(struct buf *out, struct span accounts, uint16_t code, uint64_t now)
{
	struct p_outcome outcome = {.code = code};
	struct p_result result = {.time = now};
	struct buf list;
	struct cbor r;
	int rc = -1;

	buf_init(&list, ACCOUNTS_MAX + PROTO_RECIPIENTS_MAX * 2 * SPLIT_CODE_TEXT);
	cbor_init(&r, accounts);
	while (!cbor_done(&r) && cbor_tstr(&r, &outcome.account)) {
		if (obj_encode(&p_outcome_def, &outcome, &list) != WIRE_OK)
			break;
		result.outcomes.count++;
	}
	result.outcomes.raw = buf_span(&list);
	if (code == CODE_CLOCK)
		obj_set(&p_result_def, &result, 2);
	if (cbor_done(&r) && !buf_failed(&list) &&
	    obj_encode(&p_result_def, &result, out) == WIRE_OK && !buf_failed(out))
		rc = 0;
	buf_clear(&list);
	return rc;
}
