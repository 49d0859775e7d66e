/* SPDX-License-Identifier: ISC */
/*
 * msgs_core.h - payloads between the master and its children, of admin requests, and of
 * requests to keyd and dialer. See msgs.h.
 */
#ifndef IPC_MSGS_CORE_H
#define IPC_MSGS_CORE_H

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
	RESOURCE_DOCUMENT,   /* the signed domain document */
	RESOURCE_CONTROL,    /* the listening admin socket; name "view" or "admin" */
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
	struct span text; /* figures: "name=number name=number" */
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

/* --- relay <-> dialer --------------------------------------------------------------------- */

struct m_connect {
	struct span domain; /* of the peer; host, port and policy are dialer's business */
};
struct m_connected {
	struct span addr; /* "192.0.2.1:443" */
};
struct m_connect_fail {
	uint16_t code;
	struct span text;
};

#endif
