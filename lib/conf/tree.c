/* SPDX-License-Identifier: ISC */
/*
 * tree.c - the nodes of a parsed configuration file.
 *
 * yaml.c builds a tree per file, fill.c walks it, load.c frees it. Each node owns its
 * text and its children. Depth and numbers of children are bounded, so that recursion and
 * searching in order are fine. Nothing fails but node_put() beyond the bound.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/tree.h"

#define CHILDREN_STEP 16 /* pairs are allocated in steps */

struct node *
node_new(enum node_kind kind, struct place at)
{
	struct node *node = xcalloc(1, sizeof(*node));

	node->kind = kind;
	node->at = at;
	return node;
}

void
node_free(struct node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->n; i++) {
		free(node->pairs[i].key);
		node_free(node->pairs[i].node);
	}
	free(node->pairs);
	free(node->text);
	free(node);
}

bool
node_put(struct node *parent, const char *key, struct place at, struct node *child)
{
	struct pair *pair;

	if (parent->n == TREE_CHILDREN_MAX)
		return false;
	if (parent->n % CHILDREN_STEP == 0)
		parent->pairs = xreallocarray(
		    parent->pairs, parent->n + CHILDREN_STEP, sizeof(*parent->pairs));
	pair = &parent->pairs[parent->n++];
	pair->key = key == NULL ? NULL : xstrdup(key);
	pair->at = at;
	pair->node = child;
	return true;
}

const struct pair *
node_find(const struct node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->pairs[i].key, key) == 0)
			return &map->pairs[i];
	return NULL;
}

void
tree_path(char out[TREE_PATH_MAX], const char *parent, const char *key)
{
	int n;

	n = snprintf(
	    out, TREE_PATH_MAX, "%s%s%s", parent, parent[0] == '\0' ? "" : ".", key);
	if (n >= TREE_PATH_MAX)
		memcpy(out + TREE_PATH_MAX - 4, "...", 4);
}
