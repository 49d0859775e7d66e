/* SPDX-License-Identifier: ISC */
/*
 * share.h - struct conf <-> bytes, so that the master's children get typed values.
 *
 * Format, all big-endian: "EMCF", version u16, generation u64, role u8, count u16; then,
 * for each key of the role, ascending: key u16 and its value. A scalar is u8 (0: not set,
 * 1: set) and, if set, a u64 or a text (u16 length, bytes). A list is u16 count and
 * texts. A list of maps is u16 count and a scalar for each key of each entry.
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
