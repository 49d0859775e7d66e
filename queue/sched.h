/* SPDX-License-Identifier: ISC */
/*
 * sched.h - which item goes next: (now, event) -> decisions.
 *
 * Pure: no clock, no randomness, no I/O. "now" is in milliseconds of any clock that does not
 * go back; random numbers are passed in. Items to one domain share a destination: one window
 * of items in flight that grows with success, one back-off, one timer. Inside it the items of
 * one sender and conversation form a FIFO that is sent in order, many in flight; FIFOs take
 * turns, and so do destinations.
 *
 * After a temporary result a FIFO waits and then begins again at its oldest item, with the
 * flag "restart". An item that is refused for an hour while others to that domain pass gets a
 * FIFO of its own; so does one with which alone in flight three links died while others passed:
 * it is tried at the longest back-off until its time is up.
 */
#ifndef QUEUE_SCHED_H
#define QUEUE_SCHED_H

#include "base/span.h"
#include "queue/backoff.h"

#define SCHED_WINDOW_FIRST                                                               \
	16 /* items in flight to a destination that nothing is known of */
#define SCHED_WINDOW_FAST 64 /* up to here one more for each success, then 1/N */
#define SCHED_WINDOW_MAX 512
#define SCHED_ALONE_MS (3600ULL * 1000) /* refused for so long: out of its FIFO */
#define SCHED_POISON 3 /* links that died with an item alone in flight: out of its FIFO */
#define SCHED_NEVER UINT64_MAX

struct sched;
struct sched_item;

/* What became of an item that was in flight. */
enum sched_verdict {
	SCHED_FINISHED,  /* nothing left to do: the item leaves the schedule */
	SCHED_TEMPORARY, /* the peer refused some recipient for now */
	SCHED_AFTER,     /* the peer had refused an earlier item of the FIFO */
	SCHED_LOST,      /* no answer: the peer was not reached, or the link died */
	SCHED_RETURNED,  /* no answer, and nobody is to blame: the link ended in order */
};

enum sched_act {
	SCHED_NONE,   /* nothing to do before sched_due() */
	SCHED_PUT,    /* send this item; it is in flight now */
	SCHED_EXPIRE, /* its time is up: give it up and sched_remove() it */
};

struct sched_put {
	struct sched_item *item; /* borrowed */
	uint64_t qid;
	uint64_t fifo;
	bool restart;
	struct span dest; /* borrowed from the destination */
};

enum sched_state { SCHED_QUEUED, SCHED_FLYING, SCHED_HELD };

/* For people. */
struct sched_info {
	enum sched_state state;
	uint64_t next; /* when it may be tried: 0 at once, SCHED_NEVER while held */
};

struct sched *sched_new(const struct backoff_limits *);
void sched_free(struct sched *);
/* After a reload. */
void sched_set_limits(struct sched *, const struct backoff_limits *);
size_t sched_count(const struct sched *);
/* FIFOs are numbered from here: above all of earlier starts, as links outlive a start. */
void sched_number(struct sched *, uint64_t first);

/* Enters an item, behind those of its FIFO that came before. key: what tells its FIFO from
 * others to that destination. The schedule owns the result until FINISHED or remove. */
struct sched_item *sched_add(struct sched *, uint64_t now, uint64_t qid, struct span dest,
    struct span key, uint64_t expires);
/* Takes an item out and frees it, wherever it is. */
void sched_remove(struct sched *, uint64_t now, struct sched_item *);
/* What became of an item in flight. FINISHED frees it. A verdict about an item that is not in
 * flight (an answer after the link was given up) changes nothing but FINISHED. */
void sched_result(struct sched *, uint64_t now, struct sched_item *, enum sched_verdict,
    uint32_t random);
/* Out of the order and back; neither tried nor expired while held. */
void sched_hold(struct sched *, uint64_t now, struct sched_item *);
void sched_release(struct sched *, uint64_t now, struct sched_item *);
/* Try now: the item's FIFO and its destination forget their waits. */
void sched_retry(struct sched *, uint64_t now, struct sched_item *);
/* The same for all of a destination. False if there is none of that name. */
bool sched_retry_dest(struct sched *, uint64_t now, struct span dest);
/* A sign of life from a peer: its destination stops waiting. window: items that the peer lets
 * be in flight, 0 if not known. */
void sched_alive(struct sched *, uint64_t now, struct span dest, uint64_t window);
/* The link to a peer ended, after the verdicts about what was in flight. If it died (not in
 * order): back to a window of one, and wait. */
void sched_down(
    struct sched *, uint64_t now, struct span dest, bool orderly, uint32_t random);
/* All that is in flight is lost without blame (the relay process is gone). */
void sched_recall(struct sched *, uint64_t now);

/* The next decision. may_put: an item can be taken now; else only expiry is looked at. Call
 * until SCHED_NONE. */
enum sched_act sched_next(struct sched *, uint64_t now, bool may_put, struct sched_put *);
/* When something can be decided without an event; SCHED_NEVER if not. */
uint64_t sched_due(const struct sched *);
void sched_info(const struct sched_item *, struct sched_info *);

#endif
