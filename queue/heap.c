/* SPDX-License-Identifier: ISC */
/*
 * heap.c - what is due first: a binary heap of nodes that live inside other structs.
 *
 * Owns the array of pointers, which grows and is never shrunk; the nodes belong to whoever
 * put them in and must be taken out before they are freed. Called by sched.c and dest.c.
 * Each node knows its place, so that moving and taking out need no search. It cannot fail
 * (exhausted memory is fatal in xreallocarray).
 */
#include "queue/heap.h"

#include <stdlib.h>

#include "base/mem.h"

static void
place(struct heap *h, size_t i, struct heap_node *node)
{
	h->nodes[i] = node;
	node->index = i + 1;
}

static void
sift_up(struct heap *h, size_t i)
{
	struct heap_node *node = h->nodes[i];

	while (i > 0 && h->nodes[(i - 1) / 2]->due > node->due) {
		place(h, i, h->nodes[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(h, i, node);
}

static void
sift_down(struct heap *h, size_t i)
{
	struct heap_node *node = h->nodes[i];
	size_t child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && h->nodes[child + 1]->due < h->nodes[child]->due)
			child++;
		if (h->nodes[child]->due >= node->due)
			break;
		place(h, i, h->nodes[child]);
		i = child;
	}
	place(h, i, node);
}

void
heap_clear(struct heap *h)
{
	free(h->nodes);
	h->nodes = NULL;
	h->n = h->size = 0;
}

void
heap_put(struct heap *h, struct heap_node *node, uint64_t due)
{
	heap_take(h, node);
	if (h->n == h->size) {
		h->size = h->size == 0 ? 16 : h->size * 2;
		h->nodes = xreallocarray(h->nodes, h->size, sizeof(*h->nodes));
	}
	node->due = due;
	h->nodes[h->n++] = node;
	sift_up(h, h->n - 1);
}

void
heap_take(struct heap *h, struct heap_node *node)
{
	struct heap_node *last;
	size_t i = node->index;

	if (i == 0)
		return;
	node->index = 0;
	i--;
	h->n--;
	if (i == h->n)
		return;
	last = h->nodes[h->n];
	h->nodes[i] = last;
	sift_down(h, i);
	sift_up(h, last->index - 1);
}

struct heap_node *
heap_first(const struct heap *h)
{
	return h->n == 0 ? NULL : h->nodes[0];
}
