/* SPDX-License-Identifier: ISC */
/*
 * mid.c - message ids: UUIDv7 (RFC 9562 section 5.7).
 *
 * The sender chooses a mid; its 48 bits of milliseconds are what servers judge an item's
 * age by, and the other 74 bits are random. Order inside one millisecond means nothing:
 * devices sort by the sender's signed counter.
 *
 * Called by clients to make ids and by queue and store to judge them. Pure but for the
 * random bytes of mid_make(); the caller passes the time. Nothing here fails except by its
 * return value.
 */
#include "wire/mid.h"

#include "base/text.h"

#define TIME_BYTES 6
#define UUID_TEXT 36

void
mid_make(uint8_t out[MID_SIZE], uint64_t now_ms)
{
	random_bytes(out, MID_SIZE);
	for (size_t i = 0; i < TIME_BYTES; i++)
		out[i] = (uint8_t)(now_ms >> (8 * (TIME_BYTES - 1 - i)));
	out[6] = (uint8_t)(0x70 | (out[6] & 0x0f));
	out[8] = (uint8_t)(0x80 | (out[8] & 0x3f));
}

bool
mid_valid(const uint8_t mid[MID_SIZE])
{
	return mid[6] >> 4 == 7 && mid[8] >> 6 == 2;
}

uint64_t
mid_time_ms(const uint8_t mid[MID_SIZE])
{
	uint64_t t = 0;

	for (size_t i = 0; i < TIME_BYTES; i++)
		t = t << 8 | mid[i];
	return t;
}

enum mid_age
mid_age_check(
    const uint8_t mid[MID_SIZE], uint64_t now_ms, uint64_t ahead_ms, uint64_t behind_ms)
{
	uint64_t t = mid_time_ms(mid);

	if (!mid_valid(mid))
		return MID_AGE_INVALID;
	if (t > now_ms)
		return t - now_ms > ahead_ms ? MID_AGE_AHEAD : MID_AGE_OK;
	return now_ms - t > behind_ms ? MID_AGE_BEHIND : MID_AGE_OK;
}

void
mid_text(const uint8_t mid[MID_SIZE], char out[MID_TEXT_SIZE])
{
	hex_encode(span_of(mid, MID_SIZE), out);
}

/* 8-4-4-4-12 to plain digits. */
static bool
drop_hyphens(const char *text, char out[MID_TEXT_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < UUID_TEXT; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen != (text[i] == '-'))
			return false;
		if (!hyphen)
			out[n++] = text[i];
	}
	out[n] = '\0';
	return true;
}

bool
mid_parse(const char *text, uint8_t out[MID_SIZE])
{
	char plain[MID_TEXT_SIZE];

	if (strlen(text) == UUID_TEXT) {
		if (!drop_hyphens(text, plain))
			return false;
		text = plain;
	}
	return strlen(text) == MID_TEXT_SIZE - 1 && hex_decode(text, out, MID_SIZE) &&
	    mid_valid(out);
}
