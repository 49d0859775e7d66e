/* SPDX-License-Identifier: ISC */
/*
 * outbox.c - answers that wait for the commit of their turn.
 *
 * Owns encoded copies of messages in the order in which they were added. store.c sends them
 * after the commit. If the commit failed nothing that was promised holds, so every answer is
 * rewritten to the temporary code "storage" and what is not an answer is dropped. A message
 * beyond the bound is dropped with a log line: its asker times out and asks again.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "store/bounds.h"
#include "store/order.h"
#include "store/outbox.h"
#include "wire/proto.h"

#define REWRITE_MAX 65536 /* bytes of a rewritten result */

struct letter {
	enum role to;
	uint16_t type;
	uint64_t id;
	uint8_t *payload; /* owned */
	size_t n;
};

static struct letter *letters; /* owned; kept between turns */
static size_t count, room;

/* Any of the messages that go through here. */
union body {
	struct m_res res;
	struct m_put_res put_res;
	struct m_event event;
	struct m_handle handle;
	struct m_empty empty;
	struct m_peer_check_res check;
	struct m_ctl_row row;
	struct m_ctl_end end;
};

void
outbox_add(enum role to, uint16_t type, uint64_t id, const void *body)
{
	const struct msg_def *def = msg_find(type);
	struct letter *l;
	struct buf b;

	buf_init(&b, MSG_PAYLOAD_MAX);
	if (count >= STORE_OUTBOX || def == NULL || def->size > sizeof(union body) ||
	    payload_put(def->fields, body, &b) == -1) {
		log_error("store.outbox", "dropped=%s", msg_name(type));
		buf_clear(&b);
		return;
	}
	if (count == room) {
		room = room == 0 ? 64 : room * 2;
		letters = xreallocarray(letters, room, sizeof(*letters));
	}
	l = &letters[count++];
	*l = (struct letter){.to = to, .type = type, .id = id};
	l->payload = buf_take(&b, &l->n);
}

void
outbox_drop(enum role to)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (letters[i].to == to)
			free(letters[i].payload);
		else
			letters[kept++] = letters[i];
	}
	count = kept;
}

bool
outbox_empty(void)
{
	return count == 0;
}

/* --- when the turn failed ------------------------------------------------------------------- */

/* The same result with the temporary code for every recipient. */
static void
rewrite_result(uint64_t id, struct m_put_res *m, struct buf *out)
{
	struct p_outcome outcome;
	struct p_result old, new;
	struct obj_iter it;
	struct buf list;

	new = (struct p_result){.outcomes.count = 0};
	buf_init(&list, REWRITE_MAX);
	if (obj_decode(&p_result_def, m->result, &old) == WIRE_OK) {
		obj_iter_init(&it, &old.outcomes);
		while (obj_next(&it, &p_outcome_def, &outcome)) {
			outcome = (struct p_outcome){
			    .account = outcome.account, .code = CODE_STORAGE};
			order_failed(id, outcome.account);
			obj_encode(&p_outcome_def, &outcome, &list);
			new.outcomes.count++;
		}
	}
	new.outcomes.raw = buf_span(&list);
	obj_encode(&p_result_def, &new, out);
	buf_clear(&list);
	m->result = buf_span(out);
}

/* Turns a message into what is true after a failed commit; false: nothing is. */
static bool
rewrite(const struct letter *l, union body *body, struct buf *out)
{
	struct p_res res = {.code = CODE_STORAGE};

	switch (l->type) {
	case MSG_PUT_RES:
		rewrite_result(l->id, &body->put_res, out);
		return true;
	case MSG_RES:
		obj_encode(&p_res_def, &res, out);
		body->res.res = buf_span(out);
		return true;
	case MSG_PEER_CHECK_RES:
		body->check.code = CODE_STORAGE;
		return true;
	case MSG_CTL_END:
		body->end.code = CODE_STORAGE;
		body->end.text = span_str("the store could not write; see its log");
		return true;
	default:
		return false;
	}
}

/* The right is gone: the handle dies here and the link at listener. */
static void
revoke(const struct m_handle *m)
{
	struct handle *h = handle_find_any(m->handle);

	if (h != NULL)
		handle_revoke(h, m->code);
}

static void
send_one(const struct letter *l, bool committed)
{
	const struct msg_def *def = msg_find(l->type);
	struct channel *ch = proc_channel(l->to);
	union body body;
	struct buf out;

	if (ch == NULL ||
	    payload_get(def->fields, span_of(l->payload, l->n), &body) == -1)
		return;
	if (l->type == MSG_REVOKE) {
		if (committed)
			revoke(&body.handle);
		return;
	}
	buf_init(&out, REWRITE_MAX);
	if (committed || rewrite(l, &body, &out))
		channel_send(ch, l->type, l->id, &body, -1);
	buf_clear(&out);
}

void
outbox_send(bool committed)
{
	for (size_t i = 0; i < count; i++) {
		send_one(&letters[i], committed);
		free(letters[i].payload);
	}
	count = 0;
}
