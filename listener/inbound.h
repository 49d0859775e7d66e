/* SPDX-License-Identifier: ISC */
/*
 * inbound.h - what comes in on a link: one table of frames and states.
 */
#ifndef LISTENER_INBOUND_H
#define LISTENER_INBOUND_H

#include "listener/inlink.h"

/* What a frame's handler says: go on, or wait (another process has no room: nothing was done,
 * the same frame comes again later), or end the link with this code and text (static). */
struct verdict {
	uint16_t code;
	const char *text;
};
#define VERDICT_FINE ((struct verdict){0, NULL})
#define VERDICT_WAIT ((struct verdict){1, NULL})
#define VERDICT_BYE(c, t) ((struct verdict){c, t})

typedef struct verdict inbound_fn(struct inlink *, const struct wframe *);

/* One WebSocket message, or what was left of it. */
void inbound_message(struct inlink *, struct span);
/* The handler of a frame type on a path in a state; NULL: it may not come there. */
inbound_fn *inbound_handler(enum inlink_path, enum inlink_state, uint64_t type);

#endif
