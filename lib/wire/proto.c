/* SPDX-License-Identifier: ISC */
/*
 * proto.c - the tables of frames and their bodies.
 *
 * Pure data: keys, limits and places of every member, as doc/protocol.md section 4 has them
 * in CDDL. proto_object_at() walks the objects of all tables (frames, signed objects,
 * requests, clients' own), so that documents, tests and fuzzers miss none.
 */
#include <stddef.h>

#include "wire/call.h"
#include "wire/inner.h"
#include "wire/proto.h"
#include "wire/sobj.h"

#define REQ OBJ_REQUIRED

static const struct obj_field limits_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_limits, item, 0, 0, REQ),
    OBJ_FIELD(2, OBJ_UINT, struct p_limits, message, 0, 0, REQ),
    OBJ_FIELD(3, OBJ_UINT, struct p_limits, recipients, 0, 0, REQ),
    OBJ_FIELD(4, OBJ_UINT, struct p_limits, idle, 0, 0, REQ),
};
const struct obj_def p_limits_def = {
    "limits", sizeof(struct p_limits), OBJ_MAP, OBJ_FIELDS(limits_fields)};

static const struct obj_field hello_fields[] = {
    OBJ_FIELD(1, OBJ_TSTR, struct p_hello, domain, 1, ADDR_DOMAIN_MAX, REQ),
    OBJ_FIXED(2, struct p_hello, nonce, REQ),
    OBJ_FIELD(3, OBJ_UINT, struct p_hello, time, 0, 0, REQ),
    OBJ_FIELD(4, OBJ_UINT, struct p_hello, version_min, 1, 0, REQ),
    OBJ_FIELD(5, OBJ_UINT, struct p_hello, version_max, 1, 0, REQ),
    OBJ_LIST_OF(6, struct p_hello, features, 0, 32, OBJ_TSTR, 1, 32, 0),
    OBJ_SUB(7, OBJ_MAP, struct p_hello, limits, &p_limits_def, REQ),
};
const struct obj_def p_hello_def = {
    "hello", sizeof(struct p_hello), OBJ_MAP, OBJ_FIELDS(hello_fields)};

static const struct obj_field auth_c2s_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_auth_c2s, version, 1, 0, REQ),
    OBJ_LIST_OF(2, struct p_auth_c2s, features, 0, 32, OBJ_TSTR, 1, 32, 0),
    OBJ_FIELD(3, OBJ_BSTR, struct p_auth_c2s, proof, 1, 2048, REQ),
};
const struct obj_def p_auth_c2s_def = {
    "auth-c2s", sizeof(struct p_auth_c2s), OBJ_MAP, OBJ_FIELDS(auth_c2s_fields)};

static const struct obj_field auth_s2s_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_auth_s2s, version, 1, 0, REQ),
    OBJ_LIST_OF(2, struct p_auth_s2s, features, 0, 32, OBJ_TSTR, 1, 32, 0),
    OBJ_FIELD(3, OBJ_BSTR, struct p_auth_s2s, proof, 1, 2048, REQ),
    OBJ_FIXED(4, struct p_auth_s2s, nonce, REQ),
};
const struct obj_def p_auth_s2s_def = {
    "auth-s2s", sizeof(struct p_auth_s2s), OBJ_MAP, OBJ_FIELDS(auth_s2s_fields)};

static const struct obj_field welcome_c2s_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_welcome_c2s, time, 0, 0, REQ),
    OBJ_FIELD(2, OBJ_UINT, struct p_welcome_c2s, cursor, 0, 0, REQ),
    OBJ_FIELD(3, OBJ_UINT, struct p_welcome_c2s, head, 0, 0, REQ),
    OBJ_FIELD(4, OBJ_UINT, struct p_welcome_c2s, credit_bytes, 1, 0, REQ),
    OBJ_FIELD(5, OBJ_UINT, struct p_welcome_c2s, credit_items, 1, 0, REQ),
};
const struct obj_def p_welcome_c2s_def = {
    "welcome-c2s", sizeof(struct p_welcome_c2s), OBJ_MAP, OBJ_FIELDS(welcome_c2s_fields)};

static const struct obj_field welcome_s2s_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_welcome_s2s, time, 0, 0, REQ),
    OBJ_FIELD(2, OBJ_BSTR, struct p_welcome_s2s, proof, 1, 2048, REQ),
    OBJ_FIELD(3, OBJ_UINT, struct p_welcome_s2s, credit_bytes, 1, 0, REQ),
    OBJ_FIELD(4, OBJ_UINT, struct p_welcome_s2s, credit_items, 1, 0, REQ),
};
const struct obj_def p_welcome_s2s_def = {
    "welcome-s2s", sizeof(struct p_welcome_s2s), OBJ_MAP, OBJ_FIELDS(welcome_s2s_fields)};

static const struct obj_field stanza_fields[] = {
    OBJ_FIXED(0, struct p_stanza, device, REQ),
    OBJ_FIXED(1, struct p_stanza, prekey, REQ),
    OBJ_FIXED(2, struct p_stanza, enc, REQ),
    OBJ_FIXED(3, struct p_stanza, wrapped, REQ),
};
const struct obj_def p_stanza_def = {
    "stanza", sizeof(struct p_stanza), OBJ_ARRAY, OBJ_FIELDS(stanza_fields)};

static const struct obj_field recipient_fields[] = {
    OBJ_FIELD(0, OBJ_TSTR, struct p_recipient, account, 3, ADDR_MAX, REQ),
    OBJ_LIST_SUB(1, struct p_recipient, stanzas, 0, PROTO_STANZAS_MAX, OBJ_ARRAY,
	&p_stanza_def, REQ),
};
const struct obj_def p_recipient_def = {
    "recipient", sizeof(struct p_recipient), OBJ_ARRAY, OBJ_FIELDS(recipient_fields)};

static const struct obj_field outer_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_outer, fmt, 0, 0, REQ),
    OBJ_FIELD(2, OBJ_UINT, struct p_outer, suite, 0, 0xffff, REQ),
    OBJ_FIXED(3, struct p_outer, mid, REQ),
    OBJ_FIELD(4, OBJ_TSTR, struct p_outer, from, 3, ADDR_MAX, REQ),
    OBJ_FIXED(5, struct p_outer, device, REQ),
    OBJ_FIXED(6, struct p_outer, conv, 0),
};
const struct obj_def p_outer_def = {
    "outer", sizeof(struct p_outer), OBJ_MAP, OBJ_FIELDS(outer_fields)};

static const struct obj_field put_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_put, kind, 1, 0, REQ),
    OBJ_FIELD(2, OBJ_BSTR, struct p_put, outer, 1, 1024, REQ),
    OBJ_FIELD(3, OBJ_BSTR, struct p_put, body, 1, PROTO_ITEM_MAX, REQ),
    OBJ_LIST_SUB(
	4, struct p_put, to, 1, PROTO_RECIPIENTS_MAX, OBJ_ARRAY, &p_recipient_def, REQ),
    OBJ_FIELD(5, OBJ_UINT, struct p_put, fifo, 0, 0, 0),
    OBJ_FIELD(6, OBJ_BOOL, struct p_put, restart, 0, 0, 0),
};
const struct obj_def p_put_def = {
    "put", sizeof(struct p_put), OBJ_MAP, OBJ_FIELDS(put_fields)};

static const struct obj_field outcome_fields[] = {
    OBJ_FIELD(1, OBJ_TSTR, struct p_outcome, account, 3, ADDR_MAX, REQ),
    OBJ_FIELD(2, OBJ_UINT, struct p_outcome, code, 200, 599, REQ),
    OBJ_FIELD(3, OBJ_UINT, struct p_outcome, id, 0, 0, 0),
    OBJ_FIELD(4, OBJ_TSTR, struct p_outcome, text, 0, PROTO_TEXT_MAX, 0),
};
const struct obj_def p_outcome_def = {
    "outcome", sizeof(struct p_outcome), OBJ_MAP, OBJ_FIELDS(outcome_fields)};

static const struct obj_field result_fields[] = {
    OBJ_LIST_SUB(1, struct p_result, outcomes, 1, PROTO_RECIPIENTS_MAX, OBJ_MAP,
	&p_outcome_def, REQ),
    OBJ_FIELD(2, OBJ_UINT, struct p_result, time, 0, 0, 0),
};
const struct obj_def p_result_def = {
    "result", sizeof(struct p_result), OBJ_MAP, OBJ_FIELDS(result_fields)};

static const struct obj_field push_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_push, seq, 1, 0, REQ),
    OBJ_FIELD(2, OBJ_UINT, struct p_push, kind, 1, 0, REQ),
    OBJ_FIELD(3, OBJ_BSTR, struct p_push, outer, 1, 1024, 0),
    OBJ_FIELD(4, OBJ_BSTR, struct p_push, body, 1, PROTO_ITEM_MAX, REQ),
    OBJ_LIST_SUB(
	5, struct p_push, stanzas, 0, PROTO_STANZAS_MAX, OBJ_ARRAY, &p_stanza_def, 0),
    OBJ_FIELD(6, OBJ_UINT, struct p_push, time, 0, 0, REQ),
    OBJ_FIELD(7, OBJ_TSTR, struct p_push, via, 1, ADDR_DOMAIN_MAX, 0),
};
const struct obj_def p_push_def = {
    "push", sizeof(struct p_push), OBJ_MAP, OBJ_FIELDS(push_fields)};

static const struct obj_field fate_fields[] = {
    OBJ_FIXED(1, struct p_fate, mid, REQ),
    OBJ_FIELD(2, OBJ_TSTR, struct p_fate, account, 3, ADDR_MAX, REQ),
    OBJ_FIELD(3, OBJ_UINT, struct p_fate, state, 1, 0, REQ),
    OBJ_FIELD(4, OBJ_UINT, struct p_fate, code, 200, 599, REQ),
    OBJ_FIELD(5, OBJ_UINT, struct p_fate, time, 0, 0, REQ),
    OBJ_FIELD(6, OBJ_TSTR, struct p_fate, text, 0, PROTO_TEXT_MAX, 0),
};
const struct obj_def p_fate_def = {
    "fate", sizeof(struct p_fate), OBJ_MAP, OBJ_FIELDS(fate_fields)};

static const struct obj_field fates_fields[] = {
    OBJ_LIST_SUB(1, struct p_fates, fates, 1, 1024, OBJ_MAP, &p_fate_def, REQ),
};
const struct obj_def p_fates_def = {
    "fates", sizeof(struct p_fates), OBJ_MAP, OBJ_FIELDS(fates_fields)};

static const struct obj_field done_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_done, seq, 1, 0, REQ),
};
const struct obj_def p_done_def = {
    "done", sizeof(struct p_done), OBJ_MAP, OBJ_FIELDS(done_fields)};

static const struct obj_field credit_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_credit, bytes, 0, 0, REQ),
    OBJ_FIELD(2, OBJ_UINT, struct p_credit, items, 0, 0, REQ),
};
const struct obj_def p_credit_def = {
    "credit", sizeof(struct p_credit), OBJ_MAP, OBJ_FIELDS(credit_fields)};

static const struct obj_field req_fields[] = {
    OBJ_FIELD(1, OBJ_TSTR, struct p_req, method, 1, 32, REQ),
    OBJ_FIELD(2, OBJ_BSTR, struct p_req, args, 1, 61440, REQ),
    OBJ_FIELD(3, OBJ_TSTR, struct p_req, asker, 3, ADDR_MAX, 0),
};
const struct obj_def p_req_def = {
    "req", sizeof(struct p_req), OBJ_MAP, OBJ_FIELDS(req_fields)};

static const struct obj_field res_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_res, code, 200, 599, REQ),
    OBJ_FIELD(2, OBJ_BSTR, struct p_res, result, 1, 61440, 0),
    OBJ_FIELD(3, OBJ_TSTR, struct p_res, text, 0, PROTO_TEXT_MAX, 0),
};
const struct obj_def p_res_def = {
    "res", sizeof(struct p_res), OBJ_MAP, OBJ_FIELDS(res_fields)};

static const struct obj_field event_fields[] = {
    OBJ_FIELD(1, OBJ_TSTR, struct p_event, name, 1, 32, REQ),
    OBJ_FIELD(2, OBJ_BSTR, struct p_event, data, 0, 2048, 0),
};
const struct obj_def p_event_def = {
    "event", sizeof(struct p_event), OBJ_MAP, OBJ_FIELDS(event_fields)};

static const struct obj_field bye_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct p_bye, code, 200, 599, REQ),
    OBJ_FIELD(2, OBJ_TSTR, struct p_bye, text, 0, PROTO_TEXT_MAX, 0),
    OBJ_FIELD(3, OBJ_UINT, struct p_bye, time, 0, 0, 0),
};
const struct obj_def p_bye_def = {
    "bye", sizeof(struct p_bye), OBJ_MAP, OBJ_FIELDS(bye_fields)};

static const struct obj_def *const objects[] = {&p_limits_def, &p_hello_def,
    &p_auth_c2s_def, &p_auth_s2s_def, &p_welcome_c2s_def, &p_welcome_s2s_def,
    &p_stanza_def, &p_recipient_def, &p_outer_def, &p_put_def, &p_outcome_def,
    &p_result_def, &p_push_def, &p_fate_def, &p_fates_def, &p_done_def, &p_credit_def,
    &p_req_def, &p_res_def, &p_event_def, &p_bye_def, &s_listkey_def, &s_device_def,
    &s_devlist_def, &s_suite_def, &s_prekey_def, &s_login_def, &s_consent_def,
    &s_domain_key_def, &s_domain_def, &s_peer_def, &s_server_def, &c_none_def,
    &c_prove_def, &c_proof_def, &c_register_def, &c_enrol_open_def, &c_enrol_put_def,
    &c_enrol_poll_def, &c_enrol_blob_def, &c_enrol_wait_def, &c_keys_get_def, &c_keys_def,
    &c_list_put_def, &c_prekey_put_def, &c_consent_put_def, &c_consent_row_def,
    &c_consent_rows_def, &c_state_put_def, &c_state_def, &i_head_def, &i_header_def,
    &i_inner_def, &i_signed_def, &i_invite_def, &i_enrol_def};

const struct obj_def *
proto_object_at(size_t i)
{
	return i < sizeof(objects) / sizeof(objects[0]) ? objects[i] : NULL;
}

const char *
proto_frame_name(uint64_t type)
{
	static const char *const names[] = {"?", "hello", "auth", "welcome", "put",
	    "result", "push", "done", "credit", "req", "res", "event", "bye"};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "?";
}

const char *
proto_fate_name(uint64_t state)
{
	static const char *const names[] = {"?", "accepted", "arrived", "on-device",
	    "read", "failed", "unconfirmed", "expired"};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}
