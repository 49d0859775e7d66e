/* SPDX-License-Identifier: ISC */
/*
 * fatebook.c - what became of the messages of this account.
 *
 * One row for each message and recipient. Fates come from results of puts, from servers and
 * from receipts; they may come in any order and twice. Accepted, arrived, on device and read
 * only go forward. A failure is corrected by anything later, and by a receipt at any time: who
 * has read a message proves that it came. Only messages that this account sent, and the accounts that it sent them
 * to, are noted.
 *
 * Owns nothing. Called by jobs.c and inbox.c. Fails with -1 (database).
 */
#include "fatebook.h"
#include "mimi.h"

#define FATE_MAX 1024 /* bytes of a row */

static struct span
fate_key(const uint8_t mid[16], struct span account, uint8_t out[16 + ADDR_MAX])
{
	memcpy(out, mid, 16);
	if (account.n > ADDR_MAX)
		account.n = ADDR_MAX;
	memcpy(out + 16, account.p, account.n);
	return span_of(out, 16 + account.n);
}

/* The message is ours, and went to that account. */
static bool
is_ours(struct emsg *e, const uint8_t mid[16], struct span account)
{
	uint8_t key[16 + ADDR_MAX];
	struct row_message row;
	struct buf value;
	bool ours;

	buf_init(&value, DBASE_VALUE_MAX);
	ours = dbase_get(e->db, DB_MESSAGE, fate_key(mid, e->self.account, key), &value,
		   NULL) == 1 &&
	    obj_decode(&row_message_def, buf_span(&value), &row) == WIRE_OK &&
	    span_eq(row.peer, account);
	buf_wipe(&value);
	return ours;
}

static bool
forward(uint64_t state)
{
	return state >= FATE_ACCEPTED && state <= FATE_READ;
}

/* Whether a new fate takes the place of the old one. */
static bool
corrects(const struct p_fate *old, const struct p_fate *new)
{
	if (forward(old->state) && forward(new->state))
		return new->state > old->state;
	if (old->state == FATE_ON_DEVICE || old->state == FATE_READ)
		return false;
	if (new->state == FATE_ON_DEVICE || new->state == FATE_READ)
		return true;
	/* We noted this ourselves, by a clock that may be ahead of the server's. */
	if (old->state == FATE_ACCEPTED)
		return true;
	return new->time >= old->time;
}

/* 1: write the new one; 0: the old one stays; -1. */
static int
judge(struct emsg *e, struct span key, const struct p_fate *new)
{
	struct p_fate old;
	struct buf value;
	int rc;

	buf_init(&value, FATE_MAX);
	rc = dbase_get(e->db, DB_FATE, key, &value, NULL);
	if (rc == 1 && obj_decode(&p_fate_def, buf_span(&value), &old) == WIRE_OK)
		rc = corrects(&old, new);
	else if (rc == 0)
		rc = 1;
	buf_clear(&value);
	return rc;
}

int
fatebook_set(struct emsg *e, const uint8_t mid[16], struct span account,
    enum fate_state state, unsigned code, uint64_t time, struct span text)
{
	struct p_fate fate = {
	    .account = account, .state = state, .code = code, .time = time};
	uint8_t bytes[16 + ADDR_MAX];
	struct span key = fate_key(mid, account, bytes);
	struct buf value;
	int rc;

	memcpy(fate.mid, mid, sizeof(fate.mid));
	if (text.n > 0) {
		fate.text = text;
		obj_set(&p_fate_def, &fate, 6);
	}
	if ((rc = judge(e, key, &fate)) <= 0)
		return rc;
	buf_init(&value, FATE_MAX);
	rc = -1;
	if (obj_encode(&p_fate_def, &fate, &value) == WIRE_OK)
		rc = dbase_put(e->db, DB_FATE, key, span_of(mid, 16), (int64_t)state,
		    mid_time_ms(mid), buf_span(&value));
	buf_clear(&value);
	return rc;
}

int
fatebook_on_push(struct emsg *e, struct span body)
{
	struct p_fates fates;
	struct p_fate fate;
	struct obj_iter it;

	if (obj_decode(&p_fates_def, body, &fates) != WIRE_OK)
		return 0;
	obj_iter_init(&it, &fates.fates);
	while (obj_next(&it, &p_fate_def, &fate)) {
		/* Receipts are signed by the recipient: no server can give them. */
		if (fate.state == FATE_ON_DEVICE || fate.state == FATE_READ ||
		    fate.state > FATE_EXPIRED || !is_ours(e, fate.mid, fate.account))
			continue;
		if (fatebook_set(e, fate.mid, fate.account, (enum fate_state)fate.state,
			(unsigned)fate.code, fate.time, fate.text) < 0)
			return -1;
	}
	return 0;
}

/* One entry of a report: it counts if we sent that message to who reports. */
static int
on_entry(struct emsg *e, struct span from, uint64_t time, const struct mimi_report *entry)
{
	enum fate_state state = entry->status == MIMI_READ ? FATE_READ
	    : entry->status == MIMI_DELIVERED              ? FATE_ON_DEVICE
							   : FATE_EXPIRED;
	struct buf value;
	int rc;

	if (entry->status == MIMI_UNREAD)
		return 0;
	buf_init(&value, 16 + ADDR_MAX);
	rc = dbase_get(e->db, DB_NAME, span_of(entry->id, MIMI_ID_SIZE), &value, NULL);
	if (rc == 1 && value.n > 16 && span_eq(span_of(value.p + 16, value.n - 16), from))
		rc = fatebook_set(
		    e, value.p, from, state, CODE_DONE, time, span_of(NULL, 0));
	buf_clear(&value);
	return rc < 0 ? -1 : 0;
}

int
fatebook_on_receipt(struct emsg *e, struct span from, uint64_t time, struct span report)
{
	struct mimi_report entries[MIMI_STATUS_MAX];
	size_t n;

	if (!mimi_status_get(report, entries, &n))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (on_entry(e, from, time, &entries[i]) < 0)
			return -1;
	return 0;
}
