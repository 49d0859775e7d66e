/* SPDX-License-Identifier: ISC */
/*
 * queue.h - the process that is answerable for what travels on to other servers.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "conf/conf.h"
#include "ipc/proc.h"
#include "queue/handles.h"
#include "queue/sched.h"
#include "queue/spool.h"

/* What the parts of the process share. */
struct queue {
	struct conf *conf;       /* owned */
	struct handles *handles; /* owned */
	struct sched *sched;     /* owned */
	struct spool *spool;     /* owned */
	struct {
		uint64_t accepted, refused;              /* items submitted */
		uint64_t sent, arrived, failed, retried; /* recipients, but sent: items */
		uint64_t fates;
	} count;
};

extern struct queue queue;
extern const struct proc queue_proc;

/* Ends the process in an orderly way if the disk failed: everybody who waits for a sync is
 * told "temporary", nothing is written any more. JOURNAL_OK and JOURNAL_FULL return. */
void queue_check(enum journal_err);
/* Enters an item into the schedule, if it has recipients left to serve, or its fates into the
 * list of those to be told. */
void queue_schedule(struct item *);
/* Takes an item out of the schedule, if it is in. */
void queue_unschedule(struct item *);

#endif
