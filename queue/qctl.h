/* SPDX-License-Identifier: ISC */
/*
 * qctl.h - what emsgq asks: list, show, retry, drop.
 */
#ifndef QUEUE_QCTL_H
#define QUEUE_QCTL_H

#include "ipc/channel.h"

#define QCTL_LIST_MAX 10000 /* rows of one answer */

/* MSG_CTL_ASK. The answer to a change comes after the sync. */
void on_queue_ask(struct channel *, struct channel_msg *);
/* MSG_CTL_CANCEL: answers are complete when the request was handled; nothing to do. */
void on_queue_cancel(struct channel *, struct channel_msg *);

#endif
