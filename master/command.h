/* SPDX-License-Identifier: ISC */
/*
 * command.h - the admin requests that the master answers itself: status, reload, stop.
 */
#ifndef MASTER_COMMAND_H
#define MASTER_COMMAND_H

#include "ipc/channel.h"

/* A message from control: MSG_CTL_ASK or MSG_CTL_CANCEL. Any other is an offence. */
void command_asked(struct channel *, struct channel_msg *);
/* control is gone: forget who waits for answers. */
void command_lost(void);

#endif
