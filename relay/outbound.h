/* SPDX-License-Identifier: ISC */
/*
 * outbound.h - one link to a peer that we dial: its states, from the first item to the end.
 *
 *	DIALLING  dialer was asked for a socket
 *	OPENING   TLS and WebSocket
 *	GREETING  waits for the peer's hello
 *	SIGNING   keyd was asked for our proof
 *	PROVING   our auth is sent; waits for welcome
 *	CHECKING  store judges the peer's proof
 *	UP        items and requests flow
 *
 * A link that ends gives back what it carried and is gone; the next item makes another. When
 * to try again is queue's decision.
 */
#ifndef RELAY_OUTBOUND_H
#define RELAY_OUTBOUND_H

#include "ipc/msgs.h"

#define OUTBOUND_MAX 4096        /* links at a time */
#define OUTBOUND_IDLE_MS 600000u /* a link without work ends in order */

/* Takes an item of queue; makes the link if there is none. */
void outbound_send(const struct m_send *);
/* Takes a request of store; ask: the id of its message. */
void outbound_query(uint64_t ask, const struct m_query *);
/* Sends what was gathered in this turn of the loop. */
void outbound_turn(void);
void outbound_tick(uint64_t now);
/* The queue was restarted: it will send everything again. */
void outbound_queue_gone(void);
void outbound_store_gone(void);
/* Ends all links in order; new ones are refused from now on. */
void outbound_stop(void);
/* Every bye has gone out and every connection has ended. */
bool outbound_none(void);
size_t outbound_count(void);

#endif
