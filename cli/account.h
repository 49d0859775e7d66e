/* SPDX-License-Identifier: ISC */
/*
 * account.h - names of users as people type them, and invitations as they need them.
 */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include "base/buf.h"
#include "wire/addr.h"
#include "wire/ctl.h"

/* Makes an address normal (RFC 8265, IDNA 2008): lower case, NFC, A-labels. A name without
 * domain gets that one. False with one phrase in *why. */
bool account_normal(
    const char *typed, const char *domain, char out[ADDR_TEXT_SIZE], const char **why);

/* Where devices are to connect, if the domain's name does not lead there. */
struct account_place {
	const char *host;   /* NULL: the domain */
	uint16_t port;      /* 0: 443 */
	const uint8_t *pin; /* 32 bytes; NULL: certificates will do */
};
/* Writes an invitation with these put in where it says nothing itself. False if it is none. */
bool account_invite(struct span invite, const struct account_place *, struct buf *out);

#endif
