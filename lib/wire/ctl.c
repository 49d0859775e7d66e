/* SPDX-License-Identifier: ISC */
/*
 * ctl.c - the tables of the admin protocol. Pure data and look-ups.
 */
#include <stddef.h>

#include "wire/ctl.h"

#define REQ OBJ_REQUIRED
#define TEXT(k, st, m, fl) OBJ_FIELD(k, OBJ_TSTR, struct st, m, 0, 512, fl)
#define NUM(k, st, m, fl) OBJ_FIELD(k, OBJ_UINT, struct st, m, 0, 0, fl)
#define DEF(n)                                                                           \
	{                                                                                \
#n, sizeof(struct ctl_##n), OBJ_MAP, OBJ_FIELDS(n##_fields)              \
	}

struct ctl_none {
	uint32_t has;
};
const struct obj_def ctl_none_def = {"none", sizeof(struct ctl_none), OBJ_MAP, NULL, 0};

static const struct obj_field name_fields[] = {TEXT(1, ctl_name, name, REQ)};
const struct obj_def ctl_name_def = DEF(name);

static const struct obj_field invite_args_fields[] = {
    TEXT(1, ctl_invite_args, account, 0),
    NUM(2, ctl_invite_args, ttl, REQ),
};
const struct obj_def ctl_invite_args_def = DEF(invite_args);

static const struct obj_field queue_args_fields[] = {
    OBJ_LIST_OF(1, struct ctl_queue_args, qids, 0, 512, OBJ_TSTR, 1, 32, 0),
    TEXT(2, ctl_queue_args, dest, 0),
    OBJ_FIELD(3, OBJ_BOOL, struct ctl_queue_args, all, 0, 0, 0),
    NUM(4, ctl_queue_args, limit, 0),
};
const struct obj_def ctl_queue_args_def = DEF(queue_args);

static const struct obj_field note_fields[] = {TEXT(1, ctl_note, text, REQ)};
const struct obj_def ctl_note_def = DEF(note);

static const struct obj_field process_fields[] = {
    TEXT(1, ctl_process, name, REQ),
    TEXT(2, ctl_process, state, REQ),
    NUM(3, ctl_process, pid, 0),
    TEXT(4, ctl_process, user, 0),
    NUM(5, ctl_process, started_at, 0),
    NUM(6, ctl_process, restarts, REQ),
    NUM(7, ctl_process, rss, 0),
    OBJ_FIELD(8, OBJ_BOOL, struct ctl_process, sandbox, 0, 0, 0),
    OBJ_FIELD(9, OBJ_TSTR, struct ctl_process, figures, 0, 4096, 0),
};
const struct obj_def ctl_process_def = DEF(process);

static const struct obj_field change_fields[] = {
    TEXT(1, ctl_change, key, REQ),
    OBJ_FIELD(2, OBJ_TSTR, struct ctl_change, was, 0, 4096, 0),
    OBJ_FIELD(3, OBJ_TSTR, struct ctl_change, now, 0, 4096, 0),
    TEXT(4, ctl_change, applies, REQ),
};
const struct obj_def ctl_change_def = DEF(change);

static const struct obj_field user_fields[] = {
    TEXT(1, ctl_user, account, REQ),
    TEXT(2, ctl_user, state, REQ),
    NUM(3, ctl_user, created_at, REQ),
    NUM(4, ctl_user, devices, REQ),
    NUM(5, ctl_user, items, REQ),
    NUM(6, ctl_user, bytes, REQ),
};
const struct obj_def ctl_user_def = DEF(user);

static const struct obj_field device_fields[] = {
    TEXT(1, ctl_device, device, REQ),
    TEXT(2, ctl_device, name, REQ),
    NUM(3, ctl_device, added_at, REQ),
    NUM(4, ctl_device, seen_at, 0),
    NUM(5, ctl_device, cursor, REQ),
    OBJ_FIELD(6, OBJ_BOOL, struct ctl_device, online, 0, 0, REQ),
};
const struct obj_def ctl_device_def = DEF(device);

static const struct obj_field invite_fields[] = {
    OBJ_FIELD(1, OBJ_TSTR, struct ctl_invite, invite, 1, 2048, REQ),
    TEXT(2, ctl_invite, account, 0),
    NUM(3, ctl_invite, expires_at, REQ),
};
const struct obj_def ctl_invite_def = DEF(invite);

static const struct obj_field domain_fields[] = {
    TEXT(1, ctl_domain, domain, REQ),
    TEXT(2, ctl_domain, root, REQ),
    NUM(3, ctl_domain, seq, REQ),
    NUM(4, ctl_domain, issued_at, REQ),
    NUM(5, ctl_domain, expires_at, REQ),
    TEXT(6, ctl_domain, document, REQ),
};
const struct obj_def ctl_domain_def = DEF(domain);

static const struct obj_field key_fields[] = {
    TEXT(1, ctl_key, name, REQ),
    TEXT(2, ctl_key, type, REQ),
    TEXT(3, ctl_key, fingerprint, REQ),
    NUM(4, ctl_key, from_at, 0),
    NUM(5, ctl_key, until_at, 0),
};
const struct obj_def ctl_key_def = DEF(key);

static const struct obj_field peer_fields[] = {
    TEXT(1, ctl_peer, domain, REQ),
    TEXT(2, ctl_peer, root, REQ),
    TEXT(3, ctl_peer, state, REQ),
    NUM(4, ctl_peer, seq, REQ),
    NUM(5, ctl_peer, fetched_at, 0),
    NUM(6, ctl_peer, seen_at, 0),
    TEXT(7, ctl_peer, text, 0),
};
const struct obj_def ctl_peer_def = DEF(peer);

static const struct obj_field item_fields[] = {
    TEXT(1, ctl_item, qid, REQ),
    TEXT(2, ctl_item, mid, REQ),
    TEXT(3, ctl_item, state, REQ),
    TEXT(4, ctl_item, from, REQ),
    OBJ_FIELD(5, OBJ_TSTR, struct ctl_item, to, 0, 4096, REQ),
    TEXT(6, ctl_item, dest, REQ),
    NUM(7, ctl_item, size, REQ),
    NUM(8, ctl_item, arrived_at, REQ),
    NUM(9, ctl_item, tries, REQ),
    NUM(10, ctl_item, last_at, 0),
    NUM(11, ctl_item, next_at, 0),
    NUM(12, ctl_item, expires_at, REQ),
    NUM(13, ctl_item, code, 0),
    TEXT(14, ctl_item, error, 0),
};
const struct obj_def ctl_item_def = DEF(item);

static const struct obj_field attempt_fields[] = {
    NUM(1, ctl_attempt, time_at, REQ),
    TEXT(2, ctl_attempt, recipient, 0),
    NUM(3, ctl_attempt, code, REQ),
    TEXT(4, ctl_attempt, text, 0),
};
const struct obj_def ctl_attempt_def = DEF(attempt);

static const struct ctl commands[] = {
    {CTL_STATUS, "status", ROLE_MASTER, CTL_VIEW, &ctl_none_def},
    {CTL_RELOAD, "reload", ROLE_MASTER, CTL_ADMIN, &ctl_none_def},
    {CTL_STOP, "stop", ROLE_MASTER, CTL_ROOT, &ctl_none_def},
    {CTL_USER_ADD, "user add", ROLE_STORE, CTL_ADMIN, &ctl_invite_args_def},
    {CTL_USER_LIST, "user list", ROLE_STORE, CTL_ADMIN, &ctl_none_def},
    {CTL_USER_SHOW, "user show", ROLE_STORE, CTL_ADMIN, &ctl_name_def},
    {CTL_USER_DEL, "user del", ROLE_STORE, CTL_ADMIN, &ctl_name_def},
    {CTL_INVITE_CREATE, "invite create", ROLE_STORE, CTL_ADMIN, &ctl_invite_args_def},
    {CTL_DOMAIN_SHOW, "domain", ROLE_KEYD, CTL_VIEW, &ctl_none_def},
    {CTL_KEY_LIST, "key list", ROLE_KEYD, CTL_ADMIN, &ctl_none_def},
    {CTL_KEY_SHOW, "key show", ROLE_KEYD, CTL_ADMIN, &ctl_name_def},
    {CTL_PEER_LIST, "peer list", ROLE_STORE, CTL_VIEW, &ctl_none_def},
    {CTL_QUEUE_LIST, "list", ROLE_QUEUE, CTL_VIEW, &ctl_queue_args_def},
    {CTL_QUEUE_SHOW, "show", ROLE_QUEUE, CTL_VIEW, &ctl_name_def},
    {CTL_QUEUE_RETRY, "retry", ROLE_QUEUE, CTL_VIEW, &ctl_queue_args_def},
    {CTL_QUEUE_DROP, "drop", ROLE_QUEUE, CTL_ADMIN, &ctl_queue_args_def},
};

const struct ctl *
ctl_at(size_t i)
{
	return i < sizeof(commands) / sizeof(commands[0]) ? &commands[i] : NULL;
}

const struct ctl *
ctl_find(unsigned command)
{
	for (size_t i = 0; ctl_at(i) != NULL; i++)
		if ((unsigned)commands[i].command == command)
			return &commands[i];
	return NULL;
}

const struct obj_def *
ctl_row_def(unsigned kind)
{
	static const struct obj_def *const rows[] = {NULL, &ctl_note_def,
	    &ctl_process_def, &ctl_change_def, &ctl_user_def, &ctl_device_def,
	    &ctl_invite_def, &ctl_domain_def, &ctl_key_def, &ctl_peer_def, &ctl_item_def,
	    &ctl_attempt_def};

	return kind < sizeof(rows) / sizeof(rows[0]) ? rows[kind] : NULL;
}
