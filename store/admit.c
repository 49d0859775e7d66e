/* SPDX-License-Identifier: ISC */
/*
 * admit.c - one item into mailboxes of this server.
 *
 * The item is judged as a whole (who hands it over, its mid and time, its shape), then for
 * each recipient: was it here before, does the recipient's consent let it in, has the mailbox
 * room. Everything is written in the turn's transaction; the caller (put.c) answers after the
 * commit. Owns nothing. Every refusal is a reply code; an account that does not exist and one
 * that never consented get the same one.
 */
#include "base/buf.h"
#include "store/admit.h"
#include "store/seen.h"

/* --- the item as a whole -------------------------------------------------------------------- */

static unsigned
check_sender(const struct admit *d, const struct addr *from)
{
	if (d->from == ADMIT_PEER)
		return span_eq(from->domain, d->name) ? CODE_DONE : CODE_WRONG_DOMAIN;
	if (!span_eq(d->outer.from, d->name) ||
	    memcmp(d->outer.device, d->device, PROTO_DEVICE_SIZE) != 0)
		return CODE_NOT_AUTHORISED;
	return CODE_DONE;
}

static unsigned
check_time(const struct admit *d)
{
	uint64_t behind =
	    d->from == ADMIT_PEER ? MID_BEHIND_LINK_MS : MID_BEHIND_SUBMIT_MS;

	switch (mid_age_check(d->outer.mid, d->now, MID_AHEAD_MS, behind)) {
	case MID_AGE_OK:
		return CODE_DONE;
	case MID_AGE_INVALID:
		return CODE_MALFORMED;
	default:
		return CODE_CLOCK;
	}
}

/* Recipients: ours, in normal form, none twice. */
static unsigned
check_recipients(const struct admit *d)
{
	struct p_recipient one, other;
	struct obj_iter it, rest;
	struct addr to;

	obj_iter_init(&it, &d->put.to);
	while (obj_next(&it, &p_recipient_def, &one)) {
		if (!addr_parse_wire(one.account, &to))
			return CODE_MALFORMED;
		if (!span_eq(to.domain, d->domain))
			return CODE_WRONG_DOMAIN;
		if (d->put.kind == ITEM_OBJECT && one.stanzas.count > 0)
			return CODE_MALFORMED;
		rest = it;
		while (obj_next(&rest, &p_recipient_def, &other))
			if (span_eq(one.account, other.account))
				return CODE_MALFORMED;
	}
	return CODE_DONE;
}

static unsigned
check_shape(const struct admit *d)
{
	if (d->put.kind == ITEM_MESSAGE)
		return d->outer.fmt > 0 ? CODE_DONE : CODE_MALFORMED;
	if (d->put.kind != ITEM_OBJECT)
		return CODE_UNSUPPORTED;
	if (d->outer.fmt != 0 || d->outer.suite != 0 ||
	    obj_has(&p_outer_def, &d->outer, 6))
		return CODE_MALFORMED;
	return d->put.body.n <= PROTO_OBJECT_MAX ? CODE_DONE : CODE_TOO_LARGE;
}

unsigned
admit_check(struct admit *d)
{
	struct addr from;
	unsigned code;

	switch (obj_decode(&p_outer_def, d->put.outer, &d->outer)) {
	case WIRE_OK:
		break;
	case WIRE_UNSUPPORTED:
		return CODE_UNSUPPORTED;
	default:
		return CODE_MALFORMED;
	}
	if (!addr_parse_wire(d->outer.from, &from))
		return CODE_MALFORMED;
	code = check_sender(d, &from);
	if (code == CODE_DONE)
		code = check_shape(d);
	if (code == CODE_DONE)
		code = check_time(d);
	return code == CODE_DONE ? check_recipients(d) : code;
}

/* --- one recipient -------------------------------------------------------------------------- */

static struct span
delivered_by(const struct admit *d)
{
	return d->from == ADMIT_PEER ? d->name : span_of(NULL, 0);
}

static unsigned
append(struct sdb *db, const struct admit *d, struct span account,
    const struct obj_list *stanzas, const struct seen_state *seen)
{
	struct mail m = {.kind = d->put.kind,
	    .time = d->now,
	    .expires = d->now + d->retention,
	    .via = delivered_by(d),
	    .outer = d->put.outer,
	    .stanzas = *stanzas,
	    .body = d->put.body};

	if (mailbox_append(db, account, &m, NULL) != SDB_OK ||
	    seen_note(db, seen) != SDB_OK)
		return CODE_STORAGE;
	return CODE_DONE;
}

static bool
has_room(const struct admit *d, const struct acct *a, const struct obj_list *stanzas)
{
	struct mail m = {.outer = d->put.outer, .stanzas = *stanzas, .body = d->put.body};

	return a->bytes + mailbox_size(&m) <= d->mailbox_max;
}

/* A sealed message that is new here, or brings fresh stanzas. */
static unsigned
let_message(struct sdb *db, const struct admit *d, struct span account,
    const struct seen_state *seen, bool *stored)
{
	bool self = d->from == ADMIT_DEVICE && span_eq(account, d->name);
	struct acct a;
	unsigned code;
	int state;

	switch (acct_live(db, account, &a)) {
	case SDB_OK:
		break;
	case SDB_NONE:
		return CODE_NOT_ACCEPTED;
	default:
		return CODE_STORAGE;
	}
	state = self ? CONSENT_FULL : consent_state(db, account, d->outer.from, d->now);
	if (state == -1)
		return CODE_STORAGE;
	if (state != CONSENT_FULL)
		return CODE_NOT_ACCEPTED;
	if (seen->fresh.count == 0)
		return self ? CODE_DONE : CODE_MALFORMED;
	if (!has_room(d, &a, &seen->fresh))
		return CODE_QUOTA;
	code = append(db, d, account, &seen->fresh, seen);
	*stored = code == CODE_DONE;
	return code;
}

/* Opens the consent object in the body, as far as the recipient can: a revocation only under
 * a list that is known here. */
static unsigned
open_object(struct sdb *db, const struct admit *d, struct span account,
    struct devlist *known, struct consent_act *act)
{
	enum sdb_result res = d->from == ADMIT_DEVICE
	    ? devlist_get(db, d->name, known)
	    : consent_keys(db, account, d->outer.from, known);
	unsigned code;

	if (res == SDB_FAULT)
		return CODE_STORAGE;
	act->now = d->now;
	code = consent_open(d->put.body, res == SDB_OK ? known : NULL, act);
	if (code != CODE_DONE)
		return code;
	if (!span_eq(act->object.from, d->outer.from) ||
	    !span_eq(act->object.to, account) ||
	    memcmp(act->object.device, d->outer.device, PROTO_DEVICE_SIZE) != 0 ||
	    span_eq(act->object.from, account))
		return CODE_NOT_AUTHORISED;
	return CODE_DONE;
}

static unsigned
let_object(struct sdb *db, const struct admit *d, struct span account,
    const struct seen_state *seen, bool *stored)
{
	struct consent_act act;
	struct devlist known;
	struct acct a;
	enum sdb_result res;
	unsigned code = open_object(db, d, account, &known, &act);
	bool deliver;

	/* A revocation by a device that is not in the list known here changes nothing. */
	if (code == CODE_NOT_AUTHORISED && act.typ != NULL &&
	    strcmp(act.typ, TYP_REVOKE) == 0)
		return CODE_RECEIVED;
	if (code != CODE_DONE)
		return code;
	res = acct_live(db, account, &a);
	if (res == SDB_FAULT)
		return CODE_STORAGE;
	/* Only grants can come again and again: the others change the row once. */
	if (res == SDB_OK && strcmp(act.typ, TYP_GRANT) == 0 &&
	    !has_room(d, &a, &seen->fresh))
		return CODE_QUOTA;
	code = consent_receive(db, &act, res == SDB_OK, &d->limits, &deliver);
	if (!deliver || code_class(code) != CODE_OK)
		return code;
	if (append(db, d, account, &seen->fresh, seen) != CODE_DONE)
		return CODE_STORAGE;
	*stored = true;
	return code;
}

/* A repeat. To a request or revocation the answer is always the same, so that nobody learns by
 * asking twice whether the first one came to anything. */
static unsigned
known(const struct admit *d)
{
	const char *typ = d->put.kind == ITEM_OBJECT ? consent_typ(d->put.body) : NULL;

	return typ == NULL || strcmp(typ, TYP_GRANT) == 0 ? CODE_KNOWN : CODE_RECEIVED;
}

unsigned
admit_to(
    struct sdb *db, const struct admit *d, const struct p_recipient *to, bool *stored)
{
	struct seen_item item = {.account = to->account,
	    .sender = d->outer.from,
	    .via = d->from == ADMIT_PEER ? d->name : d->domain,
	    .mid = d->outer.mid,
	    .outer = d->put.outer,
	    .body = d->put.body};
	struct seen_state state;
	enum seen seen = seen_judge(db, &item, &to->stanzas, &state);
	unsigned code = CODE_STORAGE;

	*stored = false;
	if (seen == SEEN_REPEAT)
		code = known(d);
	else if (sdb_low(db))
		code = CODE_STORAGE;
	else if (seen == SEEN_FULL)
		code = CODE_MID_USED;
	else if (seen != SEEN_FAULT && d->put.kind == ITEM_OBJECT)
		code = let_object(db, d, to->account, &state, stored);
	else if (seen != SEEN_FAULT)
		code = let_message(db, d, to->account, &state, stored);
	if (seen == SEEN_MORE && code == CODE_DONE)
		code = CODE_KNOWN;
	seen_clear(&state);
	return code;
}
