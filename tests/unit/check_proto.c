/* SPDX-License-Identifier: ISC */
/*
 * check_proto.c - tests of the protocol's tables (wire/proto, sobj, call, inner, ctl).
 *
 * What must hold: every table keeps the rules of obj.h (order of keys, limits, places);
 * every object that a rule refers to is listed; names are unique, so that the CDDL in
 * doc/protocol.md has one rule for each; nothing is nested deeper than a reader follows.
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
	tcase_add_test(t, test_requests);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
