/* SPDX-License-Identifier: ISC */
/*
 * compose.h - messages of this account in the local database, and new ones.
 */
#ifndef LIBEMSG_COMPOSE_H
#define LIBEMSG_COMPOSE_H

#include "session.h"

/* Stores a message once for each sender and mid. 1 stored, 0 was there, -1. */
int compose_store(struct emsg *, const struct row_message *, enum message_state);
/* A message that people do not see: receipts. 0 or -1. */
int compose_quiet(struct emsg *, struct span peer, const char *type, struct span content);

#endif
