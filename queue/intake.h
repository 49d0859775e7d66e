/* SPDX-License-Identifier: ISC */
/*
 * intake.h - taking in an item from listener.
 */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include "ipc/channel.h"

/* MSG_SUBMIT: judges the item by the handle it came with, notes it once for each domain of its
 * recipients, and answers after the sync. */
void on_submit(struct channel *, struct channel_msg *);

#endif
