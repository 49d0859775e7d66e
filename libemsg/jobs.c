/* SPDX-License-Identifier: ISC */
/*
 * jobs.c - what each kind of work for the server does, step by step.
 *
 * A kind is a row of the table at the end: how it starts (again, after a temporary answer or a
 * new link), what it makes of the answer to its request and of the outcome of its put. Steps are
 * written to the database before they matter, so that a job can be taken up by another program
 * where this one left it. A sealed message is stored before it is offered: a repeat must be
 * the same bytes.
 *
 * Owns nothing; works on rows that worklist.c gives. Fails with -1 (database); everything else
 * ends in the job's state.
 */
#include "base/clock.h"
#include "base/text.h"
#include "crypto/trust.h"
#include "fatebook.h"
#include "inbox.h"
#include "jobs.h"
#include "keys.h"
#include "worklist.h"
#include "roster.h"

#define DAY_MS (24ULL * 3600 * 1000)
#define PREKEY_AGE_MS (7 * DAY_MS) /* a new one after that */
#define PREKEY_KEEP_MS                                                                   \
	(15 * DAY_MS) /* an old one goes that long after its successor came */
#define POLL_MS 1500  /* how often the slot of a new device is looked at */

enum prekey_state { PREKEY_CURRENT = 1, PREKEY_OLD = 2 };
enum object_step { OBJECT_NOTE, OBJECT_PUT };
enum enrol_step { ENROL_OPEN, ENROL_POLL, ENROL_PUBLISH };

static const struct span none = {NULL, 0};

static struct span
res_text(const struct p_res *res)
{
	return obj_has(&p_res_def, res, 3) ? res->text : none;
}

/* A request that was not answered ok: again, or failed. */
static int
not_ok(struct emsg *e, struct row_job *row, const struct p_res *res)
{
	if (code_class(res->code) == CODE_TEMPORARY)
		return worklist_again(e, row, (unsigned)res->code, 0);
	return worklist_failed(e, row, (unsigned)res->code, res_text(res));
}

/* --- keys --------------------------------------------------------------------------------- */

static int
ask_keys(struct emsg *e, const struct row_job *row, struct span account)
{
	struct c_keys_get args = {.account = account};

	if (!worklist_asking(e, account))
		worklist_request(e, row, account, "keys.get", &c_keys_get_def, &args);
	return 0;
}

/* Takes an answer to keys.get; what waited for it goes on. */
static int
take_keys(struct emsg *e, struct span account, const struct p_res *res)
{
	struct c_keys keys;

	if (obj_decode(&c_keys_def, res->result, &keys) != WIRE_OK)
		return 0;
	if (roster_on_keys(e, account, &keys) < 0)
		return -1;
	return inbox_retry(e, account);
}

static int
keys_start(struct emsg *e, struct row_job *row)
{
	return ask_keys(e, row, row->peer);
}

static int
keys_on_res(
    struct emsg *e, struct row_job *row, const char *peer, const struct p_res *res)
{
	if (code_class(res->code) != CODE_OK)
		return not_ok(e, row, res);
	if (take_keys(e, span_str(peer), res) < 0)
		return -1;
	return worklist_done(e, row);
}

int
jobs_add_keys(struct emsg *e, struct span account)
{
	struct row_job row = {.op = JOB_KEYS, .peer = account, .quiet = true};

	return worklist_add(e, &row);
}

/* --- sending ------------------------------------------------------------------------------ */

static int
send_failed(struct emsg *e, struct row_job *row, unsigned code, struct span text)
{
	if (!row->quiet &&
	    fatebook_set(
		e, row->mid, row->peer, FATE_FAILED, code, session_now(e), text) < 0)
		return -1;
	return worklist_failed(e, row, code, text);
}

/* Our other devices, who get a copy. */
static size_t
own_devices(struct emsg *e, const struct row_list *own, struct seal_device *out)
{
	return roster_devices(e->self.account, own->listkey, own->devlist, &own->prekeys,
	    e->self.device, out);
}

/* To nobody but our other devices. */
static int
seal_for_us(struct seal_message *m, struct seal_recipient *to,
    const struct seal_recipient *copies, const struct row_list *own, struct buf *out)
{
	to->devices = copies->devices;
	to->n = copies->n;
	m->copies = NULL;
	m->conv = NULL;
	if (to->n == 0 || !roster_head(to->account, own->devlist, &to->head) ||
	    !roster_head(to->account, own->devlist, &m->own))
		return -1;
	return seal_make(m, NULL, out);
}

static int
seal_for(struct emsg *e, struct row_job *row, const struct contact *c,
    const struct row_list *own, struct buf *out)
{
	struct seal_device theirs[SOBJ_DEVICES_MAX], ours[SOBJ_DEVICES_MAX];
	struct seal_recipient to = {.account = row->peer, .devices = theirs};
	struct seal_recipient copies = {.account = e->self.account, .devices = ours};
	struct seal_message m = {.from = e->self.account,
	    .device_seed = e->self.device_seed,
	    .counter = row->counter,
	    .time = row->time,
	    .type = row->type,
	    .content = row->content,
	    .to = &to,
	    .n = 1,
	    .copies = &copies};
	uint8_t conv[16];

	memcpy(m.mid, row->mid, sizeof(m.mid));
	memcpy(m.device, e->self.device, sizeof(m.device));
	m.conv = conv;
	copies.n = own_devices(e, own, ours);
	if (span_eq(row->peer, e->self.account))
		return seal_for_us(&m, &to, &copies, own, out);
	to.n = roster_devices(
	    row->peer, c->row.listkey, c->row.devlist, &c->row.prekeys, NULL, theirs);
	if (to.n == 0 || seal_conv(e->self.account, row->peer, conv) < 0 ||
	    !roster_head(row->peer, c->row.devlist, &to.head) ||
	    !roster_head(e->self.account, own->devlist, &m.own))
		return -1;
	return seal_make(&m, NULL, out);
}

/* Seals, stores, offers. */
static int
seal_and_offer(struct emsg *e, struct row_job *row, const struct contact *c)
{
	struct buf put, bytes;
	struct row_list own;
	int rc;

	buf_init(&put, SEAL_PUT_MAX);
	rc = roster_own(e, &own, &bytes);
	if (rc == 1 && seal_for(e, row, c, &own, &put) == 0) {
		row->object = buf_span(&put);
		obj_set(&row_job_def, row, JOB_OBJECT_KEY);
		rc = worklist_put(e, row, JOB_WAITING);
		if (rc == 0)
			worklist_offer(e, row, row->object);
	} else if (rc >= 0) {
		rc = worklist_again(e, row, CODE_STALE_KEYS, 0);
	}
	buf_clear(&bytes);
	buf_clear(&put);
	return rc;
}

static bool
stale(struct emsg *e, uint64_t fetched)
{
	return fetched + ROSTER_FRESH_MS < session_now(e);
}

/* Whether our own list should be asked for first. */
static bool
own_stale(struct emsg *e)
{
	struct row_list own;
	struct buf bytes;
	bool old = roster_own(e, &own, &bytes) == 1 && stale(e, own.fetched);

	buf_clear(&bytes);
	return old;
}

static int
send_to(struct emsg *e, struct row_job *row, const struct contact *c)
{
	if (c->state != CONSENT_FULL)
		return send_failed(e, row, CODE_NOT_ACCEPTED, span_str("not a contact"));
	if (contact_has_alarm(c))
		return send_failed(e, row, CODE_NOT_AUTHORISED,
		    span_str("the contact's identity key changed"));
	if (obj_has(&row_job_def, row, JOB_OBJECT_KEY)) {
		worklist_offer(e, row, row->object);
		return 0;
	}
	if (stale(e, c->row.fetched) || c->row.prekeys.count == 0)
		return ask_keys(e, row, row->peer);
	if (own_stale(e))
		return ask_keys(e, row, e->self.account);
	return seal_and_offer(e, row, c);
}

/* Our other devices are told something; without any there is nobody to tell. */
static int
send_to_us(struct emsg *e, struct row_job *row)
{
	struct contact nobody = {.state = CONSENT_FULL};

	if (obj_has(&row_job_def, row, JOB_OBJECT_KEY)) {
		worklist_offer(e, row, row->object);
		return 0;
	}
	if (own_stale(e))
		return ask_keys(e, row, row->peer);
	return seal_and_offer(e, row, &nobody);
}

static int
send_start(struct emsg *e, struct row_job *row)
{
	struct contact c;
	int rc;

	if (span_eq(row->peer, e->self.account))
		return send_to_us(e, row);
	rc = contact_get(e, row->peer, &c);
	if (rc >= 0)
		rc = send_to(e, row, &c);
	contact_clear(&c);
	return rc;
}

/* Goes on with the keys that we have, for a while. 1 if there are some. */
static int
use_old_keys(struct emsg *e, struct span account)
{
	struct contact c;
	struct row_list own;
	struct buf bytes;
	int rc, usable;

	if (span_eq(account, e->self.account)) {
		if ((rc = usable = roster_own(e, &own, &bytes)) == 1) {
			own.fetched = session_now(e);
			rc = roster_own_put(e, &own);
		}
		buf_clear(&bytes);
		return rc < 0 ? -1 : usable;
	}
	rc = contact_get(e, account, &c);
	usable = rc == 1 && c.row.prekeys.count > 0;
	if (usable) {
		c.row.fetched = session_now(e);
		rc = contact_put(e, &c);
	}
	contact_clear(&c);
	return rc < 0 ? -1 : usable;
}

static int
send_on_res(
    struct emsg *e, struct row_job *row, const char *peer, const struct p_res *res)
{
	struct span account = span_str(peer);
	int rc;

	if (code_class(res->code) == CODE_OK) {
		if (take_keys(e, account, res) < 0)
			return -1;
		return send_start(e, row);
	}
	/* What is wrong between the servers, their operators mend; until then it waits there. */
	if (code_class(res->code) == CODE_PERMANENT && res->code != CODE_ROOT_CHANGED &&
	    span_eq(account, row->peer) && !span_eq(account, e->self.account))
		return send_failed(e, row, (unsigned)res->code, res_text(res));
	if ((rc = use_old_keys(e, account)) == 1)
		return send_start(e, row);
	return rc < 0 ? -1 : worklist_again(e, row, (unsigned)res->code, 0);
}

static enum fate_state
fate_of(unsigned code)
{
	return code == CODE_DONE ? FATE_ARRIVED : FATE_ACCEPTED;
}

static int
send_on_outcome(struct emsg *e, struct row_job *row, const struct flight *f)
{
	enum code_class class = code_class(f->code);

	if (class == CODE_PERMANENT)
		return send_failed(e, row, f->code, span_str(f->text));
	if (class == CODE_OK && !row->quiet &&
	    fatebook_set(e, row->mid, row->peer, fate_of(f->code), f->code,
		session_now(e), none) < 0)
		return -1;
	if (f->again || class == CODE_TEMPORARY)
		return worklist_again(e, row, f->code, 0);
	return worklist_done(e, row);
}

/* --- consent objects ----------------------------------------------------------------------- */

int
jobs_add_object(struct emsg *e, const char *typ, struct span peer, uint64_t *number)
{
	struct row_job row = {.op = JOB_OBJECT, .peer = peer, .type = span_str(typ)};
	struct row_list own;
	struct buf object, bytes;
	int rc;

	buf_init(&object, PROTO_OBJECT_MAX);
	row.time = session_now(e);
	mid_make(row.mid, row.time);
	rc = roster_own(e, &own, &bytes);
	if (rc == 1 &&
	    keys_consent(
		&e->self, typ, peer, row.time, own.listkey, own.devlist, &object) == 0) {
		row.object = buf_span(&object);
		obj_set(&row_job_def, &row, JOB_OBJECT_KEY);
		rc = worklist_add(e, &row);
	} else {
		rc = -1;
	}
	if (number != NULL)
		*number = row.number;
	buf_clear(&bytes);
	buf_clear(&object);
	return rc;
}

/* A put of kind 2 for the peer. */
static int
offer_object(struct emsg *e, struct row_job *row)
{
	struct p_outer outer = {.from = e->self.account};
	struct p_recipient to = {.account = row->peer};
	struct p_put put = {.kind = ITEM_OBJECT, .body = row->object};
	struct buf head, recipients, bytes;

	buf_init(&head, 1024);
	buf_init(&recipients, 1024);
	buf_init(&bytes, SEAL_PUT_MAX);
	memcpy(outer.mid, row->mid, sizeof(outer.mid));
	memcpy(outer.device, e->self.device, sizeof(outer.device));
	if (obj_encode(&p_outer_def, &outer, &head) == WIRE_OK &&
	    obj_encode(&p_recipient_def, &to, &recipients) == WIRE_OK) {
		put.outer = buf_span(&head);
		put.to.raw = buf_span(&recipients);
		put.to.count = 1;
		if (obj_encode(&p_put_def, &put, &bytes) == WIRE_OK)
			worklist_offer(e, row, buf_span(&bytes));
	}
	buf_clear(&head);
	buf_clear(&recipients);
	buf_clear(&bytes);
	return 0;
}

static int
object_start(struct emsg *e, struct row_job *row)
{
	struct c_consent_put args = {.object = row->object};

	if (row->step == OBJECT_PUT)
		return offer_object(e, row);
	worklist_request(e, row, none, "consent.put", &c_consent_put_def, &args);
	return 0;
}

static int
object_on_res(
    struct emsg *e, struct row_job *row, const char *peer, const struct p_res *res)
{
	(void)peer;
	if (code_class(res->code) != CODE_OK)
		return not_ok(e, row, res);
	row->step = OBJECT_PUT;
	if (worklist_put(e, row, JOB_WAITING) < 0)
		return -1;
	return offer_object(e, row);
}

static int
object_on_outcome(struct emsg *e, struct row_job *row, const struct flight *f)
{
	enum code_class class = code_class(f->code);

	if (class == CODE_OK)
		return worklist_done(e, row);
	if (class == CODE_TEMPORARY)
		return worklist_again(e, row, f->code, 0);
	return worklist_failed(e, row, f->code, span_str(f->text));
}

/* --- prekeys ------------------------------------------------------------------------------ */

static int
on_superseded(void *arg, const struct dbase_row *row)
{
	struct emsg *e = arg;
	struct row_prekey prekey;

	if (obj_decode(&row_prekey_def, row->value, &prekey) != WIRE_OK)
		return 0;
	return dbase_put(e->db, DB_PREKEY, span_of(prekey.id, sizeof(prekey.id)), none,
	    PREKEY_OLD, session_now(e), row->value);
}

int
jobs_add_prekey(struct emsg *e, uint64_t *number)
{
	struct dbase_filter current = {.kind = DB_PREKEY, .state = PREKEY_CURRENT};
	struct row_job row = {.op = JOB_PREKEY};
	struct row_prekey prekey;
	struct buf object, value;
	int rc = -1;

	buf_init(&object, SOBJ_PREKEY_MAX);
	buf_init(&value, 2 * SOBJ_PREKEY_MAX);
	if (dbase_begin(e->db) == 0 &&
	    dbase_walk(e->db, &current, on_superseded, e) == 0 &&
	    keys_prekey(&e->self, session_now(e), &prekey, &object) == 0 &&
	    obj_encode(&row_prekey_def, &prekey, &value) == WIRE_OK) {
		row.object = buf_span(&object);
		obj_set(&row_job_def, &row, JOB_OBJECT_KEY);
		rc = dbase_put(e->db, DB_PREKEY, span_of(prekey.id, sizeof(prekey.id)),
		    none, PREKEY_CURRENT, prekey.time, buf_span(&value));
	}
	if (rc == 0)
		rc = worklist_add(e, &row);
	rc = rc == 0 ? dbase_commit(e->db) : (dbase_rollback(e->db), -1);
	if (number != NULL)
		*number = row.number;
	buf_clear(&object);
	buf_wipe(&value);
	return rc;
}

static int
prekey_start(struct emsg *e, struct row_job *row)
{
	struct c_prekey_put args = {.prekey = row->object};

	worklist_request(e, row, none, "prekey.put", &c_prekey_put_def, &args);
	return 0;
}

static int
prekey_on_res(
    struct emsg *e, struct row_job *row, const char *peer, const struct p_res *res)
{
	(void)peer;
	return code_class(res->code) == CODE_OK ? worklist_done(e, row)
						: not_ok(e, row, res);
}

struct sweep {
	struct emsg *e;
	bool fresh; /* there is a current prekey that is young enough */
};

static int
on_current(void *arg, const struct dbase_row *row)
{
	struct sweep *sweep = arg;

	sweep->fresh |= row->order + PREKEY_AGE_MS > session_now(sweep->e);
	return 0;
}

static int
on_outlived(void *arg, const struct dbase_row *row)
{
	struct sweep *sweep = arg;
	struct row_prekey prekey;

	if (obj_decode(&row_prekey_def, row->value, &prekey) != WIRE_OK)
		return 0;
	return dbase_del(sweep->e->db, DB_PREKEY, span_of(prekey.id, sizeof(prekey.id)));
}

/* Old prekeys go 15 days after their successor came, once the mailbox has been read. */
int
jobs_housekeeping(struct emsg *e)
{
	struct dbase_filter current = {.kind = DB_PREKEY, .state = PREKEY_CURRENT};
	struct dbase_filter old = {.kind = DB_PREKEY,
	    .state = PREKEY_OLD,
	    .order_max = session_now(e) - PREKEY_KEEP_MS};
	struct sweep sweep = {.e = e};

	if (dbase_walk(e->db, &current, on_current, &sweep) < 0 ||
	    dbase_walk(e->db, &old, on_outlived, &sweep) < 0 || worklist_clean(e) < 0)
		return -1;
	return sweep.fresh ? 0 : jobs_add_prekey(e, NULL);
}

/* --- a further device ---------------------------------------------------------------------- */

static int
enrol_open(struct emsg *e, struct row_job *row)
{
	struct c_enrol_open args = {.ttl = row->expires - session_now(e)};

	if (sha_of(span_of(row->token, sizeof(row->token)), args.token_hash) == 0)
		worklist_request(e, row, none, "enrol.open", &c_enrol_open_def, &args);
	return 0;
}

static int
enrol_poll(struct emsg *e, struct row_job *row)
{
	struct c_enrol_poll args = {0};

	if (sha_of(span_of(row->token, sizeof(row->token)), args.token_hash) == 0)
		worklist_request(e, row, none, "enrol.poll", &c_enrol_poll_def, &args);
	return 0;
}

/* Signs the list with the new device and publishes it. */
static int
enrol_publish(struct emsg *e, struct row_job *row)
{
	struct s_device device = {.added = session_now(e)};
	struct c_list_put args = {0};
	struct i_enrol blob;
	struct row_list own;
	struct buf list, bytes;
	int rc = roster_own(e, &own, &bytes);

	buf_init(&list, SOBJ_DEVLIST_MAX);
	if (rc == 1 && keys_enrol_open(row->object, row->secret, &blob) &&
	    trust_device_id(blob.key, device.id) == 0) {
		memcpy(device.key, blob.key, sizeof(device.key));
		device.name = blob.name;
		if (keys_list_with(&e->self, own.devlist, &device, device.added, &list) ==
			0 &&
		    sha_of(own.devlist, args.expect) == 0) {
			args.devlist = buf_span(&list);
			args.prekey = blob.prekey;
			obj_set(&c_list_put_def, &args, 4);
			row->content = args.devlist;
			rc = worklist_put(e, row, JOB_WAITING);
			worklist_request(
			    e, row, none, "list.put", &c_list_put_def, &args);
		} else {
			rc = worklist_failed(e, row, CODE_LIMIT,
			    span_str("the device cannot be added to the list"));
		}
	}
	buf_clear(&list);
	buf_clear(&bytes);
	return rc < 0 ? -1 : 0;
}

static int
enrol_start(struct emsg *e, struct row_job *row)
{
	if (row->expires <= session_now(e))
		return worklist_failed(e, row, CODE_EXPIRED, span_str("nobody came"));
	if (row->step == ENROL_OPEN)
		return enrol_open(e, row);
	return row->step == ENROL_POLL ? enrol_poll(e, row) : enrol_publish(e, row);
}

static int
on_polled(struct emsg *e, struct row_job *row, const struct p_res *res)
{
	struct c_enrol_blob answer;
	struct i_enrol blob;

	if (obj_decode(&c_enrol_blob_def, res->result, &answer) != WIRE_OK ||
	    !obj_has(&c_enrol_blob_def, &answer, 1))
		return worklist_again(e, row, CODE_TRY_LATER, POLL_MS);
	if (!keys_enrol_open(answer.blob, row->secret, &blob))
		return worklist_failed(e, row, CODE_BAD_SIGNATURE,
		    span_str("a device came that does not know the invitation"));
	row->object = answer.blob;
	obj_set(&row_job_def, row, JOB_OBJECT_KEY);
	row->step = ENROL_PUBLISH;
	if (worklist_put(e, row, JOB_WAITING) < 0)
		return -1;
	return enrol_publish(e, row);
}

/* The list is out: it is ours now, with the new device's prekey. */
static int
on_published(struct emsg *e, struct row_job *row)
{
	struct buf bytes, prekeys;
	struct row_list own;
	struct i_enrol blob;
	int rc = roster_own(e, &own, &bytes);

	buf_init(&prekeys, ROW_KEYS_MAX);
	if (rc == 1 && keys_enrol_open(row->object, row->secret, &blob)) {
		buf_put_span(&prekeys, own.prekeys.raw);
		cbor_put_bstr(&prekeys, blob.prekey);
		own.prekeys.raw = buf_span(&prekeys);
		own.prekeys.count++;
		own.devlist = row->content;
		rc = roster_own_put(e, &own);
	}
	buf_clear(&prekeys);
	buf_clear(&bytes);
	if (rc >= 0)
		rc = roster_share(e, none);
	return rc < 0 ? -1 : worklist_done(e, row);
}

/* Somebody else changed the list: ask for it, then sign again. */
static int
on_conflict(struct emsg *e, struct row_job *row)
{
	if (jobs_add_keys(e, e->self.account) < 0)
		return -1;
	return worklist_again(e, row, CODE_CONFLICT, POLL_MS);
}

static int
enrol_on_res(
    struct emsg *e, struct row_job *row, const char *peer, const struct p_res *res)
{
	(void)peer;
	if (row->step == ENROL_PUBLISH && res->code == CODE_CONFLICT)
		return on_conflict(e, row);
	if (code_class(res->code) != CODE_OK)
		return not_ok(e, row, res);
	if (row->step == ENROL_POLL)
		return on_polled(e, row, res);
	if (row->step == ENROL_PUBLISH)
		return on_published(e, row);
	row->step = ENROL_POLL;
	return worklist_again(e, row, CODE_TRY_LATER, POLL_MS);
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct {
	int (*start)(struct emsg *, struct row_job *);
	int (*on_res)(
	    struct emsg *, struct row_job *, const char *peer, const struct p_res *);
	int (*on_outcome)(struct emsg *, struct row_job *, const struct flight *);
} table[JOB_OP_COUNT] = {
    [JOB_SEND] = {send_start, send_on_res, send_on_outcome},
    [JOB_OBJECT] = {object_start, object_on_res, object_on_outcome},
    [JOB_KEYS] = {keys_start, keys_on_res, NULL},
    [JOB_PREKEY] = {prekey_start, prekey_on_res, NULL},
    [JOB_ENROL] = {enrol_start, enrol_on_res, NULL},
};

int
jobs_start(struct emsg *e, struct row_job *row)
{
	return table[row->op].start(e, row);
}

int
jobs_on_res(
    struct emsg *e, struct row_job *row, const char *peer, const struct p_res *res)
{
	return table[row->op].on_res(e, row, peer, res);
}

int
jobs_on_outcome(struct emsg *e, struct row_job *row, const struct flight *f)
{
	return table[row->op].on_outcome == NULL ? 0
						 : table[row->op].on_outcome(e, row, f);
}
