/* SPDX-License-Identifier: ISC */
/*
 * msgs.h - the payload of every message between processes. msg.c has the matching fields.
 *
 * Spans that hold "wire" bytes are encoded as doc/protocol.md says and travel unchanged
 * from the socket to the process that judges them. Text is UTF-8 without a terminator.
 * The id in the frame header ties an answer to its question.
 */
#ifndef IPC_MSGS_H
#define IPC_MSGS_H

#include "ipc/msg.h"

/* --- master and every other process ------------------------------------------------- */

struct m_boot {
	uint64_t generation; /* of this start of the suite; differs between any two */
	uint8_t role;        /* enum role; checked against the program's own */
	uint8_t privileged;  /* 1: chroot and change user; 0: one-directory mode */
	uint8_t sandbox;     /* 1: required; 0: try, and warn */
	uint8_t log_level;   /* enum log_level */
	struct span user;    /* to become, if privileged */
	struct span root;    /* directory to chroot into (queue, store: their data) */
	struct span data;    /* data directory, or empty */
};
struct m_conf {
	uint64_t number;    /* of this configuration, growing */
	struct span values; /* conf/share.h */
};
struct m_conf_ok {
	uint64_t number;
	uint8_t ok;
	struct span text; /* why not */
};
struct m_conf_switch {
	uint64_t number;
};
enum resource {
	RESOURCE_LISTEN = 1, /* a listening TCP socket */
	RESOURCE_CERT,       /* certificate chain, PEM */
	RESOURCE_TLS_KEY,    /* private key, PEM: keyd only */
	RESOURCE_SIGN_KEY,   /* domain signing key, PEM: keyd only */
	RESOURCE_ROOT_KEY, /* domain root key, PEM: keyd only, and only if it lies there */
	RESOURCE_DOCUMENT, /* the signed domain document */
	RESOURCE_CONTROL,  /* the listening admin socket; name "view" or "admin" */
	RESOURCE_CA, /* extra CA certificates, PEM; name: peer domain, or empty for all */
};
struct m_resource {
	uint8_t kind;     /* enum resource */
	struct span name; /* which one: address, domain, file; for logs and lookup */
};
struct m_peer {
	uint8_t role; /* whose channel this is */
};
struct m_empty {
	uint8_t zero; /* always 0: no message is without payload */
};
struct m_offence {
	uint8_t role;
	struct span text;
};
struct m_status {
	struct span text; /* wire/ctl.h: a ctl_process object, CBOR */
};
struct m_log_level {
	uint8_t level;
};

/* --- admin requests ------------------------------------------------------------------ */

struct m_ctl_ask {
	uint16_t command; /* wire/ctl.h */
	uint32_t uid;     /* who asks: filled in by control, not by the tool */
	struct span args; /* CBOR object of the command */
};
struct m_ctl_row {
	uint16_t kind;   /* wire/ctl.h: which object */
	struct span row; /* CBOR */
};
struct m_ctl_end {
	uint16_t code;    /* wire/code.h */
	struct span text; /* for people */
};

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

/* --- listener, relay <-> keyd ---------------------------------------------------------- */

struct m_tls_sign {
	uint8_t key[32];     /* SHA-256 of the certificate's SubjectPublicKeyInfo */
	struct span content; /* RFC 8446 section 4.4.3, whole */
};
struct m_signed {
	uint16_t code;
	struct span bytes; /* a signature, or a COSE_Sign1 object */
};
struct m_prove {
	struct span peer;           /* the other domain; empty for PROVE_SERVER */
	uint8_t nonce_dialler[32];  /* PROVE_SERVER: the device's */
	uint8_t nonce_acceptor[32]; /* PROVE_SERVER: zeros */
	uint8_t exporter[32];
};
struct m_doc_own {
	struct span document;
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

/* --- relay <-> dialer --------------------------------------------------------------------- */

struct m_connect {
	uint16_t port;
	uint8_t allow_private;
	struct span host; /* name or address literal */
};
struct m_connected {
	struct span addr; /* "192.0.2.1:443" */
};
struct m_connect_fail {
	uint16_t code;
	struct span text;
};

#endif
