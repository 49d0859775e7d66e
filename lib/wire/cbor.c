/* SPDX-License-Identifier: ISC */
/*
 * cbor.c - deterministic CBOR: the pull reader and the writer.
 *
 * The reader is a cursor over borrowed bytes with one small record per open container. The
 * record counts what is still to come, so that a container closes by itself, and remembers
 * the last key of a map, so that order and uniqueness are checked wherever a key ends,
 * whoever reads it. Nothing is allocated, nothing is recursive.
 *
 * Called by obj.c and wframe.c for everything that comes over a link, and directly where an
 * object is not a table (COSE, message content). It fails by setting r->err once; it neither
 * logs nor exits, whatever the input is.
 *
 * The writer appends to a struct buf, which keeps the failure if it does not fit.
 */
#include "wire/cbor.h"

#include "base/text.h"

enum {
	MAJOR_UINT,
	MAJOR_NINT,
	MAJOR_BSTR,
	MAJOR_TSTR,
	MAJOR_ARRAY,
	MAJOR_MAP,
	MAJOR_TAG,
	MAJOR_SIMPLE
};

#define INFO_INDEFINITE 31
#define SIMPLE_FALSE 20
#define SIMPLE_TRUE 21
#define SIMPLE_NULL 22
#define TAG_SIGN1 18

const char *
wire_err_name(enum wire_err err)
{
	static const char *const names[] = {
	    "ok", "malformed", "nondeterministic", "unsupported", "missing", "range"};

	return (size_t)err < sizeof(names) / sizeof(names[0]) ? names[err] : "?";
}

static uint64_t
big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

bool
cbor_head(struct span in, struct cbor_head *h)
{
	/* The least value that needs 1, 2, 4 and 8 bytes. */
	static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
	size_t more;

	if (in.n == 0)
		return false;
	h->major = in.p[0] >> 5;
	h->info = in.p[0] & 0x1f;
	h->value = h->info;
	h->n = 1;
	h->shortest = true;
	if (h->info < 24 || h->info == INFO_INDEFINITE)
		return true;
	if (h->info > 27)
		return false;
	more = (size_t)1 << (h->info - 24);
	if (in.n - 1 < more)
		return false;
	h->value = big_endian(in.p + 1, more);
	h->n += more;
	h->shortest = h->major == MAJOR_SIMPLE || h->value >= least[h->info - 24];
	return true;
}

void
cbor_init(struct cbor *r, struct span in)
{
	r->p = in.p;
	r->end = in.n > 0 ? in.p + in.n : in.p;
	r->depth = 0;
	r->err = WIRE_OK;
}

bool
cbor_fail(struct cbor *r, enum wire_err err)
{
	if (r->err == WIRE_OK)
		r->err = err;
	return false;
}

static size_t
left(const struct cbor *r)
{
	return (size_t)(r->end - r->p);
}

enum cbor_type
cbor_peek(const struct cbor *r)
{
	static const enum cbor_type types[] = {
	    CBOR_UINT, CBOR_NINT, CBOR_BSTR, CBOR_TSTR, CBOR_ARRAY, CBOR_MAP, CBOR_TAG};
	unsigned major, info;

	if (r->err != WIRE_OK || left(r) == 0)
		return CBOR_NONE;
	major = *r->p >> 5;
	info = *r->p & 0x1f;
	if (major < MAJOR_SIMPLE)
		return types[major];
	if (info == SIMPLE_FALSE || info == SIMPLE_TRUE)
		return CBOR_BOOL;
	return info == SIMPLE_NULL ? CBOR_NULL : CBOR_NONE;
}

static bool
ascends(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c < 0 || (c == 0 && a.n < b.n);
}

static void
item_begin(struct cbor *r)
{
	struct cbor_level *lv;

	if (r->depth == 0)
		return;
	lv = &r->level[r->depth - 1];
	if (lv->map && lv->left % 2 == 0)
		lv->start = r->p;
}

/* An item is complete: counts it, judges it if it was a key, closes what it completed. */
static bool
item_end(struct cbor *r)
{
	while (r->depth > 0) {
		struct cbor_level *lv = &r->level[r->depth - 1];

		lv->left--;
		if (lv->map && lv->left % 2 == 1) {
			struct span key = span_of(lv->start, (size_t)(r->p - lv->start));

			if (!ascends(lv->key, key))
				return cbor_fail(r, WIRE_NONDETERMINISTIC);
			lv->key = key;
		}
		if (lv->left > 0)
			break;
		r->depth--;
	}
	return true;
}

/* Opens a container of this many items, which each take a byte at least. */
static bool
enter(struct cbor *r, uint64_t items, bool map)
{
	struct cbor_level *lv;

	if (items == 0)
		return item_end(r);
	if (r->depth == CBOR_DEPTH)
		return cbor_fail(r, WIRE_UNSUPPORTED);
	lv = &r->level[r->depth++];
	lv->left = items;
	lv->map = map;
	lv->start = r->p;
	lv->key = span_of(NULL, 0);
	return true;
}

static bool
next_string(struct cbor *r, const struct cbor_head *h, struct cbor_item *out)
{
	if (h->value > left(r))
		return cbor_fail(r, WIRE_MALFORMED);
	out->type = h->major == MAJOR_BSTR ? CBOR_BSTR : CBOR_TSTR;
	out->bytes = span_of(r->p, (size_t)h->value);
	if (h->major == MAJOR_TSTR && !utf8_valid(out->bytes))
		return cbor_fail(r, WIRE_MALFORMED);
	r->p += h->value;
	return item_end(r);
}

static bool
next_container(struct cbor *r, const struct cbor_head *h, struct cbor_item *out)
{
	switch (h->major) {
	case MAJOR_ARRAY:
		out->type = CBOR_ARRAY;
		if (h->value > left(r))
			return cbor_fail(r, WIRE_MALFORMED);
		return enter(r, h->value, false);
	case MAJOR_MAP:
		out->type = CBOR_MAP;
		if (h->value > left(r) / 2)
			return cbor_fail(r, WIRE_MALFORMED);
		return enter(r, h->value * 2, true);
	default:
		out->type = CBOR_TAG;
		if (h->value != TAG_SIGN1)
			return cbor_fail(r, WIRE_UNSUPPORTED);
		return enter(r, 1, false);
	}
}

static bool
next_simple(struct cbor *r, const struct cbor_head *h, struct cbor_item *out)
{
	if (h->info == SIMPLE_NULL) {
		out->type = CBOR_NULL;
		out->value = 0;
	} else if (h->info == SIMPLE_FALSE || h->info == SIMPLE_TRUE) {
		out->type = CBOR_BOOL;
		out->value = h->info == SIMPLE_TRUE;
	} else
		return cbor_fail(r,
		    h->info == 24 && h->value < 32 ? WIRE_MALFORMED : WIRE_UNSUPPORTED);
	return item_end(r);
}

bool
cbor_next(struct cbor *r, struct cbor_item *out)
{
	struct cbor_head h;

	if (r->err != WIRE_OK || (left(r) == 0 && r->depth == 0))
		return false;
	if (!cbor_head(span_of(r->p, left(r)), &h))
		return cbor_fail(r, WIRE_MALFORMED);
	if (h.info == INFO_INDEFINITE)
		return cbor_fail(r,
		    h.major >= MAJOR_BSTR && h.major <= MAJOR_MAP ? WIRE_NONDETERMINISTIC
								  : WIRE_MALFORMED);
	if (!h.shortest)
		return cbor_fail(r, WIRE_NONDETERMINISTIC);
	item_begin(r);
	r->p += h.n;
	out->value = h.value;
	out->bytes = span_of(NULL, 0);
	switch (h.major) {
	case MAJOR_UINT:
	case MAJOR_NINT:
		out->type = h.major == MAJOR_UINT ? CBOR_UINT : CBOR_NINT;
		return item_end(r);
	case MAJOR_BSTR:
	case MAJOR_TSTR:
		return next_string(r, &h, out);
	case MAJOR_SIMPLE:
		return next_simple(r, &h, out);
	default:
		return next_container(r, &h, out);
	}
}

static bool
expect(struct cbor *r, enum cbor_type type, struct cbor_item *out)
{
	if (!cbor_next(r, out))
		return cbor_fail(r, WIRE_MALFORMED);
	return out->type == type || cbor_fail(r, WIRE_RANGE);
}

static bool
expect_value(struct cbor *r, enum cbor_type type, uint64_t *out)
{
	struct cbor_item item;

	if (!expect(r, type, &item))
		return false;
	*out = item.value;
	return true;
}

static bool
expect_bytes(struct cbor *r, enum cbor_type type, struct span *out)
{
	struct cbor_item item;

	if (!expect(r, type, &item))
		return false;
	*out = item.bytes;
	return true;
}

bool
cbor_uint(struct cbor *r, uint64_t *out)
{
	return expect_value(r, CBOR_UINT, out);
}

bool
cbor_int(struct cbor *r, int64_t *out)
{
	struct cbor_item item;

	if (!cbor_next(r, &item))
		return cbor_fail(r, WIRE_MALFORMED);
	if ((item.type != CBOR_UINT && item.type != CBOR_NINT) || item.value > INT64_MAX)
		return cbor_fail(r, WIRE_RANGE);
	*out = item.type == CBOR_UINT ? (int64_t)item.value : -1 - (int64_t)item.value;
	return true;
}

bool
cbor_bstr(struct cbor *r, struct span *out)
{
	return expect_bytes(r, CBOR_BSTR, out);
}

bool
cbor_tstr(struct cbor *r, struct span *out)
{
	return expect_bytes(r, CBOR_TSTR, out);
}

bool
cbor_bool(struct cbor *r, bool *out)
{
	uint64_t v;

	if (!expect_value(r, CBOR_BOOL, &v))
		return false;
	*out = v == 1;
	return true;
}

bool
cbor_null(struct cbor *r)
{
	struct cbor_item item;

	return expect(r, CBOR_NULL, &item);
}

bool
cbor_array(struct cbor *r, uint64_t *count)
{
	return expect_value(r, CBOR_ARRAY, count);
}

bool
cbor_map(struct cbor *r, uint64_t *pairs)
{
	return expect_value(r, CBOR_MAP, pairs);
}

bool
cbor_tag(struct cbor *r, uint64_t *tag)
{
	return expect_value(r, CBOR_TAG, tag);
}

bool
cbor_skip(struct cbor *r, struct span *raw)
{
	const uint8_t *start = r->p;
	unsigned base = r->depth;
	struct cbor_item item;

	do {
		if (!cbor_next(r, &item))
			return cbor_fail(r, WIRE_MALFORMED);
	} while (r->depth > base);
	if (raw != NULL)
		*raw = span_of(start, (size_t)(r->p - start));
	return true;
}

bool
cbor_done(const struct cbor *r)
{
	return r->err == WIRE_OK && r->depth == 0 && left(r) == 0;
}

static void
put_head(struct buf *b, unsigned major, uint64_t v)
{
	uint8_t top = (uint8_t)(major << 5);

	if (v < 24) {
		buf_put_u8(b, top | (uint8_t)v);
	} else if (v <= UINT8_MAX) {
		buf_put_u8(b, top | 24);
		buf_put_u8(b, (uint8_t)v);
	} else if (v <= UINT16_MAX) {
		buf_put_u8(b, top | 25);
		buf_put_u16(b, (uint16_t)v);
	} else if (v <= UINT32_MAX) {
		buf_put_u8(b, top | 26);
		buf_put_u32(b, (uint32_t)v);
	} else {
		buf_put_u8(b, top | 27);
		buf_put_u64(b, v);
	}
}

void
cbor_put_uint(struct buf *b, uint64_t v)
{
	put_head(b, MAJOR_UINT, v);
}

void
cbor_put_nint(struct buf *b, uint64_t argument)
{
	put_head(b, MAJOR_NINT, argument);
}

void
cbor_put_int(struct buf *b, int64_t v)
{
	if (v < 0)
		put_head(b, MAJOR_NINT, (uint64_t)(-1 - v));
	else
		put_head(b, MAJOR_UINT, (uint64_t)v);
}

void
cbor_put_bstr(struct buf *b, struct span s)
{
	put_head(b, MAJOR_BSTR, s.n);
	buf_put_span(b, s);
}

void
cbor_put_tstr(struct buf *b, struct span s)
{
	put_head(b, MAJOR_TSTR, s.n);
	buf_put_span(b, s);
}

void
cbor_put_array(struct buf *b, uint64_t count)
{
	put_head(b, MAJOR_ARRAY, count);
}

void
cbor_put_map(struct buf *b, uint64_t pairs)
{
	put_head(b, MAJOR_MAP, pairs);
}

void
cbor_put_tag(struct buf *b, uint64_t tag)
{
	put_head(b, MAJOR_TAG, tag);
}

void
cbor_put_bool(struct buf *b, bool v)
{
	put_head(b, MAJOR_SIMPLE, v ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void
cbor_put_null(struct buf *b)
{
	put_head(b, MAJOR_SIMPLE, SIMPLE_NULL);
}

void
cbor_put_item(struct buf *b, const struct cbor_item *item)
{
	switch (item->type) {
	case CBOR_BSTR:
		cbor_put_bstr(b, item->bytes);
		break;
	case CBOR_TSTR:
		cbor_put_tstr(b, item->bytes);
		break;
	case CBOR_BOOL:
		cbor_put_bool(b, item->value == 1);
		break;
	case CBOR_NULL:
		cbor_put_null(b);
		break;
	case CBOR_NONE:
		break;
	default: /* the other types are numbered as the major types */
		put_head(b, (unsigned)item->type, item->value);
	}
}
