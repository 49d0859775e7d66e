/* SPDX-License-Identifier: ISC */
/*
 * outbox.h - answers that wait for the commit of their turn (promise 1).
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "base/role.h"
#include "wire/obj.h"

/* Queues a message (the struct of its type; copied). It leaves if the turn commits; else an
 * answer leaves with code "storage" in its place and everything else is dropped. */
void outbox_add(enum role to, uint16_t type, uint64_t id, const void *body);
/* The neighbour is gone: forgets what was for it. */
void outbox_drop(enum role to);
/* Sends and forgets everything. */
void outbox_send(bool committed);
bool outbox_empty(void);

#endif
