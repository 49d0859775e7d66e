/* SPDX-License-Identifier: ISC */
/*
 * segment.h - one file of the journal: made once, written over again and again.
 *
 * A segment is a file of fixed size, filled with zeros and synced before its first use, so
 * that later writes change no metadata. It is never unlinked or truncated. Its head:
 *
 *	offset size
 *	  0     8   magic "EMSGSEG1"
 *	  8     4   version (1)
 *	 12     4   CRC32C over bytes 0-11 and 16-55
 *	 16     8   size of the file
 *	 24     8   salt of its records, random for each use
 *	 32     8   lsn of its first record
 *	 40     8   cut: the last lsn of earlier starts that counts
 *	 48     4   start number
 *	 52     4   slot: the number in the file's name
 *
 * Records begin at SEGMENT_FIRST. A head of zeros: not in use.
 */
#ifndef QUEUE_SEGMENT_H
#define QUEUE_SEGMENT_H

#include <sys/queue.h>

#include "base/span.h"
#include "queue/diskio.h"

#define SEGMENT_FIRST 4096
#define SEGMENT_HEAD 56
#define SEGMENT_SIZE_MIN (512U * 1024)
#define SEGMENT_CHUNK (1024U * 1024) /* zeros written in one step */
#define SEGMENT_NAME_SIZE 16

struct segment_head {
	uint64_t size;
	uint64_t salt;
	uint64_t first; /* lsn */
	uint64_t cut;   /* lsn */
	uint32_t start;
	uint32_t slot;
};

struct segment {
	uint32_t slot;
	int fd;          /* owned */
	uint64_t size;   /* when whole */
	uint64_t filled; /* bytes that are really there; size when whole */
	struct segment_head head;
	uint64_t items; /* live items whose MSG is here */
	uint64_t bytes; /* and the bytes of these records */
	TAILQ_ENTRY(segment) link;
};
TAILQ_HEAD(segment_list, segment);

enum segment_kind {
	SEGMENT_FREE, /* a head of zeros, or not whole */
	SEGMENT_USED,
	SEGMENT_SPOILED, /* the head cannot be read; records may be there */
};

/* The file's name from its slot, and back; false if it is no name of a segment. */
void segment_name(uint32_t slot, char out[SEGMENT_NAME_SIZE]);
bool segment_slot(const char *name, uint32_t *slot);
/* Opens a segment's file, making it if it is not there. NULL with errno. */
struct segment *segment_open(
    const struct diskio *, int dirfd, uint32_t slot, uint64_t size);
/* Closes and frees. NULL-safe. */
void segment_free(const struct diskio *, struct segment *);
/* Reads the head into seg->head. 0 or -1 with errno. */
int segment_load(const struct diskio *, struct segment *, enum segment_kind *);
/* Writes the next chunk of zeros and syncs it. 0 (whole if seg->filled == seg->size), or -1
 * with errno; ENOSPC is an answer, anything else is a broken disk. */
int segment_fill(const struct diskio *, struct segment *);
/* Writes seg->head and syncs it: the segment is in use. 0 or -1. */
int segment_activate(const struct diskio *, struct segment *);
/* Writes zeros over the head and syncs it: the segment is not in use any more. 0 or -1. */
int segment_retire(const struct diskio *, struct segment *);

#endif
