/* SPDX-License-Identifier: ISC */
/*
 * check_cbor.c - tests of wire/cbor and wire/cbor_check.
 *
 * What must hold: every published vector gets its class, and what is in the subset comes
 * out of the writer byte for byte as it went in; the reader accepts exactly what
 * cbor_check() finds without fault; every limit is met at its edge; the reader stops for
 * good at the first error; no prefix of a valid item is accepted.
 */
#include "config.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "wire/cbor.h"

#define VECTOR_MAX 4096
#define VECTORS_TOTAL 1381

struct bytes {
	uint8_t p[VECTOR_MAX];
	size_t n;
};

static struct span
from_hex(struct bytes *b, const char *hex)
{
	b->n = strlen(hex) / 2;
	ck_assert_uint_le(b->n, sizeof(b->p));
	ck_assert_msg(hex_decode(hex, b->p, b->n), "%s", hex);
	return span_of(b->p, b->n);
}

/* Reads all items of a sequence and writes them again. */
static enum wire_err
copy(struct span in, struct buf *out)
{
	struct cbor_item item;
	struct cbor r;

	cbor_init(&r, in);
	while (cbor_next(&r, &item))
		cbor_put_item(out, &item);
	return r.err;
}

static enum wire_err
skip(struct span in)
{
	struct cbor r;

	cbor_init(&r, in);
	if (!cbor_skip(&r, NULL))
		return r.err;
	return cbor_done(&r) ? WIRE_OK : WIRE_MALFORMED;
}

struct vector {
	char hex[2 * VECTOR_MAX + 1];
	bool roundtrip;
	bool fail;
};

/* The next entry of index.json, which has one member on each line. */
static bool
next_vector(FILE *f, struct vector *v)
{
	static char line[2 * VECTOR_MAX + 64];
	bool any = false;

	while (fgets(line, (int)sizeof(line), f) != NULL) {
		if (sscanf(line, "\"encoded\": \"%8192[0-9a-f]\"", v->hex) == 1)
			any = true;
		else if (strncmp(line, "\"roundtrip\": ", 13) == 0)
			v->roundtrip = strncmp(line + 13, "true", 4) == 0;
		else if (strncmp(line, "\"fail\": ", 8) == 0)
			v->fail = strncmp(line + 8, "true", 4) == 0;
		else if (line[0] == '}')
			return any;
	}
	return false;
}

/* Marked as not round-tripping, but deterministic (see the README next to them). */
static bool
excepted(const char *hex)
{
	static const char *const list[] = {"f903ff", "f983ff", "a1f9800080"};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (strcmp(list[i], hex) == 0)
			return true;
	}
	return false;
}

struct tally {
	unsigned malformed, nondeterministic, same, unsupported, excepted;
};

static void
judge(const struct vector *v, struct tally *t)
{
	static struct bytes b;
	struct span in = from_hex(&b, v->hex);
	enum wire_err err = cbor_check(in);
	struct buf out;

	buf_init(&out, VECTOR_MAX);
	ck_assert_msg((skip(in) == WIRE_OK) == (err == WIRE_OK), "%s", v->hex);
	if (v->fail) {
		ck_assert_msg(
		    err == WIRE_MALFORMED, "%s: %s", v->hex, wire_err_name(err));
		t->malformed++;
	} else if (excepted(v->hex)) {
		ck_assert_msg(
		    err == WIRE_UNSUPPORTED, "%s: %s", v->hex, wire_err_name(err));
		t->excepted++;
	} else if (!v->roundtrip) {
		ck_assert_msg(
		    err == WIRE_NONDETERMINISTIC, "%s: %s", v->hex, wire_err_name(err));
		t->nondeterministic++;
	} else if (err == WIRE_OK) {
		ck_assert_msg(copy(in, &out) == WIRE_OK, "%s", v->hex);
		ck_assert_msg(span_eq(buf_span(&out), in), "%s", v->hex);
		t->same++;
	} else {
		ck_assert_msg(
		    err == WIRE_UNSUPPORTED, "%s: %s", v->hex, wire_err_name(err));
		t->unsupported++;
	}
	buf_clear(&out);
}

START_TEST(test_vectors)
{
	static struct vector v;
	struct tally t = {0};
	FILE *f = fopen(VECTORS "/third-party/cbor/index.json", "re");

	ck_assert_msg(f != NULL, "cannot open " VECTORS "/third-party/cbor/index.json");
	while (next_vector(f, &v))
		judge(&v, &t);
	fclose(f);
	printf("cbor vectors: %u malformed, %u nondeterministic, %u the same bytes, "
	       "%u unsupported, %u excepted\n",
	    t.malformed, t.nondeterministic, t.same, t.unsupported, t.excepted);
	ck_assert_uint_eq(
	    t.malformed + t.nondeterministic + t.same + t.unsupported + t.excepted,
	    VECTORS_TOTAL);
	ck_assert_uint_eq(t.malformed, 47);
	ck_assert_uint_eq(t.nondeterministic, 638);
	ck_assert_uint_eq(t.excepted, 3);
	ck_assert_uint_eq(t.same, 298);
	ck_assert_uint_eq(t.unsupported, 395);
}
END_TEST

static const struct {
	const char *hex;
	enum wire_err err;
} classes[] = {
    {"", WIRE_MALFORMED},
    {"0000", WIRE_MALFORMED},                      /* bytes left over */
    {"1800ff", WIRE_MALFORMED},                    /* behind a lesser fault */
    {"8218000a", WIRE_NONDETERMINISTIC},           /* long 0 */
    {"82f93c001800", WIRE_NONDETERMINISTIC},       /* behind a float */
    {"a201000200", WIRE_OK},                       /* ascending */
    {"a202000100", WIRE_NONDETERMINISTIC},         /* descending */
    {"a201000100", WIRE_NONDETERMINISTIC},         /* twice */
    {"a2200001f6", WIRE_NONDETERMINISTIC},         /* -1 before 1 */
    {"a21818002000", WIRE_OK},                     /* bytewise, not by length */
    {"a2200018180f", WIRE_NONDETERMINISTIC},       /* length first is not ours */
    {"a2810100820101f6", WIRE_OK},                 /* arrays as keys */
    {"a2a1010200a1010300", WIRE_OK},               /* maps as keys */
    {"a2a1010300a1010200", WIRE_NONDETERMINISTIC}, /* descending inside */
    {"a1a20000000100", WIRE_NONDETERMINISTIC},     /* a bad key inside a key */
    {"a200a101000100", WIRE_OK},                   /* a map as value */
    {"9b7fffffffffffffff", WIRE_MALFORMED},        /* count beyond the input */
    {"bb8000000000000000", WIRE_MALFORMED},        /* twice the count overflows */
    {"bbffffffffffffffff00", WIRE_MALFORMED},
    {"5bffffffffffffffff00", WIRE_MALFORMED},
    {"7b7fffffffffffffff", WIRE_MALFORMED},
    {"61ff", WIRE_MALFORMED},         /* not UTF-8 */
    {"63eda080", WIRE_MALFORMED},     /* surrogate */
    {"7f61c361a9ff", WIRE_MALFORMED}, /* UTF-8 across chunks */
    {"7f5f", WIRE_MALFORMED},
    {"5f5f40ffff", WIRE_MALFORMED}, /* chunks do not nest */
    {"1f", WIRE_MALFORMED},
    {"3f", WIRE_MALFORMED},
    {"df00", WIRE_MALFORMED},
    {"d2ff", WIRE_MALFORMED},
    {"d2", WIRE_MALFORMED}, /* tag without content */
    {"d280", WIRE_OK},
    {"d81280", WIRE_NONDETERMINISTIC}, /* tag 18 in two bytes */
    {"d180", WIRE_UNSUPPORTED},
    {"f7", WIRE_UNSUPPORTED},
    {"f813", WIRE_MALFORMED},
    {"f818", WIRE_MALFORMED},
    {"f820", WIRE_UNSUPPORTED},
    {"f8", WIRE_MALFORMED},
    {"f93c00", WIRE_UNSUPPORTED},
    {"fa7f800001", WIRE_UNSUPPORTED},              /* NaN that needs single */
    {"fa33800000", WIRE_NONDETERMINISTIC},         /* 2^-24: a half subnormal */
    {"fa33000000", WIRE_UNSUPPORTED},              /* 2^-25: none */
    {"fa47800000", WIRE_UNSUPPORTED},              /* 65536: no half */
    {"fb36a0000000000000", WIRE_NONDETERMINISTIC}, /* 2^-149: a single subnormal */
    {"fb3690000000000000", WIRE_UNSUPPORTED},      /* 2^-150: none */
    {"c240", WIRE_NONDETERMINISTIC},
    {"c249010000000000000000", WIRE_UNSUPPORTED},
    {"c2820102", WIRE_MALFORMED},
    {"c101", WIRE_UNSUPPORTED},
    {"c161", WIRE_MALFORMED},
    {"8181818181818180", WIRE_OK},              /* seven and an empty one */
    {"818181818181818100", WIRE_OK},            /* eight */
    {"81818181818181818100", WIRE_UNSUPPORTED}, /* nine */
    {"818181818181818180", WIRE_OK},            /* empty: opens nothing */
    {"818181818181818181", WIRE_MALFORMED},
};

START_TEST(test_classes)
{
	static struct bytes b;
	struct span in = from_hex(&b, classes[_i].hex);
	enum wire_err err = cbor_check(in);

	ck_assert_msg(
	    err == classes[_i].err, "%s: %s", classes[_i].hex, wire_err_name(err));
	ck_assert_msg((skip(in) == WIRE_OK) == (err == WIRE_OK), "%s", classes[_i].hex);
}
END_TEST

START_TEST(test_too_deep)
{
	static uint8_t deep[2 * CBOR_CHECK_DEPTH];

	memset(deep, 0x81, sizeof(deep));
	ck_assert_int_eq(cbor_check(span_of(deep, CBOR_CHECK_DEPTH)), WIRE_MALFORMED);
	ck_assert_int_eq(cbor_check(span_of(deep, sizeof(deep))), WIRE_UNSUPPORTED);
	deep[CBOR_CHECK_DEPTH] = 0;
	ck_assert_int_eq(
	    cbor_check(span_of(deep, CBOR_CHECK_DEPTH + 1)), WIRE_UNSUPPORTED);
}
END_TEST

START_TEST(test_integers)
{
	static const struct {
		uint64_t v;
		const char *hex;
	} edges[] = {{0, "00"}, {23, "17"}, {24, "1818"}, {255, "18ff"}, {256, "190100"},
	    {65535, "19ffff"}, {65536, "1a00010000"}, {UINT32_MAX, "1affffffff"},
	    {UINT64_C(0x100000000), "1b0000000100000000"},
	    {UINT64_MAX, "1bffffffffffffffff"}};
	static struct bytes b;
	struct buf out;
	struct cbor r;
	uint64_t v;

	buf_init(&out, 64);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		buf_reset(&out);
		cbor_put_uint(&out, edges[i].v);
		ck_assert(span_eq(buf_span(&out), from_hex(&b, edges[i].hex)));
		cbor_init(&r, buf_span(&out));
		ck_assert(cbor_uint(&r, &v) && cbor_done(&r));
		ck_assert(v == edges[i].v);
	}
	buf_clear(&out);
}
END_TEST

START_TEST(test_negative)
{
	static const int64_t values[] = {
	    0, -1, -24, -25, -256, -257, 1000, INT64_MAX, INT64_MIN};
	static struct bytes b;
	struct buf out;
	struct cbor r;
	int64_t v;

	buf_init(&out, 64);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		buf_reset(&out);
		cbor_put_int(&out, values[i]);
		cbor_init(&r, buf_span(&out));
		ck_assert(cbor_int(&r, &v) && cbor_done(&r));
		ck_assert(v == values[i]);
	}
	cbor_init(&r, from_hex(&b, "3b8000000000000000"));
	ck_assert(!cbor_int(&r, &v));
	ck_assert_int_eq(r.err, WIRE_RANGE);
	cbor_init(&r, from_hex(&b, "1b8000000000000000"));
	ck_assert(!cbor_int(&r, &v));
	ck_assert_int_eq(r.err, WIRE_RANGE);
	buf_clear(&out);
}
END_TEST

/* One of everything, written and read by type. */
static void
put_sample(struct buf *b)
{
	cbor_put_array(b, 7);
	cbor_put_tag(b, 18);
	cbor_put_bstr(b, span_of("\x01\x02", 2));
	cbor_put_tstr(b, span_str("g\xc3\xbcltig"));
	cbor_put_map(b, 2);
	cbor_put_uint(b, 1);
	cbor_put_bool(b, true);
	cbor_put_nint(b, 0);
	cbor_put_bool(b, false);
	cbor_put_null(b);
	cbor_put_array(b, 0);
	cbor_put_map(b, 0);
	cbor_put_int(b, -500);
}

START_TEST(test_typed_reading)
{
	struct span s;
	struct buf b;
	struct cbor r;
	uint64_t n;
	int64_t i;
	bool yes, no;

	buf_init(&b, 256);
	put_sample(&b);
	cbor_init(&r, buf_span(&b));
	ck_assert_int_eq(cbor_peek(&r), CBOR_ARRAY);
	ck_assert(cbor_array(&r, &n) && n == 7);
	ck_assert_int_eq(cbor_peek(&r), CBOR_TAG);
	ck_assert(cbor_tag(&r, &n) && n == 18);
	ck_assert(cbor_bstr(&r, &s) && span_eq(s, span_of("\x01\x02", 2)));
	ck_assert_int_eq(cbor_peek(&r), CBOR_TSTR);
	ck_assert(cbor_tstr(&r, &s) && s.n == 7);
	ck_assert(cbor_map(&r, &n) && n == 2);
	ck_assert(cbor_uint(&r, &n) && n == 1);
	ck_assert_int_eq(cbor_peek(&r), CBOR_BOOL);
	ck_assert(cbor_bool(&r, &yes) && yes);
	ck_assert(cbor_int(&r, &i) && i == -1);
	ck_assert(cbor_bool(&r, &no) && !no);
	ck_assert_int_eq(cbor_peek(&r), CBOR_NULL);
	ck_assert(cbor_null(&r));
	ck_assert(cbor_array(&r, &n) && n == 0);
	ck_assert(cbor_map(&r, &n) && n == 0);
	ck_assert(!cbor_done(&r));
	ck_assert(cbor_int(&r, &i) && i == -500);
	ck_assert(cbor_done(&r));
	ck_assert_int_eq(cbor_peek(&r), CBOR_NONE);
	buf_clear(&b);
}
END_TEST

/* Every shorter prefix is malformed, every item of another type is WIRE_RANGE. */
START_TEST(test_prefixes)
{
	struct buf b;

	buf_init(&b, 256);
	put_sample(&b);
	ck_assert_int_eq(cbor_check(buf_span(&b)), WIRE_OK);
	for (size_t n = 0; n < b.n; n++) {
		ck_assert_int_eq(cbor_check(span_of(b.p, n)), WIRE_MALFORMED);
		ck_assert_int_eq(skip(span_of(b.p, n)), WIRE_MALFORMED);
	}
	buf_clear(&b);
}
END_TEST

START_TEST(test_errors_stay)
{
	static struct bytes b;
	struct cbor r;
	struct span s;
	uint64_t v;

	cbor_init(&r, from_hex(&b, "0102"));
	ck_assert(!cbor_bstr(&r, &s));
	ck_assert_int_eq(r.err, WIRE_RANGE);
	ck_assert(!cbor_uint(&r, &v));
	ck_assert(!cbor_skip(&r, NULL));
	ck_assert(!cbor_fail(&r, WIRE_MISSING));
	ck_assert_int_eq(r.err, WIRE_RANGE);
	ck_assert_int_eq(cbor_peek(&r), CBOR_NONE);
	ck_assert(!cbor_done(&r));
	cbor_init(&r, span_of(NULL, 0));
	ck_assert(cbor_done(&r));
	ck_assert(!cbor_uint(&r, &v));
	ck_assert_int_eq(r.err, WIRE_MALFORMED);
}
END_TEST

START_TEST(test_sequence)
{
	static struct bytes b;
	struct span raw, in = from_hex(&b, "01820203f6a10102");
	size_t sizes[] = {1, 3, 1, 3};
	struct cbor r;

	cbor_init(&r, in);
	for (size_t i = 0; i < 4; i++) {
		ck_assert(!cbor_done(&r));
		ck_assert(cbor_skip(&r, &raw));
		ck_assert_uint_eq(raw.n, sizes[i]);
	}
	ck_assert(cbor_done(&r));
	ck_assert_int_eq(cbor_check_seq(in), WIRE_OK);
	ck_assert_int_eq(cbor_check(in), WIRE_MALFORMED);
	ck_assert_int_eq(cbor_check_seq(span_of(NULL, 0)), WIRE_OK);
	ck_assert_int_eq(cbor_check_seq(from_hex(&b, "011800")), WIRE_NONDETERMINISTIC);
	ck_assert_int_eq(cbor_check_seq(from_hex(&b, "01180081")), WIRE_MALFORMED);
}
END_TEST

START_TEST(test_skip_inside)
{
	static struct bytes b;
	struct cbor r;
	struct span raw;
	uint64_t n;

	cbor_init(&r, from_hex(&b, "8281820102820304"));
	ck_assert(cbor_array(&r, &n));
	ck_assert(cbor_skip(&r, &raw) && raw.n == 4);
	ck_assert(cbor_skip(&r, &raw) && raw.n == 3);
	ck_assert(cbor_done(&r));
	cbor_init(&r, from_hex(&b, "81a202000100"));
	ck_assert(cbor_array(&r, &n));
	ck_assert(!cbor_skip(&r, &raw));
	ck_assert_int_eq(r.err, WIRE_NONDETERMINISTIC);
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(wire_err_name(WIRE_OK), "ok");
	ck_assert_str_eq(wire_err_name(WIRE_RANGE), "range");
	ck_assert_str_eq(wire_err_name((enum wire_err)99), "?");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cbor");
	TCase *t = tcase_create("cbor");
	SRunner *runner;
	int failed;

	tcase_add_test(t, test_vectors);
	tcase_add_loop_test(
	    t, test_classes, 0, (int)(sizeof(classes) / sizeof(classes[0])));
	tcase_add_test(t, test_too_deep);
	tcase_add_test(t, test_integers);
	tcase_add_test(t, test_negative);
	tcase_add_test(t, test_typed_reading);
	tcase_add_test(t, test_prefixes);
	tcase_add_test(t, test_errors_stay);
	tcase_add_test(t, test_sequence);
	tcase_add_test(t, test_skip_inside);
	tcase_add_test(t, test_names);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
