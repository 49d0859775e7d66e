/* SPDX-License-Identifier: ISC */
/*
 * mid.h - message ids: UUIDv7 (RFC 9562 section 5.7), chosen by the sender.
 */
#ifndef WIRE_MID_H
#define WIRE_MID_H

#include "base/span.h"

#define MID_SIZE 16
#define MID_TEXT_SIZE 33 /* lower-case hex with the terminator */

/* Limits of age, in milliseconds, as servers judge it. */
#define MID_AHEAD_MS (10ULL * 60 * 1000)
#define MID_BEHIND_SUBMIT_MS (4ULL * 24 * 3600 * 1000)
#define MID_BEHIND_LINK_MS (20ULL * 24 * 3600 * 1000)

enum mid_age {
	MID_AGE_OK,
	MID_AGE_AHEAD,  /* from the future */
	MID_AGE_BEHIND, /* too old */
	MID_AGE_INVALID /* not a UUIDv7 */
};

/* A new id for this time (milliseconds since 1970; 48 bits are kept). Random otherwise. */
void mid_make(uint8_t out[MID_SIZE], uint64_t now_ms);
/* Version 7 and the variant of RFC 9562. */
bool mid_valid(const uint8_t mid[MID_SIZE]);
/* The time inside, in milliseconds since 1970. */
uint64_t mid_time_ms(const uint8_t mid[MID_SIZE]);
/* Judges the time inside against now: at most ahead_ms later, at most behind_ms earlier. */
enum mid_age mid_age_check(
    const uint8_t mid[MID_SIZE], uint64_t now_ms, uint64_t ahead_ms, uint64_t behind_ms);
void mid_text(const uint8_t mid[MID_SIZE], char out[MID_TEXT_SIZE]);
/* 32 hex digits or the 36 characters of RFC 9562 section 4; false if not a valid mid. */
bool mid_parse(const char *text, uint8_t out[MID_SIZE]);

#endif
