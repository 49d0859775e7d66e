/* SPDX-License-Identifier: ISC */
/*
 * check_ws.c - the WebSocket framer in both roles.
 *
 * Messages of every length class are carried whole, cut into fragments and fed byte by byte, and
 * must come out the same. The table of bad frames is bytes as on the wire, each with the close
 * code that it earns.
 */
#include <stdlib.h>
#include <check.h>

#include "base/text.h"
#include "net/ws.h"

#define BIG 70000
#define ROOM (1024U * 1024)

static uint8_t data[BIG];

static void
fill_data(void)
{
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + i / 256);
}

static enum ws_role
other(enum ws_role role)
{
	return role == WS_SERVER ? WS_CLIENT : WS_SERVER;
}

/* One frame by hand, as the role would send it. */
static void
put_raw(struct buf *b, enum ws_role from, unsigned first, const uint8_t *p, size_t n)
{
	static const uint8_t mask[4] = {1, 2, 3, 250};
	uint8_t bit = from == WS_CLIENT ? 0x80 : 0;
	size_t i;

	buf_put_u8(b, (uint8_t)first);
	if (n < 126) {
		buf_put_u8(b, (uint8_t)(bit | n));
	} else if (n < 65536) {
		buf_put_u8(b, bit | 126);
		buf_put_u16(b, (uint16_t)n);
	} else {
		buf_put_u8(b, bit | 127);
		buf_put_u64(b, n);
	}
	if (bit != 0)
		buf_put(b, mask, sizeof(mask));
	for (i = 0; i < n; i++)
		buf_put_u8(b, bit != 0 ? p[i] ^ mask[i % 4] : p[i]);
}

/* Feeds bytes in steps of a size; the first event that is not WS_MORE. */
static enum ws_event
feed(struct ws *ws, struct buf *in, struct span bytes, size_t step)
{
	enum ws_event e = WS_MORE;
	size_t n;

	while (bytes.n > 0 && e == WS_MORE) {
		n = bytes.n < step ? bytes.n : step;
		buf_put(in, bytes.p, n);
		bytes = span_of(bytes.p + n, bytes.n - n);
		e = ws_next(ws, in);
	}
	ck_assert(bytes.n == 0 || e == WS_ERROR);
	return e;
}

static const size_t sizes[] = {0, 1, 7, 125, 126, 127, 65535, 65536, BIG};
static const size_t steps[] = {1, 3, 1000, ROOM};

START_TEST(messages_of_all_sizes)
{
	enum ws_role role = _i % 2 == 0 ? WS_SERVER : WS_CLIENT;
	size_t n = sizes[_i / 2], k;
	struct buf wire, in;
	struct ws ws;

	fill_data();
	for (k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
		ws_init(&ws, role, BIG);
		buf_init(&wire, ROOM);
		buf_init(&in, ROOM);
		ws_put_message(&wire, other(role), span_of(data, n));
		ck_assert(!buf_failed(&wire));
		ck_assert_int_eq(feed(&ws, &in, buf_span(&wire), steps[k]), WS_MESSAGE);
		ck_assert(span_eq(ws.payload, span_of(data, n)));
		ck_assert_int_eq(ws_next(&ws, &in), WS_MORE);
		ck_assert_uint_eq(in.n, 0);
		ck_assert_uint_eq(ws_held(&ws), 0);
		ws_clear(&ws);
		buf_clear(&wire);
		buf_clear(&in);
	}
}
END_TEST

/* Three fragments with a ping between them. */
START_TEST(fragments_and_control_between)
{
	enum ws_role role = _i % 2 == 0 ? WS_SERVER : WS_CLIENT;
	size_t step = steps[(size_t)_i / 2 % 4];
	struct buf wire, in;
	struct ws ws;
	int pings = 0, messages = 0;
	size_t i;

	fill_data();
	ws_init(&ws, role, 3000);
	buf_init(&wire, ROOM);
	buf_init(&in, ROOM);
	put_raw(&wire, other(role), 0x02, data, 1000);
	put_raw(&wire, other(role), 0x89, data, 5);
	put_raw(&wire, other(role), 0x00, data + 1000, 0);
	put_raw(&wire, other(role), 0x80, data + 1000, 2000);
	put_raw(&wire, other(role), 0x82, data, 10);
	for (i = 0; i < wire.n; i += step) {
		enum ws_event e;

		buf_put(&in, wire.p + i, wire.n - i < step ? wire.n - i : step);
		while ((e = ws_next(&ws, &in)) != WS_MORE) {
			if (e == WS_PING) {
				ck_assert(span_eq(ws.payload, span_of(data, 5)));
				pings++;
				continue;
			}
			ck_assert_int_eq(e, WS_MESSAGE);
			ck_assert(span_eq(
			    ws.payload, span_of(data, messages++ == 0 ? 3000 : 10)));
		}
	}
	ck_assert_int_eq(pings, 1);
	ck_assert_int_eq(messages, 2);
	ck_assert_uint_eq(in.n, 0);
	ws_clear(&ws);
	buf_clear(&wire);
	buf_clear(&in);
}
END_TEST

/* For a client, i.e. without masks; {code, hex of the wire}. */
static const struct {
	unsigned code;
	const char *hex;
} bad_frames[] = {
    {WS_CODE_PROTOCOL, "8280"},                 /* masked */
    {WS_CODE_PROTOCOL, "c200"},                 /* RSV1 */
    {WS_CODE_PROTOCOL, "a200"},                 /* RSV2 */
    {WS_CODE_PROTOCOL, "9200"},                 /* RSV3 */
    {WS_CODE_PROTOCOL, "8300"},                 /* unknown data opcode */
    {WS_CODE_PROTOCOL, "8b00"},                 /* unknown control opcode */
    {WS_CODE_PROTOCOL, "0900"},                 /* fragmented ping */
    {WS_CODE_PROTOCOL, "897e0000"},             /* long ping */
    {WS_CODE_PROTOCOL, "8000"},                 /* continuation of nothing */
    {WS_CODE_PROTOCOL, "02008200"},             /* message inside another */
    {WS_CODE_PROTOCOL, "827e007d"},             /* 125 in 16 bits */
    {WS_CODE_PROTOCOL, "827f000000000000ffff"}, /* 65535 in 64 bits */
    {WS_CODE_TOO_BIG, "827e0401"},              /* 1025 bytes */
    {WS_CODE_TOO_BIG, "827f0000000000010000"}, {WS_CODE_TOO_BIG, "827fffffffffffffffff"},
    {WS_CODE_UNSUPPORTED, "8100"},  /* text */
    {WS_CODE_PROTOCOL, "880103"},   /* close code cut off */
    {WS_CODE_PROTOCOL, "880203ee"}, /* 1006 */
    {WS_CODE_PROTOCOL, "88020000"},
    {WS_CODE_DATA, "880303e8ff"}, /* reason is not UTF-8 */
};

START_TEST(bad_frames_are_refused)
{
	const char *hex = bad_frames[_i].hex;
	uint8_t raw[32];
	size_t n = strlen(hex) / 2;
	struct buf in;
	struct ws ws;

	ck_assert(hex_decode(hex, raw, n));
	ws_init(&ws, WS_CLIENT, 1024);
	buf_init(&in, ROOM);
	ck_assert_int_eq(feed(&ws, &in, span_of(raw, n), 1), WS_ERROR);
	ck_assert_uint_eq(ws.code, bad_frames[_i].code);
	ck_assert_ptr_nonnull(ws.error);
	buf_put_span(&in, span_str("anything"));
	ck_assert_int_eq(ws_next(&ws, &in), WS_MORE);
	ck_assert_uint_eq(in.n, 0);
	ws_clear(&ws);
	buf_clear(&in);
}
END_TEST

START_TEST(masking_belongs_to_the_role)
{
	struct buf wire, in;
	struct ws ws;

	buf_init(&wire, ROOM);
	buf_init(&in, ROOM);
	ws_init(&ws, WS_SERVER, 100);
	ws_put_message(&wire, WS_SERVER, span_str("plain"));
	buf_put_span(&in, buf_span(&wire));
	ck_assert_int_eq(ws_next(&ws, &in), WS_ERROR);
	ck_assert_uint_eq(ws.code, WS_CODE_PROTOCOL);
	buf_reset(&wire);
	ws_put_message(&wire, WS_CLIENT, span_str("plain"));
	ck_assert_uint_eq(wire.n, 2 + 4 + 5);
	ck_assert_uint_eq(wire.p[1], 0x80 | 5);
	ws_clear(&ws);
	buf_clear(&wire);
	buf_clear(&in);
}
END_TEST

/* The limit counts all fragments, and may be raised between frames. */
START_TEST(limit_counts_fragments)
{
	struct buf wire, in;
	struct ws ws;
	int i;

	for (i = 0; i < 2; i++) {
		buf_init(&wire, ROOM);
		buf_init(&in, ROOM);
		ws_init(&ws, WS_CLIENT, 100);
		put_raw(&wire, WS_SERVER, 0x02, data, 60);
		ck_assert_int_eq(feed(&ws, &in, buf_span(&wire), ROOM), WS_MORE);
		ck_assert_uint_eq(ws_held(&ws), 60);
		if (i == 1)
			ws_limit(&ws, 101);
		buf_reset(&wire);
		put_raw(&wire, WS_SERVER, 0x80, data, 41);
		ck_assert_int_eq(feed(&ws, &in, buf_span(&wire), ROOM),
		    i == 0 ? WS_ERROR : WS_MESSAGE);
		ck_assert(i == 1 || ws.code == WS_CODE_TOO_BIG);
		ws_clear(&ws);
		buf_clear(&wire);
		buf_clear(&in);
	}
}
END_TEST

START_TEST(fragments_are_counted)
{
	struct buf wire, in;
	struct ws ws;
	int i;

	buf_init(&wire, ROOM);
	buf_init(&in, ROOM);
	ws_init(&ws, WS_CLIENT, 100);
	put_raw(&wire, WS_SERVER, 0x02, data, 0);
	for (i = 0; i < WS_FRAGMENTS_MAX; i++)
		put_raw(&wire, WS_SERVER, 0x00, data, 0);
	ck_assert_int_eq(feed(&ws, &in, buf_span(&wire), ROOM), WS_ERROR);
	ck_assert_uint_eq(ws.code, WS_CODE_POLICY);
	ws_clear(&ws);
	buf_clear(&wire);
	buf_clear(&in);
}
END_TEST

START_TEST(close_has_code_and_reason)
{
	struct buf wire, in;
	struct ws ws;

	buf_init(&wire, ROOM);
	buf_init(&in, ROOM);
	ws_init(&ws, WS_SERVER, 100);
	ws_put_close(&wire, WS_CLIENT, WS_CODE_LATER, "busy");
	ck_assert_int_eq(feed(&ws, &in, buf_span(&wire), 1), WS_CLOSE);
	ck_assert_uint_eq(ws.code, WS_CODE_LATER);
	ck_assert(span_eq(ws.payload, span_str("busy")));
	ws_init(&ws, WS_SERVER, 100);
	buf_reset(&in);
	buf_reset(&wire);
	ws_put_close(&wire, WS_CLIENT, WS_CODE_NONE, NULL);
	ck_assert_int_eq(feed(&ws, &in, buf_span(&wire), 1), WS_CLOSE);
	ck_assert_uint_eq(ws.code, WS_CODE_NONE);
	ws_clear(&ws);
	buf_clear(&wire);
	buf_clear(&in);
}
END_TEST

START_TEST(mask_at_every_phase)
{
	static const uint8_t mask[4] = {0x11, 0x22, 0x44, 0x88};
	uint8_t p[40];
	size_t phase, n, i;

	for (phase = 0; phase < 8; phase++)
		for (n = 0; n < sizeof(p); n++) {
			memset(p, 0, sizeof(p));
			ws_mask(p, n, mask, phase);
			for (i = 0; i < sizeof(p); i++)
				ck_assert_uint_eq(
				    p[i], i < n ? mask[(phase + i) % 4] : 0);
		}
}
END_TEST

START_TEST(header_is_the_writers)
{
	uint8_t header[WS_HEADER_MAX];
	struct buf wire;
	size_t k, n;

	buf_init(&wire, ROOM);
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		buf_reset(&wire);
		ws_put_message(&wire, WS_SERVER, span_of(data, sizes[k]));
		n = ws_header(header, sizes[k]);
		ck_assert_uint_eq(n + sizes[k], wire.n);
		ck_assert_mem_eq(header, wire.p, n);
	}
	buf_clear(&wire);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ws");
	TCase *t = tcase_create("ws");
	SRunner *r;
	int failed;

	tcase_add_loop_test(
	    t, messages_of_all_sizes, 0, 2 * sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_loop_test(t, fragments_and_control_between, 0, 8);
	tcase_add_loop_test(
	    t, bad_frames_are_refused, 0, sizeof(bad_frames) / sizeof(bad_frames[0]));
	tcase_add_test(t, masking_belongs_to_the_role);
	tcase_add_test(t, limit_counts_fragments);
	tcase_add_test(t, fragments_are_counted);
	tcase_add_test(t, close_has_code_and_reason);
	tcase_add_test(t, mask_at_every_phase);
	tcase_add_test(t, header_is_the_writers);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
