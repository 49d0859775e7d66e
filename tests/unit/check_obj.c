/* SPDX-License-Identifier: ISC */
/*
 * check_obj.c - tests of wire/obj and wire/obj_cddl over a table that uses every type.
 *
 * What must hold: what was encoded decodes to the same and encodes to the same bytes;
 * required, limits, types and the extension rule are each enforced with their own error; a
 * fault of encoding wins over a fault of content; a refused value leaves the buffer as it
 * was; lists are judged to the last element; the CDDL text and the table check are exact.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "wire/obj.h"

struct inner {
	uint32_t has;
	uint64_t low;
	int64_t shift;
};

static const struct obj_field inner_fields[] = {
    OBJ_FIELD(0, OBJ_UINT, struct inner, low, 1, 9, OBJ_REQUIRED),
    OBJ_FIELD(-2, OBJ_INT, struct inner, shift, (uint64_t)-5, 5, 0),
};
static const struct obj_def inner_def = {
    "inner", sizeof(struct inner), OBJ_MAP, OBJ_FIELDS(inner_fields)};

struct stanza {
	uint32_t has;
	uint64_t dev;
	uint8_t enc[4];
	struct span wrapped;
};

static const struct obj_field stanza_fields[] = {
    OBJ_FIELD(0, OBJ_UINT, struct stanza, dev, 0, 0, OBJ_REQUIRED),
    OBJ_FIXED(1, struct stanza, enc, OBJ_REQUIRED),
    OBJ_FIELD(2, OBJ_BSTR, struct stanza, wrapped, 1, 8, 0),
};
static const struct obj_def stanza_def = {
    "stanza", sizeof(struct stanza), OBJ_ARRAY, OBJ_FIELDS(stanza_fields)};

struct outer {
	uint32_t has;
	struct span domain;
	uint64_t time;
	int64_t skew;
	bool flag;
	uint8_t nonce[3];
	struct inner inner;
	struct stanza first;
	struct obj_list names;
	struct obj_list stanzas;
	struct span extra;
};

static const struct obj_field outer_fields[] = {
    OBJ_FIELD(1, OBJ_TSTR, struct outer, domain, 1, 10, OBJ_REQUIRED),
    OBJ_FIELD(2, OBJ_UINT, struct outer, time, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(3, OBJ_INT, struct outer, skew, 0, 0, 0),
    OBJ_FIELD(4, OBJ_BOOL, struct outer, flag, 0, 0, 0),
    OBJ_FIXED(5, struct outer, nonce, 0),
    OBJ_SUB(6, OBJ_MAP, struct outer, inner, &inner_def, 0),
    OBJ_SUB(7, OBJ_ARRAY, struct outer, first, &stanza_def, 0),
    OBJ_LIST_OF(8, struct outer, names, 0, 3, OBJ_TSTR, 1, 4, 0),
    OBJ_LIST_SUB(9, struct outer, stanzas, 1, 2, OBJ_ARRAY, &stanza_def, 0),
    OBJ_FIELD(-1, OBJ_ANY, struct outer, extra, 1, 16, 0),
};
static const struct obj_def outer_def = {
    "outer", sizeof(struct outer), OBJ_MAP, OBJ_FIELDS(outer_fields)};

static uint8_t bytes[512];

static struct span
from_hex(const char *hex)
{
	size_t n = strlen(hex) / 2;

	ck_assert_msg(hex_decode(hex, bytes, n), "%s", hex);
	return span_of(bytes, n);
}

static void
sample_lists(struct outer *o, struct buf *names, struct buf *stanzas)
{
	struct stanza s = {.dev = 7, .enc = {1, 2, 3, 4}, .wrapped = span_str("xyz")};

	cbor_put_tstr(names, span_str("a"));
	cbor_put_tstr(names, span_str("bcd"));
	o->names = (struct obj_list){buf_span(names), 2};
	ck_assert_int_eq(obj_encode(&stanza_def, &s, stanzas), WIRE_OK);
	s.has = 1U << 2;
	ck_assert_int_eq(obj_encode(&stanza_def, &s, stanzas), WIRE_OK);
	o->stanzas = (struct obj_list){buf_span(stanzas), 2};
	o->first = s;
}

static void
sample(struct outer *o, struct buf *names, struct buf *stanzas)
{
	memset(o, 0, sizeof(*o));
	o->domain = span_str("im.alpha");
	o->time = 1700000000000;
	o->skew = -12;
	o->flag = true;
	memcpy(o->nonce, "\x09\x08\x07", 3);
	o->inner = (struct inner){.low = 4, .shift = -5};
	obj_set(&inner_def, &o->inner, -2);
	o->extra = span_of("\x82\x01\xf6", 3);
	sample_lists(o, names, stanzas);
	for (int64_t key = 3; key <= 9; key++)
		obj_set(&outer_def, o, key);
	obj_set(&outer_def, o, -1);
}

static void
check_lists(const struct outer *o)
{
	struct obj_iter it;
	struct stanza s;
	struct span name;

	ck_assert_uint_eq(o->names.count, 2);
	obj_iter_init(&it, &o->names);
	ck_assert(obj_next_span(&it, &name) && span_eq(name, span_str("a")));
	ck_assert(obj_next_span(&it, &name) && span_eq(name, span_str("bcd")));
	ck_assert(!obj_next_span(&it, &name));
	obj_iter_init(&it, &o->stanzas);
	ck_assert(obj_next(&it, &stanza_def, &s) && !obj_has(&stanza_def, &s, 2));
	ck_assert_uint_eq(s.dev, 7);
	ck_assert_mem_eq(s.enc, "\1\2\3\4", 4);
	ck_assert(obj_next(&it, &stanza_def, &s) && obj_has(&stanza_def, &s, 2));
	ck_assert(span_eq(s.wrapped, span_str("xyz")));
	ck_assert(!obj_next(&it, &stanza_def, &s));
}

START_TEST(test_round_trip)
{
	struct buf names, stanzas, first, second;
	struct outer in, out;

	buf_init(&names, 64);
	buf_init(&stanzas, 64);
	buf_init(&first, 512);
	buf_init(&second, 512);
	sample(&in, &names, &stanzas);
	ck_assert_int_eq(obj_encode(&outer_def, &in, &first), WIRE_OK);
	ck_assert_int_eq(cbor_check(buf_span(&first)), WIRE_OK);
	memset(&out, 0xff, sizeof(out));
	ck_assert_int_eq(obj_decode(&outer_def, buf_span(&first), &out), WIRE_OK);
	ck_assert_uint_eq(out.has, 0x3ff);
	ck_assert(span_eq(out.domain, in.domain) && span_eq(out.extra, in.extra));
	ck_assert(out.time == in.time && out.skew == -12 && out.flag);
	ck_assert_mem_eq(out.nonce, in.nonce, 3);
	ck_assert(out.inner.low == 4 && out.inner.shift == -5);
	ck_assert(out.first.dev == 7 && obj_has(&stanza_def, &out.first, 2));
	check_lists(&out);
	ck_assert_int_eq(obj_encode(&outer_def, &out, &second), WIRE_OK);
	ck_assert(span_eq(buf_span(&first), buf_span(&second)));
	for (size_t n = 0; n < first.n; n++)
		ck_assert_int_eq(
		    obj_decode(&outer_def, span_of(first.p, n), &out), WIRE_MALFORMED);
	buf_clear(&names);
	buf_clear(&stanzas);
	buf_clear(&first);
	buf_clear(&second);
}
END_TEST

START_TEST(test_minimal)
{
	struct outer o = {.domain = span_str("d")};
	struct buf b;

	buf_init(&b, 64);
	ck_assert_int_eq(obj_encode(&outer_def, &o, &b), WIRE_OK);
	ck_assert(span_eq(buf_span(&b), from_hex("a20161640200")));
	memset(&o, 0xff, sizeof(o));
	ck_assert_int_eq(obj_decode(&outer_def, buf_span(&b), &o), WIRE_OK);
	ck_assert_uint_eq(o.has, 3);
	ck_assert(obj_has(&outer_def, &o, 2) && !obj_has(&outer_def, &o, 3));
	ck_assert(!obj_has(&outer_def, &o, 99) && o.names.count == 0);
	obj_set(&outer_def, &o, 99);
	ck_assert_uint_eq(o.has, 3);
	buf_clear(&b);
}
END_TEST

/* The prefix a2016164 0200 is {1: "d", 2: 0}. */
static const struct {
	const char *hex;
	enum wire_err err;
} refused[] = {
    {"a20161640200", WIRE_OK},
    {"a2016164020000", WIRE_MALFORMED}, /* bytes left over */
    {"a1016164", WIRE_MISSING},
    {"a10200", WIRE_MISSING},
    {"a0", WIRE_MISSING},
    {"80", WIRE_RANGE},                               /* not a map */
    {"a201600200", WIRE_RANGE},                       /* too short */
    {"a2016b61616161616161616161610200", WIRE_RANGE}, /* too long */
    {"a20141640200", WIRE_RANGE},                     /* bstr for tstr */
    {"a20161640220", WIRE_RANGE},                     /* nint for uint */
    {"a3016164020003f6", WIRE_RANGE},                 /* null for int */
    {"a3016164020004f5", WIRE_OK},
    {"a30161640200040a", WIRE_RANGE},         /* int for bool */
    {"a3016164020005420102", WIRE_RANGE},     /* fixed: too short */
    {"a30161640200054401020304", WIRE_RANGE}, /* fixed: too long */
    {"a3016164020006a10001", WIRE_OK},
    {"a3016164020006a10000", WIRE_RANGE},             /* nested: below its least */
    {"a3016164020006a1000a", WIRE_RANGE},             /* nested: above its greatest */
    {"a3016164020006a0", WIRE_MISSING},               /* nested: absent */
    {"a3016164020006a200012124", WIRE_OK},            /* -5 */
    {"a3016164020006a200012125", WIRE_RANGE},         /* -6 */
    {"a3016164020006a20001201820", WIRE_UNSUPPORTED}, /* nested: unknown key -1 */
    {"a3016164020006a2000105820102", WIRE_OK},        /* nested: unknown key 5 */
    {"a30161640200078307440102030441ff", WIRE_OK},
    {"a301616402000783074401020304f6", WIRE_OK},
    {"a301616402000783074401020304f7", WIRE_UNSUPPORTED},
    {"a3016164020007820744010203040a", WIRE_MALFORMED}, /* the 0a has no value */
    {"a30161640200078207"
     "4401020304",
	WIRE_MISSING}, /* array: too few */
    {"a3016164020007840744010203044101"
     "00",
	WIRE_UNSUPPORTED}, /* array: too many */
    {"a301616402000883616161626163", WIRE_OK},
    {"a30161640200088461616162616361"
     "64",
	WIRE_RANGE}, /* four names */
    {"a3016164020008816561616161"
     "61",
	WIRE_RANGE}, /* a name of five */
    {"a3016164020008826161"
     "01",
	WIRE_RANGE},                              /* a name that is none */
    {"a30161640200088261616261", WIRE_MALFORMED}, /* cut */
    {"a301616402000980", WIRE_RANGE},             /* fewer than one */
    {"a3016164020018200a", WIRE_OK},              /* unknown key 32 */
    {"a30161640200181f820102", WIRE_OK},          /* unknown with a container */
    {"a301616402001bffffffffffffffff0a", WIRE_OK},
    {"a3016164020021"
     "00",
	WIRE_UNSUPPORTED}, /* unknown key -2 */
    {"a301616402003bffffffffffffffff0a", WIRE_UNSUPPORTED},
    {"a30161640200"
     "6161"
     "00",
	WIRE_RANGE},                   /* a text key */
    {"a3016164020020820102", WIRE_OK}, /* ANY */
    {"a3016164020020507878787878787878787878787878"
     "7878",
	WIRE_RANGE}, /* ANY too long */
    {"a2016164021800", WIRE_NONDETERMINISTIC},
    {"a202000161"
     "64",
	WIRE_NONDETERMINISTIC}, /* order of keys */
    {"a30141640200181f1800",
	WIRE_NONDETERMINISTIC},                 /* wins over a wrong type before it */
    {"a301416402000a9f", WIRE_MALFORMED},       /* wins over a wrong type before it */
    {"a301416402000af93c00", WIRE_UNSUPPORTED}, /* a float under an unknown key */
    {"a2016164"
     "02",
	WIRE_MALFORMED},
    {"", WIRE_MALFORMED},
};

START_TEST(test_refused)
{
	struct outer o;
	enum wire_err err = obj_decode(&outer_def, from_hex(refused[_i].hex), &o);

	ck_assert_msg(
	    err == refused[_i].err, "%s: %s", refused[_i].hex, wire_err_name(err));
}
END_TEST

/* Sets one value beyond its limits; the encoder must refuse it and keep the buffer. */
static void
spoil(struct outer *o, int what)
{
	static char wide[11] = "aaaaaaaaaaa";

	switch (what) {
	case 0:
		o->domain = span_of(wide, sizeof(wide));
		break;
	case 1:
		o->domain.n = 0;
		break;
	case 2:
		o->inner.low = 10;
		break;
	case 3:
		o->inner.shift = 6;
		break;
	case 4:
		o->names.count = 4;
		break;
	case 5:
		o->stanzas.count = 0;
		break;
	case 6:
		o->first.wrapped.n = 0;
		break;
	default:
		o->extra.n = 0;
	}
}

START_TEST(test_encode_refuses)
{
	struct buf names, stanzas, b;
	struct outer o;

	buf_init(&names, 64);
	buf_init(&stanzas, 64);
	buf_init(&b, 512);
	buf_put_u8(&b, 0x77);
	sample(&o, &names, &stanzas);
	spoil(&o, _i);
	ck_assert_int_eq(obj_encode(&outer_def, &o, &b), WIRE_RANGE);
	ck_assert_uint_eq(b.n, 1);
	ck_assert(!buf_failed(&b));
	buf_clear(&names);
	buf_clear(&stanzas);
	buf_clear(&b);
}
END_TEST

START_TEST(test_list_kinds)
{
	struct obj_list list = {from_hex("0118ff820102"), 3};
	struct obj_iter it;
	struct span s;
	uint64_t v;

	obj_iter_init(&it, &list);
	ck_assert(obj_next_uint(&it, &v) && v == 1);
	ck_assert(obj_next_uint(&it, &v) && v == 255);
	ck_assert(obj_next_any(&it, &s) && s.n == 3);
	ck_assert(!obj_next_any(&it, &s));
	ck_assert(!obj_next_uint(&it, &v));
}
END_TEST

START_TEST(test_cddl)
{
	static const char want[] = "outer = {\n"
				   "  1: tstr .size (1..10), ; domain\n"
				   "  2: uint, ; time\n"
				   "  ? 3: int, ; skew\n"
				   "  ? 4: bool, ; flag\n"
				   "  ? 5: bstr .size 3, ; nonce\n"
				   "  ? 6: inner, ; inner\n"
				   "  ? 7: stanza, ; first\n"
				   "  ? 8: [0*3 tstr .size (1..4)], ; names\n"
				   "  ? 9: [1*2 stanza], ; stanzas\n"
				   "  ? -1: any, ; extra\n"
				   "  * uint => any\n"
				   "}\n"
				   "inner = {\n"
				   "  0: 1..9, ; low\n"
				   "  ? -2: -5..5, ; shift\n"
				   "  * uint => any\n"
				   "}\n"
				   "stanza = [\n"
				   "  dev: uint,\n"
				   "  enc: bstr .size 4,\n"
				   "  wrapped: bstr .size (1..8) / null,\n"
				   "]\n";
	struct buf b;

	buf_init(&b, 4096);
	obj_cddl(&outer_def, &b);
	obj_cddl(&inner_def, &b);
	obj_cddl(&stanza_def, &b);
	buf_put_u8(&b, 0);
	ck_assert_str_eq((const char *)b.p, want);
	buf_clear(&b);
}
END_TEST

START_TEST(test_tables)
{
	struct obj_field f[2];
	struct obj_def def = {"bad", sizeof(struct inner), OBJ_MAP, f, 2};

	ck_assert_ptr_null(obj_def_check(&outer_def));
	ck_assert_ptr_null(obj_def_check(&inner_def));
	ck_assert_ptr_null(obj_def_check(&stanza_def));
	memcpy(f, inner_fields, sizeof(f));
	f[0].key = -3;
	ck_assert_str_eq(obj_def_check(&def), "keys out of order");
	memcpy(f, inner_fields, sizeof(f));
	f[1].offset = sizeof(struct inner);
	ck_assert_str_eq(obj_def_check(&def), "field outside its struct");
	f[1].type = OBJ_BSTR;
	f[1].max = 0;
	ck_assert_str_eq(obj_def_check(&def), "string or list without an upper limit");
	f[1].type = OBJ_MAP;
	ck_assert_str_eq(
	    obj_def_check(&def), "nested object without a table of its shape");
	def.shape = OBJ_UINT;
	ck_assert_str_eq(obj_def_check(&def), "neither map nor array");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("obj");
	TCase *t = tcase_create("obj");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, test_round_trip);
	tcase_add_test(t, test_minimal);
	tcase_add_loop_test(
	    t, test_refused, 0, (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_loop_test(t, test_encode_refuses, 0, 8);
	tcase_add_test(t, test_list_kinds);
	tcase_add_test(t, test_cddl);
	tcase_add_test(t, test_tables);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
