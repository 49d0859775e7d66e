/* SPDX-License-Identifier: ISC */
/*
 * print.h - a configuration and its schema as text for people and programs.
 *
 * What "emsgd -p", "-D" and "-e" print. YAML output can be loaded again. JSON output is one
 * object. Write errors are left to the caller (ferror).
 */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include <stdio.h>

#include "conf/conf.h"

enum print_what {
	PRINT_NONDEFAULT, /* what differs from the defaults */
	PRINT_ALL,        /* every key */
	PRINT_ORIGIN      /* every key, with the file and line it comes from */
};

/* The word after "-p=": "nondefault", "all", "origin"; false if it is none. */
bool print_what_parse(const char *, enum print_what *);
void print_conf(FILE *, const struct conf *, enum print_what, bool json);
/* All defaults, as with no file at all, %etc, %state and %run replaced as conf_load() does
 * with this base (may be NULL). */
void print_defaults(FILE *, const char *base, bool json);
/* One key: type, default, range, reload class, since, help. False if there is no such key;
 * then a suggestion, if there is one, has been printed instead. */
bool print_explain(FILE *, const char *path, bool json);
/* Every key as print_explain() with json: an array. For tests and editors. */
void print_schema(FILE *);

#endif
