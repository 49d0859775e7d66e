/* SPDX-License-Identifier: ISC */
/*
 * master.h - emsgd itself: start, signals, reload, stop.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include "master/fleet.h"
#include "master/reload.h"

struct master_opts {
	const char *file; /* -c: configuration file, or NULL */
	const char *dir;  /* -d: one-directory mode below this absolute path, or NULL */
	const char *libexec; /* -x: where the children's programs are, or NULL */
};

/* Runs the suite until it is stopped; returns the exit status. Called once. */
int master_run(const struct master_opts *);

/* For command.c. */

/* Begins a reload. Lines for the operator go to say (may be NULL), the outcome to done; both
 * get arg. False if one is under way already; then nothing is called. */
bool master_reload(void (*say)(const char *line, void *arg),
    void (*done)(bool ok, void *arg), void *arg);
/* Begins to stop with this exit status. */
void master_stop(int status);
struct fleet *master_fleet(void);
/* Wall time of our start, ms. */
uint64_t master_started_at(void);
bool master_privileged(void);

#endif
