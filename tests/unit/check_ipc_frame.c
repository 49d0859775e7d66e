/* SPDX-License-Identifier: ISC */
/*
 * check_ipc_frame.c - tests of ipc/frame over socketpairs.
 *
 * What must hold: messages arrive whole and in order whatever way the stream is cut; a
 * descriptor reaches exactly the message that owns it, also when its header is split, and is
 * never leaked; every breach of the framing is noticed; output is accounted and bounded.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "ipc/frame.h"

#define FD_BIT 0x80000000U

struct header {
	uint32_t length;
	uint16_t type, flags;
	uint64_t id;
};

static struct frame *left, *right;
static int pair[2];

static void
setup(void)
{
	ck_assert_int_eq(fd_pair(pair, 0), 0);
	left = frame_new(pair[0], &frame_default_limits);
	right = frame_new(pair[1], &frame_default_limits);
}

static void
teardown(void)
{
	frame_free(left);
	frame_free(right);
	left = right = NULL;
}

/* A descriptor that can be told from others by its inode. */
static int
some_file(ino_t *inode)
{
	FILE *f = tmpfile();
	struct stat st;
	int fd;

	ck_assert_ptr_nonnull(f);
	fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 10);
	ck_assert_int_ge(fd, 10);
	ck_assert_int_eq(fstat(fd, &st), 0);
	*inode = st.st_ino;
	(void)fclose(f);
	return fd;
}

static ino_t
inode_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

static size_t
open_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Sends raw bytes with any number of descriptors. */
static void
send_raw(const void *p, size_t n, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = xmemdup(p, n), .iov_len = n};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.bytes;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(pair[0], &mh, 0), (ssize_t)n);
	free(iov.iov_base);
}

static void
send_header(uint32_t length, uint16_t type, const int *fds, size_t nfds)
{
	struct header h = {.length = length, .type = type};

	send_raw(&h, sizeof(h), fds, nfds);
}

/* The next message, reading as often as is necessary. */
static enum frame_status
receive(struct frame *f, struct frame_msg *msg)
{
	enum frame_status s;

	while ((s = frame_next(f, msg)) == FRAME_AGAIN)
		if ((s = frame_read(f)) != FRAME_OK)
			return s;
	return s;
}

static void
queue(struct frame *f, uint16_t type, size_t n, int fd)
{
	uint8_t *p = xmalloc(n + 1);

	memset(p, type & 0xff, n + 1);
	ck_assert_int_eq(frame_queue(f, type, 7, type * 3u, span_of(p, n), fd), 0);
	free(p);
}

static void
expect(struct frame *f, uint16_t type, size_t n, struct frame_msg *msg)
{
	ck_assert_int_eq(receive(f, msg), FRAME_OK);
	ck_assert_uint_eq(msg->type, type);
	ck_assert_uint_eq(msg->flags, 7);
	ck_assert_uint_eq(msg->id, type * 3u);
	ck_assert_uint_eq(msg->payload.n, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(msg->payload.p[i], type & 0xff);
}

START_TEST(test_order_and_sizes)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 16384, 60000, 5};
	struct frame_msg msg;

	for (uint16_t i = 0; i < 9; i++)
		queue(left, i, sizes[i], -1);
	ck_assert_uint_eq(frame_out_messages(left), 9);
	ck_assert_int_eq(frame_write(left), FRAME_OK);
	ck_assert_uint_eq(frame_out_bytes(left), 0);
	ck_assert_uint_eq(frame_out_messages(left), 0);
	for (uint16_t i = 0; i < 9; i++)
		expect(right, i, sizes[i], &msg);
	ck_assert_int_eq(receive(right, &msg), FRAME_AGAIN);
}
END_TEST

START_TEST(test_byte_by_byte)
{
	struct header h = {.length = 20, .type = 3, .flags = 7, .id = 9};
	uint8_t bytes[20];
	struct frame_msg msg;

	memcpy(bytes, &h, sizeof(h));
	memset(bytes + 16, 3, 4);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ck_assert_int_eq(receive(right, &msg), FRAME_AGAIN);
		send_raw(bytes + i, 1, NULL, 0);
	}
	expect(right, 3, 4, &msg);
}
END_TEST

/* style: all fifteen inner positions lost the descriptor in the library we learnt from. The
 * window is cut by sending part of the header first, with the descriptor at its first byte. */
START_TEST(test_split_header_keeps_descriptor)
{
	struct header h = {.length = 18 | FD_BIT, .type = 5, .flags = 7, .id = 15};
	size_t before = open_descriptors(), cut = (size_t)_i;
	uint8_t bytes[18];
	struct frame_msg msg;
	ino_t inode;
	int fd = some_file(&inode);

	memcpy(bytes, &h, sizeof(h));
	memset(bytes + 16, 5, 2);
	send_raw(bytes, cut, &fd, 1);
	ck_assert_int_eq(receive(right, &msg), FRAME_AGAIN);
	/* Right behind it another one: its descriptor must not overtake. */
	send_raw(bytes + cut, sizeof(bytes) - cut, NULL, 0);
	send_raw(bytes, sizeof(bytes), &fd, 1);
	(void)close(fd);
	for (int i = 0; i < 2; i++) {
		expect(right, 5, 2, &msg);
		ck_assert(!msg.fd_lost);
		ck_assert_uint_eq(inode_of(msg.fd), inode);
	}
	ck_assert_int_eq(receive(right, &msg), FRAME_AGAIN);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

/* The same with the header split by the end of the read window instead of by the sender. */
START_TEST(test_window_splits_header)
{
	struct frame_msg msg;
	ino_t inode[2];
	size_t big = FRAME_READ_WINDOW - 2 * FRAME_HEADER - (size_t)_i;
	enum frame_status s = FRAME_AGAIN;

	queue(left, 1, big, -1);
	queue(left, 2, 3, some_file(&inode[0]));
	queue(left, 3, 3, some_file(&inode[1]));
	/* The pair's buffers may be smaller than the window: write and read in turns. */
	while (s == FRAME_AGAIN) {
		s = frame_write(left);
		if (frame_next(right, &msg) == FRAME_OK)
			break;
		if (s == FRAME_AGAIN)
			(void)frame_read(right);
	}
	ck_assert_int_eq(s, FRAME_OK);
	expect(right, 1, big, &msg);
	for (uint16_t i = 0; i < 2; i++) {
		expect(right, (uint16_t)(2 + i), 3, &msg);
		ck_assert_uint_eq(inode_of(msg.fd), inode[i]);
	}
}
END_TEST

START_TEST(test_many_descriptors)
{
	struct frame_msg msg;
	size_t before = open_descriptors();
	ino_t inode[20];
	int fd;

	for (uint16_t i = 0; i < 20; i++) {
		queue(left, i, i * 100u, i % 3 == 0 ? -1 : some_file(&inode[i]));
	}
	ck_assert_int_eq(frame_write(left), FRAME_OK);
	for (uint16_t i = 0; i < 20; i++) {
		expect(right, i, i * 100u, &msg);
		if (i % 3 == 0) {
			ck_assert_int_eq(msg.fd, -1);
			continue;
		}
		ck_assert_uint_eq(inode_of(msg.fd), inode[i]);
		ck_assert(fcntl(msg.fd, F_GETFD) & FD_CLOEXEC);
		if (i % 2 == 0) {
			fd = frame_take_fd(right);
			ck_assert_int_eq(fd, msg.fd);
			ck_assert_int_eq(frame_take_fd(right), -1);
			(void)close(fd);
		}
	}
	ck_assert_int_eq(receive(right, &msg), FRAME_AGAIN);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(test_out_of_descriptors)
{
	struct frame_msg msg;
	struct rlimit old, none;
	ino_t inode;
	int fd;

	queue(left, 1, 4, some_file(&inode));
	queue(left, 2, 4, some_file(&inode));
	ck_assert_int_eq(frame_write(left), FRAME_OK);
	fd = dup(0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)fd;
	(void)close(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	expect(right, 1, 4, &msg);
	ck_assert(msg.fd_lost);
	ck_assert_int_eq(msg.fd, -1);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	expect(right, 2, 4, &msg);
	ck_assert(!msg.fd_lost);
	ck_assert_uint_eq(inode_of(msg.fd), inode);
}
END_TEST

START_TEST(test_bad_lengths)
{
	static const uint32_t lengths[] = {0, 1, 15, FRAME_DEFAULT_MAX + 1, 0x7fffffff};
	struct frame_msg msg;

	send_header(lengths[_i], 1, NULL, 0);
	ck_assert_int_eq(receive(right, &msg), FRAME_ERROR);
	ck_assert_int_eq(frame_next(right, &msg), FRAME_ERROR);
	ck_assert_int_eq(frame_read(right), FRAME_ERROR);
	ck_assert_str_eq(frame_error(right), "message length out of bounds");
}
END_TEST

START_TEST(test_claim_without_descriptor)
{
	struct frame_msg msg;

	send_header(16 | FD_BIT, 1, NULL, 0);
	ck_assert_int_eq(receive(right, &msg), FRAME_ERROR);
	ck_assert_str_eq(frame_error(right), "message without its descriptor");
}
END_TEST

START_TEST(test_stray_descriptors)
{
	size_t before = open_descriptors();
	int fds[3] = {0, 1, 2};
	struct frame_msg msg;

	switch (_i) {
	case 0: /* with a message that does not claim it */
		send_header(16, 1, fds, 1);
		ck_assert_int_eq(receive(right, &msg), FRAME_OK);
		break;
	case 1: /* two, three */
	case 2:
		send_header(16 | FD_BIT, 1, fds, (size_t)_i + 1);
		break;
	case 3: /* inside a payload */
		send_header(32, 1, NULL, 0);
		send_raw("abcd", 4, fds, 1);
		break;
	case 4: /* a second one inside the header of the first */
		send_raw("\020\0", 2, fds, 1);
		ck_assert_int_eq(receive(right, &msg), FRAME_AGAIN);
		send_raw("\0\200", 2, fds, 1);
		break;
	default: /* a second one before the first payload is complete, then claimed by none */
		send_header(20 | FD_BIT, 1, fds, 1);
		ck_assert_int_eq(receive(right, &msg), FRAME_AGAIN);
		send_raw("ab", 2, fds, 1);
	}
	ck_assert_int_eq(receive(right, &msg), FRAME_ERROR);
	frame_free(right);
	right = NULL;
	ck_assert_uint_eq(open_descriptors(), before - 1);
}
END_TEST

START_TEST(test_descriptors_not_allowed)
{
	struct frame_limits limits = frame_default_limits;
	struct frame_msg msg;
	int fd = 0;

	limits.descriptors = false;
	frame_free(right);
	frame_free(left);
	ck_assert_int_eq(fd_pair(pair, 0), 0);
	left = frame_new(pair[0], &limits);
	right = frame_new(pair[1], &limits);
	send_header(16 | FD_BIT, 1, &fd, 1);
	ck_assert_int_eq(receive(right, &msg), FRAME_ERROR);
	ck_assert_str_eq(frame_error(right), "descriptors are not accepted here");
}
END_TEST

START_TEST(test_end_of_file)
{
	struct header h = {.length = 20, .type = 1};
	uint8_t bytes[20] = {0};
	struct frame_msg msg;

	memcpy(bytes, &h, sizeof(h));
	if (_i > 0)
		send_raw(bytes, (size_t)_i, NULL, 0);
	frame_free(left);
	left = NULL;
	ck_assert_int_eq(receive(right, &msg), _i == 0 ? FRAME_CLOSED : FRAME_TORN);
	queue(right, 1, 1, -1);
	ck_assert_int_eq(frame_write(right), FRAME_CLOSED);
}
END_TEST

START_TEST(test_whole_messages_before_end)
{
	struct frame_msg msg;

	queue(left, 1, 10, -1);
	queue(left, 2, 10, -1);
	ck_assert_int_eq(frame_write(left), FRAME_OK);
	frame_free(left);
	left = NULL;
	expect(right, 1, 10, &msg);
	expect(right, 2, 10, &msg);
	ck_assert_int_eq(receive(right, &msg), FRAME_CLOSED);
}
END_TEST

/* Much more than the socket takes: partial writes, marks, and everything arrives. */
START_TEST(test_partial_writes_and_marks)
{
	const uint16_t count = 60;
	struct frame_msg msg;
	uint16_t got = 0;
	ino_t inode;

	for (uint16_t i = 0; i < count; i++) {
		bool high = frame_out_bytes(left) > FRAME_DEFAULT_HIGH;

		ck_assert(frame_over_high(left) == high);
		queue(left, i, 50000u + i, i % 7 == 0 ? some_file(&inode) : -1);
	}
	ck_assert(frame_over_high(left));
	ck_assert_int_eq(frame_write(left), FRAME_AGAIN);
	while (got < count) {
		expect(right, got, 50000u + got, &msg);
		ck_assert((msg.fd != -1) == (got % 7 == 0));
		got++;
		(void)frame_write(left);
		if (frame_out_bytes(left) <= FRAME_DEFAULT_LOW)
			ck_assert(!frame_over_high(left));
		else
			ck_assert(frame_over_high(left));
	}
	ck_assert_uint_eq(frame_out_bytes(left), 0);
}
END_TEST

START_TEST(test_cap_and_size)
{
	struct frame_limits limits = {.max = 1000, .high = 2000, .low = 500, .cap = 3000};
	size_t before;
	uint8_t bytes[1000] = {0};
	ino_t inode;

	teardown();
	ck_assert_int_eq(fd_pair(pair, 0), 0);
	left = frame_new(pair[0], &limits);
	right = frame_new(pair[1], &limits);
	before = open_descriptors();
	ck_assert_int_eq(
	    frame_queue(left, 1, 0, 0, span_of(bytes, 985), some_file(&inode)), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(frame_queue(left, 1, 0, 0, span_of(bytes, 984), -1), 0);
	ck_assert_int_eq(
	    frame_queue(left, 1, 0, 0, span_of(bytes, 0), some_file(&inode)), -1);
	ck_assert_int_eq(errno, ENOBUFS);
	ck_assert_uint_eq(frame_out_bytes(left), 3000);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(test_unsent_descriptor_is_closed)
{
	size_t before = open_descriptors();
	ino_t inode;

	queue(left, 1, 1, some_file(&inode));
	ck_assert_uint_eq(open_descriptors(), before + 1);
	frame_free(left);
	left = NULL;
	ck_assert_uint_eq(open_descriptors(), before - 1);
}
END_TEST

static bool
type_two_is_secret(uint16_t type)
{
	return type == 2;
}

START_TEST(test_secrets_are_wiped)
{
	struct frame_limits limits = frame_default_limits;
	static const uint8_t zeros[40];
	struct frame_msg msg;
	const uint8_t *p;

	limits.secret = type_two_is_secret;
	teardown();
	ck_assert_int_eq(fd_pair(pair, 0), 0);
	left = frame_new(pair[0], &limits);
	right = frame_new(pair[1], &limits);
	queue(left, 2, 40, -1);
	queue(left, 1, 40, -1);
	ck_assert_int_eq(frame_write(left), FRAME_OK);
	expect(right, 2, 40, &msg);
	p = msg.payload.p;
	expect(right, 1, 40, &msg);
	ck_assert_mem_eq(p, zeros, 40);
	p = msg.payload.p;
	ck_assert_int_eq(receive(right, &msg), FRAME_AGAIN);
	ck_assert_uint_eq(p[0], 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ipc_frame");
	TCase *c = tcase_create("frame");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_order_and_sizes);
	tcase_add_test(c, test_byte_by_byte);
	tcase_add_loop_test(c, test_split_header_keeps_descriptor, 1, 18);
	tcase_add_loop_test(c, test_window_splits_header, 0, 17);
	tcase_add_test(c, test_many_descriptors);
	tcase_add_test(c, test_out_of_descriptors);
	tcase_add_loop_test(c, test_bad_lengths, 0, 5);
	tcase_add_test(c, test_claim_without_descriptor);
	tcase_add_loop_test(c, test_stray_descriptors, 0, 6);
	tcase_add_test(c, test_descriptors_not_allowed);
	tcase_add_loop_test(c, test_end_of_file, 0, 20);
	tcase_add_test(c, test_whole_messages_before_end);
	tcase_add_test(c, test_partial_writes_and_marks);
	tcase_add_test(c, test_cap_and_size);
	tcase_add_test(c, test_unsent_descriptor_is_closed);
	tcase_add_test(c, test_secrets_are_wiped);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
