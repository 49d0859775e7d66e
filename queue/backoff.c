/* SPDX-License-Identifier: ISC */
/*
 * backoff.c - how long to wait after the n-th failure in a row.
 *
 * Pure arithmetic: no clock and no randomness of its own, both are passed in, so tests say
 * what comes out. Called by dest.c for a destination that cannot be reached and for a FIFO
 * whose recipient was refused for now. The spread keeps a thousand queues that lost the same
 * peer at the same moment from coming back at the same moment. It cannot fail.
 */
#include "queue/backoff.h"

uint64_t
backoff_ms(const struct backoff_limits *limits, uint32_t failures, uint32_t random)
{
	uint64_t wait = limits->min_ms;

	if (failures == 0)
		return 0;
	while (--failures > 0 && wait < limits->max_ms)
		wait *= 2;
	if (wait > limits->max_ms)
		wait = limits->max_ms;
	wait = wait * 3 / 4 + (wait / 2 * (uint64_t)random >> 32);
	return wait > limits->max_ms ? limits->max_ms : wait;
}
