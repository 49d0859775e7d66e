/* SPDX-License-Identifier: ISC */
/*
 * objkit.c - signed objects for tests. Everything is made by the code under test's own
 * encoders; what the tests then change is their business.
 */
#include "config.h"

#include <check.h>

#include "crypto/cose.h"
#include "crypto/trust.h"
#include "objkit.h"

void
kit_key(struct kit_key *key)
{
	ck_assert_int_eq(ed25519_keygen(key->seed, key->pub), 0);
}

void
kit_sign(struct buf *out, const struct obj_def *def, const void *payload, const char *typ,
    const struct kit_key *key)
{
	struct buf b;

	buf_init(&b, PROTO_OBJECT_MAX);
	ck_assert_int_eq(obj_encode(def, payload, &b), WIRE_OK);
	ck_assert(!buf_failed(&b));
	buf_reset(out);
	ck_assert_int_eq(cose_sign1_make(span_str(typ), span_of(NULL, 0), buf_span(&b),
			     key->seed, out),
	    0);
	buf_clear(&b);
}

void
kit_domain(struct buf *out, struct s_domain *doc, const char *domain,
    const struct kit_key *root, const struct kit_key *sign, uint64_t from, uint64_t until)
{
	struct s_domain_key key = {.from = from, .until = until};
	struct buf keys;

	memcpy(key.key, sign->pub, sizeof(key.key));
	buf_init(&keys, 1024);
	ck_assert_int_eq(obj_encode(&s_domain_key_def, &key, &keys), WIRE_OK);
	doc->domain = span_str(domain);
	memcpy(doc->root, root->pub, sizeof(doc->root));
	doc->keys.raw = buf_span(&keys);
	doc->keys.count = 1;
	doc->version_min = doc->version_max = PROTO_VERSION;
	kit_sign(out, &s_domain_def, doc, TYP_DOMAIN, root);
	buf_clear(&keys);
}

void
kit_listkey(struct buf *out, const char *account, const struct kit_key *identity,
    const struct kit_key *list, uint64_t generation)
{
	struct s_listkey cert = {.account = span_str(account), .generation = generation};

	memcpy(cert.identity, identity->pub, sizeof(cert.identity));
	memcpy(cert.key, list->pub, sizeof(cert.key));
	kit_sign(out, &s_listkey_def, &cert, TYP_LISTKEY, identity);
}

void
kit_devlist(struct buf *out, const char *account, const struct kit_key *list,
    uint64_t generation, uint64_t seq, const uint8_t *prev, const struct kit_key *devices,
    size_t n)
{
	struct s_devlist l = {
	    .account = span_str(account), .generation = generation, .seq = seq};
	struct buf b;

	buf_init(&b, SOBJ_DEVLIST_MAX);
	for (size_t i = 0; i < n; i++) {
		struct s_device d = {.name = span_str("laptop")};

		memcpy(d.key, devices[i].pub, sizeof(d.key));
		ck_assert_int_eq(trust_device_id(d.key, d.id), 0);
		ck_assert_int_eq(obj_encode(&s_device_def, &d, &b), WIRE_OK);
	}
	l.devices.raw = buf_span(&b);
	l.devices.count = n;
	if (prev != NULL) {
		memcpy(l.prev, prev, sizeof(l.prev));
		obj_set(&s_devlist_def, &l, 4);
	}
	kit_sign(out, &s_devlist_def, &l, TYP_DEVLIST, list);
	buf_clear(&b);
}

void
kit_prekey(struct buf *out, const char *account, const struct kit_key *device,
    const uint8_t key[32])
{
	struct s_prekey p = {.account = span_str(account)};
	struct s_suite suite = {.fmt = 1, .suite = 1};
	struct buf b;

	buf_init(&b, 64);
	ck_assert_int_eq(obj_encode(&s_suite_def, &suite, &b), WIRE_OK);
	memcpy(p.key, key, sizeof(p.key));
	ck_assert_int_eq(trust_device_id(device->pub, p.device), 0);
	p.suites.raw = buf_span(&b);
	p.suites.count = 1;
	kit_sign(out, &s_prekey_def, &p, TYP_PREKEY, device);
	buf_clear(&b);
}
