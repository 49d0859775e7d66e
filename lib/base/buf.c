/* SPDX-License-Identifier: ISC */
/*
 * buf.c - one bounded byte buffer, and a cursor to read bytes.
 *
 * A buffer owns one piece of heap memory that doubles until the limit given to buf_init().
 * Everybody uses it: the wire codec, the messages between processes, the log of the spool.
 * A write that would pass the limit writes nothing and marks the buffer as failed, so that a
 * row of puts needs one check at its end. Storage that is left behind when a buffer grows
 * is wiped, because the buffer does not know whether it holds a secret.
 * A cursor owns nothing; it reads big-endian numbers and byte runs off borrowed memory and
 * fails for good at the first read past the end.
 * Fails: memory exhaustion is fatal; misuse (consuming more than there is) is a panic.
 */
#include "config.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

/* The first allocation; small messages need no second one. */
#define BUF_FIRST 256

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
buf_clear(struct buf *b)
{
	if (b == NULL)
		return;
	free(b->p);
	buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
	if (b == NULL)
		return;
	freezero(b->p, b->size);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n > b->n)
		panic("buf_consume: %zu of %zu bytes", n, b->n);
	b->n -= n;
	if (b->n > 0 && n > 0)
		memmove(b->p, b->p + n, b->n);
}

/* Moves to storage of at least "need" bytes, need <= b->max. */
static void
buf_grow(struct buf *b, size_t need)
{
	size_t size = b->size == 0 ? BUF_FIRST : b->size;
	uint8_t *p;

	while (size < need)
		size = size > b->max / 2 ? b->max : size * 2;
	if (size > b->max)
		size = b->max;
	p = xmalloc(size);
	if (b->n > 0)
		memcpy(p, b->p, b->n);
	freezero(b->p, b->size);
	b->p = p;
	b->size = size;
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	if (b->failed || n > b->max - b->n) {
		b->failed = true;
		return NULL;
	}
	if (b->p == NULL || n > b->size - b->n)
		buf_grow(b, b->n + n);
	return b->p + b->n;
}

void
buf_advance(struct buf *b, size_t n)
{
	if (n > b->size - b->n)
		panic("buf_advance: %zu of %zu bytes", n, b->size - b->n);
	b->n += n;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (to == NULL || n == 0)
		return;
	memcpy(to, p, n);
	b->n += n;
}

void
buf_put_span(struct buf *b, struct span s)
{
	buf_put(b, s.p, s.n);
}

/* The low n bytes of v, most significant first. */
static void
buf_put_be(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (to == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	b->n += n;
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put_be(b, v, 1);
}

void
buf_put_u16(struct buf *b, uint16_t v)
{
	buf_put_be(b, v, 2);
}

void
buf_put_u32(struct buf *b, uint32_t v)
{
	buf_put_be(b, v, 4);
}

void
buf_put_u64(struct buf *b, uint64_t v)
{
	buf_put_be(b, v, 8);
}

bool
buf_failed(const struct buf *b)
{
	return b->failed;
}

struct span
buf_span(const struct buf *b)
{
	return span_of(b->p, b->n);
}

uint8_t *
buf_take(struct buf *b, size_t *n)
{
	uint8_t *p = b->p;

	*n = b->n;
	buf_init(b, b->max);
	return p;
}

void
cur_init(struct cur *c, struct span s)
{
	c->p = s.p;
	c->n = s.n;
	c->failed = false;
}

struct span
cur_bytes(struct cur *c, size_t n)
{
	struct span s = span_of(NULL, 0);

	if (c->failed || n > c->n) {
		c->failed = true;
		return s;
	}
	if (n == 0)
		return s;
	s = span_of(c->p, n);
	c->p += n;
	c->n -= n;
	return s;
}

static uint64_t
cur_be(struct cur *c, size_t n)
{
	struct span s = cur_bytes(c, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t
cur_u8(struct cur *c)
{
	return (uint8_t)cur_be(c, 1);
}

uint16_t
cur_u16(struct cur *c)
{
	return (uint16_t)cur_be(c, 2);
}

uint32_t
cur_u32(struct cur *c)
{
	return (uint32_t)cur_be(c, 4);
}

uint64_t
cur_u64(struct cur *c)
{
	return cur_be(c, 8);
}

bool
cur_done(const struct cur *c)
{
	return !c->failed && c->n == 0;
}
