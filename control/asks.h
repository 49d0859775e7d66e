/* SPDX-License-Identifier: ISC */
/*
 * asks.h - requests that were forwarded and await their end: whose they are, under which id
 * the caller knows them, and when they are late.
 *
 * Each ends exactly once. No clock and no I/O of its own.
 */
#ifndef CONTROL_ASKS_H
#define CONTROL_ASKS_H

#include <sys/queue.h>

#include "control/caller.h"

#define ASKS_MAX 1024 /* under way at a time, of all callers together */

struct ask {
	uint64_t id; /* ours: grows, never reused */
	struct caller
	    *caller; /* borrowed: asks of a caller are taken out before it goes */
	uint64_t caller_id;
	const struct ctl *ctl;
	uint64_t deadline; /* clock_mono_ms() */
	uint64_t rows;     /* sent so far */
	TAILQ_ENTRY(ask) entry;
};

/* A new one, last in the order of deadlines; NULL if there are too many. */
struct ask *asks_put(
    struct caller *, uint64_t caller_id, const struct ctl *, uint64_t deadline);
/* By our id, if that process is the one that was asked. */
struct ask *asks_find(uint64_t id, enum role from);
/* The first that is of this caller, or goes to this process, or is due; NULL if none. */
struct ask *asks_of_caller(const struct caller *);
struct ask *asks_to(enum role);
struct ask *asks_due(uint64_t now);
/* Takes it out and frees it. */
void asks_end(struct ask *);
size_t asks_count(void);

#endif
