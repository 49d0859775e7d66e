/* SPDX-License-Identifier: ISC */
/*
 * put.c - items for accounts of this server, from devices and from peers.
 *
 * Finds out who speaks (the handle, never a field of the message), has each recipient judged
 * (admit.c) in the turn's transaction, and queues the result for after the commit. Owns
 * nothing but counters. An item that cannot even name its recipients is listener's breach: it
 * checked the shape before it split the item.
 */
#include "base/clock.h"
#include "base/log.h"
#include "ipc/msgs.h"
#include "store/admit.h"
#include "store/order.h"
#include "store/outbox.h"
#include "store/push.h"
#include "store/put.h"
#include "store/store.h"

#define RESULT_BYTES 65536 /* 100 outcomes of at most 350 bytes */

static uint64_t items, stored;

void
put_figures(uint64_t *out_items, uint64_t *out_stored)
{
	*out_items = items;
	*out_stored = stored;
}

static void
prepare(struct admit *d, struct handle *h)
{
	const struct conf *conf = store_conf();

	d->from = h->kind == HANDLE_PEER ? ADMIT_PEER : ADMIT_DEVICE;
	d->name = handle_name(h);
	d->device = h->device;
	d->domain = store_domain();
	d->now = clock_wall_ms();
	d->retention = conf_u64(conf, CONF_RETENTION_DEFAULT);
	d->mailbox_max = conf_u64(conf, CONF_LIMITS_MAILBOX);
	d->limits = (struct consent_limits){
	    .per_sender = conf_u64(conf, CONF_LIMITS_REQUESTS_PER_SENDER),
	    .per_domain = conf_u64(conf, CONF_LIMITS_REQUESTS_PER_DOMAIN),
	    .policy = (enum conf_consent)conf_u64(conf, CONF_CONSENT_POLICY_DEFAULT),
	    .own_domain = store_domain(),
	};
}

/* The outcome for one recipient of an item that is good as a whole. */
static unsigned
deliver_one(struct admit *d, struct handle *h, const struct p_recipient *to)
{
	bool fifo = h->kind == HANDLE_PEER && obj_has(&p_put_def, &d->put, 5);
	bool entered = false;
	unsigned code;

	if (fifo &&
	    order_waits(h, d->put.fifo, to->account,
		obj_has(&p_put_def, &d->put, 6) && d->put.restart))
		return CODE_AFTER;
	code = admit_to(store_db(), d, to, &entered);
	if (entered) {
		stored++;
		push_touch(to->account);
	}
	if (fifo && code_class(code) == CODE_TEMPORARY)
		order_note(h, d->put.fifo, to->account);
	return code;
}

static void
add_outcome(struct buf *list, struct p_result *res, struct span account, unsigned code)
{
	struct p_outcome o = {.account = account, .code = code};

	if (code_class(code) == CODE_OK) {
		o.id = store_number();
		obj_set(&p_outcome_def, &o, 3);
	}
	if (code == CODE_CLOCK) {
		res->time = clock_wall_ms();
		obj_set(&p_result_def, res, 2);
	}
	if (obj_encode(&p_outcome_def, &o, list) == WIRE_OK)
		res->outcomes.count++;
}

static void
answer(uint64_t id, struct p_result *res, struct buf *list)
{
	struct m_put_res m;
	struct buf b;

	buf_init(&b, RESULT_BYTES);
	res->outcomes.raw = buf_span(list);
	if (obj_encode(&p_result_def, res, &b) == WIRE_OK && !buf_failed(&b)) {
		m.result = buf_span(&b);
		outbox_add(ROLE_LISTENER, MSG_PUT_RES, id, &m);
	}
	buf_clear(&b);
}

/* The limits of the configuration. Listener knows them as well, but is not trusted with them. */
static unsigned
check_limits(const struct admit *d, size_t size)
{
	if (size > conf_u64(store_conf(), CONF_LIMITS_ITEM_SIZE))
		return CODE_TOO_LARGE;
	return d->put.to.count > conf_u64(store_conf(), CONF_LIMITS_RECIPIENTS)
	    ? CODE_LIMIT
	    : CODE_DONE;
}

static unsigned
check_item(struct admit *d, struct handle *h, size_t size)
{
	unsigned code = h == NULL ? CODE_UNKNOWN_HANDLE : check_limits(d, size);

	return code == CODE_DONE ? admit_check(d) : code;
}

/* All recipients in turn. h NULL: whoever speaks must prove himself (again) first. */
static void
handle_item(uint64_t id, struct admit *d, struct handle *h, size_t size)
{
	unsigned all = check_item(d, h, size);
	struct p_result res = {.has = 0};
	struct p_recipient to;
	struct obj_iter it;
	struct buf list;

	buf_init(&list, RESULT_BYTES);
	obj_iter_init(&it, &d->put.to);
	while (obj_next(&it, &p_recipient_def, &to)) {
		unsigned code = all == CODE_DONE ? deliver_one(d, h, &to) : all;

		add_outcome(&list, &res, to.account, code);
	}
	answer(id, &res, &list);
	buf_clear(&list);
	if (all != CODE_DONE && h != NULL)
		log_info("put.refuse", "from=%s code=%s", log_account(span_str(h->name)),
		    code_symbol(all));
}

void
on_put(struct channel *ch, struct channel_msg *msg)
{
	const struct m_put *m = msg->body;
	struct handle *h = handle_find(m->handle);
	struct admit d;

	if (obj_decode(&p_put_def, m->put, &d.put) != WIRE_OK) {
		channel_offence(ch, "a put that does not decode");
		return;
	}
	items++;
	if (h != NULL)
		prepare(&d, h);
	if (h != NULL && obj_has(&p_put_def, &d.put, 5))
		order_expect(msg->id, h->id, d.put.fifo);
	handle_item(msg->id, &d, h, m->put.n);
}
