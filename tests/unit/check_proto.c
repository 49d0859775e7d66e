/* SPDX-License-Identifier: ISC */
/*
 * check_proto.c - tests of the protocol's tables (wire/proto, sobj, call, inner, ctl).
 *
 * What must hold: every table keeps the rules of obj.h (order of keys, limits, places);
 * every object that a rule refers to is listed; names are unique, so that the CDDL in
 * doc/protocol.md has one rule for each; nothing is nested deeper than a reader
 * follows; the least and the fullest value of each object decode and encode again.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "wire/call.h"
#include "wire/ctl.h"
#include "wire/proto.h"

static bool
listed(const struct obj_def *def)
{
	const struct obj_def *other;

	for (size_t i = 0; (other = proto_object_at(i)) != NULL; i++) {
		if (other == def)
			return true;
	}
	return false;
}

/* Containers open at once inside the deepest member. */
static unsigned
depth(const struct obj_def *def)
{
	unsigned deepest = 0;

	for (size_t i = 0; i < def->n; i++) {
		const struct obj_field *f = &def->fields[i];
		unsigned d = f->type == OBJ_LIST;

		if (f->sub != NULL)
			d += depth(f->sub);
		if (d > deepest)
			deepest = d;
	}
	return deepest + 1;
}

static void
check_table(const struct obj_def *def)
{
	const char *why = obj_def_check(def);

	ck_assert_msg(why == NULL, "%s: %s", def->name, why);
	/* One level is the frame's, which holds the object as its body. */
	ck_assert_msg(depth(def) < CBOR_DEPTH, "%s is too deep", def->name);
}

START_TEST(test_tables)
{
	const struct obj_def *def;
	size_t i;

	for (i = 0; (def = proto_object_at(i)) != NULL; i++) {
		check_table(def);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(proto_object_at(j)->name, def->name);
	}
	ck_assert_uint_gt(i, 40);
}
END_TEST

START_TEST(test_references)
{
	const struct obj_def *def;

	for (size_t i = 0; (def = proto_object_at(i)) != NULL; i++) {
		for (size_t k = 0; k < def->n; k++) {
			const struct obj_def *sub = def->fields[k].sub;

			ck_assert_msg(sub == NULL || listed(sub), "%s refers to %s",
			    def->name, sub == NULL ? "" : sub->name);
		}
	}
}
END_TEST

static void put_sample(struct buf *, const struct obj_def *, bool full);

/* A value of this type at its least, or with everything in it. */
static void
put_value(struct buf *b, const struct obj_field *f, bool full)
{
	static const uint8_t fill[64] = {0};
	size_t n = f->min > 0 || !full ? (size_t)f->min : 1;

	if (f->type == OBJ_UINT)
		cbor_put_uint(b, full && f->max != 0 ? f->max : f->min);
	else if (f->type == OBJ_INT)
		cbor_put_int(b, full ? (int64_t)f->max : (int64_t)f->min);
	else if (f->type == OBJ_BOOL)
		cbor_put_bool(b, full);
	else if (f->type == OBJ_ANY)
		cbor_put_bstr(b, span_of(fill, n > 1 ? n - 1 : 0));
	else if (f->type == OBJ_TSTR)
		cbor_put_tstr(b, span_of(fill, n));
	else if (f->type == OBJ_BSTR || f->type == OBJ_BSTR_FIXED)
		cbor_put_bstr(b, span_of(fill, n));
	else
		put_sample(b, f->sub, full);
}

static void
put_list(struct buf *b, const struct obj_field *f, bool full)
{
	struct obj_field elem = {
	    .type = f->elem, .min = f->elem_min, .max = f->elem_max, .sub = f->sub};
	size_t n = f->min > 0 || !full ? (size_t)f->min : 1;

	cbor_put_array(b, n);
	while (n-- > 0)
		put_value(b, &elem, full);
}

static bool
wanted(const struct obj_field *f, bool full)
{
	return full || (f->flags & OBJ_REQUIRED);
}

static void
put_sample_head(struct buf *b, const struct obj_def *def, bool full)
{
	size_t pairs = 0;

	for (size_t i = 0; i < def->n; i++)
		pairs += wanted(&def->fields[i], full);
	if (def->shape == OBJ_MAP)
		cbor_put_map(b, pairs);
	else
		cbor_put_array(b, def->n);
}

/* An object with its required members, or with all. */
static void
put_sample(struct buf *b, const struct obj_def *def, bool full)
{
	put_sample_head(b, def, full);
	for (size_t i = 0; i < def->n; i++) {
		const struct obj_field *f = &def->fields[i];

		if (!wanted(f, full)) {
			if (def->shape == OBJ_ARRAY)
				cbor_put_null(b);
			continue;
		}
		if (def->shape == OBJ_MAP)
			cbor_put_int(b, f->key);
		if (f->type == OBJ_LIST)
			put_list(b, f, full);
		else
			put_value(b, f, full);
	}
}

static void
check_sample(const struct obj_def *def, bool full)
{
	static union {
		uint64_t align;
		uint8_t bytes[4096];
	} object;
	struct buf in, out;
	enum wire_err err;

	buf_init(&in, 1 << 16);
	buf_init(&out, 1 << 16);
	put_sample(&in, def, full);
	ck_assert_uint_le(def->size, sizeof(object));
	err = obj_decode(def, buf_span(&in), &object);
	ck_assert_msg(err == WIRE_OK, "%s: %s", def->name, wire_err_name(err));
	ck_assert_int_eq(obj_encode(def, &object, &out), WIRE_OK);
	ck_assert_msg(span_eq(buf_span(&in), buf_span(&out)), "%s", def->name);
	for (size_t n = 0; n < in.n; n++)
		ck_assert_int_eq(
		    obj_decode(def, span_of(in.p, n), &object), WIRE_MALFORMED);
	buf_clear(&in);
	buf_clear(&out);
}

START_TEST(test_samples)
{
	const struct obj_def *def;

	for (size_t i = 0; (def = proto_object_at(i)) != NULL; i++) {
		check_sample(def, false);
		check_sample(def, true);
	}
}
END_TEST

/* The arguments and results of all requests, and the rows of the admin socket. */
START_TEST(test_requests)
{
	size_t i;

	for (i = 0; call_at(i) != NULL; i++) {
		check_table(call_at(i)->args);
		ck_assert(listed(call_at(i)->args));
		if (call_at(i)->result != NULL) {
			check_table(call_at(i)->result);
			ck_assert(listed(call_at(i)->result));
		}
	}
	ck_assert_uint_gt(i, 5);
	for (i = 0; ctl_at(i) != NULL; i++)
		check_table(ctl_at(i)->args);
	ck_assert_uint_gt(i, 5);
	for (unsigned kind = 1; kind <= ROW_ATTEMPT; kind++)
		check_table(ctl_row_def(kind));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("proto");
	TCase *t = tcase_create("proto");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, test_tables);
	tcase_add_test(t, test_references);
	tcase_add_test(t, test_samples);
	tcase_add_test(t, test_requests);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
