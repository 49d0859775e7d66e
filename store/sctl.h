/* SPDX-License-Identifier: ISC */
/* sctl.h - admin requests: user ..., invite create, peer list. */
#ifndef STORE_SCTL_H
#define STORE_SCTL_H

#include "ipc/channel.h"

void on_ctl_ask(struct channel *, struct channel_msg *);
void on_ctl_cancel(struct channel *, struct channel_msg *);
/* Keyd's current domain document: invitations carry the pin of its root key. */
void on_doc_own(struct channel *, struct channel_msg *);
/* Goes on with listings. */
void sctl_turn(void);
/* Control is gone: so are its listings. */
void sctl_gone(void);

#endif
