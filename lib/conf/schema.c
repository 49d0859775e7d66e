/* SPDX-License-Identifier: ISC */
/*
 * schema.c - the table of all configuration keys, and look-ups in it.
 *
 * To add a key: a member of enum conf_key (schema.h), a row here, an entry in
 * emsg.yaml(5), and a use in the process that receives it. Tests compare enum, table and
 * manual page. Everything here is constant; nothing allocates and nothing fails.
 * Called by fill.c (validation), print.c (explain, defaults), share.c (what goes to which
 * process) and conf.c (types of values).
 */
#include <stdio.h>
#include <string.h>

#include "conf/schema.h"

#define SECOND ((uint64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

#define MASTER ROLE_BIT(ROLE_MASTER)
#define STORE ROLE_BIT(ROLE_STORE)
#define QUEUE ROLE_BIT(ROLE_QUEUE)
#define DIALER ROLE_BIT(ROLE_DIALER)
#define RELAY ROLE_BIT(ROLE_RELAY)
#define LISTENER ROLE_BIT(ROLE_LISTENER)
#define CONTROL ROLE_BIT(ROLE_CONTROL)
#define EVERYBODY (ROLE_BIT(ROLE_COUNT) - 1)

#define SUGGEST_DISTANCE 3 /* edits between a typo and what was meant */

static const char *const sandbox_words[] = {"required", "try", NULL};
static const char *const registration_words[] = {"closed", "invite", "open", NULL};
static const char *const consent_words[] = {"everyone", "ticket", "nobody", NULL};
static const char *const level_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const address_words[] = {"full", "domain", NULL};

static const struct schema_row rows[CONF_COUNT] = {
    [CONF_VERSION] = {"version", SCHEMA_INT, NULL, 1, 1, NULL, SCHEMA_REQUIRED,
	RELOAD_RESTART, "0.1", MASTER, "Version of this file's format. Always 1."},
    [CONF_DOMAIN] = {"domain", SCHEMA_DOMAIN, NULL, 0, 0, NULL, SCHEMA_REQUIRED,
	RELOAD_RESTART, "0.1", EVERYBODY,
	"The hosted domain: the part after # in the addresses of this server. It is "
	"also the host name under which the server is reached."},
    [CONF_LISTEN] = {"listen", SCHEMA_LISTEN, "[::]:443", 0, 0, NULL, SCHEMA_LIST,
	RELOAD_LISTENER, "0.1", MASTER,
	"Addresses and ports to accept devices and peers on. An IPv6 wildcard takes "
	"IPv4 as well unless an IPv4 address with the same port is listed."},
    [CONF_SANDBOX] = {"sandbox", SCHEMA_ENUM, "required", 0, 0, sandbox_words, 0,
	RELOAD_RESTART, "0.1", EVERYBODY,
	"What a process does when the kernel cannot confine it: required ends it, try "
	"warns and goes on."},

    [CONF_TLS_CERTIFICATE] = {"tls.certificate", SCHEMA_PATH, "%etc/tls/cert.pem", 0, 0,
	NULL, 0, RELOAD_LIVE, "0.1", MASTER,
	"Certificate chain of the domain, PEM, the server's certificate first."},
    [CONF_TLS_KEY] = {"tls.key", SCHEMA_PATH, "%etc/tls/key.pem", 0, 0, NULL,
	SCHEMA_SECRET_FILE, RELOAD_LIVE, "0.1", MASTER,
	"Private key of the certificate, PEM without passphrase. The master opens it "
	"and passes it to keyd; no other process sees it."},
    [CONF_TLS_CA_FILE] = {"tls.ca_file", SCHEMA_PATH, NULL, 0, 0, NULL, 0, RELOAD_LIVE,
	"0.1", MASTER,
	"Certificates of further authorities to trust for peers, PEM, besides those "
	"of the system."},
    [CONF_KEYS_DIRECTORY] = {"keys.directory", SCHEMA_PATH, "%etc/keys", 0, 0, NULL,
	SCHEMA_SECRET_FILE, RELOAD_RESTART, "0.1", MASTER,
	"Directory of the domain's signing keys, as emsgctl setup makes it."},

    [CONF_STORE_DIRECTORY] = {"store.directory", SCHEMA_PATH, "%state/store", 0, 0, NULL,
	0, RELOAD_RESTART, "0.1", MASTER | STORE, "Directory of accounts and mailboxes."},
    [CONF_STORE_MAP_SIZE] = {"store.map_size", SCHEMA_SIZE, "16GiB", 64 * MIB, 16 * TIB,
	NULL, 0, RELOAD_RESTART, "0.1", STORE,
	"Size to which the store's database may grow. It takes address space, not "
	"disk, until it is used."},

    [CONF_QUEUE_DIRECTORY] = {"queue.directory", SCHEMA_PATH, "%spool", 0, 0, NULL, 0,
	RELOAD_RESTART, "0.1", MASTER | QUEUE,
	"Directory of the spool: what has yet to reach other servers."},
    [CONF_QUEUE_SEGMENT_SIZE] = {"queue.segment_size", SCHEMA_SIZE, "64MiB", 4 * MIB,
	256 * MIB, NULL, 0, RELOAD_RESTART, "0.1", QUEUE,
	"Size of one segment of the journal. Segments are allocated ahead and used "
	"again."},
    [CONF_QUEUE_LIFETIME] = {"queue.lifetime", SCHEMA_DURATION, "5d", MINUTE, 14 * DAY,
	NULL, 0, RELOAD_LIVE, "0.1", QUEUE,
	"How long an item is tried before its sender is told that it failed."},
    [CONF_QUEUE_RETRY_MIN] = {"queue.retry_min", SCHEMA_DURATION, "5s", SECOND, HOUR,
	NULL, 0, RELOAD_LIVE, "0.1", QUEUE,
	"First pause after a destination failed; it doubles with each failure."},
    [CONF_QUEUE_RETRY_MAX] = {"queue.retry_max", SCHEMA_DURATION, "1h", SECOND, DAY, NULL,
	0, RELOAD_LIVE, "0.1", QUEUE,
	"Longest pause between two attempts at a destination."},
    [CONF_QUEUE_MAX_ACTIVE] = {"queue.max_active", SCHEMA_INT, "20000", 100, 1000000,
	NULL, 0, RELOAD_LIVE, "0.1", QUEUE,
	"Most items in the queue, held in memory; those of one sender may be a "
	"quarter of it. What is beyond is refused for the time being."},

    [CONF_LIMITS_ITEM_SIZE] = {"limits.item_size", SCHEMA_SIZE, "256KiB", 4 * KIB,
	256 * KIB, NULL, 0, RELOAD_LIVE, "0.1", LISTENER | QUEUE | RELAY | STORE,
	"Largest item that is accepted, sealed, with all its stanzas."},
    [CONF_LIMITS_RECIPIENTS] = {"limits.recipients", SCHEMA_INT, "100", 1, 100, NULL, 0,
	RELOAD_LIVE, "0.1", LISTENER | QUEUE | STORE, "Most recipients of one item."},
    [CONF_LIMITS_MAILBOX] = {"limits.mailbox", SCHEMA_SIZE, "1GiB", MIB, TIB, NULL, 0,
	RELOAD_LIVE, "0.1", STORE,
	"Most bytes that wait in one account's mailbox. What is beyond is refused, "
	"and its sender is told."},
    [CONF_LIMITS_CONNECTIONS] = {"limits.connections", SCHEMA_INT, "10000", 16, 1000000,
	NULL, 0, RELOAD_LIVE, "0.1", MASTER | LISTENER,
	"Most connections at a time, of devices and peers together."},
    [CONF_LIMITS_UNAUTHENTICATED] = {"limits.unauthenticated", SCHEMA_INT, "1000", 8,
	1000000, NULL, 0, RELOAD_LIVE, "0.1", LISTENER,
	"Most connections at a time that have not proved who they are."},
    [CONF_LIMITS_CONNECTIONS_PER_ADDRESS] = {"limits.connections_per_address", SCHEMA_INT,
	"50", 1, 1000000, NULL, 0, RELOAD_LIVE, "0.1", LISTENER,
	"Most connections at a time from one IPv4 address or one IPv6 /64."},
    [CONF_LIMITS_HANDSHAKE_TIMEOUT] = {"limits.handshake_timeout", SCHEMA_DURATION, "10s",
	SECOND, 5 * MINUTE, NULL, 0, RELOAD_LIVE, "0.1", LISTENER | RELAY,
	"Time from the connection to the proof of who is there."},
    [CONF_LIMITS_IDLE_TIMEOUT] = {"limits.idle_timeout", SCHEMA_DURATION, "5m",
	10 * SECOND, DAY, NULL, 0, RELOAD_LIVE, "0.1", LISTENER | RELAY,
	"A connection on which nothing at all was heard for so long is closed."},
    [CONF_LIMITS_REQUESTS_PER_SENDER] = {"limits.requests_per_sender", SCHEMA_INT, "5", 1,
	10000, NULL, 0, RELOAD_LIVE, "0.1", STORE,
	"Friend requests of one sender that may be pending here."},
    [CONF_LIMITS_REQUESTS_PER_DOMAIN] = {"limits.requests_per_domain", SCHEMA_INT, "50",
	1, 100000, NULL, 0, RELOAD_LIVE, "0.1", STORE,
	"Friend requests of one sending domain that may be pending here."},

    [CONF_REGISTRATION_POLICY] = {"registration.policy", SCHEMA_ENUM, "closed", 0, 0,
	registration_words, 0, RELOAD_LIVE, "0.1", STORE,
	"Who may make an account: closed, only the operator; invite, whoever has an "
	"invitation of a user; open, everybody."},
    [CONF_INVITE_HOST] = {"invite.host", SCHEMA_HOST, NULL, 0, 0, NULL, 0, RELOAD_LIVE,
	"1.0", STORE,
	"Host name or address that invitations tell clients to connect to, if that is "
	"not the domain."},
    [CONF_INVITE_PORT] = {"invite.port", SCHEMA_PORT, "443", 1, 65535, NULL, 0,
	RELOAD_LIVE, "1.0", STORE, "Port that invitations tell clients to connect to."},
    [CONF_RETENTION_DEFAULT] = {"retention.default", SCHEMA_DURATION, "30d", HOUR,
	75 * DAY, NULL, 0, RELOAD_LIVE, "0.1", STORE,
	"How long a message waits for devices that have not taken it."},
    [CONF_CONSENT_POLICY_DEFAULT] = {"consent.policy_default", SCHEMA_ENUM, "everyone", 0,
	0, consent_words, 0, RELOAD_LIVE, "0.1", STORE,
	"Who may send friend requests to a new account: everyone; ticket, only who "
	"has a link of the user; nobody. Users may change it."},

    [CONF_PEERS] = {"peers", SCHEMA_MAPS, NULL, 0, 0, NULL, 0, RELOAD_LIVE, "0.1",
	MASTER | DIALER | RELAY | STORE,
	"Servers that need more than their domain's name to be reached or trusted. "
	"No entry is needed for any other."},
    [CONF_PEERS_DOMAIN] = {"peers[].domain", SCHEMA_DOMAIN, NULL, 0, 0, NULL,
	SCHEMA_REQUIRED | SCHEMA_ENTRY, RELOAD_LIVE, "0.1", 0, "The peer's domain."},
    [CONF_PEERS_HOST] = {"peers[].host", SCHEMA_HOST, NULL, 0, 0, NULL, SCHEMA_ENTRY,
	RELOAD_LIVE, "0.1", 0,
	"Host name or address to connect to instead of the domain."},
    [CONF_PEERS_PORT] = {"peers[].port", SCHEMA_PORT, NULL, 1, 65535, NULL, SCHEMA_ENTRY,
	RELOAD_LIVE, "0.1", 0, "Port to connect to instead of dialer.port."},
    [CONF_PEERS_PIN] = {"peers[].pin", SCHEMA_PIN, NULL, 0, 0, NULL, SCHEMA_ENTRY,
	RELOAD_LIVE, "0.1", 0,
	"SHA-256 of the peer's root key in hex, as emsgctl key show prints it there. "
	"The peer is trusted by this key alone; its certificate need not be valid."},
    [CONF_PEERS_CA_FILE] = {"peers[].ca_file", SCHEMA_PATH, NULL, 0, 0, NULL,
	SCHEMA_ENTRY, RELOAD_LIVE, "0.1", 0,
	"Certificates of authorities to trust for this peer, PEM, instead of those of "
	"the system."},
    [CONF_PEERS_ALLOW_PRIVATE] = {"peers[].allow_private", SCHEMA_BOOL, "false", 0, 1,
	NULL, SCHEMA_ENTRY, RELOAD_LIVE, "0.1", 0,
	"Connect to this peer even if its address is private, loopback or link-local."},

    [CONF_DIALER_PORT] = {"dialer.port", SCHEMA_PORT, "443", 1, 65535, NULL, 0,
	RELOAD_LIVE, "0.1", DIALER | RELAY, "Port on which peers are called."},
    [CONF_DIALER_TIMEOUT] = {"dialer.timeout", SCHEMA_DURATION, "10s", SECOND, 2 * MINUTE,
	NULL, 0, RELOAD_LIVE, "0.1", DIALER | RELAY,
	"Time to resolve a peer's name and connect to it, in all."},
    [CONF_DIALER_ALLOW_PRIVATE] = {"dialer.allow_private", SCHEMA_PREFIX, NULL, 0, 0,
	NULL, SCHEMA_LIST, RELOAD_LIVE, "0.1", DIALER,
	"Private address ranges in which peers may be. All others are refused."},

    [CONF_CONTROL_SOCKET] = {"control.socket", SCHEMA_PATH, "%run/control.sock", 0, 0,
	NULL, 0, RELOAD_RESTART, "0.1", MASTER | CONTROL,
	"The socket on which emsgctl and emsgq reach the server."},
    [CONF_CONTROL_VIEW_GROUP] = {"control.view_group", SCHEMA_NAME, "_emsgq", 0, 0, NULL,
	0, RELOAD_RESTART, "0.1", MASTER | CONTROL,
	"Members of this group may look at state and queue."},
    [CONF_CONTROL_ADMIN_GROUP] = {"control.admin_group", SCHEMA_NAME, "_emsgadm", 0, 0,
	NULL, 0, RELOAD_RESTART, "0.1", MASTER | CONTROL,
	"Members of this group may change things as well."},

    [CONF_LOG_LEVEL] = {"log.level", SCHEMA_ENUM, "info", 0, 0, level_words, 0,
	RELOAD_LIVE, "0.1", EVERYBODY, "Least severity that is logged."},
    [CONF_LOG_ADDRESSES] = {"log.addresses", SCHEMA_ENUM, "full", 0, 0, address_words, 0,
	RELOAD_LIVE, "0.1", EVERYBODY,
	"How users' addresses appear in the log: full, or only their domain."},
    [CONF_RUN_DIRECTORY] = {"run.directory", SCHEMA_PATH, "%run", 0, 0, NULL, 0,
	RELOAD_RESTART, "0.1", MASTER,
	"Directory of the pid file and of the empty root that processes run in."},
};

const struct schema_row *
schema_row(enum conf_key key)
{
	return &rows[key];
}

/* Compares a table path with one that may lack the "[]". */
static bool
same_path(const char *row, const char *path)
{
	for (; *row != '\0'; row++, path++) {
		if (row[0] == '[' && path[0] != '[')
			row += 2;
		if (*row != *path)
			return false;
	}
	return *path == '\0';
}

enum conf_key
schema_find(const char *path)
{
	for (int k = 0; k < CONF_COUNT; k++)
		if (same_path(rows[k].path, path))
			return (enum conf_key)k;
	return CONF_COUNT;
}

bool
schema_is_section(const char *path)
{
	size_t n = strlen(path);

	for (int k = 0; k < CONF_COUNT; k++)
		if (strncmp(rows[k].path, path, n) == 0 && rows[k].path[n] == '.')
			return true;
	return false;
}

/* Optimal string alignment distance (insert, delete, replace, swap neighbours). */
static unsigned int
distance(const char *a, const char *b)
{
	unsigned int d[3][SCHEMA_PATH_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > SCHEMA_PATH_MAX || nb > SCHEMA_PATH_MAX)
		return SCHEMA_PATH_MAX;
	for (unsigned int j = 0; j <= nb; j++)
		d[0][j] = j;
	for (unsigned int i = 1; i <= na; i++) {
		unsigned int *row = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];

		row[0] = i;
		for (unsigned int j = 1; j <= nb; j++) {
			unsigned int best = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			row[j] = best;
		}
	}
	return d[na % 3][nb];
}

/* Writes the path without "[]", cut if it is longer than any key. */
static void
plain_path(const char *row, char out[SCHEMA_PATH_MAX])
{
	size_t n = 0;

	for (; *row != '\0' && n < SCHEMA_PATH_MAX - 1; row++)
		if (*row != '[' && *row != ']')
			out[n++] = *row;
	out[n] = '\0';
}

/* True if both lie in the same section. */
static bool
same_section(const char *a, const char *b)
{
	const char *da = strrchr(a, '.'), *db = strrchr(b, '.');

	if (da == NULL || db == NULL)
		return da == db;
	return da - a == db - b && strncmp(a, b, (size_t)(da - a)) == 0;
}

/* Keeps in out whichever of candidate and the best so far is nearer to the given path. */
static void
consider(const char *candidate, const char *given, unsigned int *best, char *out)
{
	unsigned int d = distance(candidate, given);

	if (d < *best) {
		*best = d;
		snprintf(out, SCHEMA_PATH_MAX, "%s", candidate);
	}
}

/* At most SUGGEST_DISTANCE edits, and fewer in short names; one more than that. */
static unsigned int
edit_bound(const char *given)
{
	const char *dot = strrchr(given, '.');
	size_t n = strlen(dot == NULL ? given : dot + 1) / 2 + 1;

	return n > SUGGEST_DISTANCE ? SUGGEST_DISTANCE + 1 : (unsigned int)n;
}

bool
schema_nearest(const char *path, char out[SCHEMA_PATH_MAX])
{
	char plain[SCHEMA_PATH_MAX], given[SCHEMA_PATH_MAX];
	unsigned int best;

	out[0] = '\0';
	plain_path(path, given);
	best = edit_bound(given);
	for (int k = 0; k < CONF_COUNT; k++) {
		plain_path(rows[k].path, plain);
		if (same_section(plain, given))
			consider(plain, given, &best, out);
		if (strchr(plain, '.') != NULL && strchr(given, '.') == NULL) {
			*strchr(plain, '.') = '\0';
			consider(plain, given, &best, out);
		}
	}
	return out[0] != '\0';
}

const char *
schema_elsewhere(const char *name)
{
	const char *found = NULL;

	for (int k = 0; k < CONF_COUNT; k++) {
		const char *dot = strrchr(rows[k].path, '.');

		if (strcmp(dot == NULL ? rows[k].path : dot + 1, name) != 0)
			continue;
		if (found == NULL || (rows[k].flags & SCHEMA_ENTRY) == 0)
			found = rows[k].path;
	}
	return found;
}

bool
schema_is_list(enum conf_key key)
{
	return rows[key].type == SCHEMA_MAPS || (rows[key].flags & SCHEMA_LIST) != 0;
}

size_t
schema_entry_rows(enum conf_key maps)
{
	size_t n = 0;

	for (size_t k = (size_t)maps + 1; k < CONF_COUNT; k++, n++)
		if ((rows[k].flags & SCHEMA_ENTRY) == 0)
			break;
	return n;
}

const char *
schema_type_name(enum schema_type type)
{
	static const char *const names[] = {
	    [SCHEMA_INT] = "integer",
	    [SCHEMA_BOOL] = "boolean",
	    [SCHEMA_DURATION] = "duration",
	    [SCHEMA_SIZE] = "size",
	    [SCHEMA_PORT] = "port",
	    [SCHEMA_ENUM] = "word",
	    [SCHEMA_NAME] = "name",
	    [SCHEMA_DOMAIN] = "domain",
	    [SCHEMA_HOST] = "host",
	    [SCHEMA_PATH] = "path",
	    [SCHEMA_LISTEN] = "address and port",
	    [SCHEMA_PREFIX] = "prefix",
	    [SCHEMA_PIN] = "fingerprint",
	    [SCHEMA_MAPS] = "list of maps",
	};

	return names[type];
}

const char *
schema_reload_name(enum schema_reload reload)
{
	static const char *const names[] = {
	    [RELOAD_LIVE] = "live",
	    [RELOAD_LISTENER] = "listener",
	    [RELOAD_RESTART] = "restart",
	};

	return names[reload];
}
