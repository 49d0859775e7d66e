/* SPDX-License-Identifier: ISC */
/* slogin.h - devices that prove themselves. */
#ifndef STORE_SLOGIN_H
#define STORE_SLOGIN_H

#include "ipc/channel.h"

void on_nonce_ask(struct channel *, struct channel_msg *);
void on_login(struct channel *, struct channel_msg *);

#endif
