/* SPDX-License-Identifier: ISC */
/*
 * payload.h - payloads of messages between processes, described by tables.
 *
 * Every message has one C struct and one list of fields. One encoder and one decoder walk
 * that list, so there is one pair of functions to test and to fuzz, not one per message.
 * Layout: the fields in order, integers big-endian, fixed arrays as they are, spans as a
 * 32-bit length and the bytes. Nothing else: no padding, no alignment, no optional parts.
 */
#ifndef IPC_PAYLOAD_H
#define IPC_PAYLOAD_H

#include "base/buf.h"

enum field_kind {
	FIELD_U8,    /* uint8_t; max is the largest value allowed */
	FIELD_U16,   /* uint16_t */
	FIELD_U32,   /* uint32_t */
	FIELD_U64,   /* uint64_t */
	FIELD_FIXED, /* uint8_t[max], inline */
	FIELD_SPAN,  /* struct span, min..max bytes, borrowed from the message */
};

struct field {
	const char *name; /* NULL ends a list */
	enum field_kind kind;
	size_t offset;   /* in the message's struct */
	size_t min, max; /* FIELD_SPAN: bytes; FIELD_FIXED: max is the size */
	uint64_t top;    /* integers: largest value allowed, 0 = any */
};

/* Appends the fields of *msg. -1 if a span is out of bounds or the buffer is full. */
int payload_put(const struct field *, const void *msg, struct buf *);
/* Fills *msg (spans borrow from the input). -1 if anything is short, out of bounds, or
 * left over. */
int payload_get(const struct field *, struct span, void *msg);
/* Least and greatest encoded size of a list of fields. */
void payload_bounds(const struct field *, size_t *least, size_t *greatest);

#endif
