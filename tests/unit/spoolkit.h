/* SPDX-License-Identifier: ISC */
/*
 * spoolkit.h - a journal on a disk in memory, and what its user must remember: shared by the
 * tests of the journal. Calls that must not fail end the test if they do.
 */
#ifndef TESTS_SPOOLKIT_H
#define TESTS_SPOOLKIT_H

#include "memdisk.h"
#include "queue/journal.h"

#define SIZE SEGMENT_SIZE_MIN
#define ITEMS 4096
#define BODY 200

/* What a user of the journal knows: items by number, found in the MSG's payload. */
struct item {
	bool live;
	uint64_t qid;
	struct journal_loc loc;
};

extern struct memdisk disk;
extern struct journal *j;
extern struct item items[ITEMS];
extern unsigned spoiled; /* ranges that the last start found */

/* Turns over bits of a file, in the cache and on the disk. */
void kit_spoil(const char *name, uint64_t at, uint8_t bits);
/* Opens the journal on the disk; false if that fails. */
bool kit_try_start(void);
/* As try_start; must not fail. */
void kit_start(void);
/* Closes the journal as a killed process would. */
void kit_stop(void);
/* Stops; by a power cut, only what was synced is left, else the cache lives on. */
void kit_crash(bool power);
/* Puts a copy of an image (its cache) in place of the disk. */
void kit_replace_disk(const struct memdisk *image);
/* Appends an item of that number with so many bytes of body. */
enum journal_err kit_put(uint32_t n, size_t body);
/* Ends it. */
void kit_end(uint32_t n);
/* Must succeed. */
void kit_commit(void);
/* Items alive. */
unsigned kit_count_live(void);
/* Whether the item can be read back. */
bool kit_readable(uint32_t n);
/* Fixture: an empty disk and a journal on it. */
void kit_setup(void);
/* Ends it. */
void kit_teardown(void);

#endif
