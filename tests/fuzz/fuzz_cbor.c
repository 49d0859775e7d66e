/* SPDX-License-Identifier: ISC */
/*
 * fuzz_cbor.c - fuzz target: the CBOR reader, writer and judge against each other.
 *
 * What must hold for any bytes: the reader accepts exactly what cbor_check() finds without
 * fault, as one item and as a sequence; what was accepted is written again to the same
 * bytes; a span that the reader gives out lies inside the input; an error stays.
 */
#include "config.h"

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "wire/cbor.h"

static int
inside(struct span in, struct span part)
{
	return part.n == 0 || (part.p >= in.p && part.p + part.n <= in.p + in.n);
}

static void
as_sequence(struct span in)
{
	enum wire_err err = cbor_check_seq(in);
	struct cbor_item item;
	struct buf out;
	struct cbor r;

	buf_init(&out, in.n + 16);
	cbor_init(&r, in);
	while (cbor_next(&r, &item)) {
		fuzz_check(inside(in, item.bytes));
		cbor_put_item(&out, &item);
	}
	fuzz_check((err == WIRE_OK) == cbor_done(&r));
	fuzz_check((err == WIRE_OK) == (r.err == WIRE_OK));
	if (err == WIRE_OK)
		fuzz_check(!buf_failed(&out) && span_eq(buf_span(&out), in));
	else
		fuzz_check(!cbor_next(&r, &item) && !cbor_skip(&r, NULL));
	buf_clear(&out);
}

static void
as_one(struct span in)
{
	enum wire_err err = cbor_check(in);
	struct span raw;
	struct cbor r;
	int ok;

	cbor_init(&r, in);
	ok = cbor_skip(&r, &raw);
	fuzz_check((ok && cbor_done(&r)) == (err == WIRE_OK));
	if (ok)
		fuzz_check(inside(in, raw) && raw.p == in.p && raw.n > 0);
	fuzz_check(err <= WIRE_UNSUPPORTED);
}

/* Reads a text or string and writes it again. */
static int
typed_string(struct cbor *r, struct span in, struct buf *out, bool text)
{
	struct span s = {0};

	if (!(text ? cbor_tstr(r, &s) : cbor_bstr(r, &s)))
		return 0;
	fuzz_check(inside(in, s));
	if (text)
		cbor_put_tstr(out, s);
	else
		cbor_put_bstr(out, s);
	return 1;
}

/* Reads a number without sign, a head or a tag and writes it again. */
static int
typed_number(struct cbor *r, enum cbor_type type, struct buf *out)
{
	static const struct {
		bool (*get)(struct cbor *, uint64_t *);
		void (*put)(struct buf *, uint64_t);
	} kinds[] = {
	    [CBOR_UINT] = {cbor_uint, cbor_put_uint},
	    [CBOR_ARRAY] = {cbor_array, cbor_put_array},
	    [CBOR_MAP] = {cbor_map, cbor_put_map},
	    [CBOR_TAG] = {cbor_tag, cbor_put_tag},
	};
	uint64_t n = 0;

	if (!kinds[type].get(r, &n))
		return 0;
	kinds[type].put(out, n);
	return 1;
}

static int
typed_negative(struct cbor *r, struct buf *out)
{
	int64_t n = 0;

	if (!cbor_int(r, &n))
		return 0;
	cbor_put_int(out, n);
	return 1;
}

static int
typed_simple(struct cbor *r, enum cbor_type type, struct buf *out)
{
	bool b = false;

	if (!(type == CBOR_NULL ? cbor_null(r) : cbor_bool(r, &b)))
		return 0;
	if (type == CBOR_NULL)
		cbor_put_null(out);
	else
		cbor_put_bool(out, b);
	return 1;
}

/* Reads the next item by the accessor of the type that peeking promised, and writes it. */
static int
typed_next(struct cbor *r, struct span in, struct buf *out)
{
	enum cbor_type type = cbor_peek(r);

	switch (type) {
	case CBOR_NONE:
		return 0;
	case CBOR_BSTR:
	case CBOR_TSTR:
		return typed_string(r, in, out, type == CBOR_TSTR);
	case CBOR_BOOL:
	case CBOR_NULL:
		return typed_simple(r, type, out);
	case CBOR_NINT:
		return typed_negative(r, out);
	default:
		return typed_number(r, type, out);
	}
}

/* Peeking and reading by type agree: no item is of another type than promised, except a
 * negative number beyond int64_t. What was read is written to the same bytes. */
static void
as_types(struct span in)
{
	struct buf out;
	struct cbor r;

	cbor_init(&r, in);
	buf_init(&out, in.n + 16);
	while (typed_next(&r, in, &out))
		continue;
	if (cbor_check_seq(in) == WIRE_OK)
		fuzz_check(cbor_done(&r) || r.err == WIRE_RANGE);
	else
		fuzz_check(!cbor_done(&r));
	fuzz_check(!cbor_done(&r) || span_eq(buf_span(&out), in));
	fuzz_check(wire_err_name(r.err)[0] != '?');
	buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	as_sequence(span_of(p, n));
	as_one(span_of(p, n));
	as_types(span_of(p, n));
	return 0;
}
