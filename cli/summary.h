/* SPDX-License-Identifier: ISC */
/*
 * summary.h - the commands of emsgq that are more than one question to the server.
 */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "cli/tool.h"

#define SUMMARY_DESTS_MAX 1024 /* destinations that are told apart; the rest is one row */

/* emsgq without a command: for each destination and state how much waits, and why. */
int summary_run(const struct call *);
/* Commands on a choice of items: ids, or a destination, or all. drop also asks before. */
int summary_retry(const struct call *);
int summary_drop(const struct call *);

#endif
