/* SPDX-License-Identifier: ISC */
/*
 * deliver.h - handing items to relay, and what comes back.
 */
#ifndef QUEUE_DELIVER_H
#define QUEUE_DELIVER_H

#include "ipc/channel.h"
#include "queue/item.h"

/* Hands to relay what the schedule has and the channel takes; gives up what has expired. Once a
 * turn, before the commit. */
void deliver_run(void);
/* The relay process is gone: what was in flight is queued again. */
void deliver_recall(void);

/* MSG_SENT: outcomes of one item, for some or all recipients. */
void on_sent(struct channel *, struct channel_msg *);
/* MSG_SEND_FAIL: the item did not reach the peer. */
void on_send_fail(struct channel *, struct channel_msg *);
/* MSG_PEER_UP, MSG_PEER_DOWN: a link was proved, or has ended. */
void on_peer_up(struct channel *, struct channel_msg *);
void on_peer_down(struct channel *, struct channel_msg *);

#endif
