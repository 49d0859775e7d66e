/* SPDX-License-Identifier: ISC */
/*
 * fates.h - telling the sender's store what became of an item, and the item's end.
 */
#ifndef QUEUE_FATES_H
#define QUEUE_FATES_H

#include "queue/item.h"

#define FATES_ANSWER_MS 60000 /* store has this long to commit; then it is told again */

/* Enters the item if it has fates to tell. */
void fates_owe(struct item *);
/* Takes the item out, if it is in. */
void fates_forget(struct item *);
/* Tells what is owed, as far as the channel takes it. Once a turn, after the commit. */
void fates_run(void);
/* Items with fates to tell, or told and not yet confirmed. */
size_t fates_count(void);

#endif
