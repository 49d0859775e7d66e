/* SPDX-License-Identifier: ISC */
/*
 * addrset.h - socket addresses: parse, print, compare, match prefixes, and judge whether one
 * may be dialled. Pure; numeric only, no look-ups.
 */
#ifndef NET_ADDRSET_H
#define NET_ADDRSET_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/span.h"

#define NET_ADDR_TEXT_MAX 64 /* "[...%scope]:65535" and terminator */
#define NET_HOST_MAX 253     /* bytes of a host name */

struct net_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
	socklen_t len; /* 0: none */
};

/* An address block: "10.0.0.0/8", "2001:db8::/32", or one address. */
struct net_prefix {
	uint8_t addr[16];
	unsigned bits;
	int family; /* AF_INET or AF_INET6 */
};

/* "192.0.2.1", "192.0.2.1:443", "2001:db8::1", "[2001:db8::1]:443"; without a port it is
 * port. No names, no scope ids. */
bool net_addr_parse(const char *text, uint16_t port, struct net_addr *);
/* From a kernel sockaddr; false for other families than IPv4 and IPv6. */
bool net_addr_from(const struct sockaddr *, socklen_t, struct net_addr *);
/* "192.0.2.1:443", "[2001:db8::1]:443"; "?" if it is none. Returns out. */
const char *net_addr_text(const struct net_addr *, char out[NET_ADDR_TEXT_MAX]);
/* The same without the port and brackets. */
const char *net_addr_host(const struct net_addr *, char out[NET_ADDR_TEXT_MAX]);
uint16_t net_addr_port(const struct net_addr *);
void net_addr_set_port(struct net_addr *, uint16_t port);
/* Same family, address and port. IPv4-mapped IPv6 equals its IPv4 address. */
bool net_addr_eq(const struct net_addr *, const struct net_addr *);
/* Splits "host", "host:port" or "[ip6]:port" without judging host beyond its characters and
 * length; brackets are taken off. host holds NET_HOST_MAX + 1 bytes. */
bool net_hostport_parse(const char *text, uint16_t port, char *host, uint16_t *out_port);

/* Bits beyond the length must be zero. */
bool net_prefix_parse(const char *text, struct net_prefix *);
/* IPv4-mapped IPv6 addresses match IPv4 prefixes. */
bool net_prefix_match(const struct net_prefix *, const struct sockaddr *);
/* The block that an address belongs to for rate limits: /24 of IPv4, /56 of IPv6. key: 17
 * bytes (family, then the masked address), equal for equal blocks. */
void net_addr_block(const struct sockaddr *, uint8_t key[17]);

/* True if the address is global unicast, so that it may be dialled without an operator's
 * word: not private, loopback, link-local, shared, documentation, benchmarking, multicast,
 * reserved. Transitional IPv6 forms (mapped, compatible, NAT64, 6to4, Teredo) are judged by
 * the IPv4 address inside as well. Unknown families: false. */
bool net_addr_public(const struct sockaddr *);

#endif
