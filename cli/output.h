/* SPDX-License-Identifier: ISC */
/*
 * output.h - rows of an answer as text or JSON, from their tables alone.
 *
 * Names of members are names of columns and of JSON members. Members that end in _at are
 * printed as RFC 3339, and "figures" as names with numbers. Forms: JSON (one object a line, each with "v":1); a table or, for a
 * single thing, one member a line, at a terminal; else values separated by tabs.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdio.h>

#include "base/span.h"
#include "wire/obj.h"

#define OUTPUT_VERSION 1 /* of the JSON forms */
#define OUTPUT_HOLD 256  /* rows that are held to find the widths of columns */
#define OUTPUT_FIELDS 32 /* members of a row; obj.h has the same bound */

enum output_form { OUTPUT_JSON, OUTPUT_TABLE, OUTPUT_RECORD, OUTPUT_TABS };

struct output;

/* heads: print the names of columns. */
struct output *output_new(FILE *, enum output_form, bool heads);
/* Prints what is held, and frees. NULL-safe. */
void output_free(struct output *);
/* One row: an encoded object of this definition. False if it does not decode; nothing is
 * printed then. */
bool output_row(struct output *, const struct obj_def *, struct span row);
/* The same for a decoded one. */
void output_object(struct output *, const struct obj_def *, const void *object);
/* Bytes for a terminal or a field between tabs: control characters and what is not UTF-8
 * become \xNN. */
void output_text(FILE *, struct span);
/* A JSON string. */
void output_json_text(FILE *, struct span);

#endif
