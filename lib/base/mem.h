/* SPDX-License-Identifier: ISC */
/*
 * mem.h - memory that does not run out quietly.
 *
 * The x functions never return NULL: exhaustion is fatal(). They are for sizes that we
 * choose; what a remote party sizes goes through a bounded struct buf.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *xcalloc(size_t n, size_t size);
void *xmalloc(size_t size);
/* Overflow of n * size is fatal, too. */
void *xreallocarray(void *, size_t n, size_t size);
char *xstrdup(const char *);
char *xstrndup(const char *, size_t n);
void *xmemdup(const void *, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Wipes, then frees. NULL-safe. */
void freezero(void *, size_t n);
/* Wipes; never optimised away. */
void wipe(void *, size_t n);

#endif
