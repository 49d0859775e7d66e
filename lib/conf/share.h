/* SPDX-License-Identifier: ISC */
/*
 * share.h - struct conf <-> bytes, so that the master's children get typed values.
 *
 * Format: "EMCF", version u16, generation u64, role u8, count u16, then per key, ascending:
 * key u16 and the value (numbers u64; text u16 length and bytes; lists u16 count and texts;
 * lists of maps u16 count and per entry one u8 presence and value for each key).
 */
#ifndef CONF_SHARE_H
#define CONF_SHARE_H

#include "base/buf.h"
#include "conf/conf.h"

#define CONF_SHARE_MAX (256 * 1024) /* bytes; conf_load() refuses what would be larger */

/* Appends what this role receives. The buffer must be able to take CONF_SHARE_MAX. */
void conf_share_put(struct buf *, const struct conf *, enum role);
/* Decodes strictly: exactly the keys of the role, each valid by the schema, nothing left
 * over. Returns a conf that the caller frees, or NULL. */
struct conf *conf_share_get(struct span, enum role);

#endif
