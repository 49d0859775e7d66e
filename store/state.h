/* SPDX-License-Identifier: ISC */
/* state.h - the state object of an account (doc/protocol.md section 7). */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "store/sdb.h"
#include "wire/call.h"

/* Both append the answer (struct c_state). CODE_DONE, CODE_CONFLICT (with the present version)
 * or CODE_STORAGE. */
unsigned state_get(struct sdb *, struct span account, struct buf *out);
unsigned state_put(
    struct sdb *, struct span account, const struct c_state_put *, struct buf *out);

#endif
