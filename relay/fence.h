/* SPDX-License-Identifier: ISC */
/*
 * fence.h - domains whose link ended and for whom queue has not said yet that it knows.
 *
 * Items that queue sent before it knew would go out on a new link ahead of those that the old
 * one gave back. They are given back as well until queue has noted each end.
 */
#ifndef RELAY_FENCE_H
#define RELAY_FENCE_H

#include "base/span.h"

/* A link to that domain ended with that reply code, and queue was told. */
void fence_put(struct span domain, uint16_t code);
/* Queue has noted one end of a link to that domain. */
void fence_noted(struct span domain);
/* The code of the last end if items for that domain may not go yet, else 0. */
uint16_t fence_code(struct span domain);
/* Queue is gone: what comes next it sends knowingly. */
void fence_clear(void);

#endif
