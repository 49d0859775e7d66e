/* SPDX-License-Identifier: ISC */
/*
 * proc.h - the skeleton that every process except master runs.
 *
 * A process is one const struct proc; its main() is "return proc_run(&x_proc, argc, argv)".
 * The order is the same for all: log, standard descriptors, stray descriptors closed, hello +
 * configuration + descriptors read from descriptor 3 (master), start, privileges dropped,
 * sandbox, ready, READY told to master, loop, stop.
 *
 * Everything runs in one thread. In the loop, handlers, peer_ and reload_ hooks and events of
 * the process's own are called in no fixed order; turn() is called after all that one round of
 * the loop had to do: the place to commit once and then answer.
 */
#ifndef IPC_PROC_H
#define IPC_PROC_H

#include "base/role.h"
#include "base/span.h"
#include "ipc/channel.h"
#include "ipc/request.h"

#define PROC_MASTER_FD 3

struct buf;
struct event_base;

/* One message type and its handler. For answers to proc_ask() use proc_on_answer. */
struct proc_handler {
	uint16_t type; /* MSG_ of msg.h; 0 ends the list */
	void (*fn)(struct channel *, struct channel_msg *);
};

/* What is accepted from one peer. A type that the message table lets this peer send but that
 * is missing here is an offence as well. */
struct proc_peer {
	enum role role;
	const struct proc_handler *handlers; /* NULL ends the list of peers */
};

struct proc {
	enum role role;
	const struct proc_peer *peers;
	/* All hooks may be NULL. Those that return int: 0, or after logging why -1; then the
	 * process ends with status 1 (descriptor, start, ready) or the reload is refused
	 * (descriptor, reload_prepare). A positive number is used as exit status instead:
	 * PROC_EXIT_CONFIG is not tried again by master before a reload. */

	/* A descriptor from master (kind: enum resource of msgs.h, name: which one). Called
	 * before start, and again before reload_prepare, when proc_conf() or
	 * proc_conf_next() is there already. The hook owns fd. */
	int (*descriptor)(unsigned kind, struct span name, int fd);
	/* Still privileged (if ever), before chroot and sandbox. The configuration is there. */
	int (*start)(void);
	/* After the drop, before READY. The event base is there, peers are not up yet. */
	int (*ready)(void);
	/* Phase one: check and load proc_conf_next(); change nothing that is visible. Called
	 * again without a switch if the reload was given up: forget what was prepared. */
	int (*reload_prepare)(void);
	/* Phase two: use what was prepared; proc_conf() is the new configuration now. */
	void (*reload_switch)(void);
	/* Take no new work, finish what cannot wait. Return true if the process may end now;
	 * else call proc_stopped() when it may. Also called when master is gone: channels may
	 * be gone, too, and the answer should come soon (PROC_FLUSH_MS). */
	bool (*stop)(void);
	/* A channel to this peer is there / has ended (the channel is freed after the call). */
	void (*peer_up)(enum role, struct channel *);
	void (*peer_down)(enum role, struct channel *);
	/* The channel takes work again (see channel.h). */
	void (*peer_drained)(enum role, struct channel *);
	/* About once a second. now: clock_mono_ms(). */
	void (*tick)(uint64_t now);
	/* After each round of the loop. */
	void (*turn)(void);
	/* Appends figures for "emsgctl status": "name=number name=number". */
	void (*status)(struct buf *);
};

#define PROC_EXIT_CONFIG 7 /* exit status: the configuration cannot work */
#define PROC_FLUSH_MS 2000 /* how long a process may take to end when master is gone */

/* Runs the process; returns the exit status. Called once, by main(). */
int proc_run(const struct proc *, int argc, char **argv);

/* The channel to a peer, NULL while it is down. Borrowed: valid until peer_down. */
struct channel *proc_channel(enum role);
struct event_base *proc_base(void);
/* This start of the suite, from master's hello: equal in all processes that may talk. */
uint64_t proc_generation(void);
/* True if the suite runs under an ordinary user below one directory: no chroot, no drop. */
bool proc_unprivileged(void);
/* The process's own data directory (store, queue): an open descriptor, owned by the skeleton;
 * -1 if it has none. proc_data_path(): its path as it is to be used after the drop. */
int proc_data_fd(void);
const char *proc_data_path(void);
/* The configuration for this role as conf/share.h reads it; borrowed, valid until the next
 * reload_switch. proc_conf_next() is empty except in and after reload_prepare. */
struct span proc_conf(void);
struct span proc_conf_next(void);

/* Sends a request and enters it: channel_send() with a fresh id. Returns the id, or 0 if it
 * could not be sent (done is not called then; fd is closed in any case). Answers must be
 * routed with proc_on_answer in the handler table. */
uint64_t proc_ask(struct channel *, uint16_t type, const void *body, int fd,
    uint64_t timeout_ms, struct request_done done);
/* Takes a request back; its answer will be ignored. */
void proc_unask(uint64_t id);
/* The handler for answers. */
void proc_on_answer(struct channel *, struct channel_msg *);
/* After stop() returned false: the process may end now. */
void proc_stopped(void);
/* Asks for another round of the loop at once, so that turn() is called again soon. */
void proc_wake(void);

#endif
