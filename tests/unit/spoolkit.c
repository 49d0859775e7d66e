/* SPDX-License-Identifier: ISC */
/*
 * spoolkit.c - a journal on a disk in memory, and what its user must remember.
 *
 * The items of a test are numbers; the number stands in the payload of the item's MSG, so the
 * table can be made again from the journal alone. The kit does what the queue does: it retains
 * an item where its MSG is, follows it when recovery moves it, and releases it at its end.
 * Used by check_queue_journal.c and check_queue_spoil.c.
 */
#include "spoolkit.h"

#include <check.h>

struct memdisk disk;
struct journal *j;
struct item items[ITEMS];
unsigned spoiled;
static struct buf scratch;

static struct item *
by_qid(uint64_t qid)
{
	for (size_t i = 0; i < ITEMS; i++) {
		if (items[i].live && items[i].qid == qid)
			return &items[i];
	}
	return NULL;
}

static void
on_record(void *arg, const struct record *r, struct journal_loc loc)
{
	struct cur c;
	uint64_t qid;
	uint32_t n;

	(void)arg;
	cur_init(&c, r->payload);
	qid = cur_u64(&c);
	if (r->type == RECORD_MSG) {
		n = cur_u32(&c);
		ck_assert(!c.failed && n < ITEMS);
		/* A copy has the same qid; the later place counts. */
		ck_assert(!items[n].live || items[n].qid == qid);
		items[n].live = true;
		items[n].qid = qid;
		items[n].loc = loc;
	} else if (r->type == RECORD_DONE && by_qid(qid) != NULL) {
		by_qid(qid)->live = false;
	}
}

static void
on_replayed(void *arg, struct journal *journal)
{
	(void)arg;
	for (size_t i = 0; i < ITEMS; i++) {
		if (items[i].live)
			journal_retain(journal, items[i].loc);
	}
}

static bool
on_wanted(void *arg, enum record_type type, uint64_t qid, struct journal_loc loc)
{
	struct item *it = by_qid(qid);

	(void)arg;
	if (it == NULL)
		return false;
	return type != RECORD_MSG ||
	    (it->loc.seg == loc.seg && it->loc.offset == loc.offset);
}

static void
on_moved(void *arg, struct journal *journal, uint64_t qid, struct journal_loc from,
    struct journal_loc to)
{
	(void)arg;
	journal_release(journal, from);
	journal_retain(journal, to);
	by_qid(qid)->loc = to;
}

static void
on_spoiled(void *arg, const char *file, uint64_t offset, size_t n, const char *why)
{
	(void)arg, (void)file, (void)offset, (void)n, (void)why;
	spoiled++;
}

static const struct journal_sink sink = {
    on_record, on_replayed, on_wanted, on_moved, on_spoiled};

/* Turns over bits of a file, in the cache and on the disk. */
void
kit_spoil(const char *name, uint64_t at, uint8_t bits)
{
	struct memdisk_file *f = memdisk_find(&disk, name);

	f->cache[at] ^= bits;
	f->disk[at] ^= bits;
}

bool
kit_try_start(void)
{
	const char *why;

	memset(items, 0, sizeof(items));
	spoiled = 0;
	j = journal_open(&disk.io, 0, SIZE, &sink, NULL, &why);
	return j != NULL;
}

void
kit_start(void)
{
	ck_assert(kit_try_start());
}

void
kit_stop(void)
{
	journal_close(j);
	j = NULL;
}

/* The machine loses power, or only the process is killed and the cache lives on. */
void
kit_crash(bool power)
{
	struct memdisk next;

	kit_stop();
	disk.fail_sync = disk.fail_write = 0;
	if (!power)
		return;
	memdisk_copy(&next, &disk, true);
	memdisk_clear(&disk);
	disk = next;
	disk.io.ctx = &disk;
}

void
kit_replace_disk(const struct memdisk *image)
{
	memdisk_clear(&disk);
	memdisk_copy(&disk, image, false);
}

enum journal_err
kit_put(uint32_t n, size_t body)
{
	struct journal_loc loc;
	enum journal_err err;
	uint64_t qid = journal_next(j);

	buf_reset(&scratch);
	buf_put_u64(&scratch, qid);
	buf_put_u32(&scratch, n);
	for (size_t i = 0; i < body; i++)
		buf_put_u8(&scratch, (uint8_t)n);
	err = journal_append(j, RECORD_MSG, buf_span(&scratch), &loc);
	if (err == JOURNAL_OK) {
		items[n] = (struct item){true, qid, loc};
		journal_retain(j, loc);
	}
	return err;
}

void
kit_end(uint32_t n)
{
	buf_reset(&scratch);
	ck_assert(record_put_mark(&scratch, items[n].qid, 0));
	ck_assert_int_eq(
	    journal_append(j, RECORD_DONE, buf_span(&scratch), NULL), JOURNAL_OK);
	journal_release(j, items[n].loc);
	items[n].live = false;
}

void
kit_commit(void)
{
	ck_assert_int_eq(journal_commit(j), JOURNAL_OK);
}

unsigned
kit_count_live(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < ITEMS; i++)
		n += items[i].live;
	return n;
}

bool
kit_readable(uint32_t n)
{
	struct record r;
	struct buf b;
	struct cur c;
	bool ok;

	buf_init(&b, RECORD_MAX);
	ok = journal_read(j, items[n].loc, &b, &r) == JOURNAL_OK;
	if (ok) {
		cur_init(&c, r.payload);
		ok = cur_u64(&c) == items[n].qid && cur_u32(&c) == n;
	}
	buf_clear(&b);
	return ok;
}

void
kit_setup(void)
{
	memdisk_init(&disk);
	buf_init(&scratch, RECORD_MAX);
	kit_start();
}

void
kit_teardown(void)
{
	kit_stop();
	memdisk_clear(&disk);
	buf_clear(&scratch);
}
