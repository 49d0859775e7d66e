/* SPDX-License-Identifier: ISC */
/*
 * loadidle.h - many devices that log in and then do nothing.
 */
#ifndef BENCH_LOADIDLE_H
#define BENCH_LOADIDLE_H

#include "loaddev.h"

struct loadidle {
	struct loadenv *env;             /* borrowed */
	const struct loadserver *server; /* borrowed */
	size_t n, width; /* devices, and how many log in at the same time */
	size_t next, ready;
	struct loadkeys *keys; /* owned: n of them */
	struct loaddev **devs; /* owned: n of them, NULL where there is none */
	size_t *gone;          /* devices that are registered and may be closed */
	size_t n_gone;
	bool reg;
	char why[LOADDEV_WHY_MAX]; /* not empty: it failed */
};

/* name is part of every address. */
void loadidle_init(struct loadidle *, struct loadenv *, const struct loadserver *,
    size_t n, size_t width, const char *name);
void loadidle_clear(struct loadidle *);
/* Begins anew from the first device: reg makes the accounts and closes each link, else all
 * log in and stay. */
void loadidle_start(struct loadidle *, bool reg);
/* Goes on; to be called after every turn of the loop. True when all are through. */
bool loadidle_pump(struct loadidle *);

#endif
