/* SPDX-License-Identifier: ISC */
/*
 * fatebook.h - what became of the messages of this account.
 */
#ifndef LIBEMSG_FATEBOOK_H
#define LIBEMSG_FATEBOOK_H

#include "session.h"

/* Notes a fate of a message to an account. Later truth corrects earlier; a receipt of the
 * recipient's device is never undone. 0, or -1 when the database fails. */
int fatebook_set(struct emsg *, const uint8_t mid[16], struct span account,
    enum fate_state, unsigned code, uint64_t time, struct span text);
/* What a server tells (a push of kind 3). */
int fatebook_on_push(struct emsg *, struct span body);
/* What a contact's device tells: a status report, for messages to him. */
int fatebook_on_receipt(
    struct emsg *, struct span from, uint64_t time, struct span report);

#endif
