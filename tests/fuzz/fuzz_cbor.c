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

/* Reads the next item by the accessor of the type that peeking promised. */
static int
typed_next(struct cbor *r, struct span in)
{
	struct span s = {0};
	uint64_t u;
	int64_t i;
	bool b;

	switch (cbor_peek(r)) {
	case CBOR_UINT:
		return cbor_uint(r, &u);
	case CBOR_NINT:
		return cbor_int(r, &i);
	case CBOR_BSTR:
		return cbor_bstr(r, &s) && inside(in, s);
	case CBOR_TSTR:
		return cbor_tstr(r, &s) && inside(in, s);
	case CBOR_ARRAY:
		return cbor_array(r, &u);
	case CBOR_MAP:
		return cbor_map(r, &u);
	case CBOR_TAG:
		return cbor_tag(r, &u);
	case CBOR_BOOL:
		return cbor_bool(r, &b);
	case CBOR_NULL:
		return cbor_null(r);
	default:
		return 0;
	}
}

/* Peeking and reading by type agree: no item is of another type than promised, except a
 * negative number beyond int64_t. */
static void
as_types(struct span in)
{
	struct cbor r;

	cbor_init(&r, in);
	while (typed_next(&r, in))
		continue;
	if (cbor_check_seq(in) == WIRE_OK)
		fuzz_check(cbor_done(&r) || r.err == WIRE_RANGE);
	else
		fuzz_check(!cbor_done(&r));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	as_sequence(span_of(p, n));
	as_one(span_of(p, n));
	as_types(span_of(p, n));
	return 0;
}
