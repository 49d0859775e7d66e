/* SPDX-License-Identifier: ISC */
/*
 * jobs.h - what each kind of work for the server does, step by step.
 */
#ifndef LIBEMSG_JOBS_H
#define LIBEMSG_JOBS_H

#include "session.h"

/* New work. *number may be NULL. 0 or -1 (database). */
int jobs_add_object(struct emsg *, const char *typ, struct span peer, uint64_t *number);
int jobs_add_keys(struct emsg *, struct span account);
int jobs_add_prekey(struct emsg *, uint64_t *number);
/* What is due by time: a new prekey, and the end of old ones. */
int jobs_housekeeping(struct emsg *);

/* Takes the next step of a job that is due. 0 or -1. */
int jobs_start(struct emsg *, struct row_job *);
/* The answer to its request. peer: whose keys were asked for, or "". */
int jobs_on_res(struct emsg *, struct row_job *, const char *peer, const struct p_res *);
/* The outcome of its put. */
int jobs_on_outcome(struct emsg *, struct row_job *, const struct flight *);

#endif
