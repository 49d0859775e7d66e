/* SPDX-License-Identifier: ISC */
/*
 * wframe.h - the frames in a WebSocket message.
 *
 * A message is a CBOR sequence (RFC 8742) of frames; a frame is the deterministic array
 * [type: uint, id: uint, body: map]. The body is decoded with obj_decode() by whoever knows
 * the type.
 */
#ifndef WIRE_WFRAME_H
#define WIRE_WFRAME_H

#include "wire/cbor.h"
#include "wire/obj.h"

struct wframe {
	uint64_t type;
	uint64_t id;
	struct span body; /* borrowed: encoding of the map */
};

struct wframe_iter {
	struct span rest; /* borrowed: what was not read yet */
	enum wire_err err;
};

/* Walks over the frames of one message, which must outlive the walk. */
void wframe_init(struct wframe_iter *, struct span message);
/* The next frame, its body known to be canonical. False at the end (it->err is WIRE_OK) and
 * on error, after which the message has no meaning any more. An empty message has none. */
bool wframe_next(struct wframe_iter *, struct wframe *);
/* Appends a frame around an encoded body. */
void wframe_put(struct buf *, uint64_t type, uint64_t id, struct span body);
/* Appends a frame around an object. After WIRE_RANGE the buffer is as it was before. */
enum wire_err wframe_put_obj(
    struct buf *, uint64_t type, uint64_t id, const struct obj_def *, const void *);

#endif
