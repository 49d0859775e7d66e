/* SPDX-License-Identifier: ISC */
/*
 * print.h - a configuration and its schema as text for people and programs.
 *
 * What "emsgd -p", "-D" and "-e" print. YAML output can be loaded again. JSON output of a
 * configuration is one flat object, "queue.lifetime": "5d". Write errors are left to the
 * caller (ferror).
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

/* The word after "-p": "nondefault", "all", "origin"; false if it is none. */
bool print_what_parse(const char *, enum print_what *);
/* A configuration as conf_load() made it. */
void print_conf(FILE *, const struct conf *, enum print_what, bool json);
/* All defaults, as if there were no file; base as for conf_load(). False, and nothing is
 * printed, if conf_base_ok() refuses it. */
bool print_defaults(FILE *, const char *base, bool json);
/* Type, default, range, reload class, release and help of one key, of all keys of a
 * section, or of all (path NULL); with json one object a line. False if there is no such
 * key; then one line that says so, with a suggestion if there is one, has been written to
 * err. */
bool print_explain(FILE *, FILE *err, const char *path, bool json);

#endif
