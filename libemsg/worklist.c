/* SPDX-License-Identifier: ISC */
/*
 * worklist.c - work for the server: stored first, done when there is a link.
 *
 * Everything that needs the server is a job in the database, whichever program made it: a text
 * to send, consent to give, keys to publish. The program that has the link does the jobs that
 * are due, oldest first, several at once. A job that gets a temporary answer waits, longer each
 * time; when the link or the program dies, it is started again: what it sends is the same bytes
 * under the same mid, and receivers swallow repeats. What a job does is in jobs.c.
 *
 * Owns rows of kind job and the table of flights. Called by session.c, jobs.c and compose.c.
 * Fails with -1 (database).
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "jobs.h"
#include "worklist.h"

#define TICK_JOBS (2 * FLIGHTS_MAX) /* looked at in one round */
#define RETRY_SHIFT_MAX 10
#define FLIGHT_MS 30000 /* how long an answer may take */

static const struct span none = {NULL, 0};

static struct span
job_key(uint64_t number, uint8_t out[8])
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(number >> (56 - 8 * i));
	return span_of(out, 8);
}

int
worklist_put(struct emsg *e, const struct row_job *row, enum job_state state)
{
	struct buf value;
	uint8_t key[8];
	int rc = -1;

	buf_init(&value, DBASE_VALUE_MAX);
	if (obj_encode(&row_job_def, row, &value) == WIRE_OK)
		rc = dbase_put(e->db, DB_JOB, job_key(row->number, key), none,
		    (int64_t)state, row->next, buf_span(&value));
	buf_wipe(&value);
	return rc;
}

int
worklist_add(struct emsg *e, struct row_job *row)
{
	row->number = dbase_next(e->db, span_str("job"), 0);
	row->next = clock_wall_ms();
	if (row->number == 0)
		return -1;
	return worklist_put(e, row, JOB_WAITING);
}

int
worklist_get(struct emsg *e, uint64_t number, struct job *job, int64_t *state)
{
	uint8_t key[8];
	int rc;

	buf_init(&job->bytes, DBASE_VALUE_MAX);
	rc = dbase_get(e->db, DB_JOB, job_key(number, key), &job->bytes, state);
	if (rc == 1 &&
	    obj_decode(&row_job_def, buf_span(&job->bytes), &job->row) != WIRE_OK)
		rc = -1;
	return rc;
}

void
worklist_clear(struct job *job)
{
	buf_wipe(&job->bytes);
}

/* What a finished job carried is not needed any more. */
static void
strip(struct row_job *row)
{
	row->has = 0;
	row->content = row->object = none;
	memset(row->secret, 0, sizeof(row->secret));
	row->next = clock_wall_ms();
}

int
worklist_done(struct emsg *e, struct row_job *row)
{
	strip(row);
	row->code = CODE_DONE;
	return worklist_put(e, row, JOB_DONE);
}

int
worklist_failed(struct emsg *e, struct row_job *row, unsigned code, struct span text)
{
	strip(row);
	row->code = code;
	row->text = text.n <= PROTO_TEXT_MAX ? text : none;
	return worklist_put(e, row, JOB_FAILED);
}

int
worklist_again(struct emsg *e, struct row_job *row, unsigned code, uint64_t pause)
{
	uint64_t shift = row->tries < RETRY_SHIFT_MAX ? row->tries : RETRY_SHIFT_MAX;

	if (pause == 0) {
		pause = (uint64_t)WORKLIST_BACKOFF_MS << shift;
		if (pause > WORKLIST_BACKOFF_MAX)
			pause = WORKLIST_BACKOFF_MAX;
		pause += random_below((uint32_t)(pause / 4 + 1));
		row->tries++;
	}
	row->code = code;
	row->next = clock_wall_ms() + pause;
	return worklist_put(e, row, JOB_WAITING);
}

/* --- flights ------------------------------------------------------------------------------ */

static struct flight *
flight_find(struct emsg *e, uint64_t id)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (e->flights[i].id == id)
			return &e->flights[i];
	return NULL;
}

static bool
flying(const struct emsg *e, uint64_t job)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (e->flights[i].id != 0 && e->flights[i].job == job)
			return true;
	return false;
}

bool
worklist_asking(const struct emsg *e, struct span peer)
{
	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (e->flights[i].id != 0 && span_eq(span_str(e->flights[i].peer), peer))
			return true;
	return false;
}

static struct flight *
flight_new(struct emsg *e, uint64_t job)
{
	struct flight *f = flight_find(e, 0);

	if (f == NULL)
		return NULL;
	memset(f, 0, sizeof(*f));
	f->job = job;
	f->since = clock_mono_ms();
	return f;
}

struct flight *
worklist_request(struct emsg *e, const struct row_job *row, struct span peer,
    const char *method, const struct obj_def *def, const void *args)
{
	struct flight *f = flight_new(e, row->number);

	if (f == NULL || wirelink_request(e->link, e->next_id, method, def, args) < 0)
		return NULL;
	f->id = e->next_id++;
	text_copy(f->peer, sizeof(f->peer), peer);
	return f;
}

struct flight *
worklist_offer(struct emsg *e, const struct row_job *row, struct span put)
{
	struct flight *f = flight_new(e, row->number);
	struct p_put decoded;

	if (f == NULL || obj_decode(&p_put_def, put, &decoded) != WIRE_OK ||
	    wirelink_send(e->link, FRAME_PUT, e->next_id, put) < 0)
		return NULL;
	f->id = e->next_id++;
	f->put = true;
	f->left = decoded.to.count;
	f->only = decoded.to.count == 1;
	f->code = CODE_TIMEOUT;
	return f;
}

void
worklist_on_down(struct emsg *e)
{
	memset(e->flights, 0, sizeof(e->flights));
}

/* --- rounds ------------------------------------------------------------------------------- */

/* A living link may still owe an answer for ever, when a process of the server was restarted:
 * after a while the question is asked again. */
static void
give_up_waiting(struct emsg *e)
{
	uint64_t now = clock_mono_ms();

	for (size_t i = 0; i < FLIGHTS_MAX; i++)
		if (e->flights[i].id != 0 && now - e->flights[i].since >= FLIGHT_MS)
			e->flights[i].id = 0;
}

struct round {
	struct emsg *e;
	unsigned started;
};

static int
on_due(void *arg, const struct dbase_row *row)
{
	struct round *round = arg;
	struct row_job job;
	struct buf bytes;
	int rc = 0;

	/* A job may write its own row: it works on a copy. */
	buf_init(&bytes, DBASE_VALUE_MAX);
	buf_put_span(&bytes, row->value);
	if (obj_decode(&row_job_def, buf_span(&bytes), &job) == WIRE_OK &&
	    !flying(round->e, job.number)) {
		rc = jobs_start(round->e, &job);
		round->started++;
	}
	buf_wipe(&bytes);
	if (rc == 0 && flight_find(round->e, 0) == NULL)
		return 1;
	return rc;
}

void
worklist_run(struct emsg *e)
{
	struct dbase_filter due = {.kind = DB_JOB,
	    .state = JOB_WAITING,
	    .order_max = clock_wall_ms(),
	    .limit = TICK_JOBS,
	    .oldest = true};
	struct round round = {.e = e};

	give_up_waiting(e);
	if (!session_ready(e) || flight_find(e, 0) == NULL)
		return;
	if (dbase_walk(e->db, &due, on_due, &round) < 0)
		session_broken(e);
}

void
worklist_on_res(struct emsg *e, uint64_t id, const struct p_res *res)
{
	struct flight *f = flight_find(e, id);
	struct job job;
	int64_t state;
	int rc;

	if (id == 0 || f == NULL || f->put)
		return;
	f->id = 0;
	rc = worklist_get(e, f->job, &job, &state);
	if (rc == 1 && state == JOB_WAITING)
		rc = jobs_on_res(e, &job.row, f->peer, res);
	worklist_clear(&job);
	if (rc < 0)
		session_broken(e);
	session_changed(e);
}

/* All outcomes of a put are here. */
static void
landed(struct emsg *e, struct flight *f)
{
	struct job job;
	int64_t state;
	int rc;

	f->id = 0;
	rc = worklist_get(e, f->job, &job, &state);
	if (rc == 1 && state == JOB_WAITING)
		rc = jobs_on_outcome(e, &job.row, f);
	worklist_clear(&job);
	if (rc < 0)
		session_broken(e);
	session_changed(e);
}

void
worklist_on_result(struct emsg *e, uint64_t id, const struct p_result *result)
{
	struct flight *f = flight_find(e, id);
	struct p_outcome outcome;
	struct obj_iter it;

	if (id == 0 || f == NULL || !f->put)
		return;
	obj_iter_init(&it, &result->outcomes);
	while (obj_next(&it, &p_outcome_def, &outcome) && f->left > 0) {
		f->left--;
		/* Copies for our own devices are no reason to fail, but to repeat. */
		if (code_class(outcome.code) == CODE_TEMPORARY)
			f->again = true;
		if (!span_eq(outcome.account, e->self.account) || f->only) {
			f->code = (unsigned)outcome.code;
			if (obj_has(&p_outcome_def, &outcome, 4))
				text_copy(f->text, sizeof(f->text), outcome.text);
		}
	}
	if (f->left == 0)
		landed(e, f);
}

/* --- cleaning ----------------------------------------------------------------------------- */

static int
on_old(void *arg, const struct dbase_row *row)
{
	struct emsg *e = arg;
	struct row_job job;
	uint8_t key[8];

	if (obj_decode(&row_job_def, row->value, &job) != WIRE_OK)
		return 0;
	return dbase_del(e->db, DB_JOB, job_key(job.number, key));
}

int
worklist_clean(struct emsg *e)
{
	static const enum job_state over[] = {JOB_DONE, JOB_FAILED};
	struct dbase_filter old = {
	    .kind = DB_JOB, .order_max = clock_wall_ms() - WORKLIST_KEEP_MS};

	for (size_t i = 0; i < 2; i++) {
		old.state = over[i];
		if (dbase_walk(e->db, &old, on_old, e) < 0)
			return -1;
	}
	return 0;
}
