/* SPDX-License-Identifier: ISC */
/* sreq.h - wire requests: doc/protocol.md section 7. */
#ifndef STORE_SREQ_H
#define STORE_SREQ_H

#include "ipc/channel.h"
#include "store/handle.h"
#include "wire/call.h"

void on_req(struct channel *, struct channel_msg *);

/* One request under way. */
struct sreq {
	uint64_t id, link;  /* of the message; echoed */
	struct handle *who; /* NULL: nobody has proved anything */
	struct span asker;  /* peers: the account that asks */
	const void *args;   /* struct of the method */
	uint64_t now;
};
/* Queues the answer for after the commit. result: encoded map, or empty. text may be NULL. */
void sreq_answer(
    uint64_t id, uint64_t link, unsigned code, struct span result, const char *text);

/* keys.get (query.c): answers now, or later when another server did. */
#define SREQ_LATER 0u
unsigned query_keys(const struct sreq *, struct buf *out);

#endif
