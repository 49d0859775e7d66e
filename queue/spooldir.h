/* SPDX-License-Identifier: ISC */
/*
 * spooldir.h - the spool's directory and the lock that makes us its only writer.
 */
#ifndef QUEUE_SPOOLDIR_H
#define QUEUE_SPOOLDIR_H

#include "queue/diskio.h"

struct spooldir {
	int lock;     /* owned: held as long as it is open */
	int segments; /* owned: the directory of the journal */
};

/* Takes LOCK (made if it is not there) and opens seg/ (made and synced if it is not there).
 * 0; -1 with errno, EWOULDBLOCK if another process has the lock. */
int spooldir_open(const struct diskio *, int dirfd, struct spooldir *);
/* Writes "empty" into LOCK, where else our process id is: there is nothing to deliver. 0 or -1. */
int spooldir_note_empty(const struct diskio *, const struct spooldir *);
void spooldir_close(const struct diskio *, struct spooldir *);

#endif
