/* SPDX-License-Identifier: ISC */
/*
 * inbox.h - what the server pushes: opened, judged, stored; confirmed after the commit.
 */
#ifndef LIBEMSG_INBOX_H
#define LIBEMSG_INBOX_H

#include "session.h"

#define INBOX_HELD_MAX 4096 /* messages that wait for their sender's keys */
#define INBOX_HELD_MS (30ULL * 24 * 3600 * 1000)
/* Notes: how many pushed messages could not be shown, and why not the last (unseal_result). */
#define INBOX_LOST "lost"
#define INBOX_LOST_WHY "lost-why"

/* Takes one push into the open transaction. 0 or -1. */
int inbox_on_push(struct emsg *, struct span body);
/* Commits what came and confirms it. 0 or -1. */
int inbox_settle(struct emsg *);
/* The keys of that account came: what waited for them is judged again. 0 or -1. */
int inbox_retry(struct emsg *, struct span account);
/* Turns receipts that are due into messages. 0 or -1. */
int inbox_send_receipts(struct emsg *);
/* Notes that a receipt is due for a message. 0 or -1. */
int inbox_receipt(
    struct emsg *, struct span peer, const uint8_t name[32], unsigned status);

#endif
