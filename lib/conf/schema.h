/* SPDX-License-Identifier: ISC */
/*
 * schema.h - the one table of all configuration keys.
 *
 * Validation, defaults, "explain", the manual page test, what is passed to which process,
 * and what a reload may change are all read from it.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"

enum conf_key {
	CONF_VERSION,
	CONF_DOMAIN,
	CONF_LISTEN,
	CONF_SANDBOX,
	CONF_TLS_CERTIFICATE,
	CONF_TLS_KEY,
	CONF_TLS_CA_FILE,
	CONF_KEYS_DIRECTORY,
	CONF_STORE_DIRECTORY,
	CONF_STORE_MAP_SIZE,
	CONF_QUEUE_DIRECTORY,
	CONF_QUEUE_SEGMENT_SIZE,
	CONF_QUEUE_LIFETIME,
	CONF_QUEUE_RETRY_MIN,
	CONF_QUEUE_RETRY_MAX,
	CONF_QUEUE_MAX_ACTIVE,
	CONF_LIMITS_ITEM_SIZE,
	CONF_LIMITS_RECIPIENTS,
	CONF_LIMITS_MAILBOX,
	CONF_LIMITS_CONNECTIONS,
	CONF_LIMITS_UNAUTHENTICATED,
	CONF_LIMITS_CONNECTIONS_PER_ADDRESS,
	CONF_LIMITS_HANDSHAKE_TIMEOUT,
	CONF_LIMITS_IDLE_TIMEOUT,
	CONF_LIMITS_REQUESTS_PER_SENDER,
	CONF_LIMITS_REQUESTS_PER_DOMAIN,
	CONF_REGISTRATION_POLICY,
	CONF_INVITE_HOST,
	CONF_INVITE_PORT,
	CONF_RETENTION_DEFAULT,
	CONF_CONSENT_POLICY_DEFAULT,
	CONF_PEERS,
	CONF_PEERS_DOMAIN,
	CONF_PEERS_HOST,
	CONF_PEERS_PORT,
	CONF_PEERS_PIN,
	CONF_PEERS_CA_FILE,
	CONF_PEERS_ALLOW_PRIVATE,
	CONF_DIALER_PORT,
	CONF_DIALER_TIMEOUT,
	CONF_DIALER_ALLOW_PRIVATE,
	CONF_CONTROL_SOCKET,
	CONF_CONTROL_VIEW_GROUP,
	CONF_CONTROL_ADMIN_GROUP,
	CONF_LOG_LEVEL,
	CONF_LOG_ADDRESSES,
	CONF_RUN_DIRECTORY,
	CONF_COUNT
};

enum schema_type {
	SCHEMA_INT,
	SCHEMA_BOOL,     /* true or false */
	SCHEMA_DURATION, /* "30s", "5m", "1h", "2d"; kept in milliseconds */
	SCHEMA_SIZE,     /* bytes: "4096", "64KiB", "1MiB", "8GiB", "1TiB" */
	SCHEMA_PORT,
	SCHEMA_ENUM,   /* one of "values"; kept as its index */
	SCHEMA_NAME,   /* of a system group */
	SCHEMA_DOMAIN, /* lower-case A-labels */
	SCHEMA_HOST,   /* a domain or an IP address */
	SCHEMA_PATH,
	SCHEMA_LISTEN, /* "192.0.2.1:443" or "[::]:443" */
	SCHEMA_PREFIX, /* "10.0.0.0/8", "fd00::/8", or one address */
	SCHEMA_PIN,    /* SHA-256 as 64 hex digits */
	SCHEMA_MAPS    /* a list of maps; their keys are the rows that follow */
};

enum schema_reload {
	RELOAD_LIVE,     /* new value counts at once */
	RELOAD_LISTENER, /* listening sockets are made anew */
	RELOAD_RESTART   /* reload refuses the change */
};

#define SCHEMA_REQUIRED 0x01U    /* must be set */
#define SCHEMA_LIST 0x02U        /* a list of such values; kept as text */
#define SCHEMA_ENTRY 0x04U       /* a key of the entries of the SCHEMA_MAPS row above */
#define SCHEMA_SECRET_FILE 0x08U /* path of a file that holds a secret */

#define SCHEMA_PATH_MAX 128 /* bytes of a path that is looked at */
#define SCHEMA_LIST_MAX 64  /* values in a list of scalars */
#define SCHEMA_MAPS_MAX 128 /* entries in a list of maps */

struct schema_row {
	const char *path; /* "queue.retry_min", "peers[].domain" */
	enum schema_type type;
	const char
	    *def; /* as it would be written (lists: one value); NULL: none. Paths may
			    begin with %etc, %state, %spool or %run */
	uint64_t min, max;         /* of numbers */
	const char *const *values; /* SCHEMA_ENUM: ends with NULL */
	unsigned int flags;
	enum schema_reload reload;
	const char *since;  /* release that introduced it */
	unsigned int roles; /* ROLE_BIT() of the processes that receive it */
	const char *help;
};

/* Never NULL; key < CONF_COUNT. */
const struct schema_row *schema_row(enum conf_key);
/* The row with that full path (entries as "peers[].port" or "peers.port"), else
 * CONF_COUNT. */
enum conf_key schema_find(const char *path);
/* True if the path is a section: a map of further keys ("tls"). */
bool schema_is_section(const char *path);
/* The known path or section in the same section that a mistyped path is nearest to,
 * without "[]"; false if none is near enough to suggest. */
bool schema_nearest(const char *path, char out[SCHEMA_PATH_MAX]);
/* A key whose last part is this name, in whatever section, or NULL. */
const char *schema_elsewhere(const char *name);
/* True if the key holds several values: a list of scalars or of maps. */
bool schema_is_list(enum conf_key);
/* The number of rows that follow a SCHEMA_MAPS row as keys of its entries. */
size_t schema_entry_rows(enum conf_key maps);
/* "duration", "list of prefix", ...; "live", "listener", "restart". */
const char *schema_type_name(enum schema_type);
const char *schema_reload_name(enum schema_reload);

#endif
