/* SPDX-License-Identifier: ISC */
/*
 * frame.c - imsg-style framing on a non-blocking AF_UNIX stream socket.
 *
 * A frame owns its socket, one input buffer, a chain of output blocks and the descriptors that
 * are on their way. channel.c puts it on the event loop; control and the tests use it directly.
 *
 * Descriptors need care, because a stream has no message boundaries. The sender lets a message
 * with a descriptor always begin a sendmsg(2); Linux then gives the descriptor to the read that
 * returns the first byte of that message, and ends that read at the next such boundary. But a
 * read also ends where our window ends, which may be inside the header. So a descriptor is
 * "pending" from the read that brought it until the header that owns it is complete, and while
 * one is pending we ask for no more bytes than that header lacks: thus a second descriptor
 * cannot overtake the first (check_ipc_frame splits a header at each of its 16 positions). A receiver without
 * free descriptors gets no error but MSG_CTRUNC; such a message is delivered with fd_lost.
 *
 * A broken stream is FRAME_ERROR and stays so. Nothing here logs, blocks or exits.
 */
#include "config.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "ipc/frame.h"

#define FRAME_FD_BIT 0x80000000U
#define FRAME_IOV 64            /* output blocks per sendmsg */
#define FRAME_BLOCK (16 * 1024) /* small messages share a block of this size */
#define FRAME_FD_SLOTS 2        /* room for one descriptor too many, to notice it */

/* The header as it is on the socket; 16 bytes without padding. */
struct frame_header {
	uint32_t length; /* with header; top bit: a descriptor belongs to this message */
	uint16_t type;
	uint16_t flags;
	uint64_t id;
};

/* Some output: several small messages, or one large one; with a descriptor, its first byte is
 * the first byte of the message that carries it. */
struct frame_block {
	TAILQ_ENTRY(frame_block) next;
	size_t size;
	size_t n;        /* bytes filled */
	size_t sent;     /* of these taken by the kernel */
	size_t messages; /* that end in this block */
	int fd;          /* owned, -1: none or already sent */
	bool secret;
	uint8_t bytes[];
};

/* A descriptor on its way in. lost: there was one, but not for us (MSG_CTRUNC). */
struct frame_slot {
	bool used;
	bool lost;
	int fd; /* owned if used and not lost */
};

struct frame {
	int fd; /* owned */
	struct frame_limits limits;
	const char *error; /* static text; set once, then all fails */

	uint8_t *in; /* owned; bytes pos..end are not consumed yet */
	size_t in_size;
	size_t pos;
	size_t end;
	bool head_known;              /* the header at pos has been checked: */
	struct frame_header head;     /* this is it */
	struct frame_slot pending;    /* received, header not complete yet */
	struct frame_slot claimed;    /* belongs to head */
	int delivered_fd;             /* of the last message, -1 if none or taken */
	struct span delivered_secret; /* payload of the last message, if to be wiped */

	TAILQ_HEAD(frame_chain, frame_block) out;
	size_t out_bytes;
	size_t out_messages;
	bool over_high;
};

_Static_assert(sizeof(struct frame_header) == FRAME_HEADER, "the header has no padding");

const struct frame_limits frame_default_limits = {
    .max = FRAME_DEFAULT_MAX,
    .high = FRAME_DEFAULT_HIGH,
    .low = FRAME_DEFAULT_LOW,
    .cap = FRAME_DEFAULT_CAP,
    .descriptors = true,
    .secret = NULL,
};

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
slot_clear(struct frame_slot *slot)
{
	if (slot->used && !slot->lost)
		close_fd(&slot->fd);
	slot->used = false;
	slot->lost = false;
	slot->fd = -1;
}

static enum frame_status
fail(struct frame *f, const char *why)
{
	if (f->error == NULL)
		f->error = why;
	return FRAME_ERROR;
}

struct frame *
frame_new(int fd, const struct frame_limits *limits)
{
	struct frame *f = xcalloc(1, sizeof(*f));

	f->fd = fd;
	f->limits = *limits;
	f->pending.fd = f->claimed.fd = f->delivered_fd = -1;
	TAILQ_INIT(&f->out);
	return f;
}

static void
block_free(struct frame_block *b)
{
	close_fd(&b->fd);
	if (b->secret)
		freezero(b, sizeof(*b) + b->size);
	else
		free(b);
}

void
frame_free(struct frame *f)
{
	struct frame_block *b;

	if (f == NULL)
		return;
	while ((b = TAILQ_FIRST(&f->out)) != NULL) {
		TAILQ_REMOVE(&f->out, b, next);
		block_free(b);
	}
	slot_clear(&f->pending);
	slot_clear(&f->claimed);
	close_fd(&f->delivered_fd);
	close_fd(&f->fd);
	freezero(f->in, f->in_size);
	free(f);
}

int
frame_fd(const struct frame *f)
{
	return f->fd;
}

const char *
frame_error(const struct frame *f)
{
	return f->error == NULL ? "no error" : f->error;
}

/* --- input ------------------------------------------------------------------------- */

/* Checks the header at pos once it is there, and gives it the pending descriptor. */
static enum frame_status
read_header(struct frame *f)
{
	bool wants_fd;

	if (f->head_known)
		return FRAME_OK;
	if (f->end - f->pos < FRAME_HEADER) {
		if (f->end == f->pos && f->pending.used)
			return fail(f, "descriptor without a message");
		return FRAME_AGAIN;
	}
	memcpy(&f->head, f->in + f->pos, FRAME_HEADER);
	wants_fd = (f->head.length & FRAME_FD_BIT) != 0;
	f->head.length &= ~FRAME_FD_BIT;
	if (f->head.length < FRAME_HEADER || f->head.length > f->limits.max)
		return fail(f, "message length out of bounds");
	if (wants_fd) {
		if (!f->pending.used)
			return fail(f, "message without its descriptor");
		f->claimed = f->pending;
		f->pending.used = f->pending.lost = false;
		f->pending.fd = -1;
	}
	f->head_known = true;
	return FRAME_OK;
}

/* True if the message at pos is complete; its header has been read. */
static bool
have_message(const struct frame *f)
{
	return f->head_known && f->end - f->pos >= f->head.length;
}

/* What the last message left behind: its descriptor if nobody took it, its secrets. */
static void
forget_delivered(struct frame *f)
{
	close_fd(&f->delivered_fd);
	if (f->delivered_secret.n > 0)
		wipe(f->in + (f->delivered_secret.p - f->in), f->delivered_secret.n);
	f->delivered_secret = span_of(NULL, 0);
}

enum frame_status
frame_next(struct frame *f, struct frame_msg *msg)
{
	enum frame_status status;

	forget_delivered(f);
	if (f->error != NULL)
		return FRAME_ERROR;
	status = read_header(f);
	if (status != FRAME_OK)
		return status;
	if (!have_message(f)) {
		/* All bytes that are here belong to this message, so it cannot be another's. */
		if (f->pending.used)
			return fail(f, "descriptor inside a message");
		return FRAME_AGAIN;
	}
	msg->type = f->head.type;
	msg->flags = f->head.flags;
	msg->id = f->head.id;
	msg->payload =
	    span_of(f->in + f->pos + FRAME_HEADER, f->head.length - FRAME_HEADER);
	msg->fd_lost = f->claimed.lost;
	msg->fd = f->claimed.used && !f->claimed.lost ? f->claimed.fd : -1;
	f->delivered_fd = msg->fd;
	f->claimed = (struct frame_slot){.fd = -1};
	if (f->limits.secret != NULL && f->limits.secret(msg->type))
		f->delivered_secret = msg->payload;
	f->pos += f->head.length;
	f->head_known = false;
	return FRAME_OK;
}

int
frame_take_fd(struct frame *f)
{
	int fd = f->delivered_fd;

	f->delivered_fd = -1;
	return fd;
}

/* Moves the unconsumed bytes to the start of a buffer of at least want bytes. What they leave
 * behind is wiped, since they may be part of a secret. */
static void
make_room(struct frame *f, size_t want)
{
	size_t n = f->end - f->pos, from;
	uint8_t *in;

	if (want > f->in_size) {
		in = xmalloc(want);
		if (n > 0)
			memcpy(in, f->in + f->pos, n);
		freezero(f->in, f->in_size);
		f->in = in;
		f->in_size = want;
	} else if (f->pos > 0 && n > 0) {
		memmove(f->in, f->in + f->pos, n);
		from = n > f->pos ? n : f->pos;
		wipe(f->in + from, f->end - from);
	}
	f->pos = 0;
	f->end = n;
}

/* How many bytes the next read may ask for; makes room for them. */
static size_t
read_size(struct frame *f)
{
	size_t have = f->end - f->pos;
	size_t want = f->head_known ? f->head.length : FRAME_HEADER;

	if (want < FRAME_READ_WINDOW)
		want = FRAME_READ_WINDOW;
	if (f->in_size - f->pos < want)
		make_room(f, want);
	if (f->pending.used && have < FRAME_HEADER)
		return FRAME_HEADER - have;
	return f->in_size - f->end;
}

/* Takes over all descriptors of one read; more than one, or one that is not wanted, is an
 * error of the sender. */
static enum frame_status
take_control(struct frame *f, struct msghdr *mh)
{
	struct cmsghdr *c;
	int fds[FRAME_FD_SLOTS], extra;
	size_t i, n = 0, count;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			memcpy(&extra, CMSG_DATA(c) + i * sizeof(int), sizeof(extra));
			if (n < FRAME_FD_SLOTS)
				fds[n++] = extra;
			else
				close(extra);
		}
	}
	if (n == 1 && f->limits.descriptors && !f->pending.used &&
	    (mh->msg_flags & MSG_CTRUNC) == 0) {
		f->pending = (struct frame_slot){.used = true, .fd = fds[0]};
		return FRAME_OK;
	}
	for (i = 0; i < n; i++)
		close(fds[i]);
	if (n > 1)
		return fail(f, "more than one descriptor");
	if (n == 0 && (mh->msg_flags & MSG_CTRUNC) == 0)
		return FRAME_OK;
	if (!f->limits.descriptors)
		return fail(f, "descriptors are not accepted here");
	if (f->pending.used)
		return fail(f, "descriptor while another is pending");
	f->pending = (struct frame_slot){.used = true, .lost = true, .fd = -1};
	return FRAME_OK;
}

static enum frame_status
read_failed(struct frame *f)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return FRAME_AGAIN;
	if (errno == ECONNRESET)
		return f->end > f->pos || f->pending.used ? FRAME_TORN : FRAME_CLOSED;
	return fail(f, "recvmsg failed");
}

enum frame_status
frame_read(struct frame *f)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FRAME_FD_SLOTS * sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	forget_delivered(f);
	if (f->error != NULL)
		return FRAME_ERROR;
	if (read_header(f) == FRAME_ERROR)
		return FRAME_ERROR;
	if (have_message(f))
		return FRAME_OK;
	iov.iov_len = read_size(f);
	iov.iov_base = f->in + f->end;
	mh.msg_control = control.bytes;
	mh.msg_controllen = sizeof(control.bytes);
	do
		n = recvmsg(f->fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return read_failed(f);
	if (n == 0)
		return f->end > f->pos || f->pending.used ? FRAME_TORN : FRAME_CLOSED;
	f->end += (size_t)n;
	return take_control(f, &mh);
}

/* --- output ------------------------------------------------------------------------ */

static struct frame_block *
block_new(struct frame *f, size_t need, int fd)
{
	size_t size = need > FRAME_BLOCK ? need : FRAME_BLOCK;
	struct frame_block *b = xmalloc(sizeof(*b) + size);

	b->size = size;
	b->n = b->sent = b->messages = 0;
	b->fd = fd;
	b->secret = false;
	TAILQ_INSERT_TAIL(&f->out, b, next);
	return b;
}

/* A message with a descriptor begins a block, others fill up the last one. */
static struct frame_block *
block_obtain(struct frame *f, size_t need, int fd)
{
	struct frame_block *b = TAILQ_LAST(&f->out, frame_chain);

	if (b == NULL || fd != -1 || b->size - b->n < need)
		b = block_new(f, need, fd);
	return b;
}

int
frame_queue(struct frame *f, uint16_t type, uint16_t flags, uint64_t id,
    struct span payload, int fd)
{
	struct frame_header head = {.type = type, .flags = flags, .id = id};
	struct frame_block *b;
	size_t need = FRAME_HEADER + payload.n;

	if (payload.n > f->limits.max || need > f->limits.max ||
	    f->out_bytes + need > f->limits.cap) {
		errno = f->out_bytes + need > f->limits.cap ? ENOBUFS : EMSGSIZE;
		goto refused;
	}
	head.length = (uint32_t)need | (fd != -1 ? FRAME_FD_BIT : 0);
	b = block_obtain(f, need, fd);
	memcpy(b->bytes + b->n, &head, FRAME_HEADER);
	if (payload.n > 0)
		memcpy(b->bytes + b->n + FRAME_HEADER, payload.p, payload.n);
	b->n += need;
	b->messages++;
	if (f->limits.secret != NULL && f->limits.secret(type))
		b->secret = true;
	f->out_bytes += need;
	f->out_messages++;
	if (f->out_bytes > f->limits.high)
		f->over_high = true;
	return 0;
refused:
	if (fd != -1) {
		int keep = errno;
		close(fd);
		errno = keep;
	}
	return -1;
}

/* Collects output for one sendmsg(2); ends before the next block that has a descriptor. */
static size_t
gather(struct frame *f, struct iovec iov[FRAME_IOV])
{
	struct frame_block *b;
	size_t n = 0;

	TAILQ_FOREACH (b, &f->out, next) {
		if (n == FRAME_IOV || (n > 0 && b->fd != -1))
			break;
		iov[n].iov_base = b->bytes + b->sent;
		iov[n].iov_len = b->n - b->sent;
		n++;
	}
	return n;
}

/* The kernel took n bytes: the first descriptor is with them. */
static void
sent_bytes(struct frame *f, size_t n)
{
	struct frame_block *b = TAILQ_FIRST(&f->out);
	size_t part;

	f->out_bytes -= n;
	close_fd(&b->fd);
	while (n > 0) {
		b = TAILQ_FIRST(&f->out);
		part = b->n - b->sent;
		if (n < part) {
			b->sent += n;
			break;
		}
		n -= part;
		f->out_messages -= b->messages;
		TAILQ_REMOVE(&f->out, b, next);
		block_free(b);
	}
	if (f->out_bytes <= f->limits.low)
		f->over_high = false;
}

static enum frame_status
write_failed(struct frame *f)
{
	switch (errno) {
	case EAGAIN:
		return FRAME_AGAIN;
	case ENOBUFS:
	case ENOMEM:
	case ETOOMANYREFS:
		return FRAME_LATER;
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
		return FRAME_CLOSED;
	default:
		return fail(f, "sendmsg failed");
	}
}

static void
attach(struct msghdr *mh, char *control, size_t size, int fd)
{
	struct cmsghdr *c;

	memset(control, 0, size);
	mh->msg_control = control;
	mh->msg_controllen = size;
	c = CMSG_FIRSTHDR(mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

enum frame_status
frame_write(struct frame *f)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov[FRAME_IOV];
	struct frame_block *b;
	ssize_t n;

	if (f->error != NULL)
		return FRAME_ERROR;
	while ((b = TAILQ_FIRST(&f->out)) != NULL) {
		struct msghdr mh = {.msg_iov = iov};

		mh.msg_iovlen = gather(f, iov);
		if (b->fd != -1)
			attach(&mh, control.bytes, sizeof(control.bytes), b->fd);
		do
			n = sendmsg(f->fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (n == -1 && errno == EINTR);
		if (n == -1)
			return write_failed(f);
		sent_bytes(f, (size_t)n);
	}
	return FRAME_OK;
}

size_t
frame_out_bytes(const struct frame *f)
{
	return f->out_bytes;
}

size_t
frame_out_messages(const struct frame *f)
{
	return f->out_messages;
}

bool
frame_over_high(const struct frame *f)
{
	return f->over_high;
}
