/* SPDX-License-Identifier: ISC */
/*
 * query.c - keys.get: device list and prekeys of an account, of this server or another.
 *
 * For our own accounts the answer comes from the database, for whoever has consent. For an
 * address of another domain the request goes to that server through relay, with the asker
 * filled in from the handle; its answer is passed on as it came, and newer keys of a contact
 * are noted on the way. Owns the requests under way. A server that does not answer makes a
 * temporary result.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "store/bounds.h"
#include "store/consent.h"
#include "store/sreq.h"
#include "store/store.h"

#define REQ_BYTES 2048

struct query {
	uint64_t id, link;
	char *asker;   /* owned */
	char *account; /* owned: whose keys */
};

static size_t under_way;

static void
query_free(struct query *q)
{
	free(q->asker);
	free(q->account);
	free(q);
	under_way--;
}

/* Keeps a contact's newer list, by which his revocation will be judged. */
static void
note_keys(const struct query *q, struct span result)
{
	struct c_keys keys;

	if (obj_decode(&c_keys_def, result, &keys) == WIRE_OK)
		consent_refresh(store_db(), span_str(q->asker), span_str(q->account),
		    keys.listkey, keys.devlist);
}

static void
on_result(enum request_end end, struct channel *ch, struct channel_msg *msg, void *arg)
{
	struct span none = span_of(NULL, 0);
	const struct m_query_res *m;
	struct query *q = arg;
	struct p_res res;

	(void)ch;
	if (end != REQUEST_ANSWERED) {
		sreq_answer(q->id, q->link,
		    end == REQUEST_LATE ? CODE_TIMEOUT : CODE_TRY_LATER, none, NULL);
	} else {
		m = msg->body;
		if (obj_decode(&p_res_def, m->res, &res) != WIRE_OK) {
			sreq_answer(q->id, q->link, CODE_TRY_LATER, none,
			    "the other server's answer is malformed");
		} else {
			bool has = obj_has(&p_res_def, &res, 2);

			if (has && res.code == CODE_DONE)
				note_keys(q, res.result);
			sreq_answer(q->id, q->link, (unsigned)res.code,
			    has ? res.result : none, NULL);
		}
	}
	query_free(q);
}

static bool
send_query(struct query *q, struct span domain, struct span account)
{
	struct channel *relay = proc_channel(ROLE_RELAY);
	struct request_done done = {.fn = on_result, .arg = q};
	struct c_keys_get args = {.account = account};
	struct p_req req = {.method = span_str("keys.get"), .asker = span_str(q->asker)};
	struct m_query m = {.domain = domain};
	struct buf a, b;
	bool sent = false;

	buf_init(&a, REQ_BYTES);
	buf_init(&b, REQ_BYTES);
	obj_set(&p_req_def, &req, 3);
	if (relay != NULL && obj_encode(&c_keys_get_def, &args, &a) == WIRE_OK) {
		req.args = buf_span(&a);
		if (obj_encode(&p_req_def, &req, &b) == WIRE_OK && !buf_failed(&b)) {
			m.req = buf_span(&b);
			sent =
			    proc_ask(relay, MSG_QUERY, &m, -1, STORE_ASK_MS, done) != 0;
		}
	}
	buf_clear(&a);
	buf_clear(&b);
	return sent;
}

/* Asks the account's own server. */
static unsigned
ask_peer(const struct sreq *r, struct span account, struct span domain)
{
	struct query *q;

	if (under_way >= STORE_QUERIES)
		return CODE_BUSY;
	q = xcalloc(1, sizeof(*q));
	under_way++;
	q->id = r->id;
	q->link = r->link;
	q->asker = xstrdup(r->who->name);
	q->account = xstrndup((const char *)account.p, account.n);
	if (send_query(q, domain, account))
		return SREQ_LATER;
	query_free(q);
	return CODE_TRY_LATER;
}

/* An account of ours: its owner, and whoever has consent or was asked for it. */
static unsigned
answer_own(struct span asker, struct span account, uint64_t now, struct buf *out)
{
	struct acct a;
	unsigned code;
	int state;

	switch (acct_live(store_db(), account, &a)) {
	case SDB_OK:
		break;
	case SDB_NONE:
		return CODE_NOT_ACCEPTED;
	default:
		return CODE_STORAGE;
	}
	if (!span_eq(asker, account)) {
		state = consent_state(store_db(), account, asker, now);
		if (state == -1)
			return CODE_STORAGE;
		if (state != CONSENT_FULL && state != CONSENT_ASKED)
			return CODE_NOT_ACCEPTED;
	}
	code = prekey_answer(store_db(), account, out);
	return code == CODE_UNKNOWN_ACCOUNT ? CODE_NOT_ACCEPTED : code;
}

unsigned
query_keys(const struct sreq *r, struct buf *out)
{
	const struct c_keys_get *a = r->args;
	bool peer = r->who->kind == HANDLE_PEER;
	struct addr addr;

	if (!addr_parse_wire(a->account, &addr))
		return CODE_MALFORMED;
	if (span_eq(addr.domain, store_domain()))
		return answer_own(
		    peer ? r->asker : handle_name(r->who), a->account, r->now, out);
	return peer ? CODE_WRONG_DOMAIN : ask_peer(r, a->account, addr.domain);
}
