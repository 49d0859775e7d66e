/* SPDX-License-Identifier: ISC */
/*
 * journal_private.h - what journal.c and replay.c share: the journal's inside.
 */
#ifndef QUEUE_JOURNAL_PRIVATE_H
#define QUEUE_JOURNAL_PRIVATE_H

#include "queue/journal.h"

struct journal {
	const struct diskio *io;  /* borrowed */
	int dirfd;                /* borrowed */
	uint64_t segment_size;    /* of new files */
	struct segment_list used; /* oldest first; the last one is written to */
	struct segment_list free; /* whole, oldest use first */
	struct segment *spare;    /* owned: being filled with zeros */
	size_t nused, nfree;
	uint32_t next_slot;
	uint32_t start;
	uint64_t cut;
	uint64_t next;    /* lsn */
	uint64_t offset;  /* where the batch will be written in the current segment */
	struct buf batch; /* collected records */
	bool broken;
	uint64_t wait_until; /* monotonic ms: no try to make a segment before */
	uint64_t commits, records, bytes;
};

/* Frees segments without live items, oldest first, up to stop (which stays) or to one that has
 * some: a record that ends an item must not go before the item's MSG. */
enum journal_err journal_recycle(struct journal *, const struct segment *stop);
/* Makes the oldest free segment (or a new one) current. */
enum journal_err journal_rotate(struct journal *);
/* Makes a segment for this slot and fills it; 0 or -1 with errno. */
int journal_make(struct journal *, struct segment **);
/* Marks the journal broken and returns JOURNAL_BROKEN. */
enum journal_err journal_break(struct journal *);
/* Reads the files and replays them; see journal_open(). */
int replay_run(
    struct journal *, const struct journal_sink *, void *arg, const char **why);

#endif
