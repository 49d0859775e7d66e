/* SPDX-License-Identifier: ISC */
/*
 * dest.c - one destination: its window, its back-off, its FIFOs and their items.
 *
 * Owns FIFOs and items; sched.c calls it and owns the destinations. Pure: times and random
 * numbers are passed in. The invariant that the rest hangs on: a FIFO is in dest->ready
 * exactly if it has a queued item, its own wait is over, and it is not about to restart while
 * items of the former pass are still in flight; fifo_place() restores it after any change.
 * Nothing here can fail.
 */
#include "queue/dest.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

struct dest *
dest_new(struct span name)
{
	struct dest *d = xcalloc(1, sizeof(*d));

	d->name = xstrndup((const char *)name.p, name.n);
	d->keys = map_new();
	TAILQ_INIT(&d->fifos);
	TAILQ_INIT(&d->ready);
	d->window = SCHED_WINDOW_FIRST;
	d->window_max = SCHED_WINDOW_MAX;
	d->fast = SCHED_WINDOW_FAST;
	d->due.owner = d;
	return d;
}

static void
items_free(struct sched_items *list)
{
	struct sched_item *it;

	while ((it = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, it, link);
		free(it);
	}
}

static void
fifo_free(struct fifo *f)
{
	struct dest *d = f->dest;

	items_free(&f->queued);
	items_free(&f->flying);
	items_free(&f->held);
	heap_take(&d->waiting, &f->due);
	if (f->ready)
		TAILQ_REMOVE(&d->ready, f, link);
	if (f->key != NULL)
		map_take(d->keys, span_of(f->key, f->nkey));
	TAILQ_REMOVE(&d->fifos, f, all);
	free(f->key);
	free(f);
}

void
dest_free(struct dest *d)
{
	struct fifo *f;

	if (d == NULL)
		return;
	while ((f = TAILQ_FIRST(&d->fifos)) != NULL)
		fifo_free(f);
	heap_clear(&d->waiting);
	map_free(d->keys);
	free(d->name);
	free(d);
}

struct fifo *
dest_lone_fifo(struct dest *d, uint64_t number)
{
	struct fifo *f = xcalloc(1, sizeof(*f));

	f->dest = d;
	f->number = number;
	TAILQ_INIT(&f->queued);
	TAILQ_INIT(&f->flying);
	TAILQ_INIT(&f->held);
	f->due.owner = f;
	TAILQ_INSERT_TAIL(&d->fifos, f, all);
	return f;
}

struct fifo *
dest_obtain_fifo(struct dest *d, struct span key, uint64_t number)
{
	struct fifo *f = map_find(d->keys, key);

	if (f != NULL)
		return f;
	f = dest_lone_fifo(d, number);
	f->key = xmemdup(key.p, key.n);
	f->nkey = key.n;
	map_put(d->keys, key, f);
	return f;
}

bool
dest_drop_fifo(struct dest *d, struct fifo *f)
{
	if (!TAILQ_EMPTY(&f->queued) || !TAILQ_EMPTY(&f->flying) ||
	    !TAILQ_EMPTY(&f->held))
		return false;
	if (f->dest != d)
		panic("fifo of another destination");
	fifo_free(f);
	return true;
}

void
dest_answered(struct dest *d)
{
	d->failures = 0;
	d->wait = 0;
	if (d->window >= d->window_max || d->window >= SCHED_WINDOW_MAX)
		return;
	if (d->window < d->fast || ++d->credit >= d->window) {
		d->window++;
		d->credit = 0;
	}
}

void
dest_failed(
    struct dest *d, const struct backoff_limits *limits, uint64_t now, uint32_t random)
{
	if (d->wait > now)
		return;
	d->fast = d->window / 2 > 4 ? d->window / 2 : 4;
	d->window = 1;
	d->credit = 0;
	if (d->failures < UINT32_MAX)
		d->failures++;
	d->wait = now + backoff_ms(limits, d->failures, random);
}

bool
dest_can_send(struct dest *d, uint64_t now)
{
	struct heap_node *node;

	while ((node = heap_first(&d->waiting)) != NULL && node->due <= now)
		fifo_place(node->owner, now);
	return d->wait <= now && d->nflying < d->window && !TAILQ_EMPTY(&d->ready);
}

uint64_t
dest_due(const struct dest *d, uint64_t now)
{
	struct heap_node *node = heap_first(&d->waiting);
	uint64_t due = node == NULL ? SCHED_NEVER : node->due;

	if (TAILQ_EMPTY(&d->ready) && node == NULL)
		/* Without work the wait matters only for forgetting the destination. */
		return d->nitems == 0 && d->wait > now ? d->wait : SCHED_NEVER;
	if (!TAILQ_EMPTY(&d->ready))
		due = now;
	if (d->wait > now && due < d->wait)
		return d->wait;
	/* A full window changes by an answer, not by time. */
	return due <= now ? SCHED_NEVER : due;
}

static struct sched_items *
list_of(struct fifo *f, enum sched_state state)
{
	if (state == SCHED_QUEUED)
		return &f->queued;
	return state == SCHED_FLYING ? &f->flying : &f->held;
}

void
fifo_put(struct fifo *f, struct sched_item *it, enum sched_state state)
{
	struct sched_items *list = list_of(f, state);
	struct sched_item *at = TAILQ_LAST(list, sched_items);

	it->state = state;
	it->fifo = f;
	if (state == SCHED_FLYING) {
		f->nflying++;
		f->dest->nflying++;
	}
	if (at == NULL || at->order < it->order) {
		TAILQ_INSERT_TAIL(list, it, link);
		return;
	}
	/* What comes back is older than nearly all that waits: look from the front. */
	TAILQ_FOREACH (at, list, link) {
		if (at->order > it->order)
			break;
	}
	TAILQ_INSERT_BEFORE(at, it, link);
}

void
fifo_take(struct fifo *f, struct sched_item *it)
{
	TAILQ_REMOVE(list_of(f, it->state), it, link);
	if (it->state == SCHED_FLYING) {
		f->nflying--;
		f->dest->nflying--;
	}
}

void
fifo_place(struct fifo *f, uint64_t now)
{
	struct dest *d = f->dest;
	bool work = !TAILQ_EMPTY(&f->queued) && !(f->restart && f->nflying > 0);
	bool ready = work && f->wait <= now;

	if (work && !ready)
		heap_put(&d->waiting, &f->due, f->wait);
	else
		heap_take(&d->waiting, &f->due);
	if (ready && !f->ready)
		TAILQ_INSERT_TAIL(&d->ready, f, link);
	if (!ready && f->ready)
		TAILQ_REMOVE(&d->ready, f, link);
	f->ready = ready;
}

void
fifo_refused(
    struct fifo *f, const struct backoff_limits *limits, uint64_t now, uint32_t random)
{
	if (f->restart)
		return;
	f->restart = true;
	f->failures++;
	f->wait = now + backoff_ms(limits, f->failures, random);
}
