/* SPDX-License-Identifier: ISC */
/*
 * inlimits.h - how many connections there may be: in all, without proof, from one address.
 */
#ifndef LISTENER_INLIMITS_H
#define LISTENER_INLIMITS_H

#include <sys/socket.h>

#include "base/span.h"

#define INLIMITS_KEY 17 /* bytes that name an IPv4 address or an IPv6 /64 */

struct inlimits {
	uint64_t connections, unauthenticated, per_address;
};

/* Sets or changes the limits; connections that are there stay. */
void inlimits_set(const struct inlimits *);
/* The bytes by which an address is counted. */
void inlimits_key(const struct sockaddr *, uint8_t key[INLIMITS_KEY]);
/* Counts a new connection, not proved yet. NULL, or (static text) which limit forbids it. */
const char *inlimits_enter(const uint8_t key[INLIMITS_KEY]);
/* It has proved who it is: it counts as unauthenticated no more. */
void inlimits_proved(void);
/* It is gone. */
void inlimits_leave(const uint8_t key[INLIMITS_KEY], bool proved);
/* Connections, and those without proof. */
size_t inlimits_count(void);
size_t inlimits_unproved(void);

#endif
