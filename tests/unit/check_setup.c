/* SPDX-License-Identifier: ISC */
/*
 * check_setup.c - tests of cli/setupkeys: a domain's keys over the years, with the root key
 * at hand and away.
 */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/setup.h"

#define DAY (24 * 3600 * (uint64_t)1000)
#define BEGIN (20000 * DAY)

static const struct tool tool = {.name = "check"};
static const struct call call = {.tool = &tool};
static struct setup *s;
static char dir[] = "/tmp/check-setup-XXXXXX";

/* A file's hash, zeros if it is not there. */
static void
print_of(const char *folder, const char *name, uint8_t out[SHA_SIZE])
{
	char path[PATH_MAX + 64];
	unsigned char *bytes = NULL;
	size_t n = 0;
	int fd;

	memset(out, 0, SHA_SIZE);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	ck_assert_int_eq(fd_read_all(fd, 65536, &bytes, &n), 0);
	ck_assert_int_eq(sha_of(span_of(bytes, n), out), 0);
	free(bytes);
	close(fd);
}

/* Runs setup at a day; how many files it made. */
static size_t
run(uint64_t day, int want)
{
	s->now = BEGIN + day * DAY;
	for (size_t i = 0; i < s->nmade; i++)
		free(s->made[i]);
	s->nmade = 0;
	ck_assert_int_eq(setup_keys(s), want);
	return s->nmade;
}

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	s = xcalloc(1, sizeof(*s));
	s->call = &call;
	(void)snprintf(s->domain, sizeof(s->domain), "im.alpha.test");
	(void)snprintf(s->keys, sizeof(s->keys), "%s/keys", dir);
	(void)snprintf(s->offline, sizeof(s->offline), "%s/keys/offline", dir);
	ck_assert_uint_eq(run(0, TOOL_OK), 4);
	ck_assert_int_eq(setup_load_document(s), DOCUMENT_GOOD);
}

static void
teardown(void)
{
	static const char *const names[] = {"keys/offline/domain-root.pem",
	    "keys/offline/domain-root-next.pem", "keys/away.pem", "keys/domain-sign.pem",
	    "keys/domain-document.cose", "keys/offline", "keys", ""};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)remove(path);
	}
	for (size_t i = 0; i < s->nmade; i++)
		free(s->made[i]);
	free(s);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
}

/* Nothing to do for 60 days; then a new key beside the old one; root and successor stay. */
START_TEST(renewal)
{
	uint8_t pin[32], next[32], before[32], after[32];

	memcpy(pin, s->trust.pin, 32);
	memcpy(next, s->trust.doc.next_root_hash, 32);
	ck_assert_uint_eq(s->trust.doc.seq, 1);
	print_of(s->keys, SETUP_SIGN_KEY, before);
	ck_assert_uint_eq(run(0, TOOL_OK), 0);
	ck_assert_uint_eq(run(59, TOOL_OK), 0);
	ck_assert_uint_eq(run(60, TOOL_OK), 2);
	print_of(s->keys, SETUP_SIGN_KEY, after);
	ck_assert_mem_ne(before, after, 32);
	ck_assert_int_eq(setup_load_document(s), DOCUMENT_GOOD);
	ck_assert_uint_eq(s->trust.doc.seq, 2);
	ck_assert_uint_eq(s->trust.doc.keys.count, 2);
	ck_assert_mem_eq(s->trust.pin, pin, 32);
	ck_assert_mem_eq(s->trust.doc.next_root_hash, next, 32);
	ck_assert_uint_eq(run(61, TOOL_OK), 0);
}
END_TEST

/* Long after the end the number still grows, because peers refuse a lower one. */
START_TEST(expired)
{
	s->now = BEGIN + 1000 * DAY;
	ck_assert_int_eq(setup_load_document(s), DOCUMENT_EXPIRED);
	ck_assert_uint_eq(run(1000, TOOL_OK), 2);
	ck_assert_int_eq(setup_load_document(s), DOCUMENT_GOOD);
	ck_assert_uint_eq(s->trust.doc.seq, 2);
	ck_assert_uint_eq(s->trust.doc.keys.count, 1);
}
END_TEST

/* Without the root key nothing is changed, above all not the signing key. */
START_TEST(root_away)
{
	char here[PATH_MAX + 64], away[PATH_MAX + 64];
	uint8_t sign[32], document[32], now[32];

	(void)snprintf(here, sizeof(here), "%s/%s", s->offline, SETUP_ROOT_KEY);
	(void)snprintf(away, sizeof(away), "%s/away.pem", s->keys);
	ck_assert_int_eq(rename(here, away), 0);
	print_of(s->keys, SETUP_SIGN_KEY, sign);
	print_of(s->keys, SETUP_DOCUMENT, document);
	ck_assert_uint_eq(run(30, TOOL_OK), 0);
	ck_assert_uint_eq(run(70, TOOL_FAILED), 0);
	print_of(s->keys, SETUP_SIGN_KEY, now);
	ck_assert_mem_eq(sign, now, 32);
	print_of(s->keys, SETUP_DOCUMENT, now);
	ck_assert_mem_eq(document, now, 32);
	ck_assert_int_eq(rename(away, here), 0);
	ck_assert_uint_eq(run(70, TOOL_OK), 2);
}
END_TEST

/* Another domain's document is not overwritten. */
START_TEST(foreign)
{
	(void)snprintf(s->domain, sizeof(s->domain), "im.beta.test");
	ck_assert_uint_eq(run(0, TOOL_FAILED), 0);
}
END_TEST

START_TEST(modes)
{
	struct stat st;
	char path[PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", s->keys, SETUP_SIGN_KEY);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(s->offline, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("setup");
	TCase *tc = tcase_create("setup");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, renewal);
	tcase_add_test(tc, expired);
	tcase_add_test(tc, root_away);
	tcase_add_test(tc, foreign);
	tcase_add_test(tc, modes);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
