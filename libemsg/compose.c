/* SPDX-License-Identifier: ISC */
/*
 * compose.c - messages of this account in the local database, and new ones.
 *
 * A new text becomes, in one transaction, a row in the history, a name by which receipts will
 * find it, and a job for the worklist; from then on it cannot be lost. Its counter and its time
 * grow strictly within a conversation, also over clocks that go back by minutes, so that sorting
 * by time keeps every device's order. Reading claims: a text is shown by the one program whose claim was
 * committed.
 *
 * Owns rows of kinds message and name. Called by programs (emsg_send and others) and inbox.c.
 * Fails with an enum emsg_error and a message, or -1 (database).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "compose.h"
#include "inbox.h"
#include "mimi.h"
#include "normal.h"
#include "worklist.h"
#include "roster.h"

#define CLAIM_MAX 1000           /* texts claimed in one transaction */
#define AHEAD_MS (5 * 60 * 1000) /* half of what servers let a mid be ahead */

static const struct span none = {NULL, 0};

/* --- storing ------------------------------------------------------------------------------ */

static struct span
message_key(const uint8_t mid[16], struct span from, uint8_t out[16 + ADDR_MAX])
{
	memcpy(out, mid, 16);
	memcpy(out + 16, from.p, from.n);
	return span_of(out, 16 + from.n);
}

int
compose_store(struct emsg *e, const struct row_message *row, enum message_state state)
{
	uint8_t bytes[16 + ADDR_MAX];
	struct span key = message_key(row->mid, row->from, bytes);
	struct buf value;
	int rc;

	buf_init(&value, DBASE_VALUE_MAX);
	rc = dbase_get(e->db, DB_MESSAGE, key, &value, NULL);
	if (rc == 0) {
		buf_reset(&value);
		rc = -1;
		if (obj_encode(&row_message_def, row, &value) == WIRE_OK &&
		    dbase_put(e->db, DB_MESSAGE, key, row->peer, (int64_t)state,
			row->time, buf_span(&value)) == 0)
			rc = 1;
	} else if (rc == 1) {
		rc = 0;
	}
	buf_wipe(&value);
	return rc;
}

/* The next counter and time of this device in a conversation. A time far ahead comes from a
 * clock that was wrong; servers would refuse it for as long, so it is not followed. */
static int
next_place(struct emsg *e, struct span peer, uint64_t *counter, uint64_t *time)
{
	uint64_t now = session_now(e), last;
	char name[ADDR_TEXT_SIZE + 8];
	int n = (int)peer.n;

	if (dbase_begin(e->db) < 0)
		return -1;
	snprintf(name, sizeof(name), "count %.*s", n, (const char *)peer.p);
	*counter = dbase_next(e->db, span_str(name), 0);
	snprintf(name, sizeof(name), "time %.*s", n, (const char *)peer.p);
	last = session_note_get(e, name);
	*time = last < now || last - now > AHEAD_MS ? now : last + 1;
	if (*counter != 0 && session_note_put(e, name, *time) == 0)
		return dbase_commit(e->db);
	dbase_rollback(e->db);
	return -1;
}

static int
add_job(struct emsg *e, struct row_job *job)
{
	if (next_place(e, job->peer, &job->counter, &job->time) < 0)
		return -1;
	job->op = JOB_SEND;
	mid_make(job->mid, job->time);
	return worklist_add(e, job);
}

int
compose_quiet(struct emsg *e, struct span peer, const char *type, struct span content)
{
	struct row_job job = {
	    .peer = peer, .type = span_str(type), .content = content, .quiet = true};

	return add_job(e, &job);
}

/* --- sending ------------------------------------------------------------------------------ */

/* By which receipts find the message: its mimi-content id. */
static int
put_name(struct emsg *e, const struct row_message *row)
{
	uint8_t value[16 + ADDR_MAX];

	return dbase_put(e->db, DB_NAME, span_of(row->name, sizeof(row->name)), none, 0,
	    row->time, message_key(row->mid, row->peer, value));
}

static int
store_new(struct emsg *e, struct span peer, struct span content, struct row_job *job)
{
	struct row_message row = {.peer = peer,
	    .from = e->self.account,
	    .type = span_str(MIMI_TYPE_CONTENT),
	    .content = content};

	job->peer = peer;
	job->type = row.type;
	job->content = content;
	if (add_job(e, job) < 0)
		return -1;
	memcpy(row.mid, job->mid, sizeof(row.mid));
	memcpy(row.device, e->self.device, sizeof(row.device));
	row.counter = job->counter;
	row.time = row.received = job->time;
	if (mimi_id(content, row.name) < 0)
		return -1;
	return compose_store(e, &row, MESSAGE_SENT) < 0 ? -1 : put_name(e, &row);
}

static int
make_content(struct emsg *e, struct span peer, struct span text, struct buf *out)
{
	char sender[ADDR_TEXT_SIZE + 8], room[ADDR_TEXT_SIZE + 8];
	uint8_t salt[MIMI_SALT_SIZE];

	snprintf(sender, sizeof(sender), "emsg:%.*s", (int)e->self.account.n,
	    (const char *)e->self.account.p);
	snprintf(room, sizeof(room), "emsg:%.*s", (int)peer.n, (const char *)peer.p);
	random_bytes(salt, sizeof(salt));
	for (char *p = sender; *p != '\0'; p++)
		*p = *p == '#' ? '@' : *p;
	for (char *p = room; *p != '\0'; p++)
		*p = *p == '#' ? '@' : *p;
	return mimi_text(span_str(sender), span_str(room), salt, text, out);
}

/* Whether a text may go to that contact now. */
static int
may_send(struct emsg *e, const char *address)
{
	struct contact c;
	int rc = contact_get(e, span_str(address), &c), code = EMSG_OK;

	if (rc < 0)
		code = session_broken(e);
	else if (rc == 0 || c.state == ROSTER_NONE)
		code = session_fail(e, EMSG_NOT_FOUND,
		    "%s is not a contact: use emsg contact add", address);
	else if (c.state == CONSENT_ASKED)
		code = session_fail(
		    e, EMSG_REFUSED, "%s has not answered your request yet", address);
	else if (c.state == CONSENT_PENDING)
		code = session_fail(e, EMSG_REFUSED,
		    "%s asks for your consent: use emsg contact grant", address);
	else if (c.state != CONSENT_FULL)
		code = session_fail(e, EMSG_REFUSED, "%s is blocked", address);
	else if (contact_has_alarm(&c))
		code = session_fail(e, EMSG_REFUSED,
		    "the identity key of %s changed: use emsg verify", address);
	contact_clear(&c);
	return code;
}

int
emsg_send(struct emsg *e, const char *typed, const char *text, size_t n,
    char mid[EMSG_MID_SIZE], uint64_t *work)
{
	char address[ADDR_TEXT_SIZE];
	struct row_job job = {.op = JOB_SEND};
	struct buf content;
	const char *why;
	int rc;

	if (!normal_address(span_str(typed), address, &why))
		return session_fail(e, EMSG_INVALID, "%s: %s", typed, why);
	if (n == 0 || n > EMSG_TEXT_MAX || !utf8_valid(span_of(text, n)))
		return session_fail(
		    e, EMSG_INVALID, "a text has 1 to %d bytes of UTF-8", EMSG_TEXT_MAX);
	if ((rc = may_send(e, address)) != EMSG_OK)
		return rc;
	buf_init(&content, EMSG_TEXT_MAX + 4096);
	rc = make_content(e, span_str(address), span_of(text, n), &content);
	if (rc == 0 && (rc = dbase_begin(e->db)) == 0) {
		rc = store_new(e, span_str(address), buf_span(&content), &job);
		rc = rc == 0 ? dbase_commit(e->db) : (dbase_rollback(e->db), -1);
	}
	buf_wipe(&content);
	if (rc < 0)
		return session_broken(e);
	mid_text(job.mid, mid);
	*work = job.number;
	session_changed(e);
	return EMSG_OK;
}

/* --- reading ------------------------------------------------------------------------------ */

/* Texts on their way to a callback. */
struct reader {
	struct emsg *e;
	emsg_text_fn *fn;
	void *arg;
	size_t n;
};

/* A copy with a zero behind it. Others choose the bytes: there may be zeros in it, too. */
static char *
string(struct span s)
{
	char *copy = xmalloc(s.n + 1);

	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

/* Gives one stored message to the callback. */
static void
show(struct reader *r, const struct row_message *row, int64_t state)
{
	char mid[MID_TEXT_SIZE], device[33];
	char *peer = string(row->peer), *from = string(row->from), *type, *body;
	struct emsg_text text = {.mid = mid,
	    .peer = peer,
	    .from = from,
	    .device = device,
	    .time = row->time,
	    .received = row->received,
	    .counter = row->counter,
	    .outgoing = state == MESSAGE_SENT,
	    .unread = state == MESSAGE_UNREAD};
	struct mimi m;

	mid_text(row->mid, mid);
	hex_encode(span_of(row->device, sizeof(row->device)), device);
	if (!span_eq(row->type, span_str(MIMI_TYPE_CONTENT)) ||
	    !mimi_parse(row->content, &m) || !utf8_valid(m.text))
		memset(&m, 0, sizeof(m));
	text.type = type = string(m.type);
	text.text = body = string(m.text);
	text.text_n = m.text.n;
	r->fn(r->arg, &text);
	free(peer);
	free(from);
	free(type);
	free(body);
}

static int
on_text(void *arg, const struct dbase_row *row)
{
	struct reader *r = arg;
	struct row_message message;

	if (obj_decode(&row_message_def, row->value, &message) != WIRE_OK)
		return 0;
	show(r, &message, row->state);
	r->n++;
	return 0;
}

/* A claim on one row, while the transaction is open. */
static int
on_claim(void *arg, const struct dbase_row *row)
{
	struct reader *r = arg;
	struct row_message message;
	static const uint8_t nameless[32];

	if (dbase_shift(r->e->db, row->id, MESSAGE_UNREAD, MESSAGE_READ) < 0)
		return -1;
	if (obj_decode(&row_message_def, row->value, &message) != WIRE_OK)
		return 0;
	if (memcmp(message.name, nameless, sizeof(nameless)) == 0)
		return 0;
	return inbox_receipt(r->e, message.peer, message.name, MIMI_READ);
}

/* What was claimed, kept until the claim is durable. */
struct kept {
	struct buf *value; /* owned */
	size_t n;
	struct reader *r;
};

static int
on_keep(void *arg, const struct dbase_row *row)
{
	struct kept *k = arg;

	k->value = xreallocarray(k->value, k->n + 1, sizeof(*k->value));
	buf_init(&k->value[k->n], DBASE_VALUE_MAX);
	buf_put_span(&k->value[k->n++], row->value);
	return on_claim(k->r, row);
}

static void
show_kept(struct kept *k)
{
	struct row_message message;

	for (size_t i = 0; i < k->n; i++)
		if (obj_decode(&row_message_def, buf_span(&k->value[i]), &message) ==
		    WIRE_OK) {
			show(k->r, &message, MESSAGE_UNREAD);
			k->r->n++;
		}
}

int
emsg_receive(struct emsg *e, emsg_text_fn *fn, void *arg, size_t *count)
{
	struct dbase_filter unread = {.kind = DB_MESSAGE,
	    .state = MESSAGE_UNREAD,
	    .limit = CLAIM_MAX,
	    .oldest = true};
	struct reader r = {.e = e, .fn = fn, .arg = arg};
	struct kept k = {.r = &r};
	int rc;

	if (count != NULL)
		*count = 0;
	if (dbase_count(e->db, DB_MESSAGE, MESSAGE_UNREAD) == 0)
		return EMSG_OK;
	if (dbase_begin(e->db) < 0)
		return session_broken(e);
	rc = dbase_walk(e->db, &unread, on_keep, &k);
	rc = rc == 0 ? dbase_commit(e->db) : (dbase_rollback(e->db), -1);
	if (rc == 0)
		show_kept(&k);
	for (size_t i = 0; i < k.n; i++)
		buf_wipe(&k.value[i]);
	free(k.value);
	if (rc < 0)
		return session_broken(e);
	session_changed(e);
	if (count != NULL)
		*count = r.n;
	return EMSG_OK;
}

int
emsg_history(struct emsg *e, const char *typed, size_t limit, emsg_text_fn *fn, void *arg)
{
	struct dbase_filter all = {.kind = DB_MESSAGE, .state = -1, .limit = limit};
	struct reader r = {.e = e, .fn = fn, .arg = arg};
	char address[ADDR_TEXT_SIZE];
	const char *why;

	if (typed != NULL) {
		if (!normal_address(span_str(typed), address, &why))
			return session_fail(e, EMSG_INVALID, "%s: %s", typed, why);
		all.group = span_str(address);
	}
	if (dbase_walk(e->db, &all, on_text, &r) < 0)
		return session_broken(e);
	return EMSG_OK;
}

/* --- fates -------------------------------------------------------------------------------- */

struct fate_reader {
	emsg_fate_fn *fn;
	void *arg;
	size_t n;
};

static int
on_fate(void *arg, const struct dbase_row *row)
{
	struct fate_reader *r = arg;
	char mid[MID_TEXT_SIZE], *account, *text;
	struct emsg_fate fate = {.mid = mid, .code = ""};
	struct p_fate stored;

	if (obj_decode(&p_fate_def, row->value, &stored) != WIRE_OK)
		return 0;
	mid_text(stored.mid, mid);
	fate.account = account = string(stored.account);
	fate.text = text = string(obj_has(&p_fate_def, &stored, 6) ? stored.text : none);
	fate.state = proto_fate_name(stored.state);
	fate.code = code_symbol(stored.code);
	fate.time = stored.time;
	r->fn(r->arg, &fate);
	r->n++;
	free(account);
	free(text);
	return 0;
}

int
emsg_fates(struct emsg *e, const char *mid, size_t limit, emsg_fate_fn *fn, void *arg)
{
	struct dbase_filter all = {.kind = DB_FATE, .state = -1, .limit = limit};
	struct fate_reader r = {.fn = fn, .arg = arg};
	uint8_t bytes[MID_SIZE];

	if (mid != NULL) {
		if (!mid_parse(mid, bytes))
			return session_fail(
			    e, EMSG_INVALID, "%s is not a message id", mid);
		all.group = span_of(bytes, sizeof(bytes));
	}
	if (dbase_walk(e->db, &all, on_fate, &r) < 0)
		return session_broken(e);
	if (mid != NULL && r.n == 0)
		return session_fail(e, EMSG_NOT_FOUND,
		    "nothing is known of a message %s that this account sent", mid);
	return EMSG_OK;
}
