/* SPDX-License-Identifier: ISC */
/*
 * clock.h - monotonic and wall time behind one source.
 *
 * Monotonic time is for timers and durations; wall time is data only (ids, stamps, expiry).
 * Tests replace the source with clock_fake(); daemons never do.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds / microseconds since an unspecified start; never goes back. */
uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
/* Milliseconds since 1970-01-01 UTC; may jump. */
uint64_t clock_wall_ms(void);
/* For tests: from now on both clocks say what the caller set. */
void clock_fake(uint64_t mono_us, uint64_t wall_ms);
/* Writes wall time as RFC 3339 UTC with milliseconds, "2026-11-23T07:00:00.123Z", 25 bytes
 * with the terminator. Returns false if size is too small or the time cannot be shown. */
bool clock_format(uint64_t wall_ms, char *out, size_t size);

#endif
