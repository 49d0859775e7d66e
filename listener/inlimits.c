/* SPDX-License-Identifier: ISC */
/*
 * inlimits.c - how many connections there may be: in all, without proof, from one address.
 *
 * Owns three counts: all connections, those that have not proved who they are, and a map with
 * the number from each IPv4 address or IPv6 /64 (a customer's smallest network). accept.c asks
 * before it makes a link, inlink.c tells when one is proved or gone. An address is in the map
 * only while it has connections, so the map is bounded by the limit of all connections.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "listener/inlimits.h"

#define IPV6_KEY 8 /* bytes of a /64 */

struct tally {
	size_t n;
};

static struct inlimits limits;
static struct map *by_address; /* values: struct tally, owned, never 0 */
static size_t all, unproved;

static size_t
count_of(const uint8_t key[INLIMITS_KEY])
{
	const struct tally *t = map_find(by_address, span_of(key, INLIMITS_KEY));

	return t == NULL ? 0 : t->n;
}

static void
count_up(const uint8_t key[INLIMITS_KEY])
{
	struct tally *t = map_find(by_address, span_of(key, INLIMITS_KEY));

	if (t == NULL) {
		t = xcalloc(1, sizeof(*t));
		map_put(by_address, span_of(key, INLIMITS_KEY), t);
	}
	t->n++;
}

static void
count_down(const uint8_t key[INLIMITS_KEY])
{
	struct tally *t = map_find(by_address, span_of(key, INLIMITS_KEY));

	if (t != NULL && --t->n == 0)
		free(map_take(by_address, span_of(key, INLIMITS_KEY)));
}

void
inlimits_set(const struct inlimits *l)
{
	limits = *l;
	if (by_address == NULL)
		by_address = map_new();
}

void
inlimits_key(const struct sockaddr *sa, uint8_t key[INLIMITS_KEY])
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	memset(key, 0, INLIMITS_KEY);
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		key[0] = 4;
		memcpy(key + 1, &in.sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			key[0] = 4;
			memcpy(key + 1, in6.sin6_addr.s6_addr + 12, 4);
		} else {
			key[0] = 6;
			memcpy(key + 1, in6.sin6_addr.s6_addr, IPV6_KEY);
		}
	}
}

const char *
inlimits_enter(const uint8_t key[INLIMITS_KEY])
{
	if (all >= limits.connections)
		return "connections";
	if (unproved >= limits.unauthenticated)
		return "unauthenticated";
	if (count_of(key) >= limits.per_address)
		return "connections_per_address";
	count_up(key);
	all++;
	unproved++;
	return NULL;
}

void
inlimits_proved(void)
{
	unproved--;
}

void
inlimits_leave(const uint8_t key[INLIMITS_KEY], bool proved)
{
	count_down(key);
	all--;
	if (!proved)
		unproved--;
}

size_t
inlimits_count(void)
{
	return all;
}

size_t
inlimits_unproved(void)
{
	return unproved;
}
