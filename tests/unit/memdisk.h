/* SPDX-License-Identifier: ISC */
/*
 * memdisk.h - a disk in memory below queue/diskio.h, for tests: it keeps what was synced
 * apart from what was only written, and fails on demand.
 */
#ifndef TESTS_MEMDISK_H
#define TESTS_MEMDISK_H

#include "queue/diskio.h"

#define MEMDISK_FILES 64

struct memdisk_file {
	char name[64];
	bool there;     /* has a directory entry */
	bool durable;   /* and that was synced */
	uint8_t *cache; /* what reads see */
	uint8_t *disk;  /* what survives a power cut */
	size_t n, ndisk;
	bool *lost; /* bytes that a failed sync left behind: clean, but not on the disk */
	size_t nlost;
};

struct memdisk {
	struct diskio io;
	struct memdisk_file files[MEMDISK_FILES];
	unsigned writes, syncs; /* calls so far */
	unsigned fail_write;    /* this write fails with EIO (0: none) */
	unsigned fail_sync;     /* this sync fails with EIO (0: none) */
	bool full;              /* writes that make a file longer fail with ENOSPC */
};

void memdisk_init(struct memdisk *);
void memdisk_clear(struct memdisk *);
/* A copy of what the other one has on disk (durable) or in its cache (all). */
void memdisk_copy(struct memdisk *to, const struct memdisk *from, bool durable);
/* The file of that name, or NULL. */
struct memdisk_file *memdisk_find(struct memdisk *, const char *name);

#endif
