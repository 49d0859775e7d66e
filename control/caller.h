/* SPDX-License-Identifier: ISC */
/*
 * caller.h - one tool on an admin socket.
 */
#ifndef CONTROL_CALLER_H
#define CONTROL_CALLER_H

#include <sys/queue.h>
#include <sys/types.h>

#include "ipc/msgs.h"
#include "wire/ctl.h"

#define CALLER_MESSAGE_MAX (64 * 1024)      /* bytes of one message either way */
#define CALLER_OUTPUT_MAX (8 * 1024 * 1024) /* bytes it may leave unread */
#define CALLER_BUDGET 16                    /* requests handled per wake-up */

struct caller;
struct event_base;

struct caller_ops {
	/* A request. args in m are borrowed until the return. */
	void (*ask)(struct caller *, uint64_t id, const struct m_ctl_ask *);
	/* It has gone, or was closed for what it sent; freed after the return. */
	void (*gone)(struct caller *, const char *why);
};

/* Public for rights, log lines and the list of callers; written by control.c only. */
struct caller {
	uid_t uid;
	pid_t pid;
	enum ctl_right right;
	unsigned asks; /* requests under way */
	LIST_ENTRY(caller) entry;
	struct caller_link *link; /* owned */
};

/* Takes over the non-blocking socket. ops are borrowed. NULL if there is no event to be had;
 * the socket is closed then. */
struct caller *caller_new(struct event_base *, int fd, const struct caller_ops *);
/* Closes and frees it; ops are not called. NULL-safe. Allowed in ops->ask. */
void caller_free(struct caller *);
/* Send under the caller's own id. If the caller does not read, it is closed from the loop. */
void caller_row(struct caller *, uint64_t id, const struct m_ctl_row *);
void caller_end(struct caller *, uint64_t id, uint16_t code, struct span text);

#endif
