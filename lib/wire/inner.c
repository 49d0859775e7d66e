/* SPDX-License-Identifier: ISC */
/*
 * inner.c - the tables of what only clients see; doc/protocol.md sections 6 and 8. Pure
 * data. No server process decodes any of these.
 */
#include <stddef.h>

#include "wire/inner.h"

#define REQ OBJ_REQUIRED
#define ACCOUNT(k, st, m, fl) OBJ_FIELD(k, OBJ_TSTR, st, m, 3, ADDR_MAX, fl)
#define UINT(k, st, m, lo, fl) OBJ_FIELD(k, OBJ_UINT, st, m, lo, 0, fl)

static const struct obj_field head_fields[] = {
    ACCOUNT(1, struct i_head, account, REQ),
    UINT(2, struct i_head, generation, 1, REQ),
    UINT(3, struct i_head, seq, 1, REQ),
    OBJ_FIXED(4, struct i_head, head, REQ),
};
const struct obj_def i_head_def = {
    "head", sizeof(struct i_head), OBJ_MAP, OBJ_FIELDS(head_fields)};

static const struct obj_field header_fields[] = {
    OBJ_LIST_OF(
	1, struct i_header, to, 1, PROTO_RECIPIENTS_MAX, OBJ_TSTR, 3, ADDR_MAX, REQ),
    UINT(2, struct i_header, counter, 1, REQ),
    UINT(3, struct i_header, time, 0, REQ),
    OBJ_SUB(4, OBJ_MAP, struct i_header, own, &i_head_def, REQ),
    OBJ_LIST_SUB(
	5, struct i_header, heads, 0, PROTO_RECIPIENTS_MAX, OBJ_MAP, &i_head_def, REQ),
    UINT(6, struct i_header, expires, 0, 0),
    OBJ_FIXED(7, struct i_header, first_mid, 0),
};
const struct obj_def i_header_def = {
    "inner-header", sizeof(struct i_header), OBJ_MAP, OBJ_FIELDS(header_fields)};

static const struct obj_field inner_fields[] = {
    OBJ_FIELD(1, OBJ_BSTR, struct i_inner, header, 1, 65536, REQ),
    OBJ_FIELD(2, OBJ_TSTR, struct i_inner, type, 1, 128, REQ),
    OBJ_FIELD(3, OBJ_BSTR, struct i_inner, content, 0, PROTO_ITEM_MAX, REQ),
    OBJ_FIXED(4, struct i_inner, sig, REQ),
};
const struct obj_def i_inner_def = {
    "inner", sizeof(struct i_inner), OBJ_MAP, OBJ_FIELDS(inner_fields)};

static const struct obj_field signed_fields[] = {
    OBJ_FIELD(0, OBJ_BSTR, struct i_signed, header, 1, 65536, REQ),
    OBJ_FIELD(1, OBJ_TSTR, struct i_signed, type, 1, 128, REQ),
    OBJ_FIELD(2, OBJ_BSTR, struct i_signed, content, 0, PROTO_ITEM_MAX, REQ),
};
const struct obj_def i_signed_def = {
    "inner-signed", sizeof(struct i_signed), OBJ_ARRAY, OBJ_FIELDS(signed_fields)};

static const struct obj_field invite_fields[] = {
    UINT(1, struct i_invite, kind, 1, REQ),
    OBJ_FIELD(2, OBJ_TSTR, struct i_invite, domain, 1, ADDR_DOMAIN_MAX, REQ),
    OBJ_FIELD(3, OBJ_TSTR, struct i_invite, host, 1, ADDR_DOMAIN_MAX, 0),
    OBJ_FIELD(4, OBJ_UINT, struct i_invite, port, 1, 65535, 0),
    OBJ_FIXED(5, struct i_invite, pin, 0),
    OBJ_FIXED(6, struct i_invite, token, REQ),
    ACCOUNT(7, struct i_invite, account, 0),
    UINT(8, struct i_invite, expires, 0, REQ),
    OBJ_FIXED(9, struct i_invite, secret, 0),
    OBJ_FIXED(10, struct i_invite, identity, 0),
};
const struct obj_def i_invite_def = {
    "invite", sizeof(struct i_invite), OBJ_MAP, OBJ_FIELDS(invite_fields)};

static const struct obj_field enrol_fields[] = {
    OBJ_FIXED(1, struct i_enrol, key, REQ),
    OBJ_FIELD(2, OBJ_TSTR, struct i_enrol, name, 1, 64, REQ),
    OBJ_FIELD(3, OBJ_BSTR, struct i_enrol, prekey, 1, SOBJ_PREKEY_MAX, REQ),
    OBJ_FIXED(4, struct i_enrol, mac, REQ),
};
const struct obj_def i_enrol_def = {
    "enrol-blob", sizeof(struct i_enrol), OBJ_MAP, OBJ_FIELDS(enrol_fields)};
