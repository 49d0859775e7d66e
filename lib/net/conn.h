/* SPDX-License-Identifier: ISC */
/*
 * conn.h - one TLS 1.3 connection on a libevent loop: bytes in, bytes out, bounded.
 *
 * Life: conn_accept/conn_connect -> on_open -> on_read ... -> on_close -> conn_free.
 * on_close comes at most once, is the last callback, and does not free. conn_free() may be
 * called at any time, also inside a callback; no callback comes after it.
 * Whoever uses a connection must call conn_established() when its handshake AND its login are
 * through: until then the whole set-up runs against one deadline.
 * What is written in one loop turn goes out together at the end of the turn.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/buf.h"
#include "net/tls.h"

struct conn;
struct event_base;

#define CONN_PEER_MAX 64      /* text of the peer's address, with terminator */
#define CONN_ERROR_MAX 128    /* text of a close reason's details, with terminator */
#define CONN_RECORD_MAX 16384 /* bytes in one TLS record */

enum conn_reason {
	CONN_LOCAL, /* conn_close() of ours, orderly */
	CONN_EOF,   /* the peer closed, orderly */
	CONN_CUT,   /* the peer went away without close_notify, or reset */
	CONN_TLS,   /* handshake or record failed: not TLS 1.3, wrong SNI or ALPN ... */
	CONN_UNTRUSTED, /* the server's certificate is not valid for its name */
	CONN_SETUP_TIMEOUT,
	CONN_IDLE_TIMEOUT,
	CONN_CLOSE_TIMEOUT, /* our orderly close was not answered in time */
	CONN_INPUT_FULL,    /* the input limit was reached and on_read took nothing */
	CONN_OUTPUT_FULL,   /* conn_write() beyond out_max */
	CONN_IO,            /* the socket failed */
	CONN_REASON_COUNT
};
/* "local", "eof", ... : for log lines. */
const char *conn_reason_name(enum conn_reason);

struct conn_ops {
	/* The handshake is done. */
	void (*on_open)(struct conn *, void *arg);
	/* There is input; consume what you can. What stays is shown again with more. */
	void (*on_read)(struct conn *, struct buf *in, void *arg);
	/* Output went over out_high: stop making more. May be NULL. */
	void (*on_full)(struct conn *, void *arg);
	/* Output is below out_low again. May be NULL. */
	void (*on_drained)(struct conn *, void *arg);
	/* Nothing was received for half the idle time: ping. May be NULL. */
	void (*on_quiet)(struct conn *, void *arg);
	void (*on_close)(struct conn *, enum conn_reason, void *arg);
};

struct conn_limits {
	size_t in_max;  /* bytes of unread input */
	size_t out_max; /* bytes of unsent output; conn_write() beyond it ends the conn */
	size_t out_high;    /* on_full */
	size_t out_low;     /* on_drained */
	size_t read_budget; /* bytes from the socket per wake-up */
	unsigned setup_ms;  /* until conn_established() */
	unsigned idle_ms;   /* without input, once established; 0: for ever */
	unsigned close_ms;  /* for an orderly close */
};
/* 32 KiB in, 1 MiB out (high 256 KiB, low 64 KiB), 64 KiB per wake-up, 10 s set-up,
 * 120 s idle, 5 s close. */
extern const struct conn_limits conn_limits_default;

/* Take a connected, non-blocking stream socket (owned from now on, also on failure). peer:
 * text for conn_peer(), copied. limits: NULL for the default, else copied. ops and arg are
 * borrowed. NULL on failure. */
struct conn *conn_accept(struct event_base *, int fd, struct tls_server *,
    const char *peer, const struct conn_limits *, const struct conn_ops *, void *arg);
struct conn *conn_connect(struct event_base *, int fd, struct tls_client *,
    const char *name, enum tls_verify, const char *peer, const struct conn_limits *,
    const struct conn_ops *, void *arg);
/* Ends at once, without close_notify if output waits. NULL-safe. */
void conn_free(struct conn *);
/* Orderly: sends what is written, then close_notify, then on_close(CONN_LOCAL). Input is
 * thrown away from now on. */
void conn_close(struct conn *);
/* Ends the set-up deadline; the idle time begins. */
void conn_established(struct conn *);

/* Appends to the output. -1 if that is beyond out_max (the connection then ends with
 * CONN_OUTPUT_FULL) or if it is closing. */
int conn_write(struct conn *, struct span);
/* Bytes written that the socket has not taken yet. */
size_t conn_unsent(const struct conn *);
/* No on_read and no reading until resume; the peer is held back by TCP. Counts, so n pauses
 * need n resumes. The idle time does not run while paused. */
void conn_pause(struct conn *);
void conn_resume(struct conn *);

/* See tls.h; after on_open. */
int conn_export(struct conn *, const char *label, uint8_t out[TLS_EXPORT_LEN]);
bool conn_verified(struct conn *);
const char *conn_domain(struct conn *);
int conn_peer_spki(struct conn *, uint8_t out[TLS_SPKI_LEN]);
const char *conn_peer(const struct conn *);
/* Details of the close reason ("tlsv1 alert ..."), or "". */
const char *conn_error(const struct conn *);

#endif
