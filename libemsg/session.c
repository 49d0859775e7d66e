/* SPDX-License-Identifier: ISC */
/*
 * session.c - one open account at work: descriptors, time, the link and who has it.
 *
 * A program that wants a link takes the lock of the account and becomes the holder, or keeps in
 * touch with the program that is. Only the holder connects, does jobs and receives; everybody
 * reads the same database. The state of the link is a note in the database, so that the others
 * can tell "everything is here" from "not connected". All descriptors hang on one epoll
 * descriptor, which is what programs poll.
 *
 * Owns struct emsg. Called by programs through emsg.h. When the database cannot be used any
 * more the link is closed and every call fails.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "inbox.h"
#include "jobs.h"
#include "worklist.h"
#include "roster.h"
#include "session.h"
#include "wire/call.h"

#define QUIET_MS 300          /* without a push that long, what was to come has come */
#define RECEIPTS_PAUSE_MS 200 /* receipts of that time go together */
#define JOBS_LOOK_MS 500      /* how often due jobs are looked for */
#define RECONNECT_MS 1000     /* first pause; doubles */
#define RECONNECT_MAX_MS 60000
#define SKEW_MS (2 * 60 * 1000) /* a clock that is more off is corrected */
#define FIRST_ID 100
#define SELF "self"
#define SELF_MAX 4096

/* The note "link" of the holder. */
enum link_note { NOTE_NONE, NOTE_TRYING, NOTE_SYNCED, NOTE_FAILED };

static const struct span none = {NULL, 0};

/* --- small things -------------------------------------------------------------------------- */

int
session_fail(struct emsg *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	return code;
}

int
session_broken(struct emsg *e)
{
	if (!e->broken)
		session_fail(e, EMSG_FAILED, "local data: %s", dbase_error(e->db));
	e->broken = true;
	return EMSG_FAILED;
}

const char *
emsg_message(const struct emsg *e)
{
	return e->message;
}

uint64_t
session_note_get(struct emsg *e, const char *name)
{
	struct buf value;
	struct cur cur;
	uint64_t n = 0;

	buf_init(&value, 8);
	if (dbase_get(e->db, DB_NOTE, span_str(name), &value, NULL) == 1 &&
	    value.n == 8) {
		cur_init(&cur, buf_span(&value));
		n = cur_u64(&cur);
	}
	buf_clear(&value);
	return n;
}

int
session_note_put(struct emsg *e, const char *name, uint64_t n)
{
	struct buf value;
	int rc;

	buf_init(&value, 8);
	buf_put_u64(&value, n);
	rc = dbase_put(e->db, DB_NOTE, span_str(name), none, 0, 0, buf_span(&value));
	buf_clear(&value);
	return rc;
}

uint64_t
session_now(const struct emsg *e)
{
	return clock_wall_ms() + (uint64_t)e->clock_offset;
}

bool
session_ready(const struct emsg *e)
{
	return !e->broken && e->link != NULL && wirelink_state(e->link) == LINK_READY;
}

void
session_changed(struct emsg *e)
{
	e->jobs_at = 0;
	holder_wake(e->holder);
}

/* --- self --------------------------------------------------------------------------------- */

int
session_load_self(struct emsg *e)
{
	buf_wipe(&e->self_bytes);
	if (dbase_get(e->db, DB_SELF, span_str(SELF), &e->self_bytes, NULL) != 1 ||
	    obj_decode(&row_self_def, buf_span(&e->self_bytes), &e->self) != WIRE_OK)
		return -1;
	return 0;
}

int
session_save_self(struct emsg *e, const struct row_self *self)
{
	struct buf value;
	int rc = -1;

	buf_init(&value, SELF_MAX);
	if (obj_encode(&row_self_def, self, &value) == WIRE_OK)
		rc = dbase_put(
		    e->db, DB_SELF, span_str(SELF), none, 0, 0, buf_span(&value));
	buf_wipe(&value);
	return rc < 0 ? -1 : session_load_self(e);
}

static void
watch(struct emsg *e, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &ev);
}

struct emsg *
session_new(const char *dir, struct dbase *db, bool protected)
{
	struct emsg *e = xcalloc(1, sizeof(*e));

	e->dir = xstrdup(dir);
	e->db = db;
	e->passphrase = protected;
	e->link_fd = -1;
	e->next_id = FIRST_ID;
	buf_init(&e->self_bytes, SELF_MAX);
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	e->holder = holder_new(dir);
	if (e->epoll < 0 || e->holder == NULL) {
		emsg_close(e);
		return NULL;
	}
	watch(e, holder_fd(e->holder));
	e->version = dbase_version(db);
	return e;
}

void
emsg_close(struct emsg *e)
{
	if (e == NULL)
		return;
	if (e->link != NULL) {
		wirelink_stop(e->link);
		if (!e->broken)
			session_note_put(e, "link", NOTE_NONE);
	}
	wirelink_free(e->link);
	holder_free(e->holder);
	if (e->epoll >= 0)
		close(e->epoll);
	dbase_close(e->db);
	buf_wipe(&e->self_bytes);
	wipe(&e->self, sizeof(e->self));
	free(e->dir);
	free(e);
}

/* --- what the link says -------------------------------------------------------------------- */

/* Asks something small: when its answer is here, what was sent before it is here too. */
static void
send_barrier(struct emsg *e)
{
	e->barrier_done = false;
	if (wirelink_request(e->link, e->next_id, "consent.list", NULL, NULL) == 0)
		e->barrier = e->next_id++;
}

static void
note_clock(struct emsg *e)
{
	int64_t ahead = wirelink_clock(e->link);

	e->clock_offset = ahead > SKEW_MS || ahead < -SKEW_MS ? ahead : 0;
	if (session_note_get(e, "clock") != (uint64_t)e->clock_offset)
		session_note_put(e, "clock", (uint64_t)e->clock_offset);
}

static void
on_up(void *arg, const struct p_welcome_c2s *welcome)
{
	struct p_credit credit = {.bytes = WIRELINK_BYTES, .items = WIRELINK_ITEMS};
	struct emsg *e = arg;

	worklist_on_down(e);
	e->failed = false;
	e->tries = 0;
	e->head = welcome->head;
	e->pushed = e->done = welcome->cursor;
	e->quiet_at = clock_mono_ms() + QUIET_MS;
	note_clock(e);
	wirelink_send_obj(e->link, FRAME_CREDIT, 0, &p_credit_def, &credit);
	send_barrier(e);
	session_changed(e);
}

static void
set_synced(struct emsg *e)
{
	if (e->synced)
		return;
	e->synced = true;
	if (jobs_housekeeping(e) < 0 || session_note_put(e, "link", NOTE_SYNCED) < 0)
		session_broken(e);
	session_changed(e);
}

/* Everything that had come is here: the barrier was answered, and the newest entry was seen or
 * nothing has come for a while (entries for other devices only are not pushed to us). */
static void
check_synced(struct emsg *e)
{
	if (e->synced || !e->barrier_done || !session_ready(e))
		return;
	if (e->pushed >= e->head || clock_mono_ms() >= e->quiet_at)
		set_synced(e);
}

static void
on_res(struct emsg *e, const struct wframe *f)
{
	struct p_res res;

	if (obj_decode(&p_res_def, f->body, &res) != WIRE_OK)
		return;
	if (f->id == e->barrier) {
		e->barrier = 0;
		e->barrier_done = true;
		return;
	}
	worklist_on_res(e, f->id, &res);
}

static void
on_result(struct emsg *e, const struct wframe *f)
{
	struct p_result result;

	if (obj_decode(&p_result_def, f->body, &result) == WIRE_OK)
		worklist_on_result(e, f->id, &result);
}

static int
on_event(struct emsg *e, const struct wframe *f)
{
	struct p_event event;
	struct addr addr;

	if (obj_decode(&p_event_def, f->body, &event) != WIRE_OK ||
	    !span_eq(event.name, span_str("keys")) || !obj_has(&p_event_def, &event, 2) ||
	    !addr_parse_wire(event.data, &addr))
		return 0;
	return roster_on_event(e, event.data);
}

/* Answers can lead to frames: what came before is committed first. */
static void
on_frame(void *arg, const struct wframe *f)
{
	struct emsg *e = arg;
	int rc = 0;

	if (e->broken)
		return;
	if (f->type == FRAME_PUSH) {
		e->quiet_at = clock_mono_ms() + QUIET_MS;
		rc = inbox_on_push(e, f->body);
	} else {
		rc = inbox_settle(e);
	}
	if (rc == 0 && f->type == FRAME_RES)
		on_res(e, f);
	else if (rc == 0 && f->type == FRAME_RESULT)
		on_result(e, f);
	else if (rc == 0 && f->type == FRAME_EVENT)
		rc = on_event(e, f);
	if (rc < 0)
		session_broken(e);
}

static void
on_batch(void *arg)
{
	struct emsg *e = arg;

	if (!e->broken && inbox_settle(e) < 0)
		session_broken(e);
}

static void
on_down(void *arg, unsigned code, const char *why)
{
	struct emsg *e = arg;
	unsigned shift = e->tries < 6 ? e->tries : 6;
	uint64_t pause = (uint64_t)RECONNECT_MS << shift;

	(void)code;
	if (pause > RECONNECT_MAX_MS)
		pause = RECONNECT_MAX_MS;
	e->tries++;
	e->retry_at = clock_mono_ms() + pause + random_below((uint32_t)(pause / 2));
	e->synced = false;
	e->failed = true;
	if (e->in_batch && inbox_settle(e) < 0)
		session_broken(e);
	worklist_on_down(e);
	if (!e->broken)
		session_fail(e, EMSG_WAITING, "no link to the server: %s", why);
	session_note_put(e, "link", NOTE_FAILED);
	holder_wake(e->holder);
}

static const struct wirelink_ops link_ops = {on_up, on_frame, on_batch, on_down};

/* --- the holder's part --------------------------------------------------------------------- */

static int
make_link(struct emsg *e)
{
	const char *why;

	e->link = wirelink_new(&e->self, true, &link_ops, e, &why);
	if (e->link == NULL) {
		e->failed = true;
		e->retry_at = clock_mono_ms() + RECONNECT_MAX_MS;
		return session_fail(e, -1, "no link to the server: %s", why);
	}
	e->retry_at = 0;
	return 0;
}

static void
run_link(struct emsg *e, uint64_t now)
{
	if (e->link == NULL && (now < e->retry_at || make_link(e) < 0))
		return;
	if (wirelink_state(e->link) == LINK_DOWN) {
		if (now < e->retry_at)
			return;
		session_note_put(e, "link", NOTE_TRYING);
		wirelink_start(e->link);
	}
	wirelink_process(e->link);
}

static void
run_work(struct emsg *e, uint64_t now)
{
	if (!session_ready(e))
		return;
	if (now >= e->receipts_at && dbase_count(e->db, DB_RECEIPT, -1) > 0) {
		e->receipts_at = now + RECEIPTS_PAUSE_MS;
		if (inbox_send_receipts(e) < 0)
			session_broken(e);
		e->jobs_at = 0;
	}
	if (now >= e->jobs_at) {
		e->jobs_at = now + JOBS_LOOK_MS;
		worklist_run(e);
	}
	check_synced(e);
	wirelink_process(e->link);
}

/* --- everybody's part ---------------------------------------------------------------------- */

/* As the epoll should know the link's socket; it changes with every attempt. */
static void
watch_link(struct emsg *e)
{
	int fd = e->link == NULL ? -1 : wirelink_fd(e->link);
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	e->link_fd = fd;
	if (fd < 0)
		return;
	if (wirelink_wants_write(e->link))
		ev.events |= EPOLLOUT;
	if (epoll_ctl(e->epoll, EPOLL_CTL_MOD, fd, &ev) < 0 && errno == ENOENT)
		epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* Looks whether others wrote, and whether the place of the holder is free. */
static void
look(struct emsg *e, uint64_t now, bool woken)
{
	uint64_t version;

	if (!woken && now < e->look_at)
		return;
	e->look_at = now + HOLDER_LOOK_MS;
	if (e->wanted && !holder_is(e->holder) && holder_try(e->holder))
		session_note_put(e, "link", NOTE_TRYING);
	version = dbase_version(e->db);
	if (version != e->version || woken)
		e->jobs_at = 0;
	e->version = version;
}

int
emsg_process(struct emsg *e)
{
	uint64_t now = clock_mono_ms();

	if (e->broken)
		return EMSG_FAILED;
	look(e, now, holder_process(e->holder));
	if (e->wanted && holder_is(e->holder)) {
		run_link(e, now);
		run_work(e, now);
		watch_link(e);
	}
	if (e->broken && e->link != NULL)
		wirelink_stop(e->link);
	return e->broken ? EMSG_FAILED : EMSG_OK;
}

int
emsg_fd(const struct emsg *e)
{
	return e->epoll;
}

static int
until(uint64_t due, uint64_t now)
{
	return due <= now ? 0 : (int)(due - now);
}

int
emsg_timeout(const struct emsg *e)
{
	uint64_t now = clock_mono_ms();
	int n = until(e->look_at, now), m;

	if (!e->wanted || e->broken)
		return -1;
	if (!holder_is(e->holder))
		return n;
	if (e->link == NULL || wirelink_state(e->link) == LINK_DOWN) {
		m = until(e->retry_at, now);
		return m < n ? m : n;
	}
	m = wirelink_timeout(e->link);
	if (m >= 0 && m < n)
		n = m;
	if (session_ready(e) && (m = until(e->jobs_at, now)) < n)
		n = m;
	if (!e->synced && e->barrier_done && (m = until(e->quiet_at, now)) < n)
		n = m;
	return n;
}

void
emsg_connect(struct emsg *e)
{
	e->wanted = true;
	e->look_at = 0;
}

bool
emsg_synced(struct emsg *e)
{
	if (holder_is(e->holder))
		return session_ready(e) && e->synced;
	return e->wanted && holder_has_friend(e->holder) &&
	    session_note_get(e, "link") == NOTE_SYNCED;
}

bool
emsg_offline(struct emsg *e)
{
	if (holder_is(e->holder))
		return e->failed;
	if (!holder_has_friend(e->holder) || session_note_get(e, "link") != NOTE_FAILED)
		return false;
	session_fail(
	    e, EMSG_WAITING, "no link to the server: another emsg tries to get one");
	return true;
}

/* --- waiting ------------------------------------------------------------------------------ */

/* Processes until done() says so or time is up. */
static int
wait_for(
    struct emsg *e, int timeout_ms, bool (*done)(struct emsg *, uint64_t), uint64_t arg)
{
	uint64_t end = clock_mono_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
	struct pollfd p = {.fd = e->epoll, .events = POLLIN};

	for (;;) {
		uint64_t now;
		int n, left;

		if (emsg_process(e) != EMSG_OK)
			return EMSG_FAILED;
		if (done(e, arg))
			return EMSG_OK;
		if ((now = clock_mono_ms()) >= end)
			return EMSG_WAITING;
		left = (int)(end - now);
		n = emsg_timeout(e);
		poll(&p, 1, n < 0 || n > left ? left : n);
	}
}

static bool
synced_or_not(struct emsg *e, uint64_t arg)
{
	(void)arg;
	return emsg_synced(e) || emsg_offline(e);
}

int
emsg_sync(struct emsg *e, int timeout_ms)
{
	int rc;

	emsg_connect(e);
	rc = wait_for(e, timeout_ms, synced_or_not, 0);
	if (rc == EMSG_OK && !emsg_synced(e))
		return EMSG_WAITING;
	if (rc == EMSG_WAITING)
		session_fail(e, EMSG_WAITING, "no link to the server: no answer in time");
	return rc;
}

enum emsg_work
emsg_work_state(struct emsg *e, uint64_t work)
{
	enum emsg_work result = EMSG_WORK_UNKNOWN;
	struct job job;
	int64_t state;

	if (worklist_get(e, work, &job, &state) == 1) {
		result = state == JOB_DONE ? EMSG_WORK_DONE
		    : state == JOB_FAILED  ? EMSG_WORK_FAILED
					   : EMSG_WORK_WAITING;
		if (state == JOB_FAILED)
			session_fail(e, EMSG_REFUSED, "%s%s%.*s",
			    code_symbol(job.row.code), job.row.text.n == 0 ? "" : ": ",
			    (int)job.row.text.n, (const char *)job.row.text.p);
	}
	worklist_clear(&job);
	return result;
}

static bool
work_over(struct emsg *e, uint64_t work)
{
	return emsg_work_state(e, work) != EMSG_WORK_WAITING || emsg_offline(e);
}

int
emsg_work_wait(struct emsg *e, uint64_t work, int timeout_ms)
{
	int rc = wait_for(e, timeout_ms, work_over, work);

	if (rc != EMSG_OK)
		return rc;
	switch (emsg_work_state(e, work)) {
	case EMSG_WORK_DONE:
		return EMSG_OK;
	case EMSG_WORK_WAITING:
		return EMSG_WAITING;
	case EMSG_WORK_FAILED:
		return EMSG_REFUSED;
	default:
		return session_fail(e, EMSG_NOT_FOUND, "no such work");
	}
}
