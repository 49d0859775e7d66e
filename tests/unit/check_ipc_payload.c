/* SPDX-License-Identifier: ISC */
/*
 * check_ipc_payload.c - every message of the table through encoder and decoder.
 *
 * What must hold for each row: least and greatest values come back as they were; every
 * shorter and every longer encoding is refused; values beyond their bounds are refused by
 * both sides; the frame can carry the greatest encoding. And the table itself is sound.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ipc/msg.h"
#include "ipc/msgs.h"

static uint8_t *filler; /* MSG_PAYLOAD_MAX bytes to point spans at */

static size_t
rows(void)
{
	size_t n = 0;

	while (msg_at(n) != NULL)
		n++;
	return n;
}

static size_t
width(enum field_kind kind)
{
	return kind == FIELD_U8 ? 1 : kind == FIELD_U16 ? 2 : kind == FIELD_U32 ? 4 : 8;
}

/* Gives each field its least or greatest value. */
static void
fill(const struct msg_def *def, void *msg, bool greatest)
{
	for (const struct field *f = def->fields; f->name != NULL; f++) {
		uint8_t *at = (uint8_t *)msg + f->offset;
		struct span s = span_of(filler, greatest ? f->max : f->min);
		uint64_t v = !greatest ? 0 : f->top == 0 ? UINT64_MAX : f->top;

		if (f->kind == FIELD_SPAN)
			memcpy(at, &s, sizeof(s));
		else if (f->kind == FIELD_FIXED)
			memset(at, greatest ? 0xff : 0, f->max);
		else
			memcpy(at, &v, width(f->kind));
	}
}

static void
compare(const struct msg_def *def, const void *a, const void *b)
{
	for (const struct field *f = def->fields; f->name != NULL; f++) {
		const uint8_t *x = (const uint8_t *)a + f->offset;
		const uint8_t *y = (const uint8_t *)b + f->offset;
		struct span s, t;

		if (f->kind == FIELD_SPAN) {
			memcpy(&s, x, sizeof(s));
			memcpy(&t, y, sizeof(t));
			ck_assert_msg(span_eq(s, t), "%s.%s", def->name, f->name);
		} else {
			size_t n = f->kind == FIELD_FIXED ? f->max : width(f->kind);

			ck_assert_msg(memcmp(x, y, n) == 0, "%s.%s", def->name, f->name);
		}
	}
}

START_TEST(test_round_trip)
{
	const struct msg_def *def = msg_at((size_t)_i / 2);
	bool greatest = _i % 2 == 1;
	void *in = xcalloc(1, def->size), *out = xcalloc(1, def->size);
	size_t least, most;
	struct buf b;

	payload_bounds(def->fields, &least, &most);
	ck_assert_msg(most <= MSG_PAYLOAD_MAX, "%s: %zu", def->name, most);
	fill(def, in, greatest);
	buf_init(&b, MSG_PAYLOAD_MAX + 1);
	ck_assert_int_eq(payload_put(def->fields, in, &b), 0);
	ck_assert_uint_eq(b.n, greatest ? most : least);
	ck_assert_int_eq(payload_get(def->fields, buf_span(&b), out), 0);
	compare(def, in, out);
	/* One byte more, and (a sample of) all that is less. */
	buf_put_u8(&b, 0);
	ck_assert_int_eq(payload_get(def->fields, buf_span(&b), out), -1);
	for (size_t n = 0; n < b.n - 1; n += 1 + n / 64)
		ck_assert_int_eq(payload_get(def->fields, span_of(b.p, n), out), -1);
	buf_clear(&b);
	free(in);
	free(out);
}
END_TEST

/* Each bounded field in turn one beyond its bounds, for the encoder and for the decoder. */
START_TEST(test_bounds)
{
	const struct msg_def *def = msg_at((size_t)_i);
	void *msg = xcalloc(1, def->size), *out = xcalloc(1, def->size);
	struct buf b;

	for (const struct field *f = def->fields; f->name != NULL; f++) {
		uint8_t *at = (uint8_t *)msg + f->offset;
		struct span s = span_of(filler, f->max + 1);
		uint64_t v = f->top + 1;
		struct field loose[16];
		size_t n = 0;

		if (f->kind == FIELD_FIXED || (f->kind != FIELD_SPAN && f->top == 0))
			continue;
		fill(def, msg, false);
		memcpy(at, f->kind == FIELD_SPAN ? (void *)&s : (void *)&v,
		    f->kind == FIELD_SPAN ? sizeof(s) : width(f->kind));
		buf_init(&b, MSG_PAYLOAD_MAX + 16);
		ck_assert_int_eq(payload_put(def->fields, msg, &b), -1);
		buf_reset(&b);
		for (const struct field *g = def->fields; g->name != NULL; g++) {
			loose[n] = *g;
			loose[n].top = 0;
			loose[n++].max += g->kind == FIELD_SPAN ? 1 : 0;
		}
		loose[n] = (struct field){0};
		ck_assert_int_eq(payload_put(loose, msg, &b), 0);
		ck_assert_int_eq(payload_get(loose, buf_span(&b), out), 0);
		ck_assert_int_eq(payload_get(def->fields, buf_span(&b), out), -1);
		buf_clear(&b);
	}
	free(msg);
	free(out);
}
END_TEST

START_TEST(test_layout)
{
	const struct msg_def *def = msg_find(MSG_CONF_OK);
	struct m_conf_ok m = {.number = 0x0102, .ok = 1, .text = span_str("no")};
	static const uint8_t want[] = {0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 2, 'n', 'o'};
	struct buf b;

	buf_init(&b, 64);
	ck_assert_int_eq(payload_put(def->fields, &m, &b), 0);
	ck_assert_uint_eq(b.n, sizeof(want));
	ck_assert_mem_eq(b.p, want, sizeof(want));
	/* A full buffer is a failure, too. */
	buf_clear(&b);
	buf_init(&b, sizeof(want) - 1);
	ck_assert_int_eq(payload_put(def->fields, &m, &b), -1);
	buf_clear(&b);
}
END_TEST

START_TEST(test_span_length_does_not_wrap)
{
	const struct msg_def *def = msg_find(MSG_OFFENCE);
	static const uint8_t huge[] = {1, 0xff, 0xff, 0xff, 0xff, 'x'};
	struct m_offence m;

	ck_assert_int_eq(payload_get(def->fields, span_of(huge, sizeof(huge)), &m), -1);
}
END_TEST

START_TEST(test_table)
{
	const struct msg_def *def;

	for (size_t i = 0; (def = msg_at(i)) != NULL; i++) {
		ck_assert_ptr_eq(msg_find(def->type), def);
		ck_assert_str_eq(msg_name(def->type), def->name);
		ck_assert_uint_ne(def->type, 0);
		ck_assert_uint_ne(def->from, 0);
		ck_assert_uint_eq(def->from & def->to, 0);
		for (const struct field *f = def->fields; f->name != NULL; f++)
			ck_assert_msg(f->offset < def->size, "%s.%s", def->name, f->name);
		for (size_t k = 0; k < i; k++) {
			ck_assert_uint_ne(msg_at(k)->type, def->type);
			ck_assert_str_ne(msg_at(k)->name, def->name);
		}
	}
	ck_assert_ptr_null(msg_find(0));
	ck_assert_ptr_null(msg_find(65535));
	ck_assert_str_eq(msg_name(0), "?");
}
END_TEST

START_TEST(test_channels)
{
	/* The wiring of the suite, as the design draws it. */
	static const enum role wired[][2] = {{ROLE_LISTENER, ROLE_STORE},
	    {ROLE_LISTENER, ROLE_QUEUE}, {ROLE_LISTENER, ROLE_KEYD},
	    {ROLE_QUEUE, ROLE_STORE}, {ROLE_QUEUE, ROLE_RELAY}, {ROLE_RELAY, ROLE_STORE},
	    {ROLE_RELAY, ROLE_KEYD}, {ROLE_RELAY, ROLE_DIALER}};

	for (size_t i = 0; i < sizeof(wired) / sizeof(wired[0]); i++) {
		ck_assert(msg_channel_exists(wired[i][0], wired[i][1]));
		ck_assert(msg_channel_exists(wired[i][1], wired[i][0]));
	}
	ck_assert(!msg_channel_exists(ROLE_LISTENER, ROLE_RELAY));
	ck_assert(!msg_channel_exists(ROLE_LISTENER, ROLE_DIALER));
	ck_assert(!msg_channel_exists(ROLE_DIALER, ROLE_STORE));
	ck_assert(!msg_channel_exists(ROLE_CONTROL, ROLE_LISTENER));
	for (enum role r = ROLE_STORE; r < ROLE_COUNT; r++) {
		ck_assert(msg_channel_exists(ROLE_MASTER, r));
		ck_assert(!msg_channel_exists(r, r));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ipc_payload");
	TCase *c = tcase_create("payload");
	SRunner *r;
	int failed, n = (int)rows();

	filler = xmalloc(MSG_PAYLOAD_MAX + 1);
	memset(filler, 'x', MSG_PAYLOAD_MAX + 1);
	tcase_add_loop_test(c, test_round_trip, 0, 2 * n);
	tcase_add_loop_test(c, test_bounds, 0, n);
	tcase_add_test(c, test_layout);
	tcase_add_test(c, test_span_length_does_not_wrap);
	tcase_add_test(c, test_table);
	tcase_add_test(c, test_channels);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	free(filler);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
