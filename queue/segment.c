/* SPDX-License-Identifier: ISC */
/*
 * segment.c - one file of the journal: name, head, preallocation.
 *
 * Owns the descriptor of each open segment. Called by journal.c, which decides when a
 * segment is used or used again, and by recover.c, which reads them all at start-up. All
 * failures are returned with errno; a failed write or sync is not repeated, the caller gives
 * up the journal. The one failure that is not a broken disk is ENOSPC while a segment is
 * being filled: nothing depends on those bytes yet, so filling goes on where it stopped.
 *
 * fallocate(2) would be quicker than writing zeros, but it leaves unwritten extents whose
 * first write commits metadata: the sync of every batch would pay for it.
 */
#include "queue/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "queue/crc32c.h"

#define SEGMENT_MAGIC 0x454d534753454731ULL
#define SEGMENT_VERSION 1
#define SEGMENT_MODE 0600
#define OFF_CRC 12
#define OFF_SIZE 16

void
segment_name(uint32_t slot, char out[SEGMENT_NAME_SIZE])
{
	snprintf(out, SEGMENT_NAME_SIZE, "%08x.seg", slot);
}

bool
segment_slot(const char *name, uint32_t *slot)
{
	char check[SEGMENT_NAME_SIZE];
	unsigned v;

	if (strlen(name) != 12 || sscanf(name, "%8x", &v) != 1)
		return false;
	segment_name(v, check);
	*slot = v;
	return strcmp(name, check) == 0;
}

struct segment *
segment_open(const struct diskio *io, int dirfd, uint32_t slot, uint64_t size)
{
	char name[SEGMENT_NAME_SIZE];
	struct segment *seg = xcalloc(1, sizeof(*seg));

	segment_name(slot, name);
	seg->slot = slot;
	seg->size = size;
	seg->fd =
	    io->open(io->ctx, dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW, SEGMENT_MODE);
	if (seg->fd == -1 || io->size(io->ctx, seg->fd, &seg->filled) == -1) {
		segment_free(io, seg);
		return NULL;
	}
	return seg;
}

void
segment_free(const struct diskio *io, struct segment *seg)
{
	if (seg == NULL)
		return;
	if (seg->fd != -1)
		io->close(io->ctx, seg->fd);
	free(seg);
}

static uint32_t
head_crc(const uint8_t *p)
{
	return crc32c(crc32c(0, p, OFF_CRC), p + OFF_SIZE, SEGMENT_HEAD - OFF_SIZE);
}

static bool
head_get(const uint8_t *p, struct segment_head *h)
{
	struct cur c;
	uint64_t magic;
	uint32_t version, crc;

	cur_init(&c, span_of(p, SEGMENT_HEAD));
	magic = cur_u64(&c);
	version = cur_u32(&c);
	crc = cur_u32(&c);
	h->size = cur_u64(&c);
	h->salt = cur_u64(&c);
	h->first = cur_u64(&c);
	h->cut = cur_u64(&c);
	h->start = cur_u32(&c);
	h->slot = cur_u32(&c);
	return cur_done(&c) && magic == SEGMENT_MAGIC && version == SEGMENT_VERSION &&
	    crc == head_crc(p);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

int
segment_load(const struct diskio *io, struct segment *seg, enum segment_kind *kind)
{
	uint8_t p[SEGMENT_HEAD];

	*kind = SEGMENT_FREE;
	if (seg->filled < SEGMENT_SIZE_MIN)
		return 0;
	if (diskio_read_full(io, seg->fd, p, sizeof(p), 0) == -1)
		return -1;
	if (all_zero(p, sizeof(p))) {
		if (seg->size < seg->filled)
			seg->size = seg->filled;
		return 0;
	}
	seg->size = seg->filled;
	*kind = SEGMENT_SPOILED;
	if (head_get(p, &seg->head) && seg->head.slot == seg->slot &&
	    seg->head.size == seg->size)
		*kind = SEGMENT_USED;
	return 0;
}

int
segment_fill(const struct diskio *io, struct segment *seg)
{
	static const uint8_t zeros[SEGMENT_CHUNK];
	size_t n = sizeof(zeros);

	if (seg->filled >= seg->size)
		return 0;
	if (seg->size - seg->filled < n)
		n = (size_t)(seg->size - seg->filled);
	if (diskio_write_full(io, seg->fd, zeros, n, seg->filled) == -1)
		return -1;
	/* fsync and not fdatasync: size and blocks have changed. */
	if (io->fsync(io->ctx, seg->fd) == -1) {
		/* Never mistaken for a full disk: what was written may be lost. */
		if (errno == ENOSPC)
			errno = EIO;
		return -1;
	}
	seg->filled += n;
	return 0;
}

int
segment_activate(const struct diskio *io, struct segment *seg)
{
	struct buf b;
	uint32_t crc;
	int r;

	buf_init(&b, SEGMENT_HEAD);
	buf_put_u64(&b, SEGMENT_MAGIC);
	buf_put_u32(&b, SEGMENT_VERSION);
	buf_put_u32(&b, 0);
	buf_put_u64(&b, seg->head.size);
	buf_put_u64(&b, seg->head.salt);
	buf_put_u64(&b, seg->head.first);
	buf_put_u64(&b, seg->head.cut);
	buf_put_u32(&b, seg->head.start);
	buf_put_u32(&b, seg->head.slot);
	crc = head_crc(b.p);
	for (int i = 0; i < 4; i++)
		b.p[OFF_CRC + i] = (uint8_t)(crc >> (24 - 8 * i));
	r = diskio_write_full(io, seg->fd, b.p, b.n, 0);
	if (r == 0)
		r = io->fdatasync(io->ctx, seg->fd);
	buf_clear(&b);
	return r;
}

int
segment_retire(const struct diskio *io, struct segment *seg)
{
	static const uint8_t zeros[SEGMENT_HEAD];

	/* Synced one by one, oldest first: were a newer one gone and an older one not, items
	 * would come back whose ends stood in the newer. (random_work in
	 * check_queue_journal.c) */
	if (diskio_write_full(io, seg->fd, zeros, sizeof(zeros), 0) == -1)
		return -1;
	return io->fdatasync(io->ctx, seg->fd);
}
