/* SPDX-License-Identifier: ISC */
/* push.h - mailbox entries on their way to devices that are there. */
#ifndef STORE_PUSH_H
#define STORE_PUSH_H

#include "store/handle.h"

/* A device's link begins behind its cursor; nothing is pushed before its first credit. */
void push_start(struct handle *, uint64_t cursor);
/* This account's mailbox has something new, once the turn is committed. */
void push_touch(struct span account);
/* After the commit, and nowhere else: pushes what windows and channel take. What the channel did
 * not take goes in a later turn, which comes when it has written. */
void push_turn(void);
/* Moves the cursors of devices over entries that are not for them. */
void push_tick(void);
void on_credit(struct channel *, struct channel_msg *);
void on_done(struct channel *, struct channel_msg *);

#endif
