/* SPDX-License-Identifier: ISC */
/*
 * carry.c - what one link carries.
 *
 * Owns copies of items between MSG_SEND of queue and the last outcome, and of requests between
 * MSG_QUERY of store and the answer. Nothing is stored on disk here: custody stays with queue,
 * which sends again what comes back. Called by outbound.c. A frame that does not fit what was
 * sent is reported as a text and ends the link.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/proc.h"
#include "relay/carry.h"

struct carry_item {
	TAILQ_ENTRY(carry_item) entry;
	uint64_t qid;
	uint64_t id; /* of its frame, once sent */
	size_t left; /* recipients without an outcome */
	bool answered[PROTO_RECIPIENTS_MAX];
	uint8_t *body; /* owned: encoded put */
	size_t n;
};

struct carry_query {
	TAILQ_ENTRY(carry_query) entry;
	uint64_t ask; /* id of store's message */
	uint64_t id;  /* of its frame; 0: not sent yet */
	uint64_t deadline;
	uint8_t *body; /* owned: encoded req */
	size_t n;
};

void
carry_init(struct carry *c)
{
	memset(c, 0, sizeof(*c));
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->flying);
	TAILQ_INIT(&c->queries);
}

bool
carry_idle(const struct carry *c)
{
	return TAILQ_EMPTY(&c->waiting) && TAILQ_EMPTY(&c->flying) &&
	    TAILQ_EMPTY(&c->queries);
}

bool
carry_stalled(const struct carry *c, uint64_t now)
{
	return (!TAILQ_EMPTY(&c->waiting) || !TAILQ_EMPTY(&c->flying)) &&
	    now - c->moved_at >= CARRY_STALL_MS;
}

void
carry_window(struct carry *c, uint64_t items, uint64_t bytes)
{
	c->window_items = items;
	c->window_bytes = bytes;
}

/* --- items --------------------------------------------------------------------------------- */

static void
item_free(struct carry_items *list, struct carry_item *item)
{
	TAILQ_REMOVE(list, item, entry);
	free(item->body);
	free(item);
}

void
carry_refuse_item(uint64_t qid, uint16_t code, const char *text)
{
	struct m_send_fail fail = {.qid = qid, .code = code, .text = span_str(text)};
	struct channel *queue = proc_channel(ROLE_QUEUE);

	if (queue != NULL)
		channel_send(queue, MSG_SEND_FAIL, 0, &fail, -1);
}

bool
carry_item(struct carry *c, const struct m_send *send, uint64_t now)
{
	struct carry_item *item;
	struct p_put put;
	struct buf b;

	if (obj_decode(&p_put_def, send->put, &put) != WIRE_OK) {
		carry_refuse_item(
		    send->qid, CODE_MALFORMED, "the item cannot be decoded");
		return false;
	}
	put.fifo = send->fifo;
	put.restart = send->restart != 0;
	obj_set(&p_put_def, &put, 5);
	obj_set(&p_put_def, &put, 6);
	buf_init(&b, MSG_ITEM_MAX);
	if (obj_encode(&p_put_def, &put, &b) != WIRE_OK || buf_failed(&b)) {
		buf_clear(&b);
		carry_refuse_item(
		    send->qid, CODE_TOO_LARGE, "the item cannot be encoded");
		return false;
	}
	item = xcalloc(1, sizeof(*item));
	item->qid = send->qid;
	item->left = put.to.count;
	item->body = buf_take(&b, &item->n);
	if (TAILQ_EMPTY(&c->waiting) && TAILQ_EMPTY(&c->flying))
		c->moved_at = now;
	TAILQ_INSERT_TAIL(&c->waiting, item, entry);
	return true;
}

static void
fail_items(struct carry_items *list, uint16_t code, const char *text)
{
	struct carry_item *item;

	while ((item = TAILQ_FIRST(list)) != NULL) {
		carry_refuse_item(item->qid, code, text);
		item_free(list, item);
	}
}

void
carry_forget_items(struct carry *c)
{
	while (!TAILQ_EMPTY(&c->waiting))
		item_free(&c->waiting, TAILQ_FIRST(&c->waiting));
	/* Those in flight stay: their results still come and must find them. */
}

/* Whether the window has room. One item may always fly, whatever its size. */
static bool
may_fly(const struct carry *c, const struct carry_item *item)
{
	if (c->flying_items == 0)
		return c->window_items > 0;
	return c->flying_items < c->window_items &&
	    c->flying_bytes + item->n <= c->window_bytes;
}

static struct carry_item *
find_flying(struct carry *c, uint64_t id)
{
	struct carry_item *item;

	/* Results come nearly in order, so the one sought is near the front. */
	TAILQ_FOREACH (item, &c->flying, entry)
		if (item->id == id)
			return item;
	return NULL;
}

/* Notes that a recipient of the item has its outcome. False if it is none, or has one. */
static bool
mark(struct carry_item *item, const struct obj_list *to, struct span account)
{
	struct p_recipient r;
	struct obj_iter it;
	size_t i = 0;

	for (obj_iter_init(&it, to); obj_next(&it, &p_recipient_def, &r); i++) {
		if (!span_eq(r.account, account))
			continue;
		if (item->answered[i])
			return false;
		item->answered[i] = true;
		item->left--;
		return true;
	}
	return false;
}

/* Every outcome must be for a recipient that still has none: queue waits until all have. */
static bool
mark_all(struct carry_item *item, const struct obj_list *outcomes)
{
	struct p_outcome outcome;
	struct obj_iter it;
	struct p_put put;

	if (obj_decode(&p_put_def, span_of(item->body, item->n), &put) != WIRE_OK)
		return false;
	obj_iter_init(&it, outcomes);
	for (size_t i = 0; i < outcomes->count; i++)
		if (!obj_next(&it, &p_outcome_def, &outcome) ||
		    !mark(item, &put.to, outcome.account))
			return false;
	return true;
}

const char *
carry_result(struct carry *c, const struct wframe *frame, uint64_t now)
{
	struct channel *queue = proc_channel(ROLE_QUEUE);
	struct carry_item *item = find_flying(c, frame->id);
	struct p_result result;
	struct m_sent sent;

	if (frame->body.n > MSG_RESULT_MAX)
		return "the result is too large";
	if (obj_decode(&p_result_def, frame->body, &result) != WIRE_OK)
		return "the result cannot be decoded";
	if (item == NULL || !mark_all(item, &result.outcomes))
		return "a result for what was not sent";
	sent.qid = item->qid;
	sent.result = frame->body;
	if (queue != NULL)
		channel_send(queue, MSG_SENT, 0, &sent, -1);
	c->moved_at = now;
	if (item->left == 0) {
		c->flying_items--;
		c->flying_bytes -= item->n;
		item_free(&c->flying, item);
	}
	return NULL;
}

/* --- requests -------------------------------------------------------------------------------- */

static void
query_free(struct carry *c, struct carry_query *q)
{
	TAILQ_REMOVE(&c->queries, q, entry);
	free(q->body);
	free(q);
}

static void
answer_query(uint64_t ask, struct span res)
{
	struct channel *store = proc_channel(ROLE_STORE);
	struct m_query_res msg = {.res = res};

	if (store != NULL)
		channel_send(store, MSG_QUERY_RES, ask, &msg, -1);
}

void
carry_refuse_query(uint64_t ask, uint16_t code, const char *text)
{
	struct p_res res = {.code = code, .text = span_str(text)};
	struct buf b;

	obj_set(&p_res_def, &res, 3);
	buf_init(&b, 1024);
	if (obj_encode(&p_res_def, &res, &b) == WIRE_OK)
		answer_query(ask, buf_span(&b));
	buf_clear(&b);
}

bool
carry_query(struct carry *c, uint64_t ask, struct span req, uint64_t now)
{
	struct carry_query *q;
	struct p_req decoded;

	if (obj_decode(&p_req_def, req, &decoded) != WIRE_OK) {
		carry_refuse_query(ask, CODE_MALFORMED, "the request cannot be decoded");
		return false;
	}
	q = xcalloc(1, sizeof(*q));
	q->ask = ask;
	q->deadline = now + CARRY_QUERY_MS;
	q->body = xmemdup(req.p, req.n);
	q->n = req.n;
	TAILQ_INSERT_TAIL(&c->queries, q, entry);
	return true;
}

const char *
carry_res(struct carry *c, const struct wframe *frame)
{
	struct carry_query *q;
	struct p_res res;

	if (obj_decode(&p_res_def, frame->body, &res) != WIRE_OK)
		return "the answer cannot be decoded";
	TAILQ_FOREACH (q, &c->queries, entry) {
		if (q->id != frame->id)
			continue;
		if (frame->body.n > MSG_REQ_MAX)
			carry_refuse_query(
			    q->ask, CODE_TOO_LARGE, "the peer's answer is too large");
		else
			answer_query(q->ask, frame->body);
		query_free(c, q);
		break;
	}
	return NULL; /* an answer that came too late is no fault */
}

void
carry_forget_queries(struct carry *c)
{
	while (!TAILQ_EMPTY(&c->queries))
		query_free(c, TAILQ_FIRST(&c->queries));
}

void
carry_tick(struct carry *c, uint64_t now)
{
	struct carry_query *q, *next;

	for (q = TAILQ_FIRST(&c->queries); q != NULL; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (now < q->deadline)
			continue;
		carry_refuse_query(
		    q->ask, CODE_TIMEOUT, "the peer did not answer in time");
		query_free(c, q);
	}
}

/* --- both --------------------------------------------------------------------------------------- */

bool
carry_write(struct carry *c, struct buf *out)
{
	struct carry_item *item;
	struct carry_query *q;
	size_t before = out->n;

	TAILQ_FOREACH (q, &c->queries, entry) {
		if (q->id != 0)
			continue;
		if (out->n > before && out->n - before + q->n > CARRY_BATCH)
			return true;
		q->id = ++c->next_id;
		wframe_put(out, FRAME_REQ, q->id, span_of(q->body, q->n));
	}
	while ((item = TAILQ_FIRST(&c->waiting)) != NULL && may_fly(c, item)) {
		if (out->n > before && out->n - before + item->n > CARRY_BATCH)
			break;
		item->id = ++c->next_id;
		wframe_put(out, FRAME_PUT, item->id, span_of(item->body, item->n));
		TAILQ_REMOVE(&c->waiting, item, entry);
		TAILQ_INSERT_TAIL(&c->flying, item, entry);
		c->flying_items++;
		c->flying_bytes += item->n;
	}
	return out->n > before;
}

void
carry_fail(struct carry *c, uint16_t code, const char *text)
{
	uint16_t res = code_class(code) == CODE_TEMPORARY ? code : CODE_PEER_UNREACHABLE;
	struct carry_query *q;

	fail_items(&c->flying, code, text);
	fail_items(&c->waiting, code, text);
	while ((q = TAILQ_FIRST(&c->queries)) != NULL) {
		carry_refuse_query(q->ask, res, text);
		query_free(c, q);
	}
	c->flying_items = 0;
	c->flying_bytes = 0;
	c->window_items = 0;
}
