/* SPDX-License-Identifier: ISC */
/*
 * supervise.c - the state machine of a child, as a table.
 *
 * fleet.c keeps one struct supervise per process, feeds it events and carries out the actions.
 * A child that ends without being told to is started again after a delay that doubles from
 * nothing to a minute and is forgotten after ten quiet minutes. A configuration that cannot
 * work is not tried again and again. A pair that cannot happen leaves the state as it is, so
 * a child cannot confuse the master by saying READY twice. Pure: no clock, no processes, no
 * log; check_supervise.c walks the whole table.
 */
#include "config.h"

#include "master/supervise.h"

struct transition {
	enum child_state next;
	enum child_action action;
};

#define STAY(s)                                                                          \
	{                                                                                \
		CHILD_##s, CHILD_NOTHING                                                 \
	}
#define GO(s, a)                                                                         \
	{                                                                                \
		CHILD_##s, CHILD_##a                                                     \
	}

/* clang-format off */
static const struct transition table[CHILD_STATES][CHILD_EVENTS] = {
	[CHILD_STOPPED] = {
		[CHILD_WANTED] = GO(STARTING, SPAWN),
		[CHILD_SAYS_READY] = STAY(STOPPED),
		[CHILD_GONE] = STAY(STOPPED),
		[CHILD_GONE_CONFIG] = STAY(STOPPED),
		[CHILD_AT_FAULT] = STAY(STOPPED),
		[CHILD_LEFT] = STAY(STOPPED),
		[CHILD_UNWANTED] = STAY(STOPPED),
		[CHILD_DEADLINE] = STAY(STOPPED),
	},
	[CHILD_STARTING] = {
		[CHILD_WANTED] = STAY(STARTING),
		[CHILD_SAYS_READY] = GO(READY, NOTHING),
		[CHILD_GONE] = GO(BACKOFF, NOTHING),
		[CHILD_GONE_CONFIG] = GO(STOPPED, GIVE_UP),
		[CHILD_AT_FAULT] = GO(DYING, KILL),
		[CHILD_LEFT] = GO(DYING, NOTHING),
		[CHILD_UNWANTED] = GO(STOPPING, ASK_STOP),
		[CHILD_DEADLINE] = GO(DYING, KILL),
	},
	[CHILD_READY] = {
		[CHILD_WANTED] = STAY(READY),
		[CHILD_SAYS_READY] = STAY(READY),
		[CHILD_GONE] = GO(BACKOFF, NOTHING),
		[CHILD_GONE_CONFIG] = GO(STOPPED, GIVE_UP),
		[CHILD_AT_FAULT] = GO(DYING, KILL),
		[CHILD_LEFT] = GO(DYING, NOTHING),
		[CHILD_UNWANTED] = GO(STOPPING, ASK_STOP),
		[CHILD_DEADLINE] = STAY(READY),
	},
	[CHILD_DYING] = {
		[CHILD_WANTED] = STAY(DYING),
		[CHILD_SAYS_READY] = STAY(DYING),
		[CHILD_GONE] = GO(BACKOFF, NOTHING),
		[CHILD_GONE_CONFIG] = GO(STOPPED, GIVE_UP),
		[CHILD_AT_FAULT] = STAY(DYING),
		[CHILD_LEFT] = STAY(DYING),
		[CHILD_UNWANTED] = GO(STOPPING, KILL),
		[CHILD_DEADLINE] = GO(DYING, KILL),
	},
	[CHILD_BACKOFF] = {
		[CHILD_WANTED] = GO(STARTING, SPAWN),
		[CHILD_SAYS_READY] = STAY(BACKOFF),
		[CHILD_GONE] = STAY(BACKOFF),
		[CHILD_GONE_CONFIG] = STAY(BACKOFF),
		[CHILD_AT_FAULT] = STAY(BACKOFF),
		[CHILD_LEFT] = STAY(BACKOFF),
		[CHILD_UNWANTED] = STAY(STOPPED),
		[CHILD_DEADLINE] = GO(STARTING, SPAWN),
	},
	[CHILD_STOPPING] = {
		[CHILD_WANTED] = STAY(STOPPING),
		[CHILD_SAYS_READY] = STAY(STOPPING),
		[CHILD_GONE] = STAY(STOPPED),
		[CHILD_GONE_CONFIG] = STAY(STOPPED),
		[CHILD_AT_FAULT] = GO(STOPPING, KILL),
		[CHILD_LEFT] = STAY(STOPPING),
		[CHILD_UNWANTED] = STAY(STOPPING),
		[CHILD_DEADLINE] = GO(STOPPING, KILL),
	},
};
/* clang-format on */

static const char *const names[CHILD_STATES] = {
    [CHILD_STOPPED] = "stopped",
    [CHILD_STARTING] = "starting",
    [CHILD_READY] = "ready",
    [CHILD_DYING] = "dying",
    [CHILD_BACKOFF] = "backoff",
    [CHILD_STOPPING] = "stopping",
};

void
supervise_init(struct supervise *s)
{
	*s = (struct supervise){.state = CHILD_STOPPED, .deadline = UINT64_MAX};
}

uint64_t
supervise_delay(unsigned failures)
{
	uint64_t delay;

	if (failures == 0)
		return 0;
	if (failures > 7)
		return SUPERVISE_BACKOFF_MAX_MS;
	delay = (uint64_t)1000 << (failures - 1);
	return delay > SUPERVISE_BACKOFF_MAX_MS ? SUPERVISE_BACKOFF_MAX_MS : delay;
}

/* It has ended by itself: how long to wait, and whether it had been well until now. */
static uint64_t
count_failure(struct supervise *s, uint64_t now)
{
	uint64_t delay;

	if (s->state == CHILD_READY && now - s->since >= SUPERVISE_QUIET_MS)
		s->failures = 0;
	delay = supervise_delay(s->failures++);
	s->restarts++;
	return now + delay;
}

static uint64_t
deadline_of(struct supervise *s, enum child_state next, uint64_t now)
{
	switch (next) {
	case CHILD_STARTING:
		return now + SUPERVISE_START_MS;
	case CHILD_DYING:
		return now + SUPERVISE_KILL_MS;
	case CHILD_BACKOFF:
		return count_failure(s, now);
	case CHILD_STOPPING:
		return now +
		    (s->state == CHILD_STOPPING ? SUPERVISE_KILL_MS : SUPERVISE_STOP_MS);
	default:
		return UINT64_MAX;
	}
}

enum child_action
supervise_event(struct supervise *s, enum child_event event, uint64_t now)
{
	const struct transition *t = &table[s->state][event];

	if (t->next == s->state && t->action == CHILD_NOTHING)
		return CHILD_NOTHING;
	/* A kill is counted where it began, with the time of health before it. */
	if (t->next == CHILD_DYING && s->state == CHILD_READY &&
	    now - s->since >= SUPERVISE_QUIET_MS)
		s->failures = 0;
	s->deadline = deadline_of(s, t->next, now);
	if (t->next != s->state)
		s->since = now;
	s->state = t->next;
	return t->action;
}

bool
supervise_due(const struct supervise *s, uint64_t now)
{
	return s->deadline <= now;
}

bool
supervise_running(const struct supervise *s)
{
	return s->state != CHILD_STOPPED && s->state != CHILD_BACKOFF;
}

const char *
supervise_state_name(enum child_state state)
{
	return names[state];
}
