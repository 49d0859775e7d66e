/* SPDX-License-Identifier: ISC */
/*
 * loadpair.h - pairs of accounts that talk: making them contacts, and the traffic between.
 *
 * A pair has a sender on one server and a receiver on the same or another. A message counts
 * as accepted when the sender has a result of class ok for it, and as delivered when the
 * receiver's device has the push, once.
 */
#ifndef BENCH_LOADPAIR_H
#define BENCH_LOADPAIR_H

#include "loaddev.h"
#include "loadout.h"

struct loadpair;

/* What the pairs do together and what comes of it. */
struct loadrun {
	size_t window;                  /* messages of a pair in flight */
	size_t body;                    /* bytes of a sealed body, at least 16 */
	uint64_t per_pair;              /* messages that each pair sends */
	uint64_t first_us;              /* when the first message went */
	uint64_t accepted, accepted_us; /* how many, and when the last of them */
	uint64_t delivered, delivered_us;
	uint64_t repeats;       /* the device got a message again */
	uint64_t disorder;      /* a message came after a later one */
	uint64_t retried;       /* results of class temporary: offered again */
	const char *retry_code; /* the last of them */
	uint64_t fates;         /* arrivals that the sender was told */
	struct loadtimes result_times, push_times;
	char why[LOADDEV_WHY_MAX]; /* not empty: it failed */
};

/* Makes two accounts; name is part of both addresses. Nothing is sent yet. */
struct loadpair *loadpair_new(struct loadenv *, struct loadrun *,
    const struct loadserver *from, const struct loadserver *to, const char *name);
void loadpair_free(struct loadpair *);
/* Registers both and makes them contacts; then loadpair_ready() is true. -1 with errno. */
int loadpair_connect(struct loadpair *);
bool loadpair_ready(const struct loadpair *);
/* Begins run->per_pair messages. paced: only loadpair_one() sends. */
void loadpair_start(struct loadpair *, bool paced);
/* Sends one message now. False if all were sent. */
bool loadpair_one(struct loadpair *);
/* All were accepted and delivered. */
bool loadpair_done(const struct loadpair *);
/* Offers again what got a temporary result, and objects without an answer; now and then. */
void loadpair_tick(struct loadpair *);

#endif
