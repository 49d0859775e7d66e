/* SPDX-License-Identifier: ISC */
/*
 * replay.c - opening the journal: from files of unknown state to a journal that serves.
 *
 * Called once, by journal_open(). In order:
 *  1. read every segment's head; spoiled ones are salvaged or renamed out of the way;
 *  2. replay all that is in use, oldest first (recover.c says what counts);
 *  3. free what holds no live item, and activate a fresh segment under the next start number;
 *  4. copy what lay in the uncertain tail into it, append START, sync; append START again,
 *     sync: whoever reads the second one knows that the first sync was good.
 * The tail is uncertain because the last sync may have failed: the page cache can show what
 * the disk has not. It reaches back to the segments of the last start that got as far as its
 * own START record, so being killed in step 4 any number of times changes nothing.
 * Fails (-1, errno, a reason) only when the disk does, when it is full before the first
 * segment exists, or when start numbers are used up; never because of what is in the files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "queue/journal_private.h"
#include "queue/recover.h"

#define SPOILED_NAME_SIZE 40

struct replay {
	struct journal *j;
	const struct journal_sink *sink;
	void *arg;
	uint8_t *bytes;       /* owned: the segment being read */
	size_t size;          /* allocated */
	uint64_t last;        /* greatest lsn that was good */
	uint32_t start_head;  /* greatest start number in a head */
	uint32_t start_done;  /* greatest start number with a START record */
	uint64_t start_lsn;   /* of that start's first START record */
	uint64_t proved;      /* up to this lsn all is known to be on the disk */
	uint64_t last_copy;   /* greatest lsn of a MSG that was not its item's first */
	struct segment *tail; /* first uncertain segment */
	size_t saved;         /* spoiled ranges written to files */
	bool failed;          /* while copying */
};

static bool
slot_seen(void *arg, const char *name)
{
	struct journal *j = arg;
	struct segment *seg;
	uint32_t slot;

	if (!segment_slot(name, &slot) || j->nused + j->nfree >= JOURNAL_SEGMENTS_MAX)
		return true;
	seg = xcalloc(1, sizeof(*seg));
	seg->slot = slot;
	seg->fd = -1;
	TAILQ_INSERT_TAIL(&j->free, seg, link);
	j->nfree++;
	if (slot >= j->next_slot)
		j->next_slot = slot + 1;
	return true;
}

/* The segments in order of their first lsn. */
static void
insert_used(struct journal *j, struct segment *seg)
{
	struct segment *at;

	TAILQ_FOREACH (at, &j->used, link) {
		if (at->head.first > seg->head.first) {
			TAILQ_INSERT_BEFORE(at, seg, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&j->used, seg, link);
}

static int
read_whole(struct replay *r, const struct segment *seg)
{
	if (r->size < seg->size) {
		free(r->bytes);
		r->size = (size_t)seg->size;
		r->bytes = xmalloc(r->size);
	}
	return diskio_read_full(r->j->io, seg->fd, r->bytes, (size_t)seg->size, 0);
}

/* A segment of which nothing can be read: kept, under a name that is none of ours. */
static int
set_aside(struct replay *r, struct segment *seg)
{
	char from[SEGMENT_NAME_SIZE], to[SPOILED_NAME_SIZE];
	struct journal *j = r->j;

	segment_name(seg->slot, from);
	snprintf(to, sizeof(to), "%08x.spoiled", seg->slot);
	r->sink->spoiled(r->arg, to, 0, (size_t)seg->size, "unreadable head");
	if (j->io->rename(j->io->ctx, j->dirfd, from, to) == -1 ||
	    j->io->syncdir(j->io->ctx, j->dirfd) == -1)
		return -1;
	segment_free(j->io, seg);
	return 0;
}

/* Puts a segment where its head says it belongs. */
static int
sort_in(struct replay *r, struct segment *seg)
{
	struct journal *j = r->j;
	enum segment_kind kind;

	if (segment_load(j->io, seg, &kind) == -1)
		return -1;
	if (kind == SEGMENT_SPOILED) {
		if (read_whole(r, seg) == -1)
			return -1;
		if (!recover_salvage(seg, span_of(r->bytes, (size_t)seg->size)))
			return set_aside(r, seg);
		kind = SEGMENT_USED;
	}
	if (kind == SEGMENT_USED) {
		insert_used(j, seg);
		j->nused++;
		if (seg->head.start > r->start_head)
			r->start_head = seg->head.start;
	} else if (seg->filled >= seg->size) {
		TAILQ_INSERT_TAIL(&j->free, seg, link);
		j->nfree++;
	} else if (j->spare == NULL) {
		j->spare = seg;
	} else {
		segment_free(j->io, seg); /* a second unfinished one: found next time */
	}
	return 0;
}

static int
load_all(struct replay *r)
{
	struct segment_list names = TAILQ_HEAD_INITIALIZER(names);
	struct journal *j = r->j;
	struct segment *name, *seg;
	int result = 0;

	if (j->io->list(j->io->ctx, j->dirfd, slot_seen, j) == -1)
		return -1;
	/* A file may be there whose entry was never synced: its maker was killed between
	 * the two. (failed_sync_and_failed_recovery in check_queue_journal.c) */
	if (j->io->syncdir(j->io->ctx, j->dirfd) == -1)
		return -1;
	TAILQ_CONCAT(&names, &j->free, link);
	j->nfree = 0;
	while ((name = TAILQ_FIRST(&names)) != NULL) {
		TAILQ_REMOVE(&names, name, link);
		if (result == 0) {
			seg = segment_open(j->io, j->dirfd, name->slot, j->segment_size);
			if (seg == NULL || sort_in(r, seg) == -1)
				result = -1;
		}
		free(name);
	}
	return result;
}

static void
note_start(struct replay *r, const struct record *rec)
{
	struct record_start start;

	if (!record_get_start(rec->payload, &start))
		return;
	if (start.number > r->start_done) {
		r->start_done = start.number;
		r->start_lsn = rec->lsn;
	} else if (start.number == r->start_done) {
		r->proved = r->start_lsn;
	}
}

static void
on_record(void *arg, struct segment *seg, uint64_t offset, const struct record *rec)
{
	struct journal_loc loc = {seg, offset, rec->size};
	struct replay *r = arg;
	struct cur c;

	if (rec->lsn > r->last)
		r->last = rec->lsn;
	if (rec->type == RECORD_START) {
		note_start(r, rec);
		return;
	}
	cur_init(&c, rec->payload);
	if (rec->type == RECORD_MSG && cur_u64(&c) != rec->lsn)
		r->last_copy = rec->lsn;
	r->sink->record(r->arg, rec, loc);
}

/* Saves the bytes of a spoiled range beside the segments; a file from an earlier start is
 * left as it is. What cannot be saved is only reported. */
static void
on_bad(
    void *arg, struct segment *seg, uint64_t offset, struct span bytes, const char *why)
{
	char name[SPOILED_NAME_SIZE];
	struct replay *r = arg;
	const struct diskio *io = r->j->io;
	int fd;

	snprintf(name, sizeof(name), "%08x-%08llx.spoiled", seg->slot,
	    (unsigned long long)offset);
	r->sink->spoiled(r->arg, name, offset, bytes.n, why);
	if (r->saved++ >= JOURNAL_QUARANTINE_MAX)
		return;
	fd = io->open(io->ctx, r->j->dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1)
		return;
	if (diskio_write_full(io, fd, bytes.p, bytes.n, 0) == 0)
		(void)io->fsync(io->ctx, fd);
	io->close(io->ctx, fd);
}

static const struct recover_ops replay_ops = {.record = on_record, .bad = on_bad};

static int
scan_all(struct replay *r)
{
	struct segment *seg;

	TAILQ_FOREACH (seg, &r->j->used, link) {
		if (read_whole(r, seg) == -1)
			return -1;
		recover_scan(seg, span_of(r->bytes, (size_t)seg->size),
		    recover_end(seg, TAILQ_NEXT(seg, link)), &replay_ops, r);
	}
	return 0;
}

/* The first segment whose content may not be on the disk; NULL if there is none at all. */
static struct segment *
find_tail(const struct replay *r)
{
	struct segment *seg, *tail = TAILQ_LAST(&r->j->used, segment_list);

	TAILQ_FOREACH (seg, &r->j->used, link) {
		if (seg->head.start > r->start_done) {
			tail = TAILQ_PREV(seg, segment_list, link);
			return tail != NULL ? tail : seg;
		}
	}
	return tail;
}

/* Whether a record of the tail must be carried over. */
static bool
wanted(const struct replay *r, const struct record *rec, struct journal_loc loc,
    uint64_t *qid)
{
	struct cur c;

	cur_init(&c, rec->payload);
	*qid = cur_u64(&c);
	if (c.failed || rec->type == RECORD_START)
		return false;
	if (r->sink->wanted(r->arg, rec->type, *qid, loc))
		return true;
	/* The end of an item whose beginning may stand in an older segment. */
	return rec->type == RECORD_DONE && r->tail != TAILQ_FIRST(&r->j->used) &&
	    *qid < r->tail->head.first;
}

static void
copy_record(void *arg, struct segment *seg, uint64_t offset, const struct record *rec)
{
	struct journal_loc from = {seg, offset, rec->size}, to;
	struct replay *r = arg;
	uint64_t qid;

	if (r->failed || !wanted(r, rec, from, &qid))
		return;
	if (journal_append(r->j, rec->type, rec->payload, &to) != JOURNAL_OK) {
		r->failed = true;
		return;
	}
	if (rec->type == RECORD_MSG)
		r->sink->moved(r->arg, r->j, qid, from, to);
}

static void
copy_bad(
    void *arg, struct segment *seg, uint64_t offset, struct span bytes, const char *why)
{
	/* Told already, in the first pass. */
	(void)arg, (void)seg, (void)offset, (void)bytes, (void)why;
}

/* Carries the uncertain tail over. fresh: the segment activated for it, where it ends. */
static int
copy_tail(struct replay *r, struct segment *fresh)
{
	static const struct recover_ops ops = {.record = copy_record, .bad = copy_bad};
	struct segment *seg;
	uint64_t end;

	for (seg = r->tail; seg != NULL && seg != fresh; seg = TAILQ_NEXT(seg, link)) {
		if (read_whole(r, seg) == -1)
			return -1;
		/* As in the first pass, in which fresh did not exist yet. */
		end = TAILQ_NEXT(seg, link) == fresh
		    ? RECOVER_END_OPEN
		    : recover_end(seg, TAILQ_NEXT(seg, link));
		recover_scan(seg, span_of(r->bytes, (size_t)seg->size), end, &ops, r);
		if (r->failed)
			return -1;
	}
	return 0;
}

/* Frees the oldest segments in which no item lives, but not the tail. Where an item lives is
 * where its last MSG is; a segment with an earlier one may go only if that last one is known to
 * be on the disk. (failed_sync_and_failed_recovery in check_queue_journal.c) */
static enum journal_err
free_dead(struct replay *r)
{
	return r->last_copy <= r->proved ? journal_recycle(r->j, r->tail) : JOURNAL_OK;
}

/* Appends START and syncs it, with all that was copied before it. */
static enum journal_err
put_start(struct journal *j)
{
	struct record_start start = {j->start, clock_wall_ms(), j->cut};
	enum journal_err err = JOURNAL_FULL;
	struct buf b;

	buf_init(&b, RECORD_HEADER);
	if (record_put_start(&b, &start))
		err = journal_append(j, RECORD_START, buf_span(&b), NULL);
	buf_clear(&b);
	return err == JOURNAL_OK ? journal_commit(j) : err;
}

static int
begin_start(struct replay *r, const char **why)
{
	struct journal *j = r->j;
	uint32_t last = (uint32_t)(r->last >> RECORD_START_SHIFT);
	struct segment *fresh;

	if (r->start_head > last)
		last = r->start_head;
	if (last >= RECORD_START_MAX) {
		*why = "start numbers are used up";
		errno = EOVERFLOW;
		return -1;
	}
	j->start = last + 1;
	j->cut = r->last;
	j->next = ((uint64_t)j->start << RECORD_START_SHIFT) + 1;
	r->tail = find_tail(r);
	r->sink->replayed(r->arg, j);
	*why = "cannot free a segment";
	if (free_dead(r) != JOURNAL_OK)
		return -1;
	*why = "cannot make a fresh segment";
	if (journal_rotate(j) != JOURNAL_OK)
		return -1;
	fresh = TAILQ_LAST(&j->used, segment_list);
	*why = "cannot copy the last segment";
	if (copy_tail(r, fresh) == -1)
		return -1;
	/* The second one is written only after the first was synced, and so proves it. */
	if (put_start(j) != JOURNAL_OK || put_start(j) != JOURNAL_OK)
		return -1;
	return 0;
}

int
replay_run(
    struct journal *j, const struct journal_sink *sink, void *arg, const char **why)
{
	struct replay r = {.j = j, .sink = sink, .arg = arg};
	int result = -1;

	*why = "cannot read the segments";
	errno = 0;
	if (load_all(&r) == 0 && scan_all(&r) == 0)
		result = begin_start(&r, why);
	free(r.bytes);
	return result;
}
