/* SPDX-License-Identifier: ISC */
/*
 * addr.h - addresses, local#domain, in normal form.
 *
 * Daemons compare bytes and refuse what is not normal; making it normal (RFC 8265
 * UsernameCaseMapped, IDNA 2008) is the work of clients and tools, before they come here.
 */
#ifndef WIRE_ADDR_H
#define WIRE_ADDR_H

#include "base/span.h"

#define ADDR_LOCAL_MAX 64   /* bytes, at least 1 */
#define ADDR_DOMAIN_MAX 253 /* bytes, at least 1 */
#define ADDR_LABEL_MAX 63
#define ADDR_MAX (ADDR_LOCAL_MAX + 1 + ADDR_DOMAIN_MAX)
#define ADDR_TEXT_SIZE (ADDR_MAX + 1) /* with the terminator */

struct addr {
	struct span local;  /* borrowed */
	struct span domain; /* borrowed */
};

/* Splits local#domain or local@domain and checks both parts. False if not in normal form;
 * *why (may be NULL) is then one clear phrase. */
bool addr_parse(struct span text, struct addr *, const char **why);
/* As addr_parse, but only with "#": the one form on the wire. */
bool addr_parse_wire(struct span text, struct addr *);
/* Lower-case LDH labels of 1 to 63 bytes, xn-- the only prefix with "--", the last label not
 * all digits, no final dot (RFC 5890 section 2.3.1). */
bool addr_domain_valid(struct span, const char **why);
/* 1 to 64 bytes of UTF-8 without # @ / : " < > \, space, controls and A to Z. */
bool addr_local_valid(struct span, const char **why);
bool addr_eq(const struct addr *, const struct addr *);
/* Orders by domain, then by local part, bytewise: < 0, 0, > 0. */
int addr_cmp(const struct addr *, const struct addr *);
/* Writes local#domain and a terminator; an empty string if the address is not valid. */
void addr_print(const struct addr *, char out[ADDR_TEXT_SIZE]);

#endif
