/* SPDX-License-Identifier: ISC */
/*
 * check_cose.c - tests of crypto/cose: the profile, and the examples of the COSE working group.
 *
 * The examples predate RFC 9864: their Ed25519 object says alg -8 (EdDSA), carries a kid
 * and a content type, and the pass and fail series are ES256. Our profile accepts alg -19 only
 * and no other header, so none of them may pass cose_sign1_parse(). What they judge is
 * what lies below the profile, through cose_raw.h: the object of alg -8 verifies when the test
 * asks for -8; our Sig_structure equals the one in every example that is meant to pass;
 * our signature of the EdDSA example is its signature byte for byte. The fail series
 * cannot fail by its ES256 signature here; its faults (tag, payload, algorithm, added and
 * removed headers) are repeated below on objects of our own that verify before.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/cose_raw.h"
#include "vecfile.h"
#include "wire/cbor.h"

#define OBJECT_MAX 4096
#define ALG_EDDSA (-8)

/* What the profile and the layer below it say to each example. */
static const struct {
	const char *name;
	enum cose_error raw;     /* of cose_raw_parse() */
	enum cose_error profile; /* of cose_sign1_parse() */
	bool same_tbs;           /* its ToBeSign is over the object as sent */
} examples[] = {
    {"RFC8152_Appendix_C_2_1", COSE_OK, COSE_ALG, true},
    {"eddsa-examples_eddsa-sig-01", COSE_OK, COSE_ALG, true},
    {"sign1-tests_sign-pass-01", COSE_MALFORMED, COSE_MALFORMED, false}, /* h'a0' */
    {"sign1-tests_sign-pass-02", COSE_OK, COSE_ALG, true},
    {"sign1-tests_sign-pass-03", COSE_MALFORMED, COSE_MALFORMED, false}, /* no tag */
    {"sign1-tests_sign-fail-01", COSE_MALFORMED, COSE_MALFORMED, false}, /* tag 998 */
    {"sign1-tests_sign-fail-02", COSE_OK, COSE_ALG, false},              /* payload */
    {"sign1-tests_sign-fail-03", COSE_OK, COSE_ALG, false},              /* alg -999 */
    {"sign1-tests_sign-fail-04", COSE_OK, COSE_ALG, false},              /* "unknown" */
    {"sign1-tests_sign-fail-06", COSE_OK, COSE_ALG, false}, /* header added */
    {"sign1-tests_sign-fail-07", COSE_OK, COSE_ALG, false}, /* header removed */
};

static struct span
external_of(struct vecfile *v)
{
	if (vecfile_find(v, "input.sign0.external") == NULL)
		return span_of(NULL, 0);
	return vecfile_bytes(v, "input.sign0.external");
}

static void
check_tbs(struct vecfile *v, const struct cose_raw *raw, bool same)
{
	struct buf tbs;

	buf_init(&tbs, OBJECT_MAX);
	ck_assert_int_eq(
	    cose_raw_tbs(raw->header, external_of(v), raw->payload, &tbs), 0);
	ck_assert(same ==
	    span_eq(buf_span(&tbs), vecfile_bytes(v, "intermediates.ToBeSign_hex")));
	buf_clear(&tbs);
}

START_TEST(test_examples)
{
	size_t n = sizeof(examples) / sizeof(examples[0]);

	for (size_t i = 0; i < n; i++) {
		struct vecfile v;
		struct cose_raw raw;
		struct cose_sign1 o;
		char path[64];
		struct span bytes;

		snprintf(path, sizeof(path), "cose/%s", examples[i].name);
		vecfile_open(&v, path);
		ck_assert(vecfile_next(&v));
		bytes = vecfile_bytes(&v, "output.cbor");
		ck_assert_msg(cose_raw_parse(bytes, &raw) == examples[i].raw, "%s", path);
		ck_assert_msg(
		    cose_sign1_parse(bytes, &o) == examples[i].profile, "%s", path);
		if (examples[i].raw == COSE_OK)
			check_tbs(&v, &raw, examples[i].same_tbs);
		vecfile_close(&v);
	}
	printf("cose: %zu examples judged\n", n);
}
END_TEST

/* The one example with Ed25519: verified and reproduced, by asking for alg -8. */
START_TEST(test_eddsa_example)
{
	struct vecfile v;
	struct cose_raw raw;
	struct span none = span_of(NULL, 0), pub;
	uint8_t seed[ED25519_SEED_SIZE], sig[ED25519_SIG_SIZE], bent[ED25519_SIG_SIZE];

	vecfile_open(&v, "cose/eddsa-examples_eddsa-sig-01");
	ck_assert(vecfile_next(&v));
	pub = vecfile_bytes(&v, "input.sign0.key.x_hex");
	ck_assert_int_eq(cose_raw_parse(vecfile_bytes(&v, "output.cbor"), &raw), COSE_OK);
	ck_assert(raw.alg == ALG_EDDSA && raw.extra);
	ck_assert_int_eq(cose_raw_check(&raw, ALG_EDDSA, none, pub), COSE_OK);
	ck_assert_int_eq(cose_raw_check(&raw, COSE_ALG_ED25519, none, pub), COSE_ALG);
	ck_assert_int_eq(
	    cose_raw_check(&raw, ALG_EDDSA, span_str("x"), pub), COSE_SIGNATURE);
	vecfile_copy(&v, "input.sign0.key.d_hex", seed, sizeof(seed));
	ck_assert_int_eq(
	    ed25519_sign(seed, vecfile_bytes(&v, "intermediates.ToBeSign_hex"), sig), 0);
	ck_assert(span_eq(span_of(sig, sizeof(sig)), raw.signature));
	memcpy(bent, sig, sizeof(bent));
	bent[0] ^= 1;
	raw.signature = span_of(bent, sizeof(bent));
	ck_assert_int_eq(cose_raw_check(&raw, ALG_EDDSA, none, pub), COSE_SIGNATURE);
	vecfile_close(&v);
}
END_TEST

static uint8_t seed[ED25519_SEED_SIZE], public_key[ED25519_PUBLIC_SIZE];
static struct span pub;

static void
setup(void)
{
	memset(seed, 7, sizeof(seed));
	ck_assert_int_eq(ed25519_public(seed, public_key), 0);
	pub = span_of(public_key, sizeof(public_key));
}

/* The bytes of a small object, written out by hand from RFC 9052. */
START_TEST(test_layout)
{
	static const uint8_t head[] = {0xd2, 0x84, 0x49, 0xa2, 0x01, 0x32, 0x10, 0x64,
	    't', 'e', 's', 't', 0xa0, 0x42, 'h', 'i', 0x58, 0x40};
	static const uint8_t tbs[] = {0x84, 0x6a, 'S', 'i', 'g', 'n', 'a', 't', 'u', 'r',
	    'e', '1', 0x49, 0xa2, 0x01, 0x32, 0x10, 0x64, 't', 'e', 's', 't', 0x41, 'x',
	    0x42, 'h', 'i'};
	struct span typ = span_str("test"), aad = span_str("x"), payload = span_str("hi");
	uint8_t sig[ED25519_SIG_SIZE];
	struct buf o, t;

	buf_init(&o, OBJECT_MAX);
	buf_init(&t, OBJECT_MAX);
	ck_assert_int_eq(cose_sign1_make(typ, aad, payload, seed, &o), 0);
	ck_assert_int_eq(cose_tbs(typ, aad, payload, &t), 0);
	ck_assert(span_eq(buf_span(&t), span_of(tbs, sizeof(tbs))));
	ck_assert_int_eq(ed25519_sign(seed, span_of(tbs, sizeof(tbs)), sig), 0);
	ck_assert_uint_eq(o.n, sizeof(head) + sizeof(sig));
	ck_assert_mem_eq(o.p, head, sizeof(head));
	ck_assert_mem_eq(o.p + sizeof(head), sig, sizeof(sig));
	ck_assert_int_eq(
	    cose_check(typ, aad, payload, pub, span_of(sig, sizeof(sig))), 0);
	buf_reset(&t);
	ck_assert_int_eq(cose_sign1_wrap(typ, payload, sig, &t), 0);
	ck_assert(span_eq(buf_span(&t), buf_span(&o)));
	buf_clear(&o);
	buf_clear(&t);
}
END_TEST

START_TEST(test_verify)
{
	struct span typ = span_str("emsg-test"), aad = span_str("aad");
	struct span payload = span_str("payload"), got = span_of(NULL, 0);
	uint8_t other[ED25519_PUBLIC_SIZE], unused[ED25519_SEED_SIZE];
	struct buf b;

	buf_init(&b, OBJECT_MAX);
	ck_assert_int_eq(ed25519_keygen(unused, other), 0);
	ck_assert_int_eq(cose_sign1_make(typ, aad, payload, seed, &b), 0);
	ck_assert_int_eq(cose_sign1_verify(buf_span(&b), typ, aad, pub, &got), COSE_OK);
	ck_assert(span_eq(got, payload));
	got = span_of(NULL, 0);
	ck_assert_int_eq(
	    cose_sign1_verify(buf_span(&b), span_str("emsg-tesu"), aad, pub, &got),
	    COSE_TYP);
	ck_assert_int_eq(cose_sign1_verify(buf_span(&b), typ, span_str(""), pub, &got),
	    COSE_SIGNATURE);
	ck_assert_int_eq(cose_sign1_verify(
			     buf_span(&b), typ, aad, span_of(other, sizeof(other)), &got),
	    COSE_SIGNATURE);
	ck_assert_int_eq(
	    cose_sign1_verify(buf_span(&b), typ, aad, span_of(public_key, 31), &got),
	    COSE_SIGNATURE);
	ck_assert(got.p == NULL);
	buf_clear(&b);
}
END_TEST

/* Any bit flipped, any byte cut off or added: never verified, and never another reading. */
START_TEST(test_altered)
{
	struct span typ = span_str("emsg-test"), none = span_of(NULL, 0), got;
	struct buf b;

	buf_init(&b, OBJECT_MAX);
	ck_assert_int_eq(cose_sign1_make(typ, none, span_str("payload"), seed, &b), 0);
	for (size_t bit = 0; bit < b.n * 8; bit++) {
		b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		ck_assert_int_ne(
		    cose_sign1_verify(buf_span(&b), typ, none, pub, &got), COSE_OK);
		b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t n = 0; n < b.n; n++)
		ck_assert_int_eq(cose_sign1_verify(span_of(b.p, n), typ, none, pub, &got),
		    COSE_MALFORMED);
	ck_assert_int_eq(cose_sign1_verify(buf_span(&b), typ, none, pub, &got), COSE_OK);
	buf_put_u8(&b, 0);
	ck_assert_int_eq(
	    cose_sign1_verify(buf_span(&b), typ, none, pub, &got), COSE_MALFORMED);
	buf_clear(&b);
}
END_TEST

/* Objects with a valid signature over their own header that the profile refuses: the tag,
 * protected header, unprotected header and signature are given in hex ("S" signs). */
static const struct {
	const char *tag, *header, *unprotected;
	enum cose_error err;
} variants[] = {
    {"d2", "a20132106474657374", "a0", COSE_OK},
    {"", "a20132106474657374", "a0", COSE_MALFORMED},     /* no tag */
    {"d862", "a20132106474657374", "a0", COSE_MALFORMED}, /* tag 98, COSE_Sign */
    {"d2", "a20127106474657374", "a0", COSE_ALG},         /* -8 */
    {"d2", "a20126106474657374", "a0", COSE_ALG},         /* ES256 */
    {"d2", "a20113106474657374", "a0", COSE_ALG},         /* +19 */
    {"d2", "a1106474657374", "a0", COSE_ALG},             /* no alg */
    {"d2", "", "a0", COSE_ALG},                           /* no header */
    {"d2", "a0", "a0", COSE_MALFORMED},                   /* empty map, RFC 9052, 3 */
    {"d2", "a10132", "a0", COSE_HEADER},                  /* no typ */
    {"d2", "a201321060", "a0", COSE_HEADER},              /* empty typ */
    {"d2", "a201321018", "a0", COSE_MALFORMED},           /* cut off */
    {"d2", "a201321000", "a0", COSE_HEADER},              /* typ as a number */
    {"d2",
	"a3013203001064"
	"74657374",
	"a0", COSE_HEADER}, /* content type */
    {"d2",
	"a301320281011064"
	"74657374",
	"a0", COSE_HEADER}, /* crit */
    {"d2",
	"a3013210647465737461"
	"6100",
	"a0", COSE_HEADER},                                  /* text label */
    {"d2", "a20132106474657374", "a104423131", COSE_HEADER}, /* kid outside */
    {"d2", "a20132106474657374", "a10132", COSE_HEADER},     /* alg outside, too */
    {"d2", "a21064746573740132", "a0", COSE_MALFORMED},      /* order of keys */
    {"d2", "a2013812106474657374", "a0", COSE_MALFORMED},    /* long form of -19 */
    {"d2", "a201320132", "a0", COSE_MALFORMED},              /* label twice */
    {"d2", "a2013210647465737400", "a0", COSE_MALFORMED},    /* a byte more */
    {"d2", "bf0132106474657374ff", "a0", COSE_MALFORMED},    /* indefinite */
};

static void
put_hex(struct buf *b, const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t bytes[64];

	ck_assert(n <= sizeof(bytes) && hex_decode(hex, bytes, n));
	buf_put(b, bytes, n);
}

START_TEST(test_variants)
{
	struct span payload = span_str("hi"), none = span_of(NULL, 0), got;
	uint8_t sig[ED25519_SIG_SIZE];
	struct buf header, tbs, b;

	buf_init(&header, OBJECT_MAX);
	buf_init(&tbs, OBJECT_MAX);
	buf_init(&b, OBJECT_MAX);
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		buf_reset(&header);
		buf_reset(&tbs);
		buf_reset(&b);
		put_hex(&header, variants[i].header);
		ck_assert_int_eq(cose_raw_tbs(buf_span(&header), none, payload, &tbs), 0);
		ck_assert_int_eq(ed25519_sign(seed, buf_span(&tbs), sig), 0);
		put_hex(&b, variants[i].tag);
		cbor_put_array(&b, 4);
		cbor_put_bstr(&b, buf_span(&header));
		put_hex(&b, variants[i].unprotected);
		cbor_put_bstr(&b, payload);
		cbor_put_bstr(&b, span_of(sig, sizeof(sig)));
		ck_assert_msg(cose_sign1_verify(buf_span(&b), span_str("test"), none, pub,
				  &got) == variants[i].err,
		    "variant %zu: %s", i, variants[i].header);
	}
	buf_clear(&header);
	buf_clear(&tbs);
	buf_clear(&b);
}
END_TEST

/* A detached payload and signatures of a wrong length. */
START_TEST(test_parts)
{
	static const uint8_t sig[ED25519_SIG_SIZE + 1];
	struct cose_sign1 o;
	struct buf b;

	buf_init(&b, OBJECT_MAX);
	for (size_t n = ED25519_SIG_SIZE - 1; n <= sizeof(sig); n++) {
		buf_reset(&b);
		put_hex(&b, "d28449a20132106474657374a0426869");
		cbor_put_bstr(&b, span_of(sig, n));
		ck_assert_int_eq(cose_sign1_parse(buf_span(&b), &o),
		    n == ED25519_SIG_SIZE ? COSE_OK : COSE_MALFORMED);
	}
	buf_reset(&b);
	put_hex(&b, "d28449a20132106474657374a0f6");
	cbor_put_bstr(&b, span_of(sig, ED25519_SIG_SIZE));
	ck_assert_int_eq(cose_sign1_parse(buf_span(&b), &o), COSE_MALFORMED);
	ck_assert(o.payload.p == NULL);
	buf_clear(&b);
}
END_TEST

/* Limits of what we make ourselves, and that the documented overheads hold at the limit. */
START_TEST(test_limits)
{
	static uint8_t payload[COSE_PAYLOAD_MAX + 1];
	static char typ[COSE_TYP_MAX + 2];
	struct span most = span_of(payload, COSE_PAYLOAD_MAX);
	struct span long_typ = span_of(typ, COSE_TYP_MAX);
	struct span aad = span_of(payload, COSE_AAD_MAX), got;
	uint8_t sig[ED25519_SIG_SIZE];
	struct buf b;

	memset(typ, 't', sizeof(typ) - 1);
	buf_init(&b, COSE_PAYLOAD_MAX + COSE_OVERHEAD);
	ck_assert_int_eq(cose_sign1_make(long_typ, aad, most, seed, &b), 0);
	ck_assert_int_eq(
	    cose_sign1_verify(buf_span(&b), long_typ, aad, pub, &got), COSE_OK);
	ck_assert(span_eq(got, most));
	buf_reset(&b);
	ck_assert_int_eq(cose_sign1_make(span_str(typ), aad, most, seed, &b), -1);
	ck_assert_int_eq(cose_sign1_make(span_str(""), aad, most, seed, &b), -1);
	ck_assert_int_eq(
	    cose_sign1_make(long_typ, aad, span_of(payload, sizeof(payload)), seed, &b),
	    -1);
	ck_assert_int_eq(
	    cose_sign(long_typ, span_of(payload, COSE_AAD_MAX + 1), most, seed, sig), -1);
	ck_assert_uint_eq(b.n, 0);
	buf_clear(&b);
	buf_init(&b, 32);
	ck_assert_int_eq(
	    cose_sign1_make(span_str("t"), aad, span_str("p"), seed, &b), -1);
	buf_clear(&b);
}
END_TEST

START_TEST(test_error_texts)
{
	for (int e = COSE_OK; e <= COSE_SIGNATURE; e++)
		ck_assert_str_ne(cose_error_text((enum cose_error)e), "unknown error");
	ck_assert_str_eq(
	    cose_error_text((enum cose_error)(COSE_SIGNATURE + 1)), "unknown error");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cose");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_examples);
	tcase_add_test(t, test_eddsa_example);
	tcase_add_test(t, test_layout);
	tcase_add_test(t, test_verify);
	tcase_add_test(t, test_altered);
	tcase_add_test(t, test_variants);
	tcase_add_test(t, test_parts);
	tcase_add_test(t, test_limits);
	tcase_add_test(t, test_error_texts);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
