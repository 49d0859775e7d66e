/* SPDX-License-Identifier: ISC */
/*
 * dial.h - one attempt to reach a peer: look up, judge every address, connect.
 */
#ifndef DIALER_DIAL_H
#define DIALER_DIAL_H

#include "net/addrset.h"

#define DIAL_PREFIXES 64

/* Where a peer is and what is allowed, from the configuration. */
struct dial_target {
	char host[NET_HOST_MAX + 1];
	uint16_t port;
	bool allow_private;
	uint64_t timeout_ms; /* for all of it */
};
/* Addresses that may be dialled although they are not public. */
struct dial_policy {
	struct net_prefix allowed[DIAL_PREFIXES];
	size_t n;
};

struct dial;
struct event_base;
/* fd is a connected TCP socket that the callee owns, and addr where it leads; or -1 and a
 * static text. Called once, from the loop. */
typedef void dial_done(void *arg, int fd, const struct net_addr *addr, const char *err);

/* True if the policy lets this address be dialled for this target. */
bool dial_allowed(
    const struct dial_policy *, const struct dial_target *, const struct net_addr *);
/* Starts. policy is borrowed until done. NULL if too many attempts are under way. */
struct dial *dial_start(struct event_base *, const struct dial_target *,
    const struct dial_policy *, dial_done *, void *arg);
/* Gives up without calling done. */
void dial_cancel(struct dial *);

#endif
