/* SPDX-License-Identifier: ISC */
/*
 * loadout.h - figures: lines of "name: value unit", or one JSON object; and percentiles.
 */
#ifndef BENCH_LOADOUT_H
#define BENCH_LOADOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All names begin with this; borrowed. As JSON nothing is printed before loadout_end(). */
void loadout_begin(const char *prefix, bool json);
/* One figure. digits: behind the point. */
void loadout_put(const char *name, double value, int digits, const char *unit);
void loadout_end(void);

/* Durations in microseconds, at most the number given to loadtimes_init(). */
struct loadtimes {
	uint32_t *us; /* owned */
	size_t n, max;
};
void loadtimes_init(struct loadtimes *, size_t max);
void loadtimes_add(struct loadtimes *, uint64_t us);
/* Prints name.p50, name.p99 and name.max in ms, and frees. */
void loadtimes_put(struct loadtimes *, const char *name);

#endif
