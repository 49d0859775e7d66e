/* SPDX-License-Identifier: ISC */
/*
 * sobj.h - payloads of signed objects (COSE_Sign1, crypto/cose.h) and their typ headers.
 * doc/protocol.md section 5 is the normative text.
 *
 * Hash of an object ("head" of a device list, document hash): SHA-256 over the whole
 * COSE_Sign1 as it travelled.
 */
#ifndef WIRE_SOBJ_H
#define WIRE_SOBJ_H

#include "wire/proto.h"

#define TYP_LISTKEY "emsg-listkey-v1" /* identity key */
#define TYP_DEVLIST "emsg-devlist-v1" /* list key */
#define TYP_PREKEY "emsg-prekey-v1"   /* device key */
#define TYP_LOGIN "emsg-login-v1"     /* device key */
#define TYP_REQUEST "emsg-request-v1" /* device key */
#define TYP_GRANT "emsg-grant-v1"     /* device key */
#define TYP_REVOKE "emsg-revoke-v1"   /* device key */
#define TYP_MESSAGE "emsg-msg-v1"     /* device key, detached, inside the sealed body */
#define TYP_DOMAIN "emsg-domain-v1"   /* domain root key */
#define TYP_PEER "emsg-peer-v1"       /* domain signing key */
#define TYP_SERVER "emsg-server-v1"   /* domain signing key */

#define SOBJ_DEVICES_MAX 32u
#define SOBJ_LISTKEY_MAX 1024u
#define SOBJ_DEVLIST_MAX 8192u
#define SOBJ_PREKEY_MAX 1024u
#define SOBJ_DOC_DAYS 400u /* longest life of a domain document */

/* The identity key vouches for a list key. */
struct s_listkey {
	uint32_t has;
	struct span account;
	uint8_t identity[32];
	uint64_t generation;
	uint8_t key[32];
	uint64_t time;
};
struct s_device {
	uint32_t has;
	uint8_t id[16]; /* first 16 bytes of SHA-256(key) */
	uint8_t key[32];
	struct span name;
	uint64_t added;
};
struct s_devlist {
	uint32_t has;
	struct span account;
	uint64_t generation, seq;
	uint8_t prev[32];        /* absent in the first of a generation */
	struct obj_list devices; /* of s_device */
	uint64_t time;
};
/* Suites are pairs [fmt, suite]. */
struct s_suite { /* positional */
	uint32_t has;
	uint64_t fmt, suite;
};
struct s_prekey {
	uint32_t has;
	struct span account;
	uint8_t device[16];
	uint8_t key[32]; /* X25519; its id: first 8 bytes of SHA-256(key) */
	uint64_t time;
	struct obj_list suites; /* of s_suite */
};
struct s_login {
	uint32_t has;
	struct span domain, account;
	uint8_t device[16];
	uint8_t nonce[32];
	uint8_t exporter[32]; /* absent where the client cannot see it */
};
/* A consent object. Request and grant carry the keys; how and ticket: request only. */
enum consent_how { HOW_OPEN = 1, HOW_TICKET = 2, HOW_GROUP = 3 };
struct s_consent {
	uint32_t has;
	struct span from, to;
	uint64_t time;
	uint8_t device[16];
	struct span listkey, devlist;
	uint64_t how;
	struct span ticket;
};
struct s_domain_key {
	uint32_t has;
	uint8_t key[32];
	uint64_t from, until;
};
struct s_domain {
	uint32_t has;
	struct span domain;
	uint64_t seq, issued, expires;
	uint8_t root[32];
	uint8_t next_root_hash[32];
	struct obj_list keys; /* of s_domain_key */
	uint64_t version_min, version_max;
	struct span contact;
};
enum peer_side { SIDE_DIALLER = 1, SIDE_ACCEPTOR = 2 };
struct s_peer {
	uint32_t has;
	uint64_t side;
	struct span dialler, acceptor;
	uint8_t nonce_dialler[32], nonce_acceptor[32];
	uint8_t exporter[32];
	uint8_t document[32]; /* hash of the signer's own domain document */
	uint64_t time;
};
struct s_server {
	uint32_t has;
	struct span domain;
	uint8_t nonce[32];
	uint8_t exporter[32];
	uint8_t document[32];
	uint64_t time;
};

extern const struct obj_def s_listkey_def, s_device_def, s_devlist_def, s_suite_def,
    s_prekey_def, s_login_def, s_consent_def, s_domain_key_def, s_domain_def, s_peer_def,
    s_server_def;

#endif
