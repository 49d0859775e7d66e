/* SPDX-License-Identifier: ISC */
/*
 * fill.c - checks the tree of each file against the schema and takes over its values.
 *
 * load.c calls fill_file() for each file in order, then fill_required() once. Every key
 * must be known; every value must have the shape and type of its row. Maps merge by key.
 * A scalar or a list that an earlier file has set is refused unless the present file is
 * one that may override. All that is wrong goes into the faults, with place and path, and
 * the key keeps its former value; nothing here stops at the first mistake, logs or fails.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/fill.h"

static void fill_map(struct fill *, const struct node *, const char *path);

/* Where to point for a value: an empty one has no place of its own. */
static struct place
value_place(const struct pair *pair)
{
	return pair->node->kind == NODE_SCALAR && pair->node->empty ? pair->at
								    : pair->node->at;
}

/* "tls.key" -> section "tls"; "domain" -> "". */
static void
section_of(const char *path, char out[SCHEMA_PATH_MAX])
{
	const char *dot = strrchr(path, '.');
	size_t n = dot == NULL ? 0 : (size_t)(dot - path);

	snprintf(out, SCHEMA_PATH_MAX, "%.*s", (int)n, path);
	if (n > 2 && strcmp(out + n - 2, "[]") == 0)
		out[n - 2] = '\0';
}

/* Says where the key would be right, or which one may have been meant. lookup: the path as
 * the schema would have it. */
static void
unknown_key(struct fill *f, const struct pair *pair, const char *path, const char *lookup)
{
	const char *dot = strrchr(pair->key, '.');
	const char *name = dot == NULL ? pair->key : dot + 1;
	const char *elsewhere = schema_elsewhere(name);
	char hint[2 * SCHEMA_PATH_MAX] = "", section[SCHEMA_PATH_MAX],
		      near[SCHEMA_PATH_MAX];

	if (dot != NULL && schema_find(pair->key) != CONF_COUNT)
		elsewhere = schema_row(schema_find(pair->key))->path;
	if (elsewhere != NULL) {
		section_of(elsewhere, section);
		if (section[0] == '\0')
			snprintf(hint, sizeof(hint), "; \"%s\" belongs to the top level",
			    name);
		else
			snprintf(hint, sizeof(hint), "; \"%s\" belongs below \"%s\"",
			    name, section);
	} else if (schema_nearest(lookup, near)) {
		dot = strrchr(near, '.');
		snprintf(hint, sizeof(hint), "; did you mean \"%s\"?",
		    dot == NULL ? near : dot + 1);
	}
	fault_add(f->faults, pair->at, path, "unknown key%s", hint);
}

/* The text of a scalar as value_parse() wants it: relative paths made absolute. */
static void
scalar_text(const struct fill *f, const struct schema_row *row, const char *text,
    char out[VALUE_TEXT_MAX + 1])
{
	if (row->type == SCHEMA_PATH && f->conf->base != NULL && text[0] != '/' &&
	    text[0] != '\0')
		snprintf(out, VALUE_TEXT_MAX + 1, "%s/%s", f->conf->base, text);
	else
		snprintf(out, VALUE_TEXT_MAX + 1, "%s", text);
}

/* Parses one scalar; false if it is wrong (and reported). */
static bool
parse_scalar(struct fill *f, const struct schema_row *row, const struct pair *pair,
    const char *path, struct value *v)
{
	char text[VALUE_TEXT_MAX + 1], error[VALUE_ERROR_MAX];
	struct value parsed = {0};

	if (pair->node->kind != NODE_SCALAR) {
		fault_add(f->faults, pair->node->at, path, "must be one %s, not a %s",
		    schema_type_name(row->type),
		    pair->node->kind == NODE_LIST ? "list" : "section");
		return false;
	}
	scalar_text(f, row, pair->node->text, text);
	if (!value_parse(row, text, &parsed, error)) {
		fault_add(f->faults, value_place(pair), path, "%s", error);
		return false;
	}
	free(v->text);
	*v = parsed;
	v->from_file = true;
	v->at = value_place(pair);
	return true;
}

/* True if the pair's value is a list of at most max elements; else that is reported. */
static bool
is_list(
    struct fill *f, const struct pair *pair, const char *path, const char *of, size_t max)
{
	if (pair->node->kind != NODE_LIST) {
		fault_add(f->faults, value_place(pair), path,
		    "must be a list of %s: one a line, each after \"- \"; or [] for none",
		    of);
		return false;
	}
	if (pair->node->n > max) {
		fault_add(f->faults, pair->node->at, path, "more than %zu entries", max);
		return false;
	}
	return true;
}

static bool
fill_list(struct fill *f, enum conf_key key, const struct pair *pair, const char *path)
{
	const struct schema_row *row = schema_row(key);
	struct value v = {.set = true, .from_file = true, .at = pair->at};
	bool ok = true;

	if (!is_list(f, pair, path, schema_type_name(row->type), SCHEMA_LIST_MAX))
		return false;
	v.list = xcalloc(pair->node->n + 1, sizeof(*v.list));
	for (size_t i = 0; i < pair->node->n; i++) {
		struct value one = {0};

		if (parse_scalar(f, row, &pair->node->pairs[i], path, &one))
			v.list[v.n++] = xstrdup(pair->node->pairs[i].node->text);
		else
			ok = false;
	}
	value_clear(key, ok ? &f->conf->v[key] : &v);
	if (ok)
		f->conf->v[key] = v;
	return ok;
}

/* The defaults of one entry. */
static void
entry_defaults(enum conf_key maps, struct value *entry)
{
	char error[VALUE_ERROR_MAX];

	for (size_t i = 0; i < schema_entry_rows(maps); i++) {
		const struct schema_row *row = schema_row(maps) + 1 + i;

		if (row->def != NULL)
			value_parse(row, row->def, &entry[i], error);
	}
}

static void
entry_required(struct fill *f, enum conf_key maps, const struct node *node,
    const char *path, const struct value *entry)
{
	char below[TREE_PATH_MAX];

	for (size_t i = 0; i < schema_entry_rows(maps); i++) {
		const struct schema_row *row = schema_row(maps) + 1 + i;
		const char *name = strrchr(row->path, '.') + 1;

		if ((row->flags & SCHEMA_REQUIRED) == 0 || entry[i].set ||
		    node_find(node, name) != NULL)
			continue;
		tree_path(below, path, name);
		fault_add(f->faults, node->at, below, "required key is missing");
	}
}

/* One key of one entry. */
static void
fill_entry_pair(struct fill *f, enum conf_key maps, const struct pair *pair,
    const char *path, struct value *entry)
{
	char below[TREE_PATH_MAX], lookup[TREE_PATH_MAX];
	enum conf_key key;

	tree_path(below, path, pair->key);
	tree_path(lookup, schema_row(maps)->path, pair->key);
	key = strpbrk(pair->key, ".[]") == NULL ? schema_find(lookup) : CONF_COUNT;
	if (key == CONF_COUNT)
		unknown_key(f, pair, below, lookup);
	else
		parse_scalar(f, schema_row(key), pair, below,
		    &entry[(size_t)key - (size_t)maps - 1]);
}

static bool
fill_entry(struct fill *f, enum conf_key maps, const struct node *node, const char *path,
    struct value *entry)
{
	size_t before = f->faults->n + f->faults->more;

	if (node->kind != NODE_MAP) {
		fault_add(
		    f->faults, node->at, path, "an entry must be a map: \"key: value\"");
		return false;
	}
	entry_defaults(maps, entry);
	for (size_t i = 0; i < node->n; i++)
		fill_entry_pair(f, maps, &node->pairs[i], path, entry);
	entry_required(f, maps, node, path, entry);
	return f->faults->n + f->faults->more == before;
}

static bool
fill_entries(struct fill *f, enum conf_key key, const struct pair *pair, const char *path)
{
	size_t width = schema_entry_rows(key);
	struct value v = {.set = true, .from_file = true, .at = pair->at};
	char below[TREE_PATH_MAX + 24];
	bool ok = true;

	if (!is_list(f, pair, path, "maps", SCHEMA_MAPS_MAX))
		return false;
	v.n = pair->node->n;
	v.entries = xcalloc(v.n * width + 1, sizeof(*v.entries));
	for (size_t i = 0; i < v.n; i++) {
		snprintf(below, sizeof(below), "%s[%zu]", path, i);
		if (!fill_entry(
			f, key, pair->node->pairs[i].node, below, &v.entries[i * width]))
			ok = false;
	}
	value_clear(key, ok ? &f->conf->v[key] : &v);
	if (ok)
		f->conf->v[key] = v;
	return ok;
}

/* True if the present file may set the key; else that is reported. */
static bool
may_set(struct fill *f, const struct value *v, const struct pair *pair, const char *path)
{
	if (!v->from_file || f->override)
		return true;
	fault_add(f->faults, pair->at, path,
	    "already set in %s, line %u; only files named 90- to 99- in conf.d may "
	    "change it",
	    f->faults->files[v->at.file], v->at.line);
	return false;
}

static void
fill_key(struct fill *f, enum conf_key key, const struct pair *pair, const char *path)
{
	const struct schema_row *row = schema_row(key);
	struct value *v = &f->conf->v[key];
	bool ok;

	if (!may_set(f, v, pair, path))
		return;
	if (row->type == SCHEMA_MAPS)
		ok = fill_entries(f, key, pair, path);
	else if ((row->flags & SCHEMA_LIST) != 0)
		ok = fill_list(f, key, pair, path);
	else
		ok = parse_scalar(f, row, pair, path, v);
	if (!ok)
		f->bad[key] = true;
}

static void
fill_section(struct fill *f, const struct pair *pair, const char *path)
{
	if (pair->node->kind == NODE_MAP)
		fill_map(f, pair->node, path);
	else if (pair->node->kind != NODE_SCALAR || !pair->node->empty)
		fault_add(f->faults, pair->node->at, path,
		    "is a section: write its keys on the lines below, indented");
}

static void
fill_map(struct fill *f, const struct node *map, const char *path)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct pair *pair = &map->pairs[i];
		bool plain = strpbrk(pair->key, ".[]") == NULL;
		char below[TREE_PATH_MAX];
		enum conf_key key;

		tree_path(below, path, pair->key);
		key = plain ? schema_find(below) : CONF_COUNT;
		if (key != CONF_COUNT)
			fill_key(f, key, pair, below);
		else if (plain && schema_is_section(below))
			fill_section(f, pair, below);
		else
			unknown_key(f, pair, below, below);
	}
}

bool
fill_file(struct fill *f, const struct node *root)
{
	if (root == NULL || (root->kind == NODE_SCALAR && root->empty))
		return true;
	if (root->kind != NODE_MAP) {
		fault_add(f->faults, root->at, NULL,
		    "the file must consist of \"key: value\" lines");
		return false;
	}
	fill_map(f, root, "");
	return true;
}

void
fill_required(struct fill *f, struct place at)
{
	for (int k = 0; k < CONF_COUNT; k++) {
		const struct schema_row *row = schema_row((enum conf_key)k);

		if ((row->flags & SCHEMA_ENTRY) != 0 ||
		    (row->flags & SCHEMA_REQUIRED) == 0)
			continue;
		if (!f->conf->v[k].set && !f->bad[k])
			fault_add(f->faults, at, row->path, "required key is missing");
	}
}
