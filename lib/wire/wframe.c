/* SPDX-License-Identifier: ISC */
/*
 * wframe.c - the frames in a WebSocket message.
 *
 * The iterator keeps only what is left of the message and reads each frame with a reader of
 * its own, so the body of one frame never meets the next. A body is skipped here, with all
 * checks of encoding, and decoded by its owner.
 *
 * Called by listener, relay and the client for every message in and out. Reading fails by
 * it->err; a frame that is canonical CBOR but not [uint, uint, map] is malformed as well,
 * because nothing in it could be answered. Writing fails in the buffer.
 */
#include "wire/wframe.h"

#define FRAME_FIELDS 3

void
wframe_init(struct wframe_iter *it, struct span message)
{
	it->rest = message;
	it->err = WIRE_OK;
}

static bool
read_frame(struct cbor *r, struct wframe *out)
{
	uint64_t fields;

	if (!cbor_array(r, &fields))
		return false;
	if (fields != FRAME_FIELDS)
		return cbor_fail(r, WIRE_RANGE);
	if (!cbor_uint(r, &out->type) || !cbor_uint(r, &out->id))
		return false;
	if (cbor_peek(r) != CBOR_MAP)
		return cbor_fail(r, WIRE_RANGE);
	return cbor_skip(r, &out->body);
}

bool
wframe_next(struct wframe_iter *it, struct wframe *out)
{
	struct cbor r;
	size_t used;

	if (it->err != WIRE_OK || it->rest.n == 0)
		return false;
	cbor_init(&r, it->rest);
	if (!read_frame(&r, out)) {
		enum wire_err encoding = cbor_check_seq(it->rest);

		it->err = encoding != WIRE_OK ? encoding : WIRE_MALFORMED;
		return false;
	}
	used = (size_t)(r.p - it->rest.p);
	it->rest = span_of(it->rest.p + used, it->rest.n - used);
	return true;
}

static void
put_head(struct buf *b, uint64_t type, uint64_t id)
{
	cbor_put_array(b, FRAME_FIELDS);
	cbor_put_uint(b, type);
	cbor_put_uint(b, id);
}

void
wframe_put(struct buf *b, uint64_t type, uint64_t id, struct span body)
{
	put_head(b, type, id);
	buf_put_span(b, body);
}

enum wire_err
wframe_put_obj(
    struct buf *b, uint64_t type, uint64_t id, const struct obj_def *def, const void *obj)
{
	size_t start = b->n;
	enum wire_err err;

	put_head(b, type, id);
	err = obj_encode(def, obj, b);
	if (err != WIRE_OK)
		b->n = start;
	return err;
}
