/* SPDX-License-Identifier: ISC */
/*
 * crc32c.c - CRC32C by tables.
 *
 * Owns eight tables of 256 numbers, made at the first use (the queue has one thread). Called
 * by record.c and segment.c for every byte that goes to the journal, so speed matters: eight
 * bytes are eaten in one step by eight look-ups (Kounavis and Berry, "slicing by 8"), which
 * is under a microsecond for a message of 1 KiB. The processor's own instruction would be
 * faster still, but it needs a second version of this file and the sync that follows costs
 * a hundred times as much. It cannot fail.
 */
#include "queue/crc32c.h"

#define CRC32C_POLY 0x82f63b78U /* the polynomial 0x1edc6f41, bits reversed */

static uint32_t table[8][256];

static void
table_make(void)
{
	uint32_t c;
	int i, k;

	for (i = 0; i < 256; i++) {
		c = (uint32_t)i;
		for (k = 0; k < 8; k++)
			c = (c & 1) != 0 ? CRC32C_POLY ^ (c >> 1) : c >> 1;
		table[0][i] = c;
	}
	for (i = 0; i < 256; i++) {
		for (k = 1; k < 8; k++)
			table[k][i] =
			    table[0][table[k - 1][i] & 0xff] ^ (table[k - 1][i] >> 8);
	}
}

static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

uint32_t
crc32c(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t a, b;

	if (table[0][1] == 0)
		table_make();
	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		a = crc ^ load32(p);
		b = load32(p + 4);
		crc = table[7][a & 0xff] ^ table[6][(a >> 8) & 0xff] ^
		    table[5][(a >> 16) & 0xff] ^ table[4][a >> 24] ^ table[3][b & 0xff] ^
		    table[2][(b >> 8) & 0xff] ^ table[1][(b >> 16) & 0xff] ^
		    table[0][b >> 24];
	}
	for (; n > 0; n--, p++)
		crc = table[0][(crc ^ *p) & 0xff] ^ (crc >> 8);
	return ~crc;
}
