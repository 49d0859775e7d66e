/* SPDX-License-Identifier: ISC */
/*
 * span.h - a borrowed run of bytes.
 *
 * A span owns nothing. Whoever hands one out says how long the bytes live; "valid until
 * the handler returns" is the rule for everything decoded from a message.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

struct span {
	const uint8_t *p; /* borrowed; may be NULL only if n == 0 */
	size_t n;
};

static inline struct span
span_of(const void *p, size_t n)
{
	struct span s = {p, n};
	return s;
}

/* A span over a C string, without its terminator. */
static inline struct span
span_str(const char *s)
{
	return span_of(s, strlen(s));
}

/* Equality; not constant time, so not for secrets (use CRYPTO_memcmp there). */
static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#endif
