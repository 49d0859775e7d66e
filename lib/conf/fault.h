/* SPDX-License-Identifier: ISC */
/*
 * fault.h - what is wrong with a configuration: a sorted list of places with texts.
 *
 * Loading never stops at the first mistake; everything found goes in here. Bounded by
 * FAULTS_MAX; what is beyond is counted only.
 */
#ifndef CONF_FAULT_H
#define CONF_FAULT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define FAULTS_MAX 200
#define FAULT_FILES_MAX 64

/* A position in one of the files, by its number; line and column start at 1. line == 0:
 * the file as a whole. */
struct place {
	unsigned int file;
	unsigned int line;
	unsigned int col;
};

struct fault {
	struct place at;
	char *path; /* owned: "tls.key"; empty if the fault is about no key */
	char *text; /* owned */
};

struct faults {
	char *files[FAULT_FILES_MAX]; /* owned: names as shown */
	unsigned int nfiles;
	struct fault v[FAULTS_MAX];
	size_t n;
	size_t more; /* faults beyond FAULTS_MAX */
};

void faults_init(struct faults *);
void faults_clear(struct faults *);
/* Registers a file name; returns its number. At most FAULT_FILES_MAX; the last one is
 * then used for all that follow. */
unsigned int faults_file(struct faults *, const char *name);
/* Adds one; path may be NULL. */
void fault_add(struct faults *, struct place, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* By file, line, column; stable. */
void faults_sort(struct faults *);
/* One line each: "file:line:col: path: text". */
void faults_print(FILE *, const struct faults *);
/* One JSON object a line: file, line, col, path, text. */
void faults_print_json(FILE *, const struct faults *);

#endif
