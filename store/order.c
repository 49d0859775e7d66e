/* SPDX-License-Identifier: ISC */
/*
 * order.c - the order of items on links between servers.
 *
 * Each handle of a peer keeps a bounded set of (fifo, recipient) pairs that wait; beyond the
 * bound everything on the link waits. A second, short list remembers which puts of this turn
 * had a fifo, for the case that the whole turn fails. Called by put.c and outbox.c.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/bounds.h"
#include "store/order.h"
#include "store/sdb.h"

struct expected {
	uint64_t id, handle, fifo;
};
static struct expected *list; /* owned; kept between turns */
static size_t count, room;
static char mark; /* the value of every pair */

static void
pair_key(struct skey *k, uint64_t fifo, struct span account)
{
	skey_init(k);
	skey_u64(k, fifo);
	skey_bytes(k, account.p, account.n);
}

/* A fifo begins again, with all its recipients: pairs whose own item has gone another way would
 * else hold up what is behind them. */
static void
forget_fifo(struct handle *h, uint64_t fifo)
{
	struct span key;
	struct skey k;
	size_t pos = 0;

	if (h->order == NULL || map_count(h->order) == 0)
		return;
	skey_init(&k);
	skey_u64(&k, fifo);
	while (map_next(h->order, &pos, &key, NULL))
		if (key.n >= k.n && memcmp(key.p, k.b, k.n) == 0)
			map_take(h->order, key);
}

bool
order_waits(struct handle *h, uint64_t fifo, struct span account, bool restart)
{
	struct skey k;

	pair_key(&k, fifo, account);
	if (restart) {
		h->order_over = false;
		forget_fifo(h, fifo);
		return false;
	}
	return h->order_over ||
	    (h->order != NULL && map_find(h->order, skey_span(&k)) != NULL);
}

void
order_note(struct handle *h, uint64_t fifo, struct span account)
{
	struct skey k;

	if (h->order == NULL)
		h->order = map_new();
	if (map_count(h->order) >= STORE_ORDER_PAIRS) {
		h->order_over = true;
		return;
	}
	pair_key(&k, fifo, account);
	map_put(h->order, skey_span(&k), &mark);
}

void
order_expect(uint64_t id, uint64_t handle, uint64_t fifo)
{
	if (count == room) {
		if (room >= STORE_OUTBOX)
			return;
		room = room == 0 ? 64 : room * 2;
		list = xreallocarray(list, room, sizeof(*list));
	}
	list[count++] = (struct expected){.id = id, .handle = handle, .fifo = fifo};
}

void
order_failed(uint64_t id, struct span account)
{
	struct handle *h;

	for (size_t i = 0; i < count; i++) {
		if (list[i].id != id)
			continue;
		h = handle_find(list[i].handle);
		if (h != NULL)
			order_note(h, list[i].fifo, account);
		return;
	}
}

void
order_turn(void)
{
	count = 0;
}
