/* SPDX-License-Identifier: ISC */
/*
 * check_base_fd.c - tests of base/fd.
 *
 * What must hold: flags are set and taken back; a pair is non-blocking, closed on exec and
 * knows its peer; closing spares exactly what is listed; a file is read whole or not at all,
 * and replaced whole or not at all.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

START_TEST(test_flags_and_pair)
{
	int pair[2];
	uid_t uid;
	gid_t gid;
	pid_t pid;

	ck_assert_int_eq(fd_pair(pair, 1 << 16), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert(fcntl(pair[i], F_GETFL) & O_NONBLOCK);
		ck_assert(fcntl(pair[i], F_GETFD) & FD_CLOEXEC);
	}
	ck_assert_int_eq(fd_cloexec(pair[0], false), 0);
	ck_assert(!(fcntl(pair[0], F_GETFD) & FD_CLOEXEC));
	ck_assert_int_eq(fd_cloexec(pair[0], true), 0);
	ck_assert(fcntl(pair[0], F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(fd_peer(pair[0], &uid, &gid, &pid), 0);
	ck_assert(uid == geteuid() && gid == getegid() && pid == getpid());
	(void)close(pair[0]);
	(void)close(pair[1]);
	ck_assert_int_eq(fd_nonblock(pair[0]), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(fd_peer(pair[0], NULL, NULL, NULL), -1);
}
END_TEST

START_TEST(test_close_from)
{
	static const int keep[] = {57, 50, 52, 3};

	for (int fd = 50; fd < 60; fd++)
		ck_assert_int_eq(dup2(0, fd), fd);
	ck_assert_int_eq(fd_close_from(51, keep, 4), 0);
	for (int fd = 50; fd < 60; fd++)
		ck_assert_int_eq(is_open(fd), fd == 50 || fd == 52 || fd == 57);
	ck_assert_int_eq(fd_close_from(50, NULL, 0), 0);
	ck_assert(!is_open(50) && !is_open(57));
}
END_TEST

START_TEST(test_sane_stdio)
{
	(void)close(0);
	(void)close(1);
	ck_assert_int_eq(fd_sane_stdio(), 0);
	ck_assert(is_open(0) && is_open(1) && is_open(2));
}
END_TEST

START_TEST(test_replace_and_read)
{
	char dir[] = "fd-test-XXXXXX";
	unsigned char *data;
	struct stat st;
	size_t n;
	int d, fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	d = open(dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(d, 0);
	(void)umask(077);
	ck_assert_int_eq(fd_replace(d, "a", "first version", 13, 0644), 0);
	/* One left over from a crash is no hindrance. */
	ck_assert_int_eq(symlinkat("/nonexistent", d, ".a.new"), 0);
	ck_assert_int_eq(fd_replace(d, "a", "second", 6, 0640), 0);
	fd = openat(d, "a", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	ck_assert_int_eq(fd_read_all(fd, 6, &data, &n), 0);
	ck_assert_uint_eq(n, 6);
	ck_assert_str_eq((char *)data, "second");
	free(data);
	ck_assert_int_eq(fd_read_all(fd, 5, &data, &n), -1);
	ck_assert_int_eq(errno, EFBIG);
	(void)close(fd);
	ck_assert_int_eq(faccessat(d, ".a.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	ck_assert_int_eq(fd_replace(d, "no/a", "x", 1, 0600), -1);
	ck_assert_int_eq(unlinkat(d, "a", 0), 0);
	(void)close(d);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(test_read_unsized)
{
	unsigned char *data;
	size_t n;
	int fd = open("/proc/self/status", O_RDONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_read_all(fd, 65536, &data, &n), 0);
	ck_assert_uint_gt(n, 100);
	free(data);
	ck_assert_int_eq(fd_read_all(fd, 20, &data, &n), -1);
	ck_assert_int_eq(errno, EFBIG);
	(void)close(fd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base fd");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, test_flags_and_pair);
	tcase_add_test(t, test_close_from);
	tcase_add_test(t, test_sane_stdio);
	tcase_add_test(t, test_replace_and_read);
	tcase_add_test(t, test_read_unsized);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
