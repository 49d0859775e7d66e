/* SPDX-License-Identifier: ISC */
/*
 * check_vectors.c - the protocol's own vectors, made by the implementation in Python.
 *
 * tests/vectors/frames.json and signed.json come from tests/conformance, which knows doc/protocol.md
 * and nothing of this tree. Each vector has a verdict; the wire and crypto layers must come to
 * the same one. Every verdict must occur, so that an empty file does not pass.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "crypto/cose.h"
#include "vecfile.h"
#include "wire/proto.h"
#include "wire/sobj.h"
#include "wire/wframe.h"

/* Room for any object, whose struct is not known here by name. */
union object {
	uint64_t align;
	uint8_t bytes[4096];
};

enum { OK, MALFORMED, UNSUPPORTED, BAD_SIGNATURE, VERDICTS };
static const char *const verdicts[VERDICTS] = {
    "ok", "malformed", "unsupported", "bad-signature"};
static unsigned counts[VERDICTS];

static int
verdict_of(enum wire_err err)
{
	if (err == WIRE_OK)
		return OK;
	return err == WIRE_UNSUPPORTED ? UNSUPPORTED : MALFORMED;
}

static void
compare(const struct vecfile *v, int verdict)
{
	ck_assert_msg(vecfile_is(v, "verdict", verdicts[verdict]), "%s: %s instead of %s",
	    vecfile_text(v, "name"), verdicts[verdict], vecfile_text(v, "verdict"));
	counts[verdict]++;
}

static const struct obj_def *
frame_def(uint64_t type)
{
	const struct obj_def *def;

	for (size_t i = 0; (def = proto_object_at(i)) != NULL; i++)
		if (strcmp(def->name, proto_frame_name(type)) == 0)
			return def;
	return NULL;
}

/* What a link would find in a message: outside the subset is malformed for all of it. */
static int
judge_message(struct span message)
{
	struct wframe_iter it;
	struct wframe frame;
	union object object;
	int verdict = OK;

	wframe_init(&it, message);
	while (verdict == OK && wframe_next(&it, &frame)) {
		const struct obj_def *def = frame_def(frame.type);

		ck_assert_ptr_nonnull(def);
		ck_assert_uint_le(def->size, sizeof(object));
		verdict = verdict_of(obj_decode(def, frame.body, &object));
	}
	return it.err == WIRE_OK ? verdict : MALFORMED;
}

START_TEST(frames)
{
	struct vecfile v;

	vecfile_open(&v, "../frames");
	while (vecfile_next(&v))
		if (vecfile_find(&v, "verdict") != NULL)
			compare(&v, judge_message(vecfile_bytes(&v, "bytes")));
	vecfile_close(&v);
	ck_assert_uint_ge(counts[OK], 5);
	ck_assert_uint_ge(counts[MALFORMED], 20);
	ck_assert_uint_ge(counts[UNSUPPORTED], 1);
}
END_TEST

static const struct obj_def *
rule_def(const char *rule)
{
	static const struct obj_def *const defs[] = {&s_listkey_def, &s_devlist_def,
	    &s_prekey_def, &s_login_def, &s_consent_def, &s_domain_def, &s_peer_def};

	for (size_t i = 0; i < sizeof(defs) / sizeof(defs[0]); i++)
		if (strcmp(defs[i]->name, rule) == 0)
			return defs[i];
	ck_abort_msg("%s is no object", rule);
}

static int
judge_object(struct vecfile *v)
{
	const struct obj_def *def = rule_def(vecfile_text(v, "rule"));
	struct span payload;
	union object object;

	ck_assert_uint_le(def->size, sizeof(object));
	if (cose_sign1_verify(vecfile_bytes(v, "object"),
		span_str(vecfile_text(v, "typ")), span_str(""), vecfile_bytes(v, "key"),
		&payload) != COSE_OK)
		return BAD_SIGNATURE;
	if (vecfile_find(v, "payload") != NULL)
		ck_assert(span_eq(payload, vecfile_bytes(v, "payload")));
	return verdict_of(obj_decode(def, payload, &object));
}

START_TEST(signed_objects)
{
	struct vecfile v;

	vecfile_open(&v, "../signed");
	while (vecfile_next(&v))
		if (vecfile_find(&v, "verdict") != NULL)
			compare(&v, judge_object(&v));
	vecfile_close(&v);
	for (int i = 0; i < VERDICTS; i++)
		ck_assert_msg(counts[i] > 0, "no vector is %s", verdicts[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("vectors");
	TCase *tc = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, frames);
	tcase_add_test(tc, signed_objects);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
