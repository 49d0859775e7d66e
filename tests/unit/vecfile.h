/* SPDX-License-Identifier: ISC */
/*
 * vecfile.h - reads the test vectors that tests/vectors/json2txt.py flattened to text.
 *
 * For tests only: whatever is wrong with the file fails the test at once.
 */
#ifndef TESTS_UNIT_VECFILE_H
#define TESTS_UNIT_VECFILE_H

#include <stdio.h>

#include "base/span.h"

#define VECFILE_MEMBERS 64

struct vecfile {
	FILE *file; /* owned */
	size_t n;   /* members of the current record */
	struct vecfile_member {
		char *name;     /* owned */
		char *value;    /* owned */
		uint8_t *bytes; /* owned; value decoded from hex, NULL until asked for */
	} member[VECFILE_MEMBERS];
};

/* Opens a file of tests/vectors/third-party by its path without ".txt". */
void vecfile_open(struct vecfile *, const char *path);
void vecfile_close(struct vecfile *);
/* Steps to the next record; false at the end. */
bool vecfile_next(struct vecfile *);
/* The value of a member, NULL if absent; valid until the next record. */
const char *vecfile_find(const struct vecfile *, const char *name);
/* The same for members that must be there: as text, number, bytes written in hex. */
const char *vecfile_text(const struct vecfile *, const char *name);
unsigned long vecfile_number(const struct vecfile *, const char *name);
struct span vecfile_bytes(struct vecfile *, const char *name);
/* The same, copied to exactly n bytes. */
void vecfile_copy(struct vecfile *, const char *name, uint8_t *out, size_t n);
/* True if the member is there and has this value. */
bool vecfile_is(const struct vecfile *, const char *name, const char *value);

#endif
