/* SPDX-License-Identifier: ISC */
/*
 * link.h - a WebSocket over one TLS connection: conn, http and ws put together.
 *
 * Server: link_accept -> on_request (say yes or no) -> on_open -> on_message ... -> on_close.
 * Client: link_connect -> on_open -> on_message ... -> on_close, or
 *	   link_fetch -> on_document -> on_close.
 * on_close comes at most once, is the last callback and does not free; link_free() may be
 * called at any time, also in a callback. Call link_established() after the login.
 * Pings are answered here; a quiet link is pinged.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net/conn.h"
#include "net/http.h"
#include "net/ws.h"

struct link;

/* The answer to a request. Comes preset to 404 without a body. */
struct link_answer {
	unsigned status;       /* 101 to accept an upgrade, else a plain answer */
	enum http_proto proto; /* with 101: the subprotocol, as offered, or none */
	const char *type;      /* else: content type; may be NULL without a body */
	struct span body;      /* else: at most HTTP_BODY_MAX bytes, copied */
};

struct link_end {
	enum conn_reason reason; /* how the connection ended */
	unsigned code;    /* WebSocket close code; WS_CODE_ABNORMAL if there was none */
	bool remote;      /* the code is the other side's, not ours */
	bool opened;      /* on_open (or on_document) had come */
	unsigned status;  /* HTTP status that refused us or that we refused with; or 0 */
	const char *text; /* details, valid during the callback; "" if none */
};

struct link_ops {
	/* Server: host was checked against the TLS domain. Fill in the answer. */
	void (*on_request)(
	    struct link *, const struct http_request *, struct link_answer *, void *arg);
	void (*on_open)(struct link *, void *arg);
	/* One whole binary message, valid until the handler returns. */
	void (*on_message)(struct link *, struct span, void *arg);
	/* link_fetch: the document (status 200 only). */
	void (*on_document)(struct link *, struct span body, void *arg);
	void (*on_full)(struct link *, void *arg);    /* may be NULL */
	void (*on_drained)(struct link *, void *arg); /* may be NULL */
	void (*on_close)(struct link *, const struct link_end *, void *arg);
};

/* As conn_accept() and conn_connect(). The message limit begins with WS_LIMIT_LOGIN. */
struct link *link_accept(struct event_base *, int fd, struct tls_server *,
    const char *peer, const struct conn_limits *, const struct link_ops *, void *arg);
/* Where a client goes. Strings are borrowed during the call. */
struct link_target {
	const char *name;      /* domain: SNI, Host, certificate; <= 253 bytes */
	const char *path;      /* HTTP_PATH_... */
	enum http_proto proto; /* link_connect only */
	enum tls_verify verify;
	const char *peer; /* text of the address */
};
struct link *link_connect(struct event_base *, int fd, struct tls_client *,
    const struct link_target *, const struct conn_limits *, const struct link_ops *,
    void *arg);
struct link *link_fetch(struct event_base *, int fd, struct tls_client *,
    const struct link_target *, const struct conn_limits *, const struct link_ops *,
    void *arg);
/* Ends at once. NULL-safe. */
void link_free(struct link *);
/* Sends a close frame and ends in order; on_close follows. reason may be NULL. */
void link_close(struct link *, enum ws_code, const char *reason);

/* Sends one binary message. -1 if not open or beyond out_max (on_close follows then). */
int link_send(struct link *, struct span);
/* The login is through: ends the set-up deadline and sets the message limit. */
void link_established(struct link *, size_t message_limit);
/* No more on_message until resume. Counts, as conn_pause(). */
void link_pause(struct link *);
void link_resume(struct link *);
size_t link_unsent(const struct link *);
/* The connection below: exporter, peer text, domain, verification. Not for reading or
 * writing. */
struct conn *link_conn(struct link *);
void *link_arg(const struct link *);

#endif
