/* SPDX-License-Identifier: ISC */
/*
 * fuzz_framing.c - fuzz target: what a process may write to its end of a channel.
 *
 * The input is written to a socketpair in pieces: a byte that says how long the next piece is
 * (low six bits) and whether a descriptor comes with it (top bit). What must hold: every
 * message lies within the limits, no descriptor is leaked, an error stays an error.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz/fuzz.h"
#include "ipc/frame.h"

#define PIECE_FD 0x80
#define PIECE_MASK 0x3f
#define LIMIT 4096

static void
send_piece(int sock, const uint8_t *p, size_t n, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	uint8_t copy[PIECE_MASK + 1];
	struct iovec iov = {.iov_base = copy, .iov_len = n};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	memcpy(copy, p, n);
	if (fd != -1) {
		mh.msg_control = control.bytes;
		mh.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	(void)sendmsg(sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Reads all that is there. */
static void
drain(struct frame *f)
{
	enum frame_status status;
	struct frame_msg msg;
	int fd;

	for (;;) {
		status = frame_next(f, &msg);
		if (status == FRAME_AGAIN)
			status = frame_read(f);
		else if (status == FRAME_OK)
			fuzz_check(msg.payload.n <= LIMIT - FRAME_HEADER);
		if (status == FRAME_ERROR) {
			fuzz_check(frame_next(f, &msg) == FRAME_ERROR);
			return;
		}
		if (status != FRAME_OK)
			return;
		fd = frame_take_fd(f);
		if (fd != -1)
			(void)close(fd);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct frame_limits limits = frame_default_limits;
	int pair[2], lowest = dup(0);
	struct frame *f;
	size_t piece;

	(void)close(lowest);
	fuzz_check(fd_pair(pair, 0) == 0);
	limits.max = LIMIT;
	f = frame_new(pair[1], &limits);
	while (n > 1) {
		piece = p[0] & PIECE_MASK;
		piece = piece > n - 1 ? n - 1 : piece;
		if (piece > 0)
			send_piece(
			    pair[0], p + 1, piece, (p[0] & PIECE_FD) != 0 ? 0 : -1);
		p += 1 + piece;
		n -= 1 + piece;
		if (p[-1] & 1)
			drain(f);
	}
	(void)close(pair[0]);
	drain(f);
	frame_free(f);
	/* Whatever came in has been closed again. */
	piece = (size_t)dup(0);
	fuzz_check(piece == (size_t)lowest);
	(void)close((int)piece);
	return 0;
}
