/* SPDX-License-Identifier: ISC */
/*
 * help.h - texts that follow from the table of a tool.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/words.h"

/* "user add [--ttl duration] name": words, options of the command, arguments. */
void help_synopsis(FILE *, const struct word_command *);
/* All commands, and the options that every command takes. */
void help_tool(FILE *, const struct tool *);
void help_command(FILE *, const struct tool *, const struct word_command *);
/* The table, one fact a line, tab-separated: for the test of the manual. */
void help_dump(FILE *, const struct tool *);

#endif
