/* SPDX-License-Identifier: ISC */
/*
 * fleet.h - the children: starting, plumbing, watching, restarting, stopping them.
 */
#ifndef MASTER_FLEET_H
#define MASTER_FLEET_H

#include <sys/types.h>

#include "base/log.h"
#include "conf/conf.h"
#include "ipc/channel.h"
#include "master/bind.h"
#include "master/spawn.h"
#include "master/supervise.h"

#define FLEET_PING_MS 5000   /* how often each child is asked how it is */
#define FLEET_ALIVE_MS 10000 /* older answers keep the watchdog from being told */
#define FLEET_HANG_MS 60000  /* a question unanswered for so long: the child is killed */
#define FLEET_EXIT_CONFIG 7  /* CONF_EXIT_INVALID, PROC_EXIT_CONFIG */

struct event_base;
struct fleet;

/* One process, as others may see it. */
struct child {
	enum role role;
	struct supervise life;
	pid_t pid;                      /* while it runs */
	struct channel *channel;        /* owned; NULL once it has ended */
	uint64_t started_at;            /* wall time, ms */
	uint64_t asked_at, answered_at; /* monotonic, ms; STATUS */
	char *figures;                  /* owned: its last answer, may be NULL */
	uint64_t conf_number;           /* that it uses */
	uint64_t conf_prepared;         /* that it could switch to */
};

struct fleet_ops {
	/* All wanted children are ready; called again when that comes back after a loss. */
	void (*ready)(void *arg);
	/* A child cannot work with this configuration. */
	void (*gave_up)(struct child *, void *arg);
	/* After fleet_stop(): the last one has gone. */
	void (*stopped)(void *arg);
	/* A child answered a new configuration (reload.c), or will not any more. */
	void (*prepared)(struct child *, bool ok, void *arg);
	/* A request from control (command.c). */
	void (*asked)(struct channel *, struct channel_msg *, void *arg);
};

struct fleet_opts {
	struct event_base *base; /* borrowed, like all below */
	struct spawn_path path;
	bool privileged;
	uint64_t generation;
	const struct fleet_ops *ops;
	void *arg;
};

struct fleet *fleet_new(const struct fleet_opts *);
/* All children must have ended. NULL-safe. */
void fleet_free(struct fleet *);
/* What children get from now on; both borrowed until replaced. */
void fleet_use(struct fleet *, const struct conf *, const struct bound_set *);
/* Starts what does not run. */
void fleet_start(struct fleet *);
/* Stops all, one after the other in the order of fleet.c; stopped() follows. */
void fleet_stop(struct fleet *);
/* SIGCHLD has come. */
void fleet_reap(struct fleet *);
/* About four times a second: deadlines, and asking how they are. */
void fleet_tick(struct fleet *);
/* Sends the sockets and files of set, then the configuration, to one running child. */
void fleet_send_conf(
    struct fleet *, struct child *, const struct conf *, const struct bound_set *);
/* Tells all what is logged from now on. */
void fleet_log_level(struct fleet *, enum log_level);
/* Tells a child to use what it prepared. */
void fleet_switch(struct fleet *, struct child *, uint64_t number);
/* Kills a child; it is started again by the rules of supervise.h. */
void fleet_fault(struct fleet *, struct child *, const char *why);

/* The child of a role; never ROLE_MASTER. */
struct child *fleet_child(struct fleet *, enum role);
bool fleet_all_ready(const struct fleet *);
/* Every child has answered within FLEET_ALIVE_MS. */
bool fleet_healthy(const struct fleet *);

#endif
