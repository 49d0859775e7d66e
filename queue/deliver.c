/* SPDX-License-Identifier: ISC */
/*
 * deliver.c - handing items to relay, and what comes back.
 *
 * Turns the decisions of sched.c into MSG_SEND and the messages of relay into events for
 * sched.c and records for spool.c. Owns nothing. An item may go out before its own sync: the
 * sender's answer waits for it, the delivery need not, since a repeat does no harm. Results
 * are per recipient; those who are final are not sent again. A failure is noted (BOUNCED) and
 * synced before the sender's store hears of it (fates.c); a success is noted only if
 * something else remains, because losing it means a repeat and no more.
 * Texts of peers are cut and kept for people; nothing in them is interpreted.
 */
#include "queue/deliver.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/msgs.h"
#include "queue/fates.h"
#include "queue/queue.h"
#include "wire/proto.h"

/* --- out ---------------------------------------------------------------------------------- */

/* The stored put, with those recipients only who are still to be served. */
static bool
put_pending(const struct item *it, struct span stored, struct buf *out)
{
	struct p_recipient r;
	struct obj_iter iter;
	struct span entry;
	struct p_put put;
	struct buf list;
	size_t i;
	bool ok;

	if (obj_decode(&p_put_def, stored, &put) != WIRE_OK)
		return false;
	buf_init(&list, MSG_ITEM_MAX);
	obj_iter_init(&iter, &put.to);
	put.to.count = 0;
	while (obj_next_any(&iter, &entry)) {
		if (obj_decode(&p_recipient_def, entry, &r) != WIRE_OK)
			continue;
		i = item_find_rcpt(it, r.account);
		if (i == it->nrcpts || it->rcpts[i].state != RECORD_PENDING)
			continue;
		buf_put_span(&list, entry);
		put.to.count++;
	}
	put.to.raw = buf_span(&list);
	ok = !buf_failed(&list) && obj_encode(&p_put_def, &put, out) == WIRE_OK &&
	    !buf_failed(out);
	buf_clear(&list);
	return ok;
}

/* Reads the item's put into out as it goes to relay. */
static bool
load_put(const struct item *it, struct buf *out)
{
	struct record_msg m;
	struct buf in;
	bool ok;

	buf_init(&in, RECORD_MAX + RECORD_ALIGN);
	ok = spool_read(queue.spool, it, &in, &m);
	if (ok && item_count(it, RECORD_PENDING) == it->nrcpts)
		buf_put_span(out, m.body);
	else if (ok)
		ok = put_pending(it, m.body, out);
	buf_clear(&in);
	return ok && !buf_failed(out);
}

/* What cannot be read is put aside for an operator to look at, not tried for ever. */
static void
set_aside(struct item *it, uint64_t now)
{
	char qid[14];

	id32_encode(it->qid, qid);
	log_error("item.unreadable", "qid=%s segment=%08x offset=%llu", qid,
	    it->loc.seg->slot, (unsigned long long)it->loc.offset);
	item_trouble(
	    it, CODE_STORAGE, span_str("the item cannot be read from the spool"));
	queue_check(spool_mark(queue.spool, it, RECORD_HOLD, clock_wall_ms()));
	sched_hold(queue.sched, now, it->sched);
}

static void
send_item(struct channel *ch, const struct sched_put *put, struct item *it, uint64_t now)
{
	struct m_send m = {.qid = it->qid, .fifo = put->fifo, .restart = put->restart};
	struct buf b;

	buf_init(&b, MSG_ITEM_MAX);
	if (!load_put(it, &b)) {
		buf_clear(&b);
		set_aside(it, now);
		return;
	}
	m.domain = span_str(it->domain);
	m.put = buf_span(&b);
	for (size_t i = 0; i < it->nrcpts; i++)
		it->rcpts[i].answered = it->rcpts[i].state != RECORD_PENDING;
	it->tries++;
	it->last = clock_wall_ms();
	queue.count.sent++;
	if (channel_send(ch, MSG_SEND, 0, &m, -1) == -1)
		sched_result(queue.sched, now, it->sched, SCHED_RETURNED, 0);
	buf_clear(&b);
}

/* Its lifetime has passed: who is not served by now will not be. */
static void
expire(struct item *it)
{
	uint64_t now = clock_wall_ms();
	char qid[14];

	queue_unschedule(it);
	for (size_t i = 0; i < it->nrcpts; i++) {
		if (item_result(it, i, RECORD_FAILED, CODE_EXPIRED,
			it->error == NULL ? span_of(NULL, 0) : span_str(it->error), now))
			queue.count.failed++;
	}
	id32_encode(it->qid, qid);
	log_info("item.expire", "qid=%s dest=%s tries=%u error=%s", qid,
	    log_str(it->domain), it->tries, log_str(it->error == NULL ? "" : it->error));
	queue_check(spool_note(queue.spool, it, true));
	fates_owe(it);
}

void
deliver_run(void)
{
	struct channel *ch = proc_channel(ROLE_RELAY);
	uint64_t now = clock_mono_ms();
	struct sched_put put;
	enum sched_act act;
	struct item *it;

	for (;;) {
		act = sched_next(
		    queue.sched, now, ch != NULL && channel_may_work(ch), &put);
		if (act == SCHED_NONE)
			break;
		it = spool_find(queue.spool, put.qid);
		if (it == NULL || it->sched != put.item)
			panic("item %016llx is scheduled but not in the spool",
			    (unsigned long long)put.qid);
		if (act == SCHED_EXPIRE)
			expire(it);
		else
			send_item(ch, &put, it, now);
	}
}

void
deliver_recall(void)
{
	sched_recall(queue.sched, clock_mono_ms());
}

/* --- back --------------------------------------------------------------------------------- */

/* Notes one outcome of a running attempt. False if it is for nobody who was asked for. */
static bool
take_outcome(struct item *it, const struct p_outcome *o, uint64_t now)
{
	size_t i = item_find_rcpt(it, o->account);
	enum record_state state = RECORD_PENDING;

	if (i == it->nrcpts || it->rcpts[i].answered)
		return false;
	switch (code_class(o->code)) {
	case CODE_OK:
		state = RECORD_ACCEPTED;
		queue.count.arrived++;
		break;
	case CODE_PERMANENT:
		state = RECORD_FAILED;
		queue.count.failed++;
		break;
	case CODE_TEMPORARY:
		queue.count.retried++;
		break;
	}
	it->rcpts[i].answered = true;
	return item_result(it, i, state, (uint16_t)o->code,
	    o->text.n > 0 ? o->text : span_str(code_symbol(o->code)), now);
}

static bool
all_answered(const struct item *it)
{
	for (size_t i = 0; i < it->nrcpts; i++) {
		if (!it->rcpts[i].answered)
			return false;
	}
	return true;
}

/* The verdict for the schedule, from what the recipients who are left were told. */
static enum sched_verdict
verdict(struct item *it)
{
	enum sched_verdict v = SCHED_FINISHED;

	for (size_t i = 0; i < it->nrcpts; i++) {
		if (it->rcpts[i].state != RECORD_PENDING)
			continue;
		if (v == SCHED_FINISHED)
			item_trouble(it, it->rcpts[i].code,
			    it->rcpts[i].text == NULL ? span_of(NULL, 0)
						      : span_str(it->rcpts[i].text));
		if (it->rcpts[i].code != CODE_AFTER)
			return SCHED_TEMPORARY;
		v = SCHED_AFTER;
	}
	return v;
}

/* All recipients of an attempt have an outcome. */
static void
conclude(struct item *it)
{
	uint32_t random = (uint32_t)random_u64();
	struct sched_item *si = it->sched;
	enum sched_verdict v;
	char qid[14];

	item_trouble(it, 0, span_of(NULL, 0));
	v = verdict(it);
	id32_encode(it->qid, qid);
	log_info("item.result", "qid=%s dest=%s arrived=%zu failed=%zu left=%zu tries=%u",
	    qid, log_str(it->domain), item_count(it, RECORD_ACCEPTED),
	    item_count(it, RECORD_FAILED), item_count(it, RECORD_PENDING), it->tries);
	if (item_count(it, RECORD_ACCEPTED) < it->nrcpts)
		queue_check(
		    spool_note(queue.spool, it, item_count(it, RECORD_FAILED) > 0));
	if (v == SCHED_FINISHED)
		it->sched = NULL;
	sched_result(queue.sched, clock_mono_ms(), si, v, random);
	fates_owe(it);
}

/* Answers about what we do not know any more are normal: relay lives longer than a link. */
static struct item *
find_scheduled(uint64_t qid)
{
	struct item *it = spool_find(queue.spool, qid);

	return it != NULL && it->sched != NULL ? it : NULL;
}

void
on_sent(struct channel *ch, struct channel_msg *msg)
{
	const struct m_sent *m = msg->body;
	struct item *it = find_scheduled(m->qid);
	uint64_t now = clock_wall_ms();
	struct p_result result;
	struct p_outcome o;
	struct obj_iter iter;

	(void)ch;
	if (it == NULL || obj_decode(&p_result_def, m->result, &result) != WIRE_OK)
		return;
	obj_iter_init(&iter, &result.outcomes);
	while (obj_next(&iter, &p_outcome_def, &o)) {
		if (!take_outcome(it, &o, now))
			log_warn("item.stray", "dest=%s account=%s", log_str(it->domain),
			    log_account(o.account));
	}
	if (all_answered(it))
		conclude(it);
}

void
on_send_fail(struct channel *ch, struct channel_msg *msg)
{
	const struct m_send_fail *m = msg->body;
	struct item *it = find_scheduled(m->qid);
	enum sched_verdict v = SCHED_LOST;
	char qid[14];

	(void)ch;
	if (it == NULL)
		return;
	if (code_class(m->code) == CODE_OK)
		v = SCHED_RETURNED;
	item_trouble(it, m->code, m->text);
	id32_encode(it->qid, qid);
	log_info("item.defer", "qid=%s dest=%s tries=%u code=%s error=%s", qid,
	    log_str(it->domain), it->tries, code_symbol(m->code), log_text(m->text));
	queue_check(spool_note(queue.spool, it, false));
	sched_result(queue.sched, clock_mono_ms(), it->sched, v, (uint32_t)random_u64());
}

void
on_peer_up(struct channel *ch, struct channel_msg *msg)
{
	const struct m_peer_up *m = msg->body;

	(void)ch;
	sched_alive(queue.sched, clock_mono_ms(), m->domain, m->items);
}

void
on_peer_down(struct channel *ch, struct channel_msg *msg)
{
	const struct m_peer_down *m = msg->body;
	struct m_domain noted = {.domain = m->domain};

	channel_send(ch, MSG_PEER_NOTED, 0, &noted, -1);
	sched_down(queue.sched, clock_mono_ms(), m->domain, m->orderly != 0,
	    (uint32_t)random_u64());
}
