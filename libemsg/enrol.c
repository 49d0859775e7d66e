/* SPDX-License-Identifier: ISC */
/*
 * enrol.c - using an invitation: a new account, or one more device of an account.
 *
 * Everything that this device will need is in the database before the server hears of it, so
 * that an account can never exist without its keys. For a new account the keys are made and
 * shown to the server with the token. A further device leaves its keys in the slot that another
 * device opened, authenticated by the secret in the invitation, and asks until that device has
 * put it into the list; the list must be under the identity key of the invitation. Nobody else
 * uses the account meanwhile, so these calls may block, for a time that the caller gives.
 *
 * Owns the link while it lasts. Called by programs (emsg_register). Fails with an enum
 * emsg_error and a text; what was made on disk is then taken away, unless the server may have
 * accepted it.
 */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/trust.h"
#include "invite.h"
#include "keys.h"
#include "normal.h"
#include "roster.h"
#include "session.h"
#include "wire/call.h"

#define WAIT_STEP_MS 1000 /* between two questions whether we are in the list */
#define CALL_ID 100

static const struct span none = {NULL, 0};

/* One registration at work. */
struct enrol {
	struct i_invite invite;
	struct buf invite_bytes;
	char address[ADDR_TEXT_SIZE];
	char dir[PATH_MAX];
	struct emsg *e;        /* owned until it is handed out */
	struct wirelink *link; /* owned */
	struct buf listkey, devlist, prekey, blob;
	uint64_t end;  /* monotonic ms */
	bool open;     /* the link can be used */
	bool told;     /* the server may have carried it out */
	bool refused;  /* the link, for good: another domain key, for example */
	unsigned code; /* of the answer; 0: none yet */
	struct buf result;
	char why[MESSAGE_MAX];
};

/* The last reason of this thread's emsg_register(), which has no struct emsg to keep it. */
static _Thread_local char last_why[MESSAGE_MAX];

static int
fail(struct enrol *x, int code, const char *why)
{
	snprintf(x->why, sizeof(x->why), "%s", why);
	return code;
}

/* --- link --------------------------------------------------------------------------------- */

static void
on_up(void *arg, const struct p_welcome_c2s *welcome)
{
	struct enrol *x = arg;

	(void)welcome;
	x->open = true;
}

static void
on_frame(void *arg, const struct wframe *f)
{
	struct enrol *x = arg;
	struct p_res res;

	if (f->type != FRAME_RES || f->id != CALL_ID ||
	    obj_decode(&p_res_def, f->body, &res) != WIRE_OK)
		return;
	buf_reset(&x->result);
	if (obj_has(&p_res_def, &res, 2))
		buf_put_span(&x->result, res.result);
	x->code = (unsigned)res.code;
	if (code_class(res.code) == CODE_OK)
		return;
	snprintf(x->why, sizeof(x->why), "the server answers %s%s%.*s",
	    code_symbol(res.code), obj_has(&p_res_def, &res, 3) ? ": " : "",
	    obj_has(&p_res_def, &res, 3) ? (int)res.text.n : 0, (const char *)res.text.p);
}

static void
on_batch(void *arg)
{
	(void)arg;
}

static void
on_down(void *arg, unsigned code, const char *why)
{
	struct enrol *x = arg;

	x->refused = code != 0 && code_class(code) == CODE_PERMANENT;
	x->open = false;
	fail(x, 0, why);
}

static const struct wirelink_ops ops = {on_up, on_frame, on_batch, on_down};

/* One wait for the link, at most ms long. */
static void
step(struct enrol *x, int ms)
{
	struct pollfd p = {.fd = wirelink_fd(x->link), .events = POLLIN};
	int n = wirelink_timeout(x->link);
	uint64_t now = clock_mono_ms();

	if (wirelink_wants_write(x->link))
		p.events |= POLLOUT;
	if (n < 0 || n > ms)
		n = ms;
	if (x->end <= now)
		n = 0;
	else if (x->end - now < (uint64_t)n)
		n = (int)(x->end - now);
	poll(&p, p.fd < 0 ? 0 : 1, n);
	wirelink_process(x->link);
}

static bool
time_is_up(struct enrol *x)
{
	return clock_mono_ms() >= x->end;
}

static int
connect_link(struct enrol *x)
{
	const char *why;

	x->link = wirelink_new(&x->e->self, false, &ops, x, &why);
	if (x->link == NULL)
		return fail(x, EMSG_FAILED, why);
	fail(x, 0, "the server does not answer");
	wirelink_start(x->link);
	while (!x->open && wirelink_state(x->link) != LINK_DOWN && !time_is_up(x))
		step(x, WAIT_STEP_MS);
	if (x->open)
		return EMSG_OK;
	return x->refused ? EMSG_REFUSED : EMSG_LATER;
}

/* One request and its answer: x->code, 0 if there was none. */
static void
call(struct enrol *x, const char *method, const struct obj_def *def, const void *args)
{
	x->code = 0;
	fail(x, 0, "the server does not answer");
	if (wirelink_request(x->link, CALL_ID, method, def, args) < 0)
		return;
	while (x->code == 0 && x->open && !time_is_up(x))
		step(x, WAIT_STEP_MS);
}

/* What an answer means for the whole. */
static int
verdict(const struct enrol *x)
{
	if (x->code == 0)
		return EMSG_LATER;
	switch (code_class(x->code)) {
	case CODE_OK:
		return EMSG_OK;
	case CODE_TEMPORARY:
		return EMSG_LATER;
	default:
		return EMSG_REFUSED;
	}
}

/* --- what is made ------------------------------------------------------------------------- */

static void
set_server(struct row_self *self, const struct i_invite *invite)
{
	self->port = PROTO_PORT;
	if (obj_has(&i_invite_def, invite, 3)) {
		self->host = invite->host;
		obj_set(&row_self_def, self, SELF_HOST);
	}
	if (obj_has(&i_invite_def, invite, 4))
		self->port = invite->port;
	if (obj_has(&i_invite_def, invite, 5)) {
		memcpy(self->pin, invite->pin, sizeof(self->pin));
		obj_set(&row_self_def, self, SELF_PIN);
	}
}

/* Fills in and stores who we are. */
static int
make_self(struct enrol *x, const char *device)
{
	struct row_self self = {.account = span_str(x->address),
	    .name = span_str(device),
	    .receipts = true,
	    .created = clock_wall_ms()};
	int rc;

	set_server(&self, &x->invite);
	if (x->invite.kind == INVITE_DEVICE) {
		memcpy(self.identity, x->invite.identity, sizeof(self.identity));
		rc = keys_make_device(&self);
	} else {
		rc = keys_make_account(&self);
	}
	if (rc == 0)
		rc = session_save_self(x->e, &self);
	wipe(&self, sizeof(self));
	return rc;
}

static int
make_prekey(struct enrol *x)
{
	struct row_prekey prekey;
	struct buf value;
	int rc = -1;

	buf_init(&value, 2 * SOBJ_PREKEY_MAX);
	if (keys_prekey(&x->e->self, clock_wall_ms(), &prekey, &x->prekey) == 0 &&
	    obj_encode(&row_prekey_def, &prekey, &value) == WIRE_OK)
		rc = dbase_put(x->e->db, DB_PREKEY, span_of(prekey.id, sizeof(prekey.id)),
		    none, 1, prekey.time, buf_span(&value));
	wipe(&prekey, sizeof(prekey));
	buf_wipe(&value);
	return rc;
}

static int
store_list(struct enrol *x, struct span listkey, struct span devlist,
    const struct obj_list *prekeys)
{
	struct row_list list = {.listkey = listkey,
	    .devlist = devlist,
	    .prekeys = *prekeys,
	    .fetched = clock_wall_ms()};

	return roster_own_put(x->e, &list);
}

/* Certificate, first list and prekey of a new account. */
static int
make_objects(struct enrol *x)
{
	struct obj_list prekeys = {.count = 1};
	uint64_t now = clock_wall_ms();
	struct buf bytes;
	int rc = -1;

	buf_init(&bytes, 2 * SOBJ_PREKEY_MAX);
	if (keys_listkey(&x->e->self, 1, now, &x->listkey) == 0 &&
	    keys_first_list(&x->e->self, now, &x->devlist) == 0) {
		cbor_put_bstr(&bytes, buf_span(&x->prekey));
		prekeys.raw = buf_span(&bytes);
		rc =
		    store_list(x, buf_span(&x->listkey), buf_span(&x->devlist), &prekeys);
	}
	buf_clear(&bytes);
	return rc;
}

/* --- a new account ------------------------------------------------------------------------- */

static int
register_account(struct enrol *x)
{
	struct c_register args = {.account = span_str(x->address)};

	if (make_objects(x) < 0)
		return fail(x, EMSG_FAILED, "the keys cannot be made");
	args.listkey = buf_span(&x->listkey);
	args.devlist = buf_span(&x->devlist);
	args.prekey = buf_span(&x->prekey);
	args.token = span_of(x->invite.token, sizeof(x->invite.token));
	obj_set(&c_register_def, &args, 2);
	x->told = true;
	call(x, "account.register", &c_register_def, &args);
	x->told = x->code == 0;
	return verdict(x);
}

/* --- a further device ---------------------------------------------------------------------- */

static int
leave_keys(struct enrol *x)
{
	struct c_enrol_put args = {0};

	if (keys_enrol_blob(
		&x->e->self, x->invite.secret, buf_span(&x->prekey), &x->blob) < 0)
		return fail(x, EMSG_FAILED, "the keys cannot be made");
	memcpy(args.token, x->invite.token, sizeof(args.token));
	args.blob = buf_span(&x->blob);
	call(x, "enrol.put", &c_enrol_put_def, &args);
	return verdict(x);
}

static int
take_list(struct enrol *x)
{
	struct trust_account ta;
	struct s_device device;
	struct c_keys keys;

	if (obj_decode(&c_keys_def, buf_span(&x->result), &keys) != WIRE_OK ||
	    trust_account(span_str(x->address), keys.listkey, keys.devlist, &ta) !=
		CODE_DONE ||
	    memcmp(ta.cert.identity, x->invite.identity, 32) != 0)
		return fail(x, EMSG_REFUSED,
		    "the device list is not signed by the account's identity key");
	if (!trust_device(&ta, x->e->self.device, &device))
		return fail(x, EMSG_LATER, "this device is not in the list");
	if (store_list(x, keys.listkey, keys.devlist, &keys.prekeys) < 0)
		return fail(x, EMSG_FAILED, "the local data cannot be written");
	return EMSG_OK;
}

static void
pause_a_moment(struct enrol *x)
{
	uint64_t until = clock_mono_ms() + WAIT_STEP_MS;

	while (x->open && clock_mono_ms() < until && !time_is_up(x))
		step(x, WAIT_STEP_MS);
}

static int
wait_for_list(struct enrol *x)
{
	struct c_enrol_wait args = {0};

	memcpy(args.token, x->invite.token, sizeof(args.token));
	memcpy(args.device, x->e->self.device, sizeof(args.device));
	while (!time_is_up(x)) {
		call(x, "enrol.wait", &c_enrol_wait_def, &args);
		if (x->code == 0 || code_class(x->code) == CODE_PERMANENT)
			return verdict(x);
		if (code_class(x->code) == CODE_OK)
			return take_list(x);
		pause_a_moment(x);
	}
	return fail(x, EMSG_LATER, "the other device has not added this one");
}

static int
register_device(struct enrol *x)
{
	int rc = leave_keys(x);

	return rc == EMSG_OK ? wait_for_list(x) : rc;
}

/* --- the whole ---------------------------------------------------------------------------- */

/* Which address it is for. */
static int
choose_address(struct enrol *x, const char *wanted)
{
	const char *why;
	struct addr addr;

	if (wanted == NULL && !obj_has(&i_invite_def, &x->invite, 7))
		return fail(
		    x, EMSG_INVALID, "this invitation needs an address: name#domain");
	if (wanted == NULL)
		text_copy(x->address, sizeof(x->address), x->invite.account);
	else if (!normal_address(span_str(wanted), x->address, &why))
		return fail(x, EMSG_INVALID, why);
	if (!addr_parse_wire(span_str(x->address), &addr) ||
	    !span_eq(addr.domain, x->invite.domain))
		return fail(x, EMSG_INVALID, "the invitation is for another domain");
	if (obj_has(&i_invite_def, &x->invite, 7) &&
	    !span_eq(x->invite.account, span_str(x->address)))
		return fail(x, EMSG_INVALID, "the invitation is for another address");
	return EMSG_OK;
}

static int
make_data(struct enrol *x, const struct emsg_access *access, const char *device)
{
	struct dbase *db;
	const char *why;

	if (!homes_make(access->home, x->address, x->dir, sizeof(x->dir), &why))
		return fail(x, EMSG_FAILED, why);
	db = homes_create(x->dir, access->passphrase, &why);
	if (db != NULL)
		x->e = session_new(x->dir, db, access->passphrase != NULL);
	if (x->e == NULL || make_self(x, device) < 0 || make_prekey(x) < 0) {
		fail(x, 0, db == NULL ? why : "the local data cannot be written");
		emsg_close(x->e);
		x->e = NULL;
		homes_unmake(x->dir);
		return EMSG_FAILED;
	}
	return EMSG_OK;
}

static int
finish(struct enrol *x, int rc)
{
	struct row_self self;

	if (rc == EMSG_OK) {
		self = x->e->self;
		self.registered = true;
		if (session_save_self(x->e, &self) == 0)
			return EMSG_OK;
		rc = fail(x, EMSG_FAILED, "the local data cannot be written");
	}
	emsg_close(x->e);
	x->e = NULL;
	if (!x->told)
		homes_unmake(x->dir);
	return rc;
}

static int
enrol(struct enrol *x, const struct emsg_access *access, const char *invite,
    const char *device)
{
	const char *why;
	int rc;

	if (!invite_parse(span_str(invite), &x->invite_bytes, &x->invite, &why))
		return fail(x, EMSG_INVALID, why);
	if (device[0] == '\0' || strlen(device) > KEYS_NAME_MAX ||
	    !utf8_valid(span_str(device)))
		return fail(x, EMSG_INVALID, "a device name has 1 to 64 bytes");
	if ((rc = choose_address(x, access->account)) != EMSG_OK ||
	    (rc = make_data(x, access, device)) != EMSG_OK)
		return rc;
	if ((rc = connect_link(x)) == EMSG_OK)
		rc = x->invite.kind == INVITE_DEVICE ? register_device(x)
						     : register_account(x);
	wirelink_free(x->link);
	return finish(x, rc);
}

int
emsg_register(const struct emsg_access *access, const char *invite, const char *device,
    int timeout_ms, struct emsg **out, const char **why)
{
	struct enrol *x = xcalloc(1, sizeof(*x));
	int rc;

	x->end = clock_mono_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
	buf_init(&x->invite_bytes, INVITE_BYTES_MAX);
	buf_init(&x->listkey, SOBJ_LISTKEY_MAX);
	buf_init(&x->devlist, SOBJ_DEVLIST_MAX);
	buf_init(&x->prekey, SOBJ_PREKEY_MAX);
	buf_init(&x->blob, 4096);
	buf_init(&x->result, PROTO_MESSAGE_MAX);
	rc = enrol(x, access, invite, device);
	*out = x->e;
	snprintf(last_why, sizeof(last_why), "%s", x->why);
	*why = last_why;
	buf_wipe(&x->invite_bytes);
	buf_clear(&x->listkey);
	buf_clear(&x->devlist);
	buf_clear(&x->prekey);
	buf_clear(&x->blob);
	buf_clear(&x->result);
	freezero(x, sizeof(*x));
	return rc;
}
