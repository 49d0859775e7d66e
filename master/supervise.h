/* SPDX-License-Identifier: ISC */
/*
 * supervise.h - the life of one child as a table: state and event give the next state and what
 * to do. No clock, no processes: the caller brings both.
 */
#ifndef MASTER_SUPERVISE_H
#define MASTER_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#define SUPERVISE_START_MS (120 * 1000) /* from start to READY (recovery may be long) */
#define SUPERVISE_STOP_MS (10 * 1000)   /* from STOP to the end, before it is killed */
#define SUPERVISE_KILL_MS (5 * 1000)    /* between two kills */
#define SUPERVISE_QUIET_MS                                                               \
	(10 * 60 * 1000) /* ready for so long: failures are forgotten */
#define SUPERVISE_BACKOFF_MAX_MS (60 * 1000) /* longest delay before a restart */

enum child_state {
	CHILD_STOPPED,  /* not running, not wanted */
	CHILD_STARTING, /* running, not READY yet */
	CHILD_READY,
	CHILD_DYING,    /* killed by us or ending by itself, not gone yet */
	CHILD_BACKOFF,  /* gone, restarted when the delay is over */
	CHILD_STOPPING, /* told to stop */
	CHILD_STATES
};

enum child_event {
	CHILD_WANTED, /* start it */
	CHILD_SAYS_READY,
	CHILD_GONE,        /* it ended, however */
	CHILD_GONE_CONFIG, /* it ended because the configuration cannot work */
	CHILD_AT_FAULT,    /* offence, hang, lost channel: it must be killed */
	CHILD_LEFT,        /* it closed its channel: it is ending, or must be ended */
	CHILD_UNWANTED,    /* stop it */
	CHILD_DEADLINE,    /* supervise_due() */
	CHILD_EVENTS
};

enum child_action {
	CHILD_NOTHING,
	CHILD_SPAWN,
	CHILD_KILL,
	CHILD_ASK_STOP,
	CHILD_GIVE_UP /* no restart before the configuration changes */
};

struct supervise {
	enum child_state state;
	unsigned failures; /* in a row; sets the next delay */
	uint64_t restarts; /* since the suite started, for the operator */
	uint64_t since;    /* time of the last change of state, ms */
	uint64_t deadline; /* UINT64_MAX: none */
};

/* In state STOPPED. */
void supervise_init(struct supervise *);
/* Applies an event at time now (monotonic, ms); returns what the caller has to do. */
enum child_action supervise_event(struct supervise *, enum child_event, uint64_t now);
/* True if CHILD_DEADLINE is to be applied. */
bool supervise_due(const struct supervise *, uint64_t now);
/* True while there is a process. */
bool supervise_running(const struct supervise *);
/* The delay before restart number "failures" + 1 in a row: 0, 1, 2, 4 .. 60 s, in ms. */
uint64_t supervise_delay(unsigned failures);
/* "ready" and so on, for the operator. */
const char *supervise_state_name(enum child_state);

#endif
