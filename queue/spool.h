/* SPDX-License-Identifier: ISC */
/*
 * spool.h - the items that the queue is answerable for: journal and memory together.
 *
 * Every change of an item goes to the journal first. Nothing is durable before spool_commit()
 * has returned JOURNAL_OK; after JOURNAL_BROKEN the process has to end.
 */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include "queue/item.h"

#define SPOOL_COMPACT_BYTES (1024U * 1024) /* carried forward in one turn */

struct spool;

/* Takes the lock below dirfd and recovers what is there. NULL with errno and a reason. */
struct spool *spool_open(
    const struct diskio *, int dirfd, uint64_t segment_size, const char **why);
/* Gives the lock back. Commits nothing. NULL-safe. */
void spool_close(struct spool *);
/* For an orderly stop: notes in the directory that there is nothing to deliver, if that is so;
 * until the next spool_open(). */
void spool_note_empty(struct spool *);

/* Accepts an item; qid is filled in. NULL (and *err) if it could not be noted. */
struct item *spool_add(struct spool *, struct record_msg *, enum journal_err *err);
/* Notes what is known of the item now; bounced: a recipient was given up. */
enum journal_err spool_note(struct spool *, const struct item *, bool bounced);
/* HOLD, RELEASE, DROP: notes it, and changes the item accordingly. */
enum journal_err spool_mark(
    struct spool *, struct item *, enum record_type, uint64_t when);
/* Ends the item: notes DONE and frees it. It must not be in the schedule. */
enum journal_err spool_done(struct spool *, struct item *, uint64_t when);
/* The item's MSG, read back; spans borrow from buf or from the journal until the next call.
 * False if it cannot be read. */
bool spool_read(struct spool *, const struct item *, struct buf *, struct record_msg *);

enum journal_err spool_commit(struct spool *);
size_t spool_pending(const struct spool *);
bool spool_accepts(const struct spool *);
/* Between batches: frees, makes and compacts segments. *again: more to do at once. */
enum journal_err spool_tick(struct spool *, uint64_t now, bool *again);

struct item *spool_find(struct spool *, uint64_t qid);
size_t spool_count(const struct spool *);
/* Those of one sender. */
size_t spool_count_of(const struct spool *, struct span sender);
/* All items in the order of the journal, from NULL to NULL. */
struct item *spool_next(struct spool *, struct item *);
struct journal *spool_journal(struct spool *);

#endif
