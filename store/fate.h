/* SPDX-License-Identifier: ISC */
/* fate.h - what became of messages that devices of this server sent. */
#ifndef STORE_FATE_H
#define STORE_FATE_H

#include "ipc/channel.h"

void on_fate(struct channel *, struct channel_msg *);
/* Before the commit: writes one mailbox entry for each device that has fates. */
void fate_turn(void);

#endif
