/* SPDX-License-Identifier: ISC */
/*
 * sctl.c - admin requests.
 *
 * What changes something answers after the commit, through the outbox; what only shows is
 * answered at once, and long lists in slices, so that a slow tool costs no memory. control has
 * checked the right to ask. An invitation is made here, once: its token is random and only its
 * hash is stored. Owns the listings under way and the pin of our own domain.
 */
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/cose.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "store/bounds.h"
#include "store/devlist.h"
#include "store/handle.h"
#include "store/outbox.h"
#include "store/peerdoc.h"
#include "store/sctl.h"
#include "store/store.h"
#include "store/token.h"
#include "wire/inner.h"

#define INVITE_BYTES 1024

static uint8_t own_pin[SHA_SIZE];
static bool have_pin;

void
on_doc_own(struct channel *ch, struct channel_msg *msg)
{
	const struct m_doc_own *m = msg->body;
	struct cose_sign1 sign1;
	struct s_domain doc;

	(void)ch;
	have_pin = cose_sign1_parse(m->document, &sign1) == COSE_OK &&
	    obj_decode(&s_domain_def, sign1.payload, &doc) == WIRE_OK &&
	    sha_of(span_of(doc.root, sizeof(doc.root)), own_pin) == 0;
}

/* --- answers after the commit --------------------------------------------------------------- */

static void
later_end(uint64_t id, unsigned code, const char *text)
{
	struct m_ctl_end end = {.code = (uint16_t)code, .text = span_str(text)};

	outbox_add(ROLE_CONTROL, MSG_CTL_END, id, &end);
}

static void
later_row(uint64_t id, enum ctl_row kind, const void *row)
{
	struct m_ctl_row m = {.kind = (uint16_t)kind};
	struct buf b;

	buf_init(&b, ADMIN_ROW_MAX);
	if (obj_encode(ctl_row_def(kind), row, &b) == WIRE_OK && !buf_failed(&b)) {
		m.row = buf_span(&b);
		outbox_add(ROLE_CONTROL, MSG_CTL_ROW, id, &m);
	}
	buf_clear(&b);
}

/* --- names ---------------------------------------------------------------------------------- */

/* "alice", "alice#im.alpha.test" or "alice@...": an address of ours in wire form. */
static bool
own_address(struct span name, char out[ADDR_TEXT_SIZE], const char **why)
{
	struct addr a = {.local = name, .domain = store_domain()};
	bool whole = name.n > 0 &&
	    (memchr(name.p, '#', name.n) != NULL || memchr(name.p, '@', name.n) != NULL);

	if (whole && !addr_parse(name, &a, why))
		return false;
	if (!addr_local_valid(a.local, why))
		return false;
	*why = "the address is not of this server's domain";
	if (!span_eq(a.domain, store_domain()))
		return false;
	addr_print(&a, out);
	return out[0] != '\0';
}

static bool
name_arg(const struct m_ctl_ask *ask, char out[ADDR_TEXT_SIZE], const char **why)
{
	struct ctl_name args;

	*why = "which user?";
	return obj_decode(&ctl_name_def, ask->args, &args) == WIRE_OK &&
	    own_address(args.name, out, why);
}

/* --- invitations ---------------------------------------------------------------------------- */

/* The text of an invitation: prefix and base64url of the object. */
static bool
invite_text(const struct i_invite *invite, char text[INVITE_BYTES])
{
	size_t n = strlen(INVITE_PREFIX);
	struct buf b;
	bool ok;

	buf_init(&b, INVITE_BYTES / 2);
	ok = obj_encode(&i_invite_def, invite, &b) == WIRE_OK && !buf_failed(&b);
	if (ok) {
		memcpy(text, INVITE_PREFIX, n);
		b64url_encode(buf_span(&b), text + n);
	}
	buf_wipe(&b);
	return ok;
}

static void
fill_invite(struct i_invite *invite, struct span account, uint64_t expires)
{
	const char *host = conf_str(store_conf(), CONF_INVITE_HOST);
	uint64_t port = conf_u64(store_conf(), CONF_INVITE_PORT);

	*invite = (struct i_invite){.kind = INVITE_ACCOUNT,
	    .domain = store_domain(),
	    .account = account,
	    .expires = expires,
	    .port = port};
	if (host != NULL) {
		invite->host = span_str(host);
		obj_set(&i_invite_def, invite, 3);
	}
	if (port != PROTO_PORT)
		obj_set(&i_invite_def, invite, 4);
	if (have_pin) {
		memcpy(invite->pin, own_pin, sizeof(own_pin));
		obj_set(&i_invite_def, invite, 5);
	}
	if (account.n > 0)
		obj_set(&i_invite_def, invite, 7);
}

/* Makes an invitation and answers with it. account may be empty. */
static void
give_invite(uint64_t id, struct span account, uint64_t ttl)
{
	uint64_t expires = clock_wall_ms() + ttl;
	struct ctl_invite row = {.account = account, .expires_at = expires};
	char text[INVITE_BYTES];
	struct i_invite invite;

	fill_invite(&invite, account, expires);
	if (token_invite(store_db(), account, expires, invite.token) != SDB_OK) {
		later_end(id, CODE_STORAGE, "the store could not write; see its log");
		return;
	}
	if (!invite_text(&invite, text)) {
		later_end(id, CODE_STORAGE, "the invitation could not be made");
		return;
	}
	row.invite = span_str(text);
	if (account.n > 0)
		obj_set(&ctl_invite_def, &row, 2);
	later_row(id, ROW_INVITE, &row);
	later_end(id, CODE_DONE, "");
	wipe(text, sizeof(text));
	wipe(&invite, sizeof(invite));
}

/* Arguments of "user add" and "invite create": an address (may be empty) and a life. */
static bool
invite_args(const struct m_ctl_ask *ask, char account[ADDR_TEXT_SIZE], uint64_t *ttl,
    const char **why)
{
	struct ctl_invite_args args;

	account[0] = '\0';
	*why = "for whom, and how long?";
	if (obj_decode(&ctl_invite_args_def, ask->args, &args) != WIRE_OK)
		return false;
	if (obj_has(&ctl_invite_args_def, &args, 1) && args.account.n > 0 &&
	    !own_address(args.account, account, why))
		return false;
	*ttl = args.ttl == 0 ? STORE_INVITE_DAYS * DAY_MS / 1000 : args.ttl;
	*why = "an invitation lives for at most 365 days";
	return *ttl <= STORE_INVITE_MAX_MS / 1000;
}

static void
invite_create(uint64_t id, const struct m_ctl_ask *ask)
{
	char account[ADDR_TEXT_SIZE];
	const char *why;
	uint64_t ttl;

	if (!invite_args(ask, account, &ttl, &why)) {
		later_end(id, CODE_MALFORMED, why);
		return;
	}
	log_info("invite.create", "account=%s uid=%u", log_account(span_str(account)),
	    ask->uid);
	give_invite(id, span_str(account), ttl * 1000);
}

/* --- users ---------------------------------------------------------------------------------- */

/* Reserves the name and makes an invitation for it. */
static void
user_add(uint64_t id, const struct m_ctl_ask *ask)
{
	struct acct a = {.state = ACCT_INVITED, .created = clock_wall_ms()}, old;
	char account[ADDR_TEXT_SIZE];
	enum sdb_result res;
	const char *why;
	uint64_t ttl;

	if (!invite_args(ask, account, &ttl, &why) || account[0] == '\0') {
		later_end(id, CODE_MALFORMED, why);
		return;
	}
	res = acct_get(store_db(), span_str(account), &old);
	if (res == SDB_OK && old.state != ACCT_INVITED) {
		later_end(id, CODE_NAME_TAKEN,
		    old.state == ACCT_GONE
			? "there was such an account; names are not given twice"
			: "there is such an account");
		return;
	}
	if (res == SDB_NONE)
		res = acct_put(store_db(), span_str(account), &a);
	if (res != SDB_OK) {
		later_end(id, CODE_STORAGE, "the store could not write; see its log");
		return;
	}
	log_info(
	    "user.add", "account=%s uid=%u", log_account(span_str(account)), ask->uid);
	give_invite(id, span_str(account), ttl * 1000);
}

/* Removes all that hangs on an account. Entries beyond the bound go with their time. */
static enum sdb_result
clear_account(struct span account)
{
	static const enum sdb_table tables[] = {SDB_LIST, SDB_PREKEY, SDB_DEVICE,
	    SDB_CONSENT, SDB_MAILBOX, SDB_BODY, SDB_STATE};
	enum sdb_result res = SDB_OK;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && res == SDB_OK; i++)
		res = acct_clear(store_db(), tables[i], account, STORE_TRIM * 10);
	return res == SDB_OK ? token_close(store_db(), account) : res;
}

static void
user_del(uint64_t id, const struct m_ctl_ask *ask)
{
	struct acct gone = {.state = ACCT_GONE}, a;
	char account[ADDR_TEXT_SIZE];
	enum sdb_result res;
	const char *why;
	struct span name;

	if (!name_arg(ask, account, &why)) {
		later_end(id, CODE_MALFORMED, why);
		return;
	}
	name = span_str(account);
	res = acct_get(store_db(), name, &a);
	if (res == SDB_NONE || (res == SDB_OK && a.state == ACCT_GONE)) {
		later_end(id, CODE_UNKNOWN_ACCOUNT, "there is no such account");
		return;
	}
	if (res == SDB_OK) {
		gone.created = a.created;
		res = acct_put(store_db(), name, &gone);
	}
	if (res == SDB_OK)
		res = clear_account(name);
	if (res != SDB_OK) {
		later_end(id, CODE_STORAGE, "the store could not write; see its log");
		return;
	}
	log_info(
	    "user.del", "account=%s uid=%u", log_account(span_str(account)), ask->uid);
	for (struct handle *h = handle_of(name); h != NULL; h = h->next) {
		struct m_handle m = {.handle = h->id, .code = CODE_UNKNOWN_ACCOUNT};

		outbox_add(ROLE_LISTENER, MSG_REVOKE, 0, &m);
	}
	later_end(id, CODE_DONE, "");
}

static uint64_t
count_devices(struct span account)
{
	struct sdb_walk w;
	struct device d;
	uint64_t n = 0;

	device_walk(&w, store_db(), account);
	while (device_next(&w, &d))
		n++;
	return n;
}

static void
user_row(struct channel *ch, uint64_t id, struct span account, const struct acct *a)
{
	struct ctl_user row = {.account = account,
	    .state = span_str(acct_state_name(a->state)),
	    .created_at = a->created,
	    .devices = count_devices(account),
	    .items = a->items,
	    .bytes = a->bytes};

	admin_row(ch, id, ROW_USER, &row);
}

/* The name that the list gives to a device. */
static struct span
device_name(const struct devlist *list, const uint8_t id[16])
{
	struct s_device found;

	return trust_device(&list->trust, id, &found) ? found.name : span_str("?");
}

static void
device_rows(struct channel *ch, uint64_t id, struct span account)
{
	char hex[2 * PROTO_DEVICE_SIZE + 1];
	struct devlist list;
	struct sdb_walk w;
	struct device d;

	if (devlist_get(store_db(), account, &list) != SDB_OK)
		return;
	device_walk(&w, store_db(), account);
	while (device_next(&w, &d)) {
		struct ctl_device row = {.device = span_str(hex),
		    .name = device_name(&list, d.id),
		    .added_at = d.added,
		    .cursor = d.cursor};

		hex_encode(span_of(d.id, sizeof(d.id)), hex);
		row.device = span_str(hex);
		if (d.seen > 0) {
			row.seen_at = d.seen;
			obj_set(&ctl_device_def, &row, 4);
		}
		for (struct handle *h = handle_of(account); h != NULL; h = h->next)
			row.online |= memcmp(h->device, d.id, sizeof(d.id)) == 0;
		admin_row(ch, id, ROW_DEVICE, &row);
	}
}

static void
user_show(struct channel *ch, uint64_t id, const struct m_ctl_ask *ask)
{
	char account[ADDR_TEXT_SIZE];
	struct acct a;
	const char *why;

	if (!name_arg(ask, account, &why)) {
		admin_end(ch, id, CODE_MALFORMED, why);
		return;
	}
	switch (acct_get(store_db(), span_str(account), &a)) {
	case SDB_OK:
		user_row(ch, id, span_str(account), &a);
		device_rows(ch, id, span_str(account));
		admin_end(ch, id, CODE_DONE, "");
		break;
	case SDB_NONE:
		admin_end(ch, id, CODE_UNKNOWN_ACCOUNT, "there is no such account");
		break;
	default:
		admin_end(ch, id, CODE_STORAGE, "the row cannot be read; see the log");
	}
}

/* --- listings ------------------------------------------------------------------------------- */

struct listing {
	uint64_t id; /* 0: free */
	enum sdb_table table;
	struct skey at;
};
static struct listing listings[STORE_LISTINGS];

static void
peer_row(struct channel *ch, uint64_t id, struct span domain, const struct peerdoc *d)
{
	char root[2 * SHA_SIZE + 1], other[2 * SHA_SIZE + 1], text[PEERDOC_TEXT];
	struct ctl_peer row = {
	    .domain = domain, .state = span_str("ok"), .fetched_at = d->fetched};
	struct trust_domain td;

	hex_encode(span_of(d->pin, SHA_SIZE), root);
	row.root = span_str(root);
	if (trust_domain(d->document, domain, clock_wall_ms(), &td) == CODE_DONE)
		row.seq = td.doc.seq;
	else
		row.state = span_str("expired");
	obj_set(&ctl_peer_def, &row, 5);
	if (d->seen > 0) {
		row.seen_at = d->seen;
		obj_set(&ctl_peer_def, &row, 6);
	}
	if (d->state == PEERDOC_ROOT_CHANGED) {
		hex_encode(span_of(d->other, SHA_SIZE), other);
		snprintf(text, sizeof(text), "shows the root key %s", other);
		row.state = span_str("root-changed");
		row.text = span_str(text);
		obj_set(&ctl_peer_def, &row, 7);
	}
	admin_row(ch, id, ROW_PEER, &row);
}

static void
list_row(struct channel *ch, const struct listing *l, struct span key, struct span value)
{
	struct addr addr = {.domain = store_domain()};
	char account[ADDR_TEXT_SIZE];
	struct peerdoc doc;
	struct acct a;

	if (l->table == SDB_PEER) {
		if (peerdoc_decode(value, &doc))
			peer_row(ch, l->id, key, &doc);
		return;
	}
	if (key.n == 0 || !acct_decode(value, &a))
		return;
	addr.local = span_of(key.p, key.n - 1);
	addr_print(&addr, account);
	user_row(ch, l->id, span_str(account), &a);
}

/* Sends rows until the channel has enough; true at the end. */
static bool
list_slice(struct channel *ch, struct listing *l)
{
	struct span key, value;
	struct sdb_walk w;
	struct skey none;

	skey_init(&none);
	sdb_walk_init(&w, store_db(), l->table, &none);
	if (l->at.n > 0)
		sdb_walk_from(&w, &l->at);
	for (size_t i = 0; i < STORE_SWEEP; i++) {
		if (channel_out_bytes(ch) > STORE_LISTING_BYTES)
			break;
		if (!sdb_walk_next(&w, &key, &value))
			return true;
		list_row(ch, l, key, value);
	}
	l->at = w.at;
	return false;
}

void
sctl_turn(void)
{
	struct channel *ch = proc_channel(ROLE_CONTROL);

	for (size_t i = 0; i < STORE_LISTINGS && ch != NULL; i++) {
		struct listing *l = &listings[i];

		if (l->id == 0)
			continue;
		if (list_slice(ch, l)) {
			admin_end(ch, l->id, CODE_DONE, "");
			l->id = 0;
		} else if (channel_out_bytes(ch) <= STORE_LISTING_BYTES) {
			proc_wake();
		}
	}
}

static void
list_start(struct channel *ch, uint64_t id, enum sdb_table table)
{
	for (size_t i = 0; i < STORE_LISTINGS; i++) {
		if (listings[i].id != 0)
			continue;
		listings[i] = (struct listing){.id = id, .table = table};
		return;
	}
	admin_end(ch, id, CODE_BUSY, "too many listings at a time");
}

void
sctl_gone(void)
{
	memset(listings, 0, sizeof(listings));
}

void
on_ctl_cancel(struct channel *ch, struct channel_msg *msg)
{
	(void)ch;
	for (size_t i = 0; i < STORE_LISTINGS; i++)
		if (listings[i].id == msg->id)
			listings[i].id = 0;
}

void
on_ctl_ask(struct channel *ch, struct channel_msg *msg)
{
	const struct m_ctl_ask *ask = msg->body;

	switch (ask->command) {
	case CTL_USER_ADD:
		user_add(msg->id, ask);
		break;
	case CTL_USER_LIST:
		list_start(ch, msg->id, SDB_ACCOUNT);
		break;
	case CTL_USER_SHOW:
		user_show(ch, msg->id, ask);
		break;
	case CTL_USER_DEL:
		user_del(msg->id, ask);
		break;
	case CTL_INVITE_CREATE:
		invite_create(msg->id, ask);
		break;
	case CTL_PEER_LIST:
		list_start(ch, msg->id, SDB_PEER);
		break;
	default:
		admin_end(
		    ch, msg->id, CODE_UNSUPPORTED, "not a command for this process");
	}
}
