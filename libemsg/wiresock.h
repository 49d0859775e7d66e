/* SPDX-License-Identifier: ISC */
/*
 * wiresock.h - a non-blocking TLS 1.3 connection of a client: bytes in, bytes out.
 */
#ifndef LIBEMSG_WIRESOCK_H
#define LIBEMSG_WIRESOCK_H

#include <openssl/types.h>

#include "base/buf.h"

#define WIRESOCK_OUT_MAX ((size_t)4 << 20) /* bytes that may wait to be sent */
#define WIRESOCK_IN_MAX ((size_t)2 << 20)
#define WIRESOCK_CONNECT_MS 8000 /* for each address */

enum wiresock_state { SOCK_IDLE, SOCK_CONNECTING, SOCK_HANDSHAKE, SOCK_UP };

struct wiresock;

/* name: of the server in TLS. pinned: any certificate will do, because the domain key is
 * proved later. NULL and *why. */
struct wiresock *wiresock_new(const char *name, bool pinned, const char **why);
/* NULL-safe. */
void wiresock_free(struct wiresock *);
/* Resolves (this may block) and begins to connect. -1 and *why if there is no way.
 * now: monotonic ms. */
int wiresock_start(
    struct wiresock *, const char *host, unsigned port, uint64_t now, const char **why);
/* Does what can be done. 0, or -1: it is down, wiresock_error() says why. */
int wiresock_process(struct wiresock *, uint64_t now);
void wiresock_stop(struct wiresock *);
enum wiresock_state wiresock_state(const struct wiresock *);
const char *wiresock_error(const struct wiresock *);
/* The socket (-1: none) and what to wait for. It changes while connecting. */
int wiresock_fd(const struct wiresock *);
bool wiresock_wants_write(const struct wiresock *);
/* When it gives up an attempt to connect (monotonic ms); 0: not connecting. */
uint64_t wiresock_deadline(const struct wiresock *);
/* Received and not consumed; to be sent. */
struct buf *wiresock_in(struct wiresock *);
struct buf *wiresock_out(struct wiresock *);
/* When the last bytes came (monotonic ms). */
uint64_t wiresock_last(const struct wiresock *);
/* The exporter of this connection; -1 before it is up. */
int wiresock_export(struct wiresock *, uint8_t out[32]);

#endif
