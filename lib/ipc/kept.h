/* SPDX-License-Identifier: ISC */
/*
 * kept.h - messages that came while channel_call() waited for another one, oldest first.
 * Used by channel.c only.
 */
#ifndef IPC_KEPT_H
#define IPC_KEPT_H

#include "ipc/frame.h"

#define KEPT_MAX 256 /* messages put by at a time */

struct kept_message;

struct kept {
	struct kept_message *first, **end; /* owned */
	struct kept_message *taken;        /* owned: the last one that was taken out */
	unsigned n;
};

void kept_init(struct kept *);
void kept_clear(struct kept *);
/* Copies a message. NULL, or (static text) why it cannot be put by: it carries a descriptor,
 * or there are KEPT_MAX already. */
const char *kept_put(struct kept *, const struct frame_msg *);
/* The oldest; its payload is borrowed until the next call. False if there is none. */
bool kept_take(struct kept *, struct frame_msg *);

#endif
