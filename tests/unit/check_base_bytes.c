/* SPDX-License-Identifier: ISC */
/*
 * check_base_bytes.c - tests of base/buf, base/map and base/mem.
 *
 * What must hold: a buffer never passes its limit and a failed one stays failed; a cursor
 * never reads past its end; the map agrees with a plain array under many puts and takes,
 * also while it is walked; SipHash gives the values of its authors.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#define MANY 3000

START_TEST(test_buf_numbers)
{
	static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct buf b;
	struct cur c;

	buf_init(&b, 64);
	buf_put_u8(&b, 1);
	buf_put_u16(&b, 0x0203);
	buf_put_u32(&b, 0x04050607);
	buf_put_u64(&b, UINT64_C(0x08090a0b0c0d0e0f));
	ck_assert(!buf_failed(&b));
	ck_assert(span_eq(buf_span(&b), span_of(want, sizeof(want))));
	cur_init(&c, buf_span(&b));
	ck_assert_uint_eq(cur_u8(&c), 1);
	ck_assert_uint_eq(cur_u16(&c), 0x0203);
	ck_assert_uint_eq(cur_u32(&c), 0x04050607);
	ck_assert(!cur_done(&c));
	ck_assert(cur_u64(&c) == UINT64_C(0x08090a0b0c0d0e0f));
	ck_assert(cur_done(&c));
	ck_assert_uint_eq(cur_u8(&c), 0);
	ck_assert(!cur_done(&c));
	buf_clear(&b);
}
END_TEST

START_TEST(test_buf_limit)
{
	uint8_t block[1000];
	struct buf b;

	memset(block, 7, sizeof(block));
	buf_init(&b, 1500);
	buf_put(&b, block, sizeof(block));
	ck_assert(!buf_failed(&b));
	buf_put(&b, block, 501);
	ck_assert(buf_failed(&b));
	ck_assert_uint_eq(b.n, 1000);
	/* One that would fit does nothing any more. */
	buf_put_u8(&b, 1);
	ck_assert_uint_eq(b.n, 1000);
	buf_reset(&b);
	buf_put(&b, block, sizeof(block));
	buf_put(&b, block, 500);
	ck_assert(!buf_failed(&b));
	ck_assert_uint_eq(b.n, 1500);
	ck_assert_uint_le(b.size, 1500);
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
	buf_wipe(&b);
	ck_assert_ptr_null(b.p);
}
END_TEST

START_TEST(test_buf_consume_take)
{
	struct buf b;
	uint8_t *p;
	size_t n;

	buf_init(&b, 100);
	buf_put_span(&b, span_str("headbody"));
	buf_consume(&b, 4);
	ck_assert(span_eq(buf_span(&b), span_str("body")));
	memcpy(buf_reserve(&b, 2), "!?", 2);
	buf_advance(&b, 1);
	p = buf_take(&b, &n);
	ck_assert_uint_eq(n, 5);
	ck_assert_mem_eq(p, "body!", 5);
	ck_assert_uint_eq(b.n, 0);
	free(p);
	buf_put(&b, NULL, 0);
	ck_assert(!buf_failed(&b));
	buf_clear(&b);
	buf_clear(NULL);
}
END_TEST

START_TEST(test_buf_consume_panics)
{
	struct buf b;

	buf_init(&b, 100);
	buf_put_u8(&b, 1);
	buf_consume(&b, 2);
}
END_TEST

START_TEST(test_cur_fails_for_good)
{
	struct cur c;

	cur_init(&c, span_str("abc"));
	ck_assert_uint_eq(cur_u32(&c), 0);
	ck_assert(c.failed);
	ck_assert_uint_eq(cur_u8(&c), 0);
	ck_assert_uint_eq(cur_bytes(&c, 0).n, 0);
	ck_assert(!cur_done(&c));
	cur_init(&c, span_of(NULL, 0));
	ck_assert_uint_eq(cur_bytes(&c, 0).n, 0);
	ck_assert(cur_done(&c));
	ck_assert_uint_eq(cur_bytes(&c, SIZE_MAX).n, 0);
	ck_assert(!cur_done(&c));
}
END_TEST

/* Reference values: vectors_sip64 of the reference implementation, inputs 00 01 02 ... */
START_TEST(test_siphash)
{
	static const struct {
		size_t n;
		uint64_t want;
	} v[] = {
	    {0, UINT64_C(0x726fdb47dd0e0e31)},
	    {1, UINT64_C(0x74f839c593dc67fd)},
	    {8, UINT64_C(0x93f5f5799a932462)},
	    {15, UINT64_C(0xa129ca6149be45e5)},
	};
	uint8_t key[16], in[16];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = in[i] = i;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		ck_assert(siphash(key, span_of(in, v[i].n)) == v[i].want);
}
END_TEST

START_TEST(test_map_against_array)
{
	static int value[MANY];
	static bool in[MANY];
	struct map *m = map_new();
	size_t count = 0;

	for (int round = 0; round < 4 * MANY; round++) {
		uint32_t k = random_below(MANY);

		if (in[k]) {
			ck_assert_ptr_eq(map_find_u64(m, k), &value[k]);
			ck_assert_ptr_eq(map_take_u64(m, k), &value[k]);
			count--;
		} else {
			ck_assert_ptr_null(map_take_u64(m, k));
			ck_assert_ptr_null(map_put_u64(m, k, &value[k]));
			count++;
		}
		in[k] = !in[k];
		ck_assert_uint_eq(map_count(m), count);
	}
	for (uint32_t k = 0; k < MANY; k++)
		ck_assert_ptr_eq(map_find_u64(m, k), in[k] ? &value[k] : NULL);
	map_free(m);
}
END_TEST

START_TEST(test_map_keys)
{
	char key[600];
	struct map *m = map_new();
	int a, b;

	memset(key, 'k', sizeof(key));
	for (size_t n = 0; n <= 512; n++)
		ck_assert_ptr_null(map_put(m, span_of(key, n), &a));
	ck_assert_uint_eq(map_count(m), 513);
	ck_assert_ptr_eq(map_put(m, span_of(key, 100), &b), &a);
	ck_assert_ptr_eq(map_find(m, span_of(key, 100)), &b);
	ck_assert_ptr_null(map_find(m, span_of(key, 513)));
	ck_assert_ptr_null(map_take(m, span_of(key, 513)));
	/* The map has its own copy. */
	memset(key, 'x', sizeof(key));
	ck_assert_ptr_null(map_find(m, span_of(key, 100)));
	map_free(m);
	map_free(NULL);
}
END_TEST

START_TEST(test_map_long_key_panics)
{
	char key[513] = {0};
	struct map *m = map_new();

	map_put(m, span_of(key, sizeof(key)), m);
}
END_TEST

START_TEST(test_map_walk_and_take)
{
	static int value[MANY];
	struct map *m = map_new();
	struct span key;
	size_t pos = 0, seen = 0;
	void *v;

	for (uint64_t k = 0; k < MANY; k++)
		map_put_u64(m, k, &value[k]);
	while (map_next(m, &pos, &key, &v)) {
		seen++;
		ck_assert_int_eq((*(int *)v)++, 0);
		ck_assert_ptr_eq(map_take(m, key), v);
	}
	ck_assert_uint_eq(seen, MANY);
	ck_assert_uint_eq(map_count(m), 0);
	/* A table full of graves still ends its searches and takes entries. */
	ck_assert_ptr_null(map_find_u64(m, 1));
	map_put_u64(m, 1, m);
	ck_assert_ptr_eq(map_find_u64(m, 1), m);
	map_free(m);
}
END_TEST

START_TEST(test_mem)
{
	char *s = xasprintf("%s-%d", "a", 5), *t = xstrndup("abc", 2);
	unsigned char *z = xcalloc(3, 5), *d = xmemdup("\1\2", 2);

	ck_assert_str_eq(s, "a-5");
	ck_assert_str_eq(t, "ab");
	for (int i = 0; i < 15; i++)
		ck_assert_int_eq(z[i], 0);
	ck_assert_int_eq(d[1], 2);
	wipe(d, 2);
	ck_assert_int_eq(d[0] | d[1], 0);
	z = xreallocarray(z, 100, 2);
	z[199] = 1;
	free(s);
	free(t);
	free(d);
	freezero(z, 200);
	freezero(NULL, 5);
	t = xstrdup("");
	ck_assert_str_eq(t, "");
	free(t);
}
END_TEST

START_TEST(test_mem_overflow_is_fatal)
{
	volatile size_t n = SIZE_MAX / 2;

	free(xreallocarray(NULL, n, 3));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base bytes");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, test_buf_numbers);
	tcase_add_test(t, test_buf_limit);
	tcase_add_test(t, test_buf_consume_take);
	tcase_add_test_raise_signal(t, test_buf_consume_panics, 6);
	tcase_add_test(t, test_cur_fails_for_good);
	tcase_add_test(t, test_siphash);
	tcase_add_test(t, test_map_against_array);
	tcase_add_test(t, test_map_keys);
	tcase_add_test_raise_signal(t, test_map_long_key_panics, 6);
	tcase_add_test(t, test_map_walk_and_take);
	tcase_add_test(t, test_mem);
	tcase_add_exit_test(t, test_mem_overflow_is_fatal, 1);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
