/* SPDX-License-Identifier: ISC */
/*
 * intake.c - taking in an item from listener.
 *
 * An item is judged here as a whole (who sends it, when it was made, how large it is), and
 * either refused at once for all its recipients, or split into one item for each domain, noted
 * in the journal, scheduled, and answered after the sync (answers.c). The sender is the one
 * whom store named for the handle; what the item itself says must agree with that. Everything
 * in the message comes from the network by way of the most exposed process: it is decoded
 * strictly, and no answer but a reply code comes of it.
 */
#include "queue/intake.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/msgs.h"
#include "queue/answers.h"
#include "queue/queue.h"
#include "wire/proto.h"

#define RESULT_MAX 65536 /* bytes of an encoded result */
#define SENDER_SHARE 4   /* of queue.max_active: the part that one sender may fill */

/* One submission while it is handled. */
struct submission {
	const struct handle *from;
	struct span encoded;
	struct p_put put;
	struct p_outer outer;
	uint64_t now; /* wall ms */
	size_t n;
	struct {
		struct span entry; /* its encoding in the put */
		struct addr addr;
		struct span account;
		uint64_t qid; /* 0: not noted (yet) */
		uint16_t code;
	} to[PROTO_RECIPIENTS_MAX];
};

/* Reads the recipients. 0, or the code for what is wrong. */
static uint16_t
read_recipients(struct submission *s)
{
	struct p_recipient r;
	struct obj_iter it;
	struct span entry;

	obj_iter_init(&it, &s->put.to);
	while (s->n < PROTO_RECIPIENTS_MAX && obj_next_any(&it, &entry)) {
		if (obj_decode(&p_recipient_def, entry, &r) != WIRE_OK ||
		    !addr_parse_wire(r.account, &s->to[s->n].addr))
			return CODE_MALFORMED;
		for (size_t i = 0; i < s->n; i++) {
			if (span_eq(s->to[i].account, r.account))
				return CODE_MALFORMED;
		}
		s->to[s->n].entry = entry;
		s->to[s->n++].account = r.account;
	}
	return s->n == 0 ? CODE_MALFORMED : 0;
}

/* Whether the item may come from this handle. 0, or why not. */
static uint16_t
judge_sender(const struct submission *s)
{
	if (s->from == NULL)
		return CODE_UNKNOWN_HANDLE;
	if (s->from->kind != HANDLE_ACCOUNT)
		return CODE_NOT_AUTHORISED;
	if (!span_eq(s->outer.from, span_str(s->from->name)) ||
	    memcmp(s->outer.device, s->from->device, sizeof(s->outer.device)) != 0)
		return CODE_NOT_AUTHORISED;
	return 0;
}

static uint16_t
judge_time(const struct submission *s)
{
	switch (mid_age_check(s->outer.mid, s->now, MID_AHEAD_MS, MID_BEHIND_SUBMIT_MS)) {
	case MID_AGE_OK:
		return 0;
	case MID_AGE_INVALID:
		return CODE_MALFORMED;
	default:
		return CODE_CLOCK;
	}
}

/* Whether the queue has room: nobody may fill it alone, with items to a dead domain, say. */
static uint16_t
judge_room(const struct submission *s)
{
	uint64_t most = conf_u64(queue.conf, CONF_QUEUE_MAX_ACTIVE);
	size_t own = spool_count_of(queue.spool, s->outer.from);

	if (own > 0 && own + s->n > most / SENDER_SHARE)
		return CODE_TRY_LATER;
	return spool_count(queue.spool) + s->n > most ? CODE_TRY_LATER : 0;
}

/* 0, or why the whole item is refused. The recipients are read. */
static uint16_t
judge(const struct submission *s)
{
	struct span own = span_str(conf_str(queue.conf, CONF_DOMAIN));
	uint16_t code;

	if ((code = judge_sender(s)) != 0 || (code = judge_time(s)) != 0)
		return code;
	if (s->put.kind != ITEM_MESSAGE && s->put.kind != ITEM_OBJECT)
		return CODE_UNSUPPORTED;
	if (s->encoded.n > conf_u64(queue.conf, CONF_LIMITS_ITEM_SIZE))
		return CODE_TOO_LARGE;
	if (s->n > conf_u64(queue.conf, CONF_LIMITS_RECIPIENTS))
		return CODE_LIMIT;
	for (size_t i = 0; i < s->n; i++) {
		if (span_eq(s->to[i].addr.domain, own))
			return CODE_WRONG_DOMAIN;
	}
	if (!spool_accepts(queue.spool))
		return CODE_STORAGE;
	return judge_room(s);
}

/* Encodes the result: each recipient's own code, or this one for all if it is not 0. */
static void
put_result(const struct submission *s, uint16_t all, struct buf *out)
{
	struct p_outcome one;
	struct p_result result = {.time = s->now};
	struct buf list;

	buf_init(&list, RESULT_MAX);
	for (size_t i = 0; i < s->n; i++) {
		memset(&one, 0, sizeof(one));
		one.account = s->to[i].account;
		one.code = all != 0 ? all : s->to[i].code;
		one.id = s->to[i].qid;
		if (all == 0 && one.id != 0)
			obj_set(&p_outcome_def, &one, 3);
		obj_encode(&p_outcome_def, &one, &list);
	}
	result.outcomes.raw = buf_span(&list);
	result.outcomes.count = s->n;
	obj_set(&p_result_def, &result, 2);
	obj_encode(&p_result_def, &result, out);
	buf_clear(&list);
}

/* The put as it travels to one domain: the same, with the recipients of that domain. */
static void
put_for_domain(const struct submission *s, size_t first, struct buf *out)
{
	struct p_put put = {
	    .kind = s->put.kind, .outer = s->put.outer, .body = s->put.body};
	struct buf list;

	buf_init(&list, MSG_ITEM_MAX);
	for (size_t i = first; i < s->n; i++) {
		if (!span_eq(s->to[i].addr.domain, s->to[first].addr.domain))
			continue;
		buf_put_span(&list, s->to[i].entry);
		put.to.count++;
	}
	put.to.raw = buf_span(&list);
	obj_encode(&p_put_def, &put, out);
	buf_clear(&list);
}

static void
fill_record(
    const struct submission *s, size_t first, struct span body, struct record_msg *m)
{
	memset(m, 0, sizeof(*m));
	m->accepted = s->now;
	m->expires = s->now + conf_u64(queue.conf, CONF_QUEUE_LIFETIME);
	memcpy(m->mid, s->outer.mid, sizeof(m->mid));
	memcpy(m->device, s->outer.device, sizeof(m->device));
	m->kind = (uint8_t)s->put.kind;
	m->sender = s->outer.from;
	if (obj_has(&p_outer_def, &s->outer, 6))
		m->conv = span_of(s->outer.conv, sizeof(s->outer.conv));
	m->domain = s->to[first].addr.domain;
	m->body = body;
	for (size_t i = first; i < s->n; i++) {
		if (span_eq(s->to[i].addr.domain, m->domain))
			m->rcpts[m->nrcpts++] = s->to[i].account;
	}
}

/* Notes the item for the domain of one recipient, and for all others of that domain. */
static void
accept_domain(struct submission *s, size_t first)
{
	struct record_msg m;
	enum journal_err err;
	struct item *it;
	struct buf body;
	char qid[14];

	buf_init(&body, MSG_ITEM_MAX);
	put_for_domain(s, first, &body);
	fill_record(s, first, buf_span(&body), &m);
	it = buf_failed(&body) ? NULL : spool_add(queue.spool, &m, &err);
	if (it == NULL && !buf_failed(&body))
		queue_check(err);
	for (size_t i = first; i < s->n; i++) {
		if (!span_eq(s->to[i].addr.domain, m.domain))
			continue;
		s->to[i].qid = it == NULL ? 0 : it->qid;
		s->to[i].code = it == NULL ? CODE_STORAGE : CODE_ACCEPTED;
	}
	if (it != NULL) {
		id32_encode(it->qid, qid);
		log_info("item.accept",
		    "qid=%s mid=%s from=%s dest=%s rcpts=%zu size=%zu", qid,
		    log_hex(span_of(it->mid, sizeof(it->mid))),
		    log_account(span_str(it->sender)), log_str(it->domain), it->nrcpts,
		    body.n);
		queue.count.accepted++;
		queue_schedule(it);
	}
	buf_clear(&body);
}

static void
accept_all(struct channel *ch, struct channel_msg *msg, struct submission *s)
{
	struct buf yes, no;

	for (size_t i = 0; i < s->n; i++) {
		if (s->to[i].code == 0)
			accept_domain(s, i);
	}
	buf_init(&yes, RESULT_MAX);
	buf_init(&no, RESULT_MAX);
	put_result(s, 0, &yes);
	put_result(s, CODE_STORAGE, &no);
	answers_submit(ch, msg, buf_span(&yes), buf_span(&no));
	buf_clear(&yes);
	buf_clear(&no);
}

/* A refusal depends on no sync. */
static void
refuse(struct channel *ch, struct channel_msg *msg, struct submission *s, uint16_t code)
{
	struct m_submit_res res;
	struct buf out;

	/* What cannot be read has no recipients: the answer names its sender. */
	if (s->n == 0) {
		s->to[0].account =
		    s->from == NULL ? span_str("?#?") : span_str(s->from->name);
		s->n = 1;
	}
	queue.count.refused++;
	log_info("item.refuse", "handle=%llu code=%s",
	    (unsigned long long)((const struct m_submit *)msg->body)->handle,
	    code_symbol(code));
	buf_init(&out, RESULT_MAX);
	put_result(s, code, &out);
	res.result = buf_span(&out);
	channel_send(ch, MSG_SUBMIT_RES, msg->id, &res, -1);
	buf_clear(&out);
}

void
on_submit(struct channel *ch, struct channel_msg *msg)
{
	const struct m_submit *m = msg->body;
	struct submission s = {.now = clock_wall_ms(), .encoded = m->put};
	uint16_t code = CODE_MALFORMED;
	enum wire_err err;

	s.from = handles_find(queue.handles, m->handle);
	err = obj_decode(&p_put_def, m->put, &s.put);
	if (err == WIRE_OK)
		err = obj_decode(&p_outer_def, s.put.outer, &s.outer);
	if (err == WIRE_UNSUPPORTED)
		code = CODE_UNSUPPORTED;
	if (err == WIRE_OK && (code = read_recipients(&s)) == 0)
		code = judge(&s);
	if (err != WIRE_OK || code != 0)
		refuse(ch, msg, &s, code);
	else
		accept_all(ch, msg, &s);
}
