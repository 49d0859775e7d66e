/* SPDX-License-Identifier: ISC */
/*
 * loadproc.h - what the server's processes use: CPU time and memory, read from /proc.
 */
#ifndef BENCH_LOADPROC_H
#define BENCH_LOADPROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOADPROC_ROOTS 8 /* first processes given on the command line */

struct loadproc {
	pid_t root[LOADPROC_ROOTS];
	size_t n;
};

/* CPU time (user and system) of these processes and all below them, milliseconds. */
uint64_t loadproc_cpu_ms(const struct loadproc *);
/* Their memory in KiB, Pss_Anon + Pss_Shmem: what is theirs and not a file's. 0 if /proc
 * does not say (another user's processes). */
uint64_t loadproc_memory_kib(const struct loadproc *);
/* CPU time of this process, milliseconds. */
uint64_t loadproc_own_ms(void);

#endif
