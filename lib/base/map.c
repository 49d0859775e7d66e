/* SPDX-License-Identifier: ISC */
/*
 * map.c - a hash map from byte strings to pointers.
 *
 * Open addressing with linear probing over a table whose size is a power of two and which is
 * at most three quarters full. The map owns its table and copies of the keys; keys of up to
 * 16 bytes (handles, message ids) lie in the slot itself. A removed entry leaves a grave, so
 * that nothing moves during a walk; graves go away when the table is built anew.
 * The hash is SipHash-2-4 under a key that is random for each map: who chooses keys from
 * outside cannot choose collisions.
 * Fails: memory exhaustion is fatal; a key longer than 512 bytes is never found, and
 * putting one in is a panic.
 */
#include "config.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#define MAP_KEY_MAX 512
#define MAP_KEY_INLINE 16
#define MAP_SIZE_FIRST 16

enum slot_state { SLOT_EMPTY, SLOT_GRAVE, SLOT_USED };

struct slot {
	uint64_t hash;
	void *value; /* borrowed */
	union {
		uint8_t bytes[MAP_KEY_INLINE];
		uint8_t *p; /* owned, when n > MAP_KEY_INLINE */
	} key;
	uint16_t n; /* length of the key */
	uint8_t state;
};

struct map {
	struct slot *slots; /* owned */
	size_t size;        /* a power of two */
	size_t used;        /* slots in use */
	size_t graves;
	uint8_t seed[16];
};

static uint64_t
rotl(uint64_t x, unsigned b)
{
	return x << b | x >> (64 - b);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static void
sip_word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	sip_round(v);
	sip_round(v);
	v[0] ^= m;
}

/* Up to 8 bytes, least significant first. */
static uint64_t
sip_load(const uint8_t *p, size_t n)
{
	uint64_t m = 0;

	for (size_t i = 0; i < n; i++)
		m |= (uint64_t)p[i] << (8 * i);
	return m;
}

uint64_t
siphash(const uint8_t key[16], struct span s)
{
	uint64_t k0 = sip_load(key, 8), k1 = sip_load(key + 8, 8);
	uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575),
	    k1 ^ UINT64_C(0x646f72616e646f6d), k0 ^ UINT64_C(0x6c7967656e657261),
	    k1 ^ UINT64_C(0x7465646279746573)};
	size_t i;

	for (i = 0; i + 8 <= s.n; i += 8)
		sip_word(v, sip_load(s.p + i, 8));
	sip_word(v, (i < s.n ? sip_load(s.p + i, s.n - i) : 0) | (uint64_t)s.n << 56);
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct span
slot_key(const struct slot *s)
{
	return span_of(s->n > MAP_KEY_INLINE ? s->key.p : s->key.bytes, s->n);
}

struct map *
map_new(void)
{
	struct map *m = xcalloc(1, sizeof(*m));

	random_bytes(m->seed, sizeof(m->seed));
	m->size = MAP_SIZE_FIRST;
	m->slots = xcalloc(m->size, sizeof(*m->slots));
	return m;
}

static void
slot_clear(struct slot *s)
{
	if (s->state == SLOT_USED && s->n > MAP_KEY_INLINE)
		free(s->key.p);
	memset(s, 0, sizeof(*s));
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->size; i++)
		slot_clear(&m->slots[i]);
	free(m->slots);
	free(m);
}

size_t
map_count(const struct map *m)
{
	return m->used;
}

/* The slot that holds the key, or NULL. Ends because some slots are always empty. */
static struct slot *
map_slot(const struct map *m, uint64_t hash, struct span key)
{
	size_t mask = m->size - 1, i;
	struct slot *s;

	for (i = (size_t)hash & mask;; i = (i + 1) & mask) {
		s = &m->slots[i];
		if (s->state == SLOT_EMPTY)
			return NULL;
		if (s->state == SLOT_USED && s->hash == hash && span_eq(slot_key(s), key))
			return s;
	}
}

static struct slot *
map_free_slot(const struct map *m, uint64_t hash)
{
	size_t mask = m->size - 1, i = (size_t)hash & mask;

	while (m->slots[i].state == SLOT_USED)
		i = (i + 1) & mask;
	return &m->slots[i];
}

/* Builds the table anew, without graves, at most half full. */
static void
map_rebuild(struct map *m)
{
	struct slot *old = m->slots;
	size_t old_size = m->size, size = MAP_SIZE_FIRST;

	while (size / 2 < m->used + 1)
		size *= 2;
	m->slots = xcalloc(size, sizeof(*m->slots));
	m->size = size;
	m->graves = 0;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].state == SLOT_USED)
			*map_free_slot(m, old[i].hash) = old[i];
	free(old);
}

void *
map_find(const struct map *m, struct span key)
{
	struct slot *s;

	if (key.n > MAP_KEY_MAX)
		return NULL;
	s = map_slot(m, siphash(m->seed, key), key);
	return s == NULL ? NULL : s->value;
}

static void
map_add(struct map *m, uint64_t hash, struct span key, void *value)
{
	struct slot *s;

	if (m->used + m->graves + 1 > m->size / 4 * 3)
		map_rebuild(m);
	s = map_free_slot(m, hash);
	if (s->state == SLOT_GRAVE)
		m->graves--;
	if (key.n > MAP_KEY_INLINE)
		s->key.p = xmemdup(key.p, key.n);
	else if (key.n > 0)
		memcpy(s->key.bytes, key.p, key.n);
	s->hash = hash;
	s->n = (uint16_t)key.n;
	s->value = value;
	s->state = SLOT_USED;
	m->used++;
}

void *
map_put(struct map *m, struct span key, void *value)
{
	uint64_t hash;
	struct slot *s;
	void *former;

	if (key.n > MAP_KEY_MAX || value == NULL)
		panic("map_put: key of %zu bytes, or no value", key.n);
	hash = siphash(m->seed, key);
	s = map_slot(m, hash, key);
	if (s == NULL) {
		map_add(m, hash, key, value);
		return NULL;
	}
	former = s->value;
	s->value = value;
	return former;
}

void *
map_take(struct map *m, struct span key)
{
	struct slot *s;
	void *value;

	if (key.n > MAP_KEY_MAX)
		return NULL;
	s = map_slot(m, siphash(m->seed, key), key);
	if (s == NULL)
		return NULL;
	value = s->value;
	slot_clear(s);
	m->used--;
	/* Nothing probes past this slot if the next one is empty. */
	if (m->slots[((size_t)(s - m->slots) + 1) & (m->size - 1)].state != SLOT_EMPTY) {
		s->state = SLOT_GRAVE;
		m->graves++;
	}
	return value;
}

bool
map_next(const struct map *m, size_t *pos, struct span *key, void **value)
{
	const struct slot *s;

	while (*pos < m->size) {
		s = &m->slots[(*pos)++];
		if (s->state != SLOT_USED)
			continue;
		if (key != NULL)
			*key = slot_key(s);
		if (value != NULL)
			*value = s->value;
		return true;
	}
	return false;
}

void *
map_find_u64(const struct map *m, uint64_t key)
{
	return map_find(m, span_of(&key, sizeof(key)));
}

void *
map_put_u64(struct map *m, uint64_t key, void *value)
{
	return map_put(m, span_of(&key, sizeof(key)), value);
}

void *
map_take_u64(struct map *m, uint64_t key)
{
	return map_take(m, span_of(&key, sizeof(key)));
}
