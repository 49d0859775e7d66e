/* SPDX-License-Identifier: ISC */
/*
 * heap.h - what is due first: a binary heap of nodes that live inside other structs.
 */
#ifndef QUEUE_HEAP_H
#define QUEUE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t due;
	size_t index; /* place in the heap + 1; 0: not in one */
	void *owner;  /* borrowed: the struct around the node */
};

struct heap {
	struct heap_node **nodes; /* owned array of borrowed nodes */
	size_t n, size;
};

/* Frees the array, not the nodes. */
void heap_clear(struct heap *);
/* Puts the node in, or moves it if it is in already. */
void heap_put(struct heap *, struct heap_node *, uint64_t due);
/* Takes the node out; nothing happens if it is not in. */
void heap_take(struct heap *, struct heap_node *);
/* The node that is due first, or NULL. */
struct heap_node *heap_first(const struct heap *);

#endif
