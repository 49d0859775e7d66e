/* SPDX-License-Identifier: ISC */
/*
 * journal.c - the spool's log: collect, write once, sync once.
 *
 * Owns the segments and the batch. Called by items.c for every record and by queue.c once per
 * turn to commit. A failed write or sync is final (journal_break): the page cache may show
 * what is not on the disk, so the only way on is to end the process and let replay.c copy what
 * can be read to a new segment. A full disk is not a failure: segments are written to the end
 * before they are used, so only the making of the next one fails, and journal_accepts() then
 * says no while there is still room for the ends of what was accepted.
 *
 * Order that must hold (tests/unit/check_journal.c): a batch is on the disk before the next
 * one is begun, and before another segment is activated; a segment's directory entry is
 * synced before its head is written.
 */
#include "queue/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "queue/journal_private.h"

static struct segment *
current(const struct journal *j)
{
	return TAILQ_LAST(&j->used, segment_list);
}

enum journal_err
journal_break(struct journal *j)
{
	j->broken = true;
	return JOURNAL_BROKEN;
}

struct journal *
journal_open(const struct diskio *io, int dirfd, uint64_t segment_size,
    const struct journal_sink *sink, void *arg, const char **why)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	j->io = io;
	j->dirfd = dirfd;
	j->segment_size = segment_size;
	TAILQ_INIT(&j->used);
	TAILQ_INIT(&j->free);
	buf_init(&j->batch, JOURNAL_BATCH_MAX);
	if (replay_run(j, sink, arg, why) == -1) {
		journal_close(j);
		return NULL;
	}
	return j;
}

static void
list_close(struct journal *j, struct segment_list *list)
{
	struct segment *seg;

	while ((seg = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, seg, link);
		segment_free(j->io, seg);
	}
}

void
journal_close(struct journal *j)
{
	int saved = errno;

	if (j == NULL)
		return;
	list_close(j, &j->used);
	list_close(j, &j->free);
	segment_free(j->io, j->spare);
	buf_clear(&j->batch);
	free(j);
	errno = saved;
}

uint32_t
journal_start(const struct journal *j)
{
	return j->start;
}

uint64_t
journal_next(const struct journal *j)
{
	return j->next;
}

size_t
journal_pending(const struct journal *j)
{
	return j->batch.n;
}

/* Bytes that still fit into the current segment. */
static uint64_t
room(const struct journal *j)
{
	const struct segment *seg = current(j);

	return seg == NULL ? 0 : seg->size - j->offset - j->batch.n;
}

bool
journal_accepts(const struct journal *j)
{
	if (j->broken || current(j) == NULL)
		return false;
	return j->nfree > 0 || room(j) >= current(j)->size / 2;
}

enum journal_err
journal_commit(struct journal *j)
{
	struct segment *seg = current(j);

	if (j->broken)
		return JOURNAL_BROKEN;
	if (j->batch.n == 0)
		return JOURNAL_OK;
	if (diskio_write_full(j->io, seg->fd, j->batch.p, j->batch.n, j->offset) == -1 ||
	    j->io->fdatasync(j->io->ctx, seg->fd) == -1)
		return journal_break(j);
	j->offset += j->batch.n;
	j->bytes += j->batch.n;
	j->commits++;
	buf_reset(&j->batch);
	return JOURNAL_OK;
}

int
journal_make(struct journal *j, struct segment **out)
{
	struct segment *seg;

	if (j->nused + j->nfree >= JOURNAL_SEGMENTS_MAX) {
		errno = ENOSPC;
		return -1;
	}
	seg = segment_open(j->io, j->dirfd, j->next_slot, j->segment_size);
	if (seg == NULL)
		return -1;
	if (j->io->syncdir(j->io->ctx, j->dirfd) == -1) {
		segment_free(j->io, seg);
		if (errno == ENOSPC)
			errno = EIO;
		return -1;
	}
	j->next_slot++;
	*out = seg;
	return 0;
}

/* Fills the spare to its end, whatever that takes. */
static int
spare_finish(struct journal *j)
{
	if (j->spare == NULL && journal_make(j, &j->spare) == -1)
		return -1;
	while (j->spare->filled < j->spare->size) {
		if (segment_fill(j->io, j->spare) == -1)
			return -1;
	}
	TAILQ_INSERT_TAIL(&j->free, j->spare, link);
	j->nfree++;
	j->spare = NULL;
	return 0;
}

enum journal_err
journal_rotate(struct journal *j)
{
	struct segment *seg;

	if (journal_commit(j) != JOURNAL_OK)
		return JOURNAL_BROKEN;
	if (j->nfree == 0 && spare_finish(j) == -1)
		return errno == ENOSPC ? JOURNAL_FULL : journal_break(j);
	seg = TAILQ_FIRST(&j->free);
	TAILQ_REMOVE(&j->free, seg, link);
	j->nfree--;
	seg->head.size = seg->size;
	seg->head.salt = random_u64();
	seg->head.first = j->next;
	seg->head.cut = j->cut;
	seg->head.start = j->start;
	seg->head.slot = seg->slot;
	seg->items = seg->bytes = 0;
	TAILQ_INSERT_TAIL(&j->used, seg, link);
	j->nused++;
	j->offset = SEGMENT_FIRST;
	if (segment_activate(j->io, seg) == -1)
		return journal_break(j);
	return JOURNAL_OK;
}

/* Makes room for a record of that size in the batch. */
static enum journal_err
make_room(struct journal *j, size_t size)
{
	enum journal_err err;

	if (size > j->segment_size - SEGMENT_FIRST || size > JOURNAL_BATCH_MAX)
		return JOURNAL_FULL;
	if (room(j) < size && (err = journal_rotate(j)) != JOURNAL_OK)
		return err;
	if (room(j) < size)
		return JOURNAL_FULL;
	if (j->batch.n + size > JOURNAL_BATCH_MAX)
		return journal_commit(j);
	return JOURNAL_OK;
}

enum journal_err
journal_append(struct journal *j, enum record_type type, struct span payload,
    struct journal_loc *loc)
{
	struct record r = {.type = type, .payload = payload};
	enum journal_err err;

	if (j->broken)
		return JOURNAL_BROKEN;
	r.size = record_size(payload.n);
	if ((err = make_room(j, r.size)) != JOURNAL_OK)
		return err;
	r.flags = j->batch.n == 0 ? RECORD_OPENS : 0;
	r.lsn = j->next;
	r.salt = current(j)->head.salt;
	if (loc != NULL) {
		loc->seg = current(j);
		loc->offset = j->offset + j->batch.n;
		loc->size = r.size;
	}
	if (!record_put(&j->batch, &r))
		return JOURNAL_FULL;
	j->next++;
	j->records++;
	return JOURNAL_OK;
}

enum journal_err
journal_read(struct journal *j, struct journal_loc loc, struct buf *b, struct record *r)
{
	struct span s;

	if (j->broken)
		return JOURNAL_BROKEN;
	if (loc.seg == current(j) && loc.offset >= j->offset) {
		if (loc.offset - j->offset + loc.size > j->batch.n)
			return JOURNAL_FULL;
		s = span_of(j->batch.p + (loc.offset - j->offset), loc.size);
	} else {
		buf_reset(b);
		if (buf_reserve(b, loc.size) == NULL)
			return JOURNAL_FULL;
		if (diskio_read_full(j->io, loc.seg->fd, b->p, loc.size, loc.offset) ==
		    -1)
			return JOURNAL_FULL;
		s = span_of(b->p, loc.size);
	}
	return record_get(s, loc.seg->head.salt, r) == NULL ? JOURNAL_OK : JOURNAL_FULL;
}

void
journal_retain(struct journal *j, struct journal_loc loc)
{
	(void)j;
	loc.seg->items++;
	loc.seg->bytes += loc.size;
}

void
journal_release(struct journal *j, struct journal_loc loc)
{
	(void)j;
	if (loc.seg->items == 0 || loc.seg->bytes < loc.size)
		panic("segment %08x released too often", loc.seg->slot);
	loc.seg->items--;
	loc.seg->bytes -= loc.size;
}

enum journal_err
journal_recycle(struct journal *j, const struct segment *stop)
{
	struct segment *seg;

	while ((seg = TAILQ_FIRST(&j->used)) != stop && seg->items == 0) {
		if (segment_retire(j->io, seg) == -1)
			return journal_break(j);
		TAILQ_REMOVE(&j->used, seg, link);
		TAILQ_INSERT_TAIL(&j->free, seg, link);
		j->nused--;
		j->nfree++;
	}
	return JOURNAL_OK;
}

enum journal_err
journal_tick(struct journal *j, uint64_t now, bool *again)
{
	*again = false;
	if (j->broken)
		return JOURNAL_BROKEN;
	/* What was carried out of these segments must be on the disk before they go. */
	if (j->batch.n == 0 && journal_recycle(j, current(j)) != JOURNAL_OK)
		return JOURNAL_BROKEN;
	if (j->nfree > 0 || now < j->wait_until)
		return JOURNAL_OK;
	if ((j->spare == NULL && journal_make(j, &j->spare) == -1) ||
	    segment_fill(j->io, j->spare) == -1) {
		if (errno != ENOSPC)
			return journal_break(j);
		log_warn("spool.space", "segments=%zu", j->nused + j->nfree);
		j->wait_until = now + JOURNAL_ENOSPC_WAIT_MS;
		return JOURNAL_OK;
	}
	if (j->spare->filled >= j->spare->size)
		return spare_finish(j) == 0 ? JOURNAL_OK : journal_break(j);
	*again = true;
	return JOURNAL_OK;
}

static uint64_t
live_bytes(const struct journal *j)
{
	const struct segment *seg;
	uint64_t n = 0;

	TAILQ_FOREACH (seg, &j->used, link)
		n += seg->bytes;
	return n;
}

struct segment *
journal_sparse(struct journal *j)
{
	struct segment *seg = TAILQ_FIRST(&j->used);

	if (j->broken || seg == NULL || seg == current(j) || seg->items == 0)
		return NULL;
	if (seg->bytes <= seg->size / 4)
		return seg;
	/* The oldest is well filled, but those behind it wait for it and are not. */
	if (j->nused > 4 && live_bytes(j) <= (uint64_t)j->nused * seg->size / 2)
		return seg;
	return NULL;
}

void
journal_figures(const struct journal *j, struct journal_figures *f)
{
	const struct segment *seg;

	f->segments = j->nused + j->nfree;
	f->used = j->nused;
	f->free = j->nfree;
	f->live_items = 0;
	f->live_bytes = live_bytes(j);
	TAILQ_FOREACH (seg, &j->used, link)
		f->live_items += seg->items;
	f->commits = j->commits;
	f->records = j->records;
	f->bytes = j->bytes;
}
