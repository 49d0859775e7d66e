/* SPDX-License-Identifier: ISC */
/*
 * proto.h - the frames of the protocol: numbers, limits, bodies. doc/protocol.md section 4
 * is the normative text; a test compares its CDDL with the tables behind this header.
 *
 * Structs are for obj_decode() and obj_encode() (obj.h): "has" comes first, spans and lists
 * are borrowed.
 */
#ifndef WIRE_PROTO_H
#define WIRE_PROTO_H

#include "wire/addr.h"
#include "wire/code.h"
#include "wire/mid.h"
#include "wire/number.h"
#include "wire/obj.h"
#include "wire/wframe.h"

struct p_limits {
	uint32_t has;
	uint64_t item, message, recipients, idle;
};
struct p_hello {
	uint32_t has;
	struct span domain;
	uint8_t nonce[32];
	uint64_t time, version_min, version_max;
	struct obj_list features; /* of tstr */
	struct p_limits limits;
};
/* Body of auth on the c2s path: proof is a COSE_Sign1 of p_login. */
struct p_auth_c2s {
	uint32_t has;
	uint64_t version;
	struct obj_list features;
	struct span proof;
};
/* Body of auth on the s2s path: proof is a COSE_Sign1 of p_peer_proof. */
struct p_auth_s2s {
	uint32_t has;
	uint64_t version;
	struct obj_list features;
	struct span proof;
	uint8_t nonce[32];
};
struct p_welcome_c2s {
	uint32_t has;
	uint64_t time, cursor, head;
	uint64_t credit_bytes, credit_items;
};
struct p_welcome_s2s {
	uint32_t has;
	uint64_t time;
	struct span proof;
	uint64_t credit_bytes, credit_items;
};
struct p_stanza { /* positional */
	uint32_t has;
	uint8_t device[16];
	uint8_t prekey[8];
	uint8_t enc[32];
	uint8_t wrapped[48];
};
struct p_recipient { /* positional */
	uint32_t has;
	struct span account;
	struct obj_list stanzas; /* of p_stanza */
};
/* The outer header of an item: bstr .cbor inside put and push. */
struct p_outer {
	uint32_t has;
	uint64_t fmt, suite; /* 0, 0 for objects */
	uint8_t mid[16];
	struct span from;
	uint8_t device[16];
	uint8_t conv[16];
};
struct p_put {
	uint32_t has;
	uint64_t kind; /* enum item_kind, not ITEM_FATES */
	struct span outer, body;
	struct obj_list to; /* of p_recipient */
	uint64_t fifo;
	bool restart;
};
struct p_outcome {
	uint32_t has;
	struct span account;
	uint64_t code, id;
	struct span text;
};
struct p_result {
	uint32_t has;
	struct obj_list outcomes; /* of p_outcome */
	uint64_t time;
};
struct p_push {
	uint32_t has;
	uint64_t seq, kind;
	struct span outer, body;
	struct obj_list stanzas; /* of p_stanza, of this device only */
	uint64_t time;
	struct span via; /* the domain that delivered it */
};
struct p_fate {
	uint32_t has;
	uint8_t mid[16];
	struct span account;
	uint64_t state, code, time;
	struct span text;
};
/* The body (bstr .cbor) of a push of ITEM_FATES. */
struct p_fates {
	uint32_t has;
	struct obj_list fates; /* of p_fate */
};
struct p_done {
	uint32_t has;
	uint64_t seq;
};
struct p_credit {
	uint32_t has;
	uint64_t bytes, items;
};
struct p_req {
	uint32_t has;
	struct span method;
	struct span args;  /* encoding of the method's map */
	struct span asker; /* s2s: the account that asks */
};
struct p_res {
	uint32_t has;
	uint64_t code;
	struct span result;
	struct span text;
};
struct p_event {
	uint32_t has;
	struct span name;
	struct span data;
};
struct p_bye {
	uint32_t has;
	uint64_t code;
	struct span text;
	uint64_t time;
};

extern const struct obj_def p_limits_def, p_hello_def, p_auth_c2s_def, p_auth_s2s_def,
    p_welcome_c2s_def, p_welcome_s2s_def, p_stanza_def, p_recipient_def, p_outer_def,
    p_put_def, p_outcome_def, p_result_def, p_push_def, p_fate_def, p_fates_def,
    p_done_def, p_credit_def, p_req_def, p_res_def, p_event_def, p_bye_def;

/* All objects of the protocol, for documents, tests and fuzzing: i from 0, NULL at the end. */
const struct obj_def *proto_object_at(size_t i);
/* "hello"; "?" for an unknown frame type. */
const char *proto_frame_name(uint64_t type);
/* "arrived"; "?" if unknown. */
const char *proto_fate_name(uint64_t state);

#endif
