/* SPDX-License-Identifier: ISC */
/* peer.h - servers that prove themselves, on links to us and on links from us. */
#ifndef STORE_PEER_H
#define STORE_PEER_H

#include "base/role.h"
#include "ipc/channel.h"

void on_peer_auth(struct channel *, struct channel_msg *);
void on_peer_check(struct channel *, struct channel_msg *);
/* A neighbour is gone: proofs that came from it need no answer. */
void peer_gone(enum role);
/* The configuration has changed: links of servers under another root than its pin end. */
void peer_reload(void);

#endif
