/* SPDX-License-Identifier: ISC */
/*
 * keys.c - making an account's keys and the objects that they sign.
 *
 * One function for each object that a client makes: certificate, device list, prekey, login
 * proof, consent object, enrol-blob. Each encodes a struct of lib/wire and signs it as
 * COSE_Sign1 with the right key and typ; what they mean is in doc/protocol.md sections 5 and 8.
 * The seeds live in struct row_self, which its owner wipes.
 *
 * Owns nothing. Called by enrol.c, wirelink.c and jobs. Fails with -1 (OpenSSL failed, a key
 * is missing, or a limit would be broken); out is then of no use.
 */
#include "base/mem.h"
#include "base/text.h"
#include "crypto/cose.h"
#include "crypto/trust.h"
#include "crypto/x25519.h"
#include "keys.h"

#define FORMAT 1
#define SUITE 1

static const struct span none = {NULL, 0};

int
keys_make_device(struct row_self *self)
{
	uint8_t pub[ED25519_PUBLIC_SIZE];

	if (ed25519_keygen(self->device_seed, pub) < 0)
		return -1;
	return trust_device_id(pub, self->device);
}

int
keys_make_account(struct row_self *self)
{
	uint8_t pub[ED25519_PUBLIC_SIZE];

	if (ed25519_keygen(self->identity_seed, self->identity) < 0 ||
	    ed25519_keygen(self->list_seed, pub) < 0)
		return -1;
	obj_set(&row_self_def, self, SELF_IDENTITY_SEED);
	obj_set(&row_self_def, self, SELF_LIST_SEED);
	return keys_make_device(self);
}

/* Encodes an object and signs it. */
static int
sign(const struct obj_def *def, const void *obj, const char *typ, const uint8_t seed[32],
    struct buf *out)
{
	struct buf payload;
	int rc = -1;

	buf_init(&payload, PROTO_OBJECT_MAX);
	if (obj_encode(def, obj, &payload) == WIRE_OK && !buf_failed(&payload))
		rc = cose_sign1_make(span_str(typ), none, buf_span(&payload), seed, out);
	buf_clear(&payload);
	return rc;
}

int
keys_listkey(
    const struct row_self *self, uint64_t generation, uint64_t now, struct buf *out)
{
	struct s_listkey cert = {
	    .account = self->account, .generation = generation, .time = now};

	if (!obj_has(&row_self_def, self, SELF_IDENTITY_SEED) ||
	    !obj_has(&row_self_def, self, SELF_LIST_SEED))
		return -1;
	memcpy(cert.identity, self->identity, sizeof(cert.identity));
	if (ed25519_public(self->list_seed, cert.key) < 0)
		return -1;
	return sign(&s_listkey_def, &cert, TYP_LISTKEY, self->identity_seed, out);
}

int
keys_first_list(const struct row_self *self, uint64_t now, struct buf *out)
{
	struct s_device device = {.name = self->name, .added = now};
	struct s_devlist list = {
	    .account = self->account, .generation = 1, .seq = 1, .time = now};
	struct buf devices;
	int rc = -1;

	buf_init(&devices, SOBJ_DEVLIST_MAX);
	memcpy(device.id, self->device, sizeof(device.id));
	if (ed25519_public(self->device_seed, device.key) == 0 &&
	    obj_encode(&s_device_def, &device, &devices) == WIRE_OK) {
		list.devices.raw = buf_span(&devices);
		list.devices.count = 1;
		rc = sign(&s_devlist_def, &list, TYP_DEVLIST, self->list_seed, out);
	}
	buf_clear(&devices);
	return rc;
}

/* The list inside a signed device list that was verified when it was stored. */
static int
parse_list(struct span devlist, struct s_devlist *list)
{
	struct cose_sign1 sign1;

	if (cose_sign1_parse(devlist, &sign1) != COSE_OK ||
	    obj_decode(&s_devlist_def, sign1.payload, list) != WIRE_OK)
		return -1;
	return 0;
}

static bool
list_has(const struct s_devlist *list, const uint8_t id[16])
{
	struct s_device device;
	struct obj_iter it;

	obj_iter_init(&it, &list->devices);
	while (obj_next(&it, &s_device_def, &device))
		if (memcmp(device.id, id, sizeof(device.id)) == 0)
			return true;
	return false;
}

int
keys_list_with(const struct row_self *self, struct span devlist,
    const struct s_device *device, uint64_t now, struct buf *out)
{
	struct s_devlist list;
	struct buf devices;
	int rc = -1;

	if (!obj_has(&row_self_def, self, SELF_LIST_SEED) ||
	    parse_list(devlist, &list) < 0 || list_has(&list, device->id) ||
	    list.devices.count >= SOBJ_DEVICES_MAX || sha_of(devlist, list.prev) < 0)
		return -1;
	buf_init(&devices, SOBJ_DEVLIST_MAX);
	buf_put_span(&devices, list.devices.raw);
	if (obj_encode(&s_device_def, device, &devices) == WIRE_OK &&
	    !buf_failed(&devices)) {
		list.has = 0;
		obj_set(&s_devlist_def, &list, 4);
		list.seq++;
		list.time = now;
		list.devices.raw = buf_span(&devices);
		list.devices.count++;
		rc = sign(&s_devlist_def, &list, TYP_DEVLIST, self->list_seed, out);
	}
	buf_clear(&devices);
	return rc;
}

int
keys_prekey(
    const struct row_self *self, uint64_t now, struct row_prekey *row, struct buf *out)
{
	struct s_suite suite = {.fmt = FORMAT, .suite = SUITE};
	struct s_prekey prekey = {.account = self->account, .time = now};
	struct buf suites;
	int rc = -1;

	buf_init(&suites, 64);
	memcpy(prekey.device, self->device, sizeof(prekey.device));
	if (x25519_keygen(row->priv, prekey.key) == 0 &&
	    trust_prekey_id(prekey.key, row->id) == 0 &&
	    obj_encode(&s_suite_def, &suite, &suites) == WIRE_OK) {
		prekey.suites.raw = buf_span(&suites);
		prekey.suites.count = 1;
		rc = sign(&s_prekey_def, &prekey, TYP_PREKEY, self->device_seed, out);
	}
	row->has = 0;
	row->time = now;
	row->object = buf_span(out);
	buf_clear(&suites);
	return rc;
}

int
keys_login(const struct row_self *self, struct span domain, const uint8_t nonce[32],
    const uint8_t *exporter, struct buf *out)
{
	struct s_login login = {.domain = domain, .account = self->account};

	memcpy(login.device, self->device, sizeof(login.device));
	memcpy(login.nonce, nonce, sizeof(login.nonce));
	if (exporter != NULL) {
		memcpy(login.exporter, exporter, sizeof(login.exporter));
		obj_set(&s_login_def, &login, 5);
	}
	return sign(&s_login_def, &login, TYP_LOGIN, self->device_seed, out);
}

int
keys_consent(const struct row_self *self, const char *typ, struct span to, uint64_t now,
    struct span listkey, struct span devlist, struct buf *out)
{
	struct s_consent consent = {.from = self->account, .to = to, .time = now};

	memcpy(consent.device, self->device, sizeof(consent.device));
	if (strcmp(typ, TYP_REVOKE) != 0) {
		consent.listkey = listkey;
		consent.devlist = devlist;
		obj_set(&s_consent_def, &consent, 5);
		obj_set(&s_consent_def, &consent, 6);
	}
	if (strcmp(typ, TYP_REQUEST) == 0) {
		consent.how = HOW_OPEN;
		obj_set(&s_consent_def, &consent, 7);
	}
	return sign(&s_consent_def, &consent, typ, self->device_seed, out);
}

static int
enrol_mac(const uint8_t secret[32], const struct i_enrol *blob, uint8_t mac[SHA_SIZE])
{
	struct span parts[4] = {
	    span_str("emsg-enrol-v1"), span_of(blob->key, 32), blob->name, blob->prekey};

	return sha_hmac(span_of(secret, 32), parts, 4, mac);
}

int
keys_enrol_blob(const struct row_self *self, const uint8_t secret[32], struct span prekey,
    struct buf *out)
{
	struct i_enrol blob = {.name = self->name, .prekey = prekey};

	if (ed25519_public(self->device_seed, blob.key) < 0 ||
	    enrol_mac(secret, &blob, blob.mac) < 0)
		return -1;
	return obj_encode(&i_enrol_def, &blob, out) == WIRE_OK ? 0 : -1;
}

bool
keys_enrol_open(struct span bytes, const uint8_t secret[32], struct i_enrol *blob)
{
	uint8_t mac[SHA_SIZE];

	return obj_decode(&i_enrol_def, bytes, blob) == WIRE_OK &&
	    enrol_mac(secret, blob, mac) == 0 &&
	    sha_equal(span_of(mac, SHA_SIZE), span_of(blob->mac, SHA_SIZE));
}

struct span
keys_domain(struct span account)
{
	struct addr addr;

	return addr_parse_wire(account, &addr) ? addr.domain : none;
}
