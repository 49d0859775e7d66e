/* SPDX-License-Identifier: ISC */
/*
 * slogin.c - devices that prove themselves.
 *
 * Listener asks for nonces, hands one to each link and brings the proof that comes back. The
 * proof must be signed by a device that is in the account's list now, for our domain, over a
 * nonce that is out, and (where the client sees it) over this very TLS connection. Then the
 * link gets a handle; the welcome leaves when queue has noted it. Owns nothing. A refusal is
 * an answer with its code; nothing a client sends can do more than that.
 */
#include "base/clock.h"
#include "base/log.h"
#include "crypto/cose.h"
#include "ipc/msgs.h"
#include "store/devlist.h"
#include "store/handle.h"
#include "store/nonce.h"
#include "store/push.h"
#include "store/slogin.h"
#include "store/store.h"

#define WELCOME_BYTES 256

void
on_nonce_ask(struct channel *ch, struct channel_msg *msg)
{
	struct m_nonce m;

	nonce_make(m.nonce);
	channel_send(ch, MSG_NONCE, msg->id, &m, -1);
}

/* What is judged: the message, what it says, and what we know of the account. */
struct login {
	const struct m_login *msg;
	struct p_auth_c2s auth;
	struct s_login says; /* unverified until login_verify() */
	struct acct account;
	struct device device;
	struct devlist list;
};

static unsigned
code_of(enum wire_err err)
{
	if (err == WIRE_OK)
		return CODE_DONE;
	return err == WIRE_UNSUPPORTED ? CODE_UNSUPPORTED : CODE_MALFORMED;
}

/* Reads the proof far enough to know whose it claims to be. */
static unsigned
login_read(struct login *l)
{
	struct cose_sign1 sign1;
	unsigned code = code_of(obj_decode(&p_auth_c2s_def, l->msg->auth, &l->auth));

	if (code != CODE_DONE)
		return code;
	if (l->auth.version != PROTO_VERSION)
		return CODE_UNSUPPORTED;
	if (cose_sign1_parse(l->auth.proof, &sign1) != COSE_OK)
		return CODE_MALFORMED;
	code = code_of(obj_decode(&s_login_def, sign1.payload, &l->says));
	if (code != CODE_DONE)
		return code;
	if (!span_eq(l->says.domain, store_domain()) || !store_is_ours(l->says.account))
		return CODE_WRONG_DOMAIN;
	return CODE_DONE;
}

/* Finds the account, its list, and the device's row. */
static unsigned
login_find(struct login *l)
{
	enum sdb_result res = acct_live(store_db(), l->says.account, &l->account);

	if (res == SDB_OK)
		res = devlist_get(store_db(), l->says.account, &l->list);
	if (res == SDB_OK)
		res = device_get(store_db(), l->says.account, l->says.device, &l->device);
	if (res == SDB_NONE)
		return CODE_UNKNOWN_ACCOUNT;
	return res == SDB_OK ? CODE_DONE : CODE_STORAGE;
}

static unsigned
login_verify(const struct login *l)
{
	struct span payload;
	unsigned code = trust_by_device(
	    &l->list.trust, l->says.device, l->auth.proof, TYP_LOGIN, &payload);

	if (code != CODE_DONE)
		return code;
	if (!sha_equal(span_of(l->says.nonce, 32), span_of(l->msg->nonce, 32)))
		return CODE_NONCE;
	if (obj_has(&s_login_def, &l->says, 5) &&
	    !sha_equal(span_of(l->says.exporter, 32), span_of(l->msg->exporter, 32)))
		return CODE_NOT_AUTHORISED;
	return CODE_DONE;
}

static void
welcome(struct handle *h, const struct login *l)
{
	struct p_welcome_c2s w = {.time = clock_wall_ms(),
	    .cursor = l->device.cursor,
	    .head = l->account.head,
	    .credit_bytes = PROTO_CREDIT_BYTES,
	    .credit_items = PROTO_CREDIT_ITEMS};
	struct m_login_res res = {
	    .link = l->msg->link, .handle = h->id, .code = CODE_DONE};
	struct buf b;

	buf_init(&b, WELCOME_BYTES);
	obj_encode(&p_welcome_c2s_def, &w, &b);
	res.welcome = buf_span(&b);
	handle_answer(h, &res);
	buf_clear(&b);
	push_start(h, l->device.cursor);
}

/* Gives the link a handle. An older link of the same device ends: a device has one. */
static unsigned
admit(const struct login *l, uint64_t id)
{
	struct handle_new new = {.kind = HANDLE_ACCOUNT,
	    .name = l->says.account,
	    .device = l->says.device,
	    .link = l->msg->link,
	    .type = MSG_LOGIN_RES,
	    .id = id};
	struct handle *h;
	unsigned code;

	handle_revoke_device(l->says.account, l->says.device, CODE_BAD_STATE);
	h = handle_new(&new, &code);
	if (h != NULL)
		welcome(h, l);
	return code;
}

void
on_login(struct channel *ch, struct channel_msg *msg)
{
	struct login l = {.msg = msg->body};
	struct m_login_res res = {.link = l.msg->link};
	unsigned code = login_read(&l);
	bool fresh = nonce_take(l.msg->nonce);

	if (code == CODE_DONE && !fresh)
		code = CODE_NONCE;
	if (code == CODE_DONE)
		code = login_find(&l);
	if (code == CODE_DONE)
		code = login_verify(&l);
	if (code == CODE_DONE)
		code = admit(&l, msg->id);
	if (code == CODE_DONE) {
		log_info("login.ok", "account=%s device=%s addr=%s",
		    log_account(l.says.account), log_hex(span_of(l.says.device, 8)),
		    log_text(l.msg->addr));
		return;
	}
	log_info(
	    "login.refuse", "code=%s addr=%s", code_symbol(code), log_text(l.msg->addr));
	res.code = (uint16_t)code;
	channel_send(ch, MSG_LOGIN_RES, msg->id, &res, -1);
}
