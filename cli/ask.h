/* SPDX-License-Identifier: ISC */
/*
 * ask.h - commands that the server carries out.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/ctlsock.h"
#include "cli/output.h"
#include "cli/tool.h"
#include "wire/ctl.h"

/* Runs any command whose row names what to ask: makes the arguments, prints rows and
 * end. */
int ask_run(const struct call *);
/* The same with exit code TOOL_PARTIAL if a process is not well. */
int ask_status(const struct call *);
/* The exit code that the end of a request means, with its line on standard error if it is
 * not good. rc is what ctlsock_ask() returned. */
int ask_end(const struct call *, int rc, const struct ctlsock_end *);
/* The form in which this call prints. */
struct output *ask_output(const struct call *);
/* Appends the arguments of a command, as this call has them. TOOL_OK or an exit code, and
 * then a line was printed. domain completes names; may be NULL. */
int ask_args(const struct call *, unsigned command, const char *domain, struct buf *);

#endif
