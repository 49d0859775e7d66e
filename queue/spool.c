/* SPDX-License-Identifier: ISC */
/*
 * spool.c - the items that the queue is answerable for: journal and memory together.
 *
 * Owns the journal, the lock, and all items: by qid in a map, and in a list in the order of
 * their MSGs in the journal, so that the items of the oldest segment stand at the list's head
 * and compaction needs no search. Called by intake.c (new items), deliver.c (results),
 * fates.c (ends) and qctl.c. At start it is the sink of recovery and rebuilds the items from
 * the records. A record that does not decode although its checksum is right is logged and left
 * out; a disk that fails makes every call return JOURNAL_BROKEN.
 *
 * States of an item, and the records that change them:
 *	(none)	  -- MSG -->		pending
 *	pending	  -- ATTEMPT -->	pending, or reporting when no recipient is left
 *	pending	  -- BOUNCED, DROP -->	reporting (fates are owed to the sender's store)
 *	pending	  -- HOLD / RELEASE -->	held / pending
 *	reporting -- DONE -->		(none)
 */
#include "queue/spool.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "queue/spooldir.h"
#include "wire/code.h"

struct spool {
	const struct diskio *io; /* borrowed */
	struct spooldir dir;
	struct journal *journal; /* owned */
	struct map *by_qid;      /* of borrowed items */
	struct map *by_sender;   /* address -> size_t, owned: how many items */
	struct item_list items;  /* owned: in the order of their MSGs */
	struct buf out;          /* a payload being made */
	struct buf in;           /* a record being copied */
};

static void
forget(struct spool *s, struct item *it)
{
	size_t *n = map_find(s->by_sender, span_str(it->sender));

	if (n != NULL && --*n == 0)
		free(map_take(s->by_sender, span_str(it->sender)));
	map_take_u64(s->by_qid, it->qid);
	TAILQ_REMOVE(&s->items, it, place);
	item_free(it);
}

static void
remember(struct spool *s, struct item *it)
{
	size_t *n = map_find(s->by_sender, span_str(it->sender));

	if (n == NULL) {
		n = xcalloc(1, sizeof(*n));
		map_put(s->by_sender, span_str(it->sender), n);
	}
	++*n;
	map_put_u64(s->by_qid, it->qid, it);
	TAILQ_INSERT_TAIL(&s->items, it, place);
}

/* What an operator dropped fails for everybody who is still to be served. */
static void
drop(struct item *it, uint64_t when)
{
	for (size_t i = 0; i < it->nrcpts; i++)
		item_result(it, i, RECORD_FAILED, CODE_DROPPED,
		    span_str("dropped by the operator"), when);
}

/* --- recovery ----------------------------------------------------------------------------- */

static bool
replay_msg(struct spool *s, const struct record *r, struct journal_loc loc)
{
	struct record_msg m;
	struct item *it;

	if (!record_get_msg(r->payload, &m))
		return false;
	it = spool_find(s, m.qid);
	if (it != NULL) {
		/* Carried forward once: the later place counts, the state is the same. */
		it->loc = loc;
		TAILQ_REMOVE(&s->items, it, place);
		TAILQ_INSERT_TAIL(&s->items, it, place);
		return true;
	}
	remember(s, item_new(&m, loc));
	return true;
}

static bool
replay_attempt(struct spool *s, const struct record *r)
{
	struct record_attempt a;
	struct item *it;

	if (!record_get_attempt(r->payload, &a))
		return false;
	if ((it = spool_find(s, a.qid)) != NULL)
		item_apply(it, &a);
	return true;
}

static bool
replay_mark(struct spool *s, const struct record *r)
{
	uint64_t qid, when;
	struct item *it;

	if (!record_get_mark(r->payload, &qid, &when))
		return false;
	if ((it = spool_find(s, qid)) == NULL)
		return true;
	if (r->type == RECORD_DONE)
		forget(s, it);
	else if (r->type == RECORD_DROP)
		drop(it, when);
	else
		it->held = r->type == RECORD_HOLD;
	return true;
}

static void
on_record(void *arg, const struct record *r, struct journal_loc loc)
{
	struct spool *s = arg;
	bool ok;

	if (r->type == RECORD_MSG)
		ok = replay_msg(s, r, loc);
	else if (r->type == RECORD_ATTEMPT || r->type == RECORD_BOUNCED)
		ok = replay_attempt(s, r);
	else
		ok = replay_mark(s, r);
	if (!ok)
		log_error("spool.record", "type=%s segment=%08x offset=%llu",
		    record_type_name(r->type), loc.seg->slot,
		    (unsigned long long)loc.offset);
}

static void
on_replayed(void *arg, struct journal *j)
{
	struct spool *s = arg;
	struct item *it;

	TAILQ_FOREACH (it, &s->items, place)
		journal_retain(j, it->loc);
}

static bool
on_wanted(void *arg, enum record_type type, uint64_t qid, struct journal_loc loc)
{
	struct item *it = spool_find(arg, qid);

	if (it == NULL)
		return false;
	return type != RECORD_MSG ||
	    (it->loc.seg == loc.seg && it->loc.offset == loc.offset);
}

static void
on_moved(void *arg, struct journal *j, uint64_t qid, struct journal_loc from,
    struct journal_loc to)
{
	struct spool *s = arg;
	struct item *it = spool_find(s, qid);

	journal_release(j, from);
	journal_retain(j, to);
	it->loc = to;
	TAILQ_REMOVE(&s->items, it, place);
	TAILQ_INSERT_TAIL(&s->items, it, place);
}

static void
on_spoiled(void *arg, const char *file, uint64_t offset, size_t n, const char *why)
{
	(void)arg;
	log_error("spool.spoiled", "file=%s offset=%llu bytes=%zu error=\"%s\"", file,
	    (unsigned long long)offset, n, why);
}

static const struct journal_sink sink = {
    on_record, on_replayed, on_wanted, on_moved, on_spoiled};

/* --- opening ------------------------------------------------------------------------------ */

struct spool *
spool_open(const struct diskio *io, int dirfd, uint64_t segment_size, const char **why)
{
	struct spool *s = xcalloc(1, sizeof(*s));

	s->io = io;
	s->dir.lock = s->dir.segments = -1;
	s->by_qid = map_new();
	s->by_sender = map_new();
	TAILQ_INIT(&s->items);
	buf_init(&s->out, RECORD_MAX);
	buf_init(&s->in, RECORD_MAX + RECORD_ALIGN);
	*why = "cannot open the spool directory";
	if (spooldir_open(io, dirfd, &s->dir) == -1) {
		if (errno == EWOULDBLOCK)
			*why = "another queue has the spool";
		spool_close(s);
		return NULL;
	}
	s->journal = journal_open(io, s->dir.segments, segment_size, &sink, s, why);
	if (s->journal == NULL) {
		spool_close(s);
		return NULL;
	}
	return s;
}

void
spool_close(struct spool *s)
{
	int saved = errno;
	struct item *it;

	if (s == NULL)
		return;
	while ((it = TAILQ_FIRST(&s->items)) != NULL)
		forget(s, it);
	map_free(s->by_qid);
	map_free(s->by_sender);
	journal_close(s->journal);
	spooldir_close(s->io, &s->dir);
	buf_clear(&s->out);
	buf_clear(&s->in);
	free(s);
	errno = saved;
}

void
spool_note_empty(struct spool *s)
{
	/* Without the note the directory is kept, so an error does no harm. */
	if (TAILQ_EMPTY(&s->items))
		(void)spooldir_note_empty(s->io, &s->dir);
}

/* --- changes ------------------------------------------------------------------------------ */

struct item *
spool_add(struct spool *s, struct record_msg *m, enum journal_err *err)
{
	struct journal_loc loc;
	struct item *it;

	m->qid = journal_next(s->journal);
	buf_reset(&s->out);
	*err = JOURNAL_FULL;
	if (!record_put_msg(&s->out, m))
		return NULL;
	*err = journal_append(s->journal, RECORD_MSG, buf_span(&s->out), &loc);
	if (*err != JOURNAL_OK)
		return NULL;
	journal_retain(s->journal, loc);
	it = item_new(m, loc);
	remember(s, it);
	return it;
}

enum journal_err
spool_note(struct spool *s, const struct item *it, bool bounced)
{
	struct record_attempt a;

	item_snapshot(it, &a);
	buf_reset(&s->out);
	if (!record_put_attempt(&s->out, &a))
		return JOURNAL_FULL;
	return journal_append(s->journal, bounced ? RECORD_BOUNCED : RECORD_ATTEMPT,
	    buf_span(&s->out), NULL);
}

static enum journal_err
append_mark(struct spool *s, uint64_t qid, enum record_type type, uint64_t when)
{
	buf_reset(&s->out);
	if (!record_put_mark(&s->out, qid, when))
		return JOURNAL_FULL;
	return journal_append(s->journal, type, buf_span(&s->out), NULL);
}

enum journal_err
spool_mark(struct spool *s, struct item *it, enum record_type type, uint64_t when)
{
	enum journal_err err = append_mark(s, it->qid, type, when);

	if (err != JOURNAL_OK)
		return err;
	if (type == RECORD_DROP)
		drop(it, when);
	else
		it->held = type == RECORD_HOLD;
	return JOURNAL_OK;
}

enum journal_err
spool_done(struct spool *s, struct item *it, uint64_t when)
{
	enum journal_err err = append_mark(s, it->qid, RECORD_DONE, when);

	if (err != JOURNAL_OK)
		return err;
	if (it->sched != NULL)
		panic("item %016llx ended while scheduled", (unsigned long long)it->qid);
	journal_release(s->journal, it->loc);
	forget(s, it);
	return JOURNAL_OK;
}

bool
spool_read(struct spool *s, const struct item *it, struct buf *b, struct record_msg *m)
{
	struct record r;

	return journal_read(s->journal, it->loc, b, &r) == JOURNAL_OK &&
	    r.type == RECORD_MSG && record_get_msg(r.payload, m) && m->qid == it->qid;
}

enum journal_err
spool_commit(struct spool *s)
{
	return journal_commit(s->journal);
}

size_t
spool_pending(const struct spool *s)
{
	return journal_pending(s->journal);
}

bool
spool_accepts(const struct spool *s)
{
	return journal_accepts(s->journal);
}

/* Writes an item's MSG again, at the end of the journal, with all that is known of it. */
static enum journal_err
carry(struct spool *s, struct item *it)
{
	struct journal_loc to;
	enum journal_err err;
	struct record r;

	err = journal_read(s->journal, it->loc, &s->in, &r);
	if (err == JOURNAL_OK)
		err = journal_append(s->journal, RECORD_MSG, r.payload, &to);
	if (err == JOURNAL_OK)
		err = spool_note(s, it, false);
	if (err != JOURNAL_OK)
		return err;
	journal_release(s->journal, it->loc);
	journal_retain(s->journal, to);
	it->loc = to;
	TAILQ_REMOVE(&s->items, it, place);
	TAILQ_INSERT_TAIL(&s->items, it, place);
	return JOURNAL_OK;
}

/* Empties the oldest segment if it is worth it, a bounded number of bytes at a time. */
static enum journal_err
compact(struct spool *s, bool *again)
{
	struct segment *seg = journal_sparse(s->journal);
	struct item *it;
	size_t bytes = 0;
	enum journal_err err;

	if (seg == NULL || !journal_accepts(s->journal))
		return JOURNAL_OK;
	while ((it = TAILQ_FIRST(&s->items)) != NULL && it->loc.seg == seg) {
		if (bytes > SPOOL_COMPACT_BYTES) {
			*again = true;
			break;
		}
		bytes += it->loc.size;
		if ((err = carry(s, it)) != JOURNAL_OK)
			return err == JOURNAL_FULL ? JOURNAL_OK : err;
	}
	return spool_commit(s);
}

enum journal_err
spool_tick(struct spool *s, uint64_t now, bool *again)
{
	enum journal_err err = journal_tick(s->journal, now, again);

	return err == JOURNAL_OK ? compact(s, again) : err;
}

/* --- looking at it ------------------------------------------------------------------------ */

struct item *
spool_find(struct spool *s, uint64_t qid)
{
	return map_find_u64(s->by_qid, qid);
}

size_t
spool_count(const struct spool *s)
{
	return map_count(s->by_qid);
}

size_t
spool_count_of(const struct spool *s, struct span sender)
{
	const size_t *n = map_find(s->by_sender, sender);

	return n == NULL ? 0 : *n;
}

struct item *
spool_next(struct spool *s, struct item *it)
{
	return it == NULL ? TAILQ_FIRST(&s->items) : TAILQ_NEXT(it, place);
}

struct journal *
spool_journal(struct spool *s)
{
	return s->journal;
}
