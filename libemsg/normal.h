/* SPDX-License-Identifier: ISC */
/*
 * normal.h - addresses as people type them, made normal (RFC 8265 section 3.3, IDNA 2008).
 */
#ifndef LIBEMSG_NORMAL_H
#define LIBEMSG_NORMAL_H

#include "wire/addr.h"

#define NORMAL_INPUT_MAX 1024 /* bytes of what may be typed */

/* Writes local#domain and a terminator. False, and *why (static), if it cannot be made. */
bool normal_address(struct span typed, char out[ADDR_TEXT_SIZE], const char **why);
/* Only the domain: lower-case A-labels. */
bool normal_domain(struct span typed, char out[ADDR_DOMAIN_MAX + 1], const char **why);
/* Only the local part: width mapping, lower case, NFC, IdentifierClass, Bidi rule. */
bool normal_local(struct span typed, char out[ADDR_LOCAL_MAX + 1], const char **why);

#endif
