/* SPDX-License-Identifier: ISC */
/*
 * check_trust.c - tests of crypto/trust: each rule is broken once and must be noticed.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "crypto/cose.h"
#include "crypto/trust.h"
#include "objkit.h"

#define NOW 1800000000000ULL
#define DAY 86400000ULL
#define ALPHA "im.alpha.test"
#define BETA "im.beta.test"
#define ALICE "alice#im.alpha.test"

static struct kit_key root, sign_key, other, identity, list, devices[3];
static struct buf doc, cert, devlist, object;

static void
setup(void)
{
	kit_key(&root);
	kit_key(&sign_key);
	kit_key(&other);
	kit_key(&identity);
	kit_key(&list);
	for (size_t i = 0; i < 3; i++)
		kit_key(&devices[i]);
	buf_init(&doc, PROTO_OBJECT_MAX);
	buf_init(&cert, PROTO_OBJECT_MAX);
	buf_init(&devlist, PROTO_OBJECT_MAX);
	buf_init(&object, PROTO_OBJECT_MAX);
}

static void
teardown(void)
{
	buf_clear(&doc);
	buf_clear(&cert);
	buf_clear(&devlist);
	buf_clear(&object);
}

/* --- domain documents ----------------------------------------------------------------------- */

static unsigned
judge_domain(struct s_domain s, const char *domain)
{
	struct trust_domain td;

	kit_domain(&doc, &s, ALPHA, &root, &sign_key, NOW - DAY, NOW + DAY);
	return trust_domain(buf_span(&doc), span_str(domain), NOW, &td);
}

START_TEST(domain_rules)
{
	struct s_domain good = {.seq = 1, .issued = NOW - DAY, .expires = NOW + DAY};
	struct s_domain s;

	ck_assert_uint_eq(judge_domain(good, ALPHA), CODE_DONE);
	ck_assert_uint_eq(judge_domain(good, BETA), CODE_WRONG_DOMAIN);
	s = good;
	s.expires = NOW;
	ck_assert_uint_eq(judge_domain(s, ALPHA), CODE_EXPIRED);
	s = good;
	s.issued = NOW + TRUST_SKEW_MS + 1;
	s.expires = s.issued + DAY;
	ck_assert_uint_eq(judge_domain(s, ALPHA), CODE_CLOCK);
	s = good;
	s.expires = s.issued + (SOBJ_DOC_DAYS + 1) * DAY;
	ck_assert_uint_eq(judge_domain(s, ALPHA), CODE_BAD_DOCUMENT);
}
END_TEST

START_TEST(domain_signature)
{
	struct s_domain s = {.seq = 1, .issued = NOW - DAY, .expires = NOW + DAY};
	struct trust_domain td;
	struct span bytes;

	kit_domain(&doc, &s, ALPHA, &root, &sign_key, NOW - DAY, NOW + DAY);
	bytes = buf_span(&doc);
	for (size_t i = 0; i < bytes.n; i++) {
		doc.p[i] ^= 1;
		ck_assert_uint_ne(
		    trust_domain(bytes, span_str(ALPHA), NOW, &td), CODE_DONE);
		doc.p[i] ^= 1;
	}
	ck_assert_uint_eq(trust_domain(bytes, span_str(ALPHA), NOW, &td), CODE_DONE);
	/* Signed by another key than the root it names. */
	kit_sign(&object, &s_domain_def, &td.doc, TYP_DOMAIN, &other);
	ck_assert_uint_eq(trust_domain(buf_span(&object), span_str(ALPHA), NOW, &td),
	    CODE_BAD_SIGNATURE);
}
END_TEST

/* --- proofs of domains ------------------------------------------------------------------------- */

static const uint8_t nonce_d[32] = {1}, nonce_a[32] = {2}, exporter[32] = {3};

static unsigned
judge_peer(const struct s_peer *proof, const struct kit_key *signer, uint64_t from,
    uint64_t until)
{
	struct s_domain s = {.seq = 1, .issued = NOW - DAY, .expires = NOW + DAY};
	struct trust_peer want = {
	    SIDE_DIALLER, span_str(ALPHA), span_str(BETA), nonce_d, nonce_a, exporter};
	struct s_peer p = *proof;
	struct trust_domain td;

	kit_domain(&doc, &s, ALPHA, &root, &sign_key, from, until);
	ck_assert_uint_eq(
	    trust_domain(buf_span(&doc), span_str(ALPHA), NOW, &td), CODE_DONE);
	if (p.document[0] == 0)
		memcpy(p.document, td.hash, sizeof(p.document));
	kit_sign(&object, &s_peer_def, &p, TYP_PEER, signer);
	return trust_peer(&td, buf_span(&object), &want, NOW);
}

START_TEST(peer_rules)
{
	struct s_peer good = {.side = SIDE_DIALLER,
	    .dialler = span_str(ALPHA),
	    .acceptor = span_str(BETA),
	    .time = NOW};
	struct s_peer p;
	uint64_t a = NOW - DAY, b = NOW + DAY;

	memcpy(good.nonce_dialler, nonce_d, 32);
	memcpy(good.nonce_acceptor, nonce_a, 32);
	memcpy(good.exporter, exporter, 32);
	ck_assert_uint_eq(judge_peer(&good, &sign_key, a, b), CODE_DONE);
	ck_assert_uint_eq(judge_peer(&good, &other, a, b), CODE_BAD_SIGNATURE);
	ck_assert_uint_eq(judge_peer(&good, &root, a, b), CODE_BAD_SIGNATURE);
	ck_assert_uint_eq(judge_peer(&good, &sign_key, a, NOW), CODE_BAD_SIGNATURE);
	ck_assert_uint_eq(
	    judge_peer(&good, &sign_key, NOW + TRUST_SKEW_MS + 1, b), CODE_BAD_SIGNATURE);
	p = good;
	p.side = SIDE_ACCEPTOR;
	ck_assert_uint_eq(judge_peer(&p, &sign_key, a, b), CODE_WRONG_DOMAIN);
	p = good;
	p.acceptor = span_str(ALPHA);
	ck_assert_uint_eq(judge_peer(&p, &sign_key, a, b), CODE_WRONG_DOMAIN);
	p = good;
	p.nonce_dialler[31] ^= 1;
	ck_assert_uint_eq(judge_peer(&p, &sign_key, a, b), CODE_NONCE);
	p = good;
	p.nonce_acceptor[31] ^= 1;
	ck_assert_uint_eq(judge_peer(&p, &sign_key, a, b), CODE_NONCE);
	p = good;
	p.exporter[31] ^= 1;
	ck_assert_uint_eq(judge_peer(&p, &sign_key, a, b), CODE_NOT_AUTHORISED);
	p = good;
	p.document[0] = 0xff;
	ck_assert_uint_eq(judge_peer(&p, &sign_key, a, b), CODE_BAD_DOCUMENT);
	p = good;
	p.time = NOW - TRUST_SKEW_MS - 1;
	ck_assert_uint_eq(judge_peer(&p, &sign_key, a, b), CODE_CLOCK);
}
END_TEST

START_TEST(server_rules)
{
	struct s_domain s = {.seq = 1, .issued = NOW - DAY, .expires = NOW + DAY};
	struct s_server p = {.domain = span_str(ALPHA), .time = NOW};
	struct trust_domain td;
	uint8_t wrong[32] = {9};

	kit_domain(&doc, &s, ALPHA, &root, &sign_key, NOW - DAY, NOW + DAY);
	ck_assert_uint_eq(
	    trust_domain(buf_span(&doc), span_str(ALPHA), NOW, &td), CODE_DONE);
	memcpy(p.nonce, nonce_d, 32);
	memcpy(p.exporter, exporter, 32);
	memcpy(p.document, td.hash, 32);
	kit_sign(&object, &s_server_def, &p, TYP_SERVER, &sign_key);
	ck_assert_uint_eq(
	    trust_server(&td, buf_span(&object), nonce_d, exporter, NOW), CODE_DONE);
	ck_assert_uint_eq(
	    trust_server(&td, buf_span(&object), wrong, exporter, NOW), CODE_NONCE);
	ck_assert_uint_eq(trust_server(&td, buf_span(&object), nonce_d, wrong, NOW),
	    CODE_NOT_AUTHORISED);
	/* A statement of another typ is worth nothing here. */
	kit_sign(&object, &s_server_def, &p, TYP_PEER, &sign_key);
	ck_assert_uint_eq(trust_server(&td, buf_span(&object), nonce_d, exporter, NOW),
	    CODE_BAD_SIGNATURE);
}
END_TEST

/* --- accounts ------------------------------------------------------------------------------------- */

static unsigned
judge_account(struct trust_account *ta)
{
	return trust_account(span_str(ALICE), buf_span(&cert), buf_span(&devlist), ta);
}

START_TEST(account_rules)
{
	struct kit_key twice[2] = {devices[0], devices[0]};
	struct trust_account ta;

	kit_listkey(&cert, ALICE, &identity, &list, 1);
	kit_devlist(&devlist, ALICE, &list, 1, 1, NULL, devices, 2);
	ck_assert_uint_eq(judge_account(&ta), CODE_DONE);
	kit_devlist(&devlist, ALICE, &other, 1, 1, NULL, devices, 2);
	ck_assert_uint_eq(judge_account(&ta), CODE_BAD_SIGNATURE);
	kit_devlist(&devlist, ALICE, &list, 2, 1, NULL, devices, 2);
	ck_assert_uint_eq(judge_account(&ta), CODE_MALFORMED);
	kit_devlist(&devlist, "bob#im.alpha.test", &list, 1, 1, NULL, devices, 2);
	ck_assert_uint_eq(judge_account(&ta), CODE_NOT_AUTHORISED);
	kit_devlist(&devlist, ALICE, &list, 1, 1, NULL, twice, 2);
	ck_assert_uint_eq(judge_account(&ta), CODE_MALFORMED);
	kit_devlist(&devlist, ALICE, &list, 1, 1, NULL, devices, 2);
	kit_listkey(&cert, "bob#im.alpha.test", &identity, &list, 1);
	ck_assert_uint_eq(judge_account(&ta), CODE_NOT_AUTHORISED);
}
END_TEST

START_TEST(device_id_must_follow_from_key)
{
	struct s_devlist l = {.account = span_str(ALICE), .generation = 1, .seq = 1};
	struct s_device d = {.name = span_str("laptop")};
	struct trust_account ta;
	struct buf b;

	buf_init(&b, 1024);
	memcpy(d.key, devices[0].pub, 32);
	ck_assert_int_eq(trust_device_id(devices[1].pub, d.id), 0);
	ck_assert_int_eq(obj_encode(&s_device_def, &d, &b), WIRE_OK);
	l.devices.raw = buf_span(&b);
	l.devices.count = 1;
	kit_listkey(&cert, ALICE, &identity, &list, 1);
	kit_sign(&devlist, &s_devlist_def, &l, TYP_DEVLIST, &list);
	ck_assert_uint_eq(judge_account(&ta), CODE_MALFORMED);
	buf_clear(&b);
}
END_TEST

START_TEST(prekey_rules)
{
	uint8_t key[32] = {7};
	struct trust_account ta;
	struct s_prekey p;

	kit_listkey(&cert, ALICE, &identity, &list, 1);
	kit_devlist(&devlist, ALICE, &list, 1, 1, NULL, devices, 2);
	ck_assert_uint_eq(judge_account(&ta), CODE_DONE);
	kit_prekey(&object, ALICE, &devices[1], key);
	ck_assert_uint_eq(trust_prekey(&ta, buf_span(&object), &p), CODE_DONE);
	ck_assert_mem_eq(p.key, key, 32);
	kit_prekey(&object, ALICE, &devices[2], key); /* not in the list */
	ck_assert_uint_eq(trust_prekey(&ta, buf_span(&object), &p), CODE_NOT_AUTHORISED);
	kit_prekey(&object, "bob#im.alpha.test", &devices[1], key);
	ck_assert_uint_eq(trust_prekey(&ta, buf_span(&object), &p), CODE_NOT_AUTHORISED);
}
END_TEST

static void
make_consent(const char *typ, const char *from, const struct kit_key *device, bool keys)
{
	struct s_consent c = {
	    .from = span_str(from), .to = span_str("bob#im.beta.test"), .time = NOW};

	ck_assert_int_eq(trust_device_id(device->pub, c.device), 0);
	if (keys) {
		c.listkey = buf_span(&cert);
		c.devlist = buf_span(&devlist);
		obj_set(&s_consent_def, &c, 5);
		obj_set(&s_consent_def, &c, 6);
	}
	kit_sign(&object, &s_consent_def, &c, typ, device);
}

START_TEST(consent_rules)
{
	struct trust_account ta;
	struct s_consent c;

	kit_listkey(&cert, ALICE, &identity, &list, 1);
	kit_devlist(&devlist, ALICE, &list, 1, 1, NULL, devices, 2);
	make_consent(TYP_REQUEST, ALICE, &devices[0], true);
	ck_assert_uint_eq(
	    trust_consent(buf_span(&object), TYP_REQUEST, &ta, &c), CODE_DONE);
	ck_assert_mem_eq(ta.cert.identity, identity.pub, 32);
	/* A request is not a grant. */
	ck_assert_uint_eq(
	    trust_consent(buf_span(&object), TYP_GRANT, &ta, &c), CODE_BAD_SIGNATURE);
	make_consent(TYP_GRANT, ALICE, &devices[2], true);
	ck_assert_uint_eq(
	    trust_consent(buf_span(&object), TYP_GRANT, &ta, &c), CODE_NOT_AUTHORISED);
	make_consent(TYP_GRANT, "eve#im.alpha.test", &devices[0], true);
	ck_assert_uint_eq(
	    trust_consent(buf_span(&object), TYP_GRANT, &ta, &c), CODE_NOT_AUTHORISED);
	make_consent(TYP_GRANT, ALICE, &devices[0], false);
	ck_assert_uint_eq(
	    trust_consent(buf_span(&object), TYP_GRANT, &ta, &c), CODE_MALFORMED);
	ck_assert_uint_eq(judge_account(&ta), CODE_DONE);
	make_consent(TYP_REVOKE, ALICE, &devices[0], false);
	ck_assert_uint_eq(
	    trust_consent(buf_span(&object), TYP_REVOKE, &ta, &c), CODE_DONE);
	make_consent(TYP_REVOKE, ALICE, &devices[0], true);
	ck_assert_uint_eq(
	    trust_consent(buf_span(&object), TYP_REVOKE, &ta, &c), CODE_MALFORMED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trust");
	TCase *tc = tcase_create("rules");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, domain_rules);
	tcase_add_test(tc, domain_signature);
	tcase_add_test(tc, peer_rules);
	tcase_add_test(tc, server_rules);
	tcase_add_test(tc, account_rules);
	tcase_add_test(tc, device_id_must_follow_from_key);
	tcase_add_test(tc, prekey_rules);
	tcase_add_test(tc, consent_rules);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
