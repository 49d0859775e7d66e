/* SPDX-License-Identifier: ISC */
/*
 * loadopt.h - the command line of emsg-load.
 */
#ifndef BENCH_LOADOPT_H
#define BENCH_LOADOPT_H

#include "loaddev.h"
#include "loadproc.h"

#define LOADOPT_SERVERS 2
#define LOADOPT_PHASES 8

enum loadphase { PHASE_RATE, PHASE_LATENCY, PHASE_IDLE };

struct loadopt {
	struct loadserver
	    server[LOADOPT_SERVERS]; /* senders at the first, receivers at the last */
	size_t n_servers;
	enum loadphase phase[LOADOPT_PHASES];
	size_t n_phases;
	const char *name; /* figures begin with it */
	bool json;
	struct loadproc procs; /* whose CPU time and memory is measured */
	uint64_t messages, pairs, window, body, rate, seconds, devices, logins, patience;
	uint8_t (*tokens)[16]; /* owned */
	size_t n_tokens;
};

/* Parses; wrong usage ends the program with 64. */
void loadopt_parse(struct loadopt *, int argc, char **argv);

#endif
