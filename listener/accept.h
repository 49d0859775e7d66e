/* SPDX-License-Identifier: ISC */
/*
 * accept.h - the listening sockets: takes connections within the limits.
 */
#ifndef LISTENER_ACCEPT_H
#define LISTENER_ACCEPT_H

#include "base/span.h"

struct sockaddr;

/* What becomes of a connection that may live. Owns fd. key: see inlimits.h; text:
 * "192.0.2.1:443". Both are borrowed for the call. */
typedef void accept_fn(int fd, const uint8_t *key, const char *text);

/* Takes over a listening socket from master. It waits until accept_switch(). -1 if there
 * are too many (fd is closed). */
int accept_add(int fd);
/* Forgets the sockets that wait. */
void accept_forget(void);
/* Listens on the sockets that wait, and no longer on those before. */
void accept_switch(accept_fn *);
/* Once a second: what was refused is logged, and a pause for lack of descriptors ends. */
void accept_tick(void);
/* Takes no more connections. */
void accept_stop(void);

#endif
