/* SPDX-License-Identifier: ISC */
/*
 * account.h - names of users as people type them.
 */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include "wire/addr.h"

/* Makes an address normal (RFC 8265, IDNA 2008): lower case, NFC, A-labels. A name without
 * domain gets that one. False with one phrase in *why. */
bool account_normal(
    const char *typed, const char *domain, char out[ADDR_TEXT_SIZE], const char **why);

#endif
