/* SPDX-License-Identifier: ISC */
/*
 * resolve.h - names to addresses, each look-up in a child process of its own.
 *
 * getaddrinfo(3) honours /etc/hosts, resolv.conf and nsswitch, and blocks; a child makes it
 * harmless and keeps what it parses away from us. At most RESOLVE_CHILDREN run at a time,
 * the rest wait in order.
 */
#ifndef DIALER_RESOLVE_H
#define DIALER_RESOLVE_H

#include "net/addrset.h"

#define RESOLVE_CHILDREN 8
#define RESOLVE_WAITING 1024 /* look-ups that wait; one more is refused */
#define RESOLVE_ADDRS 16     /* addresses taken from an answer */

struct event_base;
struct resolve;

/* n addresses with the port set (n may be 0: the name has none); err is NULL, or a static text
 * if the look-up failed. Called once, from the loop. */
typedef void resolve_done(
    void *arg, const struct net_addr *addrs, size_t n, const char *err);

void resolve_init(struct event_base *);
/* Starts a look-up that ends after timeout_ms at the latest. An address literal is answered
 * without a child, but still from the loop. NULL if too many wait. */
struct resolve *resolve_start(
    const char *host, uint16_t port, uint64_t timeout_ms, resolve_done *, void *arg);
/* Takes it back: done will not be called. Not after done was called. */
void resolve_cancel(struct resolve *);
/* How many look-ups wait or run. */
size_t resolve_count(void);

#endif
