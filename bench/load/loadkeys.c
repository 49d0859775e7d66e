/* SPDX-License-Identifier: ISC */
/*
 * loadkeys.c - keys and signed objects of one account of the load generator.
 *
 * Makes what a client makes at registration: an identity key that certifies a list key, a
 * device list with one device, and a prekey (doc/protocol.md 5.1 to 5.4, 5.7). The keys of
 * identity and list are forgotten at once: these accounts never get a second device. Owns the
 * buffers in struct loadkeys. Fails by -1 when libcrypto does.
 */
#include "config.h"

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/cose.h"
#include "crypto/trust.h"
#include "crypto/x25519.h"
#include "wire/sobj.h"

#include "loadkeys.h"

#define DEVICE_NAME "load"

/* Encodes a payload by its table and appends it, signed. */
static int
sign_object(const char *typ, const struct obj_def *def, const void *obj,
    const uint8_t seed[32], struct buf *out)
{
	struct buf payload;
	int rc = -1;

	buf_init(&payload, PROTO_OBJECT_MAX);
	if (obj_encode(def, obj, &payload) == WIRE_OK && !buf_failed(&payload))
		rc = cose_sign1_make(
		    span_str(typ), span_of(NULL, 0), buf_span(&payload), seed, out);
	buf_clear(&payload);
	return rc;
}

/* The certificate of the list key; lseed and lpub are the new list key. */
static int
make_listkey(struct loadkeys *k, uint8_t lseed[32], uint64_t now)
{
	struct s_listkey cert = {.account = span_str(k->account), .generation = 1};
	uint8_t iseed[32];
	int rc = -1;

	cert.time = now;
	if (ed25519_keygen(iseed, cert.identity) == 0 &&
	    ed25519_keygen(lseed, cert.key) == 0)
		rc = sign_object(TYP_LISTKEY, &s_listkey_def, &cert, iseed, &k->listkey);
	wipe(iseed, sizeof(iseed));
	return rc;
}

static int
make_devlist(struct loadkeys *k, const uint8_t lseed[32], uint64_t now)
{
	struct s_device dev = {.name = span_str(DEVICE_NAME), .added = now};
	struct s_devlist list = {.account = span_str(k->account), .generation = 1};
	struct buf devices;
	int rc = -1;

	buf_init(&devices, SOBJ_DEVLIST_MAX);
	if (ed25519_keygen(k->seed, dev.key) == 0 &&
	    trust_device_id(dev.key, k->device) == 0) {
		memcpy(dev.id, k->device, sizeof(dev.id));
		list.seq = 1;
		list.time = now;
		if (obj_encode(&s_device_def, &dev, &devices) == WIRE_OK) {
			list.devices.raw = buf_span(&devices);
			list.devices.count = 1;
			rc = sign_object(
			    TYP_DEVLIST, &s_devlist_def, &list, lseed, &k->devlist);
		}
	}
	buf_clear(&devices);
	return rc;
}

/* Nothing is ever opened with this prekey, so its private half is dropped. */
static int
make_prekey(struct loadkeys *k, uint64_t now)
{
	struct s_prekey pre = {.account = span_str(k->account), .time = now};
	struct s_suite suite = {.fmt = 1, .suite = 1};
	uint8_t priv[X25519_SIZE];
	struct buf suites;
	int rc = -1;

	buf_init(&suites, 64);
	memcpy(pre.device, k->device, sizeof(pre.device));
	if (x25519_keygen(priv, pre.key) == 0 &&
	    trust_prekey_id(pre.key, k->prekey_id) == 0 &&
	    obj_encode(&s_suite_def, &suite, &suites) == WIRE_OK) {
		pre.suites.raw = buf_span(&suites);
		pre.suites.count = 1;
		rc = sign_object(TYP_PREKEY, &s_prekey_def, &pre, k->seed, &k->prekey);
	}
	wipe(priv, sizeof(priv));
	buf_clear(&suites);
	return rc;
}

int
loadkeys_make(struct loadkeys *k, const char *account)
{
	uint64_t now = clock_wall_ms();
	uint8_t lseed[32];
	int rc = -1;

	memset(k, 0, sizeof(*k));
	buf_init(&k->listkey, SOBJ_LISTKEY_MAX);
	buf_init(&k->devlist, SOBJ_DEVLIST_MAX);
	buf_init(&k->prekey, SOBJ_PREKEY_MAX);
	if (strlen(account) >= sizeof(k->account))
		return -1;
	memcpy(k->account, account, strlen(account) + 1);
	if (make_listkey(k, lseed, now) == 0 && make_devlist(k, lseed, now) == 0)
		rc = make_prekey(k, now);
	wipe(lseed, sizeof(lseed));
	return rc;
}

void
loadkeys_trim(struct loadkeys *k)
{
	buf_clear(&k->listkey);
	buf_clear(&k->devlist);
	buf_clear(&k->prekey);
}

int
loadkeys_login(const struct loadkeys *k, struct span domain, const uint8_t nonce[32],
    const uint8_t exporter[32], struct buf *out)
{
	struct s_login login = {.domain = domain, .account = span_str(k->account)};

	memcpy(login.device, k->device, sizeof(login.device));
	memcpy(login.nonce, nonce, sizeof(login.nonce));
	memcpy(login.exporter, exporter, sizeof(login.exporter));
	obj_set(&s_login_def, &login, 5);
	return sign_object(TYP_LOGIN, &s_login_def, &login, k->seed, out);
}

int
loadkeys_consent(
    const struct loadkeys *k, const char *typ, const char *to, struct buf *out)
{
	struct s_consent c = {.from = span_str(k->account), .to = span_str(to)};

	c.time = clock_wall_ms();
	memcpy(c.device, k->device, sizeof(c.device));
	c.listkey = buf_span(&k->listkey);
	c.devlist = buf_span(&k->devlist);
	obj_set(&s_consent_def, &c, 5);
	obj_set(&s_consent_def, &c, 6);
	if (strcmp(typ, TYP_REQUEST) == 0) {
		c.how = HOW_OPEN;
		obj_set(&s_consent_def, &c, 7);
	}
	return sign_object(typ, &s_consent_def, &c, k->seed, out);
}
