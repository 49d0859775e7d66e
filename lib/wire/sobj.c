/* SPDX-License-Identifier: ISC */
/*
 * sobj.c - the tables of signed objects' payloads; doc/protocol.md section 5. Pure data.
 * Signing and checking are in crypto/cose.c and with those who judge.
 */
#include <stddef.h>

#include "wire/sobj.h"

#define REQ OBJ_REQUIRED
#define ACCOUNT(k, st, m, fl) OBJ_FIELD(k, OBJ_TSTR, st, m, 3, ADDR_MAX, fl)
#define DOMAIN(k, st, m, fl) OBJ_FIELD(k, OBJ_TSTR, st, m, 1, ADDR_DOMAIN_MAX, fl)
#define UINT(k, st, m, lo, fl) OBJ_FIELD(k, OBJ_UINT, st, m, lo, 0, fl)

static const struct obj_field listkey_fields[] = {
    ACCOUNT(1, struct s_listkey, account, REQ),
    OBJ_FIXED(2, struct s_listkey, identity, REQ),
    UINT(3, struct s_listkey, generation, 1, REQ),
    OBJ_FIXED(4, struct s_listkey, key, REQ),
    UINT(5, struct s_listkey, time, 0, REQ),
};
const struct obj_def s_listkey_def = {
    "listkey", sizeof(struct s_listkey), OBJ_MAP, OBJ_FIELDS(listkey_fields)};

static const struct obj_field device_fields[] = {
    OBJ_FIXED(1, struct s_device, id, REQ),
    OBJ_FIXED(2, struct s_device, key, REQ),
    OBJ_FIELD(3, OBJ_TSTR, struct s_device, name, 1, 64, REQ),
    UINT(4, struct s_device, added, 0, REQ),
};
const struct obj_def s_device_def = {
    "device", sizeof(struct s_device), OBJ_MAP, OBJ_FIELDS(device_fields)};

static const struct obj_field devlist_fields[] = {
    ACCOUNT(1, struct s_devlist, account, REQ),
    UINT(2, struct s_devlist, generation, 1, REQ),
    UINT(3, struct s_devlist, seq, 1, REQ),
    OBJ_FIXED(4, struct s_devlist, prev, 0),
    OBJ_LIST_SUB(
	5, struct s_devlist, devices, 1, SOBJ_DEVICES_MAX, OBJ_MAP, &s_device_def, REQ),
    UINT(6, struct s_devlist, time, 0, REQ),
};
const struct obj_def s_devlist_def = {
    "devlist", sizeof(struct s_devlist), OBJ_MAP, OBJ_FIELDS(devlist_fields)};

static const struct obj_field suite_fields[] = {
    UINT(0, struct s_suite, fmt, 1, REQ),
    OBJ_FIELD(1, OBJ_UINT, struct s_suite, suite, 1, 0xffff, REQ),
};
const struct obj_def s_suite_def = {
    "suite", sizeof(struct s_suite), OBJ_ARRAY, OBJ_FIELDS(suite_fields)};

static const struct obj_field prekey_fields[] = {
    ACCOUNT(1, struct s_prekey, account, REQ),
    OBJ_FIXED(2, struct s_prekey, device, REQ),
    OBJ_FIXED(3, struct s_prekey, key, REQ),
    UINT(4, struct s_prekey, time, 0, REQ),
    OBJ_LIST_SUB(5, struct s_prekey, suites, 1, 16, OBJ_ARRAY, &s_suite_def, REQ),
};
const struct obj_def s_prekey_def = {
    "prekey", sizeof(struct s_prekey), OBJ_MAP, OBJ_FIELDS(prekey_fields)};

static const struct obj_field login_fields[] = {
    DOMAIN(1, struct s_login, domain, REQ),
    ACCOUNT(2, struct s_login, account, REQ),
    OBJ_FIXED(3, struct s_login, device, REQ),
    OBJ_FIXED(4, struct s_login, nonce, REQ),
    OBJ_FIXED(5, struct s_login, exporter, 0),
};
const struct obj_def s_login_def = {
    "login", sizeof(struct s_login), OBJ_MAP, OBJ_FIELDS(login_fields)};

static const struct obj_field consent_fields[] = {
    ACCOUNT(1, struct s_consent, from, REQ),
    ACCOUNT(2, struct s_consent, to, REQ),
    UINT(3, struct s_consent, time, 0, REQ),
    OBJ_FIXED(4, struct s_consent, device, REQ),
    OBJ_FIELD(5, OBJ_BSTR, struct s_consent, listkey, 1, SOBJ_LISTKEY_MAX, 0),
    OBJ_FIELD(6, OBJ_BSTR, struct s_consent, devlist, 1, SOBJ_DEVLIST_MAX, 0),
    OBJ_FIELD(7, OBJ_UINT, struct s_consent, how, 1, 0, 0),
    OBJ_FIELD(8, OBJ_BSTR, struct s_consent, ticket, 16, 64, 0),
};
const struct obj_def s_consent_def = {
    "consent", sizeof(struct s_consent), OBJ_MAP, OBJ_FIELDS(consent_fields)};

static const struct obj_field domain_key_fields[] = {
    OBJ_FIXED(1, struct s_domain_key, key, REQ),
    UINT(2, struct s_domain_key, from, 0, REQ),
    UINT(3, struct s_domain_key, until, 0, REQ),
};
const struct obj_def s_domain_key_def = {
    "domain-key", sizeof(struct s_domain_key), OBJ_MAP, OBJ_FIELDS(domain_key_fields)};

static const struct obj_field domain_fields[] = {
    DOMAIN(1, struct s_domain, domain, REQ),
    UINT(2, struct s_domain, seq, 1, REQ),
    UINT(3, struct s_domain, issued, 0, REQ),
    UINT(4, struct s_domain, expires, 0, REQ),
    OBJ_FIXED(5, struct s_domain, root, REQ),
    OBJ_FIXED(6, struct s_domain, next_root_hash, 0),
    OBJ_LIST_SUB(7, struct s_domain, keys, 1, 8, OBJ_MAP, &s_domain_key_def, REQ),
    UINT(8, struct s_domain, version_min, 1, REQ),
    UINT(9, struct s_domain, version_max, 1, REQ),
    OBJ_FIELD(10, OBJ_TSTR, struct s_domain, contact, 0, 256, 0),
};
const struct obj_def s_domain_def = {
    "domain-document", sizeof(struct s_domain), OBJ_MAP, OBJ_FIELDS(domain_fields)};

static const struct obj_field peer_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct s_peer, side, SIDE_DIALLER, SIDE_ACCEPTOR, REQ),
    DOMAIN(2, struct s_peer, dialler, REQ),
    DOMAIN(3, struct s_peer, acceptor, REQ),
    OBJ_FIXED(4, struct s_peer, nonce_dialler, REQ),
    OBJ_FIXED(5, struct s_peer, nonce_acceptor, REQ),
    OBJ_FIXED(6, struct s_peer, exporter, REQ),
    OBJ_FIXED(7, struct s_peer, document, REQ),
    UINT(8, struct s_peer, time, 0, REQ),
};
const struct obj_def s_peer_def = {
    "peer-proof", sizeof(struct s_peer), OBJ_MAP, OBJ_FIELDS(peer_fields)};

static const struct obj_field server_fields[] = {
    DOMAIN(1, struct s_server, domain, REQ),
    OBJ_FIXED(2, struct s_server, nonce, REQ),
    OBJ_FIXED(3, struct s_server, exporter, REQ),
    OBJ_FIXED(4, struct s_server, document, REQ),
    UINT(5, struct s_server, time, 0, REQ),
};
const struct obj_def s_server_def = {
    "server-proof", sizeof(struct s_server), OBJ_MAP, OBJ_FIELDS(server_fields)};
