/* SPDX-License-Identifier: ISC */
/*
 * nonce.c - nonces for proofs.
 *
 * Owns a ring of those that are out, and a map to find them. A nonce is good for one proof:
 * taking it removes it, whatever the proof was worth. The ring is bounded: who makes listener
 * ask for many only shortens the life of his own. Called by slogin.c and peer.c.
 */
#include "base/map.h"
#include "base/text.h"
#include "store/bounds.h"
#include "store/nonce.h"

static uint8_t ring[STORE_NONCES][PROTO_NONCE_SIZE];
static bool used[STORE_NONCES];
static size_t next;
static struct map *out_now; /* owned: nonce -> its place in the ring */

void
nonce_make(uint8_t out[PROTO_NONCE_SIZE])
{
	if (out_now == NULL)
		out_now = map_new();
	if (used[next])
		map_take(out_now, span_of(ring[next], PROTO_NONCE_SIZE));
	random_bytes(ring[next], PROTO_NONCE_SIZE);
	used[next] = true;
	map_put(out_now, span_of(ring[next], PROTO_NONCE_SIZE), &used[next]);
	memcpy(out, ring[next], PROTO_NONCE_SIZE);
	next = (next + 1) % STORE_NONCES;
}

bool
nonce_take(const uint8_t nonce[PROTO_NONCE_SIZE])
{
	bool *place;

	if (out_now == NULL)
		return false;
	place = map_take(out_now, span_of(nonce, PROTO_NONCE_SIZE));
	if (place != NULL)
		*place = false;
	return place != NULL;
}

void
nonce_drop_all(void)
{
	map_free(out_now);
	out_now = NULL;
	memset(used, 0, sizeof(used));
}
