/* SPDX-License-Identifier: ISC */
/*
 * buf.h - one bounded byte buffer, and a cursor to read bytes.
 *
 * Writing: struct buf grows up to a limit fixed when it is made. A write that does not fit
 * sets "failed" and writes nothing; later writes do nothing. The caller checks once, at the
 * end, with buf_failed().
 * Reading: struct cur walks over borrowed bytes. A read past the end sets "failed", returns
 * zeros, and every later read fails as well.
 * Integers are big-endian. Neither logs nor exits, except that memory exhaustion is fatal.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

struct buf {
	uint8_t *p;  /* owned */
	size_t n;    /* bytes written */
	size_t size; /* bytes allocated */
	size_t max;  /* never grows beyond this */
	bool failed; /* a write did not fit */
};

/* Makes an empty buffer that can grow to max bytes. Allocates nothing yet. */
void buf_init(struct buf *, size_t max);
/* Frees the storage; the buffer is empty again with the same limit. NULL-safe. */
void buf_clear(struct buf *);
/* As buf_clear, but wipes the bytes first. For secrets. */
void buf_wipe(struct buf *);
/* Forgets the content and a failure, keeps the storage. */
void buf_reset(struct buf *);
/* Removes the first n bytes (n <= b->n; more is a panic) and moves the rest down. */
void buf_consume(struct buf *, size_t n);
/* Makes room for n more bytes and returns where they go, or NULL (and failed) if that is
 * beyond the limit. Commit them with buf_advance(). */
uint8_t *buf_reserve(struct buf *, size_t n);
void buf_advance(struct buf *, size_t n);
void buf_put(struct buf *, const void *, size_t n);
void buf_put_span(struct buf *, struct span);
void buf_put_u8(struct buf *, uint8_t);
void buf_put_u16(struct buf *, uint16_t);
void buf_put_u32(struct buf *, uint32_t);
void buf_put_u64(struct buf *, uint64_t);
bool buf_failed(const struct buf *);
/* What was written; valid until the next write. */
struct span buf_span(const struct buf *);
/* Moves the storage to the caller, who frees it with free(3); the buffer is empty then. */
uint8_t *buf_take(struct buf *, size_t *n);

struct cur {
	const uint8_t *p; /* borrowed: next byte */
	size_t n;         /* bytes left */
	bool failed;
};

void cur_init(struct cur *, struct span);
uint8_t cur_u8(struct cur *);
uint16_t cur_u16(struct cur *);
uint32_t cur_u32(struct cur *);
uint64_t cur_u64(struct cur *);
/* The next n bytes, borrowed; an empty span on failure. */
struct span cur_bytes(struct cur *, size_t n);
/* True if nothing failed and nothing is left. */
bool cur_done(const struct cur *);

#endif
