/* SPDX-License-Identifier: ISC */
/*
 * rows.h - what the local database's values hold, as objects for obj_decode/obj_encode.
 *
 * These are stored, not sent: a new version may add members, and reads what the last wrote.
 */
#ifndef LIBEMSG_ROWS_H
#define LIBEMSG_ROWS_H

#include "wire/inner.h"

#define ROW_HOST_MAX 253
#define ROW_KEYS_MAX 65536 /* bytes: all prekeys of an account */

/* DB_SELF "self". The seeds that an ordinary device does not have are absent. */
struct row_self {
	uint32_t has;
	struct span account;
	struct span host; /* absent: the domain */
	uint64_t port;
	uint8_t pin[32]; /* absent: WebPKI */
	uint8_t identity[32];
	uint8_t identity_seed[32]; /* absent on further devices */
	uint8_t list_seed[32];     /* absent on devices that may not add others */
	uint8_t device[16];
	uint8_t device_seed[32];
	struct span name; /* of this device */
	bool receipts;
	bool registered; /* the server has answered */
	uint64_t created;
};
enum row_self_key {
	SELF_HOST = 2,
	SELF_PIN = 4,
	SELF_IDENTITY_SEED = 6,
	SELF_LIST_SEED = 7
};

/* DB_SELF "list": what the server has of this account. */
struct row_list {
	uint32_t has;
	struct span listkey, devlist;
	struct obj_list prekeys; /* of bstr */
	uint64_t fetched;
};

/* DB_PREKEY */
struct row_prekey {
	uint32_t has;
	uint8_t id[8];
	uint8_t priv[32];
	struct span object;
	uint64_t time;
};

/* DB_CONTACT */
struct row_contact {
	uint32_t has;
	struct span account;
	uint64_t since;
	uint8_t identity[32]; /* the pin */
	struct span listkey, devlist;
	struct obj_list prekeys; /* of bstr */
	uint64_t fetched;        /* when list and prekeys were asked for last */
	bool verified;
	uint8_t alarm[32]; /* another identity key was seen and not accepted */
	bool wanted;       /* we asked */
	uint8_t shown[32]; /* the key whose number the user saw last */
};
enum row_contact_key {
	CONTACT_IDENTITY = 3,
	CONTACT_LISTKEY = 4,
	CONTACT_DEVLIST = 5,
	CONTACT_ALARM = 9,
	CONTACT_SHOWN = 11
};

/* DB_MESSAGE */
enum message_state { MESSAGE_UNREAD = 1, MESSAGE_READ = 2, MESSAGE_SENT = 3 };
struct row_message {
	uint32_t has;
	uint8_t mid[16];
	struct span peer, from;
	uint8_t device[16];
	uint64_t counter, time, received;
	struct span type, content;
	uint8_t name[32]; /* mimi-content message id */
};

/* DB_JOB */
enum job_state { JOB_WAITING = 1, JOB_DONE = 2, JOB_FAILED = 3 };
enum job_op {
	JOB_SEND = 1, /* content for peer */
	JOB_OBJECT,   /* a consent object for peer */
	JOB_KEYS,     /* list and prekeys of peer (or our own) */
	JOB_PREKEY,   /* publish the prekey */
	JOB_ENROL,    /* open a slot, wait for the new device, publish the list */
	JOB_OP_COUNT
};
struct row_job {
	uint32_t has;
	uint64_t number, op, step;
	struct span peer;
	uint8_t mid[16];
	uint64_t counter, time;
	struct span type, content; /* JOB_SEND */
	struct span object;        /* JOB_OBJECT; JOB_SEND: the sealed put */
	bool quiet;                /* has no fate */
	uint8_t token[16], secret[32];
	uint64_t expires, tries, next;
	uint64_t code;
	struct span text;
};
enum row_job_key { JOB_OBJECT_KEY = 10 };

/* DB_RECEIPT */
struct row_receipt {
	uint32_t has;
	struct span peer;
	uint8_t name[32];
	uint64_t status;
};

extern const struct obj_def row_self_def, row_list_def, row_prekey_def, row_contact_def,
    row_message_def, row_job_def, row_receipt_def;

#endif
