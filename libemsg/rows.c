/* SPDX-License-Identifier: ISC */
/*
 * rows.c - tables of what the local database's values hold.
 *
 * Only tables: obj.c reads and writes them. Members keep their keys for ever; what is added
 * later is optional, so that older data stays readable. The limits are those of the protocol
 * where a value came from there, and generous where it is our own.
 */
#include "rows.h"

#define BYTES_MAX 524288
#define ACCOUNT(k, st, m, fl) OBJ_FIELD(k, OBJ_TSTR, st, m, 1, ADDR_MAX, fl)

static const struct obj_field self_fields[] = {
    ACCOUNT(1, struct row_self, account, OBJ_REQUIRED),
    OBJ_FIELD(2, OBJ_TSTR, struct row_self, host, 1, ROW_HOST_MAX, 0),
    OBJ_FIELD(3, OBJ_UINT, struct row_self, port, 1, 65535, OBJ_REQUIRED),
    OBJ_FIXED(4, struct row_self, pin, 0),
    OBJ_FIXED(5, struct row_self, identity, OBJ_REQUIRED),
    OBJ_FIXED(6, struct row_self, identity_seed, 0),
    OBJ_FIXED(7, struct row_self, list_seed, 0),
    OBJ_FIXED(8, struct row_self, device, OBJ_REQUIRED),
    OBJ_FIXED(9, struct row_self, device_seed, OBJ_REQUIRED),
    OBJ_FIELD(10, OBJ_TSTR, struct row_self, name, 1, 64, OBJ_REQUIRED),
    OBJ_FIELD(11, OBJ_BOOL, struct row_self, receipts, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(12, OBJ_BOOL, struct row_self, registered, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(13, OBJ_UINT, struct row_self, created, 0, 0, OBJ_REQUIRED),
};
const struct obj_def row_self_def = {
    "row-self", sizeof(struct row_self), OBJ_MAP, OBJ_FIELDS(self_fields)};

static const struct obj_field list_fields[] = {
    OBJ_FIELD(1, OBJ_BSTR, struct row_list, listkey, 1, SOBJ_LISTKEY_MAX, OBJ_REQUIRED),
    OBJ_FIELD(2, OBJ_BSTR, struct row_list, devlist, 1, SOBJ_DEVLIST_MAX, OBJ_REQUIRED),
    OBJ_LIST_OF(3, struct row_list, prekeys, 0, SOBJ_DEVICES_MAX, OBJ_BSTR, 1,
	SOBJ_PREKEY_MAX, OBJ_REQUIRED),
    OBJ_FIELD(4, OBJ_UINT, struct row_list, fetched, 0, 0, OBJ_REQUIRED),
};
const struct obj_def row_list_def = {
    "row-list", sizeof(struct row_list), OBJ_MAP, OBJ_FIELDS(list_fields)};

static const struct obj_field prekey_fields[] = {
    OBJ_FIXED(1, struct row_prekey, id, OBJ_REQUIRED),
    OBJ_FIXED(2, struct row_prekey, priv, OBJ_REQUIRED),
    OBJ_FIELD(3, OBJ_BSTR, struct row_prekey, object, 1, SOBJ_PREKEY_MAX, OBJ_REQUIRED),
    OBJ_FIELD(4, OBJ_UINT, struct row_prekey, time, 0, 0, OBJ_REQUIRED),
};
const struct obj_def row_prekey_def = {
    "row-prekey", sizeof(struct row_prekey), OBJ_MAP, OBJ_FIELDS(prekey_fields)};

static const struct obj_field contact_fields[] = {
    ACCOUNT(1, struct row_contact, account, OBJ_REQUIRED),
    OBJ_FIELD(2, OBJ_UINT, struct row_contact, since, 0, 0, OBJ_REQUIRED),
    OBJ_FIXED(3, struct row_contact, identity, 0),
    OBJ_FIELD(4, OBJ_BSTR, struct row_contact, listkey, 1, SOBJ_LISTKEY_MAX, 0),
    OBJ_FIELD(5, OBJ_BSTR, struct row_contact, devlist, 1, SOBJ_DEVLIST_MAX, 0),
    OBJ_LIST_OF(6, struct row_contact, prekeys, 0, SOBJ_DEVICES_MAX, OBJ_BSTR, 1,
	SOBJ_PREKEY_MAX, OBJ_REQUIRED),
    OBJ_FIELD(7, OBJ_UINT, struct row_contact, fetched, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(8, OBJ_BOOL, struct row_contact, verified, 0, 0, OBJ_REQUIRED),
    OBJ_FIXED(9, struct row_contact, alarm, 0),
    OBJ_FIELD(10, OBJ_BOOL, struct row_contact, wanted, 0, 0, OBJ_REQUIRED),
    OBJ_FIXED(11, struct row_contact, shown, 0),
};
const struct obj_def row_contact_def = {
    "row-contact", sizeof(struct row_contact), OBJ_MAP, OBJ_FIELDS(contact_fields)};

static const struct obj_field message_fields[] = {
    OBJ_FIXED(1, struct row_message, mid, OBJ_REQUIRED),
    ACCOUNT(2, struct row_message, peer, OBJ_REQUIRED),
    ACCOUNT(3, struct row_message, from, OBJ_REQUIRED),
    OBJ_FIXED(4, struct row_message, device, OBJ_REQUIRED),
    OBJ_FIELD(5, OBJ_UINT, struct row_message, counter, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(6, OBJ_UINT, struct row_message, time, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(7, OBJ_UINT, struct row_message, received, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(8, OBJ_TSTR, struct row_message, type, 1, 128, OBJ_REQUIRED),
    OBJ_FIELD(9, OBJ_BSTR, struct row_message, content, 0, BYTES_MAX, OBJ_REQUIRED),
    OBJ_FIXED(10, struct row_message, name, OBJ_REQUIRED),
};
const struct obj_def row_message_def = {
    "row-message", sizeof(struct row_message), OBJ_MAP, OBJ_FIELDS(message_fields)};

static const struct obj_field job_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct row_job, number, 1, 0, OBJ_REQUIRED),
    OBJ_FIELD(2, OBJ_UINT, struct row_job, op, 1, JOB_OP_COUNT - 1, OBJ_REQUIRED),
    OBJ_FIELD(3, OBJ_UINT, struct row_job, step, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(4, OBJ_TSTR, struct row_job, peer, 0, ADDR_MAX, OBJ_REQUIRED),
    OBJ_FIXED(5, struct row_job, mid, OBJ_REQUIRED),
    OBJ_FIELD(6, OBJ_UINT, struct row_job, counter, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(7, OBJ_UINT, struct row_job, time, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(8, OBJ_TSTR, struct row_job, type, 0, 128, OBJ_REQUIRED),
    OBJ_FIELD(9, OBJ_BSTR, struct row_job, content, 0, BYTES_MAX, OBJ_REQUIRED),
    OBJ_FIELD(10, OBJ_BSTR, struct row_job, object, 1, BYTES_MAX, 0),
    OBJ_FIELD(11, OBJ_BOOL, struct row_job, quiet, 0, 0, OBJ_REQUIRED),
    OBJ_FIXED(12, struct row_job, token, OBJ_REQUIRED),
    OBJ_FIXED(13, struct row_job, secret, OBJ_REQUIRED),
    OBJ_FIELD(14, OBJ_UINT, struct row_job, expires, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(15, OBJ_UINT, struct row_job, tries, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(16, OBJ_UINT, struct row_job, next, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(17, OBJ_UINT, struct row_job, code, 0, 599, OBJ_REQUIRED),
    OBJ_FIELD(18, OBJ_TSTR, struct row_job, text, 0, PROTO_TEXT_MAX, OBJ_REQUIRED),
};
const struct obj_def row_job_def = {
    "row-job", sizeof(struct row_job), OBJ_MAP, OBJ_FIELDS(job_fields)};

static const struct obj_field receipt_fields[] = {
    ACCOUNT(1, struct row_receipt, peer, OBJ_REQUIRED),
    OBJ_FIXED(2, struct row_receipt, name, OBJ_REQUIRED),
    OBJ_FIELD(3, OBJ_UINT, struct row_receipt, status, 0, 255, OBJ_REQUIRED),
};
const struct obj_def row_receipt_def = {
    "row-receipt", sizeof(struct row_receipt), OBJ_MAP, OBJ_FIELDS(receipt_fields)};
