/* SPDX-License-Identifier: ISC */
/*
 * yaml.h - a strict subset of YAML 1.1: text -> tree. The only user of libyaml.
 *
 * Refused, with place and reason: tabs, aliases, anchors, tags, directives, merge keys,
 * keys that are no plain words, duplicate keys, more than one document, flow collections
 * over more than one line, depth beyond TREE_DEPTH_MAX, scalars beyond 64 KiB, files
 * beyond 1 MiB.
 */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include "base/span.h"
#include "conf/tree.h"

#define YAML_FILE_MAX (1024 * 1024)
#define YAML_SCALAR_MAX (64 * 1024)

/* Parses one file's text; file is its number in faults. Returns the tree, which the
 * caller frees, or NULL if the text holds nothing (empty, or only comments) or no tree
 * could be made. *whole is false if something had to be left out of the tree; then there
 * is a fault for it. */
struct node *yaml_read(struct span text, unsigned int file, struct faults *, bool *whole);

#endif
