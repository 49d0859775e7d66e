/* SPDX-License-Identifier: ISC */
/*
 * conf.h - the configuration as the processes use it: typed values by key.
 *
 * A struct conf is complete when it comes out of conf_load() or conf_share_get(): every
 * key that the process receives (schema.h: roles) is valid; a key it does not receive, or
 * one of another type, is a mistake in the caller and panics. Paths are absolute.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "conf/value.h"

struct conf {
	uint64_t generation; /* counts reloads; set by the master */
	struct value v[CONF_COUNT];
	enum role role; /* who it is for; the master has all keys */
	char *base;     /* owned: as given to conf_load(); NULL in children */
	char **files;   /* owned: names of the files read; none in children */
	unsigned int nfiles;
};

#define CONF_BASE_MAX 512 /* bytes of a base directory's path */

/* Values that enums have, in the order of their "values" in schema.c. */
enum conf_sandbox { CONF_SANDBOX_REQUIRED, CONF_SANDBOX_TRY };
enum conf_registration {
	CONF_REGISTRATION_CLOSED,
	CONF_REGISTRATION_INVITE,
	CONF_REGISTRATION_OPEN
};
enum conf_consent { CONF_CONSENT_EVERYONE, CONF_CONSENT_TICKET, CONF_CONSENT_NOBODY };
enum conf_log_addresses { CONF_LOG_ADDRESSES_FULL, CONF_LOG_ADDRESSES_DOMAIN };

/* One entry of "peers". All strings are borrowed from the conf; NULL where not set. */
struct conf_peer {
	const char *domain;
	const char *host;    /* NULL: the domain itself */
	uint16_t port;       /* dialer.port unless the entry sets it */
	const char *pin;     /* SHA-256 of the root key, 64 hex digits */
	const char *ca_file; /* certificates to trust for this peer besides */
	bool allow_private;  /* its addresses may be private */
};

/* One in which no key is set. */
struct conf *conf_new(enum role);
/* The master's, with all defaults, as if there were no file. base (may be NULL) as for
 * conf_load(). */
struct conf *conf_new_defaults(const char *base);
/* True if base is an absolute path of at most CONF_BASE_MAX bytes, or NULL. */
bool conf_base_ok(const char *base);
/* NULL-safe. */
void conf_free(struct conf *);

/* Text: name, domain, path. NULL if it is not set and has no default. */
const char *conf_str(const struct conf *, enum conf_key);
/* Number: int, size (bytes), duration (milliseconds), port, enum (index). */
uint64_t conf_u64(const struct conf *, enum conf_key);
bool conf_bool(const struct conf *, enum conf_key);
/* An enum as its word. log.level: feed it to log_level_parse(). */
const char *conf_word(const struct conf *, enum conf_key);
size_t conf_list_count(const struct conf *, enum conf_key);
const char *conf_list_str(const struct conf *, enum conf_key, size_t);
size_t conf_peer_count(const struct conf *);
/* i < conf_peer_count(). */
struct conf_peer conf_peer_at(const struct conf *, size_t i);
/* By domain; false if there is no entry. */
bool conf_peer_find(const struct conf *, const char *domain, struct conf_peer *);

struct conf_change {
	enum conf_key key;
	enum schema_reload reload;
};

/* The keys whose values differ, in order of the schema; returns how many. The entries of
 * a list of maps count as their list. */
size_t conf_diff(
    const struct conf *, const struct conf *, struct conf_change changes[CONF_COUNT]);

#endif
