/* SPDX-License-Identifier: ISC */
/*
 * reload.h - a new configuration in two phases: all children prepare it, then all switch.
 */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include "master/fleet.h"

#define RELOAD_WAIT_MS 15000 /* for all children to prepare */

struct reload;

struct reload_opts {
	struct fleet *fleet; /* borrowed, like all below */
	const char *file;    /* as for conf_load() */
	const char *base;
	bool privileged;
	const struct conf *conf; /* in use now */
	const struct bound_set *bound;
	/* One line for the operator: what is wrong, or what changes. May be NULL. */
	void (*say)(const char *line, void *arg);
	/* It is over; the caller takes the new configuration if ok and frees the reload. Called
	 * once, perhaps within reload_new(). */
	void (*done)(struct reload *, bool ok, void *arg);
	void *arg;
};

/* Loads, compares, opens, and begins phase one. */
struct reload *reload_new(const struct reload_opts *);
/* Frees what was not taken. NULL-safe. */
void reload_free(struct reload *);
/* A child answered, or is gone. */
void reload_answer(struct reload *, struct child *, bool ok);
/* Gives up what waits too long. */
void reload_tick(struct reload *);
/* After done(ok): moves the new configuration and its sockets and files to the caller. */
void reload_take(struct reload *, struct conf **, struct bound_set **);

#endif
