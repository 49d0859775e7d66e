/* SPDX-License-Identifier: ISC */
/*
 * http.h - the little HTTP/1.1 that EMSG needs (RFC 9112), strict and bounded: GET requests,
 * the WebSocket upgrade (RFC 6455 section 4) and short plain answers.
 *
 * Pure: bytes in, structs out; no clock, no I/O, no state beyond struct http_scan. What is
 * not understood is refused, never repaired.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"

#define HTTP_HEAD_MAX 4096  /* request or response head, bytes, with the empty line */
#define HTTP_BODY_MAX 16384 /* body of a plain answer, bytes */
#define HTTP_PATH_MAX 255   /* request target, bytes */
#define HTTP_HOST_MAX 259   /* 253 of a name, ':', 5 digits */
#define HTTP_KEY_LEN 24     /* Sec-WebSocket-Key, characters */
#define HTTP_ACCEPT_LEN 28  /* Sec-WebSocket-Accept, characters */

#define HTTP_PATH_C2S "/emsg/v1/c2s"
#define HTTP_PATH_S2S "/emsg/v1/s2s"
#define HTTP_PATH_SESSION "/emsg/v1/session"
#define HTTP_PATH_DOCUMENT "/.well-known/emsg"

/* The WebSocket subprotocols; HTTP_PROTO_BIT makes a set of them. */
enum http_proto {
	HTTP_PROTO_NONE,
	HTTP_PROTO_C2S,     /* emsg-c2s.1 */
	HTTP_PROTO_S2S,     /* emsg-s2s.1 */
	HTTP_PROTO_SESSION, /* emsg-session.1 */
	HTTP_PROTO_COUNT
};
#define HTTP_PROTO_BIT(p) (1U << (p))

/* "emsg-c2s.1"; NULL for HTTP_PROTO_NONE and for a number out of range. */
const char *http_proto_name(enum http_proto);

enum http_result {
	HTTP_MORE, /* not complete yet */
	HTTP_DONE, /* parsed; the head was consumed from the buffer */
	HTTP_BAD   /* refused; status and error say why */
};

/* How far a head was searched for its end. Zero it (or http_scan_init) per head. */
struct http_scan {
	size_t seen;
};

struct http_request {
	char path[HTTP_PATH_MAX + 1]; /* begins with '/', visible ASCII, no '?' or '#' */
	char host[HTTP_HOST_MAX +
	    1];       /* the one Host value, lower-cased; may end in ":port" */
	bool upgrade; /* a complete, valid WebSocket upgrade */
	char key[HTTP_KEY_LEN + 1]; /* Sec-WebSocket-Key if upgrade */
	/* HTTP_PROTO_BIT set of those offered and known; of an upgrade that offers none,
	 * the bit of HTTP_PROTO_NONE. */
	unsigned protocols;
	unsigned status;   /* HTTP_BAD: 400, 405, 426, 431 or 505 for the answer */
	const char *error; /* HTTP_BAD: static text */
};

struct http_response {
	unsigned status;                  /* 101, or 200..599 */
	char accept[HTTP_ACCEPT_LEN + 1]; /* Sec-WebSocket-Accept if 101 */
	enum http_proto proto;            /* the chosen subprotocol if 101 */
	size_t length;                    /* body bytes that follow (Content-Length) */
	const char *error;                /* HTTP_BAD: static text */
};

void http_scan_init(struct http_scan *);
/* Looks for a complete request head in *in and consumes it. Refuses as soon as it can: other
 * methods than GET, bare CR or LF, obs-fold, control bytes, Content-Length or
 * Transfer-Encoding, other than exactly one Host, a half-made or extended upgrade, a head
 * beyond HTTP_HEAD_MAX. The caller compares host with http_host_is(). */
enum http_result http_request_next(
    struct http_scan *, struct buf *in, struct http_request *);
/* The same for an answer. 101 needs a complete upgrade answer without extensions; any other
 * status needs exactly one Content-Length <= HTTP_BODY_MAX and no Transfer-Encoding. */
enum http_result http_response_next(
    struct http_scan *, struct buf *in, struct http_response *);

/* True if a Host value is the domain, with or without ":port"; any port is taken. */
bool http_host_is(const char *host, const char *domain);
/* True if the answer is the right one to the key we sent and to the protocol we offered. */
bool http_upgraded(const struct http_response *, const char *key, enum http_proto);
/* A fresh random Sec-WebSocket-Key (16 bytes, base64). */
void http_key(char key[HTTP_KEY_LEN + 1]);
/* Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2). -1 if SHA-1 is not available. */
int http_accept(const char *key, char accept[HTTP_ACCEPT_LEN + 1]);

/* Writers. The buffer's limit is the bound: check buf_failed(). host and path come from our
 * own config or were checked before; they must not hold control bytes. */
void http_put_get(struct buf *, const char *host, const char *path);
void http_put_upgrade(
    struct buf *, const char *host, const char *path, enum http_proto, const char *key);
/* 101 for a request with upgrade set; proto HTTP_PROTO_NONE sends no subprotocol.
 * -1 if the accept value could not be made. */
int http_put_switch(struct buf *, const struct http_request *, enum http_proto);
/* A whole answer with Connection: close. type may be NULL if the body is empty. */
void http_put_answer(struct buf *, unsigned status, const char *type, struct span body);
/* "Not Found"; "Error" for a status that we do not send. */
const char *http_status_text(unsigned status);

#endif
