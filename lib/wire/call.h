/* SPDX-License-Identifier: ISC */
/*
 * call.h - requests (req/res frames): method names, who may call, arguments, results.
 * doc/protocol.md section 7 is the normative text.
 */
#ifndef WIRE_CALL_H
#define WIRE_CALL_H

#include "wire/sobj.h"

enum call_who {
	CALL_NOBODY = 1 << 0, /* a c2s link before login */
	CALL_DEVICE = 1 << 1, /* a logged-in device */
	CALL_PEER = 1 << 2,   /* a proved peer; req carries the asker */
};

struct call {
	const char *method;
	unsigned who;
	const struct obj_def *args; /* never NULL: c_none_def if none */
	const struct obj_def *result;
};
/* The method, or NULL. */
const struct call *call_find(struct span method);
const struct call *call_at(size_t i);

struct c_none {
	uint32_t has;
};
/* server.prove: a device asks for proof of the domain key on this very link. */
struct c_prove {
	uint32_t has;
	uint8_t nonce[32];
};
struct c_proof {
	uint32_t has;
	struct span document, proof;
};
/* account.register: first device of a new account. */
struct c_register {
	uint32_t has;
	struct span account;
	struct span token; /* absent under an open policy */
	struct span listkey, devlist, prekey;
};
/* enrol.*: a further device. The blob is opaque to the server. */
struct c_enrol_open { /* device: make a slot for a new device */
	uint32_t has;
	uint8_t token_hash[32];
	uint64_t ttl; /* ms, at most 24 h */
};
struct c_enrol_put { /* nobody: the new device leaves its keys */
	uint32_t has;
	uint8_t token[16];
	struct span blob;
};
struct c_enrol_poll { /* device: by hash; what the new device left */
	uint32_t has;
	uint8_t token_hash[32];
};
struct c_enrol_blob {
	uint32_t has;
	struct span blob; /* absent: nothing yet */
};
struct c_enrol_wait { /* nobody: am I in the list yet? */
	uint32_t has;
	uint8_t token[16];
	uint8_t device[16];
};
/* keys.get: certificate, device list and prekeys of an account. */
struct c_keys_get {
	uint32_t has;
	struct span account;
};
struct c_keys {
	uint32_t has;
	struct span listkey, devlist;
	struct obj_list prekeys; /* of bstr: signed prekeys, at most one a device */
};
struct c_list_put {
	uint32_t has;
	uint8_t expect[32];  /* head that the new list follows */
	struct span listkey; /* if the generation changes */
	struct span devlist;
	struct span prekey; /* of a device that is new in the list, optional */
};
struct c_prekey_put {
	uint32_t has;
	struct span prekey;
};
/* consent.*: the own server's rows. */
enum consent_state {
	CONSENT_ASKED = 1,
	CONSENT_PENDING = 2,
	CONSENT_FULL = 3,
	CONSENT_BLOCKED = 4
};
struct c_consent_put { /* a request, grant or revocation that this account makes */
	uint32_t has;
	struct span object;
};
struct c_consent_row {
	uint32_t has;
	struct span account;
	uint64_t state, since;
};
struct c_consent_rows {
	uint32_t has;
	struct obj_list rows;
};
struct c_state_put {
	uint32_t has;
	uint64_t version; /* that is replaced; 0: none yet */
	struct span blob;
};
struct c_state {
	uint32_t has;
	uint64_t version;
	struct span blob;
};

extern const struct obj_def c_none_def, c_prove_def, c_proof_def, c_register_def,
    c_enrol_open_def, c_enrol_put_def, c_enrol_poll_def, c_enrol_blob_def,
    c_enrol_wait_def, c_keys_get_def, c_keys_def, c_list_put_def, c_prekey_put_def,
    c_consent_put_def, c_consent_row_def, c_consent_rows_def, c_state_put_def,
    c_state_def;

#endif
