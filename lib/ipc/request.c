/* SPDX-License-Identifier: ISC */
/*
 * request.c - outstanding requests: a map by id and a heap by deadline.
 *
 * The table owns its entries. proc.c keeps one per process and drives it: answers from
 * handlers, time from its timer, lost channels when they end. An entry is taken out of both
 * structures before its owner is called, so the owner may add and cancel others freely, and
 * every request ends exactly once. Ids count up from a random 32-bit start, so that an answer
 * to an earlier life of this process cannot match; the channel must match as well. The only
 * failure is a full table.
 */
#include "config.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "ipc/request.h"

struct request {
	uint64_t id;
	uint64_t due;
	size_t place;                  /* in the heap */
	const struct channel *channel; /* borrowed, only compared */
	struct request_done done;
};

struct request_table {
	struct map *by_id;     /* owned; values are the entries, owned too */
	struct request **heap; /* owned; earliest deadline first */
	size_t n, size;
	uint64_t last_id;
};

struct request_table *
request_table_new(void)
{
	struct request_table *t = xcalloc(1, sizeof(*t));

	t->by_id = map_new();
	t->last_id = (random_u64() >> 32) << 16;
	return t;
}

void
request_table_free(struct request_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->heap[i]);
	free(t->heap);
	map_free(t->by_id);
	free(t);
}

size_t
request_count(const struct request_table *t)
{
	return t->n;
}

static void
heap_set(struct request_table *t, size_t place, struct request *r)
{
	t->heap[place] = r;
	r->place = place;
}

static void
heap_up(struct request_table *t, struct request *r)
{
	size_t i = r->place, parent;

	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (t->heap[parent]->due <= r->due)
			break;
		heap_set(t, i, t->heap[parent]);
	}
	heap_set(t, i, r);
}

static void
heap_down(struct request_table *t, struct request *r)
{
	size_t i = r->place, child;

	for (; (child = 2 * i + 1) < t->n; i = child) {
		if (child + 1 < t->n && t->heap[child + 1]->due < t->heap[child]->due)
			child++;
		if (t->heap[child]->due >= r->due)
			break;
		heap_set(t, i, t->heap[child]);
	}
	heap_set(t, i, r);
}

static void
heap_put(struct request_table *t, struct request *r)
{
	if (t->n == t->size) {
		t->size = t->size == 0 ? 64 : 2 * t->size;
		t->heap = xreallocarray(t->heap, t->size, sizeof(struct request *));
	}
	heap_set(t, t->n++, r);
	heap_up(t, r);
}

static void
heap_take(struct request_table *t, struct request *r)
{
	struct request *last = t->heap[--t->n];

	if (last == r)
		return;
	heap_set(t, r->place, last);
	heap_up(t, last);
	heap_down(t, last);
}

/* Out of both structures; the caller frees it. */
static void
take(struct request_table *t, struct request *r)
{
	heap_take(t, r);
	map_take_u64(t->by_id, r->id);
}

/* The request is over: tells its owner. */
static void
finish(struct request_table *t, struct request *r, enum request_end end,
    struct channel *from, struct channel_msg *answer)
{
	struct request_done done = r->done;

	take(t, r);
	free(r);
	done.fn(end, from, answer, done.arg);
}

uint64_t
request_add(struct request_table *t, const struct channel *channel, uint64_t now,
    uint64_t timeout_ms, struct request_done done)
{
	struct request *r;

	if (t->n >= REQUEST_MAX)
		return 0;
	r = xcalloc(1, sizeof(*r));
	r->id = ++t->last_id;
	r->due = now + timeout_ms;
	r->channel = channel;
	r->done = done;
	map_put_u64(t->by_id, r->id, r);
	heap_put(t, r);
	return r->id;
}

bool
request_answer(struct request_table *t, struct channel *from, struct channel_msg *answer)
{
	struct request *r = map_find_u64(t->by_id, answer->id);

	if (r == NULL || r->channel != from)
		return false;
	finish(t, r, REQUEST_ANSWERED, from, answer);
	return true;
}

bool
request_cancel(struct request_table *t, uint64_t id)
{
	struct request *r = map_find_u64(t->by_id, id);

	if (r == NULL)
		return false;
	take(t, r);
	free(r);
	return true;
}

void
request_lost(struct request_table *t, const struct channel *channel)
{
	uint64_t ids[64];
	size_t n;

	/* In slices of ids, because the owners called may change the heap. */
	do {
		n = 0;
		for (size_t i = 0; i < t->n && n < sizeof(ids) / sizeof(ids[0]); i++)
			if (t->heap[i]->channel == channel)
				ids[n++] = t->heap[i]->id;
		for (size_t i = 0; i < n; i++) {
			struct request *r = map_find_u64(t->by_id, ids[i]);

			if (r != NULL)
				finish(t, r, REQUEST_LOST, NULL, NULL);
		}
	} while (n > 0);
}

void
request_tick(struct request_table *t, uint64_t now)
{
	while (t->n > 0 && t->heap[0]->due <= now)
		finish(t, t->heap[0], REQUEST_LATE, NULL, NULL);
}

uint64_t
request_next_deadline(const struct request_table *t)
{
	return t->n == 0 ? UINT64_MAX : t->heap[0]->due;
}
