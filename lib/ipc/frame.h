/* SPDX-License-Identifier: ISC */
/*
 * frame.h - messages over an AF_UNIX stream socket, each with at most one descriptor.
 *
 * A message is a 16-byte header in host order (length including the header 31 bits, one bit
 * that says "a descriptor belongs to me"; type 16; flags 16; id 64) and a payload. Both ends
 * are on one host and of one build. This layer knows no message table and no event loop; the
 * socket must be non-blocking. Nothing here blocks, logs or exits.
 */
#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include "base/span.h"

#define FRAME_HEADER 16                      /* bytes */
#define FRAME_READ_WINDOW (256 * 1024)       /* bytes asked of the kernel at a time */
#define FRAME_DEFAULT_MAX (512 * 1024)       /* largest message, with header */
#define FRAME_DEFAULT_HIGH (2048 * 1024)     /* output bytes: stop making new work */
#define FRAME_DEFAULT_LOW (512 * 1024)       /* output bytes: go on */
#define FRAME_DEFAULT_CAP (64 * 1024 * 1024) /* output bytes: the channel is lost */

struct frame;

struct frame_limits {
	size_t max;  /* largest message either way, bytes with header */
	size_t high; /* water marks and hard cap of the output, bytes */
	size_t low;
	size_t cap;
	bool descriptors; /* descriptors may be received; off: one closes the channel */
	/* Which types have payloads to wipe after use; NULL: none. */
	bool (*secret)(uint16_t type);
};

/* The FRAME_DEFAULT_ values, descriptors allowed, nothing secret. */
extern const struct frame_limits frame_default_limits;

/* One received message. payload is borrowed until the next call with the same frame. fd is
 * -1 or a descriptor that the frame owns until frame_take_fd(); unclaimed ones are closed by
 * the next frame_next(). fd_lost: the sender attached one but we ran out of descriptors; the
 * request must be failed. */
struct frame_msg {
	uint16_t type;
	uint16_t flags;
	uint64_t id;
	struct span payload;
	int fd;
	bool fd_lost;
};

enum frame_status {
	FRAME_OK,    /* read: bytes came; next: a message; write: all is written */
	FRAME_AGAIN, /* wait for the socket (next: for more input) */
	FRAME_LATER, /* write only: the kernel is short of memory, try again in some ms */
	FRAME_CLOSED, /* read: clean end of file; write: the other end is gone */
	FRAME_TORN,   /* read: end of file in the middle of a message */
	FRAME_ERROR   /* broken stream or system error: frame_error() says what */
};

/* Takes over the non-blocking stream socket fd (closed by frame_free). limits are copied. */
struct frame *frame_new(int fd, const struct frame_limits *limits);
/* Closes the socket, unsent and unclaimed descriptors; wipes secrets. NULL-safe. */
void frame_free(struct frame *);
int frame_fd(const struct frame *);

/* One recvmsg(2). Call it only when frame_next() said FRAME_AGAIN: while a whole message is
 * still buffered it reads nothing and returns FRAME_OK. */
enum frame_status frame_read(struct frame *);
/* The next whole message, FRAME_AGAIN, or FRAME_ERROR (bad length, descriptor mix-up). */
enum frame_status frame_next(struct frame *, struct frame_msg *);
/* Moves the descriptor of the last message to the caller; -1 if there is none. */
int frame_take_fd(struct frame *);

/* Appends a message to the output. Takes over fd (-1: none) in any case. -1 with errno:
 * EMSGSIZE larger than max (nothing queued), ENOBUFS the hard cap (give the channel up). */
int frame_queue(struct frame *, uint16_t type, uint16_t flags, uint64_t id,
    struct span payload, int fd);
/* Sends as much as the kernel takes. FRAME_OK, _AGAIN, _LATER, _CLOSED or _ERROR. */
enum frame_status frame_write(struct frame *);

/* Output not yet taken by the kernel. */
size_t frame_out_bytes(const struct frame *);
size_t frame_out_messages(const struct frame *);
/* True from the moment the output passes high until it is at or below low again. */
bool frame_over_high(const struct frame *);
/* A static text for the last FRAME_ERROR. */
const char *frame_error(const struct frame *);

#endif
