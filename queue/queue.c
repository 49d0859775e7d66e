/* SPDX-License-Identifier: ISC */
/*
 * queue.c - the process that is answerable for what travels on to other servers: wiring.
 *
 * One turn of the loop: handlers read and note all that is there; then turn() hands items to
 * relay, commits once, answers everybody whom the commit concerns, tells fates, and tidies the
 * journal. No answer leaves before the commit it depends on.
 * When the disk fails the process tells everybody "temporary", ends, and recovers from the
 * journal when master starts it again: there is no other way out and no other way in, an
 * orderly stop leaves nothing that recovery needs.
 * Files: intake.c takes in, deliver.c passes on, fates.c reports, qctl.c shows; spool.c keeps.
 */
#include "queue/queue.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/share.h"
#include "ipc/msgs.h"
#include "queue/answers.h"
#include "queue/deliver.h"
#include "queue/fates.h"
#include "queue/qctl.h"
#include "queue/intake.h"
#include "wire/code.h"

#define LAST_WORDS_MS 200 /* for refusals to leave before the end */

struct queue queue;
static struct conf *incoming; /* owned: of a reload that is prepared */

void
queue_check(enum journal_err err)
{
	if (err != JOURNAL_BROKEN)
		return;
	answers_flush(false);
	if (proc_channel(ROLE_LISTENER) != NULL)
		channel_flush(proc_channel(ROLE_LISTENER), LAST_WORDS_MS);
	if (proc_channel(ROLE_CONTROL) != NULL)
		channel_flush(proc_channel(ROLE_CONTROL), LAST_WORDS_MS);
	fatal("the spool's disk failed; what was not synced is recovered at the next "
	      "start");
}

void
queue_schedule(struct item *it)
{
	uint64_t mono = clock_mono_ms(), wall = clock_wall_ms(), left;
	struct buf key;

	if (item_count(it, RECORD_PENDING) == 0) {
		fates_owe(it);
		return;
	}
	left = it->expires > wall ? it->expires - wall : 0;
	buf_init(&key, RECORD_NAME_MAX + RECORD_ID_SIZE);
	buf_put(&key, it->conv, sizeof(it->conv));
	buf_put(&key, it->sender, strlen(it->sender));
	it->sched = sched_add(queue.sched, mono, it->qid, span_str(it->domain),
	    buf_span(&key), mono + left);
	buf_clear(&key);
	if (it->held)
		sched_hold(queue.sched, mono, it->sched);
	fates_owe(it);
}

void
queue_unschedule(struct item *it)
{
	if (it->sched != NULL)
		sched_remove(queue.sched, clock_mono_ms(), it->sched);
	it->sched = NULL;
}

/* --- handles ------------------------------------------------------------------------------ */

static void
on_handle_add(struct channel *ch, struct channel_msg *msg)
{
	const struct m_handle_add *m = msg->body;
	struct m_handle ok = {.handle = m->handle};

	if (!handles_put(queue.handles, m->handle, m->kind, m->device, m->name))
		ok.code = CODE_LIMIT;
	channel_send(ch, MSG_HANDLE_OK, msg->id, &ok, -1);
}

static void
on_handle_del(struct channel *ch, struct channel_msg *msg)
{
	(void)ch;
	handles_take(queue.handles, ((const struct m_handle *)msg->body)->handle);
}

/* --- hooks -------------------------------------------------------------------------------- */

static struct backoff_limits
backoff_limits(const struct conf *conf)
{
	struct backoff_limits limits = {
	    conf_u64(conf, CONF_QUEUE_RETRY_MIN), conf_u64(conf, CONF_QUEUE_RETRY_MAX)};

	return limits;
}

static int
queue_start(void)
{
	struct backoff_limits limits;

	queue.conf = conf_share_get(proc_conf(), ROLE_QUEUE);
	if (queue.conf == NULL) {
		log_error("queue.conf", "error=\"the configuration cannot be read\"");
		return PROC_EXIT_CONFIG;
	}
	log_hide_locals(
	    conf_u64(queue.conf, CONF_LOG_ADDRESSES) == CONF_LOG_ADDRESSES_DOMAIN);
	limits = backoff_limits(queue.conf);
	queue.sched = sched_new(&limits);
	queue.handles = handles_new();
	return 0;
}

/* The spool is read as the user that owns it, so after the drop. */
static int
queue_ready(void)
{
	uint64_t before = clock_mono_ms();
	struct item *it = NULL;
	const char *why;

	queue.spool = spool_open(&diskio_real, proc_data_fd(),
	    conf_u64(queue.conf, CONF_QUEUE_SEGMENT_SIZE), &why);
	if (queue.spool == NULL) {
		log_error("spool.open", "error=\"%s: %m\"", why);
		return -1;
	}
	sched_number(queue.sched,
	    (uint64_t)journal_start(spool_journal(queue.spool)) << RECORD_START_SHIFT);
	while ((it = spool_next(queue.spool, it)) != NULL)
		queue_schedule(it);
	log_info("spool.open", "start=%u items=%zu ms=%llu",
	    journal_start(spool_journal(queue.spool)), spool_count(queue.spool),
	    (unsigned long long)(clock_mono_ms() - before));
	return 0;
}

static int
queue_reload_prepare(void)
{
	conf_free(incoming);
	incoming = conf_share_get(proc_conf_next(), ROLE_QUEUE);
	if (incoming != NULL)
		return 0;
	log_error("queue.conf", "error=\"the configuration cannot be read\"");
	return -1;
}

static void
queue_reload_switch(void)
{
	struct backoff_limits limits = backoff_limits(incoming);

	conf_free(queue.conf);
	queue.conf = incoming;
	incoming = NULL;
	log_hide_locals(
	    conf_u64(queue.conf, CONF_LOG_ADDRESSES) == CONF_LOG_ADDRESSES_DOMAIN);
	sched_set_limits(queue.sched, &limits);
}

static void
queue_peer_up(enum role role, struct channel *ch)
{
	(void)role, (void)ch;
	proc_wake();
}

static void
queue_peer_down(enum role role, struct channel *ch)
{
	answers_forget(ch);
	if (role == ROLE_RELAY)
		deliver_recall();
	if (role == ROLE_STORE) {
		/* A new store makes new handles. */
		handles_free(queue.handles);
		queue.handles = handles_new();
	}
}

static void
queue_drained(enum role role, struct channel *ch)
{
	(void)role, (void)ch;
	proc_wake();
}

static void
queue_turn(void)
{
	bool again = false;

	if (queue.spool == NULL)
		return;
	deliver_run();
	queue_check(spool_commit(queue.spool));
	answers_flush(true);
	fates_run();
	queue_check(spool_tick(queue.spool, clock_mono_ms(), &again));
	if (again)
		proc_wake();
}

static bool
queue_stop(void)
{
	if (queue.spool != NULL) {
		queue_check(spool_commit(queue.spool));
		answers_flush(true);
		if (fates_count() == 0)
			spool_note_empty(queue.spool);
	}
	return true;
}

static void
queue_status(struct buf *out)
{
	struct journal_figures f = {0};
	char *text;

	if (queue.spool != NULL)
		journal_figures(spool_journal(queue.spool), &f);
	text = xasprintf(
	    "items=%llu\nscheduled=%zu\nfates_owed=%zu\naccepted=%llu\n"
	    "refused=%llu\nsent=%llu\narrived=%llu\nfailed=%llu\nretried=%llu\n"
	    "segments=%llu\nsegments_used=%llu\nlive_bytes=%llu\ncommits=%llu\n"
	    "records=%llu\n",
	    (unsigned long long)f.live_items, sched_count(queue.sched), fates_count(),
	    (unsigned long long)queue.count.accepted,
	    (unsigned long long)queue.count.refused, (unsigned long long)queue.count.sent,
	    (unsigned long long)queue.count.arrived,
	    (unsigned long long)queue.count.failed,
	    (unsigned long long)queue.count.retried, (unsigned long long)f.segments,
	    (unsigned long long)f.used, (unsigned long long)f.live_bytes,
	    (unsigned long long)f.commits, (unsigned long long)f.records);
	buf_put(out, text, strlen(text));
	free(text);
}

static const struct proc_handler from_listener[] = {{MSG_SUBMIT, on_submit}, {0, NULL}};
static const struct proc_handler from_store[] = {{MSG_HANDLE_ADD, on_handle_add},
    {MSG_HANDLE_DEL, on_handle_del}, {MSG_FATE_OK, proc_on_answer}, {0, NULL}};
static const struct proc_handler from_relay[] = {{MSG_SENT, on_sent},
    {MSG_SEND_FAIL, on_send_fail}, {MSG_PEER_UP, on_peer_up},
    {MSG_PEER_DOWN, on_peer_down}, {0, NULL}};
static const struct proc_handler from_control[] = {
    {MSG_CTL_ASK, on_queue_ask}, {MSG_CTL_CANCEL, on_queue_cancel}, {0, NULL}};
static const struct proc_peer peers[] = {{ROLE_LISTENER, from_listener},
    {ROLE_STORE, from_store}, {ROLE_RELAY, from_relay}, {ROLE_CONTROL, from_control},
    {ROLE_MASTER, NULL}};

const struct proc queue_proc = {
    .role = ROLE_QUEUE,
    .peers = peers,
    .start = queue_start,
    .ready = queue_ready,
    .reload_prepare = queue_reload_prepare,
    .reload_switch = queue_reload_switch,
    .peer_up = queue_peer_up,
    .peer_down = queue_peer_down,
    .peer_drained = queue_drained,
    .turn = queue_turn,
    .stop = queue_stop,
    .status = queue_status,
};
