/* SPDX-License-Identifier: ISC */
/*
 * emsg_api.c - what programs call about accounts, contacts and devices.
 *
 * Thin: arguments are made normal and judged here, the work is done by the parts. Texts and
 * fates are in compose.c, the link and waiting in session.c, registration in enrol.c.
 *
 * Owns nothing. Fails with an enum emsg_error and a line for emsg_message().
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/fingerprint.h"
#include "crypto/trust.h"
#include "inbox.h"
#include "invite.h"
#include "jobs.h"
#include "keys.h"
#include "normal.h"
#include "worklist.h"
#include "roster.h"
#include "session.h"
#include "unseal.h"

#define INVITE_TTL_MAX (24ULL * 3600 * 1000)

const char *
emsg_version(void)
{
	return PACKAGE_VERSION;
}

int
emsg_normalise(const char *address, char out[EMSG_ADDRESS_SIZE], const char **why)
{
	const char *reason;

	if (normal_address(span_str(address), out, &reason))
		return EMSG_OK;
	if (why != NULL)
		*why = reason;
	return EMSG_INVALID;
}

int
emsg_open(const struct emsg_access *access, struct emsg **out, const char **why)
{
	char dir[PATH_MAX];
	bool protected = false;
	struct dbase *db;
	int code;

	*out = NULL;
	if (!homes_dir(access, dir, sizeof(dir), why))
		return EMSG_NOT_FOUND;
	db = homes_open(dir, access->passphrase, &protected, &code, why);
	if (db == NULL)
		return code;
	if ((*out = session_new(dir, db, protected)) == NULL) {
		*why = "out of descriptors";
		return EMSG_FAILED;
	}
	if (session_load_self(*out) < 0) {
		emsg_close(*out);
		*out = NULL;
		*why = "the local data is damaged: the account cannot be read";
		return EMSG_FAILED;
	}
	(*out)->clock_offset = (int64_t)session_note_get(*out, "clock");
	return EMSG_OK;
}

/* --- status ------------------------------------------------------------------------------- */

static uint64_t
count(struct emsg *e, enum dbase_kind kind, int64_t state)
{
	int64_t n = dbase_count(e->db, kind, state);

	return n < 0 ? 0 : (uint64_t)n;
}

void
emsg_get_status(struct emsg *e, struct emsg_status *s)
{
	static _Thread_local char account[ADDR_TEXT_SIZE], device[65], server[300],
	    identity[FINGERPRINT_TEXT_SIZE];
	const struct row_self *self = &e->self;
	bool host = obj_has(&row_self_def, self, SELF_HOST);
	struct span where = host ? self->host : keys_domain(self->account);
	uint8_t print[SHA_SIZE];
	uint64_t why;

	text_copy(account, sizeof(account), self->account);
	text_copy(device, sizeof(device), self->name);
	snprintf(server, sizeof(server), "%.*s:%llu", (int)where.n, (const char *)where.p,
	    (unsigned long long)self->port);
	identity[0] = '\0';
	if (fingerprint_of(self->identity, print) == 0)
		fingerprint_text(print, identity);
	memset(s, 0, sizeof(*s));
	s->account = account;
	s->device = device;
	s->server = server;
	s->identity = identity;
	s->passphrase = e->passphrase;
	s->pinned = obj_has(&row_self_def, self, SELF_PIN);
	s->receipts = self->receipts;
	s->holder = holder_is(e->holder);
	s->linked = s->holder ? session_ready(e) : emsg_synced(e);
	s->contacts = count(e, DB_CONTACT, CONSENT_FULL);
	s->unread = count(e, DB_MESSAGE, MESSAGE_UNREAD);
	s->waiting = count(e, DB_JOB, JOB_WAITING) + count(e, DB_RECEIPT, -1);
	s->clock_offset = e->clock_offset;
	s->lost = session_note_get(e, INBOX_LOST);
	why = session_note_get(e, INBOX_LOST_WHY);
	s->lost_why = s->lost > 0 && why <= UNSEAL_SENDER
	    ? unseal_text((enum unseal_result)why)
	    : "";
}

int
emsg_set_receipts(struct emsg *e, bool on)
{
	struct row_self self = e->self;

	self.receipts = on;
	return session_save_self(e, &self) < 0 ? session_broken(e) : EMSG_OK;
}

/* --- contacts ----------------------------------------------------------------------------- */

static const char *
state_name(int64_t state)
{
	switch (state) {
	case CONSENT_ASKED:
		return "asked";
	case CONSENT_PENDING:
		return "pending";
	case CONSENT_FULL:
		return "full";
	case CONSENT_BLOCKED:
		return "blocked";
	default:
		return "none";
	}
}

struct contact_reader {
	emsg_contact_fn *fn;
	void *arg;
};

static uint64_t
devices_of(const struct contact *c)
{
	struct trust_account ta;

	if (!obj_has(&row_contact_def, &c->row, CONTACT_DEVLIST) ||
	    trust_account(c->row.account, c->row.listkey, c->row.devlist, &ta) !=
		CODE_DONE)
		return 0;
	return ta.list.devices.count;
}

static void
show_contact(const struct contact *c, struct contact_reader *r)
{
	char address[ADDR_TEXT_SIZE], identity[FINGERPRINT_TEXT_SIZE] = "";
	uint8_t print[SHA_SIZE];
	struct emsg_contact out = {.address = address,
	    .identity = identity,
	    .state = state_name(c->state),
	    .verified = c->row.verified,
	    .alarm = contact_has_alarm(c),
	    .since = c->row.since,
	    .devices = devices_of(c)};

	text_copy(address, sizeof(address), c->row.account);
	if (obj_has(&row_contact_def, &c->row, CONTACT_IDENTITY) &&
	    fingerprint_of(c->row.identity, print) == 0)
		fingerprint_text(print, identity);
	r->fn(r->arg, &out);
}

static int
on_contact(void *arg, const struct dbase_row *row)
{
	struct contact c = {.state = row->state};

	if (row->state != ROSTER_NONE &&
	    obj_decode(&row_contact_def, row->value, &c.row) == WIRE_OK)
		show_contact(&c, arg);
	return 0;
}

/* Reads a contact by what was typed. */
static int
find_contact(
    struct emsg *e, const char *typed, char address[ADDR_TEXT_SIZE], struct contact *c)
{
	const char *why;
	int rc;

	memset(c, 0, sizeof(*c));
	if (!normal_address(span_str(typed), address, &why))
		return session_fail(e, EMSG_INVALID, "%s: %s", typed, why);
	if (span_eq(span_str(address), e->self.account))
		return session_fail(
		    e, EMSG_INVALID, "%s is this account itself", address);
	rc = contact_get(e, span_str(address), c);
	if (rc < 0)
		return session_broken(e);
	if (rc == 0 || c->state == ROSTER_NONE)
		return session_fail(e, EMSG_NOT_FOUND, "%s is not a contact", address);
	return EMSG_OK;
}

int
emsg_contacts(struct emsg *e, const char *typed, emsg_contact_fn *fn, void *arg)
{
	struct dbase_filter all = {.kind = DB_CONTACT, .state = -1};
	struct contact_reader r = {fn, arg};
	char address[ADDR_TEXT_SIZE];
	struct contact c;
	int rc;

	if (typed == NULL)
		return dbase_walk(e->db, &all, on_contact, &r) < 0 ? session_broken(e)
								   : EMSG_OK;
	if ((rc = find_contact(e, typed, address, &c)) == EMSG_OK)
		show_contact(&c, &r);
	contact_clear(&c);
	return rc;
}

/* Writes the contact and its object in one transaction. */
static int
say(struct emsg *e, struct contact *c, const char *typ, uint64_t *work)
{
	if (dbase_begin(e->db) < 0)
		return session_broken(e);
	if (contact_put(e, c) < 0 || jobs_add_object(e, typ, c->row.account, work) < 0 ||
	    roster_share(e, c->row.account) < 0 || dbase_commit(e->db) < 0) {
		dbase_rollback(e->db);
		return session_broken(e);
	}
	session_changed(e);
	return EMSG_OK;
}

static int
grant(struct emsg *e, struct contact *c, const char *address, uint64_t *work)
{
	struct span listkey = c->row.listkey, devlist = c->row.devlist;
	int rc;

	if (contact_has_alarm(c))
		return session_fail(e, EMSG_REFUSED,
		    "the identity key of %s changed: use emsg verify first", address);
	c->state = CONSENT_FULL;
	c->row.since = session_now(e);
	if (devlist.n > 0)
		contact_take(c, listkey, devlist, true);
	if ((rc = say(e, c, TYP_GRANT, work)) == EMSG_OK &&
	    inbox_retry(e, c->row.account) < 0)
		rc = session_broken(e);
	return rc;
}

int
emsg_contact_ask(struct emsg *e, const char *typed, uint64_t *work)
{
	char address[ADDR_TEXT_SIZE];
	struct contact c;
	int rc = find_contact(e, typed, address, &c);

	if (rc == EMSG_NOT_FOUND) {
		c.state = CONSENT_ASKED;
		c.row.wanted = true;
		c.row.since = session_now(e);
		rc = say(e, &c, TYP_REQUEST, work);
	} else if (rc == EMSG_OK && c.state == CONSENT_PENDING) {
		rc = grant(e, &c, address, work);
	} else if (rc == EMSG_OK && c.state == CONSENT_ASKED) {
		rc = say(e, &c, TYP_REQUEST, work);
	} else if (rc == EMSG_OK) {
		rc = session_fail(e, EMSG_INVALID, "%s is a contact already", address);
	}
	contact_clear(&c);
	return rc;
}

int
emsg_contact_grant(struct emsg *e, const char *typed, uint64_t *work)
{
	char address[ADDR_TEXT_SIZE];
	struct contact c;
	int rc = find_contact(e, typed, address, &c);

	if (rc == EMSG_OK && c.state == CONSENT_ASKED)
		rc = session_fail(
		    e, EMSG_NOT_FOUND, "%s has not asked for consent", address);
	else if (rc == EMSG_OK && c.state == CONSENT_BLOCKED)
		rc = session_fail(e, EMSG_REFUSED, "%s is blocked", address);
	else if (rc == EMSG_OK)
		rc = grant(e, &c, address, work);
	else if (rc == EMSG_NOT_FOUND)
		session_fail(e, rc, "%s has not asked for consent", address);
	contact_clear(&c);
	return rc;
}

int
emsg_contact_remove(struct emsg *e, const char *typed, uint64_t *work)
{
	char address[ADDR_TEXT_SIZE];
	struct contact c;
	int rc = find_contact(e, typed, address, &c);

	if (rc == EMSG_OK) {
		c.state = ROSTER_NONE;
		c.row.wanted = false;
		rc = say(e, &c, TYP_REVOKE, work);
	}
	contact_clear(&c);
	return rc;
}

/* --- verification -------------------------------------------------------------------------- */

/* The last number that the user saw was made of this key. */
static bool
was_shown(const struct contact *c, const uint8_t key[32])
{
	return obj_has(&row_contact_def, &c->row, CONTACT_SHOWN) &&
	    memcmp(c->row.shown, key, sizeof(c->row.shown)) == 0;
}

int
emsg_verify(struct emsg *e, const char *typed, char number[72], bool *changed)
{
	char address[ADDR_TEXT_SIZE];
	const uint8_t *key;
	struct contact c;
	int rc = find_contact(e, typed, address, &c);

	*changed = rc == EMSG_OK && contact_has_alarm(&c);
	key = *changed ? c.row.alarm : c.row.identity;
	if (rc == EMSG_OK && !*changed &&
	    !obj_has(&row_contact_def, &c.row, CONTACT_IDENTITY))
		rc = session_fail(e, EMSG_NOT_FOUND,
		    "the identity key of %s is not known yet", address);
	if (rc == EMSG_OK && fingerprint_number(e->self.identity, key, number) < 0)
		rc = session_fail(e, EMSG_FAILED, "the number cannot be made");
	if (rc == EMSG_OK && !was_shown(&c, key)) {
		memcpy(c.row.shown, key, sizeof(c.row.shown));
		obj_set(&row_contact_def, &c.row, CONTACT_SHOWN);
		if (contact_put(e, &c) < 0)
			rc = session_broken(e);
	}
	contact_clear(&c);
	return rc;
}

int
emsg_verify_mark(struct emsg *e, const char *typed)
{
	char address[ADDR_TEXT_SIZE];
	struct contact c;
	int rc = find_contact(e, typed, address, &c);
	bool alarm = rc == EMSG_OK && contact_has_alarm(&c);

	/* Nobody has compared a key that came after the number was shown. */
	if (rc == EMSG_OK && !was_shown(&c, alarm ? c.row.alarm : c.row.identity))
		rc = session_fail(e, EMSG_REFUSED,
		    "the number of %s has not been shown: use emsg verify, compare, then "
		    "--mark",
		    address);
	if (rc == EMSG_OK) {
		if (alarm)
			contact_accept(&c, c.row.alarm);
		c.row.verified = true;
		rc = contact_put(e, &c) < 0 || roster_share(e, c.row.account) < 0
		    ? session_broken(e)
		    : EMSG_OK;
		session_changed(e);
	}
	contact_clear(&c);
	return rc;
}

/* --- devices ------------------------------------------------------------------------------ */

static void
show_devices(
    struct emsg *e, const struct trust_account *ta, emsg_device_fn *fn, void *arg)
{
	struct s_device device;
	struct obj_iter it;

	obj_iter_init(&it, &ta->list.devices);
	while (obj_next(&it, &s_device_def, &device)) {
		char id[33], name[KEYS_NAME_MAX + 1];
		struct emsg_device out = {.id = id,
		    .name = name,
		    .added = device.added,
		    .own = memcmp(device.id, e->self.device, 16) == 0};

		hex_encode(span_of(device.id, sizeof(device.id)), id);
		text_copy(name, sizeof(name), device.name);
		fn(arg, &out);
	}
}

int
emsg_devices(struct emsg *e, emsg_device_fn *fn, void *arg)
{
	struct trust_account ta;
	struct row_list own;
	struct buf bytes;
	int rc = roster_own(e, &own, &bytes);

	if (rc == 1 &&
	    trust_account(e->self.account, own.listkey, own.devlist, &ta) == CODE_DONE)
		show_devices(e, &ta, fn, arg);
	buf_clear(&bytes);
	return rc < 0 ? session_broken(e) : EMSG_OK;
}

static void
device_invite(struct emsg *e, const struct row_job *job, struct i_invite *invite)
{
	memset(invite, 0, sizeof(*invite));
	invite->kind = INVITE_DEVICE;
	invite->domain = keys_domain(e->self.account);
	invite->host = e->self.host;
	invite->port = e->self.port;
	invite->account = e->self.account;
	invite->expires = job->expires;
	memcpy(invite->pin, e->self.pin, sizeof(invite->pin));
	memcpy(invite->token, job->token, sizeof(invite->token));
	memcpy(invite->secret, job->secret, sizeof(invite->secret));
	memcpy(invite->identity, e->self.identity, sizeof(invite->identity));
	if (obj_has(&row_self_def, &e->self, SELF_HOST))
		obj_set(&i_invite_def, invite, 3);
	if (obj_has(&row_self_def, &e->self, SELF_PIN))
		obj_set(&i_invite_def, invite, 5);
	obj_set(&i_invite_def, invite, 4);
	obj_set(&i_invite_def, invite, 7);
	obj_set(&i_invite_def, invite, 9);
	obj_set(&i_invite_def, invite, 10);
}

int
emsg_device_invite(
    struct emsg *e, uint64_t ttl_ms, char text[EMSG_INVITE_SIZE], uint64_t *work)
{
	struct row_job job = {.op = JOB_ENROL};
	struct i_invite invite;
	int rc = EMSG_OK;

	if (!obj_has(&row_self_def, &e->self, SELF_LIST_SEED))
		return session_fail(e, EMSG_REFUSED,
		    "this device may not add others: use the account's first device");
	if (ttl_ms < 1000 || ttl_ms > INVITE_TTL_MAX)
		return session_fail(e, EMSG_INVALID, "an invitation lasts 1 s to 24 h");
	random_bytes(job.token, sizeof(job.token));
	random_bytes(job.secret, sizeof(job.secret));
	job.expires = session_now(e) + ttl_ms;
	device_invite(e, &job, &invite);
	if (invite_print(&invite, text, EMSG_INVITE_SIZE) < 0)
		rc = session_fail(e, EMSG_FAILED, "the invitation cannot be made");
	else if (worklist_add(e, &job) < 0)
		rc = session_broken(e);
	*work = job.number;
	wipe(&job, sizeof(job));
	wipe(&invite, sizeof(invite));
	session_changed(e);
	return rc;
}

int
emsg_prekey_rotate(struct emsg *e, uint64_t *work)
{
	if (jobs_add_prekey(e, work) < 0)
		return session_broken(e);
	session_changed(e);
	return EMSG_OK;
}
