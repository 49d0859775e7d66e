/* SPDX-License-Identifier: ISC */
/*
 * fuzz_frames.c - fuzz target: the frames in a message.
 *
 * What must hold for any bytes: every frame lies inside the message and its body is one
 * canonical item; the frames of a good message, written again, are the message; a message
 * that is refused is refused for a reason that cbor_check_seq() shares.
 */
#include "config.h"

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "wire/proto.h"
#include "wire/wframe.h"

/* A body that happens to be a credit goes back into a frame of its own. */
static void
put_object(const struct wframe *f)
{
	struct p_credit credit;
	struct buf out;

	if (obj_decode(&p_credit_def, f->body, &credit) != WIRE_OK)
		return;
	buf_init(&out, f->body.n + 32);
	fuzz_check(
	    wframe_put_obj(&out, f->type, f->id, &p_credit_def, &credit) == WIRE_OK);
	fuzz_check(!buf_failed(&out) && cbor_check_seq(buf_span(&out)) == WIRE_OK);
	buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of(p, n);
	struct wframe_iter it;
	struct wframe f;
	struct buf out;

	buf_init(&out, n + 32);
	wframe_init(&it, in);
	while (wframe_next(&it, &f)) {
		fuzz_check(f.body.p >= p && f.body.p + f.body.n <= p + n);
		fuzz_check(cbor_check(f.body) == WIRE_OK);
		wframe_put(&out, f.type, f.id, f.body);
		put_object(&f);
	}
	if (it.err == WIRE_OK) {
		fuzz_check(cbor_check_seq(in) == WIRE_OK);
		fuzz_check(span_eq(buf_span(&out), in));
	} else
		fuzz_check(!wframe_next(&it, &f));
	buf_clear(&out);
	return 0;
}
