/* SPDX-License-Identifier: ISC */
/*
 * store.c - the process that owns accounts, consent and mailboxes: wiring and turns.
 *
 * Handlers read and write in the one transaction of a turn and queue their answers; turn()
 * commits once and then lets answers and pushes go, so that nothing leaves that a power loss
 * could take back. A commit that fails for lack of room answers everybody "storage" and goes
 * on; one that fails because of the disk ends the process, and a sync is never tried again.
 * Owns the database and the configuration. It has no network and opens no file but its own.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/share.h"
#include "ipc/msgs.h"
#include "store/bounds.h"
#include "store/consent.h"
#include "store/fate.h"
#include "store/handle.h"
#include "store/mailbox.h"
#include "store/nonce.h"
#include "store/order.h"
#include "store/outbox.h"
#include "store/peer.h"
#include "store/push.h"
#include "store/put.h"
#include "store/sctl.h"
#include "store/seen.h"
#include "store/slogin.h"
#include "store/sreq.h"
#include "store/store.h"
#include "store/token.h"

#define FLUSH_MS 200 /* for the last words to each neighbour */

static struct sdb *db;         /* owned */
static struct conf *conf;      /* owned: in use */
static struct conf *conf_next; /* owned: prepared */
static char *domain;           /* owned */
static uint64_t start, numbers;
static struct {
	uint64_t swept, tended;     /* clock_mono_ms() */
	size_t max;                 /* rows of each kind in the next sweep */
	bool full;                  /* the last one left some */
	bool measure;               /* behind the next commit */
	struct skey tokens, asking; /* where the sweeps of these tables stand */
} sweep;

struct sdb *
store_db(void)
{
	return db;
}

const struct conf *
store_conf(void)
{
	return conf;
}

struct span
store_domain(void)
{
	return span_str(domain);
}

uint64_t
store_start(void)
{
	return start;
}

uint64_t
store_number(void)
{
	return start << 32 | (++numbers & UINT32_MAX);
}

bool
store_is_ours(struct span address)
{
	struct addr a;

	return addr_parse_wire(address, &a) && span_eq(a.domain, store_domain());
}

/* --- start and reload ----------------------------------------------------------------------- */

static int
store_begin(void)
{
	conf = conf_share_get(proc_conf(), ROLE_STORE);
	if (conf == NULL) {
		log_error("store.conf", "error=unreadable");
		return PROC_EXIT_CONFIG;
	}
	domain = xstrdup(conf_str(conf, CONF_DOMAIN));
	log_hide_locals(conf_u64(conf, CONF_LOG_ADDRESSES) == CONF_LOG_ADDRESSES_DOMAIN);
	return 0;
}

/* Counts this start, durably, before anybody gets a handle or a number. */
static int
count_start(void)
{
	struct span key = span_str("start"), value;
	enum sdb_result res = sdb_get(db, SDB_META, key, &value);
	struct buf b;
	struct cur c;

	if (res == SDB_OK) {
		cur_init(&c, value);
		start = cur_u64(&c);
		if (!cur_done(&c))
			res = SDB_FAULT;
	}
	if (res == SDB_FAULT)
		return -1;
	start++;
	buf_init(&b, 8);
	buf_put_u64(&b, start);
	value = buf_span(&b);
	res = sdb_put(db, SDB_META, key, &value, 1);
	buf_clear(&b);
	return res == SDB_OK && sdb_commit(db) == SDB_OK ? 0 : -1;
}

static int
store_ready(void)
{
	const char *why = "";

	db = sdb_open(proc_data_path(), conf_u64(conf, CONF_STORE_MAP_SIZE), &why);
	if (db == NULL) {
		log_error("store.open", "path=%s error=%s", log_str(proc_data_path()),
		    log_str(why));
		return -1;
	}
	if (count_start() == -1) {
		log_error("store.open", "error=start-number");
		return -1;
	}
	sweep.max = STORE_SWEEP;
	sdb_measure(db);
	skey_init(&sweep.tokens);
	skey_init(&sweep.asking);
	log_info("store.open", "start=%llu", (unsigned long long)start);
	return 0;
}

static int
store_reload_prepare(void)
{
	conf_free(conf_next);
	conf_next = conf_share_get(proc_conf_next(), ROLE_STORE);
	return conf_next == NULL ? -1 : 0;
}

static void
store_reload_switch(void)
{
	conf_free(conf);
	conf = conf_next;
	conf_next = NULL;
	peer_reload();
	log_hide_locals(conf_u64(conf, CONF_LOG_ADDRESSES) == CONF_LOG_ADDRESSES_DOMAIN);
}

/* --- turns ---------------------------------------------------------------------------------- */

/* The disk failed. Whoever waits learns that nothing was taken; a sync is not tried again,
 * because it could succeed without having written what the first one lost. */
static void
end_broken(void)
{
	outbox_send(false);
	for (enum role role = ROLE_MASTER; role < ROLE_COUNT; role++)
		if (proc_channel(role) != NULL)
			channel_flush(proc_channel(role), FLUSH_MS);
	fatal("the database could not be written; ending without a second try");
}

static void
store_turn(void)
{
	enum sdb_result res;

	if (db == NULL)
		return;
	fate_turn();
	res = sdb_commit(db);
	if (res == SDB_BROKEN)
		end_broken();
	outbox_send(res == SDB_OK);
	order_turn();
	if (sweep.measure)
		sdb_measure(db);
	sweep.measure = false;
	push_turn();
	sctl_turn();
	/* Nothing read may be used beyond a turn; a write (a bad row set aside) waits. */
	if (!sdb_dirty(db))
		sdb_abort(db);
}

/* Removes what is over, a bounded number of rows at a time; sooner and more if that was not all,
 * because rows must go as quickly as they come. */
static void
sweep_rows(void)
{
	uint64_t now = clock_wall_ms();
	size_t entries = mailbox_expire(db, now, sweep.max);
	size_t keys = seen_expire(db, now, sweep.max);

	sweep.full = entries >= sweep.max || keys >= sweep.max;
	if (!sweep.full)
		sweep.max = STORE_SWEEP;
	else if (sweep.max < STORE_SWEEP_MOST)
		sweep.max *= 2;
	token_sweep(db, now, STORE_SWEEP, &sweep.tokens);
	consent_sweep(db, now, STORE_SWEEP, &sweep.asking);
	if (entries + keys > 0)
		log_debug("store.sweep", "entries=%zu keys=%zu", entries, keys);
}

static void
store_tick(uint64_t now)
{
	if (db == NULL)
		return;
	push_tick();
	sweep.measure = true;
	if (sweep.full || now >= sweep.swept + STORE_SWEEP_MS) {
		sweep.swept = now;
		sweep_rows();
	}
	if (now >= sweep.tended + MINUTE_MS) {
		sweep.tended = now;
		sdb_tend(db);
	}
}

/* --- neighbours ----------------------------------------------------------------------------- */

static void
store_peer_up(enum role role, struct channel *ch)
{
	if (role == ROLE_QUEUE)
		handle_announce(ch);
}

static void
store_peer_down(enum role role, struct channel *ch)
{
	(void)ch;
	outbox_drop(role);
	peer_gone(role);
	if (role == ROLE_LISTENER) {
		handle_drop_all();
		nonce_drop_all();
	}
	if (role == ROLE_CONTROL)
		sctl_gone();
}

static void
store_status(struct buf *out)
{
	uint64_t items, stored, used, all;
	char *text;

	put_figures(&items, &stored);
	sdb_room(db, &used, &all);
	text = xasprintf("links=%zu items=%llu stored=%llu pages=%llu pages_max=%llu",
	    handle_count(), (unsigned long long)items, (unsigned long long)stored,
	    (unsigned long long)used, (unsigned long long)all);
	buf_put(out, text, strlen(text));
	free(text);
}

/* Nothing to do: the turn of this round commits and answers what was handled, and what was not
 * is repeated by whoever sent it. The database stays open, as this round of the loop may still
 * call handlers, and an orderly close is nothing that it needs. */
static bool
store_stop(void)
{
	return true;
}

static const struct proc_handler from_listener[] = {{MSG_NONCE_ASK, on_nonce_ask},
    {MSG_LOGIN, on_login}, {MSG_PEER_AUTH, on_peer_auth}, {MSG_REQ, on_req},
    {MSG_PUT, on_put}, {MSG_DONE, on_done}, {MSG_CREDIT, on_credit},
    {MSG_LINK_END, on_link_end}, {0, NULL}};
static const struct proc_handler from_queue[] = {
    {MSG_HANDLE_OK, on_handle_ok}, {MSG_FATE, on_fate}, {0, NULL}};
static const struct proc_handler from_relay[] = {{MSG_DOC, proc_on_answer},
    {MSG_QUERY_RES, proc_on_answer}, {MSG_PEER_CHECK, on_peer_check}, {0, NULL}};
static const struct proc_handler from_keyd[] = {{MSG_DOC_OWN, on_doc_own}, {0, NULL}};
static const struct proc_handler from_control[] = {
    {MSG_CTL_ASK, on_ctl_ask}, {MSG_CTL_CANCEL, on_ctl_cancel}, {0, NULL}};
static const struct proc_peer peers[] = {{ROLE_LISTENER, from_listener},
    {ROLE_QUEUE, from_queue}, {ROLE_RELAY, from_relay}, {ROLE_KEYD, from_keyd},
    {ROLE_CONTROL, from_control}, {ROLE_MASTER, NULL}};

const struct proc store_proc = {
    .role = ROLE_STORE,
    .peers = peers,
    .start = store_begin,
    .ready = store_ready,
    .reload_prepare = store_reload_prepare,
    .reload_switch = store_reload_switch,
    .stop = store_stop,
    .peer_up = store_peer_up,
    .peer_down = store_peer_down,
    .tick = store_tick,
    .turn = store_turn,
    .status = store_status,
};
