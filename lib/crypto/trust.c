/* SPDX-License-Identifier: ISC */
/*
 * trust.c - verifying signed objects.
 *
 * The one place that says when a document, list, prekey or proof is good; see trust.h for
 * who uses it. The order is always: parse, decode the payload to learn which key should have
 * signed, verify under that key, judge the content. Owns nothing, allocates nothing.
 */
#include "crypto/cose.h"
#include "crypto/trust.h"

#define DAY_MS (24ULL * 3600 * 1000)

static const struct span none;

/* Parses an object of a typ and decodes its payload; nothing is verified yet. */
static unsigned
open_payload(struct span object, const char *typ, const struct obj_def *def,
    struct cose_sign1 *sign1, void *out)
{
	enum wire_err err;

	if (cose_sign1_parse(object, sign1) != COSE_OK)
		return CODE_MALFORMED;
	if (!span_eq(sign1->typ, span_str(typ)))
		return CODE_BAD_SIGNATURE;
	err = obj_decode(def, sign1->payload, out);
	if (err == WIRE_UNSUPPORTED)
		return CODE_UNSUPPORTED;
	return err == WIRE_OK ? CODE_DONE : CODE_MALFORMED;
}

static unsigned
check_signature(const struct cose_sign1 *sign1, const char *typ, const uint8_t key[32])
{
	return cose_sign1_check(sign1, span_str(typ), none, span_of(key, 32)) == COSE_OK
	    ? CODE_DONE
	    : CODE_BAD_SIGNATURE;
}

/* --- domains ------------------------------------------------------------------------------ */

unsigned
trust_domain(
    struct span document, struct span domain, uint64_t now, struct trust_domain *td)
{
	struct cose_sign1 sign1;
	unsigned code;

	if (document.n > PROTO_OBJECT_MAX)
		return CODE_TOO_LARGE;
	code = open_payload(document, TYP_DOMAIN, &s_domain_def, &sign1, &td->doc);
	if (code != CODE_DONE)
		return code;
	if ((code = check_signature(&sign1, TYP_DOMAIN, td->doc.root)) != CODE_DONE)
		return code;
	if (!span_eq(td->doc.domain, domain))
		return CODE_WRONG_DOMAIN;
	if (td->doc.issued > now + TRUST_SKEW_MS)
		return CODE_CLOCK;
	if (td->doc.expires <= now)
		return CODE_EXPIRED;
	if (td->doc.expires < td->doc.issued ||
	    td->doc.expires - td->doc.issued > SOBJ_DOC_DAYS * DAY_MS)
		return CODE_BAD_DOCUMENT;
	if (sha_of(document, td->hash) == -1 ||
	    sha_of(span_of(td->doc.root, 32), td->pin) == -1)
		return CODE_STORAGE;
	return CODE_DONE;
}

unsigned
trust_by_domain(const struct trust_domain *td, struct span object, const char *typ,
    uint64_t now, struct span *payload)
{
	struct cose_sign1 sign1;
	struct s_domain_key key;
	struct obj_iter it;

	if (cose_sign1_parse(object, &sign1) != COSE_OK)
		return CODE_MALFORMED;
	obj_iter_init(&it, &td->doc.keys);
	while (obj_next(&it, &s_domain_key_def, &key)) {
		if (now + TRUST_SKEW_MS < key.from || now >= key.until)
			continue;
		if (check_signature(&sign1, typ, key.key) == CODE_DONE) {
			*payload = sign1.payload;
			return CODE_DONE;
		}
	}
	return CODE_BAD_SIGNATURE;
}

static bool
near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= TRUST_SKEW_MS;
}

static bool
same32(const uint8_t *a, const uint8_t *b)
{
	return sha_equal(span_of(a, 32), span_of(b, 32));
}

unsigned
trust_peer(const struct trust_domain *td, struct span proof,
    const struct trust_peer *want, uint64_t now)
{
	struct span payload;
	struct s_peer p;
	unsigned code = trust_by_domain(td, proof, TYP_PEER, now, &payload);

	if (code != CODE_DONE)
		return code;
	if (obj_decode(&s_peer_def, payload, &p) != WIRE_OK)
		return CODE_MALFORMED;
	if (p.side != want->side || !span_eq(p.dialler, want->dialler) ||
	    !span_eq(p.acceptor, want->acceptor))
		return CODE_WRONG_DOMAIN;
	if (!same32(p.nonce_dialler, want->nonce_dialler) ||
	    !same32(p.nonce_acceptor, want->nonce_acceptor))
		return CODE_NONCE;
	if (!same32(p.exporter, want->exporter))
		return CODE_NOT_AUTHORISED;
	if (!same32(p.document, td->hash))
		return CODE_BAD_DOCUMENT;
	return near(p.time, now) ? CODE_DONE : CODE_CLOCK;
}

unsigned
trust_server(const struct trust_domain *td, struct span proof, const uint8_t nonce[32],
    const uint8_t exporter[32], uint64_t now)
{
	struct span payload;
	struct s_server p;
	unsigned code = trust_by_domain(td, proof, TYP_SERVER, now, &payload);

	if (code != CODE_DONE)
		return code;
	if (obj_decode(&s_server_def, payload, &p) != WIRE_OK)
		return CODE_MALFORMED;
	if (!span_eq(p.domain, td->doc.domain))
		return CODE_WRONG_DOMAIN;
	if (!same32(p.nonce, nonce))
		return CODE_NONCE;
	if (!same32(p.exporter, exporter))
		return CODE_NOT_AUTHORISED;
	if (!same32(p.document, td->hash))
		return CODE_BAD_DOCUMENT;
	return CODE_DONE;
}

/* --- accounts ----------------------------------------------------------------------------- */

/* Ids follow from keys, and no device is there twice. */
static bool
devices_ok(const struct s_devlist *list)
{
	uint8_t seen[SOBJ_DEVICES_MAX][PROTO_DEVICE_SIZE], id[PROTO_DEVICE_SIZE];
	struct s_device device;
	struct obj_iter it;
	size_t n = 0;

	obj_iter_init(&it, &list->devices);
	while (obj_next(&it, &s_device_def, &device)) {
		if (trust_device_id(device.key, id) == -1 ||
		    memcmp(id, device.id, sizeof(id)) != 0)
			return false;
		for (size_t i = 0; i < n; i++)
			if (memcmp(seen[i], id, sizeof(id)) == 0)
				return false;
		memcpy(seen[n++], id, sizeof(id));
	}
	return true;
}

unsigned
trust_account(struct span account, struct span listkey, struct span devlist,
    struct trust_account *ta)
{
	struct cose_sign1 cert, list;
	unsigned code;

	if (listkey.n > SOBJ_LISTKEY_MAX || devlist.n > SOBJ_DEVLIST_MAX)
		return CODE_TOO_LARGE;
	code = open_payload(listkey, TYP_LISTKEY, &s_listkey_def, &cert, &ta->cert);
	if (code == CODE_DONE)
		code = check_signature(&cert, TYP_LISTKEY, ta->cert.identity);
	if (code == CODE_DONE)
		code =
		    open_payload(devlist, TYP_DEVLIST, &s_devlist_def, &list, &ta->list);
	if (code == CODE_DONE)
		code = check_signature(&list, TYP_DEVLIST, ta->cert.key);
	if (code != CODE_DONE)
		return code;
	if (!span_eq(ta->cert.account, account) || !span_eq(ta->list.account, account))
		return CODE_NOT_AUTHORISED;
	if (ta->cert.generation != ta->list.generation || !devices_ok(&ta->list))
		return CODE_MALFORMED;
	return sha_of(devlist, ta->head) == 0 ? CODE_DONE : CODE_STORAGE;
}

bool
trust_device(
    const struct trust_account *ta, const uint8_t id[16], struct s_device *device)
{
	struct obj_iter it;

	obj_iter_init(&it, &ta->list.devices);
	while (obj_next(&it, &s_device_def, device))
		if (memcmp(device->id, id, sizeof(device->id)) == 0)
			return true;
	return false;
}

unsigned
trust_by_device(const struct trust_account *ta, const uint8_t id[16], struct span object,
    const char *typ, struct span *payload)
{
	struct s_device device;

	if (!trust_device(ta, id, &device))
		return CODE_NOT_AUTHORISED;
	switch (cose_sign1_verify(
	    object, span_str(typ), none, span_of(device.key, 32), payload)) {
	case COSE_OK:
		return CODE_DONE;
	case COSE_MALFORMED:
		return CODE_MALFORMED;
	default:
		return CODE_BAD_SIGNATURE;
	}
}

unsigned
trust_prekey(const struct trust_account *ta, struct span object, struct s_prekey *prekey)
{
	struct cose_sign1 sign1;
	struct s_device device;
	unsigned code = CODE_TOO_LARGE;

	if (object.n <= SOBJ_PREKEY_MAX)
		code = open_payload(object, TYP_PREKEY, &s_prekey_def, &sign1, prekey);
	if (code != CODE_DONE)
		return code;
	if (!span_eq(prekey->account, ta->list.account) ||
	    !trust_device(ta, prekey->device, &device))
		return CODE_NOT_AUTHORISED;
	return check_signature(&sign1, TYP_PREKEY, device.key);
}

unsigned
trust_consent(struct span object, const char *typ, struct trust_account *maker,
    struct s_consent *consent)
{
	bool revoke = strcmp(typ, TYP_REVOKE) == 0;
	struct cose_sign1 sign1;
	struct s_device device;
	unsigned code = open_payload(object, typ, &s_consent_def, &sign1, consent);

	if (code != CODE_DONE)
		return code;
	if (obj_has(&s_consent_def, consent, 5) == revoke ||
	    obj_has(&s_consent_def, consent, 6) == revoke)
		return CODE_MALFORMED;
	if (!revoke) {
		code = trust_account(
		    consent->from, consent->listkey, consent->devlist, maker);
		if (code != CODE_DONE)
			return code;
	} else if (!span_eq(consent->from, maker->list.account)) {
		return CODE_NOT_AUTHORISED;
	}
	if (!trust_device(maker, consent->device, &device))
		return CODE_NOT_AUTHORISED;
	return check_signature(&sign1, typ, device.key);
}

/* The first n bytes of SHA-256 of a public key. */
static int
short_id(const uint8_t key[32], uint8_t *id, size_t n)
{
	uint8_t hash[SHA_SIZE];

	if (sha_of(span_of(key, 32), hash) == -1)
		return -1;
	memcpy(id, hash, n);
	return 0;
}

int
trust_device_id(const uint8_t key[32], uint8_t id[PROTO_DEVICE_SIZE])
{
	return short_id(key, id, PROTO_DEVICE_SIZE);
}

int
trust_prekey_id(const uint8_t key[32], uint8_t id[PROTO_PREKEY_ID_SIZE])
{
	return short_id(key, id, PROTO_PREKEY_ID_SIZE);
}
