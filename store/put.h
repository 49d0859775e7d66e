/* SPDX-License-Identifier: ISC */
/* put.h - items for accounts of this server. */
#ifndef STORE_PUT_H
#define STORE_PUT_H

#include "ipc/channel.h"

void on_put(struct channel *, struct channel_msg *);
/* Items judged, and of these how many recipients took them: for "status". */
void put_figures(uint64_t *items, uint64_t *stored);

#endif
