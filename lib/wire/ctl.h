/* SPDX-License-Identifier: ISC */
/*
 * ctl.h - the admin protocol: commands, who may give them, who carries them out, and the
 * objects that they take and give.
 *
 * A tool connects to the admin socket and sends MSG_CTL_ASK frames (ipc/frame.h). control
 * checks the right, fills in the uid, forwards to the target process; rows (MSG_CTL_ROW)
 * and the end (MSG_CTL_END) come back under the same id. The names of members are the names
 * of columns and of JSON members: the tools print any row from its table alone. Members
 * whose names end in _at are milliseconds since 1970 and print as RFC 3339.
 */
#ifndef WIRE_CTL_H
#define WIRE_CTL_H

#include "base/role.h"
#include "wire/proto.h"

/* Who may give a command: members of the view group, of the admin group, root (and in
 * one-directory mode the user that runs the suite, who counts as root). */
enum ctl_right { CTL_VIEW, CTL_ADMIN, CTL_ROOT };

enum ctl_command {
	CTL_STATUS = 1,
	CTL_RELOAD,
	CTL_STOP,
	CTL_USER_ADD,
	CTL_USER_LIST,
	CTL_USER_SHOW,
	CTL_USER_DEL,
	CTL_INVITE_CREATE,
	CTL_DOMAIN_SHOW,
	CTL_KEY_LIST,
	CTL_KEY_SHOW,
	CTL_PEER_LIST,
	CTL_QUEUE_LIST,
	CTL_QUEUE_SHOW,
	CTL_QUEUE_RETRY,
	CTL_QUEUE_DROP,
};

struct ctl {
	enum ctl_command command;
	const char *name; /* "user add" */
	enum role target;
	enum ctl_right right;
	const struct obj_def *args;
};
/* The command, or NULL. */
const struct ctl *ctl_find(unsigned command);
const struct ctl *ctl_at(size_t i);

/* Kinds of rows, in struct m_ctl_row. */
enum ctl_row {
	ROW_NOTE = 1,
	ROW_PROCESS,
	ROW_CHANGE,
	ROW_USER,
	ROW_DEVICE,
	ROW_INVITE,
	ROW_DOMAIN,
	ROW_KEY,
	ROW_PEER,
	ROW_ITEM,
	ROW_ATTEMPT,
};
/* The object of a kind, or NULL. */
const struct obj_def *ctl_row_def(unsigned kind);

/* Arguments. */
struct ctl_name {
	uint32_t has;
	struct span name; /* user, key or qid */
};
struct ctl_invite_args {
	uint32_t has;
	struct span account; /* optional: bound to this address */
	uint64_t ttl;        /* seconds */
};
struct ctl_queue_args {
	uint32_t has;
	struct obj_list qids; /* of tstr */
	struct span dest;
	bool all;
	uint64_t limit;
};

/* Rows. */
struct ctl_note {
	uint32_t has;
	struct span text;
};
struct ctl_process {
	uint32_t has;
	struct span name, state, user;
	uint64_t pid, started_at, restarts, rss;
	bool sandbox;
	struct span figures; /* "name=number name=number" */
};
struct ctl_change {
	uint32_t has;
	struct span key, was, now, applies;
};
struct ctl_user {
	uint32_t has;
	struct span account, state;
	uint64_t created_at, devices, items, bytes;
};
struct ctl_device {
	uint32_t has;
	struct span device, name;
	uint64_t added_at, seen_at, cursor;
	bool online;
};
struct ctl_invite {
	uint32_t has;
	struct span invite, account;
	uint64_t expires_at;
};
struct ctl_domain {
	uint32_t has;
	struct span domain, root;
	uint64_t seq, issued_at, expires_at;
	struct span document;
};
struct ctl_key {
	uint32_t has;
	struct span name, type, fingerprint;
	uint64_t from_at, until_at;
};
struct ctl_peer {
	uint32_t has;
	struct span domain, root, state;
	uint64_t seq, fetched_at, seen_at;
	struct span text;
};
struct ctl_item {
	uint32_t has;
	struct span qid, mid, state, from, to, dest;
	uint64_t size, arrived_at, tries, last_at, next_at, expires_at;
	uint64_t code;
	struct span error;
};
struct ctl_attempt {
	uint32_t has;
	uint64_t time_at;
	struct span recipient;
	uint64_t code;
	struct span text;
};

extern const struct obj_def ctl_none_def, ctl_name_def, ctl_invite_args_def,
    ctl_queue_args_def, ctl_note_def, ctl_process_def, ctl_change_def, ctl_user_def,
    ctl_device_def, ctl_invite_def, ctl_domain_def, ctl_key_def, ctl_peer_def,
    ctl_item_def, ctl_attempt_def;

#endif
