/* SPDX-License-Identifier: ISC */
/*
 * tree.h - a parsed YAML file as maps, lists and scalars, each with its place.
 *
 * Scalars are text, never typed: the schema does that. A tree owns all below it.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include "conf/fault.h"

#define TREE_DEPTH_MAX 16
#define TREE_CHILDREN_MAX 1024 /* entries of one map or list */
#define TREE_PATH_MAX 128      /* bytes of a path in a fault */

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	struct place at;
	bool empty;         /* scalar: nothing was written after the key */
	char *text;         /* scalar: owned */
	struct pair *pairs; /* list, map: owned */
	size_t n;           /* how many */
};

struct pair {
	char *key;         /* owned; NULL in a list */
	struct place at;   /* of the key */
	struct node *node; /* owned */
};

struct node *node_new(enum node_kind, struct place);
/* NULL-safe. */
void node_free(struct node *);
/* Appends; takes node (not NULL), copies key (NULL in a list). False, and nothing taken,
 * if there are TREE_CHILDREN_MAX. */
bool node_put(struct node *, const char *key, struct place, struct node *);
/* The pair with that key, or NULL. */
const struct pair *node_find(const struct node *map, const char *key);

/* Writes "parent.key", or "key" if parent is empty; cut at TREE_PATH_MAX. */
void tree_path(char out[TREE_PATH_MAX], const char *parent, const char *key);

#endif
