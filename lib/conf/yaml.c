/* SPDX-License-Identifier: ISC */
/*
 * yaml.c - one YAML file -> tree, by libyaml's events. Master only.
 *
 * Reads the strict subset that yaml.h describes. The event interface, rather than the
 * document loader, because aliases are never expanded and every node keeps its place.
 * What is well-formed but outside the subset is reported, left out of the tree, and
 * reading goes on; what libyaml itself refuses, and what breaks a bound, ends it. Scalars
 * stay text: no "no" that is false, no 010 that is eight.
 * Called by load.c and by the fuzzer, so any bytes may come in. Recursion is bounded by
 * TREE_DEPTH_MAX.
 */
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "conf/yaml.h"

#define YAML_KEY_MAX 64 /* bytes of a key */

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	bool have;          /* event must be deleted */
	bool stop;          /* nothing more can be read */
	bool whole;         /* nothing was left out */
	unsigned int file;
	struct span text;
	struct faults *faults; /* borrowed */
};

static struct node *read_node(struct reader *, unsigned int depth, const char *path);

static struct place
place_of(const struct reader *r, yaml_mark_t mark)
{
	struct place at = {
	    r->file, (unsigned int)mark.line + 1, (unsigned int)mark.column + 1};

	return at;
}

/* Something was left out because of text. */
static void
refuse(struct reader *r, struct place at, const char *path, const char *text)
{
	fault_add(r->faults, at, path, "%s", text);
	r->whole = false;
}

/* The same, and nothing more is read. */
static void
give_up(struct reader *r, struct place at, const char *path, const char *text)
{
	refuse(r, at, path, text);
	r->stop = true;
}

/* libyaml's reader knows only the offset of bytes that are no text. */
static struct place
place_of_offset(const struct reader *r, size_t offset)
{
	struct place at = {r->file, 1, 1};

	for (size_t i = 0; i < offset && i < r->text.n; i++) {
		if (r->text.p[i] == '\n') {
			at.line++;
			at.col = 1;
		} else if ((r->text.p[i] & 0xc0) != 0x80) {
			at.col++;
		}
	}
	return at;
}

static void
syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem == NULL ? "cannot be read" : p->problem;
	struct place at = place_of(r, p->problem_mark);
	char text[256];

	if (p->error == YAML_READER_ERROR)
		at = place_of_offset(r, p->problem_offset);
	if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
		snprintf(text, sizeof(text),
		    "not valid YAML: %s %s that began on line %zu", problem, p->context,
		    p->context_mark.line + 1);
	else
		snprintf(text, sizeof(text), "not valid YAML: %s", problem);
	give_up(r, at, NULL, text);
}

/* Moves to the next event; false if there is none because reading stopped. */
static bool
next(struct reader *r)
{
	if (r->have)
		yaml_event_delete(&r->event);
	r->have = false;
	if (r->stop)
		return false;
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		syntax_error(r);
		return false;
	}
	r->have = true;
	return true;
}

/* Anchors and tags are refused, whatever they are on. */
static void
check_properties(struct reader *r, const char *path, const void *anchor, const void *tag)
{
	struct place at = place_of(r, r->event.start_mark);

	if (anchor != NULL)
		refuse(r, at, path, "anchors (&name) are not supported");
	if (tag != NULL)
		refuse(r, at, path, "tags (!name) are not supported");
}

static struct node *
read_scalar(struct reader *r, const char *path)
{
	const yaml_event_t *ev = &r->event;
	const char *text = (const char *)ev->data.scalar.value;
	struct node *node;

	check_properties(r, path, ev->data.scalar.anchor, ev->data.scalar.tag);
	if (ev->data.scalar.length > YAML_SCALAR_MAX) {
		refuse(r, place_of(r, ev->start_mark), path, "value longer than 64 KiB");
		return NULL;
	}
	if (memchr(text, '\0', ev->data.scalar.length) != NULL) {
		refuse(r, place_of(r, ev->start_mark), path, "value holds a NUL byte");
		return NULL;
	}
	node = node_new(NODE_SCALAR, place_of(r, ev->start_mark));
	node->text = xstrdup(text);
	node->empty = text[0] == '\0' && ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return node;
}

/* At the end event of a collection that began at "at". */
static void
check_flow(struct reader *r, const char *path, bool flow, struct place at)
{
	if (flow && r->event.end_mark.line + 1 != at.line)
		refuse(r, at, path,
		    "brackets over more than one line are not supported; "
		    "write one entry a line, indented, without brackets");
}

static struct node *
read_list(struct reader *r, unsigned int depth, const char *path)
{
	struct node *list = node_new(NODE_LIST, place_of(r, r->event.start_mark));
	bool flow = r->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;

	check_properties(r, path, r->event.data.sequence_start.anchor,
	    r->event.data.sequence_start.tag);
	while (next(r) && r->event.type != YAML_SEQUENCE_END_EVENT) {
		struct node *child = read_node(r, depth + 1, path);

		if (child == NULL)
			continue;
		if (!node_put(list, NULL, child->at, child)) {
			give_up(r, child->at, path, "more than 1024 entries");
			node_free(child);
		}
	}
	if (!r->stop)
		check_flow(r, path, flow, list->at);
	return list;
}

/* What is wrong with the current event as a key, or NULL. */
static const char *
key_problem(const struct reader *r)
{
	const yaml_event_t *ev = &r->event;

	if (ev->type == YAML_ALIAS_EVENT)
		return "aliases (*name) are not supported";
	if (ev->type != YAML_SCALAR_EVENT)
		return "a key must be a word";
	if (ev->data.scalar.anchor != NULL)
		return "anchors (&name) are not supported";
	if (ev->data.scalar.tag != NULL)
		return "tags (!name) are not supported";
	if (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return "a key must be written without quotes";
	if (ev->data.scalar.length == 0)
		return "a key is missing before the colon";
	if (ev->data.scalar.length > YAML_KEY_MAX)
		return "a key of more than 64 bytes";
	if (strcmp((const char *)ev->data.scalar.value, "<<") == 0)
		return "merge keys (<<) are not supported";
	return NULL;
}

/* The current event is the key. Reads its value; adds both to the map unless refused. */
static void
read_pair(struct reader *r, unsigned int depth, const char *path, struct node *map)
{
	struct place at = place_of(r, r->event.start_mark);
	const char *problem = key_problem(r);
	const struct pair *first;
	char key[YAML_KEY_MAX + 1] = "", below[TREE_PATH_MAX], text[160];
	struct node *child;

	if (problem != NULL) {
		refuse(r, at, path, problem);
		if (r->event.type == YAML_SEQUENCE_START_EVENT ||
		    r->event.type == YAML_MAPPING_START_EVENT)
			node_free(read_node(r, depth + 1, path));
	} else {
		snprintf(
		    key, sizeof(key), "%s", (const char *)r->event.data.scalar.value);
	}
	tree_path(below, path, key);
	if (!next(r))
		return;
	child = read_node(r, depth + 1, problem == NULL ? below : path);
	if (child == NULL || problem != NULL) {
		node_free(child);
		return;
	}
	first = node_find(map, key);
	if (first != NULL) {
		snprintf(text, sizeof(text), "set twice: on line %u and again on line %u",
		    first->at.line, at.line);
		refuse(r, at, below, text);
		node_free(child);
	} else if (!node_put(map, key, at, child)) {
		give_up(r, at, path, "more than 1024 entries");
		node_free(child);
	}
}

static struct node *
read_map(struct reader *r, unsigned int depth, const char *path)
{
	struct node *map = node_new(NODE_MAP, place_of(r, r->event.start_mark));
	bool flow = r->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;

	check_properties(
	    r, path, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag);
	while (next(r) && r->event.type != YAML_MAPPING_END_EVENT)
		read_pair(r, depth, path, map);
	if (!r->stop)
		check_flow(r, path, flow, map->at);
	return map;
}

/* The current event begins a node. NULL if it was refused; the reader then stands at the
 * node's last event, or has stopped. */
static struct node *
read_node(struct reader *r, unsigned int depth, const char *path)
{
	struct place at = place_of(r, r->event.start_mark);

	if (depth > TREE_DEPTH_MAX) {
		give_up(r, at, path, "nested more than 16 levels deep");
		return NULL;
	}
	switch (r->event.type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, path);
	case YAML_SEQUENCE_START_EVENT:
		return read_list(r, depth, path);
	case YAML_MAPPING_START_EVENT:
		return read_map(r, depth, path);
	default:
		refuse(r, at, path, "aliases (*name) are not supported");
		return NULL;
	}
}

/* The current event is a document's start. */
static struct node *
read_document(struct reader *r)
{
	struct node *root;

	if (r->event.data.document_start.version_directive != NULL ||
	    r->event.data.document_start.tag_directives.start !=
		r->event.data.document_start.tag_directives.end)
		refuse(r, place_of(r, r->event.start_mark), NULL,
		    "directives (%YAML, %TAG) are not supported");
	if (!next(r))
		return NULL;
	root = read_node(r, 0, "");
	if (next(r) && next(r) && r->event.type == YAML_DOCUMENT_START_EVENT)
		give_up(r, place_of(r, r->event.start_mark), NULL,
		    "a second document (---) is not supported");
	return root;
}

/* Reports each line with a tab outside a comment; true if there is one. libyaml takes
 * tabs in some places and not in others, and to an operator they look like spaces. */
static bool
has_tabs(struct reader *r)
{
	struct place at = {r->file, 1, 1};
	bool comment = false, found = false;

	for (size_t i = 0; i < r->text.n; i++) {
		uint8_t c = r->text.p[i];

		if (c == '\n') {
			at.line++;
			at.col = 0;
			comment = false;
		} else if (c == '#' && (at.col == 1 || r->text.p[i - 1] == ' ')) {
			comment = true;
		} else if (c == '\t' && !comment) {
			refuse(r, at, NULL, "tab character; use spaces");
			found = comment = true;
		}
		if ((c & 0xc0) != 0x80)
			at.col++;
	}
	return found;
}

static struct node *
read_stream(struct reader *r)
{
	struct node *root = NULL;

	if (!yaml_parser_initialize(&r->parser)) {
		give_up(r, (struct place){r->file, 0, 0}, NULL, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, r->text.p, r->text.n);
	if (next(r) && next(r) && r->event.type == YAML_DOCUMENT_START_EVENT)
		root = read_document(r);
	if (r->have)
		yaml_event_delete(&r->event);
	yaml_parser_delete(&r->parser);
	return root;
}

struct node *
yaml_read(struct span text, unsigned int file, struct faults *faults, bool *whole)
{
	struct reader r = {.file = file, .text = text, .faults = faults, .whole = true};
	struct node *root = NULL;

	if (text.n > YAML_FILE_MAX)
		refuse(&r, (struct place){file, 0, 0}, NULL, "file larger than 1 MiB");
	else if (text.n > 0 && !has_tabs(&r))
		root = read_stream(&r);
	*whole = r.whole;
	return root;
}
