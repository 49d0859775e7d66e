/* SPDX-License-Identifier: ISC */
/*
 * xmppdev.h - one XMPP client (RFC 6120, 6121) of the load generator, over direct TLS 1.3.
 *
 * Life: xmppdev_new -> xmppdev_connect -> on_ready (logged in, presence sent) -> on_body ...
 * -> xmppdev_free. Everything that goes wrong with the link ends in on_failed.
 */
#ifndef BENCH_XMPPDEV_H
#define BENCH_XMPPDEV_H

#include <netinet/in.h>
#include <openssl/types.h>

#include "base/buf.h"

#define XMPPDEV_NAME_MAX 256 /* bytes of a domain or user with terminator */

struct event_base;
struct xmppdev;

struct xmppserver {
	char domain[XMPPDEV_NAME_MAX];
	struct sockaddr_in addr;
};
struct xmppenv {
	struct event_base *base;
	SSL_CTX *tls;
};
struct xmppdev_ops {
	void (*on_ready)(struct xmppdev *, void *arg);
	/* The text of a message's body. */
	void (*on_body)(struct xmppdev *, struct span, void *arg);
	/* All input that was there is handled. */
	void (*on_turn)(struct xmppdev *, void *arg);
	void (*on_failed)(struct xmppdev *, const char *why, void *arg);
};

/* user: NULL for SASL ANONYMOUS; else an account that is made first (XEP-0077) and then
 * logged in by SASL PLAIN. domain: that of the stream. Both are copied, the rest is borrowed. */
struct xmppdev *xmppdev_new(struct xmppenv *, const struct xmppserver *,
    const char *domain, const char *user, const struct xmppdev_ops *, void *arg);
/* NULL-safe; may not be called from its own callbacks. */
void xmppdev_free(struct xmppdev *);
/* -1 with errno. */
int xmppdev_connect(struct xmppdev *);
bool xmppdev_ready(const struct xmppdev *);
/* Appends a chat message to what goes out with the next flush. text needs no escaping. */
void xmppdev_message(struct xmppdev *, const char *to, struct span text);
void xmppdev_flush(struct xmppdev *);

#endif
