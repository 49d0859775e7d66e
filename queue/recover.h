/* SPDX-License-Identifier: ISC */
/*
 * recover.h - reading the journal's segments after a stop of any kind.
 *
 * Rules. Records of one start have lsns without gaps. In a segment that another one follows,
 * the last lsn is known from the follower's head, so whatever is missing before it was
 * spoiled: the range is quarantined and reading goes on. In the last segment reading ends at
 * the first bad record (a torn tail, which is normal) unless a batch begun later follows:
 * that one was only written after the bad record had been synced, so it was spoiled, too.
 */
#ifndef QUEUE_RECOVER_H
#define QUEUE_RECOVER_H

#include "queue/record.h"
#include "queue/segment.h"

#define RECOVER_END_OPEN UINT64_MAX /* the last segment: its end is not known */

struct recover_ops {
	/* A good record of the segment; borrowed for the call. */
	void (*record)(
	    void *arg, struct segment *, uint64_t offset, const struct record *);
	/* A range that was spoiled. bytes are borrowed. */
	void (*bad)(void *arg, struct segment *, uint64_t offset, struct span bytes,
	    const char *why);
};

/* Walks over a whole segment's bytes up to the record with lsn end. Returns the offset behind
 * the last good record. Pure. */
uint64_t recover_scan(struct segment *, struct span bytes, uint64_t end,
    const struct recover_ops *, void *arg);
/* Makes up seg->head (salt, first, start, cut) from the first readable record of a segment
 * whose head is spoiled. False if there is none. Pure. */
bool recover_salvage(struct segment *, struct span bytes);
/* The lsn up to which a segment counts, given the one that follows it (NULL: none). */
uint64_t recover_end(const struct segment *, const struct segment *next);

#endif
