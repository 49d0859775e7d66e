/* SPDX-License-Identifier: ISC */
/*
 * addrset.c - socket addresses as values: text, comparison, prefixes, and the judgement
 * whether a name that a stranger chose may lead us there.
 *
 * net_addr_public() is what keeps a server from being sent to attack its own network: a
 * domain's A or AAAA record is the stranger's to write. IPv4 is judged by a table of what is
 * not global (RFC 6890 and its registry); IPv6 is public only inside 2000::/3 without the
 * exceptions, and where an IPv6 address is a wrapping of an IPv4 address, that one has to be
 * public, too.
 *
 * Owns nothing, keeps nothing, asks nobody. Called by dialer, listener, relay and conf. Fails
 * by returning false.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/addrset.h"

#define BLOCK_BITS_V4 24
#define BLOCK_BITS_V6 56

struct block {
	uint8_t addr[16];
	unsigned bits;
};

/* Not global unicast IPv4. */
static const struct block not_public_v4[] = {
    {{0}, 8},             /* this network */
    {{10}, 8},            /* private */
    {{100, 64}, 10},      /* shared by carriers */
    {{127}, 8},           /* loopback */
    {{169, 254}, 16},     /* link-local */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2}, 24},    /* documentation */
    {{192, 88, 99}, 24},  /* 6to4 relays, retired */
    {{192, 168}, 16},     /* private */
    {{198, 18}, 15},      /* benchmarking */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 4},           /* multicast */
    {{240}, 4},           /* reserved, broadcast */
};

/* Inside 2000::/3, yet not global unicast. Teredo and 6to4 are judged apart. */
static const struct block not_public_v6[] = {
    {{0x20, 0x01, 0x00, 0x02}, 48}, /* benchmarking */
    {{0x20, 0x01, 0x00, 0x10}, 28}, /* ORCHID */
    {{0x20, 0x01, 0x00, 0x20}, 28}, /* ORCHIDv2 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff, 0x00, 0x00}, 20}, /* documentation */
};

/* Where an IPv4 address hides inside an IPv6 one. Every wrapping that matches counts. */
static const struct wrapping {
	struct block block;
	size_t offset; /* of the IPv4 address */
	uint8_t flip;  /* XORed on its bytes */
} wrappings[] = {
    {{{0}, 96}, 12, 0},                                        /* compatible */
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12, 0}, /* mapped */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12, 0},                   /* NAT64 */
    {{{0x20, 0x02}, 16}, 2, 0},                                /* 6to4 */
    {{{0x20, 0x01, 0x00, 0x00}, 32}, 4, 0},                    /* Teredo: its server */
    {{{0x20, 0x01, 0x00, 0x00}, 32}, 12, 0xff},                /* Teredo: the client */
};

static bool
bits_eq(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, left = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return left == 0 || (a[whole] ^ b[whole]) >> (8 - left) == 0;
}

/* The bytes of an address and their number; mapped IPv6 comes out as IPv4. 0: unknown. */
static size_t
raw(const struct sockaddr *sa, uint8_t out[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		memcpy(out, &in.sin_addr, 4);
		return 4;
	}
	if (sa->sa_family != AF_INET6)
		return 0;
	memcpy(&in6, sa, sizeof(in6));
	memcpy(out, &in6.sin6_addr, 16);
	if (memcmp(out, mapped, sizeof(mapped)) != 0)
		return 16;
	memmove(out, out + 12, 4);
	return 4;
}

static void
addr_set(struct net_addr *a, int family, const void *bytes, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		a->u.in.sin_family = AF_INET;
		memcpy(&a->u.in.sin_addr, bytes, 4);
		a->len = sizeof(a->u.in);
	} else {
		a->u.in6.sin6_family = AF_INET6;
		memcpy(&a->u.in6.sin6_addr, bytes, 16);
		a->len = sizeof(a->u.in6);
	}
	net_addr_set_port(a, port);
}

bool
net_addr_parse(const char *text, uint16_t port, struct net_addr *a)
{
	char host[NET_HOST_MAX + 1];
	uint8_t bytes[16];

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET6, text, bytes) == 1) {
		addr_set(a, AF_INET6, bytes, port);
		return true;
	}
	if (!net_hostport_parse(text, port, host, &port))
		return false;
	if (inet_pton(AF_INET, host, bytes) == 1)
		addr_set(a, AF_INET, bytes, port);
	else if (text[0] == '[' && inet_pton(AF_INET6, host, bytes) == 1)
		addr_set(a, AF_INET6, bytes, port);
	return a->len > 0;
}

bool
net_addr_from(const struct sockaddr *sa, socklen_t len, struct net_addr *a)
{
	memset(a, 0, sizeof(*a));
	if (sa->sa_family == AF_INET && len >= sizeof(a->u.in))
		a->len = sizeof(a->u.in);
	else if (sa->sa_family == AF_INET6 && len >= sizeof(a->u.in6))
		a->len = sizeof(a->u.in6);
	else
		return false;
	memcpy(&a->u, sa, a->len);
	return true;
}

const char *
net_addr_host(const struct net_addr *a, char out[NET_ADDR_TEXT_MAX])
{
	const void *bytes = &a->u.in.sin_addr;

	if (a->len > 0 && a->u.sa.sa_family == AF_INET6)
		bytes = &a->u.in6.sin6_addr;
	if (a->len == 0 ||
	    inet_ntop(a->u.sa.sa_family, bytes, out, NET_ADDR_TEXT_MAX) == NULL)
		snprintf(out, NET_ADDR_TEXT_MAX, "?");
	return out;
}

const char *
net_addr_text(const struct net_addr *a, char out[NET_ADDR_TEXT_MAX])
{
	char host[NET_ADDR_TEXT_MAX];
	bool six = a->len > 0 && a->u.sa.sa_family == AF_INET6;

	net_addr_host(a, host);
	if (a->len == 0)
		snprintf(out, NET_ADDR_TEXT_MAX, "?");
	else
		snprintf(out, NET_ADDR_TEXT_MAX, "%s%.46s%s:%u", six ? "[" : "", host,
		    six ? "]" : "", (unsigned)net_addr_port(a));
	return out;
}

uint16_t
net_addr_port(const struct net_addr *a)
{
	if (a->len == 0)
		return 0;
	return ntohs(
	    a->u.sa.sa_family == AF_INET6 ? a->u.in6.sin6_port : a->u.in.sin_port);
}

void
net_addr_set_port(struct net_addr *a, uint16_t port)
{
	if (a->u.sa.sa_family == AF_INET6)
		a->u.in6.sin6_port = htons(port);
	else
		a->u.in.sin_port = htons(port);
}

bool
net_addr_eq(const struct net_addr *a, const struct net_addr *b)
{
	uint8_t x[16], y[16];
	size_t n;

	if (a->len == 0 || b->len == 0)
		return a->len == b->len;
	n = raw(&a->u.sa, x);
	return n > 0 && n == raw(&b->u.sa, y) && memcmp(x, y, n) == 0 &&
	    net_addr_port(a) == net_addr_port(b);
}

static bool
host_copy(char *host, const char *text, size_t n)
{
	size_t i;

	if (n == 0 || n > NET_HOST_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~' ||
		    strchr("/@#?[]\\\"<>%", text[i]) != NULL)
			return false;
	memcpy(host, text, n);
	host[n] = '\0';
	return true;
}

bool
net_hostport_parse(const char *text, uint16_t port, char *host, uint16_t *out_port)
{
	const char *end, *colon;
	uint64_t n;

	if (text[0] == '[') {
		if ((end = strchr(text, ']')) == NULL)
			return false;
		text++;
		colon = end + 1;
	} else {
		if ((end = strchr(text, ':')) == NULL)
			end = text + strlen(text);
		colon = end;
	}
	*out_port = port;
	if (*colon == ':') {
		if (!num_parse(colon + 1, 1, UINT16_MAX, &n))
			return false;
		*out_port = (uint16_t)n;
	} else if (*colon != '\0') {
		return false;
	}
	return host_copy(host, text, (size_t)(end - text));
}

bool
net_prefix_parse(const char *text, struct net_prefix *p)
{
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	uint64_t bits;
	unsigned i, max;

	memset(p, 0, sizeof(*p));
	if (n >= sizeof(addr))
		return false;
	memcpy(addr, text, n);
	addr[n] = '\0';
	p->family = strchr(addr, ':') != NULL ? AF_INET6 : AF_INET;
	max = p->family == AF_INET6 ? 128 : 32;
	bits = max;
	if (inet_pton(p->family, addr, p->addr) != 1 ||
	    (slash != NULL && !num_parse(slash + 1, 0, max, &bits)))
		return false;
	p->bits = (unsigned)bits;
	for (i = p->bits; i < max; i++)
		if ((p->addr[i / 8] & (0x80 >> (i % 8))) != 0)
			return false;
	return true;
}

bool
net_prefix_match(const struct net_prefix *p, const struct sockaddr *sa)
{
	uint8_t bytes[16];
	size_t n = raw(sa, bytes);

	return n == (p->family == AF_INET ? 4 : 16) && bits_eq(bytes, p->addr, p->bits);
}

void
net_addr_block(const struct sockaddr *sa, uint8_t key[17])
{
	uint8_t bytes[16];
	size_t n = raw(sa, bytes), keep = n == 4 ? BLOCK_BITS_V4 / 8 : BLOCK_BITS_V6 / 8;

	memset(key, 0, 17);
	key[0] = (uint8_t)n;
	if (n > 0)
		memcpy(key + 1, bytes, keep);
}

static bool
in_any(const uint8_t *addr, const struct block *blocks, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bits_eq(addr, blocks[i].addr, blocks[i].bits))
			return true;
	return false;
}

static bool
public_v4(const uint8_t addr[4])
{
	return !in_any(
	    addr, not_public_v4, sizeof(not_public_v4) / sizeof(not_public_v4[0]));
}

static bool
public_v6(const uint8_t addr[16])
{
	bool wrapped = false;
	uint8_t inner[4];
	size_t i, k;

	for (i = 0; i < sizeof(wrappings) / sizeof(wrappings[0]); i++) {
		const struct wrapping *w = &wrappings[i];

		if (!bits_eq(addr, w->block.addr, w->block.bits))
			continue;
		for (k = 0; k < sizeof(inner); k++)
			inner[k] = addr[w->offset + k] ^ w->flip;
		if (!public_v4(inner))
			return false;
		wrapped = true;
	}
	if (wrapped)
		return true;
	return addr[0] >> 5 == 1 &&
	    !in_any(
		addr, not_public_v6, sizeof(not_public_v6) / sizeof(not_public_v6[0]));
}

bool
net_addr_public(const struct sockaddr *sa)
{
	uint8_t bytes[16];

	switch (raw(sa, bytes)) {
	case 4:
		return public_v4(bytes);
	case 16:
		return public_v6(bytes);
	default:
		return false;
	}
}
