/* SPDX-License-Identifier: ISC */
/*
 * check_fence.c - what was sent in ignorance of a link's end waits until each end is noted.
 */
#include <check.h>
#include <stdlib.h>

#include "base/span.h"
#include "relay/fence.h"
#include "wire/code.h"

static struct span
beta(void)
{
	return span_str("im.beta.test");
}

START_TEST(one_end)
{
	ck_assert_uint_eq(fence_code(beta()), 0);
	fence_put(beta(), CODE_PEER_UNREACHABLE);
	ck_assert_uint_eq(fence_code(beta()), CODE_PEER_UNREACHABLE);
	ck_assert_uint_eq(fence_code(span_str("im.alpha.test")), 0);
	fence_noted(beta());
	ck_assert_uint_eq(fence_code(beta()), 0);
}
END_TEST

START_TEST(two_ends)
{
	fence_put(beta(), CODE_PEER_UNREACHABLE);
	fence_put(beta(), CODE_DONE);
	ck_assert_uint_eq(fence_code(beta()), CODE_DONE);
	fence_noted(beta());
	ck_assert_uint_eq(fence_code(beta()), CODE_DONE);
	fence_noted(beta());
	ck_assert_uint_eq(fence_code(beta()), 0);
}
END_TEST

START_TEST(queue_gone)
{
	fence_noted(beta()); /* of what is not known: nothing */
	fence_put(beta(), CODE_PEER_UNREACHABLE);
	fence_put(span_str("im.gamma.test"), CODE_PEER_UNREACHABLE);
	fence_clear();
	ck_assert_uint_eq(fence_code(beta()), 0);
	ck_assert_uint_eq(fence_code(span_str("im.gamma.test")), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fence");
	TCase *c = tcase_create("fence");
	SRunner *r;
	int failed;

	tcase_add_test(c, one_end);
	tcase_add_test(c, two_ends);
	tcase_add_test(c, queue_gone);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
