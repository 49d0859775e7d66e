/* SPDX-License-Identifier: ISC */
/*
 * rostershare.c - contacts as our other devices learn of them.
 *
 * What a user decides about a contact on one device holds on all of them: the device that it
 * was said to seals the contact's row to the account itself, so that only its other devices can
 * open it, as a message of its own type that is never shown. A new device gets all contacts
 * when it was added. What comes is taken if it verifies like anything else that a contact shows:
 * lists never go back, and another identity key than the pinned one is taken only because a
 * device of this account, which the user holds, signed for it.
 *
 * Owns nothing. Called by emsg_api.c, jobs.c and inbox.c. Fails with -1 (database).
 */
#include <stdio.h>

#include "base/text.h"
#include "compose.h"
#include "inbox.h"
#include "roster.h"

#define SHARE_MAX 100000 /* bytes of one message; contacts of 10 KB at most */

/* One contact on its way; also what is sent. */
struct shared {
	uint32_t has;
	uint64_t state;
	struct span row; /* encoding of row_contact */
};
static const struct obj_field shared_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct shared, state, 0, CONSENT_BLOCKED, OBJ_REQUIRED),
    OBJ_FIELD(2, OBJ_BSTR, struct shared, row, 1, SHARE_MAX, OBJ_REQUIRED),
};
static const struct obj_def shared_def = {
    "shared", sizeof(struct shared), OBJ_MAP, OBJ_FIELDS(shared_fields)};

/* The content of a message: contacts one after the other. */
struct parcel {
	uint32_t has;
	struct obj_list contacts; /* of shared */
};
static const struct obj_field parcel_fields[] = {
    OBJ_LIST_SUB(1, struct parcel, contacts, 1, 1024, OBJ_MAP, &shared_def, OBJ_REQUIRED),
};
static const struct obj_def parcel_def = {
    "parcel", sizeof(struct parcel), OBJ_MAP, OBJ_FIELDS(parcel_fields)};

/* Contacts that are being packed. */
struct packing {
	struct emsg *e;
	struct buf contacts;
	size_t n;
};

static int
send_off(struct packing *p)
{
	struct parcel parcel = {.has = 0};
	struct buf content;
	int rc = 0;

	if (p->n == 0)
		return 0;
	buf_init(&content, 2 * SHARE_MAX);
	parcel.contacts.raw = buf_span(&p->contacts);
	parcel.contacts.count = p->n;
	if (obj_encode(&parcel_def, &parcel, &content) == WIRE_OK)
		rc = compose_quiet(
		    p->e, p->e->self.account, ROSTER_TYPE, buf_span(&content));
	buf_wipe(&content);
	buf_reset(&p->contacts);
	p->n = 0;
	return rc;
}

static int
pack(struct packing *p, int64_t state, const struct row_contact *full)
{
	struct shared shared = {.state = (uint64_t)state};
	struct row_contact row = *full;
	struct buf bytes;
	int rc = 0;

	/* Prekeys age: every device asks for them itself. */
	row.prekeys.raw = span_of(NULL, 0);
	row.prekeys.count = 0;
	row.fetched = 0;
	buf_init(&bytes, SHARE_MAX);
	if (obj_encode(&row_contact_def, &row, &bytes) == WIRE_OK) {
		shared.row = buf_span(&bytes);
		if (p->contacts.n + bytes.n + 64 > SHARE_MAX)
			rc = send_off(p);
		if (rc == 0 && obj_encode(&shared_def, &shared, &p->contacts) == WIRE_OK)
			p->n++;
	}
	buf_clear(&bytes);
	return rc;
}

static int
on_contact(void *arg, const struct dbase_row *row)
{
	struct row_contact contact;

	if (obj_decode(&row_contact_def, row->value, &contact) != WIRE_OK)
		return 0;
	return pack(arg, row->state, &contact);
}

static int
pack_one(struct packing *p, struct span account)
{
	struct contact c;
	int rc = contact_get(p->e, account, &c);

	if (rc == 1)
		rc = pack(p, c.state, &c.row);
	contact_clear(&c);
	return rc;
}

/* There is somebody to tell. */
static bool
has_other_devices(struct emsg *e)
{
	struct row_list own;
	struct buf bytes;
	bool others = roster_own(e, &own, &bytes) == 1 && own.prekeys.count > 1;

	buf_clear(&bytes);
	return others;
}

int
roster_share(struct emsg *e, struct span account)
{
	struct dbase_filter all = {.kind = DB_CONTACT, .state = -1};
	struct packing p = {.e = e};
	int rc;

	if (!has_other_devices(e))
		return 0;
	buf_init(&p.contacts, 2 * SHARE_MAX);
	rc = account.n == 0 ? dbase_walk(e->db, &all, on_contact, &p)
			    : pack_one(&p, account);
	if (rc == 0)
		rc = send_off(&p);
	buf_clear(&p.contacts);
	return rc;
}

/* --- what comes --------------------------------------------------------------------------- */

/* A device's word about a contact counts once and in its order, whatever order or repeat a
 * server makes of it. 1: it is news, 0, -1. */
static int
is_news(struct emsg *e, const uint8_t device[16], uint64_t counter, struct span account)
{
	char name[sizeof("copy ") + 33 + ADDR_TEXT_SIZE], id[33];

	hex_encode(span_of(device, 16), id);
	snprintf(name, sizeof(name), "copy %s %.*s", id, (int)account.n,
	    (const char *)account.p);
	if (session_note_get(e, name) >= counter)
		return 0;
	return session_note_put(e, name, counter) < 0 ? -1 : 1;
}

static int
take(struct emsg *e, const struct shared *shared, const uint8_t device[16],
    uint64_t counter)
{
	struct row_contact row;
	struct contact c;
	int rc;

	if (obj_decode(&row_contact_def, shared->row, &row) != WIRE_OK)
		return 0;
	if ((rc = is_news(e, device, counter, row.account)) != 1)
		return rc;
	rc = contact_get(e, row.account, &c);
	if (rc >= 0 && obj_has(&row_contact_def, &row, CONTACT_IDENTITY) &&
	    (!obj_has(&row_contact_def, &c.row, CONTACT_IDENTITY) ||
		memcmp(c.row.identity, row.identity, sizeof(row.identity)) != 0))
		contact_accept(&c, row.identity);
	if (rc >= 0) {
		if (obj_has(&row_contact_def, &row, CONTACT_DEVLIST))
			contact_take(&c, row.listkey, row.devlist, true);
		c.state = (int64_t)shared->state;
		c.row.since = row.since;
		c.row.verified = row.verified;
		c.row.wanted = row.wanted;
		rc = contact_put(e, &c);
	}
	contact_clear(&c);
	if (rc == 0 && shared->state == CONSENT_FULL)
		rc = inbox_retry(e, row.account);
	return rc;
}

int
roster_on_copy(
    struct emsg *e, const uint8_t device[16], uint64_t counter, struct span content)
{
	struct parcel parcel;
	struct shared shared;
	struct obj_iter it;

	if (obj_decode(&parcel_def, content, &parcel) != WIRE_OK)
		return 0;
	obj_iter_init(&it, &parcel.contacts);
	while (obj_next(&it, &shared_def, &shared))
		if (take(e, &shared, device, counter) < 0)
			return -1;
	return 0;
}
