/* SPDX-License-Identifier: ISC */
/*
 * sched.c - which item goes next: (now, event) -> decisions.
 *
 * Owns the destinations (dest.c owns what is in them). Called by deliver.c with every event
 * that concerns an item or a peer, and asked by it what to do. Pure: it can be driven through
 * years in a test without a clock. Every event ends in settle(), which puts the destination
 * where it belongs: in the list of those that can send now, in the heap of those that wait
 * for a moment, or in neither because only an event can change anything. So the cost of a
 * destination that is down does not depend on the number of its items. Nothing here can fail;
 * the caller bounds the number of items.
 */
#include "queue/sched.h"

#include <stdlib.h>

#include "base/mem.h"
#include "queue/dest.h"

#define LONGEST_BACKOFF 64     /* failures after which every back-off is the longest */
#define SCHED_RECHECK_MS 60000 /* an item in flight whose time is up is looked at again */

TAILQ_HEAD(dest_list, dest);

struct sched {
	struct backoff_limits limits;
	struct map *dests;      /* name -> dest, owned */
	struct dest_list ready; /* can send now */
	struct heap due;        /* destinations that wait */
	struct heap expiry;     /* items */
	size_t count;
	uint64_t orders; /* given out to items */
	uint64_t fifos;  /* given out to FIFOs */
};

struct sched *
sched_new(const struct backoff_limits *limits)
{
	struct sched *s = xcalloc(1, sizeof(*s));

	s->limits = *limits;
	s->dests = map_new();
	TAILQ_INIT(&s->ready);
	return s;
}

void
sched_free(struct sched *s)
{
	struct span key;
	size_t pos = 0;
	void *d;

	if (s == NULL)
		return;
	while (map_next(s->dests, &pos, &key, &d))
		dest_free(d);
	map_free(s->dests);
	heap_clear(&s->due);
	heap_clear(&s->expiry);
	free(s);
}

void
sched_set_limits(struct sched *s, const struct backoff_limits *limits)
{
	s->limits = *limits;
}

void
sched_number(struct sched *s, uint64_t first)
{
	s->fifos = first;
}

size_t
sched_count(const struct sched *s)
{
	return s->count;
}

static void
unlist(struct sched *s, struct dest *d)
{
	if (d->ready_listed)
		TAILQ_REMOVE(&s->ready, d, link);
	d->ready_listed = false;
}

/* Puts a destination where it belongs; frees it if there is nothing to remember. */
static void
settle(struct sched *s, struct dest *d, uint64_t now)
{
	bool ready = dest_can_send(d, now);
	uint64_t due;

	if (d->nitems == 0 && d->wait <= now) {
		unlist(s, d);
		heap_take(&s->due, &d->due);
		map_take(s->dests, span_str(d->name));
		dest_free(d);
		return;
	}
	if (!ready)
		unlist(s, d);
	else if (!d->ready_listed) {
		TAILQ_INSERT_TAIL(&s->ready, d, link);
		d->ready_listed = true;
	}
	due = dest_due(d, now);
	if (due == SCHED_NEVER)
		heap_take(&s->due, &d->due);
	else
		heap_put(&s->due, &d->due, due);
}

/* After a change in a FIFO: it, or its remains, and its destination. */
static void
settle_fifo(struct sched *s, struct fifo *f, uint64_t now)
{
	struct dest *d = f->dest;

	if (!dest_drop_fifo(d, f))
		fifo_place(f, now);
	settle(s, d, now);
}

struct sched_item *
sched_add(struct sched *s, uint64_t now, uint64_t qid, struct span name, struct span key,
    uint64_t expires)
{
	struct sched_item *it = xcalloc(1, sizeof(*it));
	struct dest *d = map_find(s->dests, name);
	struct fifo *f;

	if (d == NULL) {
		d = dest_new(name);
		map_put(s->dests, name, d);
	}
	f = dest_obtain_fifo(d, key, s->fifos + 1);
	if (f->number == s->fifos + 1)
		s->fifos++;
	it->qid = qid;
	it->order = ++s->orders;
	it->expires = expires;
	it->due.owner = it;
	d->nitems++;
	s->count++;
	fifo_put(f, it, SCHED_QUEUED);
	heap_put(&s->expiry, &it->due, expires);
	settle_fifo(s, f, now);
	return it;
}

void
sched_remove(struct sched *s, uint64_t now, struct sched_item *it)
{
	struct fifo *f = it->fifo;

	fifo_take(f, it);
	heap_take(&s->expiry, &it->due);
	if (f->dest->suspect == it)
		f->dest->suspect = NULL;
	f->dest->nitems--;
	s->count--;
	free(it);
	settle_fifo(s, f, now);
}

/* The item goes on alone, after this many failures, and its FIFO without it. */
static void
set_alone(struct sched *s, uint64_t now, struct sched_item *it, uint32_t failures,
    uint32_t random)
{
	struct fifo *old = it->fifo, *lone = dest_lone_fifo(old->dest, ++s->fifos);

	fifo_take(old, it);
	fifo_put(lone, it, SCHED_QUEUED);
	lone->failures = failures;
	fifo_refused(lone, &s->limits, now, random);
	fifo_place(lone, now);
	old->restart = true;
	old->failures = 0;
	old->wait = now;
	settle_fifo(s, old, now);
}

static void
refused(struct sched *s, uint64_t now, struct sched_item *it, uint32_t random)
{
	struct fifo *f = it->fifo;
	struct dest *d = f->dest;

	dest_answered(d);
	if (it->refused == 0)
		it->refused = now;
	if (now - it->refused >= SCHED_ALONE_MS && d->passed > it->refused &&
	    f->key != NULL) {
		/* Refused for long enough while others pass. */
		set_alone(s, now, it, f->failures, random);
		return;
	}
	fifo_take(f, it);
	fifo_put(f, it, SCHED_QUEUED);
	fifo_refused(f, &s->limits, now, random);
	settle_fifo(s, f, now);
}

/* No answer to an item in flight: its destination waits. If it was alone in flight on a link that
 * was up, it is suspect, should that link prove to have died (sched_down). */
static void
lost(struct sched *s, uint64_t now, struct sched_item *it, uint32_t random)
{
	struct fifo *f = it->fifo;
	struct dest *d = f->dest;

	/* Once the destination waits, this is one of several that were in flight. */
	if (d->up && d->nflying == 1 && d->wait <= now)
		d->suspect = it;
	dest_failed(d, &s->limits, now, random);
	fifo_take(f, it);
	fifo_put(f, it, SCHED_QUEUED);
	if (it->deaths >= SCHED_POISON && f->key == NULL)
		fifo_refused(f, &s->limits, now, random);
	settle_fifo(s, f, now);
}

/* One more link died with this item alone in flight. */
static void
blame(struct sched *s, uint64_t now, struct sched_item *it, uint32_t random)
{
	if (it->deaths++ == 0)
		it->died = now;
	if (it->deaths >= SCHED_POISON && it->fifo->dest->passed > it->died &&
	    it->fifo->key != NULL && it->state == SCHED_QUEUED)
		set_alone(s, now, it, LONGEST_BACKOFF, random);
}

void
sched_result(struct sched *s, uint64_t now, struct sched_item *it,
    enum sched_verdict verdict, uint32_t random)
{
	struct fifo *f = it->fifo;

	if (verdict == SCHED_FINISHED) {
		dest_answered(f->dest);
		f->dest->passed = now;
		f->failures = 0;
		sched_remove(s, now, it);
		return;
	}
	if (it->state != SCHED_FLYING)
		return;
	if (verdict == SCHED_TEMPORARY || verdict == SCHED_LOST) {
		(verdict == SCHED_LOST ? lost : refused)(s, now, it, random);
		return;
	}
	fifo_take(f, it);
	fifo_put(f, it, SCHED_QUEUED);
	if (verdict == SCHED_AFTER)
		fifo_refused(f, &s->limits, now, random);
	settle_fifo(s, f, now);
}

void
sched_hold(struct sched *s, uint64_t now, struct sched_item *it)
{
	if (it->state == SCHED_HELD)
		return;
	fifo_take(it->fifo, it);
	fifo_put(it->fifo, it, SCHED_HELD);
	heap_take(&s->expiry, &it->due);
	settle_fifo(s, it->fifo, now);
}

void
sched_release(struct sched *s, uint64_t now, struct sched_item *it)
{
	if (it->state != SCHED_HELD)
		return;
	fifo_take(it->fifo, it);
	fifo_put(it->fifo, it, SCHED_QUEUED);
	heap_put(&s->expiry, &it->due, it->expires);
	settle_fifo(s, it->fifo, now);
}

void
sched_retry(struct sched *s, uint64_t now, struct sched_item *it)
{
	it->fifo->wait = 0;
	it->fifo->dest->wait = 0;
	settle_fifo(s, it->fifo, now);
}

bool
sched_retry_dest(struct sched *s, uint64_t now, struct span name)
{
	struct dest *d = map_find(s->dests, name);
	struct fifo *f;

	if (d == NULL)
		return false;
	d->wait = 0;
	TAILQ_FOREACH (f, &d->fifos, all) {
		f->wait = 0;
		fifo_place(f, now);
	}
	settle(s, d, now);
	return true;
}

void
sched_alive(struct sched *s, uint64_t now, struct span name, uint64_t window)
{
	struct dest *d = map_find(s->dests, name);

	if (d == NULL)
		return;
	d->wait = 0;
	d->up = true;
	if (window != 0)
		d->window_max =
		    window < SCHED_WINDOW_MAX ? (uint32_t)window : SCHED_WINDOW_MAX;
	if (d->window > d->window_max)
		d->window = d->window_max;
	settle(s, d, now);
}

void
sched_down(struct sched *s, uint64_t now, struct span name, bool orderly, uint32_t random)
{
	struct dest *d = map_find(s->dests, name);
	struct sched_item *suspect;

	if (d == NULL)
		return;
	suspect = d->suspect;
	d->suspect = NULL;
	d->up = false;
	if (!orderly)
		dest_failed(d, &s->limits, now, random);
	if (!orderly && suspect != NULL)
		blame(s, now, suspect, random);
	settle(s, d, now);
}

void
sched_recall(struct sched *s, uint64_t now)
{
	struct sched_item *it;
	struct span key;
	struct fifo *f;
	struct dest *d;
	size_t pos = 0;
	void *value;

	while (map_next(s->dests, &pos, &key, &value)) {
		d = value;
		d->up = false;
		TAILQ_FOREACH (f, &d->fifos, all) {
			while ((it = TAILQ_LAST(&f->flying, sched_items)) != NULL) {
				fifo_take(f, it);
				fifo_put(f, it, SCHED_QUEUED);
			}
			fifo_place(f, now);
		}
		settle(s, d, now);
	}
}

/* An item whose time is up; one that is in flight is given the time to be answered. */
static struct sched_item *
next_expired(struct sched *s, uint64_t now)
{
	struct heap_node *node;
	struct sched_item *it;

	while ((node = heap_first(&s->expiry)) != NULL && node->due <= now) {
		it = node->owner;
		if (it->state != SCHED_FLYING) {
			heap_take(&s->expiry, node);
			return it;
		}
		heap_put(&s->expiry, node, now + SCHED_RECHECK_MS);
	}
	return NULL;
}

/* Takes the next item of a ready destination; FIFOs and destinations take turns. */
static struct sched_item *
next_put(struct sched *s, struct dest *d, uint64_t now, struct sched_put *put)
{
	struct fifo *f = TAILQ_FIRST(&d->ready);
	struct sched_item *it = TAILQ_FIRST(&f->queued);

	put->restart = f->restart;
	put->fifo = f->number;
	put->dest = span_str(d->name);
	f->restart = false;
	fifo_take(f, it);
	fifo_put(f, it, SCHED_FLYING);
	TAILQ_REMOVE(&d->ready, f, link);
	f->ready = false;
	fifo_place(f, now);
	unlist(s, d);
	settle(s, d, now);
	return it;
}

enum sched_act
sched_next(struct sched *s, uint64_t now, bool may_put, struct sched_put *put)
{
	struct heap_node *node;
	struct dest *d;

	put->item = next_expired(s, now);
	if (put->item != NULL) {
		put->qid = put->item->qid;
		return SCHED_EXPIRE;
	}
	while ((node = heap_first(&s->due)) != NULL && node->due <= now)
		settle(s, node->owner, now);
	if (!may_put || (d = TAILQ_FIRST(&s->ready)) == NULL)
		return SCHED_NONE;
	put->item = next_put(s, d, now, put);
	put->qid = put->item->qid;
	return SCHED_PUT;
}

uint64_t
sched_due(const struct sched *s)
{
	struct heap_node *due = heap_first(&s->due), *expiry = heap_first(&s->expiry);
	uint64_t at = SCHED_NEVER;

	if (!TAILQ_EMPTY(&s->ready))
		return 0;
	if (due != NULL)
		at = due->due;
	if (expiry != NULL && expiry->due < at)
		at = expiry->due;
	return at;
}

void
sched_info(const struct sched_item *it, struct sched_info *info)
{
	const struct fifo *f = it->fifo;

	info->state = it->state;
	info->next = 0;
	if (it->state == SCHED_HELD)
		info->next = SCHED_NEVER;
	else if (it->state == SCHED_QUEUED)
		info->next = f->wait > f->dest->wait ? f->wait : f->dest->wait;
}
