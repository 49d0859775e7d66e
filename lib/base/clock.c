/* SPDX-License-Identifier: ISC */
/*
 * clock.c - monotonic and wall time behind one source.
 *
 * Every process asks the time here and nowhere else, so that tests can set it. It owns the
 * two faked values and nothing more. The calendar arithmetic is our own: gmtime_r(3) of
 * glibc reads the time zone file at its first use, which a process without files is not
 * allowed to do.
 * Fails: a machine without these clocks is not one we run on, so that is fatal.
 */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

/* 9999-12-31T23:59:59.999Z, the last time that has a four-digit year. */
#define CLOCK_WALL_LAST UINT64_C(253402300799999)
#define CLOCK_TEXT_SIZE 25

static struct {
	bool on;
	uint64_t mono_us;
	uint64_t wall_ms;
} fake;

static struct timespec
clock_read(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) == -1)
		fatal_errno("clock_gettime");
	return ts;
}

uint64_t
clock_mono_us(void)
{
	struct timespec ts;

	if (fake.on)
		return fake.mono_us;
	ts = clock_read(CLOCK_MONOTONIC);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

uint64_t
clock_wall_ms(void)
{
	struct timespec ts;

	if (fake.on)
		return fake.wall_ms;
	ts = clock_read(CLOCK_REALTIME);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
clock_fake(uint64_t mono_us, uint64_t wall_ms)
{
	fake.on = true;
	fake.mono_us = mono_us;
	fake.wall_ms = wall_ms;
}

/* Days since 1970-01-01 to a date of the Gregorian calendar. Counts years from 1 March, so
 * that the leap day is the last of its year; 719468 days lie between 0000-03-01 and 1970. */
static void
clock_date(unsigned days, unsigned *year, unsigned *month, unsigned *day)
{
	unsigned z = days + 719468, era = z / 146097, doe = z % 146097;
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned m = (5 * doy + 2) / 153;

	*day = doy - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = yoe + era * 400 + (*month <= 2 ? 1 : 0);
}

bool
clock_format(uint64_t wall_ms, char *out, size_t size)
{
	unsigned year, month, day, ms, s;

	if (size > 0)
		out[0] = '\0';
	if (size < CLOCK_TEXT_SIZE || wall_ms > CLOCK_WALL_LAST)
		return false;
	ms = (unsigned)(wall_ms % 1000);
	s = (unsigned)(wall_ms / 1000 % 86400);
	clock_date((unsigned)(wall_ms / 86400000), &year, &month, &day);
	(void)snprintf(out, size, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day,
	    s / 3600, s / 60 % 60, s % 60, ms);
	return true;
}
