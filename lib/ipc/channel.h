/* SPDX-License-Identifier: ISC */
/*
 * channel.h - a frame on the event loop, guarded by the message table.
 *
 * Before a handler sees a message, the table (msg.c) was consulted: the type is known, this
 * peer may send it and we may receive it, the payload has a legal size, decodes completely,
 * and carries a descriptor exactly if it must. Anything else closes the channel with
 * CHANNEL_OFFENCE and the handler never runs. Sending is checked by the same table: a wrong
 * type, direction or descriptor is our own bug and panics; a field out of bounds is refused.
 *
 * Credit: a type marked "work" in the table needs credit; answers and results never do, so
 * two full processes cannot deadlock. Each side begins with CHANNEL_WINDOW credits. A credit
 * goes back when the handler of the work returns, unless the handler called
 * channel_keep_credit(); then the process gives it back with channel_give_credit() when the
 * work is finished. Output bytes have water marks (frame.h); above high no work may be sent.
 *
 * Callbacks run from the event loop only, never inside channel_send() or channel_close().
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "base/role.h"
#include "base/span.h"

#define CHANNEL_WINDOW 1024 /* work messages on the way or being done, each way */
#define CHANNEL_BUDGET 64   /* messages handled per wake-up */
#define CHANNEL_LATER_MS 20 /* pause when the kernel is short of memory */

struct event_base;
struct channel;

/* A received message. body points to the decoded struct of this type (payload.h); it and the
 * spans in it are borrowed until the handler returns. fd: -1 or the descriptor; the channel
 * closes it after the handler unless channel_take_fd() was called. A type that must carry a
 * descriptor may still arrive with fd -1 when we ran out of descriptors: fail the request. */
struct channel_msg {
	uint16_t type;
	uint64_t id;
	const void *body;
	int fd;
};

enum channel_end {
	CHANNEL_EOF,     /* the other end closed cleanly */
	CHANNEL_TORN,    /* end of file inside a message, or a socket error */
	CHANNEL_OFFENCE, /* the peer broke the rules; detail says which */
	CHANNEL_FULL     /* our output passed the hard cap */
};

struct channel_ops {
	/* One message that passed the table. May send, close and free the channel. */
	void (*message)(struct channel *, struct channel_msg *, void *arg);
	/* channel_may_work() was false and is true again. May be NULL. */
	void (*drained)(struct channel *, void *arg);
	/* The channel has ended by itself; nothing follows. detail is static text. The owner
	 * calls channel_free(), here or later. */
	void (*closed)(struct channel *, enum channel_end, const char *detail, void *arg);
};

/* Takes over fd (a socketpair end, made non-blocking here). me and peer select the rows of
 * the table. ops and arg are borrowed for the life of the channel. */
struct channel *channel_new(struct event_base *, int fd, enum role me, enum role peer,
    const struct channel_ops *ops, void *arg);
/* Closes and frees, from anywhere, even inside one of its own callbacks; unsent output is
 * dropped. No callback follows. NULL-safe. */
void channel_free(struct channel *);

/* Encodes body (the struct of this type, NULL for a type without fields) and queues it. id is
 * 0, a request id (request.h) or that of the request being answered. Takes over fd (-1: none)
 * in any case. Returns 0, or -1 if nothing will be sent: the channel has ended (EPIPE), or the
 * type is work and there is no credit or the output is above its high mark (EAGAIN), or a
 * field is out of its bounds (EINVAL, logged). */
int channel_send(struct channel *, uint16_t type, uint64_t id, const void *body, int fd);
/* Sends a request that is not work and waits up to ms milliseconds for the message that answers
 * it, for callers that cannot return to the loop (a TLS handshake that needs a signature).
 * answer is filled as for a handler and borrowed until the next event or call. Other messages
 * are handled afterwards, in order; no callback runs meanwhile. Only for channels on which no
 * descriptors come, and not inside a callback of the same channel (EBUSY). -1 with errno:
 * ETIMEDOUT (a late answer comes to the handler, with an id that is no request's) or EPIPE. */
int channel_call(struct channel *, uint16_t type, const void *body, int ms,
    struct channel_msg *answer);
/* True if a work message can be sent now. If false, drained() will be called later. */
bool channel_may_work(struct channel *);
/* In the handler of a work message: do not give its credit back on return. */
void channel_keep_credit(struct channel *);
/* Gives back n credits that were kept. */
void channel_give_credit(struct channel *, uint32_t n);
/* The owner found a breach that the table cannot see (a forged id, a lie): the channel ends
 * with CHANNEL_OFFENCE. detail is static text. */
void channel_offence(struct channel *, const char *detail);
/* In a handler: moves the descriptor to the caller (closed by whom took it); -1 if none. */
int channel_take_fd(struct channel *, struct channel_msg *);
/* Stops and resumes reading messages from the peer (pressure from our own side). Only for
 * channels on which no answer is awaited. */
void channel_pause(struct channel *, bool on);
/* Writes what is queued, waiting at most ms milliseconds in all; for the last words before
 * an exit. True if everything was taken by the kernel. */
bool channel_flush(struct channel *, int ms);

enum role channel_peer(const struct channel *);
/* True until the channel ended. */
bool channel_alive(const struct channel *);
/* The process may hang one pointer of its own on a channel; NULL at first. */
void channel_set_data(struct channel *, void *);
void *channel_data(const struct channel *);
/* Output that the kernel has not taken yet, in bytes. */
size_t channel_out_bytes(const struct channel *);
/* Work messages received whose credit has not been given back. */
uint32_t channel_work_open(const struct channel *);
/* "eof", "torn", "offence", "full": for log lines. */
const char *channel_end_name(enum channel_end);

#endif
