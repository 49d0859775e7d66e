/* SPDX-License-Identifier: ISC */
/*
 * roots.h - which certificates relay believes, for all peers and for single ones.
 */
#ifndef RELAY_ROOTS_H
#define RELAY_ROOTS_H

#include "base/span.h"
#include "net/tls.h"

/* Reads the system's CAs; to be called while files can still be opened. 0, or -1 after
 * logging why. */
int roots_start(void);
/* CA certificates from the operator: for one peer domain, or for all if domain is empty. fd
 * is read to its end and closed. 0, or -1 after logging why. They count from the next
 * roots_switch() on. */
int roots_add(struct span domain, int fd);
/* Makes the contexts from what was added. 0, or -1 after logging why; then the contexts in
 * use stay. */
int roots_switch(void);
/* The context to use for a peer; never NULL after roots_switch(). */
struct tls_client *roots_client(const char *domain);

#endif
