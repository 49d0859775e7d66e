/* SPDX-License-Identifier: ISC */
/*
 * worklist.h - work for the server: stored first, done when there is a link, told when it is done.
 */
#ifndef LIBEMSG_WORKLIST_H
#define LIBEMSG_WORKLIST_H

#include "session.h"

#define WORKLIST_KEEP_MS (3600ULL * 1000) /* how long finished work can be asked about */
#define WORKLIST_BACKOFF_MS 1000          /* first pause after a temporary answer */
#define WORKLIST_BACKOFF_MAX (300 * 1000)

/* A job in memory; the row borrows from bytes. */
struct job {
	struct row_job row;
	struct buf bytes;
};

/* Stores a new job; its number is filled in. 0 or -1. */
int worklist_add(struct emsg *, struct row_job *);
/* 1 there, 0 none, -1. */
int worklist_get(struct emsg *, uint64_t number, struct job *, int64_t *state);
int worklist_put(struct emsg *, const struct row_job *, enum job_state);
void worklist_clear(struct job *);
/* A job is done, has failed, or is to be tried again after a pause. 0 or -1. */
int worklist_done(struct emsg *, struct row_job *);
int worklist_failed(struct emsg *, struct row_job *, unsigned code, struct span text);
int worklist_again(struct emsg *, struct row_job *, unsigned code, uint64_t pause);

/* Starts what is due. */
void worklist_run(struct emsg *);
/* Answers. */
void worklist_on_res(struct emsg *, uint64_t id, const struct p_res *);
void worklist_on_result(struct emsg *, uint64_t id, const struct p_result *);
/* The link went: what was on its way will be repeated. */
void worklist_on_down(struct emsg *);
/* Removes what was finished long ago. */
int worklist_clean(struct emsg *);

/* Sends a frame for a job and remembers it. peer: whose keys are asked for, or none. -1 if there
 * is no room now. */
struct flight *worklist_request(struct emsg *, const struct row_job *, struct span peer,
    const char *method, const struct obj_def *, const void *args);
struct flight *worklist_offer(struct emsg *, const struct row_job *, struct span put);
/* The keys of that account are being asked for. */
bool worklist_asking(const struct emsg *, struct span peer);

#endif
