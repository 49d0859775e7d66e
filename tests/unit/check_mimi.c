/* SPDX-License-Identifier: ISC */
/*
 * check_mimi.c - message content: the examples of the draft are read, ours are read back,
 * receipts are read back, and what is damaged is refused.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "libemsg/mimi.h"

#define EXAMPLES VECTORS "/third-party/mimi-content/"

static uint8_t bytes[65536];

/* The examples are written in hex, some bytes a line. */
static struct span
example(const char *name)
{
	char path[512], line[512];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), EXAMPLES "%s.hex", name);
	ck_assert_ptr_nonnull(f = fopen(path, "r"));
	while (fgets(line, sizeof(line), f) != NULL) {
		size_t digits = strcspn(line, "\n");

		line[digits] = '\0';
		ck_assert(hex_decode(line, bytes + n, digits / 2));
		n += digits / 2;
	}
	fclose(f);
	return span_of(bytes, n);
}

static const struct {
	const char *name, *sender, *text; /* text: how what is shown begins; NULL: none */
	unsigned disposition;
	bool reply, replaces;
} examples[] = {
    {"original", "alice-smith", "Hi everyone, we just shipped", 1, false, false},
    {"reply", "bob-jones", "Right on!", 1, true, false},
    {"reaction", "cathy-washington", "\xe2\x9d\xa4", 2, true, false},
    {"unlike", "cathy-washington", NULL, 2, true, true},
    {"edit", "bob-jones", "Right on!", 1, true, true},
    {"delete", "bob-jones", NULL, 1, true, true},
    {"mention", "cathy-washington", "Kudos to", 1, true, false},
    {"mention-html", "cathy-washington", "<p>Kudos to", 1, true, false},
    {"expiring", "alice-smith", "__*VPN GOING DOWN*__", 1, false, false},
    {"attachment", "bob-jones", NULL, 6, false, false},
    {"conferencing", NULL, NULL, 0, false, false},
    {"multipart-1", NULL, "", 0, false, false},
    {"multipart-2", NULL, "", 0, false, false},
    {"multipart-3", NULL, "", 0, false, false},
};

static bool
contains(struct span s, const char *text)
{
	return text == NULL || memmem(s.p, s.n, text, strlen(text)) != NULL;
}

START_TEST(examples_are_read)
{
	struct mimi m;

	ck_assert_msg(
	    mimi_parse(example(examples[_i].name), &m), "%s", examples[_i].name);
	ck_assert(contains(m.sender, examples[_i].sender));
	if (examples[_i].sender == NULL)
		return;
	ck_assert_uint_eq(m.disposition, examples[_i].disposition);
	ck_assert_int_eq(m.reply.n != 0, examples[_i].reply);
	ck_assert_int_eq(m.replaces.n != 0, examples[_i].replaces);
	if (examples[_i].text == NULL)
		ck_assert_uint_eq(m.text.n, 0);
	else
		ck_assert_int_eq(
		    memcmp(m.text.p, examples[_i].text, strlen(examples[_i].text)), 0);
}
END_TEST

/* Cut at any byte, or with a byte more, it is no content. */
START_TEST(cut_examples_are_refused)
{
	struct span all = example(examples[_i].name);
	struct mimi m;

	for (size_t n = 0; n < all.n; n++)
		ck_assert(!mimi_parse(span_of(all.p, n), &m));
	bytes[all.n] = 0;
	ck_assert(!mimi_parse(span_of(all.p, all.n + 1), &m));
}
END_TEST

START_TEST(ours_is_read)
{
	uint8_t salt[MIMI_SALT_SIZE] = {1, 2, 3}, id[MIMI_ID_SIZE], other[MIMI_ID_SIZE];
	struct buf out;
	struct mimi m;

	buf_init(&out, 1000);
	ck_assert_int_eq(
	    mimi_text(span_str("emsg:alice@im.alpha.test"),
		span_str("emsg:bob@im.beta.test"), salt, span_str("Hi"), &out),
	    0);
	ck_assert(mimi_parse(buf_span(&out), &m));
	ck_assert(span_eq(m.text, span_str("Hi")));
	ck_assert(span_eq(m.type, span_str(MIMI_TYPE_PLAIN)));
	ck_assert(span_eq(m.sender, span_str("emsg:alice@im.alpha.test")));
	ck_assert(span_eq(m.room, span_str("emsg:bob@im.beta.test")));
	ck_assert_mem_eq(m.salt.p, salt, sizeof(salt));
	ck_assert_int_eq(mimi_id(buf_span(&out), id), 0);
	ck_assert_uint_eq(id[0], 1);
	buf_reset(&out);
	salt[0] = 9;
	mimi_text(span_str("emsg:alice@im.alpha.test"), span_str("emsg:bob@im.beta.test"),
	    salt, span_str("Hi"), &out);
	ck_assert_int_eq(mimi_id(buf_span(&out), other), 0);
	ck_assert_mem_ne(id, other, sizeof(id));
	buf_clear(&out);
}
END_TEST

START_TEST(receipts)
{
	struct mimi_report in[2] = {{.status = MIMI_DELIVERED}, {.status = MIMI_READ}};
	struct mimi_report out[MIMI_STATUS_MAX];
	struct buf b;
	size_t n;

	memset(in[0].id, 7, sizeof(in[0].id));
	buf_init(&b, 1000);
	ck_assert_int_eq(mimi_status_put(in, 2, &b), 0);
	ck_assert(mimi_status_get(buf_span(&b), out, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(out[0].id, in[0].id, sizeof(in[0].id));
	ck_assert_int_eq(out[0].status, MIMI_DELIVERED);
	ck_assert_int_eq(out[1].status, MIMI_READ);
	for (size_t i = 0; i < b.n; i++)
		ck_assert(!mimi_status_get(span_of(b.p, i), out, &n));
	buf_clear(&b);
}
END_TEST

START_TEST(too_many_receipts)
{
	struct mimi_report in[MIMI_STATUS_MAX + 1], out[MIMI_STATUS_MAX];
	struct buf b;
	size_t n;

	memset(in, 0, sizeof(in));
	buf_init(&b, 65536);
	ck_assert_int_eq(mimi_status_put(in, MIMI_STATUS_MAX + 1, &b), 0);
	ck_assert(!mimi_status_get(buf_span(&b), out, &n));
	buf_clear(&b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mimi");
	TCase *tc = tcase_create("mimi");
	int n = (int)(sizeof(examples) / sizeof(examples[0]));
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, examples_are_read, 0, n);
	tcase_add_loop_test(tc, cut_examples_are_refused, 0, n);
	tcase_add_test(tc, ours_is_read);
	tcase_add_test(tc, receipts);
	tcase_add_test(tc, too_many_receipts);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
