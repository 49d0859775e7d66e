/* SPDX-License-Identifier: ISC */
/*
 * answers.h - what may be said only after the next sync.
 */
#ifndef QUEUE_ANSWERS_H
#define QUEUE_ANSWERS_H

#include "ipc/channel.h"

/* Keeps a result (encoded, copied) for the submission msg until the sync; keeps the credit of
 * the message until then. refusal: the result to be given if the sync fails. */
void answers_submit(struct channel *, const struct channel_msg *, struct span result,
    struct span refusal);
/* Keeps the end of an admin request until the sync; text is copied. */
void answers_admin(struct channel *, uint64_t id, uint16_t code, const char *text);
/* After the sync: says everything. ok false: the sync failed, says no to everything. */
void answers_flush(bool ok);
/* The channel has ended: what was kept for it is forgotten. */
void answers_forget(const struct channel *);

#endif
