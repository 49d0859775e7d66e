/* SPDX-License-Identifier: ISC */
/* body.h - where bodies of mailbox entries lie. Behind this interface, so that they can move. */
#ifndef STORE_BODY_H
#define STORE_BODY_H

#include "store/sdb.h"

enum sdb_result body_put(
    struct sdb *, struct span address, uint64_t seq, struct span body);
/* The body, borrowed until the next write or commit. */
enum sdb_result body_get(
    struct sdb *, struct span address, uint64_t seq, struct span *body);
enum sdb_result body_del(struct sdb *, struct span address, uint64_t seq);

#endif
