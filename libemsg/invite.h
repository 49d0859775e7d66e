/* SPDX-License-Identifier: ISC */
/*
 * invite.h - invitations as text (doc/protocol.md 8).
 */
#ifndef LIBEMSG_INVITE_H
#define LIBEMSG_INVITE_H

#include "base/buf.h"
#include "wire/inner.h"

#define INVITE_BYTES_MAX 1024 /* of the map */
#define INVITE_TEXT_SIZE 1400 /* with the terminator */

/* Reads an invitation; blanks around it are ignored. The spans borrow from store, which the
 * caller clears. False and *why (static). Whether it has expired is for the server. */
bool invite_parse(
    struct span text, struct buf *store, struct i_invite *, const char **why);
/* Writes the text. -1 if a member breaks its limits. */
int invite_print(const struct i_invite *, char *out, size_t size);

#endif
