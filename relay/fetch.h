/* SPDX-License-Identifier: ISC */
/*
 * fetch.h - getting a peer's domain document from its own address, for store.
 */
#ifndef RELAY_FETCH_H
#define RELAY_FETCH_H

#include "ipc/msgs.h"

#define FETCH_MAX 64 /* at a time; one more is answered "busy" */

/* Begins; store gets MSG_DOC with this id in any case, unless it is restarted meanwhile. */
void fetch_start(uint64_t id, struct span domain);
size_t fetch_count(void);

#endif
