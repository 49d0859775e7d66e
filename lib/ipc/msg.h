/* SPDX-License-Identifier: ISC */
/*
 * msg.h - THE table of messages between processes: who sends what to whom, and its shape.
 *
 * The skeleton (channel.c) checks every message against this table before a handler sees
 * it. The structs of the payloads are in msgs.h. The set of channels that exist follows
 * from the table as well: two processes have one if some message may pass between them.
 */
#ifndef IPC_MSG_H
#define IPC_MSG_H

#include "base/role.h"
#include "ipc/payload.h"

enum msg_flag {
	MSG_FD = 1 << 0,     /* carries exactly one descriptor */
	MSG_SECRET = 1 << 1, /* the payload buffers are wiped after use */
	MSG_WORK = 1 << 2,   /* new work: needs credit; all others always pass */
};

struct msg_def {
	uint16_t type;
	const char *name;
	unsigned from, to; /* sets of roles, ROLE_BIT() */
	unsigned flags;
	const struct field *fields;
	size_t size; /* of the payload's struct */
};

/* The definition of a type, or NULL. */
const struct msg_def *msg_find(uint16_t type);
/* For walking the whole table: i from 0; NULL at the end. */
const struct msg_def *msg_at(size_t i);
/* Its name for logs; "?" if unknown. */
const char *msg_name(uint16_t type);
/* Whether some message may pass between the two, in either direction. */
bool msg_channel_exists(enum role, enum role);

/* The largest payload of any message, and so the frame limit of every channel: an item of
 * the greatest size (MSG_ITEM_MAX) with its fixed fields. */
#define MSG_ITEM_MAX (272u * 1024u)
#define MSG_REQ_MAX 65536u /* a wire request or its answer */
#define MSG_RESULT_MAX                                                                   \
	(80u * 1024u) /* a wire result: 100 outcomes with all they may hold */
#define MSG_PAYLOAD_MAX (MSG_ITEM_MAX + 4096u)

enum msg_type {
	/* master and every other process */
	MSG_BOOT = 1,    /* master -> child: who you are */
	MSG_CONF,        /* master -> child: values of a generation */
	MSG_CONF_OK,     /* child -> master: that generation is prepared, or why not */
	MSG_CONF_SWITCH, /* master -> child: use it */
	MSG_RESOURCE, /* master -> child: a descriptor: listening socket, key file, ... */
	MSG_PEER,     /* master -> child: your end of a channel to another process */
	MSG_START,    /* master -> child: you have all; drop and go */
	MSG_READY,    /* child -> master: dropped, caged, serving */
	MSG_STOP,     /* master -> child: finish and exit */
	MSG_OFFENCE,  /* child -> master: that neighbour broke the rules */
	MSG_STATUS_ASK, /* master -> child */
	MSG_STATUS,     /* child -> master: one object for `emsgctl status` */
	MSG_LOG_LEVEL,  /* master -> child */

	/* admin requests: control <-> master, store, queue, keyd */
	MSG_CTL_ASK =
	    32,         /* control -> target; also tool -> control on the admin socket */
	MSG_CTL_ROW,    /* target -> control -> tool: one row of the answer */
	MSG_CTL_END,    /* target -> control -> tool: the end, with a result */
	MSG_CTL_CANCEL, /* control -> target: the tool is gone */

	/* listener <-> store */
	MSG_NONCE_ASK = 64, /* listener: make me nonces */
	MSG_NONCE,          /* store: one nonce */
	MSG_LOGIN,          /* listener: a device's proof */
	MSG_LOGIN_RES,      /* store: handle, or why not */
	MSG_PEER_AUTH,      /* listener: a dialling peer's proof */
	MSG_PEER_AUTH_RES,  /* store: handle, or why not */
	MSG_REQ,            /* listener: a wire request (device, peer or nobody yet) */
	MSG_RES,            /* store: its answer */
	MSG_PUT,            /* listener: an item for accounts of this server */
	MSG_PUT_RES,        /* store: results, after the commit */
	MSG_PUSH,           /* store: an item for a device */
	MSG_DONE,           /* listener: the device has everything up to seq */
	MSG_CREDIT,         /* listener: the device's window for pushes */
	MSG_EVENT,          /* store: an ephemeral event for a device */
	MSG_LINK_END,       /* listener: the link behind a handle is gone */
	MSG_REVOKE,         /* store: end the link behind a handle */

	/* listener <-> queue */
	MSG_SUBMIT = 96, /* listener: an item for other servers */
	MSG_SUBMIT_RES,  /* queue: results, after the sync */

	/* listener, relay <-> keyd */
	MSG_TLS_SIGN = 112, /* listener: CertificateVerify content */
	MSG_SIGNED,         /* keyd: the signature or object, or why not */
	MSG_PROVE_ACCEPT,   /* listener: our proof to a dialling peer */
	MSG_PROVE_SERVER,   /* listener: our proof to a device that pins the domain key */
	MSG_PROVE_DIAL,     /* relay: our proof to a peer that we dialled */
	MSG_DOC_OWN, /* keyd: the current domain document, at start and on change */

	/* store <-> queue */
	MSG_HANDLE_ADD = 128, /* store: a handle lives from now on */
	MSG_HANDLE_OK,        /* queue: noted */
	MSG_HANDLE_DEL,       /* store: it is gone */
	MSG_FATE,             /* queue: what became of one message for one recipient */
	MSG_FATE_OK,          /* store: committed */

	/* queue <-> relay */
	MSG_SEND = 144, /* queue: an item for a destination */
	MSG_SENT,       /* relay: the peer's results per recipient */
	MSG_SEND_FAIL,  /* relay: not sent, temporary, with the reason */
	MSG_PEER_UP,    /* relay: a link to that domain is proved */
	MSG_PEER_DOWN,  /* relay: it ended, how, why */
	MSG_PEER_NOTED, /* queue: it knows; what it sends from now on takes the next link */

	/* relay <-> store */
	MSG_DOC_FETCH = 160, /* store: get that domain's document from its own address */
	MSG_DOC,             /* relay: the document, or why not */
	MSG_PEER_CHECK,      /* relay: is this the proof of the domain that I dialled? */
	MSG_PEER_CHECK_RES,  /* store */
	MSG_QUERY,           /* store: ask that peer a wire request */
	MSG_QUERY_RES,       /* relay: its answer */

	/* relay <-> dialer */
	MSG_CONNECT = 176, /* relay: connect to a peer */
	MSG_CONNECTED,     /* dialer: the connected socket */
	MSG_CONNECT_FAIL,  /* dialer: why not */
};

#endif
