/* SPDX-License-Identifier: ISC */
/*
 * loadout.c - prints what the load generators measured.
 *
 * Both generators (EMSG and XMPP) use it, so that their lines look alike and a script reads
 * them with one rule. Owns nothing but what loadtimes_init() allocates. Output errors are
 * not looked at: who asked for the figures sees that they are missing.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "loadout.h"

#define NAME_MAX_BYTES 96

static const char *first;
static bool as_json, any;

void
loadout_begin(const char *prefix, bool json)
{
	first = prefix;
	as_json = json;
	any = false;
	if (json)
		(void)printf("{\"figures\":[");
}

void
loadout_put(const char *name, double value, int digits, const char *unit)
{
	if (as_json)
		(void)printf("%s\n{\"name\":\"%s.%s\",\"value\":%.*f,\"unit\":\"%s\"}",
		    any ? "," : "", first, name, digits, value, unit);
	else
		(void)printf("%s.%s: %.*f %s\n", first, name, digits, value, unit);
	any = true;
	if (!as_json)
		(void)fflush(stdout);
}

void
loadout_end(void)
{
	if (as_json)
		(void)printf("\n]}\n");
	(void)fflush(stdout);
}

void
loadtimes_init(struct loadtimes *t, size_t max)
{
	t->us = xcalloc(max == 0 ? 1 : max, sizeof(*t->us));
	t->n = 0;
	t->max = max;
}

void
loadtimes_add(struct loadtimes *t, uint64_t us)
{
	if (t->n < t->max)
		t->us[t->n++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* The smallest time that permille of all do not exceed. */
static double
quantile(const struct loadtimes *t, size_t permille)
{
	size_t i = (t->n * permille + 999) / 1000;

	return (double)t->us[i == 0 ? 0 : i - 1] / 1000;
}

void
loadtimes_put(struct loadtimes *t, const char *name)
{
	static const struct {
		const char *name;
		size_t permille;
	} rows[] = {{"p50", 500}, {"p99", 990}, {"max", 1000}};
	char full[NAME_MAX_BYTES];

	qsort(t->us, t->n, sizeof(*t->us), compare);
	for (size_t i = 0; t->n > 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(full, sizeof(full), "%s.%s", name, rows[i].name);
		loadout_put(full, quantile(t, rows[i].permille), 2, "ms");
	}
	free(t->us);
	t->us = NULL;
}
