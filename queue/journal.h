/* SPDX-License-Identifier: ISC */
/*
 * journal.h - the spool's log: records in segments, one sync for many.
 *
 * Appending only collects; journal_commit() writes what was collected and syncs it. Nobody is
 * told that something is kept before that returned JOURNAL_OK. After a failed write or sync
 * the journal is broken: no further call touches the disk, and the process has to end and
 * recover. Segments are used again oldest first, when no live item's MSG is in them; so a
 * record that ends an item always outlives the item.
 *
 * Items: who appends or reads a MSG that matters calls journal_retain(), and journal_release()
 * when its item has ended or moved.
 */
#ifndef QUEUE_JOURNAL_H
#define QUEUE_JOURNAL_H

#include "base/buf.h"
#include "queue/diskio.h"
#include "queue/record.h"
#include "queue/segment.h"

#define JOURNAL_SEGMENTS_MAX 1024             /* files; beyond, nothing is accepted */
#define JOURNAL_BATCH_MAX (8U * 1024 * 1024)  /* bytes collected; then commit first */
#define JOURNAL_BATCH_HIGH (4U * 1024 * 1024) /* bytes after which a turn should commit */
#define JOURNAL_ENOSPC_WAIT_MS 10000          /* between tries to make a segment */
#define JOURNAL_QUARANTINE_MAX 64             /* spoiled ranges saved in one start */

enum journal_err {
	JOURNAL_OK,
	JOURNAL_FULL,   /* no room: the record is not there */
	JOURNAL_BROKEN, /* the disk failed: end the process */
};

/* Where a record is. */
struct journal_loc {
	struct segment *seg; /* borrowed from the journal, as long as it is retained */
	uint64_t offset;
	size_t size;
};

struct journal;

/* What recovery tells. Records come in the order in which they were written. */
struct journal_sink {
	/* One record. Nothing is retained yet. */
	void (*record)(void *arg, const struct record *, struct journal_loc);
	/* That were all: retain the MSG of every item that is alive. */
	void (*replayed)(void *arg, struct journal *);
	/* Must the record be carried over into a new segment? For MSG: is it this one that
	 * the item lives in? For others: is the item alive? qid is the record's. */
	bool (*wanted)(void *arg, enum record_type, uint64_t qid, struct journal_loc);
	/* The wanted MSG is at another place now: release the old and retain the new. */
	void (*moved)(void *arg, struct journal *, uint64_t qid, struct journal_loc from,
	    struct journal_loc to);
	/* For the log: what was spoiled and is out of the journal now. */
	void (*spoiled)(
	    void *arg, const char *file, uint64_t offset, size_t n, const char *why);
};

/* Opens the journal in a directory and recovers it; when it returns a journal, everything
 * that sink heard of is synced, and the start number is durable. segment_size is for new
 * files. NULL with errno and a static reason. */
struct journal *journal_open(const struct diskio *, int dirfd, uint64_t segment_size,
    const struct journal_sink *, void *arg, const char **why);
/* Closes the files without a commit (nothing depends on an orderly end). NULL-safe. */
void journal_close(struct journal *);

/* This start's number, and the lsn of the record that is appended next: the qid of an item is
 * the lsn of its first MSG. */
uint32_t journal_start(const struct journal *);
uint64_t journal_next(const struct journal *);
/* Collects a record; *loc (may be NULL) says where it will be. When the segment is full, this
 * commits what was collected before and goes on in the next one. */
enum journal_err journal_append(
    struct journal *, enum record_type, struct span payload, struct journal_loc *loc);
/* Writes and syncs what was collected. JOURNAL_OK at once if that is nothing. */
enum journal_err journal_commit(struct journal *);
/* Bytes collected and not yet synced. */
size_t journal_pending(const struct journal *);
/* Whether a new item may be accepted: there must be room left for what follows from it. */
bool journal_accepts(const struct journal *);
/* Reads a record back, also one that is only collected yet. The payload borrows from buf, or
 * from the journal until the next call. JOURNAL_FULL: what is there is not the record. */
enum journal_err journal_read(
    struct journal *, struct journal_loc, struct buf *, struct record *);

void journal_retain(struct journal *, struct journal_loc);
void journal_release(struct journal *, struct journal_loc);
/* Work between batches: frees segments, fills the next one with zeros a chunk at a time. now:
 * monotonic ms. *again: there is more to do at once. */
enum journal_err journal_tick(struct journal *, uint64_t now, bool *again);
/* The oldest segment, if it is worth copying its live items forward; else NULL. */
struct segment *journal_sparse(struct journal *);

struct journal_figures {
	uint64_t segments, used, free;
	uint64_t live_items, live_bytes;
	uint64_t commits, records, bytes; /* since the start */
};
void journal_figures(const struct journal *, struct journal_figures *);

#endif
