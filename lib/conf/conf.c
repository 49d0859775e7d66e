/* SPDX-License-Identifier: ISC */
/*
 * conf.c - typed access to a configuration, defaults, differences.
 *
 * A struct conf holds one struct value per row of the schema. It is made by fill.c from
 * files (master) or by share.c from bytes (everybody else) and never changes afterwards.
 * All strings that the accessors return are borrowed from it.
 * Asking for a key that the process does not receive, or as another type than it has, is
 * a mistake in our own code and panics at the first call, hence in the first test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"

struct conf *
conf_new(enum role role)
{
	struct conf *c = xcalloc(1, sizeof(*c));

	c->role = role;
	for (int k = 0; k < CONF_COUNT; k++)
		if (schema_is_list((enum conf_key)k))
			c->v[k].set = true;
	return c;
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (int k = 0; k < CONF_COUNT; k++)
		value_clear((enum conf_key)k, &c->v[k]);
	for (unsigned int i = 0; i < c->nfiles; i++)
		free(c->files[i]);
	free(c->files);
	free(c->base);
	free(c);
}

bool
conf_base_ok(const char *base)
{
	if (base == NULL)
		return true;
	for (const char *p = base; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return base[0] == '/' && strlen(base) <= CONF_BASE_MAX;
}

/* Replaces %etc, %state, %spool and %run at the start of a default path. */
static void
expand_path(const char *def, const char *base, char out[VALUE_TEXT_MAX])
{
	static const struct {
		const char *mark, *installed, *below;
	} dirs[] = {
	    {"%etc", EMSG_SYSCONFDIR "/emsg", ""},
	    {"%state", EMSG_LOCALSTATEDIR "/lib/emsg", ""},
	    {"%spool", EMSG_LOCALSTATEDIR "/spool/emsg", "/queue"},
	    {"%run", EMSG_RUNSTATEDIR "/emsg", "/run"},
	};

	snprintf(out, VALUE_TEXT_MAX, "%s", def);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		size_t n = strlen(dirs[i].mark);

		if (strncmp(def, dirs[i].mark, n) != 0)
			continue;
		snprintf(out, VALUE_TEXT_MAX, "%s%s%s",
		    base == NULL ? dirs[i].installed : base,
		    base == NULL ? "" : dirs[i].below, def + n);
	}
}

static void
set_default(struct conf *c, enum conf_key key)
{
	const struct schema_row *row = schema_row(key);
	char text[VALUE_TEXT_MAX], error[VALUE_ERROR_MAX];
	struct value *v = &c->v[key];

	expand_path(row->def, c->base, text);
	if (!value_parse(row, text, v, error))
		panic("default of %s: %s", row->path, error);
	if ((row->flags & SCHEMA_LIST) != 0) {
		v->list = xcalloc(1, sizeof(*v->list));
		v->list[0] = xstrdup(text);
		v->n = 1;
	}
}

struct conf *
conf_new_defaults(const char *base)
{
	struct conf *c = conf_new(ROLE_MASTER);

	if (base != NULL)
		c->base = xstrdup(base);
	for (int k = 0; k < CONF_COUNT; k++) {
		const struct schema_row *row = schema_row((enum conf_key)k);

		if (row->def != NULL && (row->flags & SCHEMA_ENTRY) == 0)
			set_default(c, (enum conf_key)k);
	}
	return c;
}

/* The value, which the role must receive and whose row must be as the accessor needs
 * it. */
static const struct value *
value_of(const struct conf *c, enum conf_key key, bool fits)
{
	const struct schema_row *row = schema_row(key);

	if (!fits)
		panic("configuration key %s read as another type", row->path);
	if (c->role != ROLE_MASTER && (row->roles & ROLE_BIT(c->role)) == 0)
		panic(
		    "configuration key %s is not for %s", row->path, role_name(c->role));
	return &c->v[key];
}

const char *
conf_str(const struct conf *c, enum conf_key key)
{
	const struct schema_row *row = schema_row(key);

	return value_of(c, key, !value_is_number(row) && !schema_is_list(key))->text;
}

uint64_t
conf_u64(const struct conf *c, enum conf_key key)
{
	return value_of(c, key, value_is_number(schema_row(key)))->num;
}

bool
conf_bool(const struct conf *c, enum conf_key key)
{
	return value_of(c, key, schema_row(key)->type == SCHEMA_BOOL)->num != 0;
}

const char *
conf_word(const struct conf *c, enum conf_key key)
{
	const struct schema_row *row = schema_row(key);

	return row->values[value_of(c, key, row->type == SCHEMA_ENUM)->num];
}

size_t
conf_list_count(const struct conf *c, enum conf_key key)
{
	return value_of(c, key, schema_is_list(key))->n;
}

const char *
conf_list_str(const struct conf *c, enum conf_key key, size_t i)
{
	const struct value *v =
	    value_of(c, key, (schema_row(key)->flags & SCHEMA_LIST) != 0);

	if (i >= v->n)
		panic(
		    "configuration list %s has no element %zu", schema_row(key)->path, i);
	return v->list[i];
}

size_t
conf_peer_count(const struct conf *c)
{
	return conf_list_count(c, CONF_PEERS);
}

/* One key of one entry of "peers". */
static const struct value *
peer_value(const struct conf *c, size_t i, enum conf_key key)
{
	size_t width = schema_entry_rows(CONF_PEERS);

	return &c->v[CONF_PEERS].entries[i * width + (size_t)key - CONF_PEERS - 1];
}

struct conf_peer
conf_peer_at(const struct conf *c, size_t i)
{
	const struct value *port;
	struct conf_peer p;

	if (i >= conf_peer_count(c))
		panic("configuration has no peer %zu", i);
	port = peer_value(c, i, CONF_PEERS_PORT);
	p.domain = peer_value(c, i, CONF_PEERS_DOMAIN)->text;
	p.host = peer_value(c, i, CONF_PEERS_HOST)->text;
	p.port = port->set ? (uint16_t)port->num : 0;
	p.pin = peer_value(c, i, CONF_PEERS_PIN)->text;
	p.ca_file = peer_value(c, i, CONF_PEERS_CA_FILE)->text;
	p.allow_private = peer_value(c, i, CONF_PEERS_ALLOW_PRIVATE)->num != 0;
	return p;
}

bool
conf_peer_find(const struct conf *c, const char *domain, struct conf_peer *p)
{
	for (size_t i = 0; i < conf_peer_count(c); i++) {
		*p = conf_peer_at(c, i);
		if (strcmp(p->domain, domain) == 0)
			return true;
	}
	return false;
}

size_t
conf_diff(
    const struct conf *a, const struct conf *b, struct conf_change changes[CONF_COUNT])
{
	size_t n = 0;

	for (int k = 0; k < CONF_COUNT; k++) {
		enum conf_key key = (enum conf_key)k;

		if (value_eq(key, &a->v[k], &b->v[k]))
			continue;
		changes[n].key = key;
		changes[n++].reload = schema_row(key)->reload;
	}
	return n;
}
