/* SPDX-License-Identifier: ISC */
/*
 * loadproc.c - CPU time and memory of a tree of processes.
 *
 * Walks from the given processes through /proc/PID/task/TID/children, so that a suite of
 * processes is counted as one server. Memory is Pss_Anon + Pss_Shmem of smaps_rollup: pages of
 * a mapped database belong to the page cache and are left out, for every server alike. Owns
 * nothing. A process that ended meanwhile, or may not be looked at, counts as nothing.
 */
#include "config.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loadproc.h"

#define DEPTH_MAX 8
#define TEXT_MAX 4096

typedef uint64_t measure(pid_t);

/* Reads a file of /proc into text. False if there is none. */
static bool
slurp(const char *path, char text[TEXT_MAX])
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return false;
	n = fread(text, 1, TEXT_MAX - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return true;
}

static uint64_t
cpu_ticks(pid_t pid)
{
	char path[64], text[TEXT_MAX], *p;
	uint64_t user = 0, sys = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	/* Behind the name in brackets: state and ten numbers come before the times. */
	if (!slurp(path, text) || (p = strrchr(text, ')')) == NULL ||
	    sscanf(p + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		&user, &sys) != 2)
		return 0;
	return user + sys;
}

static uint64_t
memory_kib(pid_t pid)
{
	static const char *const names[] = {"\nPss_Anon:", "\nPss_Shmem:"};
	char path[64], text[TEXT_MAX], *p;
	uint64_t sum = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if (!slurp(path, text))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		p = strstr(text, names[i]);
		if (p != NULL)
			sum += strtoull(p + strlen(names[i]), NULL, 10);
	}
	return sum;
}

static uint64_t walk(pid_t, measure *, unsigned depth);

/* The children that one thread has. */
static uint64_t
walk_children(const char *path, measure *m, unsigned depth)
{
	char text[TEXT_MAX], *p = text, *end;
	uint64_t sum = 0;

	if (!slurp(path, text))
		return 0;
	for (;;) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			return sum;
		sum += walk((pid_t)pid, m, depth + 1);
		p = end;
	}
}

static uint64_t
walk(pid_t pid, measure *m, unsigned depth)
{
	char path[320];
	uint64_t sum = m(pid);
	struct dirent *d;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if (depth >= DEPTH_MAX || (dir = opendir(path)) == NULL)
		return sum;
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children",
		    (int)pid, d->d_name);
		sum += walk_children(path, m, depth);
	}
	(void)closedir(dir);
	return sum;
}

static uint64_t
walk_all(const struct loadproc *lp, measure *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < lp->n; i++)
		sum += walk(lp->root[i], m, 0);
	return sum;
}

uint64_t
loadproc_cpu_ms(const struct loadproc *lp)
{
	long hz = sysconf(_SC_CLK_TCK);

	return walk_all(lp, cpu_ticks) * 1000 / (uint64_t)(hz > 0 ? hz : 100);
}

uint64_t
loadproc_memory_kib(const struct loadproc *lp)
{
	return walk_all(lp, memory_kib);
}

uint64_t
loadproc_own_ms(void)
{
	struct rusage r;

	if (getrusage(RUSAGE_SELF, &r) == -1)
		return 0;
	return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 +
	    (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
}
