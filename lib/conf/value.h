/* SPDX-License-Identifier: ISC */
/*
 * value.h - one configuration value: text -> checked and typed -> text.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <sys/socket.h>

#include "conf/fault.h"
#include "conf/schema.h"

#define VALUE_TEXT_MAX 1024 /* bytes of a value as text, with its terminator */
#define VALUE_ERROR_MAX 256

struct value {
	bool set; /* holds something: from a file, or a default */
	bool from_file;
	struct place at;       /* where, if from_file */
	uint64_t num;          /* int, bool, duration (ms), size, port, enum index */
	char *text;            /* owned: all other scalars */
	char **list;           /* owned: SCHEMA_LIST */
	struct value *entries; /* owned: SCHEMA_MAPS: n * schema_entry_rows() values */
	size_t n;              /* of list or entries */
};

/* A network: family AF_INET or AF_INET6, address in network order, leading bits that
 * count. */
struct prefix {
	int family;
	uint8_t addr[16];
	unsigned int bits;
};

/* Checks text against the row's type and bounds (one element of a list) and fills num or
 * text. False: *error (VALUE_ERROR_MAX bytes) says what is wrong and what would be
 * right. */
bool value_parse(
    const struct schema_row *, const char *text, struct value *, char *error);
/* The number as it would be written ("5m", "64KiB", "true", "open"). out:
 * VALUE_TEXT_MAX. */
void value_format(const struct schema_row *, uint64_t num, char *out);
/* True if the row's type is kept in num. */
bool value_is_number(const struct schema_row *);
/* Equality of content, not of origin. */
bool value_eq(enum conf_key, const struct value *, const struct value *);
/* Frees what it owns; it is unset then. */
void value_clear(enum conf_key, struct value *);

/* "192.0.2.1:443" or "[2001:db8::1]:443" as a socket address; false if it is neither. */
bool value_sockaddr(const char *text, struct sockaddr_storage *, socklen_t *);
/* "10.0.0.0/8" or "fd00::/8"; an address alone is a full-length prefix. Bits beyond the
 * length must be zero. */
bool value_prefix(const char *text, struct prefix *);
/* True if the address (network order, 4 or 16 bytes by family) lies in the prefix. */
bool value_prefix_has(const struct prefix *, int family, const uint8_t *addr);

#endif
