/* SPDX-License-Identifier: ISC */
/*
 * sreq.c - wire requests: dispatch, and the methods about accounts, devices and state.
 *
 * Listener brings the body of a req frame and the handle of its link. The table of methods
 * (wire/call.h) says who may call; a function per method does it in the turn's transaction
 * and returns a reply code, with the encoded result in a buffer. The answer leaves after the
 * commit. server.prove is answered by listener itself. Owns nothing.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/msgs.h"
#include "store/bounds.h"
#include "store/consent.h"
#include "store/outbox.h"
#include "store/sreq.h"
#include "store/state.h"
#include "store/store.h"
#include "store/token.h"

#define RESULT_BYTES 61440 /* of p_res.result */
#define RES_BYTES (RESULT_BYTES + 1024)

/* Storage for the arguments of any method. */
union args {
	struct c_none none;
	struct c_register reg;
	struct c_enrol_open enrol_open;
	struct c_enrol_put enrol_put;
	struct c_enrol_poll enrol_poll;
	struct c_enrol_wait enrol_wait;
	struct c_keys_get keys_get;
	struct c_list_put list_put;
	struct c_prekey_put prekey_put;
	struct c_consent_put consent_put;
	struct c_state_put state_put;
};

void
sreq_answer(
    uint64_t id, uint64_t link, unsigned code, struct span result, const char *text)
{
	struct p_res res = {.code = code, .result = result};
	struct m_res m = {.link = link};
	struct buf b;

	if (result.n > 0)
		obj_set(&p_res_def, &res, 2);
	if (text != NULL && text[0] != '\0') {
		res.text = span_str(text);
		obj_set(&p_res_def, &res, 3);
	}
	buf_init(&b, RES_BYTES);
	if (obj_encode(&p_res_def, &res, &b) == WIRE_OK && !buf_failed(&b)) {
		m.res = buf_span(&b);
		outbox_add(ROLE_LISTENER, MSG_RES, id, &m);
	}
	buf_clear(&b);
}

/* An ephemeral event for the devices of an account that are there. */
static void
tell_devices(struct span account, const char *name, struct span data)
{
	struct p_event event = {.name = span_str(name), .data = data};
	struct m_event m;
	struct buf b;

	buf_init(&b, 4096);
	obj_set(&p_event_def, &event, 2);
	if (obj_encode(&p_event_def, &event, &b) == WIRE_OK && !buf_failed(&b)) {
		m.event = buf_span(&b);
		for (struct handle *h = handle_of(account); h != NULL; h = h->next) {
			m.handle = h->id;
			if (h->known)
				outbox_add(ROLE_LISTENER, MSG_EVENT, 0, &m);
		}
	}
	buf_clear(&b);
}

static unsigned
done_if(enum sdb_result res)
{
	return res == SDB_OK ? CODE_DONE : CODE_STORAGE;
}

/* --- account.register ----------------------------------------------------------------------- */

/* The name is free, or reserved for whoever has the invitation. */
static unsigned
check_name(const struct c_register *reg, bool has_token)
{
	struct addr addr;
	struct acct a;

	if (!addr_parse_wire(reg->account, &addr))
		return CODE_MALFORMED;
	if (!store_is_ours(reg->account))
		return CODE_WRONG_DOMAIN;
	switch (acct_get(store_db(), reg->account, &a)) {
	case SDB_NONE:
		break;
	case SDB_OK:
		if (a.state != ACCT_INVITED || !has_token)
			return CODE_NAME_TAKEN;
		return CODE_DONE;
	default:
		return CODE_STORAGE;
	}
	if (!has_token &&
	    conf_u64(store_conf(), CONF_REGISTRATION_POLICY) != CONF_REGISTRATION_OPEN)
		return CODE_NOT_AUTHORISED;
	return CODE_DONE;
}

/* A reserved name is only for an invitation that names it. */
static unsigned
check_token(const struct c_register *reg, uint64_t now)
{
	uint8_t hash[SHA_SIZE];
	struct acct a;
	struct token t;

	if (sha_of(span_of(reg->token.p, reg->token.n), hash) == -1)
		return CODE_STORAGE;
	switch (token_get(store_db(), hash, now, &t)) {
	case SDB_OK:
		break;
	case SDB_NONE:
		return CODE_BAD_TOKEN;
	default:
		return CODE_STORAGE;
	}
	if (t.account.n == 0 && acct_get(store_db(), reg->account, &a) == SDB_OK)
		return CODE_NAME_TAKEN;
	return CODE_DONE;
}

/* Certificate, first list with one device, and its prekey belong together. */
static unsigned
check_keys(const struct c_register *reg, struct trust_account *ta)
{
	struct s_prekey prekey;
	unsigned code = trust_account(reg->account, reg->listkey, reg->devlist, ta);

	if (code != CODE_DONE)
		return code;
	if (ta->list.generation != 1 || ta->list.seq != 1 ||
	    ta->list.devices.count != 1 || obj_has(&s_devlist_def, &ta->list, 4))
		return CODE_MALFORMED;
	return trust_prekey(ta, reg->prekey, &prekey);
}

static unsigned
do_register(const struct sreq *r, struct buf *out)
{
	const struct c_register *reg = r->args;
	bool has_token = obj_has(&c_register_def, reg, 2);
	struct trust_account ta;
	unsigned code = check_name(reg, has_token);

	(void)out;
	if (code == CODE_DONE && has_token)
		code = check_token(reg, r->now);
	if (code == CODE_DONE)
		code = check_keys(reg, &ta);
	if (code == CODE_DONE && has_token)
		code = token_redeem(store_db(), reg->token.p, reg->account, r->now);
	if (code == CODE_DONE)
		code = done_if(devlist_first(store_db(), reg->account, &ta, reg->listkey,
		    reg->devlist, reg->prekey, r->now));
	log_info("account.register", "account=%s code=%s", log_account(reg->account),
	    code_symbol(code));
	return code;
}

/* --- enrol.* -------------------------------------------------------------------------------- */

static unsigned
do_enrol_open(const struct sreq *r, struct buf *out)
{
	const struct c_enrol_open *a = r->args;
	uint64_t ttl = a->ttl < STORE_ENROL_MAX_MS ? a->ttl : STORE_ENROL_MAX_MS;

	(void)out;
	switch (token_slot(
	    store_db(), a->token_hash, handle_name(r->who), r->now + ttl, r->now)) {
	case SDB_OK:
		return CODE_DONE;
	case SDB_NONE:
		return CODE_CONFLICT;
	default:
		return CODE_STORAGE;
	}
}

/* A slot for a new device; its spans are borrowed. */
static unsigned
find_slot(const uint8_t hash[SHA_SIZE], uint64_t now, struct token *t)
{
	switch (token_get(store_db(), hash, now, t)) {
	case SDB_OK:
		return t->kind == TOKEN_ENROL ? CODE_DONE : CODE_BAD_TOKEN;
	case SDB_NONE:
		return CODE_BAD_TOKEN;
	default:
		return CODE_STORAGE;
	}
}

static unsigned
do_enrol_put(const struct sreq *r, struct buf *out)
{
	const struct c_enrol_put *a = r->args;
	char account[ADDR_TEXT_SIZE];
	uint8_t hash[SHA_SIZE];
	struct token t;
	unsigned code;

	(void)out;
	if (sha_of(span_of(a->token, sizeof(a->token)), hash) == -1)
		return CODE_STORAGE;
	code = find_slot(hash, r->now, &t);
	if (code != CODE_DONE)
		return code;
	if (t.blob.n > 0)
		return span_eq(t.blob, a->blob) ? CODE_DONE : CODE_BAD_TOKEN;
	if (!text_copy(account, sizeof(account), t.account))
		return CODE_STORAGE;
	t.account = span_str(account);
	t.blob = a->blob;
	code = done_if(token_put(store_db(), hash, &t));
	if (code == CODE_DONE)
		tell_devices(span_str(account), "enrol", span_of(hash, sizeof(hash)));
	return code;
}

static unsigned
do_enrol_poll(const struct sreq *r, struct buf *out)
{
	const struct c_enrol_poll *a = r->args;
	struct c_enrol_blob res = {.has = 0};
	struct token t;
	unsigned code = find_slot(a->token_hash, r->now, &t);

	if (code == CODE_DONE && !span_eq(t.account, handle_name(r->who)))
		code = CODE_BAD_TOKEN;
	if (code != CODE_DONE)
		return code;
	if (t.blob.n > 0) {
		res.blob = t.blob;
		obj_set(&c_enrol_blob_def, &res, 1);
	}
	return obj_encode(&c_enrol_blob_def, &res, out) == WIRE_OK ? CODE_DONE
								   : CODE_STORAGE;
}

static unsigned
do_enrol_wait(const struct sreq *r, struct buf *out)
{
	const struct c_enrol_wait *a = r->args;
	uint8_t hash[SHA_SIZE];
	struct device d;
	struct token t;
	unsigned code;

	if (sha_of(span_of(a->token, sizeof(a->token)), hash) == -1)
		return CODE_STORAGE;
	code = find_slot(hash, r->now, &t);
	if (code != CODE_DONE)
		return code;
	switch (device_get(store_db(), t.account, a->device, &d)) {
	case SDB_OK:
		return prekey_answer(store_db(), t.account, out);
	case SDB_NONE:
		return CODE_TRY_LATER;
	default:
		return CODE_STORAGE;
	}
}

/* --- list.put, prekey.put ------------------------------------------------------------------- */

static unsigned
do_list_put(const struct sreq *r, struct buf *out)
{
	const struct c_list_put *a = r->args;
	struct devlist_change ch = {.address = handle_name(r->who),
	    .caller = r->who->device,
	    .expect = a->expect,
	    .devlist = a->devlist,
	    .now = r->now};
	unsigned code;

	(void)out;
	if (obj_has(&c_list_put_def, a, 2))
		ch.listkey = a->listkey;
	if (obj_has(&c_list_put_def, a, 4))
		ch.prekey = a->prekey;
	code = devlist_change(store_db(), &ch);
	if (code != CODE_DONE)
		return code;
	tell_devices(handle_name(r->who), "keys", handle_name(r->who));
	for (size_t i = 0; i < ch.ngone; i++) {
		struct m_handle m = {.code = CODE_UNKNOWN_ACCOUNT};

		for (struct handle *h = handle_of(ch.address); h != NULL; h = h->next) {
			m.handle = h->id;
			if (memcmp(h->device, ch.gone[i], sizeof(h->device)) == 0)
				outbox_add(ROLE_LISTENER, MSG_REVOKE, 0, &m);
		}
	}
	return code;
}

static unsigned
do_prekey_put(const struct sreq *r, struct buf *out)
{
	const struct c_prekey_put *a = r->args;
	struct span account = handle_name(r->who);
	struct s_prekey prekey;
	struct devlist list;
	unsigned code;

	(void)out;
	if (devlist_get(store_db(), account, &list) != SDB_OK)
		return CODE_STORAGE;
	code = trust_prekey(&list.trust, a->prekey, &prekey);
	if (code != CODE_DONE)
		return code;
	if (memcmp(prekey.device, r->who->device, sizeof(prekey.device)) != 0)
		return CODE_NOT_AUTHORISED;
	return done_if(prekey_put(store_db(), account, prekey.device, a->prekey));
}

/* --- consent.*, state.* --------------------------------------------------------------------- */

static unsigned
do_consent_put(const struct sreq *r, struct buf *out)
{
	const struct c_consent_put *a = r->args;
	struct span account = handle_name(r->who);
	struct consent_act act = {.now = r->now};
	struct devlist own;
	struct addr to;
	unsigned code;

	(void)out;
	if (devlist_get(store_db(), account, &own) != SDB_OK)
		return CODE_STORAGE;
	code = consent_open(a->object, &own, &act);
	if (code != CODE_DONE)
		return code;
	if (!span_eq(act.object.from, account) ||
	    memcmp(act.object.device, r->who->device, PROTO_DEVICE_SIZE) != 0 ||
	    memcmp(act.maker.cert.identity, own.trust.cert.identity, 32) != 0)
		return CODE_NOT_AUTHORISED;
	if (!addr_parse_wire(act.object.to, &to) || span_eq(act.object.to, account))
		return CODE_MALFORMED;
	return consent_make(store_db(), &act);
}

static unsigned
do_consent_list(const struct sreq *r, struct buf *out)
{
	return consent_list(store_db(), handle_name(r->who), r->now, out) ? CODE_DONE
									  : CODE_STORAGE;
}

static unsigned
do_state_get(const struct sreq *r, struct buf *out)
{
	return state_get(store_db(), handle_name(r->who), out);
}

static unsigned
do_state_put(const struct sreq *r, struct buf *out)
{
	return state_put(store_db(), handle_name(r->who), r->args, out);
}

/* --- dispatch ------------------------------------------------------------------------------- */

static const struct {
	const char *method;
	unsigned (*fn)(const struct sreq *, struct buf *out);
	bool grows; /* not while the database is nearly full */
} methods[] = {
    {"account.register", do_register, true},
    {"enrol.open", do_enrol_open, true},
    {"enrol.put", do_enrol_put, true},
    {"enrol.poll", do_enrol_poll, false},
    {"enrol.wait", do_enrol_wait, false},
    {"keys.get", query_keys, false},
    {"list.put", do_list_put, false},
    {"prekey.put", do_prekey_put, false},
    {"consent.put", do_consent_put, false},
    {"consent.list", do_consent_list, false},
    {"state.get", do_state_get, false},
    {"state.put", do_state_put, true},
};

static unsigned
who_bit(const struct handle *h)
{
	if (h == NULL)
		return CALL_NOBODY;
	return h->kind == HANDLE_PEER ? CALL_PEER : CALL_DEVICE;
}

/* Decodes the arguments and calls the method. */
static unsigned
run(struct sreq *r, const struct p_req *req, union args *args, struct buf *out)
{
	const struct call *call = call_find(req->method);

	if (call == NULL)
		return CODE_UNSUPPORTED;
	if (!(call->who & who_bit(r->who)))
		return CODE_BAD_STATE;
	if (call->args->size > sizeof(*args))
		return CODE_UNSUPPORTED;
	switch (obj_decode(call->args, req->args, args)) {
	case WIRE_OK:
		break;
	case WIRE_UNSUPPORTED:
		return CODE_UNSUPPORTED;
	default:
		return CODE_MALFORMED;
	}
	r->args = args;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!span_eq(req->method, span_str(methods[i].method)))
			continue;
		return methods[i].grows && sdb_low(store_db()) ? CODE_STORAGE
							       : methods[i].fn(r, out);
	}
	return CODE_UNSUPPORTED;
}

/* A peer names the account that asks, and it is of the peer's own domain. */
static unsigned
check_asker(struct sreq *r, const struct p_req *req)
{
	struct addr asker;

	if (r->who == NULL || r->who->kind != HANDLE_PEER)
		return CODE_DONE;
	if (!obj_has(&p_req_def, req, 3) || !addr_parse_wire(req->asker, &asker))
		return CODE_MALFORMED;
	r->asker = req->asker;
	return span_eq(asker.domain, handle_name(r->who)) ? CODE_DONE : CODE_WRONG_DOMAIN;
}

void
on_req(struct channel *ch, struct channel_msg *msg)
{
	const struct m_req *m = msg->body;
	struct sreq r = {.id = msg->id, .link = m->link, .now = clock_wall_ms()};
	struct p_req req;
	union args args;
	struct buf out;
	unsigned code;

	(void)ch;
	r.who = m->handle == 0 ? NULL : handle_find(m->handle);
	buf_init(&out, RESULT_BYTES);
	if (m->handle != 0 && r.who == NULL)
		code = CODE_UNKNOWN_HANDLE;
	else if (obj_decode(&p_req_def, m->req, &req) != WIRE_OK)
		code = CODE_MALFORMED;
	else
		code = check_asker(&r, &req);
	if (code == CODE_DONE)
		code = run(&r, &req, &args, &out);
	if (code != SREQ_LATER && buf_failed(&out))
		code = CODE_STORAGE;
	if (code != SREQ_LATER)
		sreq_answer(r.id, r.link, code,
		    buf_failed(&out) ? span_of(NULL, 0) : buf_span(&out), NULL);
	buf_clear(&out);
}
