/* SPDX-License-Identifier: ISC */
/*
 * cbor.h - deterministic CBOR (RFC 8949 section 4.2.1): a strict pull reader and a writer.
 *
 * The subset: unsigned and negative integers, byte strings, text strings (UTF-8), arrays,
 * maps, false, true, null and tag 18. Definite lengths, shortest forms, map keys strictly
 * ascending bytewise, nesting at most CBOR_DEPTH, counts never above the bytes that are left.
 *
 * The reader borrows its input, allocates nothing and stops at the first error for good:
 * every later call returns false and r->err keeps the first fault met (cbor_check() gives
 * the class of the whole input). A container needs no "leave":
 * it ends by itself with its last element. The top level is a CBOR sequence (RFC 8742).
 */
#ifndef WIRE_CBOR_H
#define WIRE_CBOR_H

#include "base/buf.h"
#include "base/span.h"

enum wire_err {
	WIRE_OK,
	WIRE_MALFORMED,        /* not CBOR, truncated, bytes left over, text not UTF-8 */
	WIRE_NONDETERMINISTIC, /* well-formed, but not the one canonical encoding */
	WIRE_UNSUPPORTED, /* canonical, but outside the subset or an unknown key < 0 */
	WIRE_MISSING,     /* a required member is absent */
	WIRE_RANGE,       /* a value of the wrong type or outside its limits */
};

/* "malformed", "nondeterministic", ...; "ok" for WIRE_OK. */
const char *wire_err_name(enum wire_err);

#define CBOR_DEPTH 8 /* containers and tags open at once */

enum cbor_type {
	CBOR_UINT,
	CBOR_NINT, /* value is the argument: the number is -1 - value */
	CBOR_BSTR,
	CBOR_TSTR,
	CBOR_ARRAY, /* value is the number of elements, which follow */
	CBOR_MAP,   /* value is the number of pairs, which follow: key, value, key, ... */
	CBOR_TAG,   /* value is the tag (18), its content follows */
	CBOR_BOOL,  /* value is 0 or 1 */
	CBOR_NULL,
	CBOR_NONE, /* only from cbor_peek: nothing left, or an error */
};

/* The first one to nine bytes of an item: what they say, before any judgement. */
struct cbor_head {
	uint8_t major; /* 0..7 */
	uint8_t info;  /* 0..31; 31: indefinite length or break */
	bool shortest; /* no shorter head says the same (floats apart) */
	uint64_t value;
	size_t n; /* bytes of the head */
};

struct cbor_item {
	enum cbor_type type;
	uint64_t value;
	struct span bytes; /* borrowed: content of a string */
};

struct cbor_level {
	uint64_t left;        /* items still to come, keys and values counted apart */
	bool map;             /* even number left: a key comes next */
	const uint8_t *start; /* borrowed: where the key under way began */
	struct span key;      /* borrowed: encoding of the last key */
};

struct cbor {
	const uint8_t *p; /* borrowed: next byte */
	const uint8_t *end;
	unsigned depth; /* open levels */
	enum wire_err err;
	struct cbor_level level[CBOR_DEPTH];
};

/* Reads one head. False if it is cut short or uses the reserved values 28 to 30. */
bool cbor_head(struct span, struct cbor_head *);

void cbor_init(struct cbor *, struct span);
/* Type of the next item without reading it; CBOR_NONE at the end of input or on error. Looks
 * at one byte only: the item itself may still prove bad. */
enum cbor_type cbor_peek(const struct cbor *);
/* The next item, or the head of the next container. False on error and at the end of input,
 * which is itself an error (malformed) only if a container is still open. */
bool cbor_next(struct cbor *, struct cbor_item *);
/* The next item, which must be there (malformed if not) and of this type (WIRE_RANGE). */
bool cbor_uint(struct cbor *, uint64_t *);
bool cbor_int(struct cbor *, int64_t *); /* WIRE_RANGE beyond int64_t */
bool cbor_bstr(struct cbor *, struct span *);
bool cbor_tstr(struct cbor *, struct span *);
bool cbor_bool(struct cbor *, bool *);
bool cbor_null(struct cbor *);
bool cbor_array(struct cbor *, uint64_t *count);
bool cbor_map(struct cbor *, uint64_t *pairs);
bool cbor_tag(struct cbor *, uint64_t *tag);
/* Skips one whole item with the same checks; *raw (may be NULL) is its encoding, borrowed. */
bool cbor_skip(struct cbor *, struct span *raw);
/* No error, no container open and nothing left. */
bool cbor_done(const struct cbor *);
/* Stops the reader with an error, if it has none yet. Returns false. */
bool cbor_fail(struct cbor *, enum wire_err);

/* Judges exactly one item with nothing after it, all of it: what is malformed anywhere is
 * malformed even where a lesser fault comes first, then non-deterministic, then unsupported.
 * Nesting beyond what is followed (CBOR_CHECK_DEPTH) is unsupported. */
enum wire_err cbor_check(struct span);
/* The same for a CBOR sequence of any number of items (RFC 8742). */
enum wire_err cbor_check_seq(struct span);

#define CBOR_CHECK_DEPTH 512

/* Writers: shortest form. What does not fit makes the buffer fail. Order of map keys is the
 * caller's duty. */
void cbor_put_uint(struct buf *, uint64_t);
void cbor_put_nint(struct buf *, uint64_t argument); /* -1 - argument */
void cbor_put_int(struct buf *, int64_t);
void cbor_put_bstr(struct buf *, struct span);
void cbor_put_tstr(struct buf *, struct span);
void cbor_put_array(struct buf *, uint64_t count);
void cbor_put_map(struct buf *, uint64_t pairs);
void cbor_put_tag(struct buf *, uint64_t tag);
void cbor_put_bool(struct buf *, bool);
void cbor_put_null(struct buf *);
/* An item as cbor_next() returned it (of a container or tag: its head). */
void cbor_put_item(struct buf *, const struct cbor_item *);

#endif
