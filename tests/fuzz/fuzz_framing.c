/* SPDX-License-Identifier: ISC */
/*
 * fuzz_framing.c - fuzz target: both ends of a channel between processes.
 *
 * Every input is used twice. First it is what a process gone wrong may write to its end: after
 * one byte of options, pieces of a byte that says how long the next one is (low six bits) and
 * whether a descriptor comes with it (top bit) or two (the bit below as well). What must hold:
 * every message lies within the limits, no descriptor is leaked, an error stays an error.
 * Then it is a script for two ends of ours: messages of all sizes, with descriptors and
 * secrets, sent and read in any rhythm. What must hold: what went in comes out, in order;
 * bytes and messages are counted; the limits refuse what they are there for.
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz/fuzz.h"
#include "ipc/frame.h"

#define OPTION_NO_FDS 0x01
#define OPTION_READER_FIRST 0x02
#define PIECE_FD 0x80
#define PIECE_TWO 0x40
#define PIECE_MASK 0x3f
#define LIMIT 4096

#define STEP_SIZE 24 /* bytes of payload for each unit of a step's length */
#define STEP_MAX (PIECE_MASK * STEP_SIZE)
#define SCRIPT_MAX 1024 /* messages of one script */

static bool
odd_is_secret(uint16_t type)
{
	return (type & 1) != 0;
}

static struct frame_limits
limits(void)
{
	struct frame_limits l = frame_default_limits;

	l.max = LIMIT;
	l.secret = odd_is_secret;
	return l;
}

/* --- any bytes ---------------------------------------------------------------------------- */

static void
send_piece(int sock, const uint8_t *p, size_t n, size_t fds)
{
	static const int both[2] = {0, 0};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(both))];
	} control = {.bytes = {0}};
	uint8_t copy[PIECE_MASK + 1];
	struct iovec iov = {.iov_base = copy, .iov_len = n};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	memcpy(copy, p, n);
	if (fds > 0) {
		mh.msg_control = control.bytes;
		mh.msg_controllen = CMSG_SPACE(fds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fds * sizeof(int));
		memcpy(CMSG_DATA(c), both, fds * sizeof(int));
	}
	(void)sendmsg(sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
check_broken(struct frame *f)
{
	struct frame_msg msg;

	fuzz_check(frame_next(f, &msg) == FRAME_ERROR);
	fuzz_check(frame_read(f) == FRAME_ERROR);
	fuzz_check(frame_write(f) == FRAME_ERROR);
	fuzz_check(strcmp(frame_error(f), "no error") != 0);
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
		if (status == FRAME_ERROR)
			check_broken(f);
		if (status != FRAME_OK)
			return;
		fd = frame_take_fd(f);
		if (fd != -1)
			(void)close(fd);
	}
}

static void
any_bytes(const uint8_t *p, size_t n)
{
	struct frame_limits l = limits();
	struct frame *f;
	size_t piece, fds;
	int pair[2];

	fuzz_check(fd_pair(pair, 0) == 0);
	l.descriptors = (p[0] & OPTION_NO_FDS) == 0;
	f = frame_new(pair[1], &l);
	for (p++; n > 2; p += 1 + piece, n -= 1 + piece) {
		piece = p[0] & PIECE_MASK;
		piece = piece > n - 2 ? n - 2 : piece;
		fds = (p[0] & PIECE_FD) == 0 ? 0 : (p[0] & PIECE_TWO) == 0 ? 1 : 2;
		if (piece > 0)
			send_piece(pair[0], p + 1, piece, fds);
		if (p[piece] & 1)
			drain(f);
	}
	(void)close(pair[0]);
	drain(f);
	frame_free(f);
}

/* --- a script ----------------------------------------------------------------------------- */

/* What was queued and has not come out yet. */
struct script {
	struct frame *from, *to;
	struct {
		uint8_t byte;
		bool fd;
		uint16_t n;
	} sent[SCRIPT_MAX];
	size_t in, out;
};

/* Queues one message and foretells whether it is taken. */
static void
queue(struct script *s, const struct frame_limits *l, uint8_t byte, size_t n, bool fd)
{
	static uint8_t payload[STEP_MAX];
	size_t before = frame_out_bytes(s->from), need = n + FRAME_HEADER;
	bool fits = need <= l->max && before + need <= l->cap;
	int rc;

	memset(payload, byte, n);
	rc = frame_queue(
	    s->from, byte, s->in & 0xffff, s->in, span_of(payload, n), fd ? dup(0) : -1);
	fuzz_check((rc == 0) == fits);
	if (rc != 0) {
		fuzz_check(errno == (before + need > l->cap ? ENOBUFS : EMSGSIZE));
		return;
	}
	fuzz_check(frame_out_bytes(s->from) == before + need);
	fuzz_check(frame_out_messages(s->from) > 0);
	fuzz_check(frame_over_high(s->from) || before + need <= l->high);
	s->sent[s->in].byte = byte;
	s->sent[s->in].fd = fd;
	s->sent[s->in++].n = (uint16_t)n;
}

static void
check_message(struct script *s, const struct frame_msg *msg)
{
	fuzz_check(s->out < s->in && msg->id == s->out);
	fuzz_check(msg->flags == (s->out & 0xffff) && !msg->fd_lost);
	fuzz_check(msg->type == s->sent[s->out].byte);
	fuzz_check(msg->payload.n == s->sent[s->out].n);
	fuzz_check((msg->fd != -1) == s->sent[s->out].fd);
	for (size_t i = 0; i < msg->payload.n; i++)
		fuzz_check(msg->payload.p[i] == s->sent[s->out].byte);
	s->out++;
}

/* Reads until the socket is empty; every other descriptor is left to the frame. */
static enum frame_status
receive(struct script *s)
{
	enum frame_status status = FRAME_OK;
	struct frame_msg msg;
	int fd;

	while (status == FRAME_OK) {
		status = frame_next(s->to, &msg);
		if (status == FRAME_AGAIN) {
			status = frame_read(s->to);
			continue;
		}
		fuzz_check(status == FRAME_OK);
		check_message(s, &msg);
		if (msg.fd != -1 && (msg.id & 1) != 0) {
			fuzz_check((fd = frame_take_fd(s->to)) == msg.fd);
			(void)close(fd);
		}
	}
	return status;
}

static void
flush(struct script *s)
{
	enum frame_status status;

	while ((status = frame_write(s->from)) == FRAME_AGAIN)
		fuzz_check(receive(s) == FRAME_AGAIN);
	fuzz_check(status == FRAME_OK && frame_out_bytes(s->from) == 0);
	fuzz_check(frame_out_messages(s->from) == 0 && !frame_over_high(s->from));
}

/* The end: one side goes, and what was on its way is there or given up. */
static void
finish(struct script *s, bool reader_first)
{
	if (reader_first) {
		frame_free(s->to);
		if (frame_out_bytes(s->from) > 0)
			fuzz_check(frame_write(s->from) == FRAME_CLOSED);
		frame_free(s->from);
		return;
	}
	flush(s);
	frame_free(s->from);
	fuzz_check(receive(s) == FRAME_CLOSED && s->out == s->in);
	frame_free(s->to);
}

static void
script(const uint8_t *p, size_t n)
{
	static struct script s;
	static const int small = 1; /* the least that the kernel has */
	struct frame_limits l = limits();
	int pair[2];

	l.max = 1024;
	l.high = 8192;
	l.low = 2048;
	l.cap = 65536;
	s.in = s.out = 0;
	fuzz_check(fd_pair(pair, 0) == 0);
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	s.from = frame_new(pair[0], &l);
	s.to = frame_new(pair[1], &l);
	fuzz_check(frame_fd(s.from) == pair[0]);
	for (size_t i = 1; i < n && s.in < SCRIPT_MAX; i++) {
		size_t size = (p[i] & PIECE_MASK) * (size_t)STEP_SIZE;

		queue(&s, &l, p[i], size, (p[i] & PIECE_FD) != 0);
		if ((p[i] & PIECE_TWO) == 0)
			continue;
		if ((p[i] & 1) != 0)
			fuzz_check(frame_write(s.from) != FRAME_ERROR);
		else
			flush(&s);
		if ((p[i] & 2) != 0)
			fuzz_check(receive(&s) == FRAME_AGAIN);
	}
	finish(&s, (p[0] & OPTION_READER_FIRST) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int lowest, after;

	if (n == 0)
		return 0;
	lowest = dup(0);
	(void)close(lowest);
	any_bytes(p, n);
	script(p, n);
	/* Whatever came in has been closed again. */
	after = dup(0);
	fuzz_check(after == lowest);
	(void)close(after);
	return 0;
}
