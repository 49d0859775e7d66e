/* SPDX-License-Identifier: ISC */
/*
 * map.h - a hash map from byte strings to pointers.
 *
 * Keyed with SipHash-2-4 and a random key made at map_new(), so that remote parties cannot
 * choose collisions. Keys are copied (at most 512 bytes), values are borrowed.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/span.h"

struct map;

struct map *map_new(void);
/* Frees the map, not its values. NULL-safe. */
void map_free(struct map *);
size_t map_count(const struct map *);
/* NULL if absent. */
void *map_find(const struct map *, struct span key);
/* Adds or replaces; returns the former value or NULL. value must not be NULL. */
void *map_put(struct map *, struct span key, void *value);
/* Removes; returns the value or NULL. */
void *map_take(struct map *, struct span key);
/* Walks all entries in no order. *pos starts at 0; false at the end. The entry just
 * returned may be taken out during the walk; nothing may be added. */
bool map_next(const struct map *, size_t *pos, struct span *key, void **value);

/* The same for 64-bit numbers as keys (handles, request ids): their 8 bytes as they lie in
 * memory. */
void *map_find_u64(const struct map *, uint64_t key);
void *map_put_u64(struct map *, uint64_t key, void *value);
void *map_take_u64(struct map *, uint64_t key);

/* SipHash-2-4 (Aumasson, Bernstein 2012), 64-bit output. */
uint64_t siphash(const uint8_t key[16], struct span);

#endif
