/* SPDX-License-Identifier: ISC */
/*
 * complete.h - completion in shells.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stdio.h>

#include "cli/words.h"

/* "tool __complete WORD...": what the last word may become, one a line. Always 0: a shell
 * has no use for errors here. */
int complete_words(FILE *, const struct tool *, char *const *argv);
/* The file to load into bash, zsh or fish. */
void complete_script(FILE *, const struct tool *, const char *shell);

#endif
