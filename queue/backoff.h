/* SPDX-License-Identifier: ISC */
/*
 * backoff.h - how long to wait after the n-th failure in a row.
 */
#ifndef QUEUE_BACKOFF_H
#define QUEUE_BACKOFF_H

#include <stdint.h>

struct backoff_limits {
	uint64_t min_ms; /* the first wait */
	uint64_t max_ms; /* the longest */
};

/* The wait after "failures" failures in a row (0: none): min doubled each time, at most max,
 * then spread evenly over 3/4 to 5/4 of that by the random number, still at most max. */
uint64_t backoff_ms(const struct backoff_limits *, uint32_t failures, uint32_t random);

#endif
