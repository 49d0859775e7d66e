/* SPDX-License-Identifier: ISC */
/*
 * push.c - mailbox entries on their way to devices that are there.
 *
 * For each link of a device it keeps the window that the device granted and what is in flight.
 * push_turn() runs after each commit, so nothing unconfirmed by the disk ever leaves. It
 * stops at the window, at the output bound of the channel to listener, and after a number of
 * entries, and goes on in a later turn. Entries that are not for the device are passed over;
 * once nothing is in flight its cursor follows (push_tick), so that they can be removed.
 * A bad row is set aside by the database and passed over.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "store/bounds.h"
#include "store/mailbox.h"
#include "store/push.h"
#include "store/store.h"

#define PUSH_BYTES (PROTO_ITEM_MAX + 16384)

static bool any_dirty;

static void
dirty(struct handle *h)
{
	h->push.dirty = true;
	any_dirty = true;
}

void
push_start(struct handle *h, uint64_t cursor)
{
	h->push.sent = h->push.skipped = cursor;
	dirty(h);
}

void
push_touch(struct span account)
{
	for (struct handle *h = handle_of(account); h != NULL; h = h->next)
		dirty(h);
}

/* --- what is in flight ---------------------------------------------------------------------- */

static void
flight_add(struct pushing *p, uint64_t seq, uint64_t bytes)
{
	struct push_item *items;

	if (p->count == p->room) {
		size_t room = p->room == 0 ? 16 : p->room * 2;

		items = xcalloc(room, sizeof(*items));
		for (size_t i = 0; i < p->count; i++)
			items[i] = p->items[(p->first + i) % p->room];
		free(p->items);
		p->items = items;
		p->room = room;
		p->first = 0;
	}
	p->items[(p->first + p->count++) % p->room] =
	    (struct push_item){.seq = seq, .bytes = bytes};
	p->bytes += bytes;
}

static void
flight_done(struct pushing *p, uint64_t seq)
{
	while (p->count > 0 && p->items[p->first].seq <= seq) {
		p->bytes -= p->items[p->first].bytes;
		p->first = (p->first + 1) % p->room;
		p->count--;
	}
}

/* An item larger than the whole window may pass when nothing else is in flight. */
static bool
fits(const struct pushing *p, uint64_t bytes)
{
	return p->count < p->window_items &&
	    (p->count == 0 || p->bytes + bytes <= p->window_bytes);
}

/* --- pushing -------------------------------------------------------------------------------- */

static bool
send_push(struct channel *ch, struct handle *h, uint64_t seq, const struct mail *m,
    const struct obj_list *stanzas)
{
	struct p_push push = {.seq = seq,
	    .kind = m->kind,
	    .outer = m->outer,
	    .body = m->body,
	    .stanzas = *stanzas,
	    .time = m->time,
	    .via = m->via};
	struct m_push msg = {.handle = h->id, .seq = seq};
	struct buf b;
	bool ok;

	if (m->outer.n > 0)
		obj_set(&p_push_def, &push, 3);
	if (stanzas->count > 0)
		obj_set(&p_push_def, &push, 5);
	if (m->via.n > 0)
		obj_set(&p_push_def, &push, 7);
	buf_init(&b, PUSH_BYTES);
	ok = obj_encode(&p_push_def, &push, &b) == WIRE_OK && !buf_failed(&b);
	msg.push = buf_span(&b);
	if (ok && channel_send(ch, MSG_PUSH, 0, &msg, -1) == 0)
		flight_add(&h->push, seq, b.n);
	else
		log_error("store.push", "account=%s seq=%llu error=encode",
		    log_account(span_str(h->name)), (unsigned long long)seq);
	buf_clear(&b);
	return ok;
}

enum step { STEP_ON, STEP_WAIT, STEP_END };

/* Looks at the next entry and pushes it if it is for this device. */
static enum step
push_step(struct channel *ch, struct handle *h, struct buf *scratch)
{
	struct span account = handle_name(h);
	struct pushing *p = &h->push;
	struct obj_list stanzas;
	uint64_t seq = p->sent;
	struct mail m;

	if (channel_out_bytes(ch) > STORE_CHANNEL_BYTES)
		return STEP_WAIT;
	if (mailbox_next(store_db(), account, &seq, &m) != SDB_OK)
		return STEP_END;
	buf_reset(scratch);
	/* What has expired is out of reach at once, whenever the sweep comes by. */
	if (m.expires <= clock_wall_ms() ||
	    !mailbox_for(&m, h->device, scratch, &stanzas)) {
		p->sent = seq;
		return STEP_ON;
	}
	if (mailbox_body(store_db(), account, seq, &m) != SDB_OK) {
		p->sent = seq;
		return STEP_ON;
	}
	if (!fits(p, mailbox_size(&m)))
		return STEP_END;
	send_push(ch, h, seq, &m, &stanzas);
	p->sent = seq;
	return STEP_ON;
}

static enum step
push_handle(struct channel *ch, struct handle *h)
{
	enum step step = STEP_ON;
	struct buf scratch;
	unsigned n = 0;

	if (!h->known || !h->push.open)
		return STEP_END;
	buf_init(&scratch, PROTO_STANZAS_MAX * 128);
	while (step == STEP_ON && n++ < STORE_PUSH_SCAN)
		step = push_step(ch, h, &scratch);
	buf_clear(&scratch);
	return step;
}

void
push_turn(void)
{
	struct channel *ch = proc_channel(ROLE_LISTENER);
	struct handle *h;
	size_t pos = 0;
	bool more = false;

	if (!any_dirty || ch == NULL)
		return;
	any_dirty = false;
	while (handle_next(&pos, &h)) {
		enum step step;

		if (!h->push.dirty)
			continue;
		step = push_handle(ch, h);
		h->push.dirty = step != STEP_END;
		more |= step == STEP_ON;
		any_dirty |= step != STEP_END;
	}
	if (more)
		proc_wake();
}

/* --- what devices say ----------------------------------------------------------------------- */

static uint64_t
at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

void
on_credit(struct channel *ch, struct channel_msg *msg)
{
	const struct m_credit *m = msg->body;
	struct handle *h = handle_find(m->handle);

	(void)ch;
	if (h == NULL || h->kind != HANDLE_ACCOUNT)
		return;
	h->push.open = true;
	h->push.window_items = at_most(m->items, STORE_WINDOW_ITEMS);
	h->push.window_bytes = at_most(m->bytes, STORE_WINDOW_BYTES);
	dirty(h);
}

void
on_done(struct channel *ch, struct channel_msg *msg)
{
	const struct m_done *m = msg->body;
	struct handle *h = handle_find(m->handle);

	(void)ch;
	if (h == NULL || h->kind != HANDLE_ACCOUNT)
		return;
	/* What was never pushed on this link cannot be confirmed on it. */
	if (m->seq <= h->push.sent &&
	    mailbox_done(store_db(), handle_name(h), h->device, m->seq) == SDB_OK) {
		flight_done(&h->push, m->seq);
		if (m->seq > h->push.skipped)
			h->push.skipped = m->seq;
	}
	dirty(h);
}

/* Notes when the device came. Not at its login: that would cost a commit each. */
static void
note_seen(struct handle *h)
{
	struct device d;

	if (device_get(store_db(), handle_name(h), h->device, &d) != SDB_OK)
		return;
	d.seen = clock_wall_ms();
	h->seen = device_put(store_db(), handle_name(h), &d) == SDB_OK;
}

void
push_tick(void)
{
	struct handle *h;
	size_t pos = 0;

	while (handle_next(&pos, &h)) {
		struct pushing *p = &h->push;

		if (h->kind == HANDLE_ACCOUNT && h->known && !h->seen)
			note_seen(h);
		if (h->kind != HANDLE_ACCOUNT || p->count > 0 || p->sent <= p->skipped)
			continue;
		if (mailbox_done(store_db(), handle_name(h), h->device, p->sent) ==
		    SDB_OK)
			p->skipped = p->sent;
	}
	if (any_dirty)
		proc_wake();
}
