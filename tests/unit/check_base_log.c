/* SPDX-License-Identifier: ISC */
/*
 * check_base_log.c - tests of base/log.
 *
 * What must hold: a line has the form of emsg-log(5); nothing that comes from outside can
 * end a line, forge a key or reach a terminal as a control code; a line has its limit; the
 * level filters; fatal exits with 1 and panic aborts, both with a last line.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static char last[2048];
static int lines;

static void
sink(const char *line)
{
	(void)snprintf(last, sizeof(last), "%s", line);
	lines++;
}

static void
setup(void)
{
	clock_fake(0, UINT64_C(1795417200123));
	log_init("queue", LOG_LEVEL_INFO);
	log_capture(sink);
	lines = 0;
}

START_TEST(test_form)
{
	errno = EPERM;
	log_info("msg.accept", "qid=%s size=%d", "1jq8z0c4h7k2m", 812);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_str_eq(last,
	    "2026-11-23T07:00:00.123Z info queue ev=msg.accept "
	    "qid=1jq8z0c4h7k2m size=812");
	log_warn("a.b", "x=%d", 1);
	ck_assert_str_eq(last, "2026-11-23T07:00:00.123Z warning queue ev=a.b x=1");
}
END_TEST

START_TEST(test_levels)
{
	enum log_level level;

	log_debug("a.b", "x=1");
	ck_assert_int_eq(lines, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("a.b", "x=1");
	ck_assert_int_eq(lines, 1);
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("a.b", "x=1");
	log_error("a.b", "x=1");
	ck_assert_int_eq(lines, 2);
	ck_assert(log_level_parse("warning", &level) && level == LOG_LEVEL_WARN);
	ck_assert(!log_level_parse("warn", &level));
	ck_assert_str_eq(log_level_name(LOG_LEVEL_DEBUG), "debug");
}
END_TEST

START_TEST(test_safe)
{
	log_info("a.b", "x=%s", "1\n2\x1b[0m\x7f\xff\xc2\x9b\xe4\xbd\xa0");
	ck_assert_ptr_nonnull(
	    strstr(last, "x=1\\x0a2\\x1b[0m\\x7f\\xff\\xc2\\x9b\xe4\xbd\xa0"));
}
END_TEST

START_TEST(test_text)
{
	char big[400];

	ck_assert_str_eq(log_str("alice#im.alpha.test"), "alice#im.alpha.test");
	ck_assert_str_eq(log_str("a b=\"c\\"), "\"a b=\\\"c\\\\\"");
	ck_assert_str_eq(log_str(""), "\"\"");
	ck_assert_str_eq(log_str(NULL), "\"\"");
	ck_assert_str_eq(log_text(span_of("a\0b", 3)), "a\\x00b");
	memset(big, 'a', sizeof(big));
	ck_assert_uint_eq(strlen(log_text(span_of(big, sizeof(big)))), 200);
	memset(big, '"', sizeof(big));
	ck_assert_uint_eq(strlen(log_text(span_of(big, sizeof(big)))), 202);
	memset(big, 1, sizeof(big));
	ck_assert_uint_eq(strlen(log_text(span_of(big, sizeof(big)))), 200);
	ck_assert_str_eq(log_hex(span_of("\x01\xff", 2)), "01ff");
	ck_assert_uint_eq(strlen(log_hex(span_of(big, 99))), 32);
}
END_TEST

START_TEST(test_account)
{
	struct span alice = span_str("alice#im.alpha.test");

	ck_assert_str_eq(log_account(alice), "alice#im.alpha.test");
	log_hide_locals(true);
	ck_assert_str_eq(log_account(alice), "#im.alpha.test");
	ck_assert_str_eq(log_account(span_str("im.alpha.test")), "im.alpha.test");
	ck_assert_str_eq(log_account(span_of(NULL, 0)), log_text(span_of(NULL, 0)));
	log_hide_locals(false);
	ck_assert_str_eq(log_account(alice), "alice#im.alpha.test");
}
END_TEST

START_TEST(test_ring)
{
	const char *first = log_str("first");

	for (int i = 0; i < 7; i++)
		(void)log_str("other");
	ck_assert_str_eq(first, "first");
}
END_TEST

START_TEST(test_long_line)
{
	char big[3000];

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info("a.b", "x=%s", big);
	ck_assert_uint_eq(strlen(last), 1023);
	memset(big, 2, sizeof(big) - 1);
	log_info("a.b", "x=%s", big);
	ck_assert_uint_le(strlen(last), 1023);
}
END_TEST

/* Runs f in a child with standard error on a pipe; returns its wait status. */
static int
run(void (*f)(void), const char *journal, char *out, size_t size)
{
	int p[2], status;
	struct stat st;
	char text[64];
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(fstat(p[1], &st), 0);
	(void)snprintf(
	    text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	(void)setenv("JOURNAL_STREAM", journal == NULL ? text : journal, 1);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)dup2(p[1], 2);
		log_capture(NULL);
		log_init("queue", LOG_LEVEL_INFO);
		f();
		_exit(0);
	}
	(void)close(p[1]);
	n = read(p[0], out, size - 1);
	ck_assert_int_ge(n, 0);
	out[n] = '\0';
	(void)close(p[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void
die_fatal(void)
{
	errno = ENOSPC;
	fatal_errno("write %s", "spool");
}

static void
die_panic(void)
{
	panic("live references");
}

static void
say_one(void)
{
	log_error("a.b", "x=1");
}

START_TEST(test_ends)
{
	char out[1024];
	int status = run(die_fatal, "0:0", out, sizeof(out));

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	ck_assert_str_eq(out,
	    "2026-11-23T07:00:00.123Z error queue ev=process.fatal "
	    "text=\"write spool: No space left on device\"\n");
	status = run(die_panic, "0:0", out, sizeof(out));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	ck_assert_ptr_nonnull(strstr(out, "ev=process.panic text=\"live references\"\n"));
}
END_TEST

START_TEST(test_journal)
{
	char out[1024];

	ck_assert_int_eq(run(say_one, NULL, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "<3>error queue ev=a.b x=1\n");
	ck_assert_int_eq(run(say_one, "junk", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "2026-11-23T07:00:00.123Z error queue ev=a.b x=1\n");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base log");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_form);
	tcase_add_test(t, test_levels);
	tcase_add_test(t, test_safe);
	tcase_add_test(t, test_text);
	tcase_add_test(t, test_account);
	tcase_add_test(t, test_ring);
	tcase_add_test(t, test_long_line);
	tcase_add_test(t, test_ends);
	tcase_add_test(t, test_journal);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
