/* SPDX-License-Identifier: ISC */
/*
 * crc32c.h - the Castagnoli CRC (RFC 3720 section 12.1), which finds what a disk spoiled.
 */
#ifndef QUEUE_CRC32C_H
#define QUEUE_CRC32C_H

#include "base/span.h"

/* Continues crc over n more bytes; the first call passes 0. */
uint32_t crc32c(uint32_t crc, const void *, size_t n);

#endif
