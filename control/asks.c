/* SPDX-License-Identifier: ISC */
/*
 * asks.c - the list of forwarded requests.
 *
 * Owns the requests; borrows callers, whose requests control.c ends before they go. There are
 * few at a time (ASKS_MAX), and all have the same life time, so one list in the order of
 * arrival is a list in the order of deadlines too. Fails only by being full.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "control/asks.h"

static TAILQ_HEAD(, ask) asks = TAILQ_HEAD_INITIALIZER(asks);
static size_t count;
static uint64_t last_id;

struct ask *
asks_put(
    struct caller *caller, uint64_t caller_id, const struct ctl *ctl, uint64_t deadline)
{
	struct ask *ask;

	if (count == ASKS_MAX)
		return NULL;
	ask = xcalloc(1, sizeof(*ask));
	ask->id = ++last_id;
	ask->caller = caller;
	ask->caller_id = caller_id;
	ask->ctl = ctl;
	ask->deadline = deadline;
	TAILQ_INSERT_TAIL(&asks, ask, entry);
	caller->asks++;
	count++;
	return ask;
}

struct ask *
asks_find(uint64_t id, enum role from)
{
	struct ask *ask;

	TAILQ_FOREACH (ask, &asks, entry)
		if (ask->id == id && ask->ctl->target == from)
			return ask;
	return NULL;
}

struct ask *
asks_of_caller(const struct caller *caller)
{
	struct ask *ask;

	TAILQ_FOREACH (ask, &asks, entry)
		if (ask->caller == caller)
			return ask;
	return NULL;
}

struct ask *
asks_to(enum role target)
{
	struct ask *ask;

	TAILQ_FOREACH (ask, &asks, entry)
		if (ask->ctl->target == target)
			return ask;
	return NULL;
}

struct ask *
asks_due(uint64_t now)
{
	struct ask *ask = TAILQ_FIRST(&asks);

	return ask != NULL && ask->deadline <= now ? ask : NULL;
}

void
asks_end(struct ask *ask)
{
	TAILQ_REMOVE(&asks, ask, entry);
	ask->caller->asks--;
	count--;
	free(ask);
}

size_t
asks_count(void)
{
	return count;
}
