/* SPDX-License-Identifier: ISC */
/*
 * check_wframe.c - tests of wire/wframe.
 *
 * What must hold: frames come out as they went in, several in one message; the first bad
 * frame ends the walk with its class; what is CBOR but no frame is malformed; a body that
 * breaks its limits leaves the buffer as it was.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "wire/wframe.h"

struct note {
	uint32_t has;
	uint64_t n;
};

static const struct obj_field note_fields[] = {
    OBJ_FIELD(1, OBJ_UINT, struct note, n, 0, 100, OBJ_REQUIRED),
};
static const struct obj_def note_def = {
    "note", sizeof(struct note), OBJ_MAP, OBJ_FIELDS(note_fields)};

START_TEST(test_several)
{
	struct note note = {.n = 42}, got;
	struct wframe_iter it;
	struct wframe f;
	struct buf b;

	buf_init(&b, 128);
	ck_assert_int_eq(wframe_put_obj(&b, 3, 1000, &note_def, &note), WIRE_OK);
	wframe_put(&b, 70000, UINT64_MAX, span_of("\xa0", 1));
	wframe_init(&it, buf_span(&b));
	ck_assert(wframe_next(&it, &f));
	ck_assert(f.type == 3 && f.id == 1000);
	ck_assert_int_eq(obj_decode(&note_def, f.body, &got), WIRE_OK);
	ck_assert_uint_eq(got.n, 42);
	ck_assert(wframe_next(&it, &f));
	ck_assert(f.type == 70000 && f.id == UINT64_MAX && f.body.n == 1);
	ck_assert(!wframe_next(&it, &f));
	ck_assert_int_eq(it.err, WIRE_OK);
	note.n = 101;
	b.n = 5;
	ck_assert_int_eq(wframe_put_obj(&b, 3, 1, &note_def, &note), WIRE_RANGE);
	ck_assert_uint_eq(b.n, 5);
	buf_clear(&b);
}
END_TEST

static const struct {
	const char *hex;
	int frames;
	enum wire_err err;
} bad[] = {
    {"", 0, WIRE_OK},
    {"830102a0", 1, WIRE_OK},
    {"830102a0830102", 1, WIRE_MALFORMED},
    {"830102a0830102a0", 2, WIRE_OK},
    {"820102", 0, WIRE_MALFORMED},
    {"840102a003", 0, WIRE_MALFORMED},
    {"83200200", 0, WIRE_MALFORMED},
    {"83012080", 0, WIRE_MALFORMED},
    {"83010280", 0, WIRE_MALFORMED},
    {"830102f6", 0, WIRE_MALFORMED},
    {"a0", 0, WIRE_MALFORMED},
    {"830102a0ff", 1, WIRE_MALFORMED},
    {"830102a083180102a0", 1, WIRE_NONDETERMINISTIC},
    {"830102a202000100", 0, WIRE_NONDETERMINISTIC},
    {"830102a101f93c00", 0, WIRE_UNSUPPORTED},
    {"830102a101f93c0081", 0, WIRE_MALFORMED},
};

START_TEST(test_bad)
{
	uint8_t bytes[64];
	size_t n = strlen(bad[_i].hex) / 2;
	struct wframe_iter it;
	struct wframe f;
	int frames = 0;

	ck_assert(hex_decode(bad[_i].hex, bytes, n));
	wframe_init(&it, span_of(bytes, n));
	while (wframe_next(&it, &f))
		frames++;
	ck_assert_msg(
	    it.err == bad[_i].err, "%s: %s", bad[_i].hex, wire_err_name(it.err));
	ck_assert_int_eq(frames, bad[_i].frames);
	ck_assert(!wframe_next(&it, &f));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("wframe");
	TCase *t = tcase_create("wframe");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, test_several);
	tcase_add_loop_test(t, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
