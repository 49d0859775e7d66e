/* SPDX-License-Identifier: ISC */
/*
 * dest.h - one destination: its window, its back-off, its FIFOs and their items. Pure, as
 * sched.h; sched.c is its only user.
 */
#ifndef QUEUE_DEST_H
#define QUEUE_DEST_H

#include <sys/queue.h>

#include "base/map.h"
#include "queue/heap.h"
#include "queue/sched.h"

struct sched_item {
	uint64_t qid;
	uint64_t order; /* place in its FIFO */
	uint64_t expires;
	uint64_t refused; /* since when the peer refuses it; 0: it does not */
	uint64_t died;    /* when the first link died with it alone in flight */
	uint32_t deaths;  /* how many did */
	enum sched_state state;
	struct fifo *fifo;            /* borrowed */
	struct heap_node due;         /* in the heap of expiry */
	TAILQ_ENTRY(sched_item) link; /* in the list of its state */
};
TAILQ_HEAD(sched_items, sched_item);

struct fifo {
	struct dest *dest;                       /* borrowed */
	uint64_t number;                         /* never used twice */
	struct sched_items queued, flying, held; /* owned; by order */
	size_t nflying;
	uint32_t failures;      /* refusals in a row */
	uint64_t wait;          /* no put before */
	bool restart;           /* the next put begins again */
	bool ready;             /* in dest->ready */
	struct heap_node due;   /* in dest->waiting */
	TAILQ_ENTRY(fifo) link; /* in dest->ready */
	TAILQ_ENTRY(fifo) all;  /* in dest->fifos */
	size_t nkey;
	uint8_t *key; /* owned; NULL: not in the map, takes no further items */
};
TAILQ_HEAD(fifo_list, fifo);

struct dest {
	char *name;             /* owned */
	struct map *keys;       /* key -> fifo */
	struct fifo_list fifos; /* owned: all */
	struct fifo_list ready; /* may be sent from */
	struct heap waiting;    /* those that wait for their time */
	size_t nitems;
	size_t nflying;
	uint32_t window;
	uint32_t window_max;        /* what the peer lets be in flight */
	uint32_t fast;              /* below this the window grows by one a success */
	uint32_t credit;            /* successes since it last grew by 1/N */
	uint32_t failures;          /* links lost in a row */
	uint64_t wait;              /* nothing goes before */
	uint64_t passed;            /* when an item was last finished */
	bool up;                    /* a link is there, as far as we were told */
	struct sched_item *suspect; /* borrowed: was alone in flight when it was lost */
	bool ready_listed;          /* in the schedule's list of ready destinations */
	struct heap_node due;       /* in the schedule's heap */
	TAILQ_ENTRY(dest) link;
};

struct dest *dest_new(struct span name);
/* Frees the destination with its FIFOs and items. NULL-safe. */
void dest_free(struct dest *);
/* The FIFO for a key, made if there is none; number is for a new one. */
struct fifo *dest_obtain_fifo(struct dest *, struct span key, uint64_t number);
/* A FIFO for one item alone. */
struct fifo *dest_lone_fifo(struct dest *, uint64_t number);
/* Frees the FIFO if it has no items left; true if it did. */
bool dest_drop_fifo(struct dest *, struct fifo *);
/* The answer to an item came: the peer lives, the window may grow. */
void dest_answered(struct dest *);
/* The peer was not reached or the link died: one step of back-off, unless one is running. */
void dest_failed(
    struct dest *, const struct backoff_limits *, uint64_t now, uint32_t random);
/* Whether one more item may be sent. Brings the ready list up to date. */
bool dest_can_send(struct dest *, uint64_t now);
/* When something changes by time alone; SCHED_NEVER if it does not. */
uint64_t dest_due(const struct dest *, uint64_t now);

/* Puts an item into the list of a state, in its order. It must be in no list. */
void fifo_put(struct fifo *, struct sched_item *, enum sched_state);
/* Takes it out of the list of its state. */
void fifo_take(struct fifo *, struct sched_item *);
/* Puts the FIFO where its state says: ready, waiting for its time, or neither. */
void fifo_place(struct fifo *, uint64_t now);
/* The peer refused an item: wait, then begin again; once for what is in flight together. */
void fifo_refused(
    struct fifo *, const struct backoff_limits *, uint64_t now, uint32_t random);

#endif
