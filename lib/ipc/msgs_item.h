/* SPDX-License-Identifier: ISC */
/*
 * msgs_item.h - payloads between listener, store, queue and relay: proofs, items, results.
 * See msgs.h.
 */
#ifndef IPC_MSGS_ITEM_H
#define IPC_MSGS_ITEM_H

#include "ipc/msg.h"

/* --- listener <-> store --------------------------------------------------------------- */

struct m_nonce {
	uint8_t nonce[32];
};
struct m_login {
	uint64_t link;     /* listener's number of the connection; only echoed */
	uint8_t nonce[32]; /* the one this link was given */
	uint8_t exporter[32];
	struct span addr; /* remote address, for logs and limits */
	struct span auth; /* wire: body of the auth frame */
};
struct m_login_res {
	uint64_t link;
	uint64_t handle; /* 0 if refused */
	uint16_t code;
	struct span welcome; /* wire: body of the welcome frame; empty if refused */
};
struct m_peer_auth {
	uint64_t link;
	uint8_t nonce[32];
	uint8_t exporter[32];
	struct span addr;
	struct span auth; /* wire: body of the auth frame */
};
struct m_peer_auth_res {
	uint64_t link;
	uint64_t handle;
	uint16_t code;
	uint8_t nonce[32];  /* the dialler's, for our own proof */
	struct span domain; /* the proved domain */
	struct span text;   /* why not */
};
struct m_req {
	uint64_t handle; /* 0: nobody has proved anything on this link yet */
	uint64_t link;
	struct span req; /* wire: body of the req frame */
};
struct m_res {
	uint64_t link;
	struct span res; /* wire: body of the res frame */
};
struct m_put {
	uint64_t handle;
	struct span put; /* wire: body of the put frame, with local recipients only */
};
struct m_put_res {
	struct span result; /* wire: body of the result frame */
};
struct m_push {
	uint64_t handle;
	uint64_t seq;
	struct span push; /* wire: body of the push frame */
};
struct m_done {
	uint64_t handle;
	uint64_t seq;
};
struct m_credit {
	uint64_t handle;
	uint64_t bytes;
	uint64_t items;
};
struct m_event {
	uint64_t handle;
	struct span event; /* wire: body of the event frame */
};
struct m_handle {
	uint64_t handle;
	uint16_t code; /* why: bye code for a revoke, 0 otherwise */
};

/* --- listener <-> queue --------------------------------------------------------------- */

struct m_submit {
	uint64_t handle;
	struct span put; /* wire: body of the put frame, with remote recipients only */
};
struct m_submit_res {
	struct span result; /* wire: body of the result frame */
};

/* --- store <-> queue -------------------------------------------------------------------- */

enum handle_kind { HANDLE_ACCOUNT = 1, HANDLE_PEER = 2 };
struct m_handle_add {
	uint64_t handle;
	uint8_t kind;       /* enum handle_kind */
	uint8_t device[16]; /* zeros for a peer */
	struct span name;   /* address or domain */
};
struct m_fate {
	uint8_t mid[16];
	uint8_t device[16];  /* the sending device */
	uint8_t state;       /* wire/proto.h: enum fate_state */
	uint16_t code;       /* reason, wire/code.h */
	uint64_t time;       /* ms */
	struct span account; /* the sender */
	struct span recipient;
	struct span text;
};

/* --- queue <-> relay -------------------------------------------------------------------- */

struct m_send {
	uint64_t qid;
	uint64_t fifo; /* number of the FIFO, in the put */
	uint8_t restart;
	struct span domain; /* destination */
	struct span put; /* wire: body of the put frame, recipients of that domain only */
};
struct m_sent {
	uint64_t qid;
	struct span result; /* wire: body of the result frame */
};
struct m_send_fail {
	uint64_t qid;
	uint16_t code;
	struct span text;
};
struct m_peer_up {
	struct span domain;
	uint64_t items; /* the window that the peer granted */
	uint64_t bytes;
};
struct m_peer_down {
	uint8_t orderly; /* ended with bye, or never came up */
	uint16_t code;
	struct span domain;
	struct span text;
};

/* --- relay <-> store --------------------------------------------------------------------- */

struct m_domain {
	struct span domain;
};
struct m_doc {
	uint16_t code;
	uint8_t webpki; /* 1: the TLS certificate was valid for the domain */
	struct span domain;
	struct span document;
	struct span text;
};
struct m_peer_check {
	uint64_t link;
	uint8_t webpki;
	uint8_t nonce_dialler[32];
	uint8_t nonce_acceptor[32];
	uint8_t exporter[32];
	struct span domain;
	struct span welcome; /* wire: body of the welcome frame */
};
struct m_peer_check_res {
	uint64_t link;
	uint16_t code;
	struct span text;
};
struct m_query {
	struct span domain;
	struct span req; /* wire: body of the req frame, the asker filled in */
};
struct m_query_res {
	struct span res; /* wire: body of the res frame */
};

#endif
