/* SPDX-License-Identifier: ISC */
/*
 * share.c - what a process receives of the configuration, as bytes and back.
 *
 * The master calls conf_share_put() once per child and reload; the child decodes with
 * conf_share_get(). Which keys go where is the "roles" column of the schema. The decoder
 * takes nothing on trust: keys must be exactly those of the role in ascending order, each
 * value passes the same value_parse() as a value from a file, counts are bounded by the
 * schema, and nothing may be left over. It returns NULL otherwise, and never logs.
 * Where a value came from (file and line) is not passed on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/share.h"

#define SHARE_MAGIC 0x454d4346 /* "EMCF" */
#define SHARE_VERSION 1

static bool
role_receives(enum conf_key key, enum role role)
{
	return (schema_row(key)->roles & ROLE_BIT(role)) != 0;
}

static void
put_text(struct buf *b, const char *text)
{
	size_t n = strlen(text);

	buf_put_u16(b, (uint16_t)n);
	buf_put(b, text, n);
}

static void
put_scalar(struct buf *b, const struct schema_row *row, const struct value *v)
{
	buf_put_u8(b, v->set);
	if (!v->set)
		return;
	if (value_is_number(row))
		buf_put_u64(b, v->num);
	else
		put_text(b, v->text);
}

static void
put_value(struct buf *b, enum conf_key key, const struct value *v)
{
	const struct schema_row *row = schema_row(key);
	size_t width = schema_entry_rows(key);

	if (!schema_is_list(key)) {
		put_scalar(b, row, v);
		return;
	}
	buf_put_u16(b, (uint16_t)v->n);
	if (row->type != SCHEMA_MAPS) {
		for (size_t i = 0; i < v->n; i++)
			put_text(b, v->list[i]);
		return;
	}
	for (size_t i = 0; i < v->n * width; i++)
		put_scalar(b, row + 1 + i % width, &v->entries[i]);
}

void
conf_share_put(struct buf *b, const struct conf *c, enum role role)
{
	uint16_t count = 0;

	for (int k = 0; k < CONF_COUNT; k++)
		count = (uint16_t)(count + role_receives((enum conf_key)k, role));
	buf_put_u32(b, SHARE_MAGIC);
	buf_put_u16(b, SHARE_VERSION);
	buf_put_u64(b, c->generation);
	buf_put_u8(b, (uint8_t)role);
	buf_put_u16(b, count);
	for (int k = 0; k < CONF_COUNT; k++) {
		if (!role_receives((enum conf_key)k, role))
			continue;
		buf_put_u16(b, (uint16_t)k);
		put_value(b, (enum conf_key)k, &c->v[k]);
	}
}

/* Reads a text into a buffer of VALUE_TEXT_MAX bytes. */
static bool
get_text(struct cur *cur, char *out)
{
	return text_copy(out, VALUE_TEXT_MAX, cur_bytes(cur, cur_u16(cur))) &&
	    !cur->failed;
}

/* A number in range for its row, as value_parse() would have left it. */
static bool
number_ok(const struct schema_row *row, uint64_t num)
{
	uint64_t words = 0;

	if (row->type != SCHEMA_ENUM)
		return num >= row->min && num <= row->max;
	while (row->values[words] != NULL)
		words++;
	return num < words;
}

static bool
get_scalar(struct cur *cur, const struct schema_row *row, struct value *v)
{
	char text[VALUE_TEXT_MAX], error[VALUE_ERROR_MAX];
	uint8_t set = cur_u8(cur);

	if (set > 1)
		return false;
	if (set == 0)
		return !cur->failed && row->def == NULL &&
		    (row->flags & SCHEMA_REQUIRED) == 0;
	if (!value_is_number(row))
		return get_text(cur, text) && value_parse(row, text, v, error);
	v->num = cur_u64(cur);
	v->set = true;
	return !cur->failed && number_ok(row, v->num);
}

static bool
get_list(struct cur *cur, const struct schema_row *row, struct value *v)
{
	char text[VALUE_TEXT_MAX], error[VALUE_ERROR_MAX];
	size_t n = cur_u16(cur);

	if (n > SCHEMA_LIST_MAX)
		return false;
	v->list = xcalloc(SCHEMA_LIST_MAX, sizeof(*v->list));
	while (v->n < n) {
		if (!get_text(cur, text) || !value_parse(row, text, v, error))
			return false;
		v->list[v->n++] = xstrdup(text);
	}
	return true;
}

static bool
get_entries(struct cur *cur, enum conf_key key, struct value *v)
{
	size_t width = schema_entry_rows(key);
	size_t n = cur_u16(cur);

	if (n > SCHEMA_MAPS_MAX)
		return false;
	v->entries = xcalloc(n * width + 1, sizeof(*v->entries));
	v->n = n;
	for (size_t i = 0; i < n * width; i++)
		if (!get_scalar(cur, schema_row(key) + 1 + i % width, &v->entries[i]))
			return false;
	return true;
}

static bool
get_value(struct cur *cur, enum conf_key key, struct value *v)
{
	const struct schema_row *row = schema_row(key);

	if (row->type == SCHEMA_MAPS)
		return get_entries(cur, key, v);
	if ((row->flags & SCHEMA_LIST) != 0)
		return get_list(cur, row, v);
	return get_scalar(cur, row, v);
}

static bool
get_header(struct cur *cur, enum role role, struct conf *c)
{
	uint16_t count = 0;
	bool ok;

	for (int k = 0; k < CONF_COUNT; k++)
		count = (uint16_t)(count + role_receives((enum conf_key)k, role));
	ok = cur_u32(cur) == SHARE_MAGIC;
	ok = cur_u16(cur) == SHARE_VERSION && ok;
	c->generation = cur_u64(cur);
	ok = cur_u8(cur) == (uint8_t)role && ok;
	return cur_u16(cur) == count && ok && !cur->failed;
}

struct conf *
conf_share_get(struct span bytes, enum role role)
{
	struct conf *c = conf_new(role);
	struct cur cur;
	bool ok;

	cur_init(&cur, bytes);
	ok = get_header(&cur, role, c);
	for (int k = 0; ok && k < CONF_COUNT; k++) {
		if (!role_receives((enum conf_key)k, role))
			continue;
		ok = cur_u16(&cur) == (uint16_t)k &&
		    get_value(&cur, (enum conf_key)k, &c->v[k]);
	}
	if (ok && cur_done(&cur))
		return c;
	conf_free(c);
	return NULL;
}
