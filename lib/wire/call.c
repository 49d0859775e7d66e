/* SPDX-License-Identifier: ISC */
/*
 * call.c - the table of requests and of their arguments and results; doc/protocol.md
 * section 7. Listener refuses a method that its link may not call; store does the work.
 * Pure data and look-ups.
 */
#include <stddef.h>

#include "wire/call.h"

#define REQ OBJ_REQUIRED
#define ACCOUNT(k, st, m, fl) OBJ_FIELD(k, OBJ_TSTR, st, m, 3, ADDR_MAX, fl)
#define BYTES(k, st, m, hi, fl) OBJ_FIELD(k, OBJ_BSTR, st, m, 1, hi, fl)
#define UINT(k, st, m, fl) OBJ_FIELD(k, OBJ_UINT, st, m, 0, 0, fl)
#define DEF(n, text)                                                                     \
	{                                                                                \
		text, sizeof(struct c_##n), OBJ_MAP, OBJ_FIELDS(n##_fields)              \
	}

#define ENROL_BLOB_MAX 3072u
#define STATE_BLOB_MAX 57344u

const struct obj_def c_none_def = {"none", sizeof(struct c_none), OBJ_MAP, NULL, 0};

static const struct obj_field prove_fields[] = {OBJ_FIXED(1, struct c_prove, nonce, REQ)};
const struct obj_def c_prove_def = DEF(prove, "prove-args");

static const struct obj_field proof_fields[] = {
    BYTES(1, struct c_proof, document, PROTO_OBJECT_MAX, REQ),
    BYTES(2, struct c_proof, proof, 2048, REQ),
};
const struct obj_def c_proof_def = DEF(proof, "prove-result");

static const struct obj_field register_fields[] = {
    ACCOUNT(1, struct c_register, account, REQ),
    OBJ_FIELD(2, OBJ_BSTR, struct c_register, token, 16, 16, 0),
    BYTES(3, struct c_register, listkey, SOBJ_LISTKEY_MAX, REQ),
    BYTES(4, struct c_register, devlist, SOBJ_DEVLIST_MAX, REQ),
    BYTES(5, struct c_register, prekey, SOBJ_PREKEY_MAX, REQ),
};
const struct obj_def c_register_def = DEF(register, "register-args");

static const struct obj_field enrol_open_fields[] = {
    OBJ_FIXED(1, struct c_enrol_open, token_hash, REQ),
    UINT(2, struct c_enrol_open, ttl, REQ),
};
const struct obj_def c_enrol_open_def = DEF(enrol_open, "enrol-open-args");

static const struct obj_field enrol_put_fields[] = {
    OBJ_FIXED(1, struct c_enrol_put, token, REQ),
    BYTES(2, struct c_enrol_put, blob, ENROL_BLOB_MAX, REQ),
};
const struct obj_def c_enrol_put_def = DEF(enrol_put, "enrol-put-args");

static const struct obj_field enrol_poll_fields[] = {
    OBJ_FIXED(1, struct c_enrol_poll, token_hash, REQ),
};
const struct obj_def c_enrol_poll_def = DEF(enrol_poll, "enrol-poll-args");

static const struct obj_field enrol_blob_fields[] = {
    BYTES(1, struct c_enrol_blob, blob, ENROL_BLOB_MAX, 0),
};
const struct obj_def c_enrol_blob_def = DEF(enrol_blob, "enrol-poll-result");

static const struct obj_field enrol_wait_fields[] = {
    OBJ_FIXED(1, struct c_enrol_wait, token, REQ),
    OBJ_FIXED(2, struct c_enrol_wait, device, REQ),
};
const struct obj_def c_enrol_wait_def = DEF(enrol_wait, "enrol-wait-args");

static const struct obj_field keys_get_fields[] = {
    ACCOUNT(1, struct c_keys_get, account, REQ),
};
const struct obj_def c_keys_get_def = DEF(keys_get, "keys-get-args");

static const struct obj_field keys_fields[] = {
    BYTES(1, struct c_keys, listkey, SOBJ_LISTKEY_MAX, REQ),
    BYTES(2, struct c_keys, devlist, SOBJ_DEVLIST_MAX, REQ),
    OBJ_LIST_OF(3, struct c_keys, prekeys, 0, SOBJ_DEVICES_MAX, OBJ_BSTR, 1,
	SOBJ_PREKEY_MAX, REQ),
};
const struct obj_def c_keys_def = DEF(keys, "keys");

static const struct obj_field list_put_fields[] = {
    OBJ_FIXED(1, struct c_list_put, expect, REQ),
    BYTES(2, struct c_list_put, listkey, SOBJ_LISTKEY_MAX, 0),
    BYTES(3, struct c_list_put, devlist, SOBJ_DEVLIST_MAX, REQ),
    BYTES(4, struct c_list_put, prekey, SOBJ_PREKEY_MAX, 0),
};
const struct obj_def c_list_put_def = DEF(list_put, "list-put-args");

static const struct obj_field prekey_put_fields[] = {
    BYTES(1, struct c_prekey_put, prekey, SOBJ_PREKEY_MAX, REQ),
};
const struct obj_def c_prekey_put_def = DEF(prekey_put, "prekey-put-args");

static const struct obj_field consent_put_fields[] = {
    BYTES(1, struct c_consent_put, object, PROTO_OBJECT_MAX, REQ),
};
const struct obj_def c_consent_put_def = DEF(consent_put, "consent-put-args");

static const struct obj_field consent_row_fields[] = {
    ACCOUNT(1, struct c_consent_row, account, REQ),
    UINT(2, struct c_consent_row, state, REQ),
    UINT(3, struct c_consent_row, since, REQ),
};
const struct obj_def c_consent_row_def = DEF(consent_row, "consent-row");

static const struct obj_field consent_rows_fields[] = {
    OBJ_LIST_SUB(
	1, struct c_consent_rows, rows, 0, 1024, OBJ_MAP, &c_consent_row_def, REQ),
};
const struct obj_def c_consent_rows_def = DEF(consent_rows, "consent-list-result");

static const struct obj_field state_put_fields[] = {
    UINT(1, struct c_state_put, version, REQ),
    BYTES(2, struct c_state_put, blob, STATE_BLOB_MAX, REQ),
};
const struct obj_def c_state_put_def = DEF(state_put, "state-put-args");

static const struct obj_field state_fields[] = {
    UINT(1, struct c_state, version, REQ),
    BYTES(2, struct c_state, blob, STATE_BLOB_MAX, 0),
};
const struct obj_def c_state_def = DEF(state, "state");

static const struct call calls[] = {
    {"server.prove", CALL_NOBODY | CALL_DEVICE, &c_prove_def, &c_proof_def},
    {"account.register", CALL_NOBODY, &c_register_def, &c_none_def},
    {"enrol.open", CALL_DEVICE, &c_enrol_open_def, &c_none_def},
    {"enrol.put", CALL_NOBODY, &c_enrol_put_def, &c_none_def},
    {"enrol.poll", CALL_DEVICE, &c_enrol_poll_def, &c_enrol_blob_def},
    {"enrol.wait", CALL_NOBODY, &c_enrol_wait_def, &c_keys_def},
    {"keys.get", CALL_DEVICE | CALL_PEER, &c_keys_get_def, &c_keys_def},
    {"list.put", CALL_DEVICE, &c_list_put_def, &c_none_def},
    {"prekey.put", CALL_DEVICE, &c_prekey_put_def, &c_none_def},
    {"consent.put", CALL_DEVICE, &c_consent_put_def, &c_none_def},
    {"consent.list", CALL_DEVICE, &c_none_def, &c_consent_rows_def},
    {"state.get", CALL_DEVICE, &c_none_def, &c_state_def},
    {"state.put", CALL_DEVICE, &c_state_put_def, &c_state_def},
};

const struct call *
call_at(size_t i)
{
	return i < sizeof(calls) / sizeof(calls[0]) ? &calls[i] : NULL;
}

const struct call *
call_find(struct span method)
{
	for (size_t i = 0; call_at(i) != NULL; i++)
		if (span_eq(method, span_str(calls[i].method)))
			return &calls[i];
	return NULL;
}
