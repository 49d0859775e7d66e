/* SPDX-License-Identifier: ISC */
/*
 * inbox.c - what the server pushes: opened, judged, stored; confirmed after the commit.
 *
 * Pushes that come together are one transaction; "done" goes out only after it is on disk. A
 * message is stored once for each sender and mid, and only after its signature verified, so
 * that a forgery with a true mid changes nothing. If the sender's device is not in the list that
 * we have, the push is held, the list is asked for, and the push is judged again when it is
 * there. If the sender is no contact it is held until he is one, since a server that keeps its
 * word lets nothing of a stranger through. What does not verify is dropped and counted; nothing
 * of it is shown.
 *
 * Owns rows of kinds message, held and receipt. Called by session.c and jobs.c. Fails with -1
 * (database).
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/sha.h"
#include "compose.h"
#include "fatebook.h"
#include "inbox.h"
#include "jobs.h"
#include "mimi.h"
#include "roster.h"
#include "unseal.h"

#define RECEIPTS_AT_ONCE 100
#define HELD_TRIES 3

static const struct span none = {NULL, 0};

/* --- receipts ----------------------------------------------------------------------------- */

int
inbox_receipt(struct emsg *e, struct span peer, const uint8_t name[32], unsigned status)
{
	struct row_receipt row = {.peer = peer, .status = status};
	uint8_t key[33];
	struct buf value;
	int rc = -1;

	if (!e->self.receipts)
		return 0;
	memcpy(row.name, name, sizeof(row.name));
	memcpy(key, name, 32);
	key[32] = (uint8_t)status;
	buf_init(&value, 1024);
	if (obj_encode(&row_receipt_def, &row, &value) == WIRE_OK)
		rc = dbase_put(e->db, DB_RECEIPT, span_of(key, sizeof(key)), peer, 1,
		    clock_wall_ms(), buf_span(&value));
	buf_clear(&value);
	return rc;
}

/* Receipts for one peer, gathered. */
struct gather {
	struct emsg *e;
	char peer[ADDR_TEXT_SIZE];
	struct mimi_report report[RECEIPTS_AT_ONCE];
	size_t n;
};

static int
on_receipt(void *arg, const struct dbase_row *row)
{
	struct gather *g = arg;
	struct row_receipt receipt;
	uint8_t key[33];

	if (obj_decode(&row_receipt_def, row->value, &receipt) != WIRE_OK)
		return 0;
	if (g->n == 0)
		text_copy(g->peer, sizeof(g->peer), receipt.peer);
	else if (!span_eq(receipt.peer, span_str(g->peer)))
		return 0;
	memcpy(g->report[g->n].id, receipt.name, MIMI_ID_SIZE);
	g->report[g->n++].status = (enum mimi_status)receipt.status;
	memcpy(key, receipt.name, 32);
	key[32] = (uint8_t)receipt.status;
	return dbase_del(g->e->db, DB_RECEIPT, span_of(key, sizeof(key)));
}

int
inbox_send_receipts(struct emsg *e)
{
	struct dbase_filter due = {
	    .kind = DB_RECEIPT, .state = -1, .limit = RECEIPTS_AT_ONCE, .oldest = true};
	struct gather g = {.e = e};
	struct buf report;
	int rc;

	if (dbase_begin(e->db) < 0)
		return -1;
	buf_init(&report, 65536);
	rc = dbase_walk(e->db, &due, on_receipt, &g);
	if (rc == 0 && g.n > 0) {
		rc = mimi_status_put(g.report, g.n, &report);
		if (rc == 0)
			rc = compose_quiet(
			    e, span_str(g.peer), MIMI_TYPE_STATUS, buf_span(&report));
	}
	buf_clear(&report);
	if (rc == 0)
		return dbase_commit(e->db);
	dbase_rollback(e->db);
	return -1;
}

/* --- messages ----------------------------------------------------------------------------- */

static bool
find_prekey(void *arg, const uint8_t id[8], uint8_t priv[32])
{
	struct emsg *e = arg;
	struct row_prekey prekey;
	struct buf value;
	bool found;

	buf_init(&value, 2 * SOBJ_PREKEY_MAX);
	found = dbase_get(e->db, DB_PREKEY, span_of(id, 8), &value, NULL) == 1 &&
	    obj_decode(&row_prekey_def, buf_span(&value), &prekey) == WIRE_OK;
	if (found)
		memcpy(priv, prekey.priv, sizeof(prekey.priv));
	wipe(prekey.priv, sizeof(prekey.priv));
	buf_wipe(&value);
	return found;
}

/* The other account of the conversation: the sender, or to whom another device of ours sent. */
static struct span
peer_of(struct emsg *e, const struct unsealed *u)
{
	struct obj_iter it;
	struct span to;

	if (!span_eq(u->outer.from, e->self.account))
		return u->outer.from;
	obj_iter_init(&it, &u->header.to);
	return obj_next_span(&it, &to) ? to : none;
}

static int
store_message(struct emsg *e, const struct unsealed *u)
{
	bool ours = span_eq(u->outer.from, e->self.account);
	struct row_message row = {.peer = peer_of(e, u),
	    .from = u->outer.from,
	    .counter = u->header.counter,
	    .received = session_now(e),
	    .type = u->inner.type,
	    .content = u->inner.content};
	bool again = obj_has(&i_header_def, &u->header, 7);

	memcpy(row.mid, again ? u->header.first_mid : u->outer.mid, sizeof(row.mid));
	memcpy(row.device, u->outer.device, sizeof(row.device));
	row.time = mid_time_ms(row.mid);
	if (mimi_id(row.content, row.name) < 0)
		memset(row.name, 0, sizeof(row.name));
	return compose_store(e, &row, ours ? MESSAGE_SENT : MESSAGE_UNREAD);
}

/* A verified message, by its type. */
static int
take_message(struct emsg *e, const struct unsealed *u)
{
	bool ours = span_eq(u->outer.from, e->self.account);
	uint8_t name[MIMI_ID_SIZE];
	int rc;

	if (span_eq(u->inner.type, span_str(MIMI_TYPE_STATUS)))
		return ours ? 0
			    : fatebook_on_receipt(
				  e, u->outer.from, u->header.time, u->inner.content);
	if (span_eq(u->inner.type, span_str(ROSTER_TYPE)))
		return ours ? roster_on_copy(
				  e, u->outer.device, u->header.counter, u->inner.content)
			    : 0;
	rc = store_message(e, u);
	if (rc <= 0 || ours || mimi_id(u->inner.content, name) < 0)
		return rc < 0 ? -1 : 0;
	return inbox_receipt(e, u->outer.from, name, MIMI_DELIVERED);
}

/* The sender's list, ours or a contact's; empty if there is none. */
static struct span
sender_list(struct emsg *e, struct span from, struct contact *c, struct row_list *own,
    struct buf *bytes)
{
	if (span_eq(from, e->self.account))
		return roster_own(e, own, bytes) == 1 ? own->devlist : none;
	buf_init(bytes, 1);
	if (contact_get(e, from, c) != 1 ||
	    !obj_has(&row_contact_def, &c->row, CONTACT_DEVLIST))
		return none;
	return c->row.devlist;
}

/* The sender knows of a newer list of his own than we do. */
static bool
list_is_behind(const struct unsealed *u, struct span devlist)
{
	struct i_head ours;

	return roster_head(u->outer.from, devlist, &ours) &&
	    (u->header.own.generation > ours.generation ||
		(u->header.own.generation == ours.generation &&
		    u->header.own.seq > ours.seq));
}

/* What was pushed and cannot be shown, now or ever, is counted: the user learns of it. */
static int
count_lost(struct emsg *e, enum unseal_result why)
{
	if (session_note_put(e, INBOX_LOST_WHY, (uint64_t)why) < 0)
		return -1;
	return session_note_put(e, INBOX_LOST, session_note_get(e, INBOX_LOST) + 1);
}

/* The user consented to hear from the sender. What is only a request to us may have been granted
 * on another device that does not tell (its client may be of another make): if there is one,
 * the server is believed that it was. */
static bool
has_consent(struct emsg *e, struct span from, const struct contact *c)
{
	return span_eq(from, e->self.account) || c->state == CONSENT_FULL ||
	    (c->state == CONSENT_PENDING && roster_has_others(e));
}

enum judged { JUDGED, WAIT_FOR_KEYS, WAIT_FOR_CONSENT };

/* Verifies and takes an opened message. */
static int
take_checked(struct emsg *e, const struct unsealed *u, const uint8_t key[32])
{
	enum unseal_result result = unseal_check(u, key, e->self.account);

	return result == UNSEAL_OK ? take_message(e, u) : count_lost(e, result);
}

/* Takes an opened message if it is from a contact or from ourselves, and verifies. *what:
 * whether the user's consent or the sender's list is needed first. */
static int
judge(struct emsg *e, const struct unsealed *u, enum judged *what)
{
	struct contact c = {.state = 0};
	struct row_list own;
	struct span devlist;
	uint8_t key[32];
	struct buf bytes;
	int rc = 0;

	devlist = sender_list(e, u->outer.from, &c, &own, &bytes);
	*what = JUDGED;
	if (!has_consent(e, u->outer.from, &c))
		*what = WAIT_FOR_CONSENT;
	else if (devlist.n == 0 || !roster_device_key(devlist, u->outer.device, key))
		*what = WAIT_FOR_KEYS;
	else
		rc = take_checked(e, u, key);
	if (rc == 0 && *what == JUDGED && list_is_behind(u, devlist))
		rc = jobs_add_keys(e, u->outer.from);
	contact_clear(&c);
	buf_clear(&bytes);
	return rc;
}

static struct span
held_key(struct span push, uint8_t hash[SHA_SIZE])
{
	return sha_of(push, hash) == 0 ? span_of(hash, SHA_SIZE) : none;
}

/* Keeps a push until the sender's list or our consent is here. tries: how often it was judged
 * by a list. */
static int
hold(struct emsg *e, struct span push, struct span from, enum judged what, int64_t tries)
{
	uint8_t hash[SHA_SIZE];

	if (what == WAIT_FOR_KEYS && ++tries > HELD_TRIES)
		return count_lost(e, UNSEAL_SENDER);
	if (dbase_count(e->db, DB_HELD, -1) >= INBOX_HELD_MAX)
		return count_lost(e, UNSEAL_SENDER);
	if (dbase_put(e->db, DB_HELD, held_key(push, hash), from, tries, session_now(e),
		push) < 0)
		return -1;
	return what == WAIT_FOR_KEYS ? jobs_add_keys(e, from) : 0;
}

static int
on_message(struct emsg *e, const struct p_push *push, struct span raw, int64_t tries)
{
	struct unseal_device device = {.prekey = find_prekey, .arg = e};
	enum judged what = JUDGED;
	enum unseal_result result;
	struct unsealed u;
	int rc = 0;

	memcpy(device.id, e->self.device, sizeof(device.id));
	result = unseal_open(push, &device, &u);
	if (result == UNSEAL_OK)
		rc = judge(e, &u, &what);
	else if (result != UNSEAL_STANZA)
		rc = count_lost(e, result);
	if (rc == 0 && what != JUDGED)
		rc = hold(e, raw, u.outer.from, what, tries);
	unseal_clear(&u);
	return rc;
}

/* --- held pushes --------------------------------------------------------------------------- */

static int
on_held(void *arg, const struct dbase_row *row)
{
	struct emsg *e = arg;
	uint8_t hash[SHA_SIZE];
	struct p_push push;
	struct buf raw;
	int rc;

	buf_init(&raw, DBASE_VALUE_MAX);
	buf_put_span(&raw, row->value);
	rc = dbase_del(e->db, DB_HELD, held_key(buf_span(&raw), hash));
	if (rc == 0 && row->order + INBOX_HELD_MS <= session_now(e))
		rc = count_lost(e, UNSEAL_SENDER);
	else if (rc == 0 && obj_decode(&p_push_def, buf_span(&raw), &push) == WIRE_OK)
		rc = on_message(e, &push, buf_span(&raw), row->state);
	buf_clear(&raw);
	return rc;
}

int
inbox_retry(struct emsg *e, struct span account)
{
	struct dbase_filter held = {.kind = DB_HELD, .group = account, .state = -1};

	if (dbase_begin(e->db) < 0)
		return -1;
	if (dbase_walk(e->db, &held, on_held, e) == 0)
		return dbase_commit(e->db);
	dbase_rollback(e->db);
	return -1;
}

/* --- pushes ------------------------------------------------------------------------------- */

static int
on_kind(struct emsg *e, const struct p_push *push, struct span raw)
{
	switch (push->kind) {
	case ITEM_MESSAGE:
		return on_message(e, push, raw, 0);
	case ITEM_OBJECT:
		return roster_on_object(e, push);
	case ITEM_FATES:
		return fatebook_on_push(e, push->body);
	default:
		return 0;
	}
}

int
inbox_on_push(struct emsg *e, struct span body)
{
	struct p_push push;

	if (obj_decode(&p_push_def, body, &push) != WIRE_OK)
		return 0;
	if (!e->in_batch) {
		if (dbase_begin(e->db) < 0)
			return -1;
		e->in_batch = true;
	}
	if (on_kind(e, &push, body) < 0)
		return -1;
	e->pushed = push.seq;
	return 0;
}

int
inbox_settle(struct emsg *e)
{
	struct p_done done = {.seq = e->pushed};

	if (e->in_batch) {
		e->in_batch = false;
		if (dbase_commit(e->db) < 0)
			return -1;
		session_changed(e);
	}
	if (e->pushed > e->done && session_ready(e) &&
	    wirelink_send_obj(e->link, FRAME_DONE, 0, &p_done_def, &done) == 0)
		e->done = e->pushed;
	return 0;
}
