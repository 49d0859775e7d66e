/* SPDX-License-Identifier: ISC */
/*
 * carry.h - what one link carries: items waiting for credit, items and requests in flight.
 *
 * Knows frames, not connections: outbound.c owns the connection, feeds frames in and takes
 * bytes out. Everything here goes back to queue or store when the link ends.
 */
#ifndef RELAY_CARRY_H
#define RELAY_CARRY_H

#include <sys/queue.h>

#include "base/buf.h"
#include "ipc/msgs.h"
#include "wire/proto.h"

#define CARRY_BATCH 65536u /* bytes of frames put into one WebSocket message */
#define CARRY_QUERY_MS 15000u
#define CARRY_STALL_MS 120000u /* items wait or fly and no result comes */

struct carry_item;
struct carry_query;
TAILQ_HEAD(carry_items, carry_item);
TAILQ_HEAD(carry_queries, carry_query);

struct carry {
	struct carry_items waiting;   /* owned: in order of arrival */
	struct carry_items flying;    /* owned: sent, not fully answered */
	struct carry_queries queries; /* owned: waiting or sent */
	uint64_t next_id;
	uint64_t window_items, window_bytes; /* granted by the peer */
	uint64_t flying_items, flying_bytes;
	uint64_t moved_at; /* the first item came, or the last result */
};

void carry_init(struct carry *);
/* Gives everything back: items with MSG_SEND_FAIL and that code, requests with a res of it if
 * it is temporary, else with peer-unreachable. */
void carry_fail(struct carry *, uint16_t code, const char *text);
/* The queue is gone and will send again: forgets items, answers nobody. */
void carry_forget_items(struct carry *);
/* The store is gone: forgets requests. */
void carry_forget_queries(struct carry *);
/* Nothing waits and nothing is in flight. */
bool carry_idle(const struct carry *);
/* There are items, and nothing has become of any of them for CARRY_STALL_MS. */
bool carry_stalled(const struct carry *, uint64_t now);

/* Takes an item of queue, or a request of store (ask: id of its message). False if the item
 * cannot be encoded or the request is malformed; it was answered then. */
bool carry_item(struct carry *, const struct m_send *, uint64_t now);
bool carry_query(struct carry *, uint64_t ask, struct span req, uint64_t now);
/* Answers what no link could take. */
void carry_refuse_item(uint64_t qid, uint16_t code, const char *text);
void carry_refuse_query(uint64_t ask, uint16_t code, const char *text);
/* Sets the peer's window. */
void carry_window(struct carry *, uint64_t items, uint64_t bytes);
/* Appends frames that may go now, at most CARRY_BATCH bytes unless one frame is larger. False
 * if there was nothing. */
bool carry_write(struct carry *, struct buf *out);
/* Takes a result or res frame. NULL, or what is wrong with it: the link must end. */
const char *carry_result(struct carry *, const struct wframe *, uint64_t now);
const char *carry_res(struct carry *, const struct wframe *);
/* Ends requests that were never answered. */
void carry_tick(struct carry *, uint64_t now);

#endif
