/* SPDX-License-Identifier: ISC */
/*
 * crosscheck.c - checks of keys against each other, one function each.
 *
 * load.c calls crosscheck_run() after all files have been taken over. A check runs only
 * if both keys it names are right by themselves, so that one mistake gives one message.
 * Each reports at the place of the key that an operator would change: the one that a file
 * has set. Values that are only defaults satisfy all checks (a unit test loads the least
 * file).
 */
#include <sys/un.h>

#include <string.h>

#include "base/buf.h"
#include "conf/crosscheck.h"
#include "conf/share.h"

struct crosscheck {
	enum conf_key a, b; /* equal if there is only one */
	void (*fn)(const struct fill *, enum conf_key a, enum conf_key b);
};

/* Reports at a if a file has set it, else at b. */
static void
report(const struct fill *f, enum conf_key a, enum conf_key b, const char *text)
{
	const struct value *va = &f->conf->v[a], *vb = &f->conf->v[b];
	bool at_a = va->from_file || !vb->from_file;
	const struct schema_row *row = schema_row(at_a ? a : b);
	char other[VALUE_TEXT_MAX];

	if (a == b) {
		fault_add(f->faults, va->at, row->path, "%s", text);
		return;
	}
	if (value_is_number(schema_row(a)))
		value_format(schema_row(at_a ? b : a), (at_a ? vb : va)->num, other);
	else
		snprintf(other, sizeof(other), "%s", (at_a ? vb : va)->text);
	fault_add(f->faults, (at_a ? va : vb)->at, row->path, "%s %s (%s)", text,
	    schema_row(at_a ? b : a)->path, other);
}

/* a <= b */
static void
check_order(const struct fill *f, enum conf_key a, enum conf_key b)
{
	bool at_a = f->conf->v[a].from_file || !f->conf->v[b].from_file;

	if (conf_u64(f->conf, a) > conf_u64(f->conf, b))
		report(f, a, b, at_a ? "must not be more than" : "must not be less than");
}

static void
check_different(const struct fill *f, enum conf_key a, enum conf_key b)
{
	if (strcmp(conf_str(f->conf, a), conf_str(f->conf, b)) == 0)
		report(f, a, b, "must differ from");
}

static void
check_listen(const struct fill *f, enum conf_key a, enum conf_key b)
{
	const struct value *v = &f->conf->v[a];

	(void)b;
	if (v->n == 0)
		report(f, a, a, "must name at least one address");
	for (size_t i = 0; i < v->n; i++)
		for (size_t j = i + 1; j < v->n; j++)
			if (strcmp(v->list[i], v->list[j]) == 0)
				fault_add(f->faults, v->at, schema_row(a)->path,
				    "\"%.60s\" is listed twice", v->list[j]);
}

static void
check_socket_path(const struct fill *f, enum conf_key a, enum conf_key b)
{
	struct sockaddr_un sun;

	(void)b;
	if (strlen(conf_str(f->conf, a)) >= sizeof(sun.sun_path))
		report(f, a, a,
		    "path too long for a socket: at most 107 bytes; choose a shorter "
		    "one");
}

static void
check_peers(const struct fill *f, enum conf_key a, enum conf_key b)
{
	const struct value *v = &f->conf->v[a];
	size_t width = schema_entry_rows(a);
	char path[64];

	for (size_t i = 0; i < v->n; i++) {
		const struct value *domain = &v->entries[i * width];

		snprintf(path, sizeof(path), "peers[%zu].domain", i);
		if (f->conf->v[b].set && strcmp(domain->text, f->conf->v[b].text) == 0)
			fault_add(
			    f->faults, domain->at, path, "is this server's own domain");
		for (size_t j = 0; j < i; j++)
			if (strcmp(domain->text, v->entries[j * width].text) == 0)
				fault_add(f->faults, domain->at, path,
				    "there is an entry for this domain on line %u "
				    "already",
				    v->entries[j * width].at.line);
	}
}

/* What a process receives must fit into one message. */
static void
check_shared_size(const struct fill *f, enum conf_key a, enum conf_key b)
{
	(void)b;
	for (int role = ROLE_MASTER + 1; role < ROLE_COUNT; role++) {
		struct buf bytes;
		bool failed;

		buf_init(&bytes, CONF_SHARE_MAX);
		conf_share_put(&bytes, f->conf, (enum role)role);
		failed = buf_failed(&bytes);
		buf_clear(&bytes);
		if (!failed)
			continue;
		report(f, a, a, "all entries together are too large");
		return;
	}
}

static const struct crosscheck checks[] = {
    {CONF_QUEUE_RETRY_MIN, CONF_QUEUE_RETRY_MAX, check_order},
    {CONF_QUEUE_RETRY_MAX, CONF_QUEUE_LIFETIME, check_order},
    {CONF_LIMITS_UNAUTHENTICATED, CONF_LIMITS_CONNECTIONS, check_order},
    {CONF_LIMITS_REQUESTS_PER_SENDER, CONF_LIMITS_REQUESTS_PER_DOMAIN, check_order},
    {CONF_LIMITS_ITEM_SIZE, CONF_LIMITS_MAILBOX, check_order},
    {CONF_QUEUE_DIRECTORY, CONF_STORE_DIRECTORY, check_different},
    {CONF_KEYS_DIRECTORY, CONF_STORE_DIRECTORY, check_different},
    {CONF_KEYS_DIRECTORY, CONF_QUEUE_DIRECTORY, check_different},
    {CONF_LISTEN, CONF_LISTEN, check_listen},
    {CONF_CONTROL_SOCKET, CONF_CONTROL_SOCKET, check_socket_path},
    {CONF_PEERS, CONF_DOMAIN, check_peers},
    {CONF_PEERS, CONF_PEERS, check_shared_size},
};

void
crosscheck_run(const struct fill *f)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (!f->bad[checks[i].a] && !f->bad[checks[i].b])
			checks[i].fn(f, checks[i].a, checks[i].b);
}
